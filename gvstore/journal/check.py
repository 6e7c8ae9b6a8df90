"""Checking a run, for CI: today's bodies against the calls that the record has, nothing asked anew.

    check_run(repo, run)             the calls: does today's code ask what was asked, and come to the same?
    check_run(repo, run, "code")     the code: is anything stale?

A *leaf* is a recorded call that made no calls: what a model, a die or a clock
answered.  Leaves are answered from the record, stale or not, wherever today's
code makes the call; nothing that was a leaf on record, and nothing with
effect="once", is executed.  A call with calls below it is answered whole while
no body in it changed; else its body of today runs.  A call that is not on
record runs if its component is one that calls others; if it is not, it is a
new question, and the check ends there.  Nothing is stored, and there is no run.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gvstore.journal.answers import Answer, Answers
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import CheckStopped, InvocationError, StoppedByLimit
from gvstore.journal.invocation import Invocation
from gvstore.journal.mismatch import given_difference, given_text
from gvstore.journal.perform import Terms, perform_any
from gvstore.journal.replay import subject_of_record
from gvstore.journal.replayer import Replayer
from gvstore.objects import number
from gvstore.objects.invocation import PartList, outcome_number, part_body
from gvstore.objects.lanes import LanePath
from gvstore.objects.record import NIL
from gvstore.objects.wire import split

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath
    from gvstore.journal.repository import Repository
    from gvstore.journal.run import Run

CALLS: Final = "calls"
CODE: Final = "code"
_ANSWERS: Final = (number.RETURNED, number.STREAMED, number.RAISED)
_ENDED: Final = ("ok", "raised")
_NEAR: Final = 50


@dataclass(frozen=True, slots=True)
class StaleCall:
    """A call whose code changed: in a check of calls it was answered all the same."""

    path: CallPath
    component: str
    reason: str


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """A call that is not on record, and would have to be executed: `nearest` is the recorded call most like it, and how it differs."""

    component: str
    called: str
    why: str
    nearest: CallPath | None
    difference: str


@dataclass(frozen=True, slots=True)
class Check:
    """What came of a check; `ok` says whether it passes.

    `answered` leaves were told from the record, `executed` bodies ran; with
    neither nothing had changed.  `was` and `now` are the root call on record
    and of today, where they differ; `unasked` are leaves that today's code
    does not ask for, which is no fault.  `fault` says why it could not be
    carried out.
    """

    run: Run[Any]
    kind: str
    ok: bool
    answered: int = 0
    executed: int = 0
    stale: tuple[StaleCall, ...] = ()
    question: NewQuestion | None = None
    was: Invocation | None = None
    now: Invocation | None = None
    unasked: tuple[CallPath, ...] = ()
    fault: str = ""


def check_run(repo: Repository, run: Run[Any], kind: str = CALLS, alias: Mapping[str, str] = MappingProxyType({})) -> Check:
    """Returns what came of a check of a run against the code that is loaded.

    Raises:
        InvocationError: the run has not ended, so that there is nothing to check against.
        NoSuchComponent: the root component is not registered.
        ValueError: `kind` is neither "calls" nor "code".
    """
    if kind not in (CALLS, CODE):
        raise ValueError(f"a check is of 'calls' or of 'code', not of {kind!r}")
    run = repo.settled(run)
    if run.status not in _ENDED:
        raise InvocationError(
            f"{run.name} is {run.status}: only a run that has ended can be checked against",
            hint=f"`gv replay {run.name}` goes on with it.",
        )
    repo.load_root(run, alias)
    root = run.invocation
    mode = repo.mode_for(run, {"alias": alias}, root)
    replayer = Replayer(repo.objects, root=repo.root, mode=mode)
    if kind == CODE:
        stale = tuple(StaleCall(*each) for each in replayer.stale_below(root.part))
        return Check(run, kind, not stale, stale=stale)
    if replayer.is_fresh(root.part):
        return Check(run, kind, True)
    checking = Checking(replayer, root.part)
    if not checking.body_changed(()):
        stale = tuple(checking.stale)
        return Check(run, kind, True, len(checking.leaves) if stale else 0, stale=stale)
    return _carry_out(run, root, checking)


def _carry_out(run: Run[Any], root: Invocation, checking: Checking) -> Check:
    if checking.replayer.standing(checking.elements(())[1]).effect == "once":
        why = f'{root.component.name} has effect="once": its body is not executed'
        return Check(run, CALLS, False, stale=tuple(checking.stale), fault=why)
    answers = CheckAnswers(checking, checking.elements(()), ())
    performed = perform_any(root.store, subject_of_record(root, checking.replayer.mode.alias), Terms(answers=answers, keeps=False))
    if isinstance(performed.error, KeyboardInterrupt):
        raise performed.error
    now = performed.invocation
    ended = checking.question is None and checking.fault == ""
    same = ended and _same_outcome(root, now)
    return Check(
        run, CALLS, same, checking.answered, checking.executed + 1, tuple(checking.stale_asked()), checking.question,
        None if same or not ended else root, None if same or not ended else now,
        tuple(checking.unasked()) if ended else (), checking.fault,
    )  # fmt: skip


def _same_outcome(was: Invocation, now: Invocation) -> bool:
    """Returns whether two root calls ended alike; of exceptions type and text count."""
    before, after = was.call.outcome, now.call.outcome
    if before == after:
        return True
    kinds = outcome_number(before), outcome_number(after)
    if kinds != (number.RAISED, number.RAISED):
        return False
    first, second = was.get_raised(), now.get_raised()
    return (type(first), str(first)) == (type(second), str(second))


class _Leaf:
    """A recorded call without calls below it."""

    __slots__ = ("elements", "part", "path", "used")

    def __init__(self, path: CallPath, part: bytes, elements: list[bytes]) -> None:
        self.path, self.part, self.elements, self.used = path, part, elements, False


def _unused(leaves: deque[_Leaf] | None) -> _Leaf | None:
    """Takes out the first leaf that did not answer yet."""
    while leaves:
        leaf = leaves.popleft()
        if not leaf.used:
            return leaf
    return None


class Checking:
    """One check under way: the record's leaves, which of them were asked for, and where it has to end."""

    def __init__(self, replayer: Replayer, root: bytes) -> None:
        self.replayer = replayer
        self.leaves: list[_Leaf] = []  # depth first: sorted by path
        self.stale: list[StaleCall] = []  # leaves
        self.answered = self.executed = 0
        self.question: NewQuestion | None = None
        self.fault = ""
        self._calls: dict[CallPath, tuple[bytes, list[bytes]]] = {}  # those with calls below them
        self._changed: set[CallPath] = set()
        self._by_call: dict[tuple[str, bytes], deque[_Leaf]] = {}
        self._by_place: dict[tuple[CallPath, str, bytes], deque[_Leaf]] = {}  # the same, below one parent
        self._times: Counter[tuple[str, bytes]] = Counter()
        self._callers: set[str] = set()  # components of which a call made calls
        self._read(root)
        self._paths = [leaf.path for leaf in self.leaves]

    def _read(self, root: bytes) -> None:
        replayer = self.replayer
        stack: list[tuple[CallPath, bytes]] = [((), root)]
        while stack:
            path, part = stack.pop()
            elements = split(part_body(part, replayer.reader))
            stale = replayer.why_stale(elements)
            is_block = replayer.component(elements[1]).flavor == "block"
            if len(elements) < 5 or elements[4] == NIL:
                if is_block:
                    continue
                leaf = _Leaf(path, part, elements)
                self.leaves.append(leaf)
                key = self.key(elements)
                self._by_call.setdefault(key, deque()).append(leaf)
                self._by_place.setdefault((path[:-1], *key), deque()).append(leaf)
                self._times[key] += 1
                if stale:
                    self.stale.append(StaleCall(path, replayer.component(elements[1]).name, stale))
                continue
            self._calls[path] = part, elements
            self._callers.add(replayer.component(elements[1]).name)
            if stale:
                self._changed.update(path[:depth] for depth in range(len(path) + 1))
            stack += reversed([((*path, at), each) for at, each in enumerate(PartList(elements[4], replayer.reader))])

    def key(self, elements: list[bytes]) -> tuple[str, bytes]:
        """Returns what a call is found by: its component's name, and what it was given."""
        return self.replayer.component(elements[1]).name, (elements[5] if len(elements) > 5 else NIL) + elements[2]

    def elements(self, path: CallPath) -> list[bytes]:
        """Returns the parts of a call."""
        if path in self._calls:
            return self._calls[path][1]
        return self.leaves[bisect_left(self._paths, path)].elements

    def body_changed(self, path: CallPath) -> bool:
        """Returns whether the code of a call that made calls changed, or of one such below it."""
        return path in self._changed

    def take(self, path: CallPath, key: tuple[str, bytes]) -> _Leaf | None:
        """Returns the record's leaf for such a call, made below the call at `path` if there is one, else anywhere."""
        leaf = _unused(self._by_place.get((path, *key))) or _unused(self._by_call.get(key))
        if leaf is not None:
            leaf.used = True
            self.answered += 1
        return leaf

    def take_all(self, path: CallPath) -> None:
        """Notes that a call was answered whole, with the leaves below it."""
        at = bisect_left(self._paths, path)
        while at < len(self.leaves) and self.leaves[at].path[: len(path)] == path:
            self.answered += not self.leaves[at].used
            self.leaves[at].used = True
            at += 1

    def unasked(self) -> Iterator[CallPath]:
        """Yields the leaves that nobody asked for."""
        return (leaf.path for leaf in self.leaves if not leaf.used)

    def stale_asked(self) -> Iterator[StaleCall]:
        """Yields the stale leaves that were answered."""
        used = {leaf.path for leaf in self.leaves if leaf.used}
        return (each for each in self.stale if each.path in used)

    def calls_others(self, live: LiveComponent, name: str) -> bool:
        """Returns whether a component makes calls: on record, or as its code of today is written."""
        from gvstore.code.identity import reached

        if name in self._callers or live.flavor == "block":
            return True
        if self.replayer.root is None or live.component(self.replayer.root).library:
            return False
        found = reached(live.subject, self.replayer.root)
        return found is not None and bool(found.components)

    def ask(self, live: LiveComponent, name: str, args: bytes, state: bytes) -> StoppedByLimit:
        """Returns what ends the check at a call that is not on record."""
        if self.question is None and not self.fault:
            self.question = self._question(live, name, args, state)
        return self.stop("")

    def stop(self, why: str) -> StoppedByLimit:
        """Returns what ends the check, past the program's own handlers."""
        if self.question is None and not self.fault:
            self.fault = why
        self.replayer.fault = CheckStopped(self.fault or "a call is not on record")
        return StoppedByLimit(str(self.replayer.fault))

    def _question(self, live: LiveComponent, name: str, args: bytes, state: bytes) -> NewQuestion:
        replayer = self.replayer
        called = given_text(replayer, name, live.parameters, args, state)
        equal = self._times[name, state + args]
        if equal:
            times = "once" if equal == 1 else f"{equal} times"
            return NewQuestion(name, called, f"it is asked more often than on record, where it is asked {times}", None, "")
        kin = [leaf for leaf in self.leaves if replayer.component(leaf.elements[1]).name == name]
        if not kin:
            return NewQuestion(name, called, f"no call of {name} is on record", None, "")
        near = self._nearest([leaf for leaf in kin if not leaf.used] or kin, live, args, state)
        return NewQuestion(
            name, called, "it is asked with other arguments", near.path, given_difference(replayer, near.elements, live, args, state)
        )

    def _nearest(self, leaves: list[_Leaf], live: LiveComponent, args: bytes, state: bytes) -> _Leaf:
        wanted = given_text(self.replayer, "", live.parameters, args, state, whole=True)

        def likeness(leaf: _Leaf) -> float:
            parameters = self.replayer.component(leaf.elements[1]).parameters
            had = leaf.elements[5] if len(leaf.elements) > 5 else NIL
            text = given_text(self.replayer, "", parameters, leaf.elements[2], had, whole=True)
            return difflib.SequenceMatcher(None, wanted[:2000], text[:2000], autojunk=False).quick_ratio()

        return max(leaves[:_NEAR], key=likeness)


class CheckAnswers(Answers):
    """The recorded calls of one parent in a check; leaves are found wherever they stand."""

    __slots__ = ("_checking", "_mine")

    def __init__(self, checking: Checking, elements: list[bytes], path: CallPath) -> None:
        whole = [*elements, *[NIL] * (9 - len(elements))]
        super().__init__(checking.replayer, whole[4], whole[8], path)
        self._checking = checking
        self.in_order = False
        self._mine: dict[tuple[str, bytes], deque[tuple[int, bytes, list[bytes]]]] = {}
        for at, part in enumerate(PartList(whole[4], checking.replayer.reader)):
            below = split(part_body(part, checking.replayer.reader))
            if len(below) > 4 and below[4] != NIL:
                self._mine.setdefault(checking.key(below), deque()).append((at, part, below))

    def take(self, live: LiveComponent, args: bytes, state: bytes, lane: LanePath = ()) -> Answer | None:
        """Returns the record's word on a call: of a leaf its outcome, of one whose code changed what its body may ask; None: a new body.

        Raises:
            StoppedByLimit: it is a new question, or nothing can answer it.
        """
        checking, replayer = self._checking, self.replayer
        with replayer.lock:
            if replayer.fault is not None:
                raise StoppedByLimit(str(replayer.fault))
            key = live.name(replayer.root), state + args
            rows = self._mine.get(key)
            if rows:
                return self._with_calls(live, *rows.popleft())
            leaf = checking.take(self.path, key) if live.flavor != "block" else None
            if leaf is not None:
                return self._leaf(leaf)
            if live.effect == "once" or not checking.calls_others(live, key[0]):
                raise checking.ask(live, key[0], args, state)
            checking.executed += 1
            return None

    def _leaf(self, leaf: _Leaf) -> Answer:
        mine = leaf.path[:-1] == self.path
        path = leaf.path if mine else (*leaf.path[:-1], -1)  # no number among the recorded children of this parent
        return self._adopted(_CheckAnswer(self._checking, leaf.part, leaf.elements, path, leaf.path))

    def _with_calls(self, live: LiveComponent, at: int, part: bytes, elements: list[bytes]) -> Answer:
        checking, path = self._checking, (*self.path, at)
        answer = _CheckAnswer(checking, part, elements, path, path)
        keeps = not checking.body_changed(path) and answer.kind in _ANSWERS and live.flavor != "block"
        if keeps or live.effect == "once":
            checking.take_all(path)
            return self._adopted(answer)
        checking.executed += 1
        return answer

    def _adopted(self, answer: _CheckAnswer) -> Answer:
        if answer.kind in _ANSWERS:
            answer.adopt()
        if not answer.adopted:
            where = ".".join(map(str, answer.place))
            raise self._checking.stop(f"call {where} on record has no answer that could be told again")
        return answer

    def unrecorded(self) -> Answers:
        """Returns the answers for the calls of a call that the record does not have: leaves of the record."""
        return CheckAnswers(self._checking, [], (-1,))

    def leave(self, live: LiveComponent) -> None:
        """Ends the check at a stream that is asked for more than was recorded."""
        raise self._checking.stop(f"{live.qualname} is asked for more than it had yielded, or in another way")

    def refuse(self, why: str) -> None:
        """Ends the check at what it cannot follow."""
        raise self._checking.stop(why)

    def end(self, name: str) -> None:
        """What was not asked is told at the end, and no fault."""

    def note_execution(self) -> None:
        """Other processes are refused."""


class _CheckAnswer(Answer):
    """What the record says of one call; below it the check goes on."""

    __slots__ = ("_checking", "place")

    def __init__(
        self, checking: Checking, part: bytes, elements: list[bytes], path: CallPath, place: CallPath
    ) -> None:
        super().__init__(checking.replayer, part, elements, path, calls=1)
        self._checking, self.place = checking, place

    def below(self) -> Answers:
        """Returns the answers for the calls that this call makes when its body runs."""
        return CheckAnswers(self._checking, self.elements, self.place)
