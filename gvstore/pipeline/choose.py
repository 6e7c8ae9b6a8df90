"""`--only`, `--from`, `--until`: which steps run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from gvstore.errors import UsageFault
from gvstore.pipeline.fault import or_meant, quoted
from gvstore.pipeline.order import followers, reached
from gvstore.pipeline.pipeline import Pipeline


class UnknownStep(UsageFault):
    """A pipeline has no step of this name."""

    def __init__(self, option: str, name: str, known: Sequence[str]) -> None:
        self.name = name
        super().__init__(f"{option} {quoted(name)}: the pipeline has no such step", hint=_sentence(or_meant(name, known)))


class NothingChosen(UsageFault):
    """The options leave no step to run."""

    hint = "Steps between --from and --until are those that follow the one and lead to the other."


@dataclass(frozen=True, slots=True)
class Choice:
    """`run` are the steps to run, in the pipeline's order; `given` those whose earlier results they need."""

    run: tuple[str, ...]
    given: tuple[str, ...]


def choose(
    pipeline: Pipeline, *, only: Iterable[str] = (), start: Iterable[str] = (), until: Iterable[str] = (), answered: Collection[str] = ()
) -> Choice:
    """Returns what is to run; without options, every step.

    `only` are these and no others; `start` these and all that follows from them;
    `until` these and all that leads to them; of several options, what all of them
    leave.  A name is an output_name, with all its steps, or a step, `translation@es`.
    What the chosen ones are given by a person who has `answered` it now runs too: an earlier answer does not take its place.

    Raises:
        UnknownStep: a name that nothing has.
        NothingChosen: no step is left.
    """
    waits = {step.name: step.waits_for for step in pipeline.steps}
    chosen = set(waits)
    only, start, until = list(only), list(start), list(until)
    if only:
        chosen &= set(named(pipeline, "--only", only))
    if start:
        chosen &= reached(named(pipeline, "--from", start), followers(waits))
    if until:
        chosen &= reached(named(pipeline, "--until", until), waits)
    run = tuple(name for name in pipeline.order if name in chosen)
    if not run:
        options = [("--only", only), ("--from", start), ("--until", until)]
        typed = " ".join(f"{option} {name}" for option, names in options for name in names)
        raise NothingChosen(f"{typed}: no step is left to run")
    needed = {each for name in run for each in waits[name]} - chosen
    while now := needed & set(answered):
        chosen |= now
        needed = (needed | {each for name in now for each in waits[name]}) - chosen
    run = tuple(name for name in pipeline.order if name in chosen)
    return Choice(run, tuple(name for name in pipeline.order if name in needed))


def named(pipeline: Pipeline, option: str, names: Iterable[str]) -> tuple[str, ...]:
    """Returns the steps that names mean, in the order typed, each once.

    Raises:
        UnknownStep: a name that nothing has; `option` is what it was typed after.
    """
    steps = pipeline.by_name
    found: list[str] = []
    for name in names:
        if name in pipeline.groups:
            found += pipeline.groups[name]
        elif name in steps:
            found.append(name)
        else:
            raise UnknownStep(option, name, list(dict.fromkeys([*pipeline.groups, *steps])))
    return tuple(dict.fromkeys(found))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith("?") else ".")
