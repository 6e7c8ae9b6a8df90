"""How an application goes from step to step: begin, tell hooks, execute, take, save, tell hooks.

Each way stands here twice, plain and awaited; what they do lies in `turn.py`.
A hook or persister that raises is heard after the step is taken, so that no step is lost.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gvstore import host
from gvstore.machine.cycle import Outcome
from gvstore.machine.turn import Done, Ended, Turn, begin

if TYPE_CHECKING:
    from gvstore.machine.application import Application
    from gvstore.machine.execution import Execution


def step(app: Application[Any], execution: Execution, inputs: Mapping[str, Any], method: str) -> Done | None:
    """Runs the next step and returns what it gave; None at the end."""
    turn = begin(app, inputs, method)
    return None if turn is None else perform(turn, execution)


def perform(turn: Turn, execution: Execution) -> Done:
    """Runs a step that was begun."""
    app = turn.app
    if "pre_run_step" in app._hooked:
        app._hooks.call_all_lifecycle_hooks_sync("pre_run_step", **turn.before())
    turn.start()
    try:
        with turn.within():
            outcome = execution.step(turn.action, turn.state, turn.given)
    except BaseException as e:
        done = turn.fail(e)
        if done is None:
            noting(e, lambda: _after(turn))
            raise
        _after(turn)
        return done
    done = turn.finish(outcome.result, outcome.state)
    _after(turn)
    return done


async def astep(app: Application[Any], execution: Execution, inputs: Mapping[str, Any], method: str) -> Done | None:
    """Runs the next step, as `step`."""
    turn = begin(app, inputs, method)
    return None if turn is None else await aperform(turn, execution)


async def aperform(turn: Turn, execution: Execution) -> Done:
    """Runs a step that was begun."""
    app = turn.app
    if "pre_run_step" in app._ahooked:
        await app._hooks.call_all_lifecycle_hooks_sync_and_async("pre_run_step", **turn.before())
    turn.start()
    try:
        with turn.within():
            outcome = await execution.astep(turn.action, turn.state, turn.given)
    except BaseException as e:
        done = turn.fail(e)
        if done is None:
            await anoting(e, _aafter(turn))
            raise
        await _aafter(turn)
        return done
    done = turn.finish(outcome.result, outcome.state)
    await _aafter(turn)
    return done


def stream(turn: Turn, execution: Execution) -> Generator[Any, None, Done]:
    """Runs a streaming step that was begun: yields its results, and returns what it gave."""
    app, told = turn.app, _Stream(turn)
    hooks, hooked = app._hooks, app._hooked
    if "pre_run_step" in hooked:
        hooks.call_all_lifecycle_hooks_sync("pre_run_step", **turn.before())
    if "pre_start_stream" in hooked:
        hooks.call_all_lifecycle_hooks_sync("pre_start_stream", **told.base)
    turn.start()
    try:
        items = execution.stream(turn.action, turn.state, turn.given)
        try:
            while True:
                try:
                    with turn.within():
                        item = next(items)
                except StopIteration as stop:
                    outcome = stop.value
                    break
                if "post_stream_item" in hooked:
                    hooks.call_all_lifecycle_hooks_sync("post_stream_item", **told.item(item))
                yield item
        finally:  # now, and here: the collector would do it some time, in any thread
            with turn.within():
                items.close()
    except BaseException as e:
        done = turn.fail(e)
        if done is None:
            noting(e, lambda: _after(turn, told))
            raise
        _after(turn, told)
        return done
    done = turn.finish(outcome.result, outcome.state)
    _after(turn, told)
    return done


async def astream(turn: Turn, execution: Execution) -> AsyncGenerator[Any, None]:
    """Runs a streaming step that was begun: yields its results, and last an Ended."""
    app, told = turn.app, _Stream(turn)
    hooks, hooked = app._hooks, app._ahooked
    if "pre_run_step" in hooked:
        await hooks.call_all_lifecycle_hooks_sync_and_async("pre_run_step", **turn.before())
    if "pre_start_stream" in hooked:
        await hooks.call_all_lifecycle_hooks_sync_and_async("pre_start_stream", **told.base)
    turn.start()
    outcome = None
    try:
        items = execution.astream(turn.action, turn.state, turn.given)
        try:
            while True:
                try:
                    with turn.within():
                        item = await anext(items)
                except StopAsyncIteration:
                    break
                if isinstance(item, Outcome):
                    outcome = item
                    continue
                if "post_stream_item" in hooked:
                    await hooks.call_all_lifecycle_hooks_sync_and_async("post_stream_item", **told.item(item))
                yield item
        finally:
            with turn.within():
                await items.aclose()
    except BaseException as e:
        done = turn.fail(e)
        if done is None:
            await anoting(e, _aafter(turn, told))
            raise
        await _aafter(turn, told)
        yield Ended(done)
        return
    assert outcome is not None
    done = turn.finish(outcome.result, outcome.state)
    await _aafter(turn, told)
    yield Ended(done)


class _Stream:
    """What hooks are told of a stream."""

    def __init__(self, turn: Turn) -> None:
        app = turn.app
        self.base = {
            "action": turn.name,
            "sequence_id": turn.number,
            "app_id": app._uid,
            "partition_key": app._partition_key,
        }
        self.begun, self.count = _now(), -1
        self.first: datetime | None = None

    def item(self, item: Any) -> dict[str, Any]:
        """Returns what hooks are told of one item."""
        self.count += 1
        self.first = self.first or _now()
        return {
            **self.base,
            "item": item,
            "item_index": self.count,
            "stream_initialize_time": self.begun,
            "first_stream_item_start_time": self.first,
        }


def _now() -> datetime:
    return datetime.fromtimestamp(host.now_us() / 1e6, UTC)


def _after(turn: Turn, told: _Stream | None = None) -> None:
    app = turn.app
    try:
        if app._saver is not None:
            app._saver.step(turn)
    finally:
        if told is not None and "post_end_stream" in app._hooked:
            app._hooks.call_all_lifecycle_hooks_sync("post_end_stream", **told.base)
        if "post_run_step" in app._hooked:
            app._hooks.call_all_lifecycle_hooks_sync("post_run_step", **turn.after())
    if turn.tracer is not None:
        turn.tracer.raise_errors()


async def _aafter(turn: Turn, told: _Stream | None = None) -> None:
    app = turn.app
    if turn.tracer is not None:
        await turn.tracer.flush()
    try:
        if app._saver is not None:
            await app._saver.astep(turn)
    finally:
        if told is not None and "post_end_stream" in app._ahooked:
            await app._hooks.call_all_lifecycle_hooks_sync_and_async("post_end_stream", **told.base)
        if "post_run_step" in app._ahooked:
            await app._hooks.call_all_lifecycle_hooks_sync_and_async("post_run_step", **turn.after())
    if turn.tracer is not None:
        turn.tracer.raise_errors()


def noting(error: BaseException, tell: Callable[[], None]) -> None:
    """Calls `tell`; if that raises too, `error` stays what is raised and says so."""
    try:
        tell()
    except Exception as e:
        _note(error, e)


async def anoting(error: BaseException, telling: Awaitable[None]) -> None:
    """Awaits `telling`, as `noting` calls."""
    try:
        await telling
    except Exception as e:
        _note(error, e)


def _note(error: BaseException, other: Exception) -> None:
    error.add_note(f"after it, {type(other).__name__} was raised: {other}")
