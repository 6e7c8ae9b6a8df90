"""Recorded calls as `compare` sees them: keys that are read when they are asked for."""

from __future__ import annotations

from functools import cached_property

from gvstore.compare.calls import CallDiff, compare_calls
from gvstore.journal.invocation import Invocation
from gvstore.objects.component import Component
from gvstore.objects.invocation import part_digest
from gvstore.objects.oid import ObjectId


class ComparedCall:
    """One recorded call of a comparison; `invocation` is the call itself."""

    def __init__(self, invocation: Invocation, components: dict[ObjectId, Component]) -> None:
        self.invocation = invocation
        self._components = components  # shared by the whole comparison

    @cached_property
    def _component(self) -> Component:
        oid = self.invocation.call.component
        if oid not in self._components:
            self._components[oid] = self.invocation.component
        return self._components[oid]

    @property
    def component(self) -> str:
        """The component's name."""
        return self._component.name

    @property
    def code(self) -> bytes:
        """What is equal when the component's code is."""
        return self._component.code

    @property
    def args(self) -> bytes:
        """The encoded instance and arguments."""
        return self.invocation.call.state + self.invocation.call.args

    @property
    def outcome(self) -> bytes:
        """The encoded outcome."""
        return self.invocation.call.outcome

    @cached_property
    def digest(self) -> bytes:
        """The oid of the call and all below it."""
        return part_digest(self.invocation.part)

    @cached_property
    def children(self) -> list[ComparedCall]:
        """The calls it made."""
        return [ComparedCall(child, self._components) for child in self.invocation.get_children()]


def compare_invocations(old: Invocation, new: Invocation) -> CallDiff:
    """Returns how two recorded executions differ; equal subtrees are not read."""
    components: dict[ObjectId, Component] = {}
    return compare_calls(ComparedCall(old, components), ComparedCall(new, components))
