"""Each kind of edit, made to a copy of a recorded project and told by a new process: fresh or stale, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.journal.edits import EDITS, Edit
from tests.journal.planner import Planner


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    found = Planner(tmp_path_factory.mktemp("edits"))
    yield found
    found.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("edit", EDITS, ids=[each.name for each in EDITS])
def test_an_edit_is_told_with_its_reason(planner: Planner, edit: Edit) -> None:
    """The components that the edit concerns are stale, each for its reason; all the others hold, but for what calls them."""
    assert edit.stale == planner.stale(edit)
