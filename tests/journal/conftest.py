"""A repository in an empty folder, and the counting of bodies."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from gvstore.store import store as store_module
from tests.journal.bodies import BODIES


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """An open repository, the active store."""
    for name in ("GV_AUTHOR", "GV_NOW", "GV_DIR"):
        monkeypatch.delenv(name, raising=False)
    with Repository.init(tmp_path / "project", author="Ada") as repository:
        yield repository


@pytest.fixture(autouse=True)
def bodies() -> Iterator[list[object]]:
    """The bodies that were executed in this test, in order."""
    BODIES.clear()
    yield BODIES


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The warnings that were shown since, as of a process in which none was."""
    monkeypatch.setattr(store_module, "_warned", set())
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        texts: list[str] = []
        yield texts
        texts += [str(each.message) for each in shown]
