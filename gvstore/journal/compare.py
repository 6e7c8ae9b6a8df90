"""Recorded calls as `compare` sees them: keys that are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import overload

from gvstore.compare.calls import CallDiff, CallNode, compare_calls
from gvstore.journal.invocation import Invocation
from gvstore.objects.component import Component
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL


class _Known:
    """What one comparison has read: components, and the items of nodes that both executions may have."""

    def __init__(self) -> None:
        self.components: dict[ObjectId, Component] = {}
        self.items: dict[ObjectId, list[bytes]] = {}


class ComparedCall:
    """One recorded call of a comparison; `invocation` is the call itself."""

    def __init__(self, invocation: Invocation, known: _Known) -> None:
        self.invocation, self._known = invocation, known

    @cached_property
    def _component(self) -> Component:
        components, oid = self._known.components, self.invocation.call.component
        if oid not in components:
            components[oid] = self.invocation.component
        return components[oid]

    @property
    def component(self) -> str:
        """The component's name."""
        return self._component.name

    @property
    def code(self) -> bytes:
        """What is equal when the component's code is, and the project's files that the call read."""
        return self._component.code + self.invocation.call.reads

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
        """What names the call and all below it: its part, which is its encoding or the link to it."""
        return self.invocation.part

    @cached_property
    def children(self) -> ComparedCalls:
        """The calls it made."""
        return ComparedCalls(self.invocation, self._known)


class ComparedCalls(Sequence[ComparedCall]):
    """The calls that a call made; `digests` are at hand, a call is made when it is asked for."""

    def __init__(self, above: Invocation, known: _Known) -> None:
        self._above, self._known = above, known
        self.digests = above.children.gathered(known.items)
        self._made: dict[int, ComparedCall] = {}

    def __len__(self) -> int:
        return len(self.digests)

    @overload
    def __getitem__(self, at: int) -> ComparedCall: ...

    @overload
    def __getitem__(self, at: slice) -> list[ComparedCall]: ...

    def __getitem__(self, at: int | slice) -> ComparedCall | list[ComparedCall]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        made = self._made.get(at)
        if made is None:
            made = self._made[at] = ComparedCall(self._above.below(self.digests[at]), self._known)
        return made


def compare_invocations(
    old: Invocation, new: Invocation, differs: Callable[[Invocation, Invocation], bool] | None = None
) -> CallDiff:
    """Returns how two recorded executions differ; equal subtrees are not read.

    Of calls that threads or tasks made at the same time the order says nothing.
    `differs` tells of two calls whose components are equal whether what else
    their answers stood on is not.
    """
    known = _Known()

    def stood_on_other(before: CallNode, after: CallNode) -> bool:
        if differs is None or not isinstance(before, ComparedCall) or not isinstance(after, ComparedCall):
            return False
        return differs(before.invocation, after.invocation)

    return compare_calls(ComparedCall(old, known), ComparedCall(new, known), is_set=_ran_at_once, differs=stood_on_other)


def _ran_at_once(call: CallNode) -> bool:
    return isinstance(call, ComparedCall) and call.invocation.call.lanes != NIL
