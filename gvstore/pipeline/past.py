"""What earlier runs of a pipeline answer of a new one, so that nothing is paid for twice.

Of each step the newest run that has an answer which still holds answers; of one whose code, or what is below
it, has changed the newest record stands without its outcome, so that it runs and calls below it that still hold are
answered.  Steps that ask a person ask again; so do those that are forced, and `cache: false` steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import BadRev, Corrupt
from gvstore.journal.answers import Answers
from gvstore.journal.invocation import Invocation
from gvstore.journal.merge import left
from gvstore.journal.mode import ReplayMode
from gvstore.journal.recovery import settle
from gvstore.journal.replayer import Replayer
from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, call_list, outcome_number, part_body
from gvstore.objects.record import NIL
from gvstore.objects.wire import split
from gvstore.pipeline.builtin import asks_person
from gvstore.pipeline.component import QUESTION
from gvstore.pipeline.program import Program

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.journal.run import Run
    from gvstore.objects.protocol import ObjectStore

MOST_RUNS: Final = 50

_Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A recorded call of a step, an answer or not; of attempts the last.  `asked` is it without what people were asked."""

    run: Run[Any]
    part: bytes
    asked: bytes
    replayer: Replayer

    @property
    def call(self) -> Invocation:
        """The call."""
        return Invocation.of_part(self.run.store, self.part)

    @property
    def holds(self) -> bool:
        """Whether it answers a call with the same arguments."""
        return _holds(self.asked, self.replayer)

    @property
    def why_stale(self) -> str:
        """Why it no longer holds, if that is because of what it calls."""
        return "" if self.holds else next((why for path, _, why in self.replayer.stale_below(self.asked) if path), "")


@dataclass(frozen=True, slots=True)
class Past:
    """What there is: `answers` of earlier runs, the newest of them, which a new run is derived from.

    `earlier` are the recorded calls of each step's component, newest first: of equal arguments the newest, and the newest that holds.
    """

    answers: Answers
    run: Run[Any]
    earlier: Mapping[str, Sequence[Earlier]]


def earlier_runs(repo: Repository, program: Program) -> Iterator[Run[Any]]:
    """Yields the finished runs of a pipeline, the newest first."""
    if not repo.read_only:
        settle(repo)
    found = 0
    for row in repo.refs.runs():
        if row.target != program.target or row.oid is None or row.removed:
            continue
        run = repo.runs[row.number]
        try:
            if run.invocation.component.name != program.name:
                continue
        except (BadRev, Corrupt):
            continue
        yield run
        found += 1
        if found == MOST_RUNS:
            return


def past_of(repo: Repository, program: Program, *, without: Collection[str] = (), objects: ObjectStore | None = None) -> Past | None:
    """Returns what earlier runs answer, but for the steps `without`; None where there is nothing.

    The list of answers is written into `objects`, the repository's by default.
    """
    writer = repo.objects if objects is None else objects
    live = {f"{program.name}.{step.name}" for step in program.pipeline.steps if step.cache and not asks_person(step)}
    live -= {f"{program.name}.{name}" for name in without}
    best: dict[_Key, tuple[bool, list[bytes]]] = {}
    newest: Run[Any] | None = None
    earlier: dict[str, list[Earlier]] = {}
    reasons: dict[bytes, str] = {}
    for run in earlier_runs(repo, program):
        newest = newest or run
        replayer = Replayer(writer, root=repo.root, mode=repo.mode_for(run, {}, run.invocation))
        for key, found in _by_key(run.invocation, replayer, live).items():
            parts = [_unasked(each, replayer, writer) for each in found]
            holds = _holds(parts[-1], replayer)
            known = best.get(key)
            if known is None or (holds and not known[0]):
                earlier.setdefault(key[0], []).append(Earlier(run, found[-1], parts[-1], replayer))
            if known is None:
                best[key] = holds, parts if holds else [left(each, replayer, writer, reasons) for each in parts]
            elif holds and not known[0]:
                best[key] = True, parts
    if newest is None or not best:
        return None
    children = call_list(writer)
    for _, parts in best.values():
        for part in parts:
            children.add(part)
    replayer = Replayer(writer, root=repo.root, mode=ReplayMode(libraries=repo.config.text("replay.libraries"), reasons=reasons))
    return Past(Answers(replayer, Encoder(writer).place(children.finish())), newest, earlier)


def _by_key(root: Invocation, replayer: Replayer, live: Collection[str]) -> dict[_Key, list[bytes]]:
    """Returns the recorded calls of steps, by component and arguments; of equal ones, as of attempts, all."""
    found: dict[_Key, list[bytes]] = {}
    if root.call.children == NIL:
        return found
    for part in PartList(root.call.children, replayer.reader):
        elements = split(part_body(part, replayer.reader))
        name = replayer.component(elements[1]).name
        if name in live:
            found.setdefault((name, elements[2]), []).append(part)
    return found


def _holds(part: bytes, replayer: Replayer) -> bool:
    elements = split(part_body(part, replayer.reader))
    outcome = elements[3] if len(elements) > 3 else NIL
    return outcome_number(outcome) == number.RETURNED and replayer.is_fresh(part)


def _unasked(part: bytes, replayer: Replayer, objects: ObjectStore) -> bytes:
    """Returns a recorded call without the questions to people below it, and without outcome if there are any: they are asked again."""
    call = Call.of_part(part, objects)
    if call.children == NIL:
        return part
    encoder, children, changed = Encoder(objects), call_list(objects), False
    for child in PartList(call.children, objects):
        if replayer.component(split(part_body(child, objects))[1]).name == QUESTION:
            changed = True
            continue
        kept = _unasked(child, replayer, objects)
        changed = changed or kept != child
        children.add(kept)
    if not changed:
        return part
    return encoder.place(call.without_outcome(encoder.place(children.finish()) if children.count else NIL, NIL).encode())


def earlier_result(repo: Repository, program: Program, step: str) -> tuple[Run[Any], Any] | None:
    """Returns (run, result) of the newest run in which a step ended well; of one with samples the list of them."""
    name = f"{program.name}.{step}"
    samples = next(each.samples for each in program.pipeline.steps if each.name == step)
    for run in earlier_runs(repo, program):
        calls = [each for each in run.invocation.get_children() if each.component.name == name and each.status == "ok"]
        calls = [each for each in calls if "skipped" not in each.args["options"]]
        if calls:
            return run, [each.output for each in calls] if samples is not None else calls[-1].output
        given = run.invocation.args["given"]
        if step in given:
            return run, given[step]
    return None

