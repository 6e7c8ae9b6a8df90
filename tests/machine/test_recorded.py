"""Machines that are recorded: each run of a machine is a run, each step a call of it, and a record replays to itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.machine import ApplicationBuilder, State, action, default, expr, on_error
from gvstore.machine.attempts import Retry
from gvstore.machine.keeping import checkpoint, hydrate, persist
from gvstore.machine.persister_store import StorePersister
from gvstore.machine.steps import MachineCall, step_of

RAN: list[str] = []


@action(reads=["counter"], writes=["counter"])
def count(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    """Counts on."""
    RAN.append("count")
    result = {"counter": state["counter"] + 1}
    return result, state.update(**result)


@action(reads=["counter"], writes=["log"])
def note(state: State[Any], suffix: str = "!") -> tuple[dict[str, Any], State[Any]]:
    """Writes down how far it came."""
    RAN.append("note")
    text = f"{state['counter']}{suffix}" * 60
    return {"text": text}, state.append(log=text)


@action(reads=["counter", "scratch"], writes=["counter", "scratch"])
def flaky(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    """Changes what it was given in place, and fails every time but the third."""
    RAN.append("flaky")
    state["scratch"].append("dirt")
    if RAN.count("flaky") % 3:
        raise ConnectionError("down")
    return {}, state.update(counter=state["counter"] + 100)


def built(limit: int = 40, **state: Any) -> Any:
    """Returns a machine that counts to `limit`, with a note at every tenth."""
    return (
        ApplicationBuilder()
        .with_actions(count, note)
        .with_transitions(("count", "note", expr("counter % 10 == 0")), ("count", "count", default), ("note", "count", expr(f"counter < {limit}")))
        .with_state(**{"counter": 0, **state})
        .with_entrypoint("count")
        .with_identifiers(app_id="counter", partition_key="north")
        .build()
    )


@pytest.fixture
def repo(tmp_path: Path) -> Any:
    """An empty repository, open."""
    with gv.init(tmp_path) as repo:
        yield repo


def test_a_run_of_a_machine_is_a_run_and_each_step_a_call_of_it(repo: Any) -> None:
    """`run` makes one run, found by its labels, whose calls are the steps in order."""
    app = built()
    app.run(halt_after=["note"])
    run = repo.runs[1]
    assert app.last_run is not None and app.last_run.number == 1
    assert dict(run.labels) == {"app": "counter", "partition": "north", "sequence": 0}
    machine = MachineCall.of_run(run.invocation, run.record)
    assert [step.action for step in machine.steps()] == ["count"] * 10 + ["note"]
    assert [step.wrote.get("counter") for step in machine.steps()] == [*range(1, 11), None]


def test_the_state_after_each_step_is_read_back(repo: Any) -> None:
    """`state_after` equals the state that the step answered, for every step of a long run."""
    app = built(200)
    states = [state for _, _, state in app.iterate(max_steps=500)]
    run = repo.runs[1]
    machine = MachineCall.of_run(run.invocation, run.record)
    assert len(machine) == len(states) > 200
    assert [machine.state_after(number + 1) for number in range(len(states))] == states
    assert machine.last_state() == states[-1]
    assert machine.first_state() == {"counter": 0}


def test_a_replay_answers_all_and_comes_to_the_same_state(repo: Any) -> None:
    """After `rewind(4)` the steps before are answered, the others run, and the output is the same."""
    app = built()
    app.run()
    RAN.clear()
    again = repo.runs[1].rewind(4).replay()
    assert len(RAN) == 4
    first, last = (MachineCall.of_run(run.invocation, run.record).last_state() for run in (repo.runs[1], again))
    assert first == last
    assert repo.runs[1].invocation.oid == again.invocation.oid


def test_a_step_is_answered_though_another_field_changed(repo: Any) -> None:
    """A step's arguments are what it reads: what it does not read may differ, and is kept."""
    app = built(10, other="a")
    app.run()
    changed = repo.runs[1].invocation
    forked = app.fork(state=State({"counter": 0, "other": "b"}))
    RAN.clear()

    @gv.register
    def twice(which: str) -> Any:
        machine = app.fork(state=State({"counter": 0, "other": which}), position=None, sequence_id=None)
        return machine.run()[2].get_all()

    run = gv.run(twice, "a")
    assert RAN and run.output["other"] == "a"
    RAN.clear()
    again = run.replay()
    assert again.output == run.output and not RAN
    assert changed is not None and forked is not None


def test_a_failing_step_leaves_no_trace_and_runs_alone_when_resumed(repo: Any) -> None:
    """What an action changed in place before it raised is not in the state; the replay runs just that action."""
    RAN.clear()
    app = (
        ApplicationBuilder().with_actions(count, flaky).with_transitions(("count", "flaky"))
        .with_state(counter=0, scratch=[]).build()
    )  # fmt: skip
    with pytest.raises(ConnectionError):
        app.run()
    assert app.state == {"counter": 1, "scratch": []}
    run = repo.runs[1]
    assert run.status == "raised"
    RAN[:] = ["flaky", "flaky"]
    again = run.replay()
    assert RAN == ["flaky"] * 3
    assert MachineCall.of_run(again.invocation, again.record).last_state() == {"counter": 101, "scratch": []}


def test_attempts_are_calls_and_the_step_is_one(repo: Any) -> None:
    """With retries each attempt is on record; in the application's history there is one step."""
    RAN.clear()
    app = (
        ApplicationBuilder()
        .with_actions(flaky=action(reads=["counter", "scratch"], writes=["counter", "scratch"], retry=Retry(3, backoff=0))(_plain_flaky))
        .with_state(counter=0, scratch=[])
        .build()
    )
    app.run()
    machine = MachineCall.of_run(repo.runs[1].invocation, repo.runs[1].record)
    assert [step.status for step in machine.steps()] == ["raised", "raised", "ok"]
    assert [number for number, _ in machine.taken()] == [0]


def _plain_flaky(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    RAN.append("flaky")
    if RAN.count("flaky") % 3:
        raise ConnectionError("down")
    return {}, state.update(counter=state["counter"] + 100, scratch=[])


def test_an_error_transition_is_on_record(repo: Any) -> None:
    """The failed step is a call that raised; the next is that of the transition."""
    RAN.clear()
    app = (
        ApplicationBuilder().with_actions(flaky, note).with_transitions(("flaky", "note", on_error(ConnectionError)))
        .with_state(counter=0, scratch=[]).build()
    )  # fmt: skip
    app.run()
    machine = MachineCall.of_run(repo.runs[1].invocation, repo.runs[1].record)
    assert [(step.action, step.status) for step in machine.steps()] == [("flaky", "raised"), ("note", "ok")]


def test_an_application_goes_on_from_the_repository(repo: Any) -> None:
    """StorePersister hands out the last step, any step, and after a rewind the step that it was taken back to."""
    built(100).run(halt_after=["note"])
    persister = StorePersister(repo)
    assert persister.list_app_ids("north") == ["counter"]
    last = persister.load("north", "counter")
    assert last is not None and (last["position"], last["sequence_id"], last["status"]) == ("note", 10, "completed")
    third = persister.load("north", "counter", 3)
    assert third is not None and third["state"] == {"counter": 4}
    app = _resumed(persister)
    assert app.sequence_id == 10
    app.run(halt_after=["note"])
    assert app.state["counter"] == 20 and app.sequence_id == 21
    repo.runs[2].rewind_before("4")
    assert _resumed(persister).state["counter"] == 14
    assert persister.load("south", "counter") is None


def _resumed(persister: Any) -> Any:
    return (
        ApplicationBuilder()
        .with_actions(count, note)
        .with_transitions(("count", "note", expr("counter % 10 == 0")), ("count", "count"), ("note", "count"))
        .with_identifiers(app_id="counter", partition_key="north")
        .initialize_from(persister, resume_at_next_action=True, default_state={"counter": 0}, default_entrypoint="count")
        .build()
    )


def test_a_list_that_was_read_back_is_recorded_by_its_new_items(repo: Any) -> None:
    """Also where the action read it before it appended to it: the record does not say again what it held."""

    @action(reads=["log"], writes=["log"])
    def look(state: State[Any]) -> State[Any]:
        return state.append(log=len(state["log"]))

    def made() -> Any:
        begun = ApplicationBuilder().with_actions(look).with_transitions(("look", "look")).with_identifiers(app_id="look")
        return begun.initialize_from(StorePersister(repo), True, {"log": ["first"]}, "look").build()

    made().step()
    app = made()
    app.step()
    step = step_of(app.last_run.invocation.get_child(0))

    assert ["first", 1, 2] == app.state["log"]
    assert ({}, {"log": [2]}) == (step.wrote, step.further)


def test_states_are_persisted_and_hydrated(repo: Any) -> None:
    """`hydrate` returns what `persist` kept, by name, reference and rev; a checkpoint is the same state."""
    state: State[Any] = State({"history": [f"message {n} " * 40 for n in range(50)]})
    ref = persist(state, "golden")
    assert hydrate("golden") == hydrate(ref) == checkpoint(state) == state
    app = built()
    app.run(halt_after=["note"])
    assert hydrate("run/1:3/state") == {"counter": 4}
    assert hydrate("run/1:") == app.state


def test_nothing_is_recorded_without_a_repository() -> None:
    """Outside of a repository a machine runs as it is."""
    app = built()
    app.run(halt_after=["note"])
    assert app.last_run is None


def test_a_state_value_that_cannot_be_stored_is_an_error_that_names_the_field(repo: Any) -> None:
    """The step fails; the state before it stands."""

    @action(reads=[], writes=["client"])
    def connect(state: State[Any]) -> State[Any]:
        return state.update(client=iter([1]))

    app = ApplicationBuilder().with_actions(connect).with_state(x=1).build()
    with pytest.raises(ValueError, match="client"):
        app.run()
    assert app.state == {"x": 1}


def test_spans_and_attributes_are_calls_below_their_step(repo: Any) -> None:
    """A span's call holds what was logged in it and what was called in it; a replay answers all of it."""

    @gv.register
    def ask(text: str) -> str:
        RAN.append("ask")
        return text.upper()

    @action(reads=[], writes=["text"])
    def traced(state: State[Any], __tracer: Any) -> State[Any]:
        with __tracer("outer") as outer:
            with __tracer("inner"):
                text = ask("hello")
            outer.log_attributes(tokens=3)
        __tracer.log_attributes(done=True)
        return state.update(text=text)

    RAN.clear()
    app = ApplicationBuilder().with_actions(traced, count).with_transitions(("traced", "count")).with_state(counter=0).build()
    app.run()
    step = repo.runs[1].invocation.get_child(0)
    outer, attributes = step.get_children()
    assert (outer.name, outer.output, attributes.output) == ("outer", {"tokens": 3}, {"done": True})
    assert [each.name for each in outer.get_child(0).get_children()] == ["ask"]
    repo.runs[1].rewind(1).replay()
    assert RAN.count("ask") == 1


def test_a_large_state_is_a_link_and_its_record_replays_to_the_same_oid(repo: Any) -> None:
    """What a run begins and ends with is named by its fields alone: a replay, and a later run from there, find the same object."""
    app = built(200, log=[f"line {n} " * 40 for n in range(60)])
    app.run()
    run = repo.runs[1]
    assert run.invocation.oid == run.rewind(3).replay().invocation.oid
    app.reset_to_entrypoint()
    app.update_state(app.state.update(counter=190))
    app.run()
    first, second = run.invocation, repo.runs[4].invocation
    assert first.call.args != second.call.args and len(second.call.args) < 400 and len(second.call.outcome) < 400


def test_what_an_action_has_bound_and_sees_of_what_failed_counts(repo: Any) -> None:
    """A run is stale where a bound value changed; a step that sees an error, where that is another."""

    def machine(by: int, error: str) -> Any:
        return (
            ApplicationBuilder().with_actions(fails=fails.bind(error=error), told=told.bind(by=by))
            .with_transitions(("fails", "told", on_error(OSError))).build()
        )  # fmt: skip

    @action(reads=[], writes=["x"])
    def fails(state: State[Any], error: str) -> State[Any]:
        raise OSError(error)

    @action(reads=[], writes=["text"])
    def told(state: State[Any], by: int, __context: Any) -> State[Any]:
        return state.update(text=f"{by} {__context.error}")

    made = machine(1, "full").__gv__.component(repo.root)
    assert made.code == machine(1, "full").__gv__.component(repo.root).code
    assert made.code != machine(2, "full").__gv__.component(repo.root).code
    machine(1, "full").run()
    machine(1, "down").run()
    steps = [run.invocation.get_child(1) for run in (repo.runs[1], repo.runs[2])]
    assert steps[0].call.args != steps[1].call.args
    assert [step.output[1] for step in steps] == [{"text": "1 full"}, {"text": "1 down"}]
