"""What cannot be stored, and what cannot be made: markers that lose no byte and stop no program."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import functools
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from gvstore.objects import naming
from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder, _Long
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Ignored, Opaque, StoredException, Unresolved, exception_text
from gvstore.objects.value import put_value
from gvstore.objects.wire import pack
from tests import strategies
from tests.objects.store import Objects
from tests.strategies import Broken, Color, Message, Pair, Point, identical, values


def round_trip(value: Any) -> tuple[Any, list[tuple[str, str | None]]]:
    store, told = Objects(), list[tuple[str, str | None]]()
    oid = put_value(store, value, lambda name, detail: told.append((name, detail)))
    back = get_value(store, oid)

    assert oid == put_value(store, back)
    return back, told


@pytest.fixture
def without_classes() -> Iterator[None]:
    """Another process, which never imported what made the values."""
    kept = sys.modules.pop("tests.strategies")
    yield
    sys.modules["tests.strategies"] = kept


@settings(max_examples=150, deadline=None)
@given(values(20))
def test_reading_needs_no_classes(value: Any) -> None:
    """Without the program's modules values decode to placeholders that encode to the same bytes."""
    store = Objects()
    oid = put_value(store, value)
    kept = sys.modules.pop("tests.strategies")
    try:
        back = get_value(store, oid)
    finally:
        sys.modules["tests.strategies"] = kept

    assert oid == put_value(Objects(), back)
    assert identical(value, get_value(store, oid))


def test_fields_are_read_without_the_class(without_classes: None) -> None:
    """A record of an unknown class shows its fields."""
    back, _ = round_trip(Message("user", ["hello"]))

    assert isinstance(back, Unresolved)
    assert ("tests.strategies:Message", "user", ["hello"]) == (back.type_name, back.role, back.fields["content"])
    assert "Message(role='user', content=['hello'], tags=[])" == repr(back)
    with pytest.raises(AttributeError):
        back.absent  # noqa: B018


def test_exceptions_are_read_without_their_class(without_classes: None) -> None:
    """What an exception of an unknown class said is kept; in a chain it is an exception."""
    outer = ValueError("outer")
    outer.__cause__ = Broken("inner", code=3)
    back, _ = round_trip(outer)
    alone, _ = round_trip(outer.__cause__)

    assert isinstance(back.__cause__, StoredException)
    assert "Broken: inner" == str(back.__cause__)
    assert "Broken: inner" == exception_text(alone)


def test_cycles_are_opaque() -> None:
    """A value inside itself becomes a marker there, whatever holds it."""
    row: list[Any] = [1]
    row.append(row)
    table: dict[str, Any] = {}
    table["self"] = {"deep": [table]}
    point = Message("me", None)
    point.content = point
    queue: collections.deque[Any] = collections.deque()
    queue.append(queue)
    error = ValueError()
    error.__cause__ = error
    for value, name in ((row, "list"), (table, "dict"), (point, "Message"), (queue, "deque"), (error, "ValueError")):
        _, told = round_trip(value)

        assert [("cycle", name)] == [(detail, full.rpartition(":")[2]) for full, detail in told]
    assert [1, Opaque("builtins:list", "cycle")] == round_trip(row)[0]


def test_wide_cycles_end() -> None:
    """A cycle met many times on each round does not grow without end."""
    rows: list[Any] = []
    rows += [rows] * 50
    redacting = type("Redacting", (Encoder,), {"__slots__": (), "text": lambda self, value: Encoder.text(self, value)})
    expected = [Opaque("builtins:list", "cycle")] * 50

    assert expected == round_trip(rows)[0]
    assert Encoder(Objects()).encode(rows) == _Long(redacting(Objects()), rows).run()[0]


class Slow:
    """Raises whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@dataclasses.dataclass
class Raising:
    size: Any = dataclasses.field(init=False)

    def __getattribute__(self, name: str) -> Any:
        if name == "size":
            raise ZeroDivisionError("no size")
        return object.__getattribute__(self, name)


@dataclasses.dataclass
class Recursive:
    depth: Any = None

    def __getattribute__(self, name: str) -> Any:
        return self.depth if name == "depth" else object.__getattribute__(self, name)


@dataclasses.dataclass
class Unfolding:
    level: int = 0

    def __getattribute__(self, name: str) -> Any:
        return Unfolding() if name == "level" else object.__getattribute__(self, name)


def closure(n: int) -> Any:
    return lambda: n


class WeirdName:
    __module__ = None  # type: ignore[assignment]


class NumberName:
    __module__ = 7  # type: ignore[assignment]


class Meta(type):
    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no module")


class Hidden(metaclass=Meta):
    pass


OPAQUE = {
    "object": object(), "event": threading.Event(), "lambda": lambda: 1, "closure": closure(3), "generator": iter(()),
    "bound method": [].append, "own bound method": Broken("x").add_note, "partial": functools.partial(print),
    "struct": time.localtime(0), "proxy": types.MappingProxyType({}), "slow": Slow(), "raises": Raising(),
    "recursive": Recursive(), "no module": WeirdName(), "number module": NumberName(), "hidden module": Hidden(),
    "module": types.ModuleType("nowhere"), "memory": memoryview(b"abcdefgh").cast("i"), "simple": types.SimpleNamespace(a=1),
    "file": sys.stdin, "counter with attributes": strategies._with(collections.Counter("a"), note=1),
    "wrong module name": strategies._with(types.ModuleType("m"), __name__=7),
    "time zone": datetime.datetime(2026, 1, 1, tzinfo=type("Odd", (datetime.tzinfo,), {})()),
    "ordered subclass": type("Sub", (collections.OrderedDict,), {})(), "released": memoryview(b"x"),
    "cached": functools.cache(closure), "code": closure.__code__, "frame": sys._getframe(), "enumerate": enumerate([]),
}  # fmt: skip
OPAQUE["released"].release()


@pytest.mark.parametrize("value", OPAQUE.values(), ids=OPAQUE)
def test_what_has_no_encoding_is_opaque(value: Any) -> None:
    """A value that cannot be stored, or that raises while it is read, is a marker of its type, and the program goes on."""
    back, told = round_trip([1, value, "x"])

    assert isinstance(back[1], Opaque)
    assert [1, "x"] == [back[0], back[2]]
    assert {(back[1].type_name, back[1].detail)} == set(told)
    assert back[1] == round_trip(value)[0]


def test_an_endless_unfolding_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that makes a new value at every look is opaque somewhere down."""
    monkeypatch.setattr("gvstore.objects.encode.DEPTH_LIMIT", 3000)
    told: list[Any] = []
    put_value(Objects(), Unfolding(), lambda *each: told.append(each))

    assert ["too deep"] == [detail for _, detail in told]


def test_keys_that_become_equal_are_kept() -> None:
    """A dict or set whose opaque keys cannot be told apart is read as a placeholder, not made smaller."""
    value = {object(): 1, object(): 2}
    back, _ = round_trip(value)
    elements, _ = round_trip({object(), object(), object()})

    assert isinstance(back, Unresolved)
    assert (1, 2) == back.parts[1::2]
    assert isinstance(elements, Unresolved)
    assert 3 == len(elements.parts)


def test_a_factory_without_encoding() -> None:
    """A defaultdict keeps its content where its factory is opaque."""
    back, _ = round_trip(collections.defaultdict(lambda: 0, a=1))

    assert isinstance(back, Unresolved)
    assert {"a": 1} == back.parts[1]


def test_functions_are_not_taken_for_each_other() -> None:
    """Two closures of one name have no name that tells them apart: they are opaque, not equal to the function."""
    assert isinstance(round_trip(closure(3))[0], Opaque)
    assert round_trip(closure)[0] is closure


def remake(monkeypatch: pytest.MonkeyPatch, name: str, cls: Any) -> None:
    cls.__module__, cls.__qualname__ = "tests.strategies", name
    monkeypatch.setattr(strategies, name, cls)
    naming._names.pop(cls, None)


def test_classes_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that gained fields fills plain defaults in; one that lost fields leaves a placeholder."""
    store = Objects()
    point = put_value(store, Point(1, 2))
    pair = put_value(store, Pair(1, 2))
    color = put_value(store, Color.RED)
    tags: Any = dataclasses.field(default_factory=list)
    fields: list[Any] = [("x", int), ("y", int), ("z", int, 9), ("tags", list[str], tags)]
    gained: Any = dataclasses.make_dataclass("P", fields)
    remake(monkeypatch, "Point", gained)
    remake(monkeypatch, "Pair", collections.namedtuple("Q", ["left", "right", "more"]))
    remake(monkeypatch, "Color", enum.Enum("Color", {"RED": 7}))
    back = get_value(store, point)

    assert (gained, 1, 2, 9, []) == (type(back), back.x, back.y, back.z, back.tags)
    assert isinstance(get_value(store, pair), Unresolved)
    assert strategies.Color.RED is get_value(store, color)
    remake(monkeypatch, "Point", dataclasses.make_dataclass("P", ["x"]))
    remake(monkeypatch, "Color", enum.Enum("Color", {"PINK": 7}))
    assert isinstance(get_value(store, point), Unresolved)
    assert point == put_value(Objects(), get_value(store, point))
    assert color == put_value(Objects(), get_value(store, color))


def test_defaults_that_a_program_makes_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading runs no factory of the program."""
    oid = put_value(store := Objects(), Point(1, 2))
    made: list[int] = []
    factory = dataclasses.field(default_factory=lambda: made.append(1))
    remake(monkeypatch, "Point", dataclasses.make_dataclass("P", ["x", "y", ("z", Any, factory)]))

    assert isinstance(get_value(store, oid), Unresolved)
    assert [] == made


def test_a_field_never_set_stays_unset() -> None:
    """A record without one of its fields comes back without it, if the field has no default."""
    value = Point(1, 2)
    object.__delattr__(value, "x")
    back, _ = round_trip(value)

    assert 2 == back.y
    assert not hasattr(back, "x")


class Lazy(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        raise AssertionError("ran")


def test_resolving_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names lead only into dicts of modules and classes: no module's or instance's `__getattr__` is called."""
    lazy = Lazy("lazy_module")
    lazy.thing = Slow()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lazy_module", lazy)
    monkeypatch.setitem(sys.modules, "none_module", None)
    store = Objects()
    for name in (
        "lazy_module:Absent",
        "lazy_module:thing.attribute",
        "none_module:x",
        "nowhere:x",
        "",
        ":",
        "os:",
        "x",
    ):
        for of in (13, 14):
            back = get_value(store, store.write(b"v" + pack([of, name])))

            assert isinstance(back, Unresolved)


def test_the_main_module_has_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `__main__` is called in objects is what `name_module` says, on the way in and out."""
    main = types.ModuleType("__main__")
    main.Point = strategies.Point  # type: ignore[attr-defined]
    cls = dataclasses.make_dataclass("Thing", ["x"])
    cls.__module__ = "__main__"
    main.Thing = cls  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)
    for table in (naming._canonical, naming._loaded, naming._names):
        monkeypatch.setattr(naming, next(k for k, v in vars(naming).items() if v is table), {})
    naming.name_module("__main__", "agent")
    store = Objects()
    oid = put_value(store, cls(1))

    assert b"agent:Thing" in store[oid]
    assert type(get_value(store, oid)) is cls


def test_markers_come_back() -> None:
    """Opaque and Ignored are values themselves; two opaque ones of a type are equal."""
    for value in (Opaque("m:T"), Opaque("m:T", "why"), Ignored(), [Ignored()]):
        back, _ = round_trip(value)

        assert value == back
        assert type(value) is type(back)


def test_a_list_changed_while_it_is_read() -> None:
    """What a thread or a property does to a container while it is encoded breaks nothing."""
    shared: dict[Any, Any] = {i: [i] for i in range(2000)}
    stop = threading.Event()

    def disturb() -> None:
        i = 0
        while not stop.is_set():
            shared[f"more {i % 50}"] = i
            shared.pop(f"more {(i * 7) % 50}", None)
            i += 1

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(30):
            store = Objects()
            back = get_value(store, put_value(store, {"a": shared, "b": set(range(100))}))

            assert [0] == back["a"][0]
    finally:
        stop.set()
        thread.join()


def test_classes_made_by_the_thousand_are_let_go() -> None:
    """The tables of types do not grow with the program."""
    from gvstore.objects import expand

    for i in range(9_000):
        put_value(
            Objects(), dataclasses.make_dataclass(f"C{i}", [])() if i % 100 == 0 else type(f"D{i}", (list,), {})()
        )

    assert len(expand.EXPANDERS) < 4_300
    assert len(naming._names) <= 4_096


def test_links_are_values() -> None:
    """A link to what is no value stands for itself."""
    store = Objects()
    oid = store.write(b"c" + pack([51]))
    back = get_value(store, oid)

    assert oid == back.oid
    assert oid == put_value(store, back)
    assert isinstance(back.oid, ObjectId)


def test_a_remembered_class_is_found_under_both_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """One made in a function of the main module, before the module got its name for objects, and after."""
    monkeypatch.setattr(naming, "_canonical", {})
    monkeypatch.setattr(naming, "_loaded", {})
    local = type("Local", (), {"__module__": "__elsewhere__", "__qualname__": "make.<locals>.Local"})
    naming.remember_type(local)

    assert local is naming.resolve_type("__elsewhere__:make.<locals>.Local")
    naming.name_module("__elsewhere__", "agent")
    assert "agent:make.<locals>.Local" == naming.type_name(local)
    assert local is naming.resolve_type("agent:make.<locals>.Local")
