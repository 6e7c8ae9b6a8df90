"""What enact gets wrong about values and their digests (its reference lists it), on disk and in memory."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import gvstore
from gvstore.objects.placeholder import Unresolved
from gvstore.store.digests import digest
from gvstore.store.ref import Ref
from gvstore.store.resource import Resource
from gvstore.store.store import Store
from tests.store.program import Plan, register
from tests.strategies import identical
from tests.transcript import ROOT


class Size(enum.IntEnum):
    SMALL = 1


class Word(str, enum.Enum):  # noqa: UP042 - as programs have them
    HELLO = "hello"


class Point(NamedTuple):
    x: int
    y: int


class Metres(float):
    """A subclass of a builtin."""


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Store]:
    """A store of either kind."""
    made = gvstore.InMemoryStore() if request.param == "memory" else gvstore.FileStore(tmp_path)
    with made:
        yield made
    if made.repository is not None:
        made.repository.close()


LOST = [
    True, 1, 1.0, -0.0, float("nan"), [b"ab", b"c"], [b"abbc"], (1, [2]), {1, 2}, frozenset({1}), {"b": 1, "a": 2}, {"#k": 1},
    {1: "x", (2, 3): None}, collections.OrderedDict(b=1, a=2), collections.defaultdict(list, {"k": [1]}), Point(1, 2), Size.SMALL,
    Word.HELLO, Metres(2.5), 10**40, "\udc80", 1j, bytearray(b"x"), datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    decimal.Decimal("1.10"), pathlib.PurePosixPath("a/b"), ValueError("no"), int, Plan, collections,
]  # fmt: skip


@pytest.mark.parametrize("value", LOST, ids=repr)
def test_nothing_is_lost(store: Store, value: Any) -> None:
    """Type, order and bits of what enact confuses, degrades, sorts or refuses, in memory and on disk alike."""
    back = store.commit(Plan(value)).checkout().topic

    assert identical(value, back)


def test_no_two_values_share_a_digest(store: Store) -> None:
    """Committing one never overwrites another."""
    refs = [store.commit(Plan(each)) for each in LOST]

    assert len(LOST) == len({ref.id for ref in refs})
    assert all(identical(each, ref().topic) for each, ref in zip(LOST, refs, strict=True))


def test_digests_are_the_same_in_every_process() -> None:
    """Sets are hashed in no order that a hash seed could change."""
    code = (
        "from gvstore.store.digests import digest; print(digest({'a', 'b', 'c', 'd', 'e', ('f', 1), frozenset('gh')}))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(4)
    }

    assert 1 == len(told)


def test_an_upgrade_orphans_nothing() -> None:
    """Names do not contain gvstore's version: another one gives a value and a call the names that they had."""
    code = (
        "import sys; from gvstore import version; version.__version__ = sys.argv[1]; import gvstore as gv\n"
        "from tests.store.program import Plan\n"
        "@gv.register\n"
        "def call(plan): return [plan]\n"
        "with gv.InMemoryStore(): print(gv.commit(Plan(1)).id, gv.invoke(call, (Plan(2),)).oid, Plan.type_id())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code, version], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for version in ("0.1.0", "7.2")
    }

    assert 1 == len(told)


def test_numpy_scalars_come_back(store: Store) -> None:
    """np.float64 is no float, and is readable after a commit."""
    numpy: Any = pytest.importorskip("numpy")
    back = store.commit([numpy.float64(0.5), 0.5]).checkout()

    assert [numpy.float64, float] == [type(each) for each in back]


def test_names_may_be_long(store: Store) -> None:
    """A class's name is no file's name."""
    name = "L" * 300
    made: Any = register(
        dataclasses.make_dataclass(name, [("x", int)], bases=(Resource,), namespace={"__module__": __name__})
    )

    assert made(3) == store.commit(made(3)).checkout()


def test_a_field_may_come_and_go(store: Store) -> None:
    """What a class gained takes its default; what it lost leaves the old value readable, to the byte."""

    def make(*fields: Any) -> Any:
        namespace = {"__module__": __name__, "__qualname__": "Changing"}
        return register(dataclasses.make_dataclass("Changing", fields, bases=(Resource,), namespace=namespace))

    ref = store.commit(make(("x", int), ("y", int))(1, 2))
    grown = make(("x", int), ("y", int), ("z", list, dataclasses.field(default_factory=list)))

    assert grown(1, 2, []) == ref.checkout()
    make(("x", int))
    back = ref.checkout()
    assert Unresolved is type(back)
    assert (1, 2) == (back.x, back.y)
    assert ref == store.commit(back)


def test_data_can_be_read_without_the_program(tmp_path: pathlib.Path) -> None:
    """A process that has not imported the classes sees their names and fields."""
    store = gvstore.FileStore(tmp_path)
    ref = store.commit(Plan("otters", [Plan(1)]))
    store.repository.close()
    code = "import sys, gvstore; print(gvstore.FileStore(sys.argv[1]).checkout(gvstore.Ref(sys.argv[2])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), ref.id], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "Plan(topic='otters', steps=[Plan(topic=1, steps=None)])" == done.stdout.strip()


def test_equal_parts_are_stored_once(store: Store) -> None:
    """A growing list of messages costs what is new, without a reference of the program's making."""
    objects: Any = gvstore.InMemoryStore().objects
    sizes = []
    messages: list[Any] = []
    for turn in range(60):
        messages.append({"role": "user", "content": f"{turn} " * 60})
        Store(_At(objects)).commit(Plan(messages))
        sizes.append(sum(len(objects.read(oid)) for oid in objects))

    assert sizes[-1] - sizes[-11] < 2 * (sizes[20] - sizes[10])


class _At:
    def __init__(self, objects: Any) -> None:
        self.objects = objects


def test_a_digest_is_an_id() -> None:
    """Of a value, as any store gives it; a checkout does not hash what the program holds."""
    ref = gvstore.InMemoryStore().commit(Plan(1))

    assert digest(Plan(1)) == ref.id == Ref.from_resource(Plan(1)).id
