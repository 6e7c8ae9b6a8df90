"""The values and records whose bytes and oids `objects.json` holds.

Appended to, never reordered: a line that changes its bytes is a new format.
Nothing here may depend on the version of Python, the machine or the hash seed.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import pathlib
import re
import struct
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

from gvstore.objects.blob import put_blob
from gvstore.objects.commit import Commit
from gvstore.objects.component import Component
from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation, RefChange
from gvstore.objects.placeholder import Ignored, Opaque
from gvstore.objects.protocol import ObjectWriter
from gvstore.objects.tag import Tag
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.objects.value import put_value
from gvstore.objects.wire import Link
from tests import strategies as s

Put = Callable[[ObjectWriter], ObjectId]
OID = ObjectId(bytes(range(32)))
OTHER = ObjectId(bytes(range(32, 64)))


def nan(bits: str) -> float:
    """Returns the float of these bits."""
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


def raised(error: BaseException, **more: Any) -> BaseException:
    """Returns an exception with a chain or attributes."""
    for name, value in more.items():
        setattr(error, name, value)
    return error


def tower(levels: int) -> Any:
    """Returns lists in lists."""
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


def noise(size: int) -> bytes:
    """Returns bytes that do not repeat, the same in every Python."""
    out, state = bytearray(), 1
    while len(out) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append(state >> 56)
    return bytes(out)


def scalars() -> Iterator[tuple[str, Any]]:
    """Yields what stands bare, and what cannot."""
    ints = [
        0,
        1,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2**32 - 1,
        2**32,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        10**400,
        10**1000,
    ]
    ints += [
        -1,
        -32,
        -33,
        -128,
        -129,
        -32768,
        -32769,
        -(2**31),
        -(2**31) - 1,
        -(2**63),
        -(2**63) - 1,
        -(2**71),
        -(10**400),
    ]
    yield from ((f"int {n}" if abs(n) < 2**80 else f"int of {n.bit_length()} bits, {n > 0}", n) for n in ints)
    for text in ("0.0", "-0.0", "1.0", "0.1", "-1.5", "5e-324", "1.7976931348623157e308", "inf", "-inf"):
        yield f"float {text}", float(text)
    for bits in ("7ff8000000000000", "fff8000000000000", "7ff8000000000123"):
        yield f"nan {bits}", nan(bits)
    yield from (("none", None), ("true", True), ("false", False))
    for size in (0, 1, 31, 32, 255, 256, 257, 1024, 1025, 10_000):
        yield f"text of {size}", "x" * size
        yield f"bytes of {size}", b"x" * size
    yield from (("composed", "\u00e9"), ("decomposed", "e\u0301"), ("astral", "\U0001d11e"), ("nul", "\0"))
    yield from (("surrogate", "a\udc80"), ("surrogates", "\ud800" * 200), ("long noise", noise(20_000)))


def containers() -> Iterator[tuple[str, Any]]:
    """Yields lists, dicts and their kind, of every size."""
    yield from (("list", []), ("tuple", ()), ("dict", {}), ("set", set()), ("frozenset", frozenset()))
    yield from (("list of 3", [1, "a", None]), ("tuple of 3", (1, "a", None)), ("list in list", [[], [[]], ()]))
    yield from (
        ("dict in order", {"b": 1, "a": 2}),
        ("other order", {"a": 2, "b": 1}),
        ("tuple keys", {(1, "x"): [1], (): 0}),
    )
    yield from (
        ("set of mixed", {3, "a", None, (1,), b"x"}),
        ("frozenset of mixed", frozenset({2.5, "b", frozenset()})),
    )
    yield from (("two bytes", [b"x", b"y"]), ("one bytes", [b"xby"]), ("list with nested text", ["x" * 300, "y"]))
    yield from (("nested list", [list(range(100)), 1]), ("list of 15", [0] * 15), ("list of 16", [0] * 16))
    yield from (("1000 ints", list(range(1000))), ("100000 ints", list(range(100_000))), ("equal items", [7] * 5000))
    yield from (("long tuple", tuple(f"item {i}" for i in range(500))), ("long set", set(range(2000))))
    yield from (
        ("long dict", {f"key {i}": i for i in range(500)}),
        ("chat", [{"role": "user", "content": "m" * n} for n in range(90)]),
    )
    yield from ((f"tower of {n}", tower(n)) for n in (31, 32, 33, 64, 65, 100))
    yield "shared", [["part"] * 40] * 3
    yield "shared text", ["t" * 2000] * 3


def library() -> Iterator[tuple[str, Any]]:
    """Yields the standard library's types."""
    berlin, utc = zoneinfo.ZoneInfo("Europe/Berlin"), datetime.UTC
    yield from (
        ("bytearray", bytearray(b"ab")),
        ("memoryview", memoryview(b"ab")),
        ("memory", memoryview(bytearray(b"ab"))),
    )
    yield from (
        ("complex", complex(1.5, -0.0)),
        ("range", range(1, 10, 2)),
        ("slice", slice(None, 5, None)),
        ("dots", ...),
    )
    yield from (
        ("not implemented", NotImplemented),
        ("date", datetime.date(2026, 11, 20)),
        ("time", datetime.time(10, 2, 11, 5)),
    )
    yield "datetime", datetime.datetime(2026, 11, 20, 10, 2, 11, 123456)
    yield "datetime utc", datetime.datetime(2026, 11, 20, tzinfo=utc)
    yield "datetime berlin fold", datetime.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=berlin)
    yield from (("time utc", datetime.time(1, tzinfo=utc, fold=1)), ("timedelta", datetime.timedelta(-1, 5, 6)))
    yield from (("utc", utc), ("gmt", datetime.timezone(datetime.timedelta(0), "GMT")), ("zone", berlin))
    yield from (("offset", datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))),)
    yield "offset named", datetime.timezone(datetime.timedelta(hours=1), "CET")
    for text in ("0", "-0", "1.10", "1E+10", "NaN", "sNaN12", "-Infinity", "3." + "1" * 300):
        yield f"decimal {text[:9]}", decimal.Decimal(text)
    yield from (("fraction", fractions.Fraction(-3, 7)), ("large fraction", fractions.Fraction(10**40, 3)))
    yield from (("uuid", uuid.UUID(int=5)), ("safe uuid", uuid.UUID(int=5, is_safe=uuid.SafeUUID.safe)))
    yield from (("posix path", pathlib.PurePosixPath("/a/b")), ("windows path", pathlib.PureWindowsPath("C:/x")))
    yield from (
        ("ordered dict", collections.OrderedDict(b=1, a=2)),
        ("counter", collections.Counter({"a": 3, "b": -1})),
    )
    yield from (("default dict", collections.defaultdict(list, a=[1])), ("default none", collections.defaultdict(None)))
    yield from (("deque", collections.deque([1, 2])), ("short deque", collections.deque([1, 2], 5)))
    yield from (("pattern", re.compile("a+b", re.I)), ("bytes pattern", re.compile(b"\x00")), ("module", re))
    yield from (
        ("type", int),
        ("none type", type(None)),
        ("function type", type(tower)),
        ("builtin", len),
        ("function", tower),
    )
    yield from (("class method", s.Owner.make), ("method", s.Owner.method), ("static method", s.Owner.still))
    yield from (
        ("opaque", Opaque("m:T")),
        ("opaque why", Opaque("m:T", "cycle")),
        ("ignored", Ignored()),
        ("lambda", lambda: 0),
    )
    yield from (("link", Link(OID)), ("links", [Link(OID), Link(OTHER)]), ("object", object()))


def program() -> Iterator[tuple[str, Any]]:
    """Yields instances of a program's own classes."""
    yield from (("record", s.Message("user", "hi", ["a"])), ("large record", s.Message("user", "m" * 400)))
    yield from (("frozen record", s.Point(1, (2, 3))), ("keyword record", s.Late(role="r", content=None, late=1)))
    yield from (
        (f"member {each.name}", each) for each in (s.Color.RED, s.Color.BLUE, s.Level.HIGH, s.Word.YES, s.Mixed.A)
    )
    yield from (
        ("flag", s.Access.READ),
        ("flags", s.Access.READ | s.Access.WRITE),
        ("no flag", s.Access(0)),
        ("bits", s.Bits(3)),
    )
    yield from (("named tuple", s.Pair(1, "x")), ("typed tuple", s.Typed("n", 1)), ("empty tuple", s.Empty()))
    yield "named tuple subclass", s._with(s.NamedPair(1, 2), extra=3)
    yield from (("whole", s.Whole(5)), ("large whole", s.Whole(2**70)), ("real", s.Real(-0.0)), ("label", s.Label("x")))
    yield from (
        ("raw", s.Raw(b"x")),
        ("row", s.Row([1])),
        ("table", s.Table(a=1)),
        ("tags", s.Tags({1})),
        ("triple", s.Triple((1,))),
    )
    yield from (("noted row", s._with(s.Row([1]), note="n")), ("slotted", s._slotted("x", 5)), ("lying", s.Lying(a=1)))
    yield from (
        ("error", ValueError("bad", 3)),
        ("no message", KeyError()),
        ("stop", StopIteration(4)),
        ("exit", SystemExit(2)),
    )
    yield from (("own error", s.Broken("r", code=4)), ("odd error", s.Odd(1, [2])), ("sealed", s.Sealed("why")))
    yield from (
        ("os error", OSError(2, "none")),
        ("file error", FileNotFoundError(2, "none", "a.txt")),
        ("wordless", s.Wordless()),
    )
    yield "two files", OSError(18, "other device", "a", None, "b")
    yield "import error", ImportError("no", name="n", path="p")
    yield "unicode error", UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "invalid")
    yield "group", ExceptionGroup("two", [ValueError(1), s.Broken("x")])
    yield "chain", raised(ValueError("outer"), __cause__=KeyError("inner"), __notes__=["note"])
    yield "context", raised(ValueError("outer"), __context__=KeyError("inner"))
    cycle: list[Any] = [1]
    cycle.append(cycle)
    yield "cycle", cycle


def records() -> Iterator[tuple[str, Put]]:
    """Yields what stores one record of each kind."""
    for size in (0, 5, 65_536, 65_537, 300_000):
        yield f"blob of {size}", functools.partial(put_blob, data=noise(size))
    entries = {
        "a.py": TreeEntry(Mode.FILE, OID),
        "run": TreeEntry(Mode.EXECUTABLE, OTHER),
        "sub": TreeEntry(Mode.FOLDER, OID),
    }
    yield "empty tree", Tree({}).put
    yield "tree", Tree({**entries, "to": TreeEntry(Mode.SYMLINK, OTHER), "\udcff": TreeEntry(Mode.FILE, OID)}).put
    yield "large tree", Tree({f"file {n}": TreeEntry(Mode.FILE, ObjectId.of(b"%d" % n)) for n in range(300)}).put
    yield "first commit", Commit(OID, (), "Ada <ada@example.org>", 1_795_000_000_000_000, "first").put
    named = {"agent.roll": OID, "agent.draft": OTHER}
    yield "commit", Commit(OID, (OTHER, OID), "Ada", 1, "m" * 500, named, {"golden": OID}, (OTHER,), 3, "abc dirty").put
    yield "tag", Tag(OID, "v1.0", "Ada", 1_795_000_000_000_000, "release").put
    yield (
        "component",
        Component(
            "agent.roll", "function", "(n: int)", ("n",), "Rolls.", "def roll(n): ...", bytes(32), OID, OTHER
        ).put,
    )
    yield "library component", Component("llm.chat", "function", library="gvstore==0", version="2").put
    yield "first operation", Operation(None, "gv init", "Ada", 1, ()).put
    yield "operation", Operation(OID, "gv commit -m x", "Ada", 2, (RefChange("refs/heads/main", "", OID.hex()),)).put


def samples() -> Iterator[tuple[str, Put]]:
    """Yields (name, what stores it) of everything."""
    for source in (scalars, containers, library, program):
        for name, value in source():
            yield name, functools.partial(put_value, value=value)
    yield from records()
