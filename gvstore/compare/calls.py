"""How two executions differ, as trees of calls: which call stands for which, what changed, and where it began.

    same          the whole subtree is equal, and not looked into
    new sample    same code, same input, another outcome: the component drew anew
    code          the component's code changed, or the root is another component
    input         it was asked something else
    below         itself as before, but calls below it differ
    added, removed, moved

The first divergence is the first of these, in the order of execution, that
nothing before it explains.  What only follows from it is no `cause`.

Which calls belong together is `pairing`'s matter.  Nothing here recurses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gvstore.compare.pairing import pair_calls


class CallNode(Protocol):
    """One call, as a comparison sees it.

    `digest` names all that the subtree is: calls of one digest need
    not be looked into, so the other properties may load on demand.  `code`, `args` and
    `outcome` are keys: equal when what they stand for is equal.
    """

    @property
    def component(self) -> str: ...

    @property
    def code(self) -> bytes: ...

    @property
    def args(self) -> bytes: ...

    @property
    def outcome(self) -> bytes: ...

    @property
    def digest(self) -> bytes: ...

    @property
    def children(self) -> Sequence[CallNode]: ...


class CallChange(StrEnum):
    """What happened to a call."""

    SAME = "same"
    NEW_SAMPLE = "new sample"
    CODE = "code"
    INPUT = "input"
    BELOW = "below"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


CallPath = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallPair:
    """Two calls that belong together, or one that has no counterpart.

    Paths count children from 0 down from the root call, whose path is ().
    `children` are the pairs that differ, in the order of execution, removed
    calls where they had been; `same` counts those that do not.
    `cause` tells what diverged of itself; the rest follows from something above or before.
    """

    change: CallChange
    old: CallNode | None
    new: CallNode | None
    old_path: CallPath | None
    new_path: CallPath | None
    code_changed: bool
    input_changed: bool
    outcome_changed: bool
    cause: bool
    same: int
    children: tuple[CallPair, ...]

    @property
    def node(self) -> CallNode:
        """The call as it is now, or was."""
        node = self.new if self.new is not None else self.old
        assert node is not None
        return node

    def walk(self) -> Iterator[CallPair]:
        """Yields this pair and all below it that differ, in the order of execution."""
        todo = [self]
        while todo:
            pair = todo.pop()
            yield pair
            todo += reversed(pair.children)


@dataclass(frozen=True, slots=True)
class CallDiff:
    """Two executions compared; `first` is the first divergence, None when they are the same."""

    root: CallPair
    first: CallPair | None
    counts: dict[CallChange, int]

    @property
    def is_same(self) -> bool:
        return self.first is None


def compare_calls(
    old: CallNode, new: CallNode, *, is_set: Callable[[CallNode], bool] = lambda call: False,
    differs: Callable[[CallNode, CallNode], bool] = lambda old, new: False,
) -> CallDiff:  # fmt: skip
    """Returns how two executions differ.

    `is_set` tells of a call whether its children ran at the same time, so that their order says nothing.  `differs` is
    asked about calls that are not the same, and whose `code` is: whether what they stood on differs all the same.
    """
    root = _Draft(old, new, (), ())
    drafts = [root]
    for draft in drafts:  # grows while it is walked: parents stand before their children
        _look_below(draft, is_set)
        drafts += draft.children
    for draft in reversed(drafts):
        draft.settle(differs)
    first = _first_divergence(root)
    if first is not None:
        first.cause = True
    for draft in reversed(drafts):
        draft.freeze()
    assert root.frozen is not None
    return CallDiff(root.frozen, first.frozen if first is not None else None, _counts(drafts))


@dataclass(slots=True)
class _Draft:
    """A pair while it is being made."""

    old: CallNode | None
    new: CallNode | None
    old_path: CallPath | None
    new_path: CallPath | None
    moved: bool = False
    same: int = 0
    change: CallChange = CallChange.SAME
    code_changed: bool = False
    input_changed: bool = False
    outcome_changed: bool = False
    cause: bool = False
    children: list[_Draft] = field(default_factory=list)
    frozen: CallPair | None = None

    def settle(self, differs: Callable[[CallNode, CallNode], bool]) -> None:
        """Says what changed, the children having been settled; children that turned out the same are dropped."""
        self.same += sum(child.change is CallChange.SAME for child in self.children)
        self.children = [child for child in self.children if child.change is not CallChange.SAME]
        if self.old is None or self.new is None:
            self.change = CallChange.ADDED if self.old is None else CallChange.REMOVED
            return
        if self.old.digest != self.new.digest:
            same_code = (self.old.component, self.old.code) == (self.new.component, self.new.code)
            self.code_changed = not same_code or differs(self.old, self.new)
            self.input_changed = self.old.args != self.new.args
            self.outcome_changed = self.old.outcome != self.new.outcome
        self.change = self._label()
        self.cause = self.change in (CallChange.CODE, CallChange.NEW_SAMPLE)

    def _label(self) -> CallChange:
        if self.code_changed:
            return CallChange.CODE
        if self.moved:
            return CallChange.MOVED
        if self.input_changed:
            return CallChange.INPUT
        if self.children:
            return CallChange.BELOW
        return CallChange.NEW_SAMPLE if self.outcome_changed else CallChange.SAME

    def freeze(self) -> None:
        children = tuple(child.frozen for child in self.children if child.frozen is not None)
        self.frozen = CallPair(
            self.change, self.old, self.new, self.old_path, self.new_path, self.code_changed, self.input_changed,
            self.outcome_changed, self.cause, self.same, children,
        )  # fmt: skip


def _look_below(draft: _Draft, is_set: Callable[[CallNode], bool]) -> None:
    """Gives a pair its children: those that are not the same at first sight."""
    old, new = draft.old, draft.new
    if old is None or new is None or old.digest == new.digest:
        return
    before, after = old.children, new.children
    assert draft.old_path is not None and draft.new_path is not None
    pairing = pair_calls(before, after, ordered=not (is_set(old) and is_set(new)))
    draft.same = pairing.same
    draft.children = [
        _Draft(
            before[pair.old] if pair.old is not None else None,
            after[pair.new] if pair.new is not None else None,
            (*draft.old_path, pair.old) if pair.old is not None else None,
            (*draft.new_path, pair.new) if pair.new is not None else None,
            pair.moved,
        )
        for pair in pairing.others
    ]


def _first_divergence(root: _Draft) -> _Draft | None:
    """Returns the first difference in the order of execution that is not merely that something below differs."""
    todo = [root]
    while todo:
        draft = todo.pop()
        if draft.change not in (CallChange.SAME, CallChange.BELOW):
            return draft
        todo += reversed(draft.children)
    return None


def _counts(drafts: list[_Draft]) -> dict[CallChange, int]:
    """Returns how many pairs there are of each kind; a subtree that is the same counts once."""
    counts: Counter[CallChange] = Counter()
    for draft in drafts:
        if draft.frozen is not None and draft.change is not CallChange.SAME:
            counts[draft.change] += 1
        counts[CallChange.SAME] += draft.same
    if drafts[0].change is CallChange.SAME:
        counts[CallChange.SAME] += 1
    return {change: counts[change] for change in CallChange if counts[change]}
