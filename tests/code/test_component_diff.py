"""How the components of two states of a project differ."""

from __future__ import annotations

import pytest

from gvstore.code.component_diff import ComponentChange, compare_components
from gvstore.code.discover import discover_project
from gvstore.code.identity import CodeIdentity
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.tree import TreeModules
from tests.code.test_reach import EDITS, FILES

HEAD = "import gvstore as gv\nfrom dataclasses import dataclass\nimport tools\n\n\n"
ASK = "@gv.register\n@dataclass\nclass Ask(gv.Invokable):\n    tone: str = 'calm'\n\n    def call(self, x):\n        return x\n\n\n"
STEP = "@gv.register\ndef step(x):\n    return tools.clean(x)\n"
TOOLS = {"tools.py": "def clean(x):\n    return mark(x)\n\n\ndef mark(x):\n    return x\n"}


class Side:
    """One state of a project."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.project = Project(TreeModules(files.get))

    @property
    def components(self) -> dict[str, CodeIdentity]:
        return {name: each.identity for name, each in discover_project(self.files.items()).named().items()}

    def reached(self, name: str) -> Reached | None:
        module, _, rest = name.partition(".")
        found = self.project.module(module)
        number = None if found is None else found.number(rest)
        return None if found is None or number is None else trace(self.project, found, number)


def compare(old: dict[str, str], new: dict[str, str]) -> list[ComponentChange]:
    before, after = Side(old), Side(new)
    return list(
        compare_components(
            before.components, after.components, reached_then=before.reached, reached_now=after.reached
        )
    )


@pytest.mark.parametrize(("what", "path", "before", "after", "own", "reach"), EDITS, ids=[each[0] for each in EDITS])
def test_every_edit_is_told_with_what_changed(
    what: str, path: str, before: str, after: str, own: bool, reach: bool
) -> None:
    """The component that an edit concerns is told, own text and reach apart, and of the reach the helper."""
    found = {each.name: each for each in compare(FILES, FILES | {path: FILES[path].replace(before, after, 1)})}
    change = found.get("steps.revise")
    told = () if change is None else change.changes

    assert own == ("own" in told)
    assert reach == ("reach" in told)
    assert change is None or bool(change.reach) == reach
    if not own and not reach:
        assert told in ((), ("text",))


def test_nothing_differs_from_itself() -> None:
    """No component of a project differs from itself."""
    assert [] == compare(FILES, dict(FILES))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("tone: str = 'calm'", "tone: str = 'loud'", "fields tone: str = 'calm' → tone: str = 'loud'"),
        ("tone: str = 'calm'", "tone: str = 'calm'\n    width: int = 3", "fields +width: int = 3"),
        ("tone: str = 'calm'", "width: int = 3", "fields -tone: str = 'calm', +width: int = 3"),
        ("return x\n", "return x + 1\n", "own "),
        ("tone: str = 'calm'\n\n    def call(self, x):\n        return x\n", "tone: str = 'loud'\n\n    def call(self, x):\n        return -x\n",
         "own fields tone: str = 'calm' → tone: str = 'loud'"),
        ("    tone: str = 'calm'", "    # how\n    tone: str = 'calm'", "text "),
    ],
)  # fmt: skip
def test_fields_are_told_apart_from_the_rest_of_a_class(before: str, after: str, told: str) -> None:
    """A change of fields alone is one of fields; what comes beside it is told too."""
    [change] = compare({"steps.py": HEAD + ASK}, {"steps.py": HEAD + ASK.replace(before, after)})

    assert told == f"{' '.join(change.changes)} {', '.join(map(str, change.fields))}"


def test_fields_in_another_order_are_other_fields() -> None:
    """The constructor takes them by place."""
    two = ASK.replace("tone: str = 'calm'", "tone: str = 'calm'\n    width: int = 3")
    other = ASK.replace("tone: str = 'calm'", "width: int = 3\n    tone: str = 'calm'")

    [change] = compare({"steps.py": HEAD + two}, {"steps.py": HEAD + other})
    assert ("fields",) == change.changes
    assert ["width", "tone"] == [each.name for each in change.fields]


def test_a_helper_is_named_with_how_far_down_it_stands() -> None:
    """The nearest change first, what came and went after it."""
    other = {"tools.py": "import re\n\n\ndef clean(x):\n    return mark(x)\n\n\ndef mark(x):\n    return re.sub('a', more(x), x)\n\n\ndef more(x):\n    return x\n"}
    [change] = compare({"steps.py": HEAD + STEP, **TOOLS}, {"steps.py": HEAD + STEP, **other})

    assert [
        "helper tools.mark(), 2 levels down, changed",
        "library re is reached now",
        "helper tools.more(), 3 levels down, is reached now",
    ] == [str(each) for each in change.reach]


def test_what_is_renamed_or_moved_is_told_once() -> None:
    """Also where what it calls moved along; of several with one code each has one partner, the same last name first."""
    steps = HEAD + STEP + "\n\n@gv.register\ndef outer(x):\n    return step(x)\n"
    twins = HEAD + "@gv.register\ndef one(x):\n    return 1\n\n\n@gv.register\ndef two(x):\n    return 1\n"
    moved = compare({"steps.py": steps, **TOOLS}, {"tale.py": steps, **TOOLS})
    twice = compare({"a.py": twins}, {"b.py": twins.replace("def one", "def three")})

    assert [("tale.outer", "steps.outer", ("renamed",)), ("tale.step", "steps.step", ("renamed",))] == [
        (each.name, each.old_name, each.changes) for each in moved
    ]
    assert [("b.three", "a.one"), ("b.two", "a.two")] == [(each.name, each.old_name) for each in twice]


def test_what_came_and_went_is_told() -> None:
    """Other code under another name is another component."""
    before = {"steps.py": HEAD + STEP, **TOOLS}
    after = {"steps.py": HEAD + STEP.replace("step", "stride").replace("(x)\n", "(x, 1)\n"), **TOOLS}

    assert [("steps.step", ("gone",)), ("steps.stride", ("appeared",))] == [
        (each.name, each.changes) for each in compare(before, after)
    ]
