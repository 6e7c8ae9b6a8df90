"""The top of every execution: where it is recorded, and how it ends.

Into a repository an outermost execution is a run.  Inside a recording, or
into a store that is no repository, it is an invocation and nothing more
(meta-invocation: an ordinary value).
"""

from __future__ import annotations

import collections
import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gvstore.errors import GvError
from gvstore.journal.answers import Answers
from gvstore.journal.call import execute, execute_async
from gvstore.journal.component import LiveComponent
from gvstore.journal.depth import room
from gvstore.journal.fault import InvocationError, is_stop
from gvstore.journal.frame import Frame
from gvstore.journal.invocation import Invocation
from gvstore.journal.recorder import CURRENT, Asker, Recording
from gvstore.journal.register import live_of, register
from gvstore.journal.running import RunningRun, RunOptions, status_of
from gvstore.journal.state import state_of
from gvstore.journal.stream import execute_async_stream, execute_stream
from gvstore.objects.invocation import INVOCATION_BYTE
from gvstore.objects.record import NIL
from gvstore.store.active import activated
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.run import Run
    from gvstore.store.store import Store


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of an execution: the record, the run if it is one, the exception it ended with."""

    invocation: Invocation
    run: Run[Any] | None = None
    error: BaseException | None = None
    unused: tuple[str, ...] = ()  # values that a replay was to put in, and that no call took


@dataclass(frozen=True, slots=True)
class Subject:
    """What is called at the top: a component, the instance it is called on, the arguments."""

    live: LiveComponent
    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def given(self) -> tuple[Any, ...]:
        """What its function is called with."""
        return self.args if self.instance is None else (self.instance, *self.args)

    @property
    def is_async(self) -> bool:
        """Whether it is to be awaited."""
        return inspect.iscoroutinefunction(self.live.function) or inspect.isasyncgenfunction(self.live.function)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms something is executed.

    `answers` is the record of a replay; `asker` answers questions at once;
    `forbids_changes` is enact's contract; `answer` stands in for the root's
    own execution; without `keeps` nothing is stored, and there is no run.
    """

    answers: Answers | None = None
    asker: Asker | None = None
    forbids_changes: bool = False
    answer: Callable[[], Any] | None = None
    keeps: bool = True
    options: RunOptions | None = None


_LAST = "_last_invocation"  # of a store, in its dict


def live_component(subject: Any) -> LiveComponent:
    """Returns the component behind a function, class or instance; an unregistered function may stand at the top."""
    return subject_of(subject, (), {}).live


def subject_of(subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Subject:
    """Returns what a call of `subject` calls: bound methods, partials and callable objects taken apart.

    Raises:
        TypeError: it cannot be called.
    """
    from gvstore.journal.invokable import InvokableBase
    from gvstore.journal.request import Method

    if isinstance(subject, functools.partial):
        return subject_of(subject.func, (*subject.args, *args), {**subject.keywords, **kwargs})
    if isinstance(subject, InvokableBase):
        live = live_of(subject) or live_of(register(type(subject)))
        assert live is not None
        return Subject(live, subject, args, kwargs)
    if isinstance(subject, Method):
        return subject_of(subject.bound(), args, kwargs)
    if isinstance(subject, types.MethodType):
        flavor = "function" if isinstance(subject.__self__, type) else "method"
        live = live_of(subject.__func__) or _unregistered_live(subject.__func__, flavor)
        if live.takes_instance:
            return Subject(live, subject.__self__, args, kwargs)
        return Subject(live, None, (subject.__self__, *args), kwargs)
    live = live_of(subject)
    if live is not None:
        if live.flavor == "method" and args:
            return Subject(live, args[0], args[1:], kwargs)
        return Subject(live, None, args, kwargs)
    if not callable(subject):
        raise TypeError(f"{subject!r} cannot be called")
    called = getattr(type(subject), "__call__", None)  # noqa: B004 - the function itself is wanted
    if type(called) is types.FunctionType:
        return subject_of(types.MethodType(called, subject), args, kwargs)
    return Subject(_unregistered_live(subject, "function"), None, args, kwargs)


def _unregistered_live(subject: Callable[..., Any], flavor: str) -> LiveComponent:
    return LiveComponent(subject, subject, flavor=flavor)


def last_invocation(store: Store) -> Invocation | None:
    """Returns the latest execution in this process that was recorded into a store, also one that raised."""
    found: Invocation | None = vars(store).get(_LAST)
    return found


class Execution:
    """One execution at the top, from its first record to its last."""

    def __init__(self, store: Store, subject: Subject, terms: Terms) -> None:
        self.store, self.subject, self.terms = store, subject, terms
        live = subject.live
        self.values = live.bind(subject.args, subject.kwargs)
        self.running: RunningRun | None = None
        repository = _repository(store)
        if repository is None or CURRENT.get() is not None or not terms.keeps:
            self.recording = Recording(store.objects, root=store.root, answers=terms.answers)
        else:
            options = terms.options or RunOptions(target=live.name(repository.root))
            self.running = RunningRun(repository, options, terms.answers)
            self.recording = self.running.recording
        self.recording.asker, self.recording.forbids_changes = terms.asker, terms.forbids_changes

    def begin(self) -> Frame:
        """Returns the frame of the root call, its beginning written; what fails here is the recorder's."""
        recording, subject = self.recording, self.subject
        data = recording.encode(self.values)
        state = NIL if subject.instance is None else recording.encode(state_of(subject.instance))
        warn_opaque(recording.altered() or [])
        recording.top = recording.begin(subject.live, None, data, state, self.terms.answers)
        return recording.top

    @property
    def function(self) -> Callable[..., Any]:
        """What is executed: the component's function, or what stands in for it."""
        answer = self.terms.answer
        if answer is None:
            return self.subject.live.function
        return _awaitable(answer) if self.subject.is_async else lambda *args, **kwargs: answer()

    def end(self, error: BaseException | None) -> Performed:
        """Returns what came of it, stored."""
        recording = self.recording
        if recording.top is None and error is not None:
            recording.torn = True
        performed = self._end_in_memory(error) if self.running is None else self._end_run(self.running, error)
        vars(self.store)[_LAST] = performed.invocation
        return performed

    def _end_run(self, running: RunningRun, error: BaseException | None) -> Performed:
        recording = self.recording
        if recording.closed:
            raise InvocationError(
                f"this process was forked while run/{running.number} was recorded: it is its parent's"
            )
        unused = self._unused(error)
        recording.notes.update(unused)
        running.finish(error=error)
        if recording.torn and isinstance(error, GvError):
            raise error
        run = running.repo.runs[running.number]
        return Performed(run.invocation, run, _divergence(self.terms.answers, error), unused)

    def _unused(self, error: BaseException | None) -> tuple[str, ...]:
        """Returns what is to be told of values that no call took; nothing where the program did not come to its end."""
        answers, top = self.terms.answers, self.recording.top
        if answers is None or not answers.replayer.mode.places or answers.replayer.fault is not None or top is None or is_stop(error):
            return ()
        from gvstore.journal.unused import unused_values

        return unused_values(answers) if status_of(top.outcome) in ("ok", "raised") else ()

    def _end_in_memory(self, error: BaseException | None) -> Performed:
        recording = self.recording
        recording.closed = True
        top = recording.top
        if top is None or (recording.torn and isinstance(error, GvError)):
            assert error is not None
            raise error
        if not top.folded:
            top.fold(NIL, NIL, 0)
        oid = self.store.objects.write(INVOCATION_BYTE + top.part)
        return Performed(Invocation.of_oid(self.store, oid), None, _divergence(self.terms.answers, error))


def perform(store: Store, subject: Subject, terms: Terms) -> Performed:
    """Executes a component under a recording; what it raises is in the result, not raised.

    Raises:
        TypeError: the arguments do not fit its signature, or it is to be awaited; nothing is recorded.
    """
    if subject.is_async:
        raise TypeError(f"{subject.live.qualname} is async: await gv.run_async or gv.invoke_async")
    execution = Execution(_kept_store(store, terms), subject, terms)
    error: BaseException | None = None
    try:
        frame = execution.begin()
        with activated(execution.store), room():
            call = (frame, execution.function, subject.given, subject.kwargs, subject.instance)
            if subject.live.streams and terms.answer is None:
                collections.deque(execute_stream(*call), maxlen=0)
            else:
                execute(*call)
    except BaseException as e:
        error = e
    return execution.end(error)


async def perform_async(store: Store, subject: Subject, terms: Terms) -> Performed:
    """The same for a component that is to be awaited.

    Raises:
        TypeError: the arguments do not fit its signature, or it is not async; nothing is recorded.
    """
    if not subject.is_async:
        raise TypeError(f"{subject.live.qualname} is not async: use gv.run or gv.invoke")
    execution = Execution(_kept_store(store, terms), subject, terms)
    error: BaseException | None = None
    try:
        frame = execution.begin()
        with activated(execution.store), room():
            call = (frame, execution.function, subject.given, subject.kwargs, subject.instance)
            if subject.live.streams and terms.answer is None:
                async for _ in execute_async_stream(*call):
                    pass
            else:
                await execute_async(*call)
    except BaseException as e:
        error = e
    return execution.end(error)


def perform_any(store: Store, subject: Subject, terms: Terms) -> Performed:
    """The same from where nothing is awaited: a component that is async gets an event loop of its own."""
    if not subject.is_async:
        return perform(store, subject, terms)
    import asyncio

    return asyncio.run(perform_async(store, subject, terms))


def _kept_store(store: Store, terms: Terms) -> Store:
    if terms.keeps:
        return store
    from gvstore.journal.overlay import Overlay

    return Overlay(store.objects).store(store.root)


def _awaitable(answer: Callable[[], Any]) -> Callable[..., Any]:
    async def function(*args: Any, **kwargs: Any) -> Any:
        return answer()

    return function


def _divergence(answers: Answers | None, error: BaseException | None) -> BaseException | None:
    """Returns the error to raise: a strict replay that left the record is one, whatever the program made of it."""
    if answers is None or isinstance(error, KeyboardInterrupt):
        return error
    return answers.replayer.fault or error


def _repository(store: Store) -> Any:
    """Returns the repository that a store belongs to, or None."""
    return getattr(store, "repository", None)
