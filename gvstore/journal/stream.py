"""Streams: generators and async generators, recorded chunk by chunk.

A call of a generator function begins when its first chunk is asked for.  Each
chunk is in the journal before the consumer gets it; what the consumer sends or
throws is part of the record, and so is that it closed the stream early.

A replay tells the recorded chunks again while the consumer asks as it did.
Where it sends something else, or wants more than was recorded, the function
runs after all: up to that place it is given what was recorded, its chunks are
dropped, and the calls it makes are answered; from there it is live.

What happens around each step is written once, as a conversation (`_course`)
that asks for steps of the program's generator and hands out chunks; two small
loops carry it out, one of which awaits.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final, NamedTuple

from gvstore.journal.call import changes_of_failure, leave_behind, open_call, reset
from gvstore.journal.chunks import Chunks, Told
from gvstore.journal.component import LiveComponent
from gvstore.journal.ending import close, end_raised, is_cancellation, state_after
from gvstore.journal.frame import Frame, open_ancestor
from gvstore.journal.recorder import CHUNK, CURRENT, SENT
from gvstore.objects.record import NIL
from gvstore.objects.wire import has_link, pack
from gvstore.store.store import warn_opaque


class Asked(NamedTuple):
    """How a consumer asks for the next chunk: what it sends, or throws; or that it closes the stream."""

    value: Any = None
    error: BaseException | None = None
    closes: bool = False


class Step(NamedTuple):
    """The program's generator is to be asked."""

    asked: Asked


class Give(NamedTuple):
    """The consumer is to be given a chunk."""

    chunk: Any


class Over(NamedTuple):
    """The program's generator has returned."""

    value: Any


NEXT: Final = Asked()
_CLOSE: Final = Asked(closes=True)
_Course = Generator[Step | Give, Any, Any]


class _StreamCall:
    """One call of a generator function: what both kinds of generators do around each step."""

    def __init__(self, frame: Frame, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> None:
        self.frame, self.args, self.kwargs, self.instance = frame, args, kwargs, instance
        self.chunks = frame.stream = Chunks(frame.recording.objects)
        self.told = None if frame.answer is None else Told(frame.answer)

    @property
    def over(self) -> bool:
        """Whether nothing more can be recorded of it: its parent, or the run, has ended."""
        return self.frame.folded or self.frame.recording.closed

    def yielded(self, value: Any) -> None:
        """Records a chunk; the operating system has it when this returns."""
        recording = self.frame.recording
        if self.over:
            return
        data = recording.encode(value)
        if recording.unstored and (altered := recording.altered()) is not None:
            self.chunks.altered = True
            warn_opaque(altered)
        self._append(CHUNK.pack(b"Y", self.frame.number) + data)
        self.chunks.add(data)
        self.chunks.idle = True

    def resumed(self, asked: Asked) -> None:
        """Records how the next chunk is asked for."""
        self.chunks.idle = False
        if self.over or (asked.value is None and asked.error is None):
            return
        recording = self.frame.recording
        thrown = asked.error is not None
        value = recording.encode(asked.error if thrown else asked.value)
        data = b"\x94\x01" + pack(self.chunks.count) + value + (b"\xc3" if thrown else b"\xc2")
        if recording.unstored:
            recording.altered()
        self._append(SENT.pack(b"Z", self.frame.number) + data)
        self.chunks.ask(data)

    def _append(self, payload: bytes) -> None:
        recording = self.frame.recording
        if recording.wal is not None:
            if has_link(payload):
                recording.objects.flush()
            recording.wal.append(payload)

    def agrees(self) -> bool:
        """Returns whether the consumer has asked as it did when it was recorded.

        Raises:
            ReplayError: it has not, and the replay is strict.
        """
        assert self.told is not None and self.frame.answer is not None
        if self.told.agrees(self.chunks):
            return True
        replayer = self.frame.answer.replayer
        if replayer.strict:
            raise replayer.diverge(
                f"{self.frame.live.qualname} was sent something else after chunk {self.chunks.count}"
            )
        return False

    def ended(self, value: Any, *, closed: bool = False) -> None:
        """Ends the call: the generator returned, or was closed."""
        frame, recording = self.frame, self.frame.recording
        frame.ended = True
        if self.over:
            return
        leave_behind(frame)
        if frame.answers is not None and not closed and frame.begun:
            frame.answers.end(frame.live.qualname)
        data = recording.encode(value)
        if recording.unstored and recording.altered() is not None:
            self.chunks.altered = True
        outcome = self.chunks.outcome(recording.encoder.place, data, closed=closed)
        if self.told is not None and outcome == self.told.outcome:
            self._close_told(outcome)
            return
        close(frame, outcome, state_after(frame, self.instance), self._changes())

    def _changes(self) -> bytes:
        return changes_of_failure(self.frame, self.args, self.kwargs, self.instance)

    def failed(self, error: BaseException) -> None:
        """Ends the call: the generator raised."""
        frame = self.frame
        frame.ended = True
        if self.over:
            return
        chunks = NIL
        if self.chunks.count and not is_cancellation(error):
            chunks = frame.recording.encoder.place(self.chunks.finish())
        end_raised(frame, error, self.instance, self._changes(), chunks)

    def tell_end(self) -> Any:
        """Returns, or raises, what the recorded stream ended with; the consumer has heard all of it."""
        assert self.told is not None
        self.frame.ended = True
        if not self.over:
            self._close_told(self.told.outcome)
        return self.told.end()

    def _close_told(self, outcome: bytes) -> None:
        """Ends the call as its record did: the calls that it made are taken over."""
        frame, answer = self.frame, self.frame.answer
        assert answer is not None
        if not frame.begun:
            frame.recording.adopt_all(frame)
        _, _, _, _, _, _, after, changed, _, reads, *_ = [*answer.elements, *[NIL] * 10]
        if reads != NIL:
            frame.files, frame.reads = {}, reads
        close(frame, outcome, after, changed)
        given = self.args if self.instance is None else self.args[1:]
        answer.settle(frame.live, given, self.kwargs, self.instance)


def _course(call: _StreamCall) -> _Course:
    """Tells what is to be done, one thing after the other, and is told what came of it."""
    asked = [NEXT]
    if call.told is not None:
        for chunk in call.told.chunks:
            call.yielded(chunk)
            asked.append((yield Give(chunk)))
            if asked[-1].closes:
                call.ended(None, closed=True)
                return None
            call.resumed(asked[-1])
            if not call.agrees():
                break
        else:
            if not call.told.closed_early:
                return call.tell_end()
        call.told = None
        if call.frame.answers is not None:
            call.frame.answers.leave(call.frame.live)
    while True:
        now = asked.pop(0)
        try:
            chunk = yield Step(now)
        except BaseException as e:
            call.failed(e)
            raise
        if isinstance(chunk, Over):
            call.ended(chunk.value, closed=now.closes)
            return chunk.value
        if asked:  # the consumer has heard this one from the record
            continue
        call.yielded(chunk)
        asked.append((yield Give(chunk)))
        call.resumed(asked[0])


def record_stream(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Generator[Any, Any, Any]:
    """Yields what a generator function yields, recorded or told again."""
    given = args if instance is None else (instance, *args)
    above = open_ancestor(parent)
    if above is None:
        return (yield from live.function(*given, **kwargs))
    frame = open_call(above, live, args, kwargs, instance)
    assert type(frame) is Frame
    return (yield from execute_stream(frame, live.function, given, kwargs, instance))


def execute_stream(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Generator[Any, Any, Any]:
    """Runs a call of a generator function that has begun."""
    course = _course(_StreamCall(frame, args, kwargs, instance))
    source: Generator[Any, Any, Any] | None = None
    try:
        order = next(course)
        while True:
            if isinstance(order, Give):
                try:
                    asked = Asked((yield order.chunk))
                except BaseException as e:
                    asked = thrown(e)
                order = course.send(asked)
                continue
            if source is None:
                source = function(*args, **kwargs)
            token = CURRENT.set(frame)
            try:
                found = _step(source, order.asked)
            except StopIteration as e:
                found = Over(e.value)
            except BaseException as e:
                found = e
            finally:
                reset(token)
            order = course.throw(found) if isinstance(found, BaseException) else course.send(found)
    except StopIteration as e:
        return e.value
    finally:
        if not frame.ended:
            frame.recording.torn = frame.ended = True


def thrown(error: BaseException) -> Asked:
    """Returns how a consumer asks that throws this: GeneratorExit closes."""
    return _CLOSE if isinstance(error, GeneratorExit) else Asked(error=error)


def _step(source: Generator[Any, Any, Any], asked: Asked) -> Any:
    """Returns what the program's generator answers."""
    if asked.closes:
        source.close()
        return Over(None)
    return source.send(asked.value) if asked.error is None else source.throw(asked.error)


def record_async_stream(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> AsyncGenerator[Any, Any]:
    """Returns what yields the same of an async generator function."""
    given = args if instance is None else (instance, *args)
    above = open_ancestor(parent)
    if above is None:
        plain: AsyncGenerator[Any, Any] = live.function(*given, **kwargs)
        return plain
    frame = open_call(above, live, args, kwargs, instance)
    assert type(frame) is Frame
    return execute_async_stream(frame, live.function, given, kwargs, instance)


async def execute_async_stream(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> AsyncGenerator[Any, Any]:
    """Runs a call of an async generator function that has begun."""
    course = _course(_StreamCall(frame, args, kwargs, instance))
    source: AsyncGenerator[Any, Any] | None = None
    try:
        order = next(course)
        while True:
            if isinstance(order, Give):
                try:
                    asked = Asked((yield order.chunk))
                except BaseException as e:
                    asked = thrown(e)
                order = course.send(asked)
                continue
            if source is None:
                source = function(*args, **kwargs)
            token = CURRENT.set(frame)
            try:
                found = await async_step(source, order.asked)
            except StopAsyncIteration:
                found = Over(None)
            except BaseException as e:
                found = e
            finally:
                reset(token)
            order = course.throw(found) if isinstance(found, BaseException) else course.send(found)
    except StopIteration:
        return
    finally:
        if not frame.ended:
            frame.recording.torn = frame.ended = True


async def async_step(source: AsyncGenerator[Any, Any], asked: Asked) -> Any:
    """Returns what the program's async generator answers.

    Raises:
        StopAsyncIteration: it is over.
    """
    if asked.closes:
        await source.aclose()
        return Over(None)
    return await (source.asend(asked.value) if asked.error is None else source.athrow(asked.error))
