"""What a definition reaches: each edit of the project tells, or does not, whether its answers still hold."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

import pytest

from gvstore.code.definition import own_hash
from gvstore.code.discover import discover_project
from gvstore.code.identity import identify
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.tree import TreeModules

FILES = {
    "steps.py": '''
import functools
import math as maths
from dataclasses import dataclass, field

import gvstore as gv
import tools
from pkg import deep as depth
from pkg.stars import *
from settings import LIMIT, TABLE as table
from shapes import Shape, Square


def loud(level):
    def wrap(function):
        @functools.wraps(function)
        def inner(*args):
            return function(*args) * level
        return inner
    return wrap


LOUD = 2
RULES = {"a": tools.first, "b": tools.second}
STEPS = []
STEPS.append(tools.appended)


@gv.register
def other(text: str) -> str:
    """Another component."""
    return text.upper()


@dataclass
class Options:
    """How to revise."""

    width: int = 80
    names: list = field(default_factory=tools.names)
    tone: str = "calm"

    @property
    def wide(self) -> bool:
        return self.width > 100

    class Inner:
        depth = 3

    def __call__(self, text):
        return text[: self.width]


if maths.pi > 3:
    def conditional(x):
        return x + 1
else:
    def conditional(x):
        return x - 1


@gv.register
@loud(LOUD)
def revise(text: str, scale: float = 1.5) -> str:
    """Revises a text."""
    # a comment
    options = Options()
    parts = [tools.clean(each, LIMIT) for each in text.split() if each not in table]
    match len(parts):
        case 0:
            return other("nothing")
        case _:
            pass
    mode = tools.Mode.SOFT
    half = (lambda x: x // tools.HALF)(len(parts))
    result = f"<{starred(parts)}> {depth.down(half)}" + RULES["a"](mode)
    for step in STEPS:
        result = step(result)
    return options(result) + Shape.describe(Square(3)) + str(conditional(1)) + maths.inf.hex()


class Agent:
    limit = 3

    def helper(self, x):
        return x * self.limit

    def unused(self):
        return 0

    @gv.register
    def act(self, x):
        return self.helper(x) + self.inherited(x) if hasattr(self, "inherited") else self.helper(x)


class Talker(Agent):
    @gv.register
    def act(self, x):
        return super().act(x) + self.helper(x)


def make(n):
    offset = tools.offset(n)

    @gv.register
    def made(x):
        return x + offset + n
    return made
''',
    "tools.py": '''
import enum
from lower import strip_all


class Mode(enum.Enum):
    SOFT = 1
    HARD = 2


HALF = 2


def clean(text, limit):
    return strip_all(text)[:limit]


def first(mode):
    return mode.name


def second(mode):
    return mode.name * 2


def names():
    return ["x"]


def appended(text):
    return text + "!"


def offset(n):
    return n + 1


def never(x):
    return x
''',
    "lower.py": '''
MARKS = ".,"


def strip_all(text):
    for mark in MARKS:
        text = text.replace(mark, "")
    return recurse(text, 3)


def recurse(text, n):
    return strip_all(text) if n > 100 else text
''',
    "settings.py": 'LIMIT = 10\nTABLE = {"the": 1, "a": 2}\nUNUSED = 1\n',
    "shapes.py": '''
class Named:
    name = "shape"

    def title(self):
        return self.name.title()


class Shape(Named):
    def describe(self):
        return self.title() + str(self.area())


class Square(Shape):
    name = "square"

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2
''',
    "pkg/__init__.py": "",
    "pkg/deep.py": "from .deeper import bottom\n\n\ndef down(n):\n    return bottom(n)\n",
    "pkg/deeper.py": "def bottom(n):\n    return n + 1\n",
    "pkg/stars.py": "def starred(parts):\n    return '*'.join(parts)\n\n\ndef unstarred(parts):\n    return 0\n",
}


def reached(files: dict[str, str], name: str = "revise") -> tuple[Reached, bytes]:
    """Returns what a component of steps.py reaches, and its own hash."""
    modules = TreeModules(files.get)
    project = Project(modules)
    module = project.module("steps")
    assert module is not None
    site = next(site for site in module.text.sites if site.qualname == name)
    return trace(project, module, site), own_hash(module.text, site.node, component=True)


# edit, file, before, after, whether revise itself changed, whether what it reaches did
EDITS = [
    ("a comment", "steps.py", "# a comment", "# another comment\n", False, False),
    ("layout", "steps.py", 'options = Options()', 'options = (\n        Options()\n    )', False, False),
    ("its docstring", "steps.py", "Revises a text.", "Rewrites a text.", False, False),
    ("the body", "steps.py", 'other("nothing")', 'other("void")', True, False),
    ("a default argument", "steps.py", "scale: float = 1.5", "scale: float = 2.5", True, False),
    ("a match statement", "steps.py", "case 0:", "case 1:", True, False),
    ("a constant of an f-string", "steps.py", 'f"<{starred', 'f"[{starred', True, False),
    ("a comprehension", "steps.py", "if each not in table]", "if each in table]", True, False),
    ("a lambda", "steps.py", "lambda x: x // tools.HALF", "lambda x: x * tools.HALF", True, False),
    ("a decorator's argument", "steps.py", "@loud(LOUD)", "@loud(3)", True, True),
    ("the global in a decorator", "steps.py", "LOUD = 2", "LOUD = 3", False, True),
    ("a decorator", "steps.py", "function(*args) * level", "function(*args) + level", False, True),
    ("a helper", "tools.py", "strip_all(text)[:limit]", "strip_all(text)[1:limit]", False, True),
    ("a helper's docstring", "tools.py", "    return strip_all", '    """Cleans."""\n    return strip_all', False, False),
    ("a helper two levels down", "lower.py", 'text.replace(mark, "")', 'text.replace(mark, " ")', False, True),
    ("one in a cycle", "lower.py", "n > 100", "n > 50", False, True),
    ("a global of another module", "lower.py", 'MARKS = ".,"', 'MARKS = ".,;"', False, True),
    ("an imported constant", "settings.py", "LIMIT = 10", "LIMIT = 11", False, True),
    ("a dict imported under another name", "settings.py", '"a": 2', '"an": 2', False, True),
    ("a dict of functions", "steps.py", '"b": tools.second', '"b": tools.first', False, True),
    ("a function in a dict", "tools.py", "mode.name * 2", "mode.name * 3", False, True),
    ("a list that grows at the module's level", "steps.py", "STEPS.append(tools.appended)", "STEPS.append(tools.names)", False, True),
    ("what was appended", "tools.py", 'text + "!"', 'text + "?"', False, True),
    ("a class's method", "shapes.py", "self.side ** 2", "self.side ** 3", False, True),
    ("a base's method", "shapes.py", "self.name.title()", "self.name.upper()", False, True),
    ("an attribute of a class", "shapes.py", 'name = "square"', 'name = "quad"', False, True),
    ("a field's default", "steps.py", "width: int = 80", "width: int = 79", False, True),
    ("a field's annotation", "steps.py", 'tone: str = "calm"', 'tone: bytes = "calm"', False, True),
    ("a default factory", "tools.py", 'return ["x"]', 'return ["y"]', False, True),
    ("a property", "steps.py", "self.width > 100", "self.width > 120", False, True),
    ("a nested class", "steps.py", "depth = 3", "depth = 4", False, True),
    ("__call__", "steps.py", "text[: self.width]", "text[1 : self.width]", False, True),
    ("an enum member", "tools.py", "SOFT = 1", "SOFT = 3", False, True),
    ("a constant of a module by its attribute", "tools.py", "HALF = 2", "HALF = 3", False, True),
    ("a star import", "pkg/stars.py", "'*'.join", "'-'.join", False, True),
    ("the other name of a star import", "pkg/stars.py", "return 0", "return 1", False, False),
    ("a module of a package", "pkg/deeper.py", "n + 1", "n + 2", False, True),
    ("a conditional definition", "steps.py", "return x - 1", "return x - 2", False, True),
    ("the condition of a definition", "steps.py", "if maths.pi > 3:", "if maths.pi > 4:", False, True),
    ("another component", "steps.py", "text.upper()", "text.lower()", False, False),
    ("a function nobody calls", "tools.py", "def never(x):\n    return x", "def never(x):\n    return -x", False, False),
    ("a constant nobody uses", "settings.py", "UNUSED = 1", "UNUSED = 2", False, False),
    ("an import of another helper under the name", "steps.py", "from pkg import deep as depth", "from pkg import deeper as depth\ndepth.down = depth.bottom", False, True),
    ("a class's docstring", "steps.py", "How to revise.", "How it is revised.", False, False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "path", "before", "after", "own", "reach"), EDITS, ids=[each[0] for each in EDITS])
def test_an_edit_is_told_rightly(what: str, path: str, before: str, after: str, own: bool, reach: bool) -> None:
    """Own code and reach are told apart, and what does not matter is not told at all."""
    assert before in FILES[path]
    was, own_was = reached(FILES)
    now, own_now = reached(FILES | {path: FILES[path].replace(before, after, 1)})

    assert (own, reach) == (own_was != own_now, was.hash != now.hash)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_is_loaded_is_told_as_what_is_read(tmp_path: Path) -> None:
    """Each edit, imported by a new process from a copy of its own, has the hash that reading it gives."""
    for number, (_, path, before, after, _, _) in enumerate([("none", "steps.py", "", "", False, False), *EDITS]):
        files = FILES | {path: FILES[path].replace(before, after, 1)}
        folder = tmp_path / str(number)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

        assert reached(files)[0].hash.hex() == loaded(folder)


def test_below_src_what_is_loaded_is_told_as_what_is_read(tmp_path: Path) -> None:
    """A relative import leads to the same whether modules are imported by their name below `src`, or by `src.` and that."""
    steps = "import gvstore\nfrom . import words\n@gvstore.register\ndef revise():\n    from .late import late\n    return late(words.GREY)\n"
    files = {"src/pk/__init__.py": "", "src/pk/steps.py": steps, "src/pk/late.py": "def late(x): return x\n", "src/pk/words.py": "GREY = 1\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    read = discover_project(files.items()).named()["src.pk.steps.revise"].identity

    assert read.reach.hex() == loaded(tmp_path, "pk.steps", tmp_path / "src") == loaded(tmp_path, "src.pk.steps")
    assert read.reach != discover_project((files | {"src/pk/words.py": "GREY = 2\n"}).items()).named()[read.name].identity.reach
    assert read.reach != discover_project((files | {"src/pk/late.py": ""}).items()).named()[read.name].identity.reach


ANNOTATED = """
from __future__ import annotations
import typing
from typing import *
from gvstore.machine import *
from talk import Given, Kept as Kept_, Made

@action(reads=[], writes=[])
def revise(state: State["Taken"], /, *rest: Given, by: Literal["Unread"] = 1, **more: "list[Given]") -> "tuple[dict, Kept]":
    def inner(x: Unread) -> Unread: return x
    return inner

def plain(state: Taken) -> Given: return state

class Say(Action):
    from talk import Made as Own
    def run(self, state: Own, held: Annotated[Taken, "Unread"]): pass
    def update(self, result: "no expression (", state) -> typing.Optional[Given]: pass
    def other(self, x: Unread): pass

class Ask(Say):
    async def run(self, state: Kept): pass

Kept = State[Kept_]
if TYPE_CHECKING:
    from talk import Taken, Unread
"""
TALK = "class Taken: a = 1\nclass Given: a = 1\nclass Kept: a = 1\nclass Made: a = 1\nclass Unread: a = 1\n"


@pytest.mark.parametrize(
    ("name", "reaches"),
    [
        ("revise", ["steps.=Kept", "steps.=Taken", "talk.Given", "talk.Kept", "talk.Taken"]),
        ("revise.<locals>.inner", []),
        ("plain", []),
        ("Say", ["steps.=Taken", "talk.Given", "talk.Made", "talk.Taken"]),
        ("Ask", ["steps.=Kept", "steps.=Taken", "steps.Say", "talk.Given", "talk.Kept", "talk.Made", "talk.Taken"]),
    ],
)
def test_an_action_reaches_what_its_annotations_name(name: str, reaches: list[str]) -> None:
    """Those of its own signature, of a class those of the methods that a machine calls, in quotes too, with the condition that an import stands under; nobody else's count."""
    found, _ = reached({"steps.py": ANNOTATED, "talk.py": TALK}, name)

    assert reaches == sorted(str(unit.key) for unit in found.units)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_annotations_name_is_loaded_as_it_is_read(tmp_path: Path) -> None:
    """A process that imported an action finds the hash that reading gives, and another after an edit of what is named."""
    files = {"steps.py": ANNOTATED, "talk.py": TALK}
    told = []
    for number, edit in enumerate(["", "Taken", "Given", "Kept", "Made", "Unread"]):
        files["talk.py"] = TALK.replace(f"{edit}: a = 1", f"{edit}: a = 2") if edit else TALK
        (tmp_path / str(number)).mkdir()
        for name, text in files.items():
            (tmp_path / str(number) / name).write_text(text)
        told.append(loaded(tmp_path / str(number)))

        assert reached(files)[0].hash.hex() == told[-1]
    assert [1, 2, 2, 2] == [len({told[0], each}) for each in (told[0], *told[1:4])]
    assert {told[0]} == {told[4], told[5]}


def loaded(folder: Path, module: str = "steps", path: Path | None = None) -> str:
    """Returns the reach of `revise` of a module, as a fork finds it that has imported the project there, from `path`."""
    out, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            sys.path.insert(0, str(path or folder))
            sys.dont_write_bytecode = True
            steps = importlib.import_module(module)
            os.write(told, json.dumps(identify(steps.revise, folder).reach.hex()).encode())
        finally:
            os._exit(0)
    os.close(told)
    with os.fdopen(out, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    found: str = json.loads(data)
    return found


def test_levels_and_edges_are_told() -> None:
    """How far each unit is, which libraries are used, and that nothing was left unexplained."""
    found = reached(FILES)[0]
    levels = {str(unit.key): unit.level for unit in found.units}

    assert 1 == levels["tools.clean"]
    assert 2 == levels["lower.strip_all"]
    assert 3 == levels["lower.=MARKS"]
    assert () == found.opaque
    assert ("dataclasses", "enum", "functools", "math") == found.libraries
    assert "steps.other" not in levels


@pytest.mark.parametrize(
    ("name", "before", "after", "changed"),
    [
        ("Agent.act", "return x * self.limit", "return x + self.limit", True),
        ("Agent.act", "limit = 3", "limit = 4", True),
        ("Agent.act", "return 0", "return 1", False),
        ("Talker.act", "return x * self.limit", "return x + self.limit", True),
        ("make.<locals>.made", "offset = tools.offset(n)", "offset = tools.offset(n) + 1", True),
        ("other", "return x * self.limit", "return x + self.limit", False),
    ],
)
def test_methods_and_closures_reach_what_they_use(name: str, before: str, after: str, changed: bool) -> None:
    """A method what it asks of its instance, in its class and the bases; a closure what binds its names."""
    was, _ = reached(FILES, name)
    now, _ = reached(FILES | {"steps.py": FILES["steps.py"].replace(before, after, 1)}, name)

    assert changed == (was.hash != now.hash)
    assert () == now.opaque


def test_a_project_reaches_the_same_wherever_its_parts_stand() -> None:
    """A helper that moves to another module, under its own name, is the same helper."""
    clean = FILES["tools.py"][FILES["tools.py"].index("def clean") : FILES["tools.py"].index("def first")]
    moved = FILES | {
        "tools.py": FILES["tools.py"].replace(clean, "").replace("from lower import strip_all", "from moved import clean"),
        "moved.py": "from lower import strip_all\n\n\n" + clean,
    }

    assert reached(FILES)[0].hash == reached(moved)[0].hash


def test_circular_imports_are_no_event() -> None:
    """Modules that import each other are read once each."""
    files = {
        "steps.py": "import gvstore as gv\nimport b\n\n\n@gv.register\ndef revise(x):\n    return b.f(x)\n\n\ndef g(x):\n    return x\n",
        "b.py": "import steps\nfrom steps import *\n\n\ndef f(x):\n    return steps.g(x) + nowhere\n",
    }

    found = reached(files)[0]
    assert ["b.f", "steps.g"] == [str(unit.key) for unit in found.units]
    assert ("nowhere",) == found.opaque


def test_a_class_ends_the_reach_where_its_calls_are_recorded() -> None:
    """An Invokable, also by a base in another module, stands for itself; a class that is only registered makes no calls, and is code."""
    files = {
        "steps.py": (
            "import gvstore as gv\nfrom kinds import Deep, Options\n\n\n"
            "@gv.register\ndef revise(x):\n    return Deep()(x) + Options().width\n"
        ),
        "kinds.py": (
            "import gvstore as gv\nfrom base import Step\n\n\nclass Deep(Step):\n    def call(self, x):\n        return x\n\n\n"
            "@gv.register\nclass Options(gv.Resource):\n    width = 3\n"
        ),
        "base.py": "import gvstore as gv\n\n\nclass Step(gv.Invokable):\n    pass\n",
    }
    was, _ = reached(files)

    assert ["kinds.Options"] == [str(unit.key) for unit in was.units]
    assert was.hash == reached(files | {"kinds.py": files["kinds.py"].replace("return x", "return x + 1")})[0].hash
    assert was.hash != reached(files | {"kinds.py": files["kinds.py"].replace("width = 3", "width = 4")})[0].hash
    found = discover_project(files.items()).named()
    assert ["base.Step", "kinds.Deep", "kinds.Options", "steps.revise"] == list(found)


TOOLS = """
TOOLS = {}
def tool(name):
    def wrap(function):
        TOOLS[name] = function
        return function
    return wrap
@tool("a")
def a(x): return 1
def run(name, x): return TOOLS[name](x)
"""

# what, the module around the component f, what the edit replaces, whether f itself changed, whether what it reaches did
USES = [
    ("a module's docstring", '"""Old."""\ndef f(x): return __doc__ + x', True, False),
    ("one taken by name", 'def h():\n    """Old."""\ndef f(x): return getattr(h, "__doc__")', False, True),
    ("one taken by another name of getdoc", 'from inspect import getdoc as g\ndef h():\n    """Old."""\ndef f(x): return g(h)', False, True),
    ("one taken at import", 'def h():\n    """Old."""\nP = h.__doc__\ndef f(x): return P', False, True),
    ("those of registered tools", '@gv.register\ndef h():\n    """Old."""\nT = [h]\ndef told(): return [t.__doc__ for t in T]\ndef f(x): return told()', False, True),
    ("those of a tool that is only called", '@gv.register\ndef h():\n    """Old."""\ndef f(x): return h()', False, False),
    ("the own of one that is asked for it", 'def told(): return f.__doc__\ndef f(x):\n    """Old."""\n    return told()', False, True),
    ("one below a library's decorator", 'from tools import tool\n@tool\ndef h():\n    """Old."""\ndef f(x): return h(x)', False, True),
    ("one below a decorator that hands it on", 'import lib\ndef mine(fn): return lib.tool(fn)\n@mine\ndef h():\n    """Old."""\ndef f(x): return h(x)', False, True),
    ("one below a plain decorator", 'import time\ndef mine(n):\n    def wrap(fn):\n        time.sleep(n)\n        return fn\n    return wrap\n@mine(2)\n'
     'def h():\n    """Old."""\ndef f(x): return h(x)', False, False),
    ("that of a decorated method", 'import lib\nclass A:\n    @lib.tool\n    def h(self):\n        """Old."""\ndef f(x): return A()', False, True),
    ("that of a property", 'class A:\n    @property\n    def h(self):\n        """Old."""\ndef f(x): return A()', False, False),
    ("that of a model's heir", 'import pydantic\nclass B(pydantic.BaseModel): pass\nclass A(B):\n    """Old."""\ndef f(x): return A()', False, True),
    ("that of an exception", 'class A(ValueError):\n    """Old."""\ndef f(x): raise A()', False, False),
    ("one in a registry with names", TOOLS.replace("return 1", "return 'Old'") + "def f(x): return TOOLS[x](x)", False, True),
    ("one in a registry, through a helper", TOOLS.replace("return 1", "return 'Old'") + "def f(x): return run(x, x)", False, True),
    ("one put in by a helper", "R = []\ndef add(x): R.append(x)\ndef put(fn):\n    add(fn)\n    return fn\n@put\ndef a(): return 'Old'\ndef f(x): return R[x]()", False, True),
    ("a global that a decorator binds", "H = {}\ndef put(fn):\n    global H\n    H |= {1: fn}\n    return fn\n@put\ndef a(): return 'Old'\ndef f(x): return H[1]()", False, True),
    ("a local of that name", "H = {}\ndef put(fn):\n    H = {}\n    H[1] = fn\n    return fn\n@put\ndef a(): return 'Old'\ndef f(x): return H[1]()", False, False),
    ("a class that holds tools", "class R:\n    tools = {}\n    @classmethod\n    def tool(cls, fn):\n        cls.tools[1] = fn\n        return fn\n"
     "@R.tool\ndef a(): return 'Old'\ndef f(x): return R.tools[1]()", False, True),
    ("singledispatch", "import functools\n@functools.singledispatch\ndef d(x): return 0\n@d.register\ndef _(x: int): return 'Old'\ndef f(x): return d(x)", False, True),
    ("subclasses", "R = {}\nclass B:\n    def __init_subclass__(cls): R[1] = cls\nclass A(B):\n    def go(self): return 'Old'\ndef f(x): return R[1]().go()", False, True),
    ("a call in a loop", "T = {}\ndef put(fn): T[1] = fn\ndef a(x): return 'Old'\nfor g in (a,): put(g)\ndef f(x): return T[1](x)", False, True),
    ("what the program itself does", "T = {}\ndef main(): T[1] = 'Old'\nif __name__ == '__main__':\n    main()\ndef f(x): return T[1]", False, False),
    ("one beside it in a registry", TOOLS.replace("return 1", "return 'Old'") + '@tool("f")\ndef f(x): return x', False, False),
    ("one beside it below an object", 'app = object()\n@app.get("/a")\ndef a(x): return "Old"\n@app.get("/f")\ndef f(x): return x', False, False),
    ("one below an imported decorator", "import functools\n@functools.cache\ndef a(x): return 'Old'\ndef f(x): return functools.reduce(x)", False, False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "own", "reach"), USES, ids=[each[0] for each in USES])
def test_docstrings_and_registries_count_where_they_are_used(what: str, text: str, own: bool, reach: bool) -> None:
    """A docstring counts for whoever can see it, and what a module registers for whoever asks the registry."""
    text = "import gvstore as gv\n" + text if not text.startswith('"""') else text
    was, own_was = reached({"steps.py": text}, "f")
    now, own_now = reached({"steps.py": text.replace("Old", "New", 1)}, "f")

    assert (own, reach) == (own_was != own_now, was.hash != now.hash)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_docstrings_and_registries_are_loaded_as_they_are_read(tmp_path: Path) -> None:
    """What is found of them by reading has the hash that a process finds which imported the project."""
    files = {"steps.py": "import gvstore as gv\nimport tools\n@gv.register\ndef revise(x):\n    return tools.run.__doc__, tools.run(x, x)\n", "tools.py": TOOLS}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = reached(files)[0]

    assert {"tools.a", "tools.=TOOLS", "tools.run", "tools.tool"} == {str(unit.key) for unit in found.units}
    assert found.hash.hex() == loaded(tmp_path)
