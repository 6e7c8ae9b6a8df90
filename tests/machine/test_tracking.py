"""The tracker writes Burr's files, and reads them back whatever became of their last lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gvstore.machine import ApplicationBuilder, State, action, default, when
from gvstore.machine.lifecycle import LifecycleAdapterSet
from gvstore.machine.persister import CorruptPersister, PersistedStateData, PersisterFault
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.tracing import TracerFactory
from gvstore.machine.tracking import LocalTrackingClient
from tests.machine.act import Act


@action(reads=["n"], writes=["n", "seen"])
def count(state: State[Any], by: int = 1) -> tuple[dict[str, Any], State[Any]]:
    """Counts."""
    n = state["n"] + by
    if n == 13:
        raise ValueError("thirteen")
    return {"n": n}, state.update(n=n).append(seen=(n, "x"))


@action(reads=["n"], writes=["done"])
def finish(state: State[Any], __tracer: TracerFactory) -> State[Any]:
    """Ends, with a span."""
    with __tracer("look") as span:
        span.log_attributes(n=state["n"])
    return state.update(done=True)


def application(folder: Path, app_id: str = "app", n: int = 0, **identifiers: Any) -> Any:
    """Returns an application that counts to 3, tracked."""
    return (
        ApplicationBuilder()
        .with_actions(count, finish)
        .with_transitions(("count", "finish", when(n=3)), ("count", "count", default))
        .with_entrypoint("count")
        .with_state(n=n)
        .with_identifiers(app_id=app_id, **identifiers)
        .with_tracker("local", project="demo", params={"storage_dir": str(folder)})
        .build()
    )


def tracker(folder: Path) -> LocalTrackingClient:
    """Returns a tracker to read with."""
    return LocalTrackingClient("demo", folder)


def loaded(folder: Path, sequence_id: int | None = None, app_id: str = "app") -> PersistedStateData:
    """Returns a step that is there."""
    found = tracker(folder).load(None, app_id, sequence_id)
    assert found is not None
    return found


def test_an_application_leaves_burrs_files(tmp_path: Path) -> None:
    """In a folder of its own in the project's, each line with what it says there."""
    application(tmp_path).run(halt_after=["finish"], inputs={"by": 1})
    folder = tmp_path / "demo" / "app"
    graph = json.loads((folder / "graph.json").read_text())
    metadata = json.loads((folder / "metadata.json").read_text())
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]

    assert ["graph.json", "log.jsonl", "metadata.json"] == sorted(each.name for each in folder.iterdir())
    assert ("application", "count", ["count", "finish"]) == (graph["type"], graph["entrypoint"], [each["name"] for each in graph["actions"]])
    assert "return {" in graph["actions"][0]["code"] and ["by"] == graph["actions"][0]["optional_inputs"]
    assert {"type": "transition", "from_": "count", "to": "finish", "condition": "n=3"} == graph["transitions"][0]
    assert {"type": "application_metadata", "partition_key": None, "parent_pointer": None, "spawning_parent_pointer": None} == metadata
    assert ["begin_entry", "end_entry"] * 3 + ["begin_entry", "begin_span", "attribute", "end_span", "end_entry"] == [
        each["type"] for each in entries
    ]
    assert {"type", "start_time", "action", "inputs", "sequence_id", "graph"} == set(entries[0])
    assert {"type", "end_time", "action", "result", "exception", "state", "sequence_id"} == set(entries[1])
    assert {"by": 1} == entries[0]["inputs"]
    assert ("n", 3, "3:0") == tuple(entries[8][name] for name in ("key", "value", "span_id"))


def test_steps_are_loaded_as_they_were(tmp_path: Path) -> None:
    """The last, or any; without loss."""
    application(tmp_path).run(halt_after=["finish"])

    assert (3, "finish", "completed") == tuple(
        loaded(tmp_path)[name] for name in ("sequence_id", "position", "status")
    )
    assert [(1, "x"), (2, "x")] == loaded(tmp_path, 1)["state"]["seen"]
    assert {"n": 2} == loaded(tmp_path, 1)["result"]
    assert tracker(tmp_path).load(None, "app", 9) is None
    assert tracker(tmp_path).load("other", "app") is None
    assert tracker(tmp_path).load(None, "nobody") is None
    assert tracker(tmp_path).load(None, None) is not None


def test_a_failed_step_is_told_with_its_traceback(tmp_path: Path) -> None:
    """And loads as failed, with the state before it."""
    app = application(tmp_path, n=11)
    app.step()
    with pytest.raises(ValueError, match="thirteen"):
        app.step()
    found = loaded(tmp_path)

    assert ("failed", 12, 1) == (found["status"], found["state"]["n"], found["sequence_id"])
    assert "in count" in (found["exception"] or "") and "ValueError: thirteen" in (found["exception"] or "")


def test_an_application_goes_on_from_its_log(tmp_path: Path) -> None:
    """The tracker is a loader as any other."""
    application(tmp_path).step()
    app = (
        ApplicationBuilder()
        .with_actions(count, finish)
        .with_transitions(("count", "finish", when(n=3)), ("count", "count", default))
        .initialize_from(tracker(tmp_path), resume_at_next_action=True, default_state={"n": 0}, default_entrypoint="count")
        .with_identifiers(app_id="app")
        .with_tracker(tracker(tmp_path))
        .build()
    )
    app.run(halt_after=["finish"])

    assert [0, 1, 2, 3] == [each["sequence_id"] for each in tracker(tmp_path).entries("app") if each["type"] == "begin_entry"]


@pytest.mark.parametrize("torn", [1, 40, 5000])
def test_a_torn_line_loses_only_itself(tmp_path: Path, torn: int) -> None:
    """Whatever is missing of it; a process that goes on begins a new line."""
    application(tmp_path).run(halt_after=["finish"])
    log = tmp_path / "demo" / "app" / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + (b'{"type":"end_entry","sequence_id":4,"state":{"a":"' + b"x" * 6000)[:torn])

    assert 3 == loaded(tmp_path)["sequence_id"]
    assert 1 == loaded(tmp_path, 1)["sequence_id"]
    assert whole.count(b"\n") == len(list(tracker(tmp_path).entries("app")))
    application(tmp_path).step()
    assert (0, 1) == (loaded(tmp_path)["sequence_id"], loaded(tmp_path)["state"]["n"])


def test_a_log_without_a_step_that_can_be_read_is_damage(tmp_path: Path) -> None:
    """It is not taken for an application that has not begun."""
    application(tmp_path)
    folder = tmp_path / "demo" / "app"
    assert tracker(tmp_path).load(None, "app") is None
    (folder / "log.jsonl").write_bytes(b'{"type":"end_entry","sequ\n')
    with pytest.raises(CorruptPersister, match="has no step that can be read"):
        loaded(tmp_path)
    (folder / "log.jsonl").write_bytes(b'{"type":"end_entry","sequence_id":0}\n')
    with pytest.raises(CorruptPersister, match="step 0 lacks its action"):
        loaded(tmp_path)
    (folder / "metadata.json").write_bytes(b"{")
    with pytest.raises(CorruptPersister, match=r"metadata\.json is damaged"):
        loaded(tmp_path)


def test_a_log_longer_than_a_read_is_read_from_its_end(tmp_path: Path) -> None:
    """Lines of any length, longer than a piece that is read at once as well."""
    hooks = LifecycleAdapterSet(tracker(tmp_path))
    for at in range(6):
        state: State[Any] = State({"text": "é" * (at * 20_000)})
        known: dict[str, Any] = {"app_id": "app", "partition_key": None, "sequence_id": at, "action": Act("act")}
        hooks.call_all_lifecycle_hooks_sync("post_run_step", **known, state=state, result=None, exception=None)

    assert [at * 20_000 for at in range(6)] == [len(loaded(tmp_path, at)["state"]["text"]) for at in range(6)]


def test_the_graph_is_kept_in_every_version(tmp_path: Path) -> None:
    """What the code was when a step ran can be asked; an application built again without a change adds none."""
    application(tmp_path).step()
    application(tmp_path)
    changed = ApplicationBuilder().with_actions(count).with_entrypoint("count").with_state(n=5).with_identifiers(app_id="app", sequence_id=0)
    changed.with_tracker(tracker(tmp_path)).build().step()
    reader = tracker(tmp_path)
    found = [reader.graph("app", at) for at in (0, 1, None)]

    assert ["graph.1.json", "graph.json"] == sorted(each.name for each in (tmp_path / "demo" / "app").glob("graph*"))
    assert [2, 1, 1] == [len(each["actions"]) for each in found if each]
    assert reader.graph("nobody") is None


def test_forks_are_known_to_their_parents(tmp_path: Path) -> None:
    """In the parent's children.jsonl, and in the fork's metadata."""
    hooks = LifecycleAdapterSet(tracker(tmp_path))
    graph = application(tmp_path).graph
    given: dict[str, Any] = {"partition_key": None, "state": State(), "application_graph": graph, "spawning_parent_pointer": None}
    hooks.call_all_lifecycle_hooks_sync("post_application_create", app_id="fork", parent_pointer=ParentPointer("app", None, 3), **given)
    child = tracker(tmp_path).children("app")[0]

    assert ("fork", "fork", 3) == (child["child"]["app_id"], child["event_type"], child["sequence_id"])
    assert {"type": "pointer_data", "app_id": "app", "sequence_id": 3, "partition_key": None} == (tracker(tmp_path).metadata("fork") or {})[
        "parent_pointer"
    ]
    assert [] == tracker(tmp_path).children("fork")


def test_applications_are_listed_by_partition(tmp_path: Path) -> None:
    """One id is of one partition: its files have room for no more."""
    application(tmp_path, "a", partition_key="north").step()
    application(tmp_path, "b").step()

    assert (["a"], ["b"], []) == tuple(tracker(tmp_path).list_app_ids(each) for each in ("north", None, "south"))
    with pytest.raises(PersisterFault, match="is in partition 'north' already"):
        application(tmp_path, "a", partition_key="south")


def test_streams_are_told(tmp_path: Path) -> None:
    """When they began, when the first item came, how many there were."""
    hooks = LifecycleAdapterSet(tracker(tmp_path))
    known: dict[str, Any] = {"app_id": "app", "partition_key": None, "sequence_id": 2, "action": "act"}
    hooks.call_all_lifecycle_hooks_sync("pre_start_stream", **known)
    for at in range(3):
        told = {"item": at, "item_index": at, "stream_initialize_time": None, "first_stream_item_start_time": None}
        hooks.call_all_lifecycle_hooks_sync("post_stream_item", **known, **told)
    hooks.call_all_lifecycle_hooks_sync("post_end_stream", **known)
    entries = list(tracker(tmp_path).entries("app"))

    assert ["begin_stream", "first_item_stream", "end_stream"] == [each["type"] for each in entries]
    assert 3 == entries[-1]["items_streamed"]


def test_a_field_that_cannot_be_stored_stops_nothing_but_loading(tmp_path: Path) -> None:
    """The step is written; who loads it is told which field it is."""
    hooks = LifecycleAdapterSet(tracker(tmp_path))
    known: dict[str, Any] = {"app_id": "app", "partition_key": None, "sequence_id": 0, "action": Act("act"), "exception": None}
    hooks.call_all_lifecycle_hooks_sync("post_run_step", **known, state=State({"it": (x for x in "")}), result={"it": (x for x in "")})
    with pytest.raises(PersisterFault, match="state field 'it' was not stored: it held a builtins:generator"):
        loaded(tmp_path)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a\\b", "a\0", 3, None])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: Any) -> None:
    """Of projects, and of applications."""
    with pytest.raises(PersisterFault, match="is no name of a folder"):
        LocalTrackingClient(name, tmp_path)
    with pytest.raises(PersisterFault, match="is no name of a folder"):
        tracker(tmp_path).folder(name)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands where it should."""
    (tmp_path / "demo").write_text("")
    with pytest.raises(PersisterFault, match="cannot be made"):
        application(tmp_path)
