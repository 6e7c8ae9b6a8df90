"""The top of every execution: where it is recorded, and how it ends.

Into a repository an outermost execution is a run.  Inside a recording, or
into a store that is no repository, it is an invocation and nothing more
(meta-invocation: an ordinary value).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gvstore.journal.answers import Answers
from gvstore.journal.component import LiveComponent
from gvstore.journal.invocation import Invocation
from gvstore.journal.recorder import CURRENT, Recording, execute
from gvstore.journal.register import live_of
from gvstore.journal.running import RunningRun, RunOptions, put_root
from gvstore.objects.record import NIL
from gvstore.store.active import activated

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
    values = live.bind(args, kwargs)
    given = args if instance is None else (instance, *args)
    repository = _repository(store)
    if repository is None or CURRENT.get() is not None:
        recording = Recording(store.objects, root=store.root, answers=answers)
        error = _execute(recording, store, live, values, given, kwargs, instance, answers)
        oid = put_root(recording, recording.top)
        return Performed(Invocation.of_oid(store, oid), None, error)
    running = RunningRun(repository, options or RunOptions(target=live.name(repository.path)), answers)
    error = _execute(running.recording, store, live, values, given, kwargs, instance, answers)
    running.finish(running.recording.top, error=error)
    run = repository.runs[running.number]
    return Performed(run.invocation, run, error)


def _execute(
    recording: Recording, store: Store, live: LiveComponent, values: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
    instance: Any, answers: Answers | None,
) -> BaseException | None:  # fmt: skip
    data = recording.encode(values)
    state = NIL if instance is None else recording.encode(instance)
    frame = recording.top = recording.begin(live, None, data, state, answers)
    with activated(store):
        try:
            execute(frame, live.function, args, kwargs, instance)
        except BaseException as e:
            return e
    return None


def _repository(store: Store) -> Any:
    """Returns the repository that a store belongs to, or None."""
    return getattr(store, "repository", None)
