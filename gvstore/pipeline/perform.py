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
from gvstore.pipeline.choose import choose, named
from gvstore.pipeline.fault import or_meant, quoted
from gvstore.pipeline.past import Past, earlier_result, past_of
from gvstore.pipeline.program import Program

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.objects.protocol import ObjectStore


class UnknownQuestion(UsageFault):
    """An answer to what no step asks."""


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
        UnknownStep, NothingChosen: steps are named that are not there.
        NoEarlierResult: what is not to run has never run.
    """
    pipeline = program.pipeline
    inputs = {}
    for name, answers in wish.inputs.items():
        if name not in pipeline.answerable and not set(pipeline.groups.get(name, ())) & set(pipeline.answerable):
            asking = pipeline.answerable
            near = or_meant(name, asking) if asking else "it asks nothing"
            raise UnknownQuestion(f"--input {quoted(name)}: no step of this name asks a person; {near}")
        inputs[name] = list(answers)
    parts = choose(pipeline, only=wish.only, start=wish.start, until=wish.until)
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
