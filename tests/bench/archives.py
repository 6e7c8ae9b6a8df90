"""Backup programs as stores of large files: restic, borg and casync, each a command of its own.

They take a folder of files and give one back; single reads are not what they
are for.  What is not installed is left out, and told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol


class Archive(Protocol):
    """A backup program with a store in a folder."""

    command: str

    def __init__(self, folder: Path) -> None: ...

    def save(self, files: Path) -> None:
        """Stores the folder `files`."""
        ...

    def restore(self, target: Path) -> None:
        """Brings it back into `target`, which is empty."""
        ...


def installed(archive: type[Archive]) -> bool:
    """Returns whether the program is here."""
    return shutil.which(archive.command) is not None


def _run(*arguments: str | Path, cwd: Path, **environment: str) -> None:
    subprocess.run(
        list(map(str, arguments)), cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )  # fmt: skip


class Restic:
    """restic: chunks of about 1 MiB, zstd, encrypted always."""

    command = "restic"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._settings = {"RESTIC_PASSWORD": "x", "RESTIC_REPOSITORY": str(folder), "RESTIC_CACHE_DIR": f"{folder}-cache"}
        self._restic("init", "--repository-version", "2", cwd=folder)

    def _restic(self, *arguments: str | Path, cwd: Path) -> None:
        _run("restic", "--quiet", *arguments, cwd=cwd, **self._settings)

    def save(self, files: Path) -> None:
        """Stores the folder."""
        self._restic("backup", ".", cwd=files)

    def restore(self, target: Path) -> None:
        """Brings it back."""
        self._restic("restore", "latest", "--target", target, cwd=target)


class Borg:
    """borg: chunks of about 2 MiB, zstd 3, no encryption."""

    command = "borg"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._settings = {"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_BASE_DIR": f"{folder}-base"}
        _run("borg", "init", "-e", "none", folder, cwd=folder.parent, **self._settings)

    def save(self, files: Path) -> None:
        """Stores the folder."""
        _run("borg", "create", "-C", "zstd,3", f"{self._folder}::one", ".", cwd=files, **self._settings)

    def restore(self, target: Path) -> None:
        """Brings it back."""
        _run("borg", "extract", f"{self._folder}::one", cwd=target, **self._settings)


class Casync:
    """casync: chunks of about 64 KiB, each a file of its own."""

    command = "casync"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._index, self._store = folder / "one.caidx", folder / "store.castr"

    def save(self, files: Path) -> None:
        """Stores the folder."""
        _run("casync", "make", f"--store={self._store}", "--with=unix", self._index, files, cwd=files)

    def restore(self, target: Path) -> None:
        """Brings it back."""
        _run("casync", "extract", f"--store={self._store}", self._index, target / "out", cwd=target)


ARCHIVES: dict[str, type[Archive]] = {"restic": Restic, "borg": Borg, "casync": Casync}
