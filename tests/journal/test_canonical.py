"""Every object that recording leaves is one of the format, to the byte: whatever ran, and however deep."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import gvstore as gv
from gvstore.journal.repository import Repository
from gvstore.objects.check import check
from gvstore.objects.fault import CorruptObject
from gvstore.objects.invocation import Call
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import pack
from tests.journal.programs import Step, plain, steps

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
LINK = b"\xc7\x20\x01" + bytes(32)


@gv.register
def leaf(n: int, text: str = "") -> int:
    return n


@gv.register
def broad(count: int, size: int = 0) -> None:
    for n in range(count):
        leaf(n, "x" * size)


@gv.register
def deep(n: int) -> int:
    return 0 if n == 0 else 1 + deep(n - 1)


@gv.register
def doubling(n: int) -> None:
    for _ in range(2 if n else 0):
        doubling(n - 1)


@gv.register
async def waiting(n: int) -> int:
    await asyncio.sleep(0)
    return leaf(n)


@gv.register
async def gathered(count: int) -> int:
    return sum(await asyncio.gather(*[waiting(n) for n in range(count)]))


@gv.register
def threaded(count: int) -> None:
    threads = [threading.Thread(target=leaf, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@gv.register
@dataclass
class Agent(gv.Invokable):
    history: list[int] = field(default_factory=list)

    def call(self, count: int) -> list[int]:
        self.history += [leaf(n) for n in range(count)]
        return list(self.history)


@gv.register
def agents(count: int) -> list[list[int]]:
    agent = Agent()
    return [agent(count), agent(count + 1)]


@gv.register
def meta(count: int) -> list[object]:
    return [gv.invoke(leaf, (n,)) for n in range(count)]


@gv.register
def counted(count: int) -> Iterator[int]:
    for n in range(count):
        yield leaf(n)


@gv.register
def streams(count: int) -> list[int]:
    return list(counted(count))


@gv.register
def broken(n: int) -> None:
    raise ValueError("no", n)


@gv.register
def failures(count: int) -> None:
    for n in range(count):
        try:
            broken(n % 2)
        except ValueError:
            pass


@gv.register
def echo(value: Any) -> Any:
    return value


@gv.register
def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return echo(echo(value))


def strange(repo: Repository, seen: set[ObjectId]) -> dict[ObjectId, str]:
    """Returns the objects that are not of the format, and why; those in `seen` are passed over."""
    found = {}
    for oid in set(repo.objects) - seen:
        seen.add(oid)
        try:
            check(repo.objects.read(oid))
        except CorruptObject as e:
            found[oid] = e.why
    return found


SIZES = {
    broad: (5, 60), deep: (20, 50, 150), doubling: (5,), threaded: (5,), agents: (4,), meta: (5,), streams: (6,),
    failures: (6,), nested: (29, 30, 31, 32, 70),
}  # fmt: skip


@pytest.mark.parametrize(("program", "size"), [(program, size) for program, sizes in SIZES.items() for size in sizes])
def test_what_a_program_leaves_is_of_the_format(repo: Repository, program: Callable[[int], Any], size: int) -> None:
    """Lists of calls, their times, what stands in them."""
    run = gv.run(program, size)
    run.rewind(min(1, len(run.invocation))).replay()

    assert {} == strange(repo, set())
    assert [] == list(repo.fsck(full=True, exact=True))


@pytest.mark.parametrize("count", [5, 40])
def test_what_tasks_leave_is_of_the_format(repo: Repository, count: int) -> None:
    """Lanes too."""
    asyncio.run(gv.run_async(gathered, count))

    assert {} == strange(repo, set())


@pytest.mark.parametrize("size", [60, 200])
def test_large_arguments(repo: Repository, size: int) -> None:
    """Calls near the threshold, in lists near theirs."""
    gv.run(broad, 5, size)

    assert {} == strange(repo, set())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, set[ObjectId]]]:
    with Repository.init(tmp_path_factory.mktemp("canonical"), author="Ada") as repo:
        yield repo, set()


@LAW
@given(steps)
def test_what_any_program_leaves_is_of_the_format(home: tuple[Repository, set[ObjectId]], step: Step) -> None:
    """So for random programs, rewound and replayed."""
    repo, seen = home
    run = repo.perform(plain, (step,), {}).run
    assert run is not None
    repo.perform_replay(run.rewind(min(1, len(run.invocation))))

    assert {} == strange(repo, seen)


CALL = Call(ObjectId(bytes(32)), b"\x91\x01", b"\x92\x3b\x01").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"v\x92\x00" + CALL[:-1] + b"\xcc\x01",
        b"v\x92\x00\x92\x30" + LINK,
        b"v\x92\x00\x94\x30" + LINK + b"\x91\x01\xc0",
        b"v\x92\x00\x94\x30" + LINK + pack([1, "x" * 250]) + b"\x92\x3b\x01",
        b"v\xdc\x00\x29\x00" + CALL * 40,
        b"v\x93\x00" + CALL + b"\x01",
        b"v\x92\x01" + CALL,
        b"v" + CALL,
        b"v" + b"\x92\x00\x94\x01\x00\x00" * 90 + b"\x91\x00",
    ],
)
def test_lists_of_calls_have_one_spelling(data: bytes) -> None:
    """What the recorder would have written otherwise is refused."""
    check(b"v\x92\x00" + CALL)
    with pytest.raises(CorruptObject):
        check(data)
