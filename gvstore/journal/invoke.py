"""enact's `invoke`: the record of one call, as a value.

What the call raises is a result if it is an ExceptionResource (a question is
one), and is raised again if it is not.  A call that changes its arguments has
failed; `gv.run` is the word for programs that may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gvstore.journal.answers import Answers
from gvstore.journal.fault import ReplayError
from gvstore.journal.invocation import Invocation
from gvstore.journal.perform import Performed, Subject, Terms, perform, perform_async, subject_of
from gvstore.journal.plan import is_complete
from gvstore.journal.raised import RAISED_THROUGH, ExceptionResource
from gvstore.journal.replay import answers_from, override_of
from gvstore.objects.encode import Encoder
from gvstore.objects.placeholder import Opaque
from gvstore.store.active import current_store
from gvstore.store.ref import Ref
from gvstore.store.store import Store

Override = Callable[[Ref[Any]], Any]  # from a recorded exception to what is answered instead, or None


def _no_override(raised: Ref[Any]) -> None:
    return None


def invoke(
    fun: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None,
    replay_from: Invocation | None = None, exception_override: Override = _no_override,
    raise_on_errors: tuple[type[BaseException], ...] = RAISED_THROUGH, wrap_exceptions: bool = False,
    strict: Any = True, commit: bool = True,
) -> Invocation:  # fmt: skip
    """Returns the record of a call of `fun` on `args` and `kwargs`, into the active store.

    Into a repository it is a run; inside a recording an ordinary value.
    `replay_from` answers what it recorded; `exception_override(ref)` may
    answer for a call whose exception it recorded, with a value or a reference.
    With `wrap_exceptions` native exceptions are results too, but those of
    `raise_on_errors` never.  Without `commit` nothing is stored.

    Raises:
        TypeError: `fun` is to be awaited.
        InputChanged: a call changed one of its arguments.
        whatever it raises that is no ExceptionResource; in a repository the run is kept.
    """
    begun = _begin(fun, args, kwargs, replay_from, exception_override, strict, commit=commit)
    if isinstance(begun, Invocation):
        return begun
    return settle_performed(perform(current_store(), *begun), raise_on_errors, wrap_exceptions=wrap_exceptions)


async def invoke_async(
    fun: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None,
    replay_from: Invocation | None = None, exception_override: Override = _no_override,
    raise_on_errors: tuple[type[BaseException], ...] = RAISED_THROUGH, wrap_exceptions: bool = False,
    strict: Any = True, commit: bool = True,
) -> Invocation:  # fmt: skip
    """Returns what `invoke` does, of what is to be awaited.

    Raises:
        TypeError: `fun` is not to be awaited.
        IncompleteSubinvocationError: a call left a task behind that still ran.
        whatever `invoke` raises.
    """
    begun = _begin(fun, args, kwargs, replay_from, exception_override, strict, commit=commit)
    if isinstance(begun, Invocation):
        return begun
    return settle_performed(
        await perform_async(current_store(), *begun), raise_on_errors, wrap_exceptions=wrap_exceptions
    )


def _begin(
    fun: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any] | None, replay_from: Invocation | None,
    exception_override: Override, strict: Any, *, commit: bool,
) -> tuple[Subject, Terms] | Invocation:  # fmt: skip
    """Returns what is to be executed and on what terms; or the record that is complete already."""
    subject = subject_of(fun, tuple(args), dict(kwargs or {}))
    answers: Answers | None = None
    stands_in = None
    if replay_from is not None:
        replay_from = replay_from.at_home()
        same = _compare(subject, replay_from, current_store(), strict)
        if same and is_complete(replay_from):
            return replay_from
        answers = answers_from(replay_from, exception_override, strict)
        stands_in = override_of(replay_from, answers) if same else None
    return subject, Terms(answers=answers, forbids_changes=True, answer=stands_in, keeps=commit)


def _compare(subject: Subject, recorded: Invocation, store: Store, strict: Any) -> bool:
    """Returns whether the call is the recorded one.

    Raises:
        ReplayError: it is of another component, or strict and with other arguments.
    """
    name = subject.live.name(store.root)
    if name != recorded.component.name:
        raise ReplayError(f"the record is of {recorded.component.name}, and {name} is to be replayed from it")
    if any(isinstance(each, Opaque) for each in recorded.args.values()):  # nobody can tell
        return True
    args = Encoder(recorded.store.objects).nested(subject.live.bind(subject.args, subject.kwargs))
    if strict and args != recorded.call.args:
        raise ReplayError(
            f"the record is of {name} with {recorded.get_input()}, and it is to be replayed with other arguments"
        )
    return args == recorded.call.args


def settle_performed(
    performed: Performed,
    raise_on_errors: tuple[type[BaseException], ...] = RAISED_THROUGH,
    *,
    wrap_exceptions: bool = False,
) -> Invocation:
    """Returns the invocation, or raises how it ended: see `invoke`."""
    error = performed.error
    if error is None or (performed.invocation.status == "waiting" and not isinstance(error, raise_on_errors)):
        return performed.invocation
    if not isinstance(error, Exception) or isinstance(error, raise_on_errors):
        raise error
    if wrap_exceptions or isinstance(error, ExceptionResource):
        return performed.invocation
    raise error
