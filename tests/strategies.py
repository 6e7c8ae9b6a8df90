"""Hypothesis strategies for what gvstore stores, and `identical`: equality with nothing forgiven.

`values()` draws every type that has an encoding, nested; `hashables()` those
that may be keys.  `oids()`, `trees()` and `commits()` draw records.  The
classes below are importable on purpose: they stand for a program's own.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import errno
import functools
import json
import math
import operator
import pathlib
import re
import struct
import uuid
import zoneinfo
from typing import Any, NamedTuple

from hypothesis import strategies as st

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, Tree, TreeEntry


@dataclasses.dataclass
class Message:
    role: str
    content: Any
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: Any
    y: Any = 0


@dataclasses.dataclass(order=True, kw_only=True)
class Late(Message):
    late: Any = None
    derived: int = dataclasses.field(init=False, default=7)


@dataclasses.dataclass
class Numbered(dict[Any, Any]):
    """A dataclass that is a dict as well."""

    n: int = 0


Pair = collections.namedtuple("Pair", ["left", "right"])
Empty = collections.namedtuple("Empty", [])


class Typed(NamedTuple):
    name: str
    value: Any = None


class NamedPair(Pair):
    """A subclass of a namedtuple, with a dict of its own."""


class Color(enum.Enum):
    RED = 1
    GREEN = "green"
    BLUE = (0, 0, 1)
    CRIMSON = 1  # an alias


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(enum.StrEnum):
    YES = "yes"
    NO = "no"


class Mixed(str, enum.Enum):  # noqa: UP042
    A = "a"


class Access(enum.Flag):
    READ = 1
    WRITE = 2
    EXECUTE = 4
    ALL = 7


class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2


class Whole(int):
    pass


class Real(float):
    pass


class Label(str):
    unit: Any


class Raw(bytes):
    pass


class Row(list[Any]):
    pass


class Table(dict[Any, Any]):
    pass


class Tags(set[Any]):
    pass


class Frozen(frozenset[Any]):
    pass


class Triple(tuple[Any, ...]):
    pass


class Slotted(str):
    __slots__ = ("extra",)
    extra: Any


class Lying(dict[Any, Any]):
    """Overrides what an encoder must not ask."""

    def items(self) -> Any:
        return []

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


class Broken(Exception):
    def __init__(self, reason: str, *, code: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


class Odd(Exception):
    """Its `args` are not what it is made with."""

    def __init__(self, a: Any, b: Any) -> None:
        self.both = (a, b)


class Gone(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(errno.ENOENT, "gone", path)


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@dataclasses.dataclass(frozen=True)
class Sealed(Exception):
    why: str


class Group(ExceptionGroup[Exception]):
    pass


def free_function(x: int) -> int:
    return x


class Owner:
    @classmethod
    def make(cls) -> Owner:
        return cls()

    @staticmethod
    def still() -> None:
        """Does nothing."""

    def method(self) -> None:
        """Does nothing."""


ENUMS = [
    *Color,
    *Level,
    *Word,
    *Mixed,
    *Access,
    Access.READ | Access.WRITE,
    Access(0),
    *Bits,
    Bits(0),
    Bits(3),
    Bits(8),
]
REFERENCES: list[Any] = [
    int, type(None), Message, Owner, type, dict, BaseException, free_function, len, math.sqrt, json.dumps,
    Owner.make, Owner.still, Owner.method, operator.add, json, math, collections.abc.Mapping, type(free_function),
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
PATTERNS = [re.compile("a+b"), re.compile(b"\x00+"), re.compile("(?x) a  # why", re.I | re.M), re.compile("é", re.A)]


def floats() -> st.SearchStrategy[float]:
    """Any float, NaNs with any payload and sign among them."""
    bits = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack(">d", n.to_bytes(8, "big"))[0])
    return st.one_of(st.floats(), bits, st.sampled_from([0.0, -0.0, math.inf, -math.inf, 5e-324]))


def integers() -> st.SearchStrategy[int]:
    """Any int, those at the edges of 64 bits and far beyond among them."""
    edges = [s * 2**n + d for n in (7, 8, 15, 16, 31, 32, 63, 64, 71, 72) for s in (1, -1) for d in (-1, 0, 1)]
    return st.one_of(st.integers(), st.sampled_from(edges), st.integers(0, 4000).map(lambda n: 10**n))


def texts() -> st.SearchStrategy[str]:
    """Any str: composed and decomposed, lone surrogates, longer than every threshold."""
    odd = st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010, exclude_categories=()))
    long = st.builds(operator.mul, st.text(min_size=1, max_size=9), st.integers(1, 400))
    return st.one_of(st.text(), odd, long, st.sampled_from(["\u00e9", "e\u0301", "", "\0", "𝄞"]))


def binaries() -> st.SearchStrategy[bytes]:
    """Any bytes."""
    return st.one_of(st.binary(), st.builds(operator.mul, st.binary(min_size=1, max_size=9), st.integers(1, 400)))


def scalars() -> st.SearchStrategy[Any]:
    """What stands bare."""
    return st.one_of(st.none(), st.booleans(), integers(), floats(), texts(), binaries())


def timezones() -> st.SearchStrategy[Any]:
    """UTC, fixed offsets with and without names, places."""
    deltas = st.timedeltas(datetime.timedelta(hours=-23, minutes=-59), datetime.timedelta(hours=23, minutes=59))
    named = st.builds(datetime.timezone, st.one_of(st.just(datetime.timedelta(0)), deltas), st.text(max_size=5))
    return st.one_of(
        st.just(datetime.UTC), deltas.map(datetime.timezone), named, st.sampled_from(ZONES).map(zoneinfo.ZoneInfo)
    )


def times() -> st.SearchStrategy[Any]:
    """The datetime family, folds included."""
    zones = st.one_of(st.none(), timezones())
    fold = st.integers(0, 1)
    moments = st.builds(lambda d, z, f: d.replace(tzinfo=z, fold=f), st.datetimes(), zones, fold)
    clocks = st.builds(lambda t, z, f: t.replace(tzinfo=z, fold=f), st.times(), zones, fold)
    return st.one_of(moments, clocks, st.dates(), st.timedeltas(), timezones())


def numbers() -> st.SearchStrategy[Any]:
    """Decimals of all signs and kinds, fractions, complex numbers."""
    odd = ["NaN", "-NaN", "NaN7", "-0", "0E+5", "-0E-9", "Infinity", "1E+999999", "1.00", "-1e-500"]
    return st.one_of(
        st.decimals().filter(lambda d: not d.is_snan()),  # these have no hash
        st.sampled_from(odd).map(decimal.Decimal),
        st.integers(1, 500).map(lambda n: decimal.Decimal("3" * n + "." + "1" * n)),
        st.fractions(),
        st.builds(complex, floats(), floats()),
    )


def paths() -> st.SearchStrategy[Any]:
    """Pure paths of both flavours and this system's."""
    flavours = [pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.Path]
    words = st.sampled_from(["", ".", "a", "a/b", "/a", "//a/b", "..", "a/../b", "C:/x", "c:x", "é", "\udc80"])
    return st.builds(lambda cls, text: cls(text), st.sampled_from(flavours), words)


def _with(value: Any, **attributes: Any) -> Any:
    value.__dict__.update(attributes)
    return value


def _slotted(text: str, extra: Any) -> Slotted:
    made = Slotted(text)
    if extra is not None:
        made.extra = extra
    return made


@st.composite  # so that its repr is short
def leaves(draw: st.DrawFn) -> Any:
    """Values that hold no others, hashable."""
    return draw(_leaves())


@functools.cache
def _leaves() -> st.SearchStrategy[Any]:
    return st.one_of(
        scalars(),
        times(),
        numbers(),
        paths(),
        st.sampled_from(ENUMS),
        st.sampled_from(REFERENCES),
        st.sampled_from(PATTERNS),
        st.sampled_from([..., NotImplemented]),
        st.builds(range, st.integers(), st.integers(), st.integers(1, 9)),
        st.uuids(),
        st.builds(lambda u, s: uuid.UUID(int=u.int, is_safe=s), st.uuids(), st.sampled_from(uuid.SafeUUID)),
        st.binary().map(lambda b: memoryview(b)),
        integers().map(Whole),
        floats().map(Real),
        texts().map(Label),
        binaries().map(Raw),
    )


@st.composite
def hashables(draw: st.DrawFn) -> Any:
    """What may be a key: leaves, and tuples, frozensets and frozen records of them."""
    return draw(_hashables())


@functools.cache
def _hashables() -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(tuple),
            st.frozensets(inner, max_size=3),
            st.builds(Point, inner, inner),
            st.builds(Pair, inner, inner),
            st.lists(inner, max_size=3).map(Triple),
            st.frozensets(inner, max_size=3).map(Frozen),
        ),
        max_leaves=6,
    )


def exceptions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[BaseException]:
    """Exceptions with odd arguments, attributes, notes and chains."""
    return st.builds(_chained, _plain_exceptions(inner), st.one_of(st.none(), _plain_exceptions(inner)), st.booleans())


def _chained(error: BaseException, below: BaseException | None, direct: bool) -> BaseException:
    chain = {"__cause__": below} if direct else {"__context__": below, "__suppress_context__": below is None}
    for name, value in chain.items():
        object.__setattr__(error, name, value)  # as `raise` does, even if the class is frozen
    if direct:
        error.__dict__["__notes__"] = ["seen twice"]
    return error


def _plain_exceptions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[BaseException]:
    words = st.text(max_size=5)
    args = st.lists(inner, max_size=3)
    return st.one_of(
        st.builds(lambda a: ValueError(*a), args),
        st.builds(lambda a: KeyError(*a), args),
        st.builds(StopIteration, inner),
        st.builds(SystemExit, inner),
        st.builds(lambda: KeyboardInterrupt()),
        st.builds(Broken, words, code=st.integers()),
        st.builds(Odd, inner, inner),
        st.builds(Gone, words),
        st.builds(Wordless),
        st.builds(Sealed, words),
        st.builds(OSError, st.sampled_from([errno.ENOENT, errno.EACCES, 99999]), words),
        st.builds(OSError, st.just(errno.ENOENT), words, words),
        st.builds(lambda a, b: OSError(errno.EXDEV, "x", a, None, b), words, words),
        st.builds(lambda n: BlockingIOError(errno.EAGAIN, "again", n), st.integers(0, 9)),
        st.builds(lambda w: ImportError(w, name="n", path="p"), words),
        st.builds(lambda w: NameError(w, name="n"), words),
        st.builds(lambda w: SyntaxError(w, ("f.py", 3, 4, "x = = 1", 3, 5)), words),
        st.builds(lambda: UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "invalid start byte")),
        st.builds(lambda: UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range")),
        st.builds(lambda w, v: ExceptionGroup(w, [ValueError(v), Broken(w)]), words, inner),
        st.builds(lambda w: Group(w, (ValueError(w),)), words),
        st.builds(lambda w, v: _with(RuntimeError(w), payload=v), words, inner),
    )


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = hashables()
    dicts = st.dictionaries(keys, inner, max_size=5)
    rows = st.lists(inner, max_size=5)
    state = st.one_of(st.none(), inner)
    return st.one_of(
        rows,
        st.sampled_from(["sNaN", "-sNaN", "sNaN123"]).map(decimal.Decimal),
        rows.map(tuple),
        dicts,
        st.sets(keys, max_size=5),
        st.frozensets(keys, max_size=5),
        st.binary().map(bytearray),
        st.binary().map(lambda b: memoryview(bytearray(b))),
        st.builds(slice, inner, inner, inner),
        dicts.map(collections.OrderedDict),
        st.builds(collections.defaultdict, st.sampled_from([None, list, int, free_function]), dicts),
        st.dictionaries(keys, integers(), max_size=3).map(collections.Counter),
        st.builds(collections.deque, rows, st.sampled_from([None, 3])),
        st.builds(Message, texts(), inner),
        st.builds(Point, inner, inner),
        st.builds(Late, role=texts(), content=inner, late=inner),
        st.builds(lambda d, n: _with(Numbered(), n=n) if not d else _filled(Numbered(n=n), d), dicts, st.integers()),
        st.builds(Pair, inner, inner),
        st.just(Empty()),
        st.builds(Typed, st.text(max_size=5), inner),
        st.builds(lambda a, b: _with(NamedPair(a, b), extra=b), inner, inner),
        st.builds(lambda r, v: _with(Row(r), note=v), rows, state),
        st.builds(lambda d, v: _with(Table(d), note=v), dicts, state),
        st.builds(lambda d: Table(d), dicts),
        st.builds(lambda k: Tags(k), st.sets(keys, max_size=3)),
        st.builds(lambda t, v: _with(Label(t), unit=v), texts(), inner),
        st.builds(_slotted, st.text(max_size=5), state),
        st.builds(lambda d: Lying(d), dicts),
        exceptions(inner),
    )


def _filled(made: Any, content: dict[Any, Any]) -> Any:
    made.update(content)
    return made


def values(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Any value that has an encoding, nested."""
    return st.recursive(leaves(), _containers, max_leaves=max_leaves)


def oids() -> st.SearchStrategy[ObjectId]:
    """Any name of an object."""
    return st.binary(min_size=32, max_size=32).map(ObjectId)


def trees() -> st.SearchStrategy[Tree]:
    """One level of a folder."""
    names = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=12)
    good = names.filter(lambda name: name not in (".", ".."))
    return st.builds(Tree, st.dictionaries(good, st.builds(TreeEntry, st.sampled_from(Mode), oids()), max_size=40))


def commits() -> st.SearchStrategy[Commit]:
    """Commits with all their fields."""
    named = st.dictionaries(texts(), oids(), max_size=20)
    many = st.lists(oids(), max_size=3).map(tuple)
    return st.builds(
        Commit,
        oids(),
        many,
        st.text(),
        st.integers(0, 2**62),
        texts(),
        named,
        named,
        many,
        st.integers(1, 9),
        st.text(),
    )


_C_ATTRIBUTES = (
    "errno", "strerror", "filename", "filename2", "characters_written", "name", "path", "msg", "lineno", "offset", "text",
    "end_lineno", "end_offset", "encoding", "object", "start", "end", "reason", "value", "code", "exceptions", "message",
)  # fmt: skip


def identical(a: Any, b: Any) -> bool:
    """Returns whether nothing tells `a` from `b` but their identity: types, order, bits, attributes."""
    todo: list[tuple[Any, Any]] = [(a, b)]
    while todo:
        x, y = todo.pop()
        if type(x) is not type(y):
            return False
        left, right = _apart(x), _apart(y)
        if left is None or right is None:
            if x is not y and (left is not right or x != y):
                return False
            continue
        if len(left) != len(right):
            return False
        if isinstance(x, (set, frozenset)):
            if not _same_elements(x, y):
                return False
            left, right = [_state(x)], [_state(y)]
        todo += zip(left, right, strict=True)
    return True


def _same_elements(x: Any, y: Any) -> bool:
    left = list(y)
    for each in x:
        at = next((i for i, other in enumerate(left) if identical(each, other)), None)
        if at is None:
            return False
        del left[at]
    return not left


def _apart(v: Any) -> list[Any] | None:
    """Returns what `v` consists of, or None where `==` on its exact type tells all."""
    kind = type(v)
    if kind is float:
        return [struct.pack(">d", v)]
    if isinstance(v, (enum.Enum, type)) or kind in (int, bool, str, bytes, type(None)):
        return None
    for base in (bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset):
        if isinstance(v, base):
            return _content(v, base) if kind is base else [*_content(v, base), _state(v)]
    if isinstance(v, BaseException):
        attributes = {name: getattr(v, name) for name in _C_ATTRIBUTES if hasattr(v, name)}
        return [v.args, attributes, _state(v), v.__cause__, v.__context__, v.__suppress_context__]
    if isinstance(v, (collections.deque, slice)):
        return [v.maxlen, *v] if isinstance(v, collections.deque) else [v.start, v.stop, v.step]
    if dataclasses.is_dataclass(v):
        names = [field.name for field in dataclasses.fields(v)]
        return [{name: getattr(v, name, "unset") for name in sorted({*names, *_state(v)})}]
    if isinstance(v, (datetime.datetime, datetime.time)):
        return [v.isoformat() if v.tzinfo is None else v.replace(tzinfo=None).isoformat(), v.fold, v.tzinfo]
    if isinstance(v, datetime.timezone):
        return [*v.__getinitargs__()]  # type: ignore[attr-defined]
    if isinstance(v, zoneinfo.ZoneInfo):
        return [v.key]
    if isinstance(v, decimal.Decimal):
        return [v.as_tuple().sign, v.as_tuple().digits, v.as_tuple().exponent]
    if isinstance(v, uuid.UUID):
        return [v.int, v.is_safe]
    if isinstance(v, memoryview):
        return [v.readonly, v.tobytes()]
    if isinstance(v, range):
        return [v.start, v.stop, v.step]
    if isinstance(v, re.Pattern):
        return [v.pattern, v.flags]
    return None


def _content(v: Any, base: Any) -> list[Any]:
    if base in (list, tuple, set, frozenset):
        return list(base.__iter__(v))
    if base is dict:
        extra = [v.default_factory] if isinstance(v, collections.defaultdict) else []
        items = v.items() if isinstance(v, collections.OrderedDict) else dict.items(v)
        return [*extra, *(part for item in items for part in item)]
    if base is complex:
        return [v.real, v.imag]
    if base is float:
        return [struct.pack(">d", v)]
    return [base.__getitem__(v, slice(None)) if base in (str, bytes) else bytes(v) if base is bytearray else int(v)]


def _state(v: Any) -> dict[str, Any]:
    state = dict(getattr(v, "__dict__", ()))
    for each in type(v).__mro__:
        slots = vars(each).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(v, name) and not name.startswith("__"):
                state[name] = getattr(v, name)
    return state
