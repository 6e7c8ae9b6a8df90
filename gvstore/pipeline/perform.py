"""Running a pipeline into a repository: what a person asks of a run, and the run.

    program, wish = load_program(path, root=repo.root), Wish(inputs={"request": ["a plan"]})
    performed = perform_pipeline(repo, prepare(repo, program, wish))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gvstore.errors import UsageFault
from gvstore.journal.perform import Performed, Subject, Terms, perform
from gvstore.journal.recorder import Asker
from gvstore.journal.running import RunOptions
from gvstore.pipeline.answering import answerable, askers
from gvstore.pipeline.choose import choose, named
from gvstore.pipeline.fault import or_meant, quoted
from gvstore.pipeline.past import Past, earlier_result, past_of
from gvstore.pipeline.program import Program

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.objects.protocol import ObjectStore


class UnknownQuestion(UsageFault):
    """An answer to what no step asks."""


class IdleInput(UsageFault):
    """An answer to a step that is not to run, and whose result no step is given that is."""

    def __init__(self, name: str, step: str) -> None:
        super().__init__(
            f"--input {quoted(name)}: {step} is not to run, and no step that is to run is given its result",
            hint=f"Leave this --input out; or run all that follows from it: `--from {step}`.",
        )


class NoEarlierResult(UsageFault):
    """A step is not to run, and no earlier run has its result."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks of a run: answers by step, which steps, which of them anew, whether the record answers at all."""

    inputs: Mapping[str, list[str]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    cache: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run before it begins: what is called with what, and what the record answers."""

    program: Program
    args: tuple[Any, ...]
    past: Past | None


def prepare(repo: Repository, program: Program, wish: Wish, *, objects: ObjectStore | None = None) -> Prepared:
    """Returns a run of a pipeline, ready to begin; nothing is executed.

    The list of answers is written into `objects`, the repository's by default.

    Raises:
        UnknownQuestion: an input answers no step's question.
        IdleInput: it answers one that no step which is to run depends on.
        UnknownStep, NothingChosen: steps are named that are not there.
        NoEarlierResult: what is not to run has never run.
    """
    pipeline = program.pipeline
    inputs: dict[str, list[str]] = {}
    for_steps: dict[str, tuple[str, ...]] = {}
    for name, answers in wish.inputs.items():
        for_steps[name] = askers(pipeline, name)
        if not for_steps[name]:
            asking = answerable(pipeline)
            near = or_meant(name, asking) if asking else "the pipeline asks nothing"
            raise UnknownQuestion(f"--input {quoted(name)}: no step of this name asks a person; {near}")
        inputs[name] = list(answers)
    answered = {each for steps in for_steps.values() for each in steps if pipeline.by_name[each].asks}
    parts = choose(pipeline, only=wish.only, start=wish.start, until=wish.until, answered=answered)
    for name, steps in for_steps.items():
        if not set(steps) & set(parts.run):
            raise IdleInput(name, steps[0])
    forced = named(pipeline, "--force", wish.force)
    given = {}
    for name in parts.given:
        found = earlier_result(repo, program, name)
        if found is None:
            raise NoEarlierResult(f"{name} is not to run, and no earlier run has its result", hint=f"Run it too: `--until {parts.run[-1]}` alone.")
        given[name] = found[1]
    whole = len(parts.run) == len(pipeline.steps)
    args = (inputs, list(program.settings), program.provider, None if whole else list(parts.run), given)
    past = past_of(repo, program, without=forced, objects=objects) if wish.cache else None
    return Prepared(program, args, past)


def perform_pipeline(
    repo: Repository, prepared: Prepared, options: RunOptions | None = None, *, asker: Asker | None = None
) -> Performed:
    """Executes a prepared run; what it raises is in the result.  `asker` answers questions at once."""
    program, past = prepared.program, prepared.past
    options = replace(options or RunOptions(), target=program.target, parent=past.run.oid if past else None)
    terms = Terms(answers=past.answers if past else None, options=options, asker=asker)
    return perform(repo.store, Subject(program.live, None, prepared.args, {}), terms)
