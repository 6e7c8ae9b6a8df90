"""discover: what reading finds is what recording makes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gvstore.code.discover import Component, discover, discover_project
from gvstore.code.identity import CodeIdentity, identify, module_name
from tests.code.project import Project

PROGRAM = '''
from __future__ import annotations
import dataclasses, functools
import enact
import enact as gv
from enact import register, register as tracked, Invokable

roll = enact.register

def hide(f):
    def inner(*args): return f(*args)
    return inner

def wrapping(f):
    @functools.wraps(f)
    def inner(*args): return f(*args)
    return inner

@enact.register
def one(sides: int = 6) -> int:
    """Rolls."""
    return 4

@register
@functools.cache
def two(): return one()

@tracked(version="2")
async def three(*, a, b=1): return 3

@gv.register
@wrapping
@hide
def four(): return 4

@gv.register
@hide
def five(): return 5

@roll
def six():
    yield 6

def seven(): return 7
seven_too = gv.register(seven)
eight = gv.register(lambda x: x + 8), gv.register(lambda x: x - 8)

class Agent:
    @gv.register
    def act(self, a): return a

    @staticmethod
    @gv.register
    def help(): return 1

    class Inner:
        @gv.register(effect="once")
        async def act(self):
            return """
        kept
    """

@gv.register
@dataclasses.dataclass
class Die:
    sides: int = 6
    def call(self) -> int:
        return self.sides

@dataclasses.dataclass
class Base(Invokable):
    a: int = 1

class Child(Base):
    b = 2

def outer():
    @gv.register
    def inner(): return 1
    return inner

def plain(): return 0
class Plain: pass
if True:
    @gv.register
    def chosen(): return "é" + \\
  "chosen"
'''


def test_reading_and_recording_agree(project: Project) -> None:
    """Every component found by reading has the whole identity of the live one, and nothing else is found."""
    module = project.load(PROGRAM)
    path = project.path_of(module)
    found = discover(path.name, path.read_bytes())
    functions = [
        module.one,
        module.two,
        module.three,
        module.four,
        module.five,
        module.six,
        module.seven,
        *module.eight,
    ]
    methods = [module.Agent.act, module.Agent.help, module.Agent.Inner.act, module.outer(), module.chosen]
    live = [identify(obj, project.folder) for obj in [*functions, *methods, module.Die, module.Base, module.Child]]

    def order(identity: CodeIdentity) -> tuple[str, str]:
        return identity.name, identity.source

    assert () == found.unparsable
    assert sorted(live, key=order) == sorted((c.identity for c in found.components), key=order)
    assert all(identity.text and identity.own for identity in live)


def test_names_come_from_the_path(project: Project) -> None:
    """A component is named by its path from the project root, as a script, in a package or imported from elsewhere."""
    module = project.load("def f(): return 1\nclass A:\n    def m(self): pass\n")
    name = project.path_of(module).stem

    assert f"{name}.f" == identify(module.f, project.folder).name
    assert f"{name}.A.m" == identify(module.A().m, project.folder).name
    assert f"{project.folder.name}.{name}.f" == identify(module.f, project.folder.parent).name
    assert f"{name}.f" == identify(module.f, Path("/nowhere")).name
    assert ["a", "a.b", "a", "__init__"] == [module_name(p) for p in ("a.py", "a/b.py", "a/__init__.py", "__init__.py")]


def test_an_identity_is_made_once(project: Project) -> None:
    """The second look costs a dictionary's."""
    module = project.load("def f(): return 1\n")

    assert identify(module.f) is identify(module.f)


def test_without_source_nothing_is_guessed() -> None:
    """Names and parameters are said, hashes are empty; a default's value, which may be anything, is not shown."""
    space: dict[str, object] = {"__name__": "away"}
    exec("def made(a, b=object()): return 1", space)
    identity = identify(space["made"])

    assert ("away.made", "function", "(a, b=...)", ("a", "b"), "", b"", b"") == (
        identity.name,
        identity.flavor,
        identity.signature,
        identity.parameters,
        identity.source,
        identity.text,
        identity.own,
    )
    assert not identity.is_hashed
    assert "builtins.len" == identify(len).name


def names(components: tuple[Component, ...]) -> list[str]:
    return [component.identity.name for component in components]


@pytest.mark.parametrize(
    "text",
    [
        "import gvstore as gv\n@gv.register\ndef f(): pass",
        "import gvstore\n@gvstore.register()\ndef f(): pass",
        "from gvstore import register\n@register\ndef f(): pass",
        "from gvstore import register as r\n@r(ignore=['a'])\ndef f(): pass",
        "from gvstore import *\n@register\ndef f(): pass",
        "import enact\n@enact.register\ndef f(): pass",
        "import enact\nreg = enact.register\n@reg\ndef f(): pass",
        "try:\n  import gvstore as g\nexcept ImportError: g = None\n@g.register\ndef f(): pass",
        "import gvstore as gv\ndef f(): pass\nf = gv.register(f)",
        "import gvstore as gv\ndef f(): pass\nf = gv.register(effect='once')(f)",
        "from gvstore import Invokable\nclass f(Invokable[str, int]): pass",
        "import gvstore as gv\nclass f(gv.Invokable): pass",
        "import enact\n@enact.typed_invokable(int, int)\nclass f: pass",
        "@gv.register\ndef f(): pass",
        "from gvstore.machine import action\n@action(reads=['a'], writes=['b'])\ndef f(state): pass",
        "from gvstore import machine as m\n@m.action\nasync def f(state): pass",
        "from gvstore.machine import *\n@action(reads=['a'], writes=['b'])\ndef f(state): pass",
        "from os.path import *\nfrom gvstore.machine import *\n@streaming_action.pydantic(reads=['a'], writes=['b'])\ndef f(state): pass",
        "from gvstore.machine import *\nclass f(SingleStepAction): pass",
        "from gvstore.machine import MapStates\nclass f(MapStates):\n  def action(self, state, inputs): pass",
    ],
)
def test_every_way_to_register_is_seen(text: str) -> None:
    """Aliases, stars, calls and bases: whatever resolves to gvstore's or enact's mark makes a component."""

    assert ["tools.dice.f"] == names(discover("tools/dice.py", text).components)


@pytest.mark.parametrize(
    "text",
    [
        "import atexit\n@atexit.register\ndef f(): pass",
        "from mine import register\n@register\ndef f(): pass",
        "def register(f): return f\n@register\ndef f(): pass",
        "from mine import Invokable\nclass f(Invokable): pass",
        "from burr.core import action\n@action(reads=[], writes=[])\ndef f(state): pass",
        "from burr.core import *\n@action(reads=[], writes=[])\ndef f(state): pass",
        "from gvstores.machine import *\n@action(reads=[], writes=[])\ndef f(state): pass",
        "# gvstore.register\ndef f(): '@gv.register'",
        "",
    ],
)
def test_other_marks_are_none(text: str) -> None:
    """Somebody else's `register` makes no component."""

    assert () == discover("a.py", text).components


def test_invokables_through_other_files() -> None:
    """A class is a component when its bases lead to Invokable through any files of the project."""
    files = [
        ("deep.py", "from pack.mid import Mid as M\nclass Deep(M): pass"),
        ("pack/mid.py", "from . import base\nclass Mid(base.Start): pass\nclass Other(dict): pass"),
        ("pack/base.py", "import gvstore as gv\nclass Start(gv.Invokable): pass"),
        ("pack/__init__.py", ""),
    ]

    assert ["deep.Deep", "pack.base.Start", "pack.mid.Mid"] == names(discover_project(files).components)


def test_actions_through_other_files() -> None:
    """So is a class whose bases lead to a machine's Action; what it inherits from is one as well."""
    files = [
        ("ask.py", "from base import Step\nclass Ask(Step): pass"),
        ("base.py", "from gvstore.machine import *\nclass Step(Action): pass\nclass Other(State): pass"),
    ]
    found = discover_project(files)

    assert ["ask.Ask", "base.Step"] == names(found.components)
    assert {"action"} == {each.identity.flavor for each in found.components}


def test_files_that_are_no_python() -> None:
    """They are reported with line and reason; the others are read all the same."""
    files: list[tuple[str, str | bytes]] = [
        ("bad.py", "import gvstore as gv\n@gv.register\ndef f(:\n"),
        ("zero.py", "register\0"),
        ("latin.py", b"# register \xe9\n"),
        ("coded.py", b"# -*- coding: latin-1 -*-\nimport gvstore as gv\n@gv.register\ndef f(): return '\xe9'\n"),
        ("bom.py", b"\xef\xbb\xbfimport gvstore as gv\r\n@gv.register\r\ndef f():\r\n    return 1\r\n"),
        ("deep.py", "register = " + "(" * 1000 + ")" * 1000),
        ("notes.txt", "register("),
        ("irrelevant.py", "def ("),
    ]
    found = discover_project(files)

    assert ["bom.f", "coded.f"] == names(found.components)
    assert ["bad.py", "deep.py", "latin.py", "zero.py"] == [fault.path for fault in found.unparsable]
    assert 3 == found.unparsable[0].line
    assert all(fault.why for fault in found.unparsable)
    assert "@gv.register\ndef f():\n    return 1\n" == found.components[0].identity.source


def test_nothing_is_imported(project: Project) -> None:
    """Reading a file runs none of it."""
    discover("explosive.py", "import gvstore as gv\nraise SystemExit\n@gv.register\ndef f(): pass")

    assert "explosive" not in sys.modules


def test_of_two_definitions_the_last_is_named() -> None:
    """As for Python, the later one stands."""
    text = "import gvstore as gv\n@gv.register\ndef f(): return 1\n@gv.register\ndef f(): return 2\n"
    found = discover("a.py", text)

    assert 2 == len(found.components)
    assert "return 2" in found.named()["a.f"].identity.source
    assert (4, 5) == (found.components[1].first_line, found.components[1].last_line)
