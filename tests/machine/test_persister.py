"""Persisters keep all that they are given: SQLite does what memory does."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gvstore.machine.duplicate import is_same
from gvstore.machine.persister import PersistedStateData, PersisterFault, Status, UnknownApplication
from gvstore.machine.persister_memory import DevNullPersister, InMemoryPersister, MemoryPersister
from gvstore.machine.persister_sqlite import SQLitePersister
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.serde import KEY
from gvstore.machine.state import State
from tests.strategies import identical, values

Persister = MemoryPersister | SQLitePersister


@pytest.fixture(params=["memory", "sqlite"])
def persister(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Persister]:
    """Both, made and initialized."""
    made: Persister = MemoryPersister() if request.param == "memory" else SQLitePersister(tmp_path / "steps.db")
    made.initialize()
    yield made
    if isinstance(made, SQLitePersister):
        made.cleanup()


def loaded(persister: Persister, app_id: str, sequence_id: int | None = None, lineage: int | None = None) -> PersistedStateData:
    """Returns a step that is there."""
    found = persister.load("p", app_id, sequence_id, lineage=lineage)
    assert found is not None
    return found


def grow(persister: Persister, app_id: str, first: int, last: int, label: str = "", parent: ParentPointer | None = None) -> None:
    """Saves steps `first` to `last`, each with a state that tells which it is."""
    for at in range(first, last + 1):
        state: State[Any] = State({"n": at, "label": label, "history": list(range(at + 1))})
        persister.save("p", app_id, at, f"act{at}", state, "completed", parent=parent)


def test_a_step_comes_back_as_it_was_saved(persister: Persister) -> None:
    """State, position, status, and what the step was given and answered."""
    state: State[Any] = State({"when": datetime.date(2026, 1, 2), "pair": (1, 2), "seen": {3}})
    persister.save(
        "p", "app", 4, "ask", state, "failed", inputs={"prompt": "hi", "__context": 3}, result={"a": b"x"}, exception=ValueError("no")
    )
    found = loaded(persister, "app")

    assert ("p", "app", 4, "ask", "failed") == tuple(
        found[name] for name in ("partition_key", "app_id", "sequence_id", "position", "status")
    )
    assert state == found["state"] and list(state) == list(found["state"])
    assert ({"prompt": "hi"}, {"a": b"x"}, "ValueError: no") == (found["inputs"], found["result"], found["exception"])
    assert datetime.UTC == datetime.datetime.fromisoformat(found["created_at"]).tzinfo


def test_what_is_not_there_is_none(persister: Persister) -> None:
    """An application, a step, a partition, a lineage."""
    grow(persister, "app", 0, 2)

    assert persister.load("p", "other") is None
    assert persister.load("p", "app", 3) is None
    assert persister.load("q", "app") is None
    assert persister.load("q", None) is None
    assert persister.load("p", "app", lineage=2) is None
    assert [] == persister.list_app_ids("q")
    assert [] == persister.lineages("p", "other")


def test_applications_are_listed_by_their_last_step(persister: Persister) -> None:
    """The latest first, each partition for itself; None is the partition ""."""
    grow(persister, "a", 0, 0)
    grow(persister, "b", 0, 0)
    grow(persister, "a", 1, 1)
    persister.save(None, "c", 0, "x", State(), "completed")

    assert ["a", "b"] == persister.list_app_ids("p")
    assert ["c"] == persister.list_app_ids(None) == persister.list_app_ids("")
    assert ["", "p"] == persister.list_partitions()
    latest = persister.load("p", None)
    assert latest is not None and ("a", 1) == (latest["app_id"], latest["sequence_id"])


def test_a_rewind_begins_a_lineage_and_loses_nothing(persister: Persister) -> None:
    """Saving an earlier step again goes on from the one before it; the old steps stay addressable."""
    grow(persister, "app", 0, 5, "old")
    grow(persister, "app", 2, 3, "new")

    assert [(0, "old"), (1, "old"), (2, "new"), (3, "new")] == [
        (at, loaded(persister, "app", at)["state"]["label"]) for at in range(4)
    ]
    assert persister.load("p", "app", 4) is None
    assert 3 == loaded(persister, "app")["sequence_id"]
    assert (5, "old") == (loaded(persister, "app", lineage=1)["sequence_id"], loaded(persister, "app", 4, 1)["state"]["label"])
    assert [(1, 0, 5, None), (2, 2, 3, ParentPointer("app", "p", 1))] == [
        (each.number, each.first, each.last, each.parent) for each in persister.lineages("p", "app")
    ]
    assert [(1, 0), (1, 1), (2, 2), (2, 3)] == [(each.lineage, each.sequence_id) for each in persister.history("p", "app")]
    assert [0, 1, 2, 3, 4, 5] == [each.sequence_id for each in persister.history("p", "app", lineage=1)]


def test_a_rewind_to_the_first_step_has_nothing_before_it(persister: Persister) -> None:
    """It has no parent, and its state is all its own."""
    grow(persister, "app", 0, 2, "old")
    grow(persister, "app", 0, 0, "new")

    assert [None, None] == [each.parent for each in persister.lineages("p", "app")]
    assert [(2, 0)] == [(each.lineage, each.sequence_id) for each in persister.history("p", "app")]


def test_a_fork_keeps_its_parent_and_sees_what_was_before(persister: Persister) -> None:
    """Under its own id; what the parent does afterwards is not seen."""
    grow(persister, "app", 0, 4, "parent")
    grow(persister, "fork", 3, 5, "fork", ParentPointer("app", "p", 2))
    grow(persister, "app", 5, 6, "parent")

    assert [("app", 0), ("app", 1), ("app", 2), ("fork", 3), ("fork", 4), ("fork", 5)] == [
        (each.app_id, each.sequence_id) for each in persister.history("p", "fork")
    ]
    before = loaded(persister, "fork", 1)
    assert ("app", 1, "parent") == (before["app_id"], before["sequence_id"], before["state"]["label"])
    assert [ParentPointer("app", "p", 2)] == [each.parent for each in persister.lineages("p", "fork")]
    assert ["app", "fork"] == persister.list_app_ids("p")


def test_a_fork_of_what_is_kept_elsewhere_keeps_the_names(persister: Persister) -> None:
    """Its state is all here nevertheless."""
    grow(persister, "fork", 3, 4, "fork", ParentPointer("app", "elsewhere", 2))

    assert [(ParentPointer("app", "elsewhere", 2), None)] == [
        (each.parent, each.parent_lineage) for each in persister.lineages("p", "fork")
    ]
    assert [3, 4] == [each.sequence_id for each in persister.history("p", "fork")]
    assert [0, 1, 2, 3, 4] == loaded(persister, "fork")["state"]["history"]


def test_an_unknown_application_is_told_with_those_that_are_near(persister: Persister) -> None:
    """A history that is not there is an error; so is a lineage."""
    grow(persister, "chatbot", 0, 0)
    with pytest.raises(UnknownApplication) as caught:
        persister.history("p", "chatbut")
    assert ("the persister has no application 'chatbut' in partition 'p'", "Did you mean chatbot?") == (
        str(caught.value), caught.value.hint,
    )  # fmt: skip
    with pytest.raises(UnknownApplication, match="lineage 7 of application 'chatbot'"):
        persister.history("p", "chatbot", lineage=7)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"app_id": ""}, "app_id is text"),
        ({"app_id": 3}, "app_id is text"),
        ({"app_id": "\ud800"}, "app_id is text"),
        ({"position": "\ud800"}, "position is the name"),
        ({"partition_key": "\ud800"}, "partition_key is text or None"),
        ({"sequence_id": "3"}, "sequence_id is a whole number"),
        ({"sequence_id": 1 << 70}, "sequence_id is a whole number"),
        ({"position": None}, "position is the name"),
        ({"state": {"a": 1}}, "what is kept is a State, not a dict"),
        ({"status": "done"}, "status is 'completed' or 'failed', not 'done'"),
        ({"partition_key": 3}, "partition_key is text or None"),
    ],
)
def test_what_is_no_step_is_refused(persister: Persister, change: dict[str, Any], what: str) -> None:
    """And nothing is kept of it."""
    step = {"partition_key": "p", "app_id": "a", "sequence_id": 0, "position": "x", "state": State(), "status": "completed"}
    with pytest.raises(PersisterFault, match=what):
        persister.save(**{**step, **change})

    assert [] == persister.list_partitions()


def test_nothing_kept_can_be_spoilt(persister: Persister) -> None:
    """What a program does to what it gave, and to what it was given, changes no step."""
    given = {"items": [1]}
    persister.save("p", "a", 0, "x", State(given), "completed", inputs=given, result=given)
    given["items"].append(2)
    loaded(persister, "a")["inputs"]["items"].append(3)  # type: ignore[index]

    found = loaded(persister, "a")
    assert {"items": [1]} == found["inputs"] == found["result"] == found["state"]


def test_names_of_fields_and_inputs_may_be_any_text(persister: Persister) -> None:
    """Marks, quotes, lone surrogates, nothing at all."""
    names = ["", KEY, 'a"b', "\ud800", "é", "0\0"]
    for at in range(3):
        persister.save("p", "a", at, "x", State(dict.fromkeys(names, at)), "completed", inputs=dict.fromkeys(names, at))
    found = loaded(persister, "a", 1)

    assert dict.fromkeys(names, 1) == found["state"].get_all()
    assert dict.fromkeys([name for name in names if name != KEY], 1) == found["inputs"]


def test_an_exception_may_say_anything(persister: Persister) -> None:
    """As the name of a file that the system could not decode."""
    persister.save("p", "a", 0, "x", State(), "failed", exception=OSError("\udcff"))

    assert "OSError: \\udcff" == loaded(persister, "a")["exception"]
    assert persister.load("p", "\ud800") is None


def test_nothing_is_kept_in_dev_null() -> None:
    """It takes all, and has nothing."""
    null = DevNullPersister()
    null.initialize()
    null.save("p", "a", 0, "x", State(), "completed", inputs={}, anything=3)

    assert null.is_initialized() and not null.is_async()
    assert (None, []) == (null.load("p", "a"), null.list_app_ids("p"))


def test_in_memory_has_two_names() -> None:
    """Programs for Burr know the second."""

    assert InMemoryPersister is MemoryPersister


FIELDS = st.sampled_from(["a", "b", "history", "turns"])
CHANGES = st.one_of(
    st.tuples(st.just("update"), FIELDS, st.one_of(st.integers(), st.lists(st.integers(), max_size=3), st.text(max_size=4))),
    st.tuples(st.just("append"), FIELDS, st.one_of(st.integers(), st.text(max_size=4))),
    st.tuples(st.just("wipe"), FIELDS, st.none()),
    st.tuples(st.just("order"), st.none(), st.none()),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.one_of(st.just(1), st.integers(-4, 3)),
        st.lists(CHANGES, max_size=3),
        st.sampled_from(["completed", "failed"]),
        st.one_of(st.none(), st.integers(0, 6)),
        st.booleans(),
    ),
    max_size=14,
)


def changed(state: State[Any], verb: str, name: Any, value: Any) -> State[Any]:
    """Returns a state after one change."""
    if verb == "update":
        return state.update(**{name: value})
    if verb == "append" and isinstance(state.get(name, []), list):
        return state.append(**{name: value})
    if verb == "wipe":
        return state.wipe(delete=[name])
    return state.subset(*sorted(state, reverse=True))


def same_step(ours: PersistedStateData | None, theirs: PersistedStateData | None) -> bool:
    """Returns whether two persisters hold the same, but for when."""
    if ours is None or theirs is None:
        return ours is theirs
    one, other = ({k: v for k, v in each.items() if k not in ("created_at", "state")} for each in (ours, theirs))
    mine, his = ours["state"].get_all(), theirs["state"].get_all()
    return one == other and is_same(mine, his) and list(mine) == list(his)


def on(app: str, further: int, forked: int | None = None) -> tuple[str, int, list[Any], str, int | None, bool]:
    """Returns a step that changes nothing; `forked` is the step of the other application that it would go on from."""
    return app, further, [], "completed", forked, False


@given(STEPS)
@example([*[on("two", 1)] * 4, on("two", 0), on("two", -2), on("one", 1, 2)])
@example([*[on("two", 1)] * 5, on("two", -2), on("one", 1, 3)])
@settings(max_examples=60, deadline=None)
def test_sqlite_keeps_what_memory_keeps(steps: list[Any]) -> None:
    """Whatever is saved in whatever order: rewinds, forks, gaps, a file closed and opened in between."""
    memory, sqlite = MemoryPersister(), SQLitePersister(":memory:")
    sqlite.initialize()
    states: dict[str, State[Any]] = {}
    tips = {"one": 0, "two": 0}
    status: Status
    for app, further, changes, status, forked, forgets in steps:
        state = states.get(app, State())
        for change in changes:
            state = changed(state, *change)
        states[app] = state
        tips[app] += further
        parent = None if forked is None else ParentPointer("two" if app == "one" else "one", "p", forked)
        if forgets:
            sqlite._cursors.clear()
            sqlite._rows.forget()
        for each in (memory, sqlite):
            each.save("p", app, tips[app], "act", state, status, inputs={"n": further}, result=state.get_all(), parent=parent)
    for app in ("one", "two"):
        ours, theirs = memory.lineages("p", app), sqlite.lineages("p", app)
        assert [(x.number, x.first, x.last, x.parent, x.parent_lineage) for x in ours] == [
            (x.number, x.first, x.last, x.parent, x.parent_lineage) for x in theirs
        ]
        for lineage in (None, *(each.number for each in ours)):
            for at in (None, *range(min(tips.values()) - 15, 50)):
                assert same_step(memory.load("p", app, at, lineage=lineage), sqlite.load("p", app, at, lineage=lineage))
            if ours:
                told = [[(s.app_id, s.lineage, s.sequence_id) for s in p.history("p", app, lineage=lineage)] for p in (memory, sqlite)]
                assert told[0] == told[1]
    assert memory.list_app_ids("p") == sqlite.list_app_ids("p")
    sqlite.cleanup()


@given(st.sampled_from(["files", "file", "memory"]), st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(-3, 2)), max_size=20))
@settings(max_examples=100, deadline=None)
def test_two_at_once_never_mix(where: str, saves: list[tuple[int, int]]) -> None:
    """Each writes on from its own last step: the lineages are those of a model that holds whole histories."""
    with tempfile.TemporaryDirectory() as folder:
        one: Persister = MemoryPersister() if where == "memory" else SQLitePersister(f"{folder}/a.db", synchronous="OFF")
        both = [one, SQLitePersister(f"{folder}/a.db", synchronous="OFF") if where == "files" else one]
        lineages: list[list[tuple[int, int]]] = []  # (step, what it holds) of all steps that are seen there
        at: list[tuple[int, int] | None] = [None, None]  # each one's lineage and last step there
        for value, (who, further) in enumerate(saves):
            both[who].initialize()
            place = at[who] or ((len(lineages) - 1, lineages[-1][-1][0]) if lineages else None)
            step = (0 if place is None else place[1]) + further
            both[who].save("p", "app", step, "act", State({"value": value, "all": [value] * 3}), "completed", writer=who)
            if place is None or step <= place[1] or lineages[place[0]][-1][0] != place[1]:
                kept = [] if place is None else [each for each in lineages[place[0]] if each[0] <= min(step - 1, place[1])]
                lineages.append([*kept, (step, value)])
                place = len(lineages) - 1, step
            else:
                lineages[place[0]].append((step, value))
            at[who] = place[0], step
        for number, expected in enumerate(lineages, 1):
            found = [(each, both[0].load("p", "app", each.sequence_id, lineage=number)) for each in both[0].history("p", "app", lineage=number)]
            assert expected == [(each.sequence_id, step["state"]["value"]) for each, step in found if step is not None]
        for persister in both:
            if isinstance(persister, SQLitePersister):
                persister.cleanup()


@given(values(), values())
@settings(max_examples=60, deadline=None)
def test_any_value_comes_back(first: Any, second: Any) -> None:
    """To the bit, whether a field was set or a list went on."""
    with SQLitePersister(":memory:") as sqlite:
        sqlite.initialize()
        state: State[Any] = State({"a": first, "items": [first]})
        sqlite.save("p", "x", 0, "act", state, "completed")
        state = state.update(a=second).append(items=second)
        said = {"value": second, "items": [second], "in": {"role": "user", "content": "x" * 90, "v": first}}
        state = state.append(items=said["in"])
        sqlite.save("p", "x", 1, "act", state, "completed", inputs={**said["in"], "\ud800": "x" * 90}, result=said)
        found = sqlite.load("p", "x")
        assert found is not None and identical(found["result"], said) and identical(found["inputs"], {**said["in"], "\ud800": "x" * 90})
        for at, value, items in ((0, first, [first]), (1, second, [first, second, said["in"]])):
            found = sqlite.load("p", "x", at)
            assert found is not None
            assert identical(found["state"]["a"], value) and identical(found["state"]["items"], items)
