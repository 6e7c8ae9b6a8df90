"""Hashes: `own` changes with what a definition does, `text` with how it is written."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.code import normal
from gvstore.code.definition import Definition, read_definition
from gvstore.code.module import ModuleText
from gvstore.code.normal import normal_form

BASE = '''
import enact
import dataclasses

@enact.register(version="1")
@cache(size=3)
def f(a: int, b: str = "x", *rest, key=None, **more) -> str:
    """Says it."""
    # a comment
    total: int = a + 1
    other: int
    def inner(q: int) -> int:
        return q * 2.0
    if total:
        pass
        "a string of its own"
    return f"{total!r:>{a}} and {b}" + inner(True)

@dataclasses.dataclass
class C(Base, metaclass=Meta):
    """Documented."""
    x: int = 1
    """About x."""
    if x:
        y: str = "y"
    def m(self, a: int) -> int:
        return a
    def call(self, topic: str) -> str:
        return topic
'''


def definitions(text: str) -> dict[str, Definition]:
    """Returns the definitions at the top of a text, each seen as a component."""
    module = ModuleText.of(text)
    return {site.qualname: read_definition(module, site) for site in module.sites if "." not in site.qualname}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another"),
        ('"""Says it."""', '"""Says\n    more."""'),
        ('    """Says it."""\n', ""),
        ("total: int = a + 1", "total = (a   +\n            1)"),
        ("def inner(q: int) -> int:", "def inner(q):"),
        ("        pass\n", ""),
        ('        "a string of its own"\n', "        ...\n"),
        ('@enact.register(version="1")\n', "@enact.register\n"),
        ('@enact.register(version="1")\n', ""),
        ("def f(", "def g("),
        ('b: str = "x"', "b: str = 'x'"),
        ("def m(self, a: int) -> int:", "def m(self, a):"),
        ('    """About x."""\n', ""),
        ("class C(", "class Other("),
        ("other: int\n", "other: str\n"),
    ],
)
def test_how_it_is_written_does_not_count(old: str, new: str) -> None:
    """Comments, layout, docstrings, plain annotations, the register mark and the name leave `own` as it is."""
    assert old in BASE
    before, after = definitions(BASE), definitions(BASE.replace(old, new, 1))

    assert [d.own for d in before.values()] == [d.own for d in after.values()]
    assert [d.source for d in before.values()] != [d.source for d in after.values()]
    assert [d.text for d in before.values()] != [d.text for d in after.values()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a + 1", "a + 2"),
        ("a + 1", "a + True"),
        ("a + 1", "a + 1.0"),
        ("a + 1", "1 + a"),
        ("q * 2.0", "q * 2"),
        ('b: str = "x"', 'b: str = "y"'),
        ('b: str = "x"', 'b: str = b"x"'),
        ("key=None", "key=0"),
        ("@cache(size=3)", "@cache(size=4)"),
        ("@cache(size=3)\n", ""),
        ("a: int", "a: float"),
        (') -> str:\n    """Says', ') -> bytes:\n    """Says'),
        ("{total!r:>{a}} and", "{total!s:>{a}} and"),
        ("{total!r:>{a}} and", "{total!r:<{a}} and"),
        ("{total!r:>{a}} and", "{total!r:>{a}} or"),
        ("*rest", "*others"),
        ("other: int\n", "\n"),
        ("x: int = 1", "x: float = 1"),
        ("x: int = 1", "x: int = 2"),
        ('y: str = "y"', 'y: bytes = "y"'),
        ("topic: str", "topic: bytes"),
        ("C(Base", "C(Mixin, Base"),
        ("metaclass=Meta", "metaclass=Other"),
        ("@dataclasses.dataclass\n", "@dataclasses.dataclass(frozen=True)\n"),
    ],
)
def test_what_it_does_counts(old: str, new: str) -> None:
    """Bodies, constants and their types, defaults, decorators, fields, bases and a component's own signature change `own`."""
    assert old in BASE
    before, after = definitions(BASE), definitions(BASE.replace(old, new, 1))

    assert {d.own for d in before.values()} != {d.own for d in after.values()}


def test_signature_parameters_and_documentation() -> None:
    """The signature is as it was written, on one line."""
    found = definitions(BASE)
    f, c = found["f"], found["C"]

    assert '(a: int, b: str = "x", *rest, key=None, **more) -> str' == f.signature
    assert ("a", "b", "rest", "key", "more") == f.parameters
    assert ("Says it.", "function") == (f.doc, f.flavor)
    assert ("(x: int = 1)", ("x",), "class", "Documented.") == (c.signature, c.parameters, c.flavor, c.doc)


@pytest.mark.parametrize(
    ("text", "signature", "flavor"),
    [
        ("def f(): pass", "()", "function"),
        ("async def f(a, /, b, *, c): yield 1", "(a, /, b, *, c)", "async generator"),
        ("async def f(a, /): return 1", "(a, /)", "async function"),
        ("def f(*, a=1,\n      b: int\n      = 2):\n  x = yield from g()", "(*, a=1, b: int = 2)", "generator"),
        ("def f(a=lambda: (yield)):\n  def g(): yield\n  return [1]", "(a=lambda: (yield))", "function"),
        ("class C:\n  def __init__(self, a, /, b=1): pass", "(a, /, b=1)", "class"),
        ("class C:\n  def __init__(self, /, a): pass", "(a)", "class"),
        (
            "class C:\n  n: ClassVar[int] = 1\n  a: int\n  _: dataclasses.KW_ONLY\n  b: str = 'é'",
            "(a: int, b: str = 'é')",
            "class",
        ),
        ("x = lambda a, *b: a", "(a, *b)", "function"),
    ],
)
def test_signatures(text: str, signature: str, flavor: str) -> None:
    """Every kind of parameter shows, every kind of definition has its word."""
    first = next(iter(definitions(text).values()))

    assert (signature, flavor) == (first.signature, first.flavor)


Constant = int | float | str | bytes | bool | None
CONSTANTS: st.SearchStrategy[Constant] = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.booleans(), st.none()
)
NEAR: list[Constant] = [0.0, -0.0, "", b"", 1.0, True, "1", 0, 1, None]


@given(CONSTANTS, st.one_of(CONSTANTS, st.sampled_from(NEAR)), st.booleans())
def test_constants_are_told_apart(value: Constant, other: Constant, twice: bool) -> None:
    """Two constants have one normal form only when type and bits are equal."""
    other = value if twice else other
    alike = type(value) is type(other) and repr(value) == repr(other)

    assert alike == (normal_form(ast.Constant(value)) == normal_form(ast.Constant(other)))


@settings(max_examples=30)
@given(st.integers(1, 5000))
def test_depth_is_no_matter(depth: int) -> None:
    """A chain of any length has a normal form; the walk does not recurse."""
    node: ast.expr = ast.Name("a", ast.Load())
    for _ in range(depth):
        node = ast.UnaryOp(ast.Not(), node)

    assert depth == normal_form(node).count(b"UnaryOp")


EVERYTHING = """
import os as o, sys
from . import a as b
from x import *
def f(a: int, /, *b, c=-1, d, **e) -> str:
    global g; nonlocal_ = 1
    async def h():
        async with a as b, c: await d
        async for x in y: yield x
        return
    match a:
        case 1 | None: pass
        case {"k": v, **rest} if v: x = 1
        case C(a, b=2) as q: pass
        case [*_, 3.5]: pass
        case _: del x
    try: assert a, "m"
    except* (A, B) as e: raise X from e
    else: pass
    finally: a += 1; a @= 2
    with open(x) as y, z: pass
    for i, *j in k: break
    while not (x := 5) <= 3 < y is not z in w: continue
    a[1:2, ::3] = {**b, 1: 2, "x": {*c, 1j, b"z", ...}}
    return f"a{x!r:{w}.3}b" "c" f"{'d'}{y=}" if (lambda *a, k=1, **b: (yield a)) else [i async for i in x if y for z in w]
def g():
    try: pass
    except E: pass
    print(*a, **k, s=1); return {x: y for x in z}, {x for x in z}, (x for x in z), 10**400, 1 if True else "\\ud800"
"""

SCRIPT = """
import ast, importlib.util, sys
spec = importlib.util.spec_from_file_location("normal", sys.argv[1])
normal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(normal)
tree = ast.parse(open(sys.argv[2], encoding="utf-8").read())
sys.stdout.write("\\n".join(normal.normal_form(node, component=True).hex() for node in tree.body))
"""


def pythons() -> list[str]:
    """Returns the other Pythons that are installed here, where they answer."""
    found = []
    for minor in (11, 12, 13, 14):
        command = shutil.which(f"python3.{minor}") or ""
        versions = sorted((Path.home() / ".pyenv/versions").glob(f"3.{minor}.*/bin/python"))
        for candidate in [*map(str, versions), command]:
            if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
                found.append(candidate)
                break
    return found


@pytest.mark.parametrize(
    "text", [EVERYTHING, Path(normal.__file__).read_text(encoding="utf-8")], ids=["grammar", "itself"]
)
def test_every_python_gives_the_same_bytes(text: str, tmp_path: Path) -> None:
    """The normal form of all of the grammar is equal under every Python that is installed."""
    file, script = tmp_path / "text.py", tmp_path / "script.py"
    file.write_text(text, encoding="utf-8")
    script.write_text(SCRIPT, encoding="utf-8")
    here = "\n".join(normal_form(node, component=True).hex() for node in ast.parse(text).body)
    for python in pythons():
        done = subprocess.run(
            [python, str(script), normal.__file__, str(file)], capture_output=True, text=True, check=True
        )

        assert here == done.stdout, python


def test_type_parameters_are_annotations() -> None:
    """They change nothing that runs."""
    one, other = ast.parse("def f(a): return a").body[0], ast.parse("def f(a): return a").body[0]
    vars(other)["type_params"] = [ast.Name("T", ast.Load())]  # as Python 3.12 parses `def f[T](a)`, near enough

    assert normal_form(one) == normal_form(other)


def test_every_field_of_the_grammar_is_in_the_table() -> None:
    """No node type of this Python, and no field but the ones left out on purpose, is unknown to the normal form."""
    left_out = {"ctx", "type_comment", "kind", "type_ignores", "str", "tag", "lineno"}
    nodes = [c for c in vars(ast).values() if isinstance(c, type) and issubclass(c, ast.AST) and c._fields]
    modern = [c for c in nodes if c.__module__ == "ast" and not issubclass(c, ast.mod | ast.type_ignore | ast.Constant)]
    old = {
        "Num",
        "Str",
        "Bytes",
        "NameConstant",
        "Index",
        "ExtSlice",
        "Suite",
        "AugLoad",
        "AugStore",
        "Param",
        "TypeIgnore",
    }
    missing = {
        c.__name__: set(c._fields) - set(normal._FIELDS.get(c.__name__, ())) - left_out
        for c in modern
        if c.__name__ not in old
    }

    assert {} == {name: fields for name, fields in missing.items() if fields}
