"""A repository whose processes die."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from tests.crash import programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with an empty repository; notes are taken beside it."""
    for name in ("GV_AUTHOR", "GV_NOW", "GV_DIR"):
        monkeypatch.delenv(name, raising=False)
    programs.PLACE[:] = [tmp_path]
    programs.KILL_AT.clear()
    project = tmp_path / "project"
    Repository.init(project, author="Ada").close()
    yield project
    programs.PLACE.clear()
