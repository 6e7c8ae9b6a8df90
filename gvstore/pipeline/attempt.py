"""One step: is it to run, how often is it tried, what takes its place when it fails.

Every attempt is a call of the step's component, so that a record tells of each, and answers each.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gvstore import host
from gvstore.journal.answers import Answer
from gvstore.journal.call import execute, open_call
from gvstore.journal.fault import InvocationError
from gvstore.journal.frame import Frame, open_ancestor
from gvstore.journal.invocation import Invocation
from gvstore.machine.action_fault import ActionTimeout
from gvstore.machine.attempts import with_timeout
from gvstore.objects.invocation import PartList, part_body
from gvstore.objects.record import NIL
from gvstore.objects.wire import split
from gvstore.pipeline.answering import Inputs, answers_below, answers_of
from gvstore.pipeline.component import QUESTION
from gvstore.pipeline.conduct import Ended, Within, conducted, current_conduct
from gvstore.pipeline.failure import StepTimedOut, kinds_of
from gvstore.pipeline.given import Results, given, user_prompt, why_skipped
from gvstore.pipeline.model_config import ModelConfig, plain
from gvstore.pipeline.module_call import ModuleCall, clean, model_name
from gvstore.pipeline.program import Program
from gvstore.pipeline.restore import RESTORED, restore_step
from gvstore.pipeline.step import Does, Step, Work
from gvstore.pipeline.work import perform
from gvstore.store.active import current_store

_UNSENT = ("model", "provider", "base_url", "api_key", "headers")


class Skipped(NamedTuple):
    """In the place of a result: the step did not run, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    timeout: float | None


@dataclass(slots=True)
class Attempts:
    """One sample of a step of a program, below the pipeline's call `frame`."""

    frame: Frame
    program: Program
    step: Step
    sample: int | None
    results: Results
    inputs: Inputs
    _ran: bool = False  # was any attempt executed?
    _another: bool = False  # was the last answered by the record, which has another?
    _name: str = ""

    def take(self) -> Any:
        """Returns the result, or `Skipped`.

        Raises:
            ExpressionFault: `when` cannot be evaluated.
            whatever the last attempt raises.
        """
        listener, begun = current_conduct().listener, host.ticks_ns()
        name = self._name = self.step.name if self.sample is None else f"{self.step.name}[{self.sample}]"
        why = why_skipped(self.step, self.results)
        if why:
            self._once(self.step.work, why)
            listener.ended(Ended(name, "skipped", why=why))
            return Skipped(why)
        value = self._first_that_works()
        how = "ran" if self._ran else "reused"
        listener.ended(Ended(name, how, host.ticks_ns() - begun, clean(value) if isinstance(value, str) else value))
        return value

    def _first_that_works(self) -> Any:
        try:
            return self._tried(self.step.work)
        except Exception as e:
            if self.step.fallback is None or not kinds_of(e):
                raise
        return self._tried(self.step.fallback)

    def _tried(self, work: Work) -> Any:
        """Returns what the first attempt gives that works; after a failure out of the record the next one there is taken at once."""
        delays = self.step.retry.delays_s()
        while True:
            try:
                return self._once(work)
            except Exception as e:
                kinds = kinds_of(e)
                if kinds and self._another:
                    continue
                delay = next(delays, None)
                if delay is None or not kinds & set(self.step.retry.on):
                    raise
                time.sleep(delay)

    def _once(self, work: Work, skipped: str = "") -> Any:
        """Makes one call of the step's component, or answers it from the record."""
        self._another = False
        parent = open_ancestor(self.frame)
        if parent is None:
            raise InvocationError(f"{self.step.name} comes too late: its pipeline has ended")
        live = self.program.steps[self.step.name]
        opened = open_call(parent, live, self.arguments(work, skipped), {})
        if type(opened) is Frame:
            self._ran = True
            if not self.step.cache:
                _ask_anew(opened)
            if not skipped:
                current_conduct().listener.began(self._name)
            return execute(opened, lambda: None if skipped else self._performed(work), (), {})
        if type(opened) is tuple:
            return opened[0]
        assert isinstance(opened, Answer) and parent.answers is not None
        self._another = parent.answers.has_another(opened)
        if not skipped and work.does in RESTORED:
            restore_step(self.program, self.step, Invocation.of_part(current_store(), opened.part), work=work)
        try:
            return opened.give()
        except BaseException as e:
            parent.raised = e
            raise

    def _performed(self, work: Work) -> Any:
        limit = _Limit(self.step.name, self.step.timeout_s)
        try:
            return with_timeout(limit, lambda: self._inside(work))
        except ActionTimeout as e:
            raise StepTimedOut(self.step.name, self.step.timeout_s or 0.0) from e

    def _inside(self, work: Work) -> Any:
        if work.does is not Does.PIPELINE:
            return perform(self._call(work), self.results)
        conduct = current_conduct()
        with conducted(replace(conduct, listener=Within(conduct.listener, self._name))):
            return perform(self._call(work), self.results)

    def _call(self, work: Work) -> ModuleCall:
        prompt = user_prompt(self.step, self.results, work=work)
        return ModuleCall(self.program, self.step, work, dict(given(self.step, self.results)), prompt, answers_of(self.step, self.inputs), self._seed, below=answers_below(self.step, self.inputs))

    @property
    def _seed(self) -> int | None:
        return None if self.step.seed is None else self.step.seed + (self.sample or 0)

    def arguments(self, work: Work, skipped: str = "") -> tuple[Any, ...]:
        """Returns what the step's call is recorded with: all that its answer depends on, beside its code."""
        step = self.step
        inputs = dict(given(step, self.results))
        supplement = None if work.supplement is None else str(work.supplement)
        if skipped:
            return work.module, inputs, {}, None, None, {"skipped": skipped}
        read = {each: plain(step.scope[each]) for each in self.program.params[step.name]}
        said = {
            "function": str(work.function) if work.function else None,
            "sample": self.sample,
            "schema": step.schema,
            "tools": [str(each) for each in step.tools],
            "rounds": step.rounds if step.tools else None,
            "params": {**read, **{name: _shown(value) for name, value in step.options.items()}},
            "answers": list(answers_of(step, self.inputs)) or answers_below(step, self.inputs),
        }
        options = {name: value for name, value in said.items() if value not in (None, [], {})}
        return work.module, inputs, shown_config(work, self.program), supplement, self._seed, options


def _ask_anew(frame: Frame) -> None:
    """Lets a step that runs each time ask again what the record has answers to, but for what a person has answered."""
    answers = frame.answers
    if answers is None or answers.children == NIL:
        return
    reader = frame.recording.objects
    below = (split(part_body(part, reader)) for part in PartList(answers.children, reader))
    if all(answers.replayer.component(elements[1]).name != QUESTION for elements in below):
        frame.answers = answers.unrecorded()
        frame.answered_by(NIL, NIL)


def shown_config(work: Work, program: Program) -> dict[str, Any]:
    """Returns how a model is asked as it is recorded: its full name, and what is set; neither keys nor addresses.  Nothing of what asks none."""
    if work.system is None and (work.does is not Does.FUNCTION or str(work.function) in program.unasking):
        return {}
    shown = {name: plain(value) for name, value in work.model_config.items() if name not in _UNSENT}
    return {"model": model_name(work.model_config, program.provider), **shown}


def _shown(value: object) -> object:
    return value.shown() if isinstance(value, ModelConfig) else plain(value)
