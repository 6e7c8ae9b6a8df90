"""Replaying an invocation: the same call again, with its record for answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from gvstore import host
from gvstore.journal.answers import Answers, overridden
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import InvocationError, ReplayError, is_stop
from gvstore.journal.invocation import Invocation
from gvstore.journal.maker import make_again
from gvstore.journal.mode import ReplayMode
from gvstore.journal.perform import Performed, Subject, Terms, perform, perform_any, perform_async
from gvstore.journal.pick import with_picks
from gvstore.journal.plan import is_complete
from gvstore.journal.recorder import Asker
from gvstore.journal.redact import fill_holes, has_holes
from gvstore.journal.register import OBJECTS, find_registered, registered_for
from gvstore.journal.replayer import STRICT_CALLS, STRICT_CODE, Replayer
from gvstore.journal.rewind import rewind_before
from gvstore.journal.running import RunOptions
from gvstore.journal.state import made_from
from gvstore.objects import number
from gvstore.objects.invocation import outcome_number, part_body
from gvstore.objects.placeholder import Opaque
from gvstore.objects.wire import link_bytes, split
from gvstore.store.active import activated

STRICTNESS = {True: STRICT_CALLS, False: "", None: "", STRICT_CALLS: STRICT_CALLS, STRICT_CODE: STRICT_CODE, "": ""}
AS_USUAL: Final = ReplayMode()
History = Callable[[], Iterable[bytes]]


def perform_replay(
    invocation: Invocation, *, exception_override: Any = None, strict: Any = False, options: RunOptions | None = None,
    asker: Asker | None = None, mode: ReplayMode = AS_USUAL, history: History | None = None,
) -> Performed:  # fmt: skip
    """Executes the invocation's root again, its record for answers; what it raises is in the result.

    What is to be awaited gets an event loop of its own.  `history` returns the
    parts of the runs that the record is derived from.
    """
    subject, terms = prepared(invocation, exception_override, strict, mode, history)
    return _told(perform_any(invocation.store, subject, replace(terms, options=options, asker=asker)), terms)


def replay_invocation(invocation: Invocation, *, exception_override: Any, strict: Any, mode: ReplayMode) -> Invocation:
    """Returns the invocation completed; a complete and fresh one at once."""
    if is_complete(invocation, mode):
        return invocation
    subject, terms = prepared(invocation, exception_override, strict, mode)
    return _settled(_told(perform(invocation.store, subject, terms), terms))


async def replay_invocation_async(
    invocation: Invocation, *, exception_override: Any, strict: Any, mode: ReplayMode
) -> Invocation:
    """Returns the same of what is to be awaited."""
    if is_complete(invocation, mode):
        return invocation
    subject, terms = prepared(invocation, exception_override, strict, mode)
    return _settled(_told(await perform_async(invocation.store, subject, terms), terms))


def _settled(performed: Performed) -> Invocation:
    from gvstore.journal.invoke import settle_performed

    return settle_performed(performed)


def _told(performed: Performed, terms: Terms) -> Performed:
    """Returns the result with the limit that stopped the program in place of what stopped it."""
    if not is_stop(performed.error) or terms.answers is None:
        return performed
    return replace(performed, error=terms.answers.replayer.stopped(str(performed.error)))


def answers_from(
    invocation: Invocation, exception_override: Any, strict: Any, mode: ReplayMode = AS_USUAL,
    history: History | None = None,
) -> Answers:  # fmt: skip
    """Returns an invocation's calls as answers for a replay.

    Raises:
        ReplayError: strict on code, and that of the root call changed.
        InvocationError: the root call is not to be executed a second time.
    """
    if strict not in STRICTNESS:
        raise ValueError(f"strict is True, False or 'code', not {strict!r}")
    store = invocation.store
    replayer = Replayer(
        store.objects, root=store.root, strict=STRICTNESS[strict], overrides=exception_override, mode=mode,
        history=history,
    )  # fmt: skip
    standing = replayer.standing(link_bytes(invocation.call.component))
    if replayer.strict == STRICT_CODE and standing.stale:
        raise ReplayError(standing.stale)
    waits = outcome_number(invocation.call.outcome) == number.WAITING
    if standing.effect == "once" and not mode.effects and not waits:
        raise InvocationError(
            f'{invocation.component.name} has effect="once" and was executed before',
            hint="Replay with --effects (in Python: effects=True) to execute it again.",
        )
    return Answers(replayer, invocation.call.children, invocation.call.lanes)


def override_of(invocation: Invocation, answers: Answers) -> Callable[[], Any] | None:
    """Returns what stands in for the root's own execution, where `exception_override` answers for it."""
    with activated(invocation.store):
        found = overridden(
            invocation.part, split(part_body(invocation.part, invocation.store.objects)), answers.replayer
        )
    return None if found is None else lambda: found[0]


def prepared(
    invocation: Invocation,
    exception_override: Any,
    strict: Any,
    mode: ReplayMode = AS_USUAL,
    history: History | None = None,
) -> tuple[Subject, Terms]:
    """Returns the recorded root call, to be called again, and its record for answers."""
    invocation = with_picks(invocation, mode.picks)
    if mode.start is not None:
        whole, earlier = invocation.part, history or tuple
        history = lambda: (whole, *earlier())  # noqa: E731 - what is rewound here happened too
        invocation = rewind_before(invocation, mode.start)
    answers = answers_from(invocation, exception_override, strict, mode, history)
    return subject_of_record(invocation, mode.alias), Terms(answers=answers, answer=override_of(invocation, answers))


def subject_of_record(invocation: Invocation, alias: Mapping[str, str]) -> Subject:
    """Returns what a recorded root call called, to be called again with the same; `alias` tells of components by another name.

    Raises:
        NoSuchComponent: its component is not registered.
        InvocationError: what it was given is not recorded, or does not fit any more.
    """
    recorded, root = invocation.component, invocation.store.root
    name = alias.get(recorded.name, recorded.name)
    if recorded.flavor in OBJECTS:
        make_again(replace(recorded, name=name), root)
    same = [live for live in registered_for(recorded, root, name) if live.component(root).code == recorded.code]
    live = same[0] if same else find_registered(name, root, recorded)
    args, kwargs, instance = _arguments(invocation, live)
    return Subject(live, instance, args, kwargs)


def _arguments(invocation: Invocation, live: LiveComponent) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """Returns (args, kwargs, instance) of the recorded root call, to be called again."""
    values = invocation.args
    unknown = set(values) - set(live.parameters)
    if unknown and values.keys() != {"args", "kwargs"}:
        was, now = invocation.component.signature, live.signature
        raise InvocationError(
            f"the signature of {invocation.component.name} changed: it was {was}, it is {now}",
            hint="Run it anew with `gv run`, or bring back the code with `gv checkout run/N`.",
        )
    for name, value in values.items():
        if isinstance(value, Opaque) and name not in live.ignore:
            raise InvocationError(
                f"the argument {name} of {invocation.name} could not be stored, so it cannot be replayed"
            )
    values = {name: _without_holes(name, value, invocation) for name, value in values.items()}
    try:
        args, kwargs = live.spread(values)
    except KeyError as e:
        what = "an ignored" if e.args[0] in live.ignore else "a new"
        raise InvocationError(f"{invocation.name} has {what} parameter {e.args[0]!r} without a default") from e
    return args, kwargs, made_from(_without_holes("self", invocation.state, invocation))


def _without_holes(name: str, value: Any, invocation: Invocation) -> Any:
    """Returns an argument with the secrets that the record leaves out, from the environment of today."""
    if not has_holes(value):
        return value
    filled = fill_holes(value, host.environment())
    if has_holes(filled):
        raise InvocationError(
            f"the argument {name} of {invocation.name} held a secret, which is not recorded",
            hint="Set the environment variable that held it, or run it anew.",
        )
    return filled
