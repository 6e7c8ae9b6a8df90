"""Fixtures: a repository in an empty folder, with nothing of the developer's own around it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.repo import Repository

AUTHOR = "Ada <ada@example.org>"
NOW = "2026-11-20T10:02:11Z"
NOW_US = 1795168931_000000


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixed clock and author, an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GV_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(home), "GV_AUTHOR": AUTHOR, "GV_NOW": NOW}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without commits, to be copied: making one syncs a dozen files."""
    path = tmp_path_factory.mktemp("empty") / "work"
    Repository.init(path, author=AUTHOR, now=NOW_US, branch="main").close()
    return path


@pytest.fixture
def repo(tmp_path: Path, empty: Path) -> Iterator[Repository]:
    with Repository.open(shutil.copytree(empty, tmp_path / "work")) as repo:
        yield repo


def write(repo: Repository, **files: str | bytes | None) -> None:
    """Writes files of the work tree; `a__b_c` is `a/b.c`, None deletes."""
    for name, content in files.items():
        put(repo, name.replace("__", "/").replace("_", "."), content)


def put(repo: Repository, name: str, content: str | bytes | None) -> None:
    """Writes, or with None deletes, one file of the work tree."""
    path = repo.path / name
    if content is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


Seen = dict[bytes, tuple[str, bytes]]


def seen(root: Path) -> Seen:
    """Returns every file under `root` but those of `.gv`: its kind, and its content or target."""
    found: Seen = {}
    base = os.fsencode(root)
    for folder, folders, files in os.walk(base):
        if folder == base and b".gv" in folders:
            folders.remove(b".gv")
        for name in files + [each for each in folders if os.path.islink(os.path.join(folder, each))]:  # noqa: PTH114, PTH118
            path = os.path.join(folder, name)  # noqa: PTH118
            if os.path.islink(path):  # noqa: PTH114
                entry = ("link", os.readlink(path))  # noqa: PTH115
            else:
                with open(path, "rb") as file:
                    entry = ("exec" if os.access(path, os.X_OK) else "file", file.read())
            found[os.path.relpath(path, base)] = entry
    return found
