"""What a rev names, opened: a run, a call, a value, a commit, a file.

`repo.resolve` knows refs and objects; calls and their parts are looked up in
the journal.  Shared by show, get, diff, rewind and whoever else takes any rev.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gvstore.errors import BadRev
from gvstore.journal.address import PARTS, find_call, format_path, no_part, part_of
from gvstore.journal.fault import InvocationError
from gvstore.journal.invocation import Invocation
from gvstore.journal.repository import Repository
from gvstore.journal.run import Run
from gvstore.objects.check import holds_calls
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.repo.resolve import Found, Resolved

RunOf = Run[Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was named.

    `run` is set for runs and their calls, `call` for calls (for a run: its
    root), with `path` from the root; `part` names a piece of a call, and
    `value` is that piece, or a stored value.
    """

    resolved: Resolved
    run: RunOf | None = None
    call: Invocation | None = None
    path: tuple[int, ...] = ()
    part: tuple[str, ...] = ()
    value: object = None

    @property
    def found(self) -> Found:
        """What kind of thing it is."""
        return self.resolved.found

    @property
    def oid(self) -> ObjectId | None:
        """The object; of a part of a call there is none."""
        if self.part:
            return None
        if self.found is Found.CALL and self.call is not None:
            return self.call.oid
        return self.resolved.oid

    @property
    def name(self) -> str:
        """How to type it: `run/7:0.2/output`, `4be1902c:agent.py`."""
        if self.run is None:
            return self.resolved.text
        if self.found is Found.RUN:
            return run_name(self.run)
        return "/".join([f"{run_name(self.run)}:{format_path(self.path)}", *self.part])


def open_subject(repo: Repository, rev: str, *, part: tuple[str, ...] = ()) -> Subject:
    """Returns what the rev names, opened; of a run or call without a part, its `part`.

    Raises:
        BadRev: it names nothing, or several things; tells what is near.
    """
    resolved = repo.resolve(rev)
    if resolved.found is Found.RUN:
        run = open_run(repo, resolved)
        return _with_part(Subject(resolved, run, run.invocation, part=part)) if part else Subject(resolved, run)
    if resolved.found is Found.CALL and resolved.call is not None:
        run = open_run(repo, resolved)
        path, call = find_call(run.invocation, resolved.call)
        return _with_part(Subject(resolved, run, call, path, resolved.call.part or part))
    if resolved.found is Found.VALUE and resolved.oid is not None:
        return Subject(resolved, value=_value(repo, resolved, resolved.oid))
    if resolved.oid is not None and repo.objects.read(resolved.oid)[0] == Kind.INVOCATION:
        return Subject(resolved, call=Invocation.of_oid(repo.store, resolved.oid))
    return Subject(resolved)


def _value(repo: Repository, resolved: Resolved, oid: ObjectId) -> object:
    try:
        return repo.store.get(oid)
    except CorruptObject as e:
        if not holds_calls(repo.objects.read(oid)):
            raise
        raise BadRev(
            f"{resolved.text} is a list of calls within a run, no value",
            hint="`gv runs` lists the runs, and `gv show run/1` shows the calls of one.",
        ) from e


def _with_part(subject: Subject) -> Subject:
    """Returns the subject with the part of its call that is named, if one is.

    Raises:
        BadRev: the call has no such part.
    """
    if not subject.part or subject.call is None:
        return subject
    if subject.part[0] == "state" and subject.run is not None and subject.call.component.flavor in ("action", "machine"):
        from gvstore.cli.machine_view import state_part

        return state_part(subject)
    if subject.part[0] == "args" and subject.run is not None and subject.call.component.flavor == "action":
        from gvstore.cli.machine_view import argument_part

        return argument_part(subject)
    try:
        if subject.run is not None and subject.call.component.flavor == "action" and subject.part[0] not in PARTS:
            from gvstore.cli.machine_view import STEP_PARTS, step_part

            if subject.part[0] in STEP_PARTS:
                return step_part(subject)
            raise no_part(subject.part[0], (*PARTS, *STEP_PARTS))
        return replace(subject, value=part_of(subject.call, subject.part))
    except InvocationError as e:
        call, above = subject.call, replace(subject, part=()).name
        why = "it raised" if call.status == "raised" else f"it is {call.status}"
        raise BadRev(f"{call.name} has no output: {why}", hint=f"`gv show {above}` shows how far it came.") from e


def open_run(repo: Repository, resolved: Resolved) -> RunOf:
    """Returns the run that was named; one that came without its number has number 0."""
    return repo.run_of(resolved)


def named_run(repo: Repository, rev: str) -> RunOf:
    """Returns the run that the rev names.

    Raises:
        BadRev: it names something else, or nothing.
    """
    resolved = repo.resolve(rev, wanted=frozenset({Found.RUN}))
    if resolved.found is Found.CALL:
        raise BadRev(
            f"{rev} is a call, and a run was asked for", hint=f"`gv rewind {rev}` makes a run that stops before it."
        )
    if resolved.found is not Found.RUN:
        raise BadRev(f"{rev} is a {resolved.found.value}, and a run was asked for", hint="`gv runs` lists the runs.")
    return open_run(repo, resolved)


def run_name(run: RunOf) -> str:
    """Returns `run/7`, or the abbreviated oid of a run that has no number here."""
    return run.name if run.number else short(run.oid)
