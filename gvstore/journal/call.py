"""One call: matched with the record that is replayed and answered from it, or executed under a frame of the recorder.

    record_call          what `register` puts in place of a function, inside a recording
    record_async_call    the same for a coroutine function
    execute, ..._async   runs a call that has begun

The program's own frames stand between these: what they raise on the way out
is the program's, but for the faults of recording itself.  Generators have a
file of their own, `stream.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from typing import TYPE_CHECKING, Any

from gvstore.journal.answers import Answer
from gvstore.journal.changes import UNCHANGING, changed_arguments
from gvstore.journal.component import LiveComponent
from gvstore.journal.effect import hold
from gvstore.journal.ending import end_raised, end_returned
from gvstore.journal.fault import IncompleteSubinvocationError
from gvstore.journal.frame import Frame, lane_below, open_ancestor
from gvstore.journal.recorder import CURRENT, question_in
from gvstore.journal.state import state_of
from gvstore.objects.decode import decode
from gvstore.objects.fault import CorruptObject
from gvstore.objects.record import NIL
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.answers import Answers


def open_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Frame | Answer | tuple[Any]:
    """Returns the frame of a call that has begun, or the answer that the record has for it: of a leaf just the value."""
    recording = parent.recording
    try:
        values = live.bind(args, kwargs)
    except TypeError:
        live.function(
            *args if instance is None else (instance, *args), **kwargs
        )  # says what does not fit as Python does
        raise
    data = recording.encode(values)
    state = NIL if instance is None else recording.encode(state_of(instance))
    if recording.unstored:
        warn_opaque(recording.altered() or [])
    answers = parent.answers
    if answers is None:
        return recording.begin(live, parent, data, state, None)
    try:
        if answers.in_order and instance is None and live.plain and not parent.spawned:
            leaf = recording.answer_next(parent, answers, live, data)
            if leaf is not None:
                return leaf
        return _answer_or_begin(parent, answers, live, data, state, instance)
    except CorruptObject as e:
        if isinstance(e.__cause__, RecursionError):  # not the record: the stack of the program ends here
            raise RecursionError(str(e.__cause__)) from None
        raise


def _answer_or_begin(
    parent: Frame, recorded: Answers, live: LiveComponent, data: bytes, state: bytes, instance: Any
) -> Frame | Answer:
    recording = parent.recording
    answer = recorded.take(live, data, state, (lane_below(parent) if parent.spawned else parent).path)
    if answer is None:
        return recording.begin(live, parent, data, state, recorded.unrecorded())
    if live.streams or answer.is_streamed:
        frame = recording.begin(live, parent, data, state, answer.below())
        if live.streams and answer.adopted and answer.is_streamed:
            frame.answer = answer
        hold(frame, answer)
        return frame
    if answer.adopted:
        recording.adopt(parent, answer.part, answer.at, answer.calls)
        return answer
    if answer.override is not None:
        end_returned(recording.begin(live, parent, data, state, None), answer.override[0], instance)
        recording.count_answered()
        return answer
    frame = recording.begin(live, parent, data, state, answer.below())
    hold(frame, answer)
    return frame


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
    if type(frame) is tuple:
        return frame[0]
    if type(frame) is not Frame:
        return _give(frame, parent, live, args, kwargs, instance)  # type: ignore[arg-type]
    try:
        return execute(frame, live.function, given, kwargs, instance)
    except BaseException:
        frame.ended = True  # also where the stack ended before the call did anything
        raise


def _give(
    answer: Answer,
    parent: Frame,
    live: LiveComponent,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    instance: Any,
) -> Any:
    """Returns, or raises, what the record answers; what the recorded call changed is changed."""
    if answer.adopted:
        answer.settle(live, args, kwargs, instance)
    try:
        return answer.give()
    except BaseException as e:
        parent.raised = e
        raise


def execute(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Runs a call that has begun; returns or raises what it does.

    Raises:
        InputChanged, IncompleteSubinvocationError: it broke enact's contract, and is held to it.
    """
    token = CURRENT.set(frame)
    try:
        try:
            result = function(*args, **kwargs)
            changed = NIL
            if kwargs or not UNCHANGING.issuperset(map(type, args)):
                changed = changes(frame, args, kwargs, instance)
            if frame.entries:
                leave_behind(frame)
        except BaseException as e:
            error = failure(frame, e)
            frame.ended = True
            end_raised(frame, error, instance, changes_of_failure(frame, args, kwargs, instance))
            if error is not e:
                raise error from e
            raise
        frame.ended = True
        end_returned(frame, result, instance, changed)
        return result
    except BaseException:
        if not frame.folded:  # nothing may be called here: this may be the end of the stack
            frame.recording.torn = frame.ended = True
        raise
    finally:
        CURRENT.reset(token)


async def record_async_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """The same for a coroutine function."""
    given = args if instance is None else (instance, *args)
    above = open_ancestor(parent)
    if above is None:
        return await live.function(*given, **kwargs)
    frame = open_call(above, live, args, kwargs, instance)
    if type(frame) is tuple:
        return frame[0]
    if type(frame) is not Frame:
        return _give(frame, above, live, args, kwargs, instance)  # type: ignore[arg-type]
    frame.instance = instance
    return await execute_async(frame, live.function, given, kwargs, instance)


async def execute_async(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Runs a coroutine's call that has begun; returns or raises what it does.

    Raises:
        InputChanged, IncompleteSubinvocationError: it broke enact's contract, and is held to it.
    """
    token = CURRENT.set(frame)
    try:
        try:
            result = await function(*args, **kwargs)
            changed = NIL
            if kwargs or not UNCHANGING.issuperset(map(type, args)):
                changed = changes(frame, args, kwargs, instance)
            if frame.entries:
                leave_behind(frame)
        except BaseException as e:
            error = failure(frame, e)
            frame.ended = True
            end_raised(frame, error, instance, changes_of_failure(frame, args, kwargs, instance))
            if error is not e:
                raise error from e
            raise
        frame.ended = True
        end_returned(frame, result, instance, changed)
        return result
    except BaseException:
        if not frame.folded:
            frame.recording.torn = frame.ended = True
        raise
    finally:
        reset(token)


def changes(frame: Frame, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> bytes:
    """Returns the arguments that a call changed, encoded; nil if there are none.

    Raises:
        InputChanged: there are some, and enact's contract forbids it.
    """
    given = args if instance is None else args[1:]
    if UNCHANGING.issuperset(map(type, given)) and UNCHANGING.issuperset(map(type, kwargs.values())):
        return NIL
    return changed_arguments(frame, given, kwargs)


def changes_of_failure(frame: Frame, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> bytes:
    """Returns the same of a call that raised: that it changed something is no fault then."""
    given = args if instance is None else args[1:]
    if UNCHANGING.issuperset(map(type, given)) and UNCHANGING.issuperset(map(type, kwargs.values())):
        return NIL
    return changed_arguments(frame, given, kwargs, refuse=False)


def leave_behind(frame: Frame) -> None:
    """Notes that a call has returned while calls below it still run in tasks or threads.

    Raises:
        IncompleteSubinvocationError: enact's contract forbids it.
    """
    left = frame.first_open()
    if left is None:
        return
    if frame.recording.forbids_changes:
        raise _incomplete(left)
    frame.recording.notes.add(f"{frame.live.qualname} returned while {left.live.qualname}, which it began, was running")


def failure(frame: Frame, error: BaseException) -> BaseException:
    """Returns what a call that raised is said to have raised: that it left a task behind outranks what its body raised."""
    if frame.entries and frame.recording.forbids_changes and isinstance(error, Exception):
        left = frame.first_open()
        if left is not None and not isinstance(error, IncompleteSubinvocationError) and question_in(error) is None:
            return _incomplete(left)
    return error


def _incomplete(left: Frame) -> IncompleteSubinvocationError:
    """Returns the error of leaving a call behind: which of those that the call made."""
    values = decode(left.args, left.recording.objects)
    given = list(values.values() if isinstance(values, dict) else values)
    name = left.live.qualname if left.instance is None else repr(left.instance)
    shown = repr(given[0]) if len(given) == 1 else repr(tuple(given) or None)
    return IncompleteSubinvocationError(
        f"Subinvocation {left.place} did not complete during invocation of parent: {name} invoked on {shown}"
    )


def reset(token: Token[Frame | None]) -> None:
    """Makes the outer frame the innermost again."""
    try:
        CURRENT.reset(token)
    except ValueError:  # a coroutine that is closed by the garbage collector is closed in another context
        pass
