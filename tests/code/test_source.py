"""find_source: the text that was loaded, or none; never another."""

from __future__ import annotations

import functools
import linecache
import os
from pathlib import Path
from typing import Any

from gvstore.code.source import Origin, find_source, snapshot
from tests.code.project import Project


def text_of(obj: object) -> str:
    return find_source(obj).text


def test_a_function_with_its_decorators(project: Project) -> None:
    """Lines run from the first decorator to the end of the body; wrappers lead to what they wrap."""
    module = project.load("""
        import functools

        def twice(f):
            @functools.wraps(f)
            def inner(*args):
                return f(*args), f(*args)
            return inner

        @twice
        @functools.lru_cache(
            maxsize=None,
        )
        def roll(sides):
            return 4  # by a fair die
        """)
    source = find_source(module.roll)

    assert (
        "@twice\n@functools.lru_cache(\n    maxsize=None,\n)\ndef roll(sides):\n    return 4  # by a fair die\n"
        == source.text
    )
    assert (10, 15, Origin.FILE) == (source.first_line, source.last_line, source.origin)
    assert "def inner" in text_of(module.twice)


def test_a_decorator_that_hides_the_function(project: Project) -> None:
    """Where the decorator stands tells which function is meant when `wraps` was forgotten."""
    module = project.load("""
        import enact

        def hide(f):
            def inner(*args):
                return f(*args)
            return inner

        def helper():
            return 1

        @enact.register
        @hide
        def roll(sides):
            return 4

        other = enact.register(hide(helper))

        @enact.register(version="2")
        @hide
        def second(sides):
            return 5
        """)

    assert text_of(module.roll).endswith("def roll(sides):\n    return 4\n")
    assert text_of(module.second).endswith("def second(sides):\n    return 5\n")
    assert text_of(module.other).startswith("def inner(")


def test_nested_async_and_methods(project: Project) -> None:
    """Any def is found, dedented; strings keep their content, indentation included."""
    module = project.load('''
        class Agent:
            class Inner:
                async def step(self):
                    """One
                    step."""
                    return f"""a
                    {self}
                b"""

            @property
            def name(self): return "n"

            @classmethod
            def make(cls): return cls()

            @staticmethod
            def help(): return 2

        def outer():
            async def inner():
                yield 1
            return inner
        ''')
    inner = module.Agent.Inner

    assert (
        'async def step(self):\n    """One\n            step."""\n    return f"""a\n            {self}\n        b"""\n'
        == text_of(inner.step)
    )
    assert '@property\ndef name(self): return "n"\n' == text_of(module.Agent.name)
    assert (
        "@classmethod\ndef make(cls): return cls()\n"
        == text_of(module.Agent.make)
        == text_of(vars(module.Agent)["make"])
    )
    assert "@staticmethod\ndef help(): return 2\n" == text_of(module.Agent.help)
    assert "async def inner():\n    yield 1\n" == text_of(module.outer())
    assert text_of(inner).startswith("class Inner:\n    async def step")


def test_lambdas_on_one_line_are_told_apart(project: Project) -> None:
    """Columns say which lambda it is, also one inside another, of several lines, after non-ASCII text."""
    module = project.load("""
        fs = ["é", lambda x: x + 1, lambda x: x + 2, lambda: (lambda y: y if y else 3), lambda: (yield)]
        g = (lambda a,
                    b=2: a * b)
        same = (lambda: 1), (lambda: 1)
        """)

    assert ["lambda x: x + 1", "lambda x: x + 2"] == [text_of(f) for f in module.fs[1:3]]
    assert "lambda: (lambda y: y if y else 3)" == text_of(module.fs[3])
    assert "lambda y: y if y else 3" == text_of(module.fs[3]())
    assert "lambda: (yield)" == text_of(module.fs[4])
    assert "lambda a,\n            b=2: a * b" == text_of(module.g)
    assert ["lambda: 1", "lambda: 1"] == [text_of(f) for f in module.same]


def touch(path: Path, text: str) -> None:
    """Writes a file so that its time differs from before."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


BEFORE = """
import enact

@enact.register
def roll(sides):
    return 4

def plain():
    return 1

class Plain:
    def m(self):
        return 1

class Fields:
    a: int = 1
"""
AFTER = BEFORE.replace("return 4", "return 6").replace("return 1", "return 2").replace("a: int", "b: int")


def test_an_edit_after_the_import_is_not_handed_out(project: Project) -> None:
    """What was registered keeps its text; of the rest the text is gone, and that is said."""
    module = project.load(BEFORE)
    touch(project.path_of(module), AFTER)

    assert "@enact.register\ndef roll(sides):\n    return 4\n" == text_of(module.roll)
    assert "def plain():\n    return 1\n" == text_of(module.plain)  # the whole file was kept with roll

    other = project.load(BEFORE.replace("@enact.register\n", ""))
    touch(project.path_of(other), AFTER.replace("@enact.register\n", ""))
    found = [find_source(o) for o in (other.roll, other.plain, other.Plain, other.Plain.m, other.Fields)]

    assert [""] * 5 == [source.text for source in found]
    assert {Origin.NONE} == {source.origin for source in found}


def test_lines_that_moved_are_not_confused(project: Project) -> None:
    """Another definition that came to stand on the same line is not taken for it."""
    module = project.load("def a():\n    return 1\n\n\ndef b():\n    return 2\n")
    touch(project.path_of(module), "def z():\n    return 1\n\n\ndef a():\n    return 2\n")

    assert ["", ""] == [text_of(module.a), text_of(module.b)]


def test_an_edit_and_a_reload(project: Project) -> None:
    """Old and new functions of one file each have their own text."""
    module = project.load(BEFORE)
    old, old_class = module.roll, module.Plain
    touch(project.path_of(module), AFTER)
    project.reload(module)

    assert ["return 4\n", "return 6\n"] == [text_of(f)[-9:] for f in (old, module.roll)]
    assert ["return 1\n", "return 2\n"] == [text_of(c)[-9:] for c in (old_class, module.Plain)]


def test_conditional_definitions(project: Project) -> None:
    """Of two definitions of one name, that which ran is found."""
    module = project.load("""
        if True:
            def f(): return 1
            class C:
                def m(self): return 1
            class D:
                x = 1
        else:
            def f(): return 2
            class C:
                def m(self): return 2
            class D:
                y = 1
        """)

    assert "def f(): return 1\n" == text_of(module.f)
    assert "class C:\n    def m(self): return 1\n" == text_of(module.C)
    assert "class D:\n    x = 1\n" == text_of(module.D)


def test_dataclasses(project: Project) -> None:
    """Generated methods do not lead astray; slots make another class of the same text."""
    module = project.load("""
        import dataclasses
        import enact

        @enact.register
        @dataclasses.dataclass(slots=True)
        class Die:
            sides: int = 6

        @dataclasses.dataclass(frozen=True, order=True)
        class Pair:
            a: int
            def total(self):
                return self.a
        """)

    assert text_of(module.Die).endswith("class Die:\n    sides: int = 6\n")
    assert text_of(module.Pair).startswith("@dataclasses.dataclass(frozen=True, order=True)\nclass Pair:")


def test_cells_of_a_notebook() -> None:
    """What is only in linecache is found there, and stays when the cell is run again under another name."""
    spaces: list[dict[str, Any]] = []
    for number, text in enumerate(["def f():\n    return 1\n", "def f():\n    return 2\n"]):
        name = f"<ipython-input-{number}-abc>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        space: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(text, name, "exec"), space)
        spaces.append(space)
    found = [find_source(space["f"]) for space in spaces]

    assert ["def f():\n    return 1\n", "def f():\n    return 2\n"] == [source.text for source in found]
    assert {Origin.CELL} == {source.origin for source in found}


def test_functions_made_by_exec(project: Project) -> None:
    """The string given to exec is found where exec was called; without a look there is no source, and it is said."""
    module = project.load("""
        import enact

        def make(number):
            code = f"import enact\\n@enact.register\\ndef made():\\n    return {number}\\n"
            decoy = "def made():\\n    return 9\\n"
            space = {}
            exec(code, space)
            return space["made"]

        def unseen():
            space = {}
            exec("def made(): return 1", space)
            return space["made"]
        """)
    made, unseen = find_source(module.make(3)), find_source(module.unseen())

    assert ("@enact.register\ndef made():\n    return 3\n", Origin.EXEC) == (made.text, made.origin)
    assert ("", Origin.NONE) == (unseen.text, unseen.origin)


def test_what_has_no_source() -> None:
    """Builtins and their like have none; nothing is raised."""
    for obj in (len, dict, object(), 3, dict.get, str.join, type):
        snapshot(obj)

        assert Origin.NONE == find_source(obj).origin


def test_code_rewritten_by_a_loader_is_found_by_its_place() -> None:
    """pytest rewrites assertions of this very module: name, line and parameters have to do."""

    def asserting(x: int) -> int:
        assert x == 1, "one"
        return x

    assert text_of(asserting).endswith("return x\n")
    assert text_of(asserting).startswith("def asserting(x: int)")


def test_a_partial_and_an_instance(project: Project) -> None:
    """A partial is its function, an instance its class."""
    module = project.load("class A:\n    def __call__(self): return 1\n\ndef f(a, b): return a\n")

    assert "def f(a, b): return a\n" == text_of(functools.partial(module.f, 1))
    assert "class A:\n    def __call__(self): return 1\n" == text_of(module.A())
