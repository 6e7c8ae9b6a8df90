"""The calls that hand out streams: they go on while what they gave is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

from gvstore.machine import walk
from gvstore.machine.call import Asked, CallFault, Course, acalling, calling
from gvstore.machine.stream_result import AsyncStreamingResultContainer, StreamingResultContainer
from gvstore.machine.turn import Done, Ended, begin

if TYPE_CHECKING:
    from gvstore.machine.application import Application


def stream_result(app: Application[Any], asked: Asked) -> tuple[Any, StreamingResultContainer]:
    """Runs up to where it halts, and returns the action there with what it streams."""
    _must_halt(asked)
    pieces = _pieces(app, asked)
    first = next(pieces)
    if isinstance(first, Ended):
        pieces.close()
        return first.done[0], StreamingResultContainer.pass_through(first.done[1], first.done[2])
    return first, StreamingResultContainer(pieces)


async def astream_result(app: Application[Any], asked: Asked) -> tuple[Any, AsyncStreamingResultContainer]:
    """Runs up to where it halts, and returns the action there with what it streams."""
    _must_halt(asked)
    pieces = _apieces(app, asked)
    first = await anext(pieces)
    if isinstance(first, Ended):
        await pieces.aclose()
        return first.done[0], AsyncStreamingResultContainer.pass_through(first.done[1], first.done[2])
    return first, AsyncStreamingResultContainer(pieces)


def stream_iterate(
    app: Application[Any], asked: Asked
) -> Generator[tuple[Any, StreamingResultContainer], None, Any]:
    """Yields each action with what it streams, and returns what the call answers."""
    with calling(app, asked) as execution:
        course = Course(app, asked)
        while True:
            course.bound()
            turn = begin(app, asked.inputs, asked.method)
            if turn is None:
                break
            if _is_streaming(turn.action):
                container = StreamingResultContainer(walk.stream(turn, execution))
                with turn.streaming():
                    yield turn.action, container
                    result, state = container.get()
                course.took((turn.action, result, state))
            else:
                done = walk.perform(turn, execution)
                course.took(done)
                yield done[0], StreamingResultContainer.pass_through(done[1], done[2])
            if course.is_over():
                break
        return course.end(execution)


async def astream_iterate(
    app: Application[Any], asked: Asked
) -> AsyncGenerator[tuple[Any, AsyncStreamingResultContainer], None]:
    """Yields each action with what it streams."""
    async with acalling(app, asked) as execution:
        course = Course(app, asked)
        while True:
            course.bound()
            turn = begin(app, asked.inputs, asked.method)
            if turn is None:
                break
            if _is_streaming(turn.action):
                container = AsyncStreamingResultContainer(walk.astream(turn, execution))
                with turn.streaming():
                    yield turn.action, container
                    result, state = await container.get()
                course.took((turn.action, result, state))
            else:
                done = await walk.aperform(turn, execution)
                course.took(done)
                yield done[0], AsyncStreamingResultContainer.pass_through(done[1], done[2])
            if course.is_over():
                break
        course.end(execution)


def _pieces(app: Application[Any], asked: Asked) -> Generator[Any, None, Done]:
    """Yields the action that it halts at, then what that streams; or how it ended without."""
    with calling(app, asked) as execution:
        course = Course(app, asked)
        while True:
            course.bound()
            turn = begin(app, asked.inputs, asked.method)
            if turn is None:
                break
            if _is_streaming(turn.action) and course.halts.would_stop_after(turn.name):
                with turn.streaming():
                    yield turn.action
                    course.took((yield from walk.stream(turn, execution)))
                return course.end(execution)  # type: ignore[no-any-return]
            course.took(walk.perform(turn, execution))
            if course.is_over():
                break
        done: Done = course.end(execution)
    yield Ended(done)
    return done


async def _apieces(app: Application[Any], asked: Asked) -> AsyncGenerator[Any, None]:
    """Yields the action that it halts at, then what that streams and last how it ended; or at once how it ended."""
    async with acalling(app, asked) as execution:
        course = Course(app, asked)
        while True:
            course.bound()
            turn = begin(app, asked.inputs, asked.method)
            if turn is None:
                break
            if _is_streaming(turn.action) and course.halts.would_stop_after(turn.name):
                with turn.streaming():
                    yield turn.action
                    items = walk.astream(turn, execution)
                    try:
                        async for item in items:
                            if isinstance(item, Ended):
                                course.took(item.done)
                            else:
                                yield item
                    finally:
                        await items.aclose()
                yield Ended(course.end(execution))
                return
            course.took(await walk.aperform(turn, execution))
            if course.is_over():
                break
        done: Done = course.end(execution)
    yield Ended(done)


def _must_halt(asked: Asked) -> None:
    if not asked.after and not asked.before:
        raise CallFault(f"{asked.method}() must be told where to halt", hint='Type halt_after=["name of the action that streams"].')


def _is_streaming(action: Any) -> bool:
    return bool(getattr(action, "streaming", False))
