"""Which distribution a type comes from: registered paths and files, mapped to a name and a version.

Types know their distribution from the moment they are registered.  It is
advice for whoever reads the store elsewhere (`get_distribution_requirements`);
it never enters a value's bytes, so an upgrade orphans nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gvstore import fs
from gvstore.store.types import DistributionKey


class DistributionRegistry:
    """The distributions that a program has told of."""

    def __init__(self) -> None:
        self._files: dict[Path, DistributionKey] = {}
        self._folders: dict[Path, DistributionKey] = {}
        self._names: dict[str, DistributionKey] = {}

    def registered(self) -> Iterable[DistributionKey]:
        """Returns the distributions, in the order they were registered."""
        return self._names.values()

    def is_registered(self, name: str) -> bool:
        """Returns whether a distribution of this name was registered."""
        return name in self._names

    def register_distribution(self, name: str, version: str | None = None, path: Path | str | None = None) -> None:
        """Maps the code below `path`, or else the installed files of distribution `name`, to it.

        Raises:
            importlib.metadata.PackageNotFoundError: version or path are to be
                found out, and nothing of this name is installed.
        """
        files: Iterable[Any] = ()
        if version is None or path is None:
            from importlib import metadata

            installed = metadata.distribution(name)
            version = version or installed.version
            files = installed.files or () if path is None else ()
        key = self._names[name] = DistributionKey(name, version)
        if path is not None:
            self._folders[Path(path).absolute()] = key
        for each in files:
            file = Path(str(each.locate())).absolute()
            self._files[file] = key
            if file.suffix == ".pth" and file.is_file():  # an editable install points to its folder
                folders = map(Path, fs.read_bytes(file).decode("utf-8", "replace").splitlines())
                self._folders.update((folder.absolute(), key) for folder in folders if folder.is_dir())

    def get_path_distribution_key(self, path: Path | str) -> DistributionKey | None:
        """Returns the distribution that a file belongs to: the innermost registered folder counts."""
        file = Path(path).absolute()
        found = self._files.get(file)
        if found is not None:
            return found
        above = [folder for folder in self._folders if file.is_relative_to(folder)]
        return self._folders[max(above, key=lambda folder: len(folder.parts))] if above else None

    def get_distribution_key(self, thing: Any) -> DistributionKey | None:
        """Returns the distribution that a class, function or module comes from."""
        import inspect

        try:
            return self.get_path_distribution_key(inspect.getfile(thing))
        except (TypeError, OSError):  # a builtin, or made where there is no file
            return None


_REGISTRY = DistributionRegistry()


def registry() -> DistributionRegistry:
    """Returns the registry of this process."""
    return _REGISTRY


def register_distribution(name: str, version: str | None = None, path: Path | str | None = None) -> None:
    """Maps code files to a distribution, for types that are registered from now on.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed, and
            version or path were not told.
    """
    _REGISTRY.register_distribution(name, version, path)


def get_distribution_key(thing: Any) -> DistributionKey | None:
    """Returns the registered distribution that a class, function or module comes from, or None."""
    return _REGISTRY.get_distribution_key(thing)


def get_path_distribution_key(path: Path | str) -> DistributionKey | None:
    """Returns the registered distribution that a file belongs to, or None."""
    return _REGISTRY.get_path_distribution_key(path)
