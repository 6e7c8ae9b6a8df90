"""What a run of a pipeline would do, step by step, before it does anything: run, reuse, skip, ask; and why.

What is reused is known, so the next step's prompt is known too.  Behind a step that runs nothing is certain: such steps
are *unsure*, and reused if it answers as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import GvError
from gvstore.journal.answers import Answer
from gvstore.journal.overlay import Overlay
from gvstore.journal.recorder import Recording
from gvstore.objects.record import NIL
from gvstore.pipeline.answering import answers_of
from gvstore.pipeline.attempt import Attempts
from gvstore.pipeline.builtin import asks_person
from gvstore.pipeline.change import why_changed
from gvstore.pipeline.given import user_prompt, why_skipped
from gvstore.pipeline.past import Earlier
from gvstore.pipeline.perform import Prepared, Wish, prepare
from gvstore.pipeline.program import Program
from gvstore.pipeline.step import Step
from gvstore.pipeline.usage import usage_of

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository

RUN: Final = "run"
REUSE: Final = "reuse"
SKIP: Final = "skip"
ASK: Final = "ask"
GIVEN: Final = "given"
_CHARACTERS_A_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What becomes of a step; `tokens` is about what running it takes: what it took the last time, else its prompt's length."""

    step: str
    module: str
    action: str
    why: str = ""
    unsure: bool = False
    model: str = ""
    tokens: int = 0


@dataclass(slots=True)
class _Planner:
    program: Program
    wish: Wish
    prepared: Prepared
    recording: Recording
    results: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)  # steps whose results are not known yet, and what is said of them

    def step(self, step: Step) -> PlannedStep:
        """Returns what becomes of a step; of one with samples of all of them."""
        open_ = [name for name in step.waits_for if name in self.unknown]
        if open_:
            self.unknown[step.name] = "runs"
            return self._told(step, RUN, f"{open_[0]} {self.unknown[open_[0]]}", unsure=self._holds(step))
        why = why_skipped(step, self.results)
        if why:
            return self._told(step, SKIP, why)
        if asks_person(step):
            return self._asking(step)
        values = []
        for sample in (None,) if step.samples is None else range(step.samples):
            answer = self._answer(step, sample)
            if isinstance(answer, Answer) and answer.adopted:
                try:
                    values.append(answer.give())
                except Exception:
                    continue
        if len(values) == (step.samples or 1):
            self.results[step.name] = values if step.samples is not None else values[0]
            return self._told(step, REUSE)
        self.unknown[step.name] = "runs"
        return self._told(step, RUN, f"n {len(values)} → {step.samples}" if values else self._why(step))

    def _asking(self, step: Step) -> PlannedStep:
        answers = answers_of(step, self.prepared.args[0])
        prompt = user_prompt(step, self.results)
        if answers and isinstance(prompt, str):
            self.results[step.name] = prompt + answers[0]
            return self._told(step, GIVEN, "--input")
        self.unknown[step.name] = "is asked"
        return self._told(step, ASK)

    def _arguments(self, step: Step, sample: int | None) -> tuple[Any, ...]:
        return Attempts(None, self.program, step, sample, self.results, self.prepared.args[0]).arguments(step.work)  # type: ignore[arg-type]

    def _answer(self, step: Step, sample: int | None) -> Answer | None:
        past = self.prepared.past
        if past is None:
            return None
        live = self.program.steps[step.name]
        data = self.recording.encode(live.bind(self._arguments(step, sample), {}))
        while True:
            answer = past.answers.take(live, data, NIL)
            if answer is None or not answer.adopted or answer.kind is None or _gives(answer):
                return answer

    def _why(self, step: Step) -> str:
        if step.name in self.wish.force or step.output_name in self.wish.force:
            return "--force"
        if not self.wish.cache:
            return "--no-cache"
        if not step.cache:
            return "cache: false"
        earlier = self._earlier(step)
        if not earlier:
            return "it has not run before"
        now = self.program.steps[step.name].component(self.program.root)
        args = self._arguments(step, None if step.samples is None else 0)
        reasons = [why_changed(each.call, now, args, each.why_stale) for each in earlier]
        nearest = min(reasons, key=len)
        return ", ".join(nearest)

    def _earlier(self, step: Step) -> Sequence[Earlier]:
        past = self.prepared.past
        return () if past is None else past.earlier.get(f"{self.program.name}.{step.name}", ())

    def _holds(self, step: Step) -> bool:
        """Returns whether an earlier call of a step is an answer if it is given the same."""
        code = self.program.steps[step.name].component(self.program.root).code
        return any(each.holds and each.call.component.code == code for each in self._earlier(step))

    def _told(self, step: Step, action: str, why: str = "", *, unsure: bool = False) -> PlannedStep:
        from gvstore.pipeline.attempt import shown_config

        model = str(shown_config(step.work, self.program).get("model", "")) if step.work.system is not None else ""
        tokens = 0
        if action == RUN:
            tokens = sum(each.tokens for before in self._earlier(step)[:1] for each in usage_of(before.call))
            if not tokens and not any(name in self.unknown for name in step.waits_for) and step.work.system is not None:
                told = f"{step.work.system}{user_prompt(step, self.results)}"
                tokens = len(told) // _CHARACTERS_A_TOKEN * (step.samples or 1)
        return PlannedStep(step.name, step.work.module, action, why, unsure, model, tokens)


def _gives(answer: Answer) -> bool:
    try:
        answer.give()
    except Exception:
        return False
    return True


def plan_pipeline(repo: Repository, program: Program, wish: Wish) -> list[PlannedStep]:
    """Returns what becomes of each step, in the order in which they run; nothing is executed or stored.

    Raises:
        UnknownQuestion, UnknownStep, NothingChosen, NoEarlierResult: it cannot run so.
    """
    objects = Overlay(repo.objects)
    prepared = prepare(repo, program, wish, objects=objects)
    answers = None if prepared.past is None else prepared.past.answers
    planner = _Planner(program, wish, prepared, Recording(objects, root=repo.root, answers=answers))
    chosen, given = prepared.args[3], prepared.args[4]
    planner.results.update(given)
    planned = []
    steps = program.pipeline.by_name
    for name in program.pipeline.order:
        step = steps[name]
        if chosen is not None and name not in chosen:
            if name in given:
                planned.append(PlannedStep(name, step.work.module, GIVEN, "an earlier result"))
            continue
        try:
            planned.append(planner.step(step))
        except GvError as e:
            planner.unknown[name] = "fails"
            planned.append(PlannedStep(name, step.work.module, RUN, f"and fails: {e}"))
    return planned
