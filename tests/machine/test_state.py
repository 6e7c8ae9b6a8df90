"""The laws of a state: reading, changing, what it shares, and every fault by its words."""

from __future__ import annotations

import copy
import dataclasses
import enum
import threading
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import GvError
from gvstore.machine.state import State, StateWrapper, is_private, link_part
from gvstore.machine.state_fault import MissingField, StateValueError
from gvstore.objects.check import check
from gvstore.objects.encode import Encoder, OnOpaque
from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.objects.value import get_value, put_value
from gvstore.objects.wire import link_bytes, pack
from gvstore.store.scratch import copy_value
from tests.objects.store import Objects
from tests.strategies import identical


@pytest.fixture
def state() -> State[Any]:
    """A chat, some messages in."""
    return State({"history": [{"role": "user", "content": "hi"}], "n": 1, "mode": "answer"})


def test_it_reads_as_a_mapping(state: State[Any]) -> None:
    """All that a read-only dict can do."""

    assert 1 == state["n"]
    assert "n" in state and "m" not in state
    assert ["history", "n", "mode"] == list(state) == list(state.keys())
    assert 3 == len(state)
    assert None is state.get("m")
    assert 7 == state.get("m", 7)
    assert {"history": [{"role": "user", "content": "hi"}], "n": 1, "mode": "answer"} == dict(state) == state.get_all()
    assert dict(state).items() == state.items()
    assert {} == State()
    assert "State({'n': 1})" == repr(state.subset("n"))


def test_equality_is_that_of_dicts(state: State[Any]) -> None:
    """With states and dicts, whatever way it was made; no state has a hash."""

    assert state.get_all() == state
    assert state == State(state.get_all())
    assert state == state.update(n=2).increment(n=-1)
    assert state != state.update(n=2)
    assert state != [1]
    with pytest.raises(TypeError):
        hash(state)


def test_what_is_given_and_what_is_read_are_copies() -> None:
    """Nothing changed in place reaches a state."""
    given = {"rows": [[1], {"a": [2]}], "tags": {1}}
    state: State[Any] = State(given)
    given["rows"].append(3)  # type: ignore[attr-defined]
    for read in (state["rows"], state.get("rows"), state.get_all()["rows"], dict(state.items())["rows"], next(iter(state.values()))):
        read[1]["a"].append("spoilt")
        read.append("spoilt")
    state["tags"].add(2)

    assert {"rows": [[1], {"a": [2]}], "tags": {1}} == state


def test_a_history_is_read_extended_and_given_back(state: State[Any]) -> None:
    """As programs do: the state before stays as it was."""
    history = state["history"]
    history.append({"role": "assistant", "content": "hello"})
    after = state.update(history=history)
    history.append("later")

    assert 1 == len(state["history"])
    assert 2 == len(after["history"])


@dataclasses.dataclass
class Message:
    role: str
    words: list[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    words: list[str]


def int_of(text: str) -> int:
    """Returns the number that a text spells."""
    return int(text)


class Tone(enum.Enum):
    DRY = 1


def test_objects_are_copied_too() -> None:
    """Dataclasses, slots, subclasses of builtins, deques: what is mutable in them does not leak; members of enums are themselves."""
    state: State[Any] = State({"m": Message("user", ["a"]), "s": Slotted(["b"]), "q": deque(["c"]), "t": Tone.DRY})
    state["m"].words.append("spoilt")
    state["s"].words.append("spoilt")
    state["q"].append("spoilt")

    assert Message("user", ["a"]) == state["m"]
    assert Slotted(["b"]) == state["s"]
    assert deque(["c"]) == state["q"]
    assert state["t"] is Tone.DRY


def test_what_cannot_be_copied_is_handed_on() -> None:
    """A lock, a client: the same object, as long as nothing is stored."""
    lock = threading.Lock()
    state: State[Any] = State({"lock": lock, "inside": [lock]})

    assert state["lock"] is lock
    assert state["inside"][0] is lock


def test_cycles_and_depths() -> None:
    """A value that contains itself can be held, not stored; one of ten thousand levels can be both."""
    circle: list[Any] = []
    circle.append(circle)
    state: State[Any] = State({"c": circle})
    with pytest.raises(StateValueError, match="state field 'c' holds a list that contains itself"):
        state.store(Objects())
    with pytest.raises(StateValueError, match="state field 'c' contains itself"):
        state.serialize()
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    writer = Objects()
    oid = State({"d": deep}).store(writer)

    assert oid == State.load(writer, oid).store(Objects())
    with pytest.raises(StateValueError, match="nests too deeply"):
        State({"d": deep}).serialize()


def test_update_upserts_in_order(state: State[Any]) -> None:
    """What is there keeps its place."""

    assert [("history", 0), ("n", 1), ("mode", "answer"), ("self", 2)] == list(state.update(history=0, self=2).items())


def test_append_and_extend(state: State[Any]) -> None:
    """Lists go on, or begin; so do other things that can be appended to."""
    state = state.append(history=1, new={"a": 1}).extend(new=(2, 3), other=iter("ab"))

    assert [{"role": "user", "content": "hi"}, 1] == state["history"]
    assert [{"a": 1}, 2, 3] == state["new"]
    assert ["a", "b"] == state["other"]
    assert deque([1, 2], 2) == State({"q": deque([0, 1], 2)}).append(q=2)["q"]


def test_increment(state: State[Any]) -> None:
    """Numbers of any kind are added; what is not there begins at 0."""
    state = state.increment(n=2, cost=0.5).increment(cost=0.25, n=-1)

    assert 2 == state["n"]
    assert 0.75 == state["cost"]
    assert Decimal("0.3") == State({"d": Decimal("0.1")}).increment(d=Decimal("0.2"))["d"]


def test_wipe(state: State[Any]) -> None:
    """Names to delete, names to keep, or all; a name alone is a list of one."""

    assert {"n": 1, "mode": "answer"} == state.wipe(delete=["history", "unknown"])
    assert {"n": 1} == state.wipe(keep=["n", "unknown"])
    assert {} == state.wipe() == state.wipe(keep=[])
    assert state == state.wipe(delete=[])
    assert ["history", "mode"] == list(state.wipe(delete="n"))


def test_merge(state: State[Any]) -> None:
    """Right wins; a dict will do."""

    assert {**state, "n": 9, "m": 1} == state.merge(State({"n": 9, "m": 1})) == state.merge({"n": 9, "m": 1})


def test_subset(state: State[Any]) -> None:
    """Names one by one or as a list; missing ones are left out, or are an error."""

    assert {"n": 1, "mode": "answer"} == state.subset("n", "mode") == state.subset(["n", "mode", "unknown"])
    assert {} == state.subset() == state.subset([])
    with pytest.raises(KeyError, match="'mod' not found: the state has 'history', 'n', 'mode'; did you mean 'mode'"):
        state.subset("mod", ignore_missing=False)


def test_private_fields() -> None:
    """Names that begin with two underscores are the machine's; they are fields like others."""
    state: State[Any] = State({"__PRIOR_STEP": "ask", "a": 1})

    assert "ask" == state["__PRIOR_STEP"]
    assert ["a"] == [name for name in state if not is_private(name)]
    with pytest.raises(MissingField) as caught:
        state["b"]

    assert "state field 'b' not found: the state has 'a'" == str(caught.value)


def assign(state: Any) -> None:
    state["a"] = 1


def delete(state: Any) -> None:
    del state["n"]


FAULTS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda s: s["histry"], KeyError, "'histry' not found: .* did you mean 'history'"),
    (lambda s: State()["a"], KeyError, "the state has no fields"),
    (lambda s: s.append(n=1, mode=2), ValueError, "Cannot append to non-appendable values {'n': 'int', 'mode': 'str'}"),
    (lambda s: s.extend(n=[1]), ValueError, "Cannot extend non-extendable values {'n': 'int'}"),
    (lambda s: s.extend(history="hi"), ValueError, "'history' cannot be extended with a str"),
    (lambda s: s.extend(history=1), ValueError, "cannot be extended with a int"),
    (lambda s: s.increment(mode=1), ValueError, r"non-integer values {'mode': 'str \+ int'}"),
    (lambda s: s.increment(n="1"), ValueError, "non-integer"),
    (lambda s: s.increment(n=True), ValueError, "non-integer"),
    (lambda s: s.increment(d=Decimal(1)).increment(d=0.5), ValueError, r"Decimal \+ float"),
    (lambda s: s.wipe(delete=["n"], keep=["mode"]), ValueError, "not both"),
    (lambda s: s.wipe(delete=1), TypeError, "delete takes names of fields, not 1"),
    (lambda s: s.subset(1), TypeError, "subset takes names of fields, not 1"),
    (lambda s: s.subset([1]), TypeError, "fields are named by text"),
    (lambda s: s.merge([1]), TypeError, "merged with a state or a dict, not with list"),
    (lambda s: State([1]), TypeError, "made of a dict, not of list"),  # type: ignore[arg-type]
    (lambda s: State({1: 2}), TypeError, "named by text, not by 1"),  # type: ignore[dict-item]
    (assign, TypeError, r"immutable: write `state = state.update\(a=...\)`"),
    (delete, TypeError, r"immutable: write `state = state.wipe\(delete=\['n'\]\)`"),
    (lambda s: State.deserialize([]), StateValueError, "is a dict, not a list"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("what", "error", "words"), FAULTS, ids=range(len(FAULTS)))
def test_faults(state: State[Any], what: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    """Each says what, where and with whom, and changes nothing."""
    before = state.get_all()
    with pytest.raises(error, match=words):
        what(state)

    assert before == state


def test_nothing_can_be_set_on_a_state(state: State[Any]) -> None:
    """It has no room for attributes."""
    with pytest.raises(AttributeError):
        state.foo = 1  # type: ignore[attr-defined]


def test_a_copy_of_a_state_is_the_state(state: State[Any]) -> None:
    """As it cannot change; another process gets an equal one."""
    made, arguments = state.__reduce__()

    assert copy.copy(state) is state
    assert copy.deepcopy([state])[0] is state
    assert state == made(*arguments)
    assert {"inner": state} == State({"inner": state})


def test_what_cannot_be_stored_is_named() -> None:
    """The field and the type, and what to do; never a marker or a text in its place.  What can be stored still is."""
    state: State[Any] = State({"a": 1, "client": [threading.Lock(), lambda: 1]})
    for store in (lambda: state.store(Objects()), lambda: state.encoded(Objects()), state.name, state.serialize):
        with pytest.raises(StateValueError, match="state field 'client' holds a value of type function, which cannot be stored") as caught:
            store()

        assert "register_field_serde" in caught.value.hint
    with pytest.raises(StateValueError):
        State({"rows": [1]}).append(rows=lambda: 1).store(Objects())
    state.wipe(delete=["client"]).store(Objects())


def test_a_stored_state_is_the_stored_dict(state: State[Any]) -> None:
    """Any tool that reads values reads it."""
    writer = Objects()

    assert put_value(writer, state.get_all()) == state.store(writer) == state.name()
    assert state == get_value(writer, state.store(writer))


def test_changes_after_a_state_are_values_too() -> None:
    """(depth, state before, fields, further items, gone): read by `load` to the same state, in the same order."""
    writer = Objects()
    first: State[Any] = State({"rows": ["x" * 400] * 10, "n": 1, "old": "y" * 300})
    first.store(writer)
    second = first.append(rows="z" * 400).update(n=2, new=3).wipe(delete=["old"])
    oid = second.store(writer, after=first)

    assert (1, first.get_all(), {"n": 2, "new": 3}, {"rows": ["z" * 400]}, ["old"]) == get_value(writer, oid)
    assert list(second.items()) == list(State.load(writer, oid).items())
    assert State.load(writer, oid).name() == second.name()


def test_a_record_may_link_a_stored_state() -> None:
    """In place of the fields: what is read is the state."""
    writer = Objects()
    states: list[State[Any]] = [State({"rows": ["x" * 300], "old": 1})]
    states[0].store(writer)
    for at in range(30):
        states.append(states[-1].append(rows=["y" * 300, at]).update(n=at, **{f"f{at}": at}).wipe(delete=[f"f{at - 2}"]))
        oid = states[-1].store(writer, after=states[-2])
        record = b"v" + link_part(oid)
        check(record)
        back = get_value(writer, writer.write(record))

        assert type(back) is State
        assert identical(states[-1].get_all(), back.get_all())
    wrong: list[Any] = [1, (1, 2), {1: 2}, (1, 2, {}, {}, [])]
    for value in wrong:
        with pytest.raises(ValueError, match="a stored state is a dict"):
            StateWrapper(value).unwrap()


def test_what_is_no_state_is_corrupt() -> None:
    """Other values, other objects, changes that do not fit."""
    writer = Objects()
    base = State({"a": 1, "rows": ["x"]}).store(writer)
    lists: list[Any] = [1, [1], {1: 2}, {"a": 1, 2: 2}, (), (1, 2, 3, 4, 5), (1, None, {}, {}, [])]
    for value in lists:
        with pytest.raises(CorruptObject):
            State.load(writer, put_value(writer, value))
    with pytest.raises(CorruptObject):
        State.load(writer, writer.write(b"bhello"))
    with pytest.raises(ObjectMissing):
        State.load(writer, ObjectId.of(b"nothing"))
    for change in ({"b": ["y"]}, {"a": ["y"]}):
        grown = pack([2, *[part for name, rows in change.items() for part in (name, [0, *rows])]])
        data = b"\x96\x01\x01" + link_bytes(base) + pack([2]) + grown + pack([0])
        with pytest.raises(CorruptObject):
            State.load(writer, writer.write(b"v" + data))["a"]


class Masked(Encoder):
    """Writes no text of ten characters or more."""

    def nested(self, value: Any) -> bytes:
        return self.nested_slowly(value)

    def text(self, value: str | bytes) -> bytes:
        return super().text(value if len(value) < 10 else "...")


class Masking(Objects):
    def encoder(self, on_opaque: OnOpaque) -> Encoder:
        return Masked(self, on_opaque)


def test_a_writer_may_have_an_encoder_of_its_own() -> None:
    """All that is stored goes through it: fields, items, changes."""
    writer = Masking()
    first: State[Any] = State({"a": "x" * 10, "rows": ["y" * 300]})
    second = first.append(rows=["z" * 10]).update(b="w" * 1000)
    first.store(writer)
    oid = second.store(writer, after=first)

    assert {"a": "...", "rows": ["...", ["..."]], "b": "..."} == State.load(writer, oid)
    assert "x" * 10 == second["a"]
    with pytest.raises(StateValueError):
        second.update(c=lambda: 1).store(writer)


def test_a_state_among_other_values_is_a_value() -> None:
    """As an argument, in a list, in another state: a State comes back."""
    writer = Objects()
    state: State[Any] = State({"a": (1, 2), "rows": ["x" * 400] * 50})
    back = get_value(writer, put_value(writer, [state, {"s": state}]))

    assert [state, {"s": state}] == back
    assert type(back[0]) is State
    assert type(State.load(writer, State({"inner": state}).store(writer))["inner"]) is State
    assert type(State.deserialize(State({"inner": state}).serialize())["inner"]) is State
    assert type(copy_value(state)) is State


def test_references_and_invocations_are_held_as_they_are() -> None:
    """A reference, a recorded call: names of what is stored; in another database the state brings it along."""
    with gv.InMemoryStore() as store:
        call = gv.invoke(gv.register(int_of), ("7",))
        state: State[Any] = State({"ref": store.commit([1, 2]), "call": call})

        assert state["call"] is call
        assert [1, 2] == state["ref"].checkout()
        back = State.load(store.objects, state.store(store.objects))
        assert 7 == back["call"].get_output()
        assert [1, 2] == back["ref"].checkout()
    writer = Objects()
    state.store(writer)

    assert writer.has(call.oid)


def test_errors_are_of_the_tree() -> None:
    """Exit code 2, and a hint."""
    with pytest.raises(GvError) as caught:
        State()["a"]

    assert 2 == caught.value.exit_code
    assert "with_state" in caught.value.hint


def test_threads_share_a_history() -> None:
    """Versions made and stored by several threads at once are each what they should be."""
    writer = Objects()
    root: State[Any] = State({"rows": list(range(500))})
    failed: list[BaseException] = []

    def grow(who: int) -> None:
        try:
            state = root
            for i in range(60):
                after = state.append(rows=(who, i))
                oid = after.store(writer, after=state)
                state = after
                assert [*range(500), *[(who, j) for j in range(i + 1)]] == State.load(writer, oid)["rows"]
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=grow, args=(who,)) for who in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert [] == failed
