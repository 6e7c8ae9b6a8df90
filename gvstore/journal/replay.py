"""Replaying an invocation: the same call again, with its record for answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from gvstore import host
from gvstore.journal.answers import STRICT_CALLS, STRICT_CODE, Answers, Replayer, overridden
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import InvocationError, ReplayError
from gvstore.journal.invocation import Invocation
from gvstore.journal.perform import Performed, Subject, Terms, perform, perform_any, perform_async
from gvstore.journal.recorder import Asker
from gvstore.journal.redact import fill_holes, has_holes
from gvstore.journal.register import find_registered
from gvstore.journal.running import RunOptions
from gvstore.journal.state import made_from
from gvstore.objects import number
from gvstore.objects.invocation import PartList, outcome_number, part_body
from gvstore.objects.placeholder import Opaque
from gvstore.objects.record import NIL
from gvstore.objects.wire import link_bytes, split
from gvstore.store.active import activated

STRICTNESS = {True: STRICT_CALLS, False: "", None: "", STRICT_CALLS: STRICT_CALLS, STRICT_CODE: STRICT_CODE, "": ""}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would do with the recorded calls, and why: component name -> reason.

    `open` counts fresh calls below one whose own code changed: whether they
    are asked the same again shows only when it runs.
    """

    reuse: int
    run: int
    open: int = 0
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether there is nothing to run."""
        return self.run == 0


def plan_replay(invocation: Invocation) -> Plan:
    """Returns what a replay would reuse and run of the recorded calls, the root's own among them."""
    store = invocation.store
    replayer = Replayer(store.objects, root=store.root)
    reuse = run = unsure = 0
    reasons: dict[str, str] = {}
    stack = [(invocation.part, False)]
    while stack:
        part, changed = stack.pop()
        fresh, calls = replayer.subtree(part)
        elements = split(part_body(part, replayer.reader))
        outcome = elements[3] if len(elements) > 3 else NIL
        if fresh and outcome_number(outcome) == number.RETURNED and outcome[0] == 0x92:
            if changed:
                unsure += calls
            else:
                reuse += calls
            continue
        run += 1
        name = replayer.component(elements[1]).name
        why = replayer.why_stale(elements[1])
        if why:
            reasons[name] = why
        if len(elements) > 4:
            stack.extend(
                (each, changed or bool(why)) for each in reversed(list(PartList(elements[4], replayer.reader)))
            )
    return Plan(reuse, run, unsure, reasons)


def perform_replay(
    invocation: Invocation, *, exception_override: Any = None, strict: Any = False, options: RunOptions | None = None,
    asker: Asker | None = None,
) -> Performed:  # fmt: skip
    """Executes the invocation's root again, its record for answers; what it raises is in the result.

    What is to be awaited gets an event loop of its own.
    """
    subject, terms = prepared(invocation, exception_override, strict)
    return perform_any(invocation.store, subject, replace(terms, options=options, asker=asker))


def replay_invocation(invocation: Invocation, *, exception_override: Any, strict: Any) -> Invocation:
    """Returns the invocation completed; a complete and fresh one at once."""
    if invocation.successful() and plan_replay(invocation).complete:
        return invocation
    subject, terms = prepared(invocation, exception_override, strict)
    return _settled(perform(invocation.store, subject, terms))


async def replay_invocation_async(invocation: Invocation, *, exception_override: Any, strict: Any) -> Invocation:
    """Returns the same of what is to be awaited."""
    if invocation.successful() and plan_replay(invocation).complete:
        return invocation
    subject, terms = prepared(invocation, exception_override, strict)
    return _settled(await perform_async(invocation.store, subject, terms))


def _settled(performed: Performed) -> Invocation:
    from gvstore.journal.invoke import settle_performed

    return settle_performed(performed)


def answers_from(invocation: Invocation, exception_override: Any, strict: Any) -> Answers:
    """Returns an invocation's calls as answers for a replay."""
    if strict not in STRICTNESS:
        raise ValueError(f"strict is True, False or 'code', not {strict!r}")
    store = invocation.store
    replayer = Replayer(store.objects, root=store.root, strict=STRICTNESS[strict], overrides=exception_override)
    if replayer.strict == STRICT_CODE and (why := replayer.why_stale(link_bytes(invocation.call.component))):
        raise ReplayError(why)
    return Answers(replayer, invocation.call.children, invocation.call.lanes)


def override_of(invocation: Invocation, answers: Answers) -> Callable[[], Any] | None:
    """Returns what stands in for the root's own execution, where `exception_override` answers for it."""
    with activated(invocation.store):
        found = overridden(
            invocation.part, split(part_body(invocation.part, invocation.store.objects)), answers.replayer
        )
    return None if found is None else lambda: found[0]


def prepared(invocation: Invocation, exception_override: Any, strict: Any) -> tuple[Subject, Terms]:
    """Returns the recorded root call, to be called again, and its record for answers."""
    answers = answers_from(invocation, exception_override, strict)
    live = find_registered(invocation.component.name, invocation.store.root)
    args, kwargs, instance = _arguments(invocation, live)
    return Subject(live, instance, args, kwargs), Terms(answers=answers, answer=override_of(invocation, answers))


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
