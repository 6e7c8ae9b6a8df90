"""Settings that every command heeds: colours, the pager, aliases.

They are read straight from the two files, before any room is loaded, and only
parsed where a file mentions one of them: `gv log` does not pay for TOML that
says nothing about logs.  A file that cannot be read counts as empty here;
`gv config`, and whatever asks for a setting of its own, tells what is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

GV_FOLDER, FILE, FORMAT = ".gv", "config.toml", "format"  # as repo/layout.py has them, which a test compares
_SECTIONS = ("alias", "color", "core")
_MENTIONED = (b"alias", b"color", b"pager", b"editor")
_MOST_BYTES = 1_000_000


class Settings:
    """What the files say; the repository's go before the user's."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        """Reads `paths`, the user's file first."""
        self._tables: dict[str, dict[str, object]] = {name: {} for name in _SECTIONS}
        for path in paths:
            for section, table in _read(path).items():
                if section in self._tables and isinstance(table, dict):
                    self._tables[section].update(table)

    def text(self, key: str) -> str:
        """Returns a setting that is a text, "" where there is none."""
        section, _, name = key.partition(".")
        value = self._tables[section].get(name, "")
        return value if isinstance(value, str) else ""

    def aliases(self) -> dict[str, str]:
        """Returns all aliases by name, with what they stand for."""
        return dict(sorted((name, text) for name, text in self._tables["alias"].items() if isinstance(text, str)))

    def roles(self) -> dict[str, str]:
        """Returns the styles that the user gave to roles, as typed: `bold red`."""
        return {name: text for name, text in self._tables["color"].items() if name != "ui" and isinstance(text, str)}


def paths(folder: Path, gv_dir: str, config_dir: Path) -> tuple[Path, ...]:
    """Returns where the settings of the user, and of the repository around `folder` or in `gv_dir`, lie."""
    found = next(_repositories(folder), None) if not gv_dir else folder / gv_dir
    return (config_dir / FILE,) if found is None else (config_dir / FILE, found / FILE)


def _repositories(folder: Path) -> Iterator[Path]:
    place = str(folder)
    while True:
        gv = os.path.join(place, GV_FOLDER)  # noqa: PTH118 - a Path costs more, and every command comes by here
        if os.path.isfile(os.path.join(gv, FORMAT)):  # noqa: PTH113, PTH118
            yield Path(gv)
        above = os.path.dirname(place)  # noqa: PTH120
        if above == place:
            return
        place = above


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError:
        return {}
    if not any(word in data for word in _MENTIONED):
        return {}
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
