"""A run of a pipeline: step after step, as soon as what a step waits for is there.

Each step, each sample of it, is done in a lane of its own below the pipeline's call.  The lanes are made before
anything runs, in the order of the file, so that calls have the same numbers whatever is done first, and by how many threads.
"""

from __future__ import annotations

import contextvars
import heapq
import queue
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from gvstore.errors import UsageFault
from gvstore.journal.fault import InvocationError
from gvstore.journal.frame import Frame, Lane
from gvstore.journal.recorder import CURRENT, question_in
from gvstore.journal.spawn import Carried
from gvstore.pipeline.attempt import Attempts, Skipped
from gvstore.pipeline.conduct import Ended, current_conduct
from gvstore.pipeline.failure import kinds_of, told
from gvstore.pipeline.program import Program, load_program
from gvstore.pipeline.step import Step


class _Unit(NamedTuple):
    """One thing to do: a sample of a step, or the step."""

    number: int
    step: Step
    sample: int | None
    lane: Lane


class _Done(NamedTuple):
    unit: _Unit
    value: Any
    error: BaseException | None


def run_program(
    program: Program, inputs: Mapping[str, list[str]], settings: list[str], provider: str, chosen: list[str] | None, given: Mapping[str, Any]
) -> Any:
    """Returns the pipeline's result, run below the call that is being recorded; what a pipeline's component executes.

    Raises:
        whatever the first step in the file's order raises that failed.
    """
    if (tuple(settings), provider) != (program.settings, program.provider):  # a replay of a run that was told otherwise
        program = load_program(program.pipeline.path, root=program.root, settings=settings, provider=provider)
    frame = CURRENT.get()
    if frame is None:
        raise InvocationError("a pipeline runs where it is recorded")
    if frame.recording.files is not None:
        for path in program.pipeline.files:
            frame.recording.files.read(str(path.resolve()))  # it becomes part of the run's code
    names = [step.name for step in program.pipeline.steps]
    unknown = [each for each in (*(chosen or ()), *given) if each not in names]
    if unknown:
        raise UsageFault(f"the pipeline has no step {unknown[0]} any more", hint="Run it anew with `gv run`.")
    running = _Running(frame, program, inputs, names if chosen is None else chosen, given)
    running.run()
    return running.result()


class _Running:
    """The state of one run: what is done, what can begin, what failed."""

    def __init__(self, frame: Frame, program: Program, inputs: Mapping[str, list[str]], chosen: list[str], given: Mapping[str, Any]) -> None:
        self._frame, self._program, self._inputs = frame, program, inputs
        self._conduct = current_conduct()
        self._results: dict[str, Any] = dict(given)
        self._steps = [step for step in program.pipeline.steps if step.name in set(chosen)]
        here = {step.name for step in self._steps}
        self._left = {step.name: len([each for each in step.waits_for if each in here]) for step in self._steps}
        self._after: dict[str, list[Step]] = {name: [] for name in here}
        for step in self._steps:
            for each in step.waits_for:
                if each in here:
                    self._after[each].append(step)
        self._samples: dict[str, list[Any]] = {}
        self._missing: dict[str, int] = {}
        self._errors: dict[int, BaseException] = {}
        self._stopped = False
        self._units: dict[str, list[_Unit]] = {}
        self._ready: list[int] = []
        self._by_number: list[_Unit] = []
        for step in self._steps:
            for sample in (None,) if step.samples is None else range(step.samples):
                unit = _Unit(len(self._by_number), step, sample, frame.recording.spawn(frame))
                self._by_number.append(unit)
                self._units.setdefault(step.name, []).append(unit)
        for step in self._steps:
            if self._left[step.name] == 0:
                self._free(step)

    def run(self) -> None:
        """Runs what can be run.

        Raises:
            the error of the first unit in the file's order that failed; a failure before a question.
        """
        try:
            if self._conduct.jobs <= 1:
                while self._ready:
                    self._settle(self._perform(Carried(self._peek().lane), self._next()))
            else:
                self._run_in_threads(self._conduct.jobs)
        finally:
            for unit in self._by_number:
                unit.lane.close()
        if self._conduct.keep_going and not self._stopped:
            self._tell_left_out()
        errors = [error for _, error in sorted(self._errors.items())]
        failed = [each for each in errors if question_in(each) is None]
        grave = [each for each in failed if not kinds_of(each)]
        for error in (*grave, *failed, *errors):
            raise error

    def result(self) -> Any:
        """Returns what the pipeline's last entry gave; of a part of it what the last step gave."""
        pipeline = self._program.pipeline
        steps = pipeline.groups[pipeline.result]
        if not all(name in self._results or name in self._units for name in steps):
            return next((self._results[step.name] for step in reversed(self._steps) if step.name in self._results), None)
        if steps == (pipeline.result,):
            return self._results.get(pipeline.result)
        return [self._results[name] for name in steps if name in self._results]

    def _peek(self) -> _Unit:
        return self._by_number[self._ready[0]]

    def _next(self) -> _Unit:
        return self._by_number[heapq.heappop(self._ready)]

    def _free(self, step: Step) -> None:
        self._missing[step.name] = len(self._units[step.name])
        for unit in self._units[step.name]:
            heapq.heappush(self._ready, unit.number)

    def _perform(self, carried: Carried, unit: _Unit) -> _Done:
        step = unit.step
        attempts = Attempts(self._frame, self._program, step, unit.sample, self._results, self._inputs)
        try:
            return _Done(unit, carried.call(attempts.take), None)
        except BaseException as e:
            return _Done(unit, None, e)
        finally:
            unit.lane.close()

    def _settle(self, done: _Done) -> None:
        """Takes what came of a unit, and frees what waited for it."""
        unit, value, error = done
        step = unit.step
        if error is not None and step.skip_on_error and kinds_of(error):
            self._tell(unit, "skipped", error)
            value, error = Skipped(told(error)), None
        if error is not None:
            if not isinstance(error, Exception):
                raise error
            asks = question_in(error) is not None
            self._tell(unit, "waiting" if asks else "failed", error)
            self._errors[unit.number] = error
            if not asks and not (self._conduct.keep_going and kinds_of(error)):
                self._stopped = True
                self._ready.clear()
            return
        self._samples.setdefault(step.name, [None] * len(self._units[step.name]))[unit.sample or 0] = value
        self._missing[step.name] -= 1
        if self._missing[step.name] or self._stopped:
            return
        values = [each for each in self._samples[step.name] if not isinstance(each, Skipped)]
        if values:
            self._results[step.name] = values[0] if step.samples is None else values
        for each in self._after[step.name]:
            self._left[each.name] -= 1
            if self._left[each.name] == 0:
                self._free(each)

    def _tell(self, unit: _Unit, how: str, error: BaseException) -> None:
        name = unit.step.name if unit.sample is None else f"{unit.step.name}[{unit.sample}]"
        self._conduct.listener.ended(Ended(name, how, why=told(error)))

    def _tell_left_out(self) -> None:
        """Tells of the steps that depend on one that failed, and so were not begun."""
        lost = {self._by_number[number].step.name for number, error in self._errors.items() if question_in(error) is None}
        steps = self._program.pipeline.by_name
        for name in self._program.pipeline.order:
            before = next((each for each in steps[name].waits_for if each in lost), None)
            if name in self._left and name not in self._missing and before is not None:
                lost.add(name)
                self._conduct.listener.ended(Ended(name, "not run", why=f"it waits for {before}"))

    def _run_in_threads(self, jobs: int) -> None:
        """Runs up to `jobs` units at once; they are threads of no lane of their own, each unit has one."""
        asked: queue.SimpleQueue[tuple[Carried, _Unit] | None] = queue.SimpleQueue()
        answered: queue.SimpleQueue[_Done] = queue.SimpleQueue()

        def work() -> None:
            while (each := asked.get()) is not None:
                answered.put(self._perform(*each))

        busy = threads = 0
        try:
            while self._ready or busy:
                while self._ready and busy < jobs:
                    unit = self._next()
                    asked.put((Carried(unit.lane), unit))
                    busy += 1
                    if threads < busy:
                        thread = threading.Thread(target=work, name=f"gvstore-step-{threads}", daemon=True)
                        contextvars.Context().run(thread.start)  # outside of any call
                        threads += 1
                done = answered.get()
                busy -= 1
                self._settle(done)
        finally:
            for _ in range(threads):
                asked.put(None)
