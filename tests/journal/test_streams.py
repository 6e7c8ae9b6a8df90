"""Generators and async generators: recorded chunk by chunk, told again at a replay."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note


@gv.register
def part(i: int) -> int:
    note(("part", i))
    return i * i


@gv.register
def count(n: int) -> Iterator[int]:
    for i in range(n):
        note(i)
        yield part(i)


@gv.register
def echo(first: str) -> Generator[str, str | None, int]:
    """Yields what it is sent, in capitals; an error thrown becomes a chunk."""
    said, heard = first, 0
    while said != "stop":
        note(said)
        heard += 1
        try:
            said = (yield said.upper()) or "?"
        except ValueError as e:
            said = f"error {e}"
    return heard


@gv.register
async def acount(n: int) -> AsyncGenerator[int, None]:
    for i in range(n):
        await asyncio.sleep(0)
        note(i)
        yield part(i)


@gv.register
def total(n: int, limit: int) -> int:
    found = 0
    for at, each in enumerate(count(n)):
        if at == limit:
            break
        found += each
    return found


@gv.register
async def atotal(n: int, limit: int) -> int:
    found = 0
    async with contextlib.aclosing(acount(n)) as chunks:
        at = 0
        async for each in chunks:
            if at == limit:
                break
            at, found = at + 1, found + each
    return found


@pytest.mark.parametrize("subject", [total, atotal])
def test_chunks_are_recorded_and_told_again(repo: Repository, subject: Any) -> None:
    """The stream and the calls that it made are in the record, and a replay runs no body of them."""
    run = repo.perform(subject, (4, 9), {}).run
    assert run is not None
    (stream,) = run.invocation.get_children()
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert 14 == run.output == again.output
    assert [0, 1, 4, 9] == stream.output == stream.chunks
    assert ["part"] * 4 == [call.name for call in stream.get_children()]
    assert ([], run.invocation.oid) == (BODIES, again.invocation.oid)
    assert {"calls": 6, "executed": 1, "reused": 5} == again.record.counts


@pytest.mark.parametrize("subject", [total, atotal])
def test_a_stream_that_is_closed_early(repo: Repository, subject: Any) -> None:
    """What was not asked for is not in the record; asked the same way it is told again."""
    run = repo.perform(subject, (9, 2), {}).run
    assert run is not None
    (stream,) = run.invocation.get_children()
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert ([0, 1, 4], 1) == (stream.output, run.output)
    assert "ok" == stream.status
    assert ([], run.invocation.oid) == (BODIES, again.invocation.oid)


def test_who_wants_more_than_was_recorded_gets_it(repo: Repository) -> None:
    """The body runs, its first chunks are dropped, the calls that it made are answered, and then it is live."""
    wanted = [2]

    @gv.register
    def reader() -> list[int]:
        found = []
        for each in count(6):
            found.append(each)
            if len(found) == wanted[0]:
                break
        return found

    run = repo.run(reader)
    BODIES.clear()
    wanted[0] = 4
    again = run.rewind(0).replay()

    assert [0, 1, 4, 9] == again.output == again.invocation.get_child(0).chunks
    assert [0, 1, 2, ("part", 2), 3, ("part", 3)] == BODIES


def test_what_is_sent_and_thrown_is_part_of_the_record(repo: Repository) -> None:
    """Asked the same, a stream is told again; asked something else it runs, up to there as it did."""
    talk: list[Any] = ["b", ValueError("x"), "stop"]

    @gv.register
    def reader() -> Any:
        said = []
        stream = echo("a")
        said.append(next(stream))
        for each in talk:
            try:
                said.append(stream.throw(each) if isinstance(each, Exception) else stream.send(each))
            except StopIteration as e:
                return said, e.value
        return said

    run = repo.run(reader)
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert (["A", "B", "ERROR X"], 3) == run.output == again.output
    assert ([], run.invocation.oid) == (BODIES, again.invocation.oid)

    talk[1] = "c"
    with pytest.raises(gv.ReplayError, match="sent something else after chunk 2"):
        run.rewind(0).replay(strict=True)
    changed = run.rewind(0).replay()

    assert (["A", "B", "C"], 3) == changed.output
    assert ["a", "b", "c"] == BODIES


def test_a_stream_that_raises(repo: Repository) -> None:
    """Its chunks are kept; what raised runs again, unless a later one succeeded: a retry."""
    fails = [True, False]

    @gv.register
    def flaky() -> Iterator[int]:
        note("flaky")
        yield 1
        if fails.pop(0):
            raise ValueError("broken")
        yield 2

    @gv.register
    def reader() -> list[int]:
        found = []
        for _ in range(2):
            with contextlib.suppress(ValueError):
                for each in flaky():
                    found.append(each)
        return found

    run = repo.run(reader)
    first, second = run.invocation.get_children()
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert [1, 1, 2] == run.output == again.output
    assert ("raised", [1], "broken") == (first.status, first.chunks, str(first.get_raised()))
    assert ("ok", [1, 2]) == (second.status, second.chunks)
    assert ([], run.invocation.oid) == (BODIES, again.invocation.oid)


def test_a_stream_that_nobody_reads_to_its_end(repo: Repository) -> None:
    """A generator left alone counts as closed when its caller returns; one never begun is no call."""
    kept: list[Any] = []

    @gv.register
    def reader() -> int:
        stream = count(5)
        kept.extend((stream, count(7)))
        return next(stream) + next(stream)

    run = repo.run(reader)

    assert [[0, 1]] == [call.output for call in run.invocation.get_children()]
    assert 4 == next(kept[0])
    assert () == run.record.notes


def test_generators_stay_generators(repo: Repository) -> None:
    """Outside a recording all is as Python has it, and a generator function is one."""
    stream = echo("a")

    assert inspect.isgeneratorfunction(count) and inspect.isasyncgenfunction(acount)
    assert ["A", "B"] == [next(stream), stream.send("b")]
    with pytest.raises(StopIteration) as end:
        stream.send("stop")
    assert 2 == end.value.value
    assert [0, 1] == asyncio.run(_all(acount(2)))


async def _all(stream: AsyncIterator[int]) -> list[int]:
    return [each async for each in stream]


def test_a_stream_at_the_top(repo: Repository) -> None:
    """What is run may be a generator: the output is the list of what it yields."""
    runs = [repo.run(count, 3), asyncio.run(repo.run_async(acount, 3))]

    assert [[0, 1, 4]] * 2 == [run.output for run in runs]
    assert [[0, 1, 4]] * 2 == [run.rewind(1).replay().output for run in runs]


def test_methods_that_yield(repo: Repository) -> None:
    """The instance is the call's state; a replay brings it to where the stream brought it."""

    class Teller:
        def __init__(self) -> None:
            self.told: list[int] = []

        @gv.register
        def tell(self, n: int) -> Iterator[int]:
            for i in range(n):
                note(i)
                self.told.append(i)
                yield i

    def reader() -> tuple[list[int], list[int]]:
        teller = Teller()
        return list(teller.tell(3)), teller.told

    run = repo.run(gv.register(reader))
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert ([0, 1, 2], [0, 1, 2]) == run.output == again.output
    assert [] == BODIES


def test_interleaved_streams_keep_their_calls_apart(repo: Repository) -> None:
    """Each generator's calls stand below it, whoever is asked in between."""

    @gv.register
    def reader() -> list[tuple[int, int]]:
        return [(a, b + part(100)) for a, b in zip(count(3), count(4), strict=False)]

    run = repo.run(reader)
    children = list(run.invocation.get_children())

    assert ["count", "count", "part", "part", "part"] == [call.name for call in children]
    assert [[0, 1, 4], [0, 1, 4]] == [call.chunks for call in children[:2]]
    assert run.invocation.oid == run.rewind(0).replay(strict=True).invocation.oid
