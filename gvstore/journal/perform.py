"""The top of every execution: where it is recorded, and how it ends.

Into a repository an outermost execution is a run.  Inside a recording, or
into a store that is no repository, it is an invocation and nothing more
(meta-invocation: an ordinary value).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gvstore.errors import GvError
from gvstore.journal.answers import Answers
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import InvocationError
from gvstore.journal.invocation import Invocation
from gvstore.journal.recorder import CURRENT, Recording, execute
from gvstore.journal.register import live_of
from gvstore.journal.running import RunningRun, RunOptions
from gvstore.objects.invocation import INVOCATION_BYTE
from gvstore.objects.record import NIL
from gvstore.store.active import activated
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.run import Run
    from gvstore.store.store import Store


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of an execution: the record, the run if it is one, and the exception it ended with."""

    invocation: Invocation
    run: Run[Any] | None = None
    error: BaseException | None = None


_unregistered: dict[Callable[..., Any], LiveComponent] = {}


def live_component(subject: Any) -> LiveComponent:
    """Returns the component behind a function, class or instance; an unregistered function may stand at the top."""
    live = live_of(subject)
    if live is not None:
        return live
    if not callable(subject):
        raise TypeError(f"{subject!r} cannot be called")
    if subject not in _unregistered:
        _unregistered[subject] = LiveComponent(subject, subject, flavor="function")
    return _unregistered[subject]


def perform(
    store: Store,
    live: LiveComponent,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    instance: Any = None,
    answers: Answers | None = None,
    options: RunOptions | None = None,
) -> Performed:
    """Executes a component under a recording; what it raises is in the result, not raised.

    Raises:
        TypeError: the arguments do not fit its signature; nothing is recorded.
    """
    if inspect.iscoroutinefunction(live.function):
        raise TypeError(f"{live.qualname} is async: await it inside a component, or run it with asyncio.run in one")
    values = live.bind(args, kwargs)
    given = args if instance is None else (instance, *args)
    repository = _repository(store)
    if repository is None or CURRENT.get() is not None:
        return _perform_in_memory(store, live, values, given, kwargs, instance, answers)
    running = RunningRun(repository, options or RunOptions(target=live.name(repository.path)), answers)
    recording = running.recording
    error = _execute(recording, store, live, values, given, kwargs, instance, answers)
    if recording.closed:
        raise InvocationError(f"this process was forked while run/{running.number} was recorded: it is its parent's")
    running.finish(error=error)
    if recording.torn and isinstance(error, GvError):
        raise error
    run = repository.runs[running.number]
    return Performed(run.invocation, run, _divergence(answers, error))


def _perform_in_memory(
    store: Store, live: LiveComponent, values: Any, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any,
    answers: Answers | None,
) -> Performed:  # fmt: skip
    recording = Recording(store.objects, root=store.root, answers=answers)
    error = _execute(recording, store, live, values, args, kwargs, instance, answers)
    recording.closed = True
    top = recording.top
    if top is None or (recording.torn and isinstance(error, GvError)):
        assert error is not None
        raise error
    if not top.folded:
        top.fold(NIL, NIL, 0)
    oid = store.objects.write(INVOCATION_BYTE + top.part)
    return Performed(Invocation.of_oid(store, oid), None, _divergence(answers, error))


def _divergence(answers: Answers | None, error: BaseException | None) -> BaseException | None:
    """Returns the error to raise: a strict replay that left the record is one, whatever the program made of it."""
    if answers is None or isinstance(error, KeyboardInterrupt):
        return error
    return answers.replayer.fault or error


def _execute(
    recording: Recording, store: Store, live: LiveComponent, values: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
    instance: Any, answers: Answers | None,
) -> BaseException | None:  # fmt: skip
    """Returns what the call raised, or the recorder: then the recording is torn."""
    try:
        data = recording.encode(values)
        state = NIL if instance is None else recording.encode(instance)
        warn_opaque(recording.altered() or [])
        frame = recording.top = recording.begin(live, None, data, state, answers)
        with activated(store):
            execute(frame, live.function, args, kwargs, instance)
    except BaseException as e:
        if recording.top is None:
            recording.torn = True
        return e
    return None


def _repository(store: Store) -> Any:
    """Returns the repository that a store belongs to, or None."""
    return getattr(store, "repository", None)
