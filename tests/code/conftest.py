"""The `project` that tests of this room import from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.code.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Returns an empty project that has a stand-in for enact's `register`."""
    return Project(tmp_path)
