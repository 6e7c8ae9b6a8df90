"""One call: matched with the record that is replayed and answered from it, or executed under a frame of the recorder.

    record_call          what `register` puts in place of a function, inside a recording
    record_async_call    the same for a coroutine function
    execute, ..._async   runs a call that has begun

The program's own frames stand between these: what they raise on the way out
is the program's, but for the faults of recording itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from typing import TYPE_CHECKING, Any, Final

from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import IncompleteSubinvocationError, InputChanged
from gvstore.journal.recorder import CURRENT, Frame, question_in
from gvstore.objects.decode import decode
from gvstore.objects.fault import CorruptObject
from gvstore.objects.record import NIL
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.answers import Answer, Answers, Leaf

_UNCHANGING: Final = frozenset({type(None), bool, int, float, str, bytes})


def open_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Frame | Answer | Leaf:
    """Returns the frame of a call that has begun, or the answer that the record has for it."""
    recording = parent.recording
    try:
        values = live.bind(args, kwargs)
    except TypeError:
        live.function(
            *args if instance is None else (instance, *args), **kwargs
        )  # says what does not fit as Python does
        raise
    data = recording.encode(values)
    state = NIL if instance is None else recording.encode(instance)
    if recording.unstored:
        warn_opaque(recording.altered() or [])
    if parent.answers is None:
        return recording.begin(live, parent, data, state, None)
    try:
        return _answer_or_begin(parent, parent.answers, live, data, state, instance)
    except CorruptObject as e:
        if isinstance(e.__cause__, RecursionError):  # not the record: the stack of the program ends here
            raise RecursionError(str(e.__cause__)) from None
        raise


def _answer_or_begin(
    parent: Frame, recorded: Answers, live: LiveComponent, data: bytes, state: bytes, instance: Any
) -> Frame | Answer | Leaf:
    recording = parent.recording
    if instance is None and not live.effect:
        known = recording.known(live)
        leaf = recorded.take_next(known[1], data)
        if leaf is not None:
            recording.adopt(parent, leaf.part, leaf.at, 1)
            return leaf
    answer = recorded.take(live, data, state)
    if answer is None:
        return recording.begin(live, parent, data, state, None)
    if answer.adopted:
        recording.adopt(parent, answer.part, answer.at, answer.calls)
        return answer
    if answer.override is not None:
        recording.begin(live, parent, data, state, None).returned(answer.override[0], instance)
        return answer
    return recording.begin(live, parent, data, state, answer.below())


def open_ancestor(frame: Frame) -> Frame | None:
    """Returns the nearest frame whose function still runs, from `frame` outwards.

    A thread or task that outlives the call which began it keeps that call's
    frame; so does a program that went on where the stack had ended.
    """
    found: Frame | None = frame
    while found is not None and found.ended:
        found = found.parent
    return found


def record_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Records one call, or answers it; returns or raises what it does."""
    given = args if instance is None else (instance, *args)
    if parent.ended:
        above = open_ancestor(parent)
        if above is None:
            return live.function(*given, **kwargs)
        parent = above
    frame = open_call(parent, live, args, kwargs, instance)
    if not isinstance(frame, Frame):
        return _give(frame, parent, instance)
    return execute(frame, live.function, given, kwargs, instance)


def _give(answer: Answer | Leaf, parent: Frame, instance: Any) -> Any:
    try:
        return answer.give(instance)
    except BaseException as e:
        parent.raised = e
        raise


def execute(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Runs a call that has begun; returns or raises what it does."""
    token = CURRENT.set(frame)
    try:
        try:
            result = function(*args, **kwargs)
            if frame.recording.forbids_changes:
                _refuse_changes(frame, args, kwargs, instance)
        except BaseException as e:
            frame.ended = True
            frame.failed(e, instance)
            raise
        frame.ended = True
        frame.returned(result, instance)
        return result
    except BaseException:
        if not frame.folded:  # nothing may be called here: this may be the end of the stack
            frame.recording.torn = frame.ended = True
        raise
    finally:
        CURRENT.reset(token)


def _refuse_changes(frame: Frame, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> None:
    """Returns if the arguments are what they were when the call began.

    Raises:
        InputChanged: they are not.
    """
    given = args if instance is None else args[1:]
    if not kwargs and _UNCHANGING.issuperset(map(type, given)):
        return
    recording = frame.recording
    after = recording.encode(frame.live.bind(given, kwargs))
    if recording.unstored:
        recording.altered()
    if after != frame.args:
        raise InputChanged(f"{frame.live.qualname} changed its arguments while it ran")


async def record_async_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """The same for a coroutine function."""
    given = args if instance is None else (instance, *args)
    above = open_ancestor(parent)
    if above is None:
        return await live.function(*given, **kwargs)
    frame = open_call(above, live, args, kwargs, instance)
    if not isinstance(frame, Frame):
        return _give(frame, above, instance)
    if above.open is None:
        above.open = {}
    above.open[frame] = instance
    try:
        return await execute_async(frame, live.function, given, kwargs, instance)
    finally:
        above.open.pop(frame, None)


async def execute_async(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Runs a coroutine's call that has begun; returns or raises what it does.

    Raises:
        IncompleteSubinvocationError: a task that it began goes on without it.
    """
    token = CURRENT.set(frame)
    try:
        try:
            try:
                result = await function(*args, **kwargs)
            except Exception as e:
                if frame.open and question_in(e) is None:
                    raise _incomplete(frame) from e
                raise
            if frame.open:
                raise _incomplete(frame)
            if frame.recording.forbids_changes:
                _refuse_changes(frame, args, kwargs, instance)
        except BaseException as e:
            frame.ended = True
            frame.failed(e, instance)
            raise
        frame.ended = True
        frame.returned(result, instance)
        return result
    except BaseException:
        if not frame.folded:
            frame.recording.torn = frame.ended = True
        raise
    finally:
        _reset(token)


def _incomplete(frame: Frame) -> IncompleteSubinvocationError:
    """Returns the error of leaving a task behind: which of the coroutines that the call called."""
    assert frame.open
    child, instance = next(iter(frame.open.items()))
    values = decode(child.args, child.recording.objects)
    given = list(values.values() if isinstance(values, dict) else values)
    name = child.live.qualname if instance is None else repr(instance)
    shown = repr(given[0]) if len(given) == 1 else repr(tuple(given) or None)
    return IncompleteSubinvocationError(
        f"Subinvocation {child.place} did not complete during invocation of parent: {name} invoked on {shown}"
    )


def _reset(token: Token[Frame | None]) -> None:
    try:
        CURRENT.reset(token)
    except ValueError:  # a coroutine that is closed by the garbage collector is closed in another context
        pass
