"""What every object store promises, on disk and in memory."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.odb import MemoryDatabase, ObjectDatabase

Store = ObjectDatabase | MemoryDatabase


class Make(Protocol):
    """Makes one empty store after the other."""

    def __call__(self) -> Store: ...


@pytest.fixture(params=["disk", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """A maker of empty stores of one sort; they are closed at the end."""
    made: list[Store] = []

    def new() -> Store:
        if request.param == "memory":
            made.append(MemoryDatabase())
        else:
            folder = tmp_path / f"{len(made)}" / "objects"
            ObjectDatabase.init(folder)
            made.append(ObjectDatabase.open(folder))
        return made[-1]

    yield new
    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> Store:
    """An empty store."""
    return make()


def test_write_gives_the_name_and_read_gives_the_bytes(store: Store) -> None:
    """What is written can be read by its name, before and after it is flushed and synced."""
    oid = store.write(b"vhello")

    assert ObjectId.of(b"vhello") == oid
    assert isinstance(oid, ObjectId)
    assert store.read(oid) == b"vhello"
    store.flush()
    assert store.read(oid) == b"vhello"
    store.sync()
    assert store.read(oid) == b"vhello"
    assert store.has(oid)


def test_what_was_not_written_is_missing(store: Store) -> None:
    """An unknown name raises and says which."""
    unknown = ObjectId.of(b"never")
    store.write(b"vsomething")

    assert not store.has(unknown)
    with pytest.raises(ObjectMissing) as caught:
        store.read(unknown)
    assert unknown == caught.value.oid


def test_an_object_has_a_kind_byte(store: Store) -> None:
    """Nothing at all is no object."""
    with pytest.raises(ValueError, match="1 to"):
        store.write(b"")


@pytest.mark.parametrize("size", [0, 1, 100, 254, 255, 256, 4096, 16384, 65535, 65536, 65537, 300_000])
@pytest.mark.parametrize("noise", [False, True])
def test_put_and_get_at_every_size(store: Store, size: int, noise: bool) -> None:
    """Blobs of any size come back, compressible or not, cut into chunks or not."""
    data = random.Random(size).randbytes(size) if noise else (b"The quick brown fox. " * (size // 21 + 1))[:size]

    oid = store.put(data)

    assert store.get(oid) == data
    assert store.put(data) == oid


def test_get_of_another_kind_leaves_the_kind_byte_off(store: Store) -> None:
    """`get` is the raw face of any object."""
    assert store.get(store.write(b"tentries")) == b"entries"


def test_the_same_bytes_are_one_object(store: Store) -> None:
    """Writing twice stores once."""
    assert store.write(b"vx") == store.write(b"vx")
    assert [ObjectId.of(b"vx")] == list(store)


def test_a_batch_may_hold_a_batch(store: Store) -> None:
    """The block gives the store itself; what was put is there within and after."""
    with store.batch() as outer:
        assert outer is store
        first = outer.put(b"one")
        with store.batch() as inner:
            second = inner.put(b"two")
        assert outer.get(first) == b"one"
        third = outer.put(b"three")

    assert [b"one", b"two", b"three"] == [store.get(o) for o in (first, second, third)]


def test_a_batch_that_raises_keeps_what_was_put(store: Store) -> None:
    """The exception goes on; the objects are there."""
    with pytest.raises(KeyError), store.batch():
        oid = store.put(b"kept")
        raise KeyError("x")

    assert store.get(oid) == b"kept"


def test_resolve_finds_by_the_first_digits(store: Store) -> None:
    """Any number of digits, in either case, sorted, at most ten; no hex is a mistake."""
    oids = sorted(store.write(b"v%d" % i) for i in range(300))

    for oid in oids[:40]:
        assert [oid] == store.resolve(oid.hex())
        assert [oid] == store.resolve(oid.hex()[:12].upper())
    for digits in ("a", "07", "3f1"):
        assert [o for o in oids if o.hex().startswith(digits)][:10] == store.resolve(digits)
    assert 10 == len(store.resolve(""))
    for wrong in ("xyz", "é", "0" * 65, "-1", "0x"):
        with pytest.raises(ValueError, match="object id"):
            store.resolve(wrong)


def test_iteration_gives_each_object_once(store: Store) -> None:
    """All names, and no other."""
    written = {store.write(b"v%d" % (i % 50)) for i in range(100)}

    found = list(store)
    assert len(written) == len(found)
    assert written == set(found)


def test_an_empty_store_is_whole(store: Store) -> None:
    """Nothing is damaged where there is nothing."""
    assert [] == list(store)
    assert [] == list(store.check(full=True))
    assert [] == store.resolve("00")


def test_threads_write_and_read_one_store(store: Store) -> None:
    """Four threads at once: everything is there, once."""
    errors: list[BaseException] = []

    def work(k: int) -> None:
        try:
            for i in range(150):
                data = b"%d " % (i % 97) * (1 + i % 40)
                oid = store.write(b"b" + data)
                assert store.get(oid) == data
                if i % 50 == k:
                    with store.batch():
                        store.put(data * 30)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == errors
    assert len(set(store)) == len(list(store))
    assert [] == list(store.check(full=True))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=600), max_size=20))
def test_any_bytes_come_back(make: Make, written: list[bytes]) -> None:
    """read(write(x)) == x, for all x, and the store holds nothing else."""
    with make() as store:
        oids = [store.write(data) for data in written]

        assert written == [store.read(oid) for oid in oids]
        assert set(oids) == set(store)
