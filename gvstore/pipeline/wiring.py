"""Looks up what steps are given: names of inputs, and names in `when`, to the steps whose results they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gvstore.pipeline.fault import Faults, or_meant, quoted
from gvstore.pipeline.operation import Draft, Operation
from gvstore.pipeline.place import Place
from gvstore.pipeline.step import Does, Input, Step
from gvstore.pipeline.template import variables_in


@dataclass(slots=True)
class Wiring:
    """The operations of one file; `spoiled` are the names of those that could not be read."""

    operations: Sequence[Operation]
    spoiled: set[str]
    faults: Faults
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _loops: set[str] = field(default_factory=set)
    _places: dict[tuple[str, str], Place] = field(default_factory=dict)  # of a step and one it waits for

    def steps(self) -> tuple[Step, ...]:
        """Returns the steps with their inputs; what cannot be looked up is a fault."""
        first: dict[str, Operation] = {}
        for each in self.operations:
            if each.output_name in first:
                line = first[each.output_name].place.line
                self.faults.add(each.place, f"the output_name {quoted(each.output_name)} stands twice: first at line {line}")
                continue
            first[each.output_name] = each
            self.groups[each.output_name] = tuple(draft.step.name for draft in each.drafts)
            if each.loop:
                self._loops.add(each.output_name)
        return tuple(self._wired(draft) for each in first.values() for draft in each.drafts)

    def place_of(self, step: Step, before: str) -> Place:
        """Returns where a step names another that it waits for."""
        return self._places.get((step.name, before), step.place)

    def _wired(self, draft: Draft) -> Step:
        inputs = [found for name, place in draft.asked if (found := self._input(draft.step, name, place)) is not None]
        step = replace(draft.step, inputs=tuple(inputs), when_inputs=tuple(self._read_by_when(draft)))
        if step.work.does is Does.PIPELINE:
            self._given(step, draft)
        return step

    def _input(self, step: Step, name: str, place: Place) -> Input | None:
        base = name.partition("@")[0]
        if name in self.groups:
            found = Input(name, self.groups[name], name in self._loops)
        elif name in self.groups.get(base, ()):
            found = Input(name, (name,), False)
        else:
            if base not in self.spoiled:
                self._unknown(name, base, place)
            return None
        if step.output_name == base and (step.name in found.steps or not step.name.startswith(f"{base}@")):
            self.faults.add(place, f"the step {quoted(step.name)} is given its own result")
            return None
        for each in found.steps:
            self._places.setdefault((step.name, each), place)
        return found

    def _unknown(self, name: str, base: str, place: Place) -> None:
        if base in self.groups and base in self._loops:
            why = or_meant(name, self.groups[base])
        elif base in self.groups:
            why = f"{base} has neither foreach nor matrix"
        else:
            why = or_meant(name, [each for each in self.groups if each])
        self.faults.add(place, f"unknown input {quoted(name)}: no step has this output_name; {why}")

    def _read_by_when(self, draft: Draft) -> list[Input]:
        found = []
        step, place = draft.step, draft.when_place or draft.step.place
        for name in step.when.keys if step.when else ():
            if name in step.scope:
                if name in self.groups:
                    self.faults.add(place, f"when: {quoted(name)} is both a result and a parameter: rename one of them")
                elif variables_in(step.scope[name]):
                    self.faults.add(place, f"when: {quoted(name)} holds a variable of the environment, which no condition reads")
            elif name in self.groups:
                each = self._input(step, name, place)
                found += [each] if each else []
            elif name not in self.spoiled:
                self.faults.add(place, f"when: unknown name {quoted(name)}: {or_meant(name, [*self.groups, *step.scope])}")
        return found

    def _given(self, step: Step, draft: Draft) -> None:
        """Notes inputs that the other pipeline has no use for."""
        inner = step.work.pipeline
        asking = inner.asking if inner else ()
        if len(asking) == 1 and len(step.inputs) == 1:
            return
        for name, place in draft.asked:
            if name.partition("@")[0] not in asking:
                why = or_meant(name, asking, otherwise=f"it asks for {', '.join(asking)}" if asking else "it asks for nothing")
                self.faults.add(place, f"the pipeline {step.work.module} does not ask for {quoted(name)}: {why}")
