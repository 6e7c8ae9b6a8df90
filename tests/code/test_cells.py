"""Notebooks: what a component in one cell reaches in the others."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gvstore.code.identity import identify, reached
from tests.code.project import Project

numbers = itertools.count()
FIRST = "import gvstore as gv\nimport math\nfrom gvstore import register\n"
STEP = "@register\ndef step(x):\n    return clean(x) * FACTOR + math.floor(Options().width)\n"
CLEAN = "def clean(x):\n    return strip(x)\n\n\ndef unused(x):\n    return x\n"
STRIP = "def strip(x):\n    return x - MARK\n"
REST = "FACTOR = 3\nMARK = 1\n\n\nclass Options:\n    width = 2\n\n\n@gv.register\ndef other(x):\n    return step(x)\n"


class Notebook:
    """Runs cells as a kernel does: each has a name of its own and stands in linecache alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.space: dict[str, Any] = {"__name__": "__main__"}
        self.names: list[str] = []

    def run(self, *cells: str) -> None:
        for text in cells:
            name = f"<ipython-input-{next(numbers)}-abc>"
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
            self.names.append(name)
            exec(compile(text, name, "exec"), self.space)

    @property
    def reach(self) -> str:
        return identify(self.space["step"], self.root).reach.hex()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    found = Notebook(tmp_path)
    yield found
    for name in found.names:
        linecache.cache.pop(name, None)


@pytest.mark.parametrize(("first", "step"), [
    ("from gvstore.machine import action", "@action(reads=[], writes=[])"),
    ("from gvstore import machine", "@machine.action(reads=[], writes=[])"),
])  # fmt: skip
def test_an_action_of_a_cell_is_one(notebook: Notebook, first: str, step: str) -> None:
    """What another cell imported from gvstore makes an action here: what its annotations name is reached."""
    notebook.run(first + "\nclass Talk: pass\n", f"{step}\ndef step(state: Talk) -> Talk:\n    return state\n")
    found = reached(notebook.space["step"], notebook.root)

    assert found is not None
    assert ["<notebook>.Talk"] == [str(each.key) for each in found.units]


def test_helpers_in_other_cells_are_reached(notebook: Notebook) -> None:
    """Whatever cell they stand in, before or after; a component of another cell ends the reach."""
    notebook.run(FIRST, STEP, CLEAN, REST, STRIP)
    found = reached(notebook.space["step"], notebook.root)

    assert found is not None
    assert ["<notebook>.=FACTOR", "<notebook>.Options", "<notebook>.clean", "<notebook>.strip", "<notebook>.=MARK"] == [
        str(each.key) for each in found.units
    ]
    assert ("math",) == found.libraries
    assert () == found.opaque
    assert ("<notebook>.step",) == reached(notebook.space["other"], notebook.root).components  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (CLEAN, CLEAN.replace("strip(x)", "strip(x) + 1"), True),
        (CLEAN, CLEAN.replace("return x", "return -x"), False),
        (CLEAN, "# a comment\n" + CLEAN, False),
        (STRIP, STRIP.replace("x - MARK", "x + MARK"), True),
        (REST, REST.replace("MARK = 1", "MARK = 2"), True),
        (REST, REST.replace("width = 2", "width = 3"), True),
        (REST, REST.replace("return step(x)", "return 0"), False),
    ],
)
def test_a_cell_that_is_run_again_counts(notebook: Notebook, before: str, after: str, changes: bool) -> None:
    """The component's own cell is not run again: what takes a helper's place is seen all the same, and so is the way back."""
    notebook.run(FIRST, STEP, CLEAN, REST, STRIP)
    was = notebook.reach
    notebook.run(after)

    assert changes == (was != notebook.reach)
    notebook.run(before)
    assert was == notebook.reach


def test_the_same_cells_have_the_same_reach_in_another_kernel(notebook: Notebook, tmp_path: Path) -> None:
    """In any order, under any names; what the text of no cell can tell is not guessed."""
    notebook.run(FIRST, REST, STRIP, CLEAN, STEP)
    was = notebook.reach
    other = Notebook(tmp_path)
    other.run(FIRST, "%magic\n".replace("%magic", "pass"), STEP, STRIP, CLEAN, REST)

    assert was == other.reach
    for name in other.names:
        linecache.cache.pop(name, None)


@pytest.mark.parametrize(("factor", "same"), [("3", True), ("4", False)])
def test_what_exec_made_reaches_the_module_around_it(project: Project, factor: str, same: bool) -> None:
    """A function made from a string in a module's globals uses that module's helpers."""
    text = """
        import enact

        FACTOR = {}

        def helper(x):
            return x * FACTOR

        CODE = "@enact.register\\ndef made(x):\\n    return helper(x)\\n"
        exec(CODE, globals())
        """
    one, two = (project.load(text.format(each), f"made_{project.number}_{each}_{n}") for n, each in enumerate(("3", factor)))
    first, second = (identify(each.made, project.folder) for each in (one, two))

    assert first.own == second.own
    assert same == (first.reach == second.reach)
    assert first.reach
