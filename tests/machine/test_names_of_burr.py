"""Programs that were written for Burr find the names, keywords and words of messages that they rely on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

import gvstore.machine as machine
from gvstore.machine import (
    ActionSpan,
    Application,
    ApplicationBuilder,
    ApplicationGraph,
    AsyncSQLitePersister,
    BaseStateLoader,
    BuilderFault,
    Condition,
    DictBasedTypingSystem,
    ForkFault,
    LocalTrackingClient,
    MemoryPersister,
    NotInitialized,
    Placeholder,
    Result,
    SingleStepStreamingAction,
    SQLitePersister,
    State,
    StateAndResultsFullLogger,
    TracerFactory,
    action,
    assert_set,
    expr,
    streaming_action,
    when,
)
from gvstore.machine.persister import PersisterFault


@action(reads=["n"], writes=["n"])
def count(state: State[Any]) -> State[Any]:
    """Counts."""
    return state.increment(n=1)


def counting() -> ApplicationBuilder[Any]:
    """A counter without a beginning."""
    return ApplicationBuilder().with_actions(count).with_transitions(("count", "count", expr("n < 3")))


class Fixed(BaseStateLoader):
    """Loads the same whatever it is asked for."""

    def __init__(self, state: State[Any] | None) -> None:
        self.state, self.asked = state, []  # type: ignore[var-annotated]

    def load(self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any) -> Any:
        """Returns step 5 of the counter."""
        self.asked.append(app_id)
        return {"partition_key": "", "app_id": "x", "sequence_id": 5, "position": "count", "state": self.state, "created_at": "", "status": "completed"}

    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the one."""
        return ["x"]


def test_every_name_that_is_offered_is_there() -> None:
    """What `gvstore.machine` lists can be imported from it, and so can what Burr's own modules have."""
    for name in (*machine.__all__, "KEY", "assert_set", "SubgraphType"):
        assert getattr(machine, name) is not None, name


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (when(n=1), "n=1"),
        (when(n__gte=18), "n>=18"),
        (when(n__ne="a"), "n!='a'"),
        (when(n__in=["a"]), "n in ['a']"),
        (when(n__notin=["a"]), "n not in ['a']"),
        (when(n__contains="a"), "n contains 'a'"),
        (when(n__isnot=None), "n is not None"),
        (when(b__lt=2, a=1), "a=1, b<2"),
        (~when(n__lt=2), "~(n<2)"),
        (when(n__lt=2) & when(m=1), "(n<2) & m=1"),
    ],
)
def test_comparisons_are_named_by_their_signs(condition: Condition, name: str) -> None:
    """As one would write them, not by their suffixes."""
    assert condition.name == name


def test_a_comparison_needs_a_key() -> None:
    """A suffix alone compares nothing."""
    with pytest.raises(ValueError, match="no state key"):
        when(__gte=18)


def test_comparisons_are_made_in_the_order_in_which_they_were_typed() -> None:
    """The first that does not hold keeps the others from being made."""
    assert when(z="number", a__gt=3).run({"z": "text", "a": "b"}) == {"PROCEED": False}


def test_safe_expr_is_expr() -> None:
    """Every expression is looked at before it runs."""
    assert Condition.safe_expr("n > 2").run({"n": 3}) == {"PROCEED": True}


@streaming_action(reads=[], writes=["said"])
def parts(state: State[Any]) -> Iterator[Any]:
    """Tells parts alone, the last with the state."""
    yield {"word": "once"}
    yield {"word": "more"}, None
    yield {"word": "over"}, state.update(said=True)


@streaming_action(reads=[], writes=["said"])
async def awaited_parts(state: State[Any]) -> AsyncIterator[Any]:
    """The same, awaited."""
    yield {"word": "once"}
    yield {"word": "more"}, None
    yield {"word": "over"}, state.update(said=True)


def test_a_part_may_be_yielded_without_the_none_beside_it() -> None:
    """In functions and classes that stream, sync and async."""

    class Parts(SingleStepStreamingAction):
        reads: ClassVar[list[str]] = []
        writes: ClassVar[list[str]] = ["said"]

        def stream_run_and_update(self, state: State[Any], **run_kwargs: Any) -> Iterator[Any]:
            yield from parts(state)

    for each in (parts, Parts().with_name("parts")):
        _, stream = ApplicationBuilder().with_actions(each).build().stream_result(halt_after=["parts"])
        assert [part["word"] for part in stream] == ["once", "more"]
        assert stream.get()[0] == {"word": "over"}

    async def told() -> list[str]:
        _, stream = await ApplicationBuilder().with_actions(parts=awaited_parts).build().astream_result(halt_after=["parts"])
        return [part["word"] async for part in stream]

    assert asyncio.run(told()) == ["once", "more"]


def test_a_stream_that_yields_no_dict_says_so_as_other_actions_do() -> None:
    """With the same words."""

    @streaming_action(reads=[], writes=[])
    def wrong(state: State[Any]) -> Iterator[Any]:
        yield "text", state

    with pytest.raises(ValueError, match="returned a non-dict"):
        ApplicationBuilder().with_actions(wrong).build().run()


def test_a_loader_is_asked_though_the_application_was_given_no_id() -> None:
    """By the id that the application then has; it may know what to load by other means."""
    loader = Fixed(State({"n": 1}))
    app = counting().initialize_from(loader, False, {"n": 0}, "count", override_state_values={"n": 100}).build()
    assert (app.state["n"], app.sequence_id, loader.asked) == (100, 5, [app.uid])
    assert not app.is_named


def test_two_applications_without_ids_do_not_meet_in_a_persister() -> None:
    """Each begins with its default."""
    persister = MemoryPersister()
    for _ in range(2):
        app = counting().initialize_from(persister, True, {"n": 0}, "count").with_state_persister(persister).build()
        assert app.run(halt_after=["count"])[2]["n"] == 1
    assert len(persister.list_app_ids(None)) == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_a_loader_that_gives_no_state_is_named(is_async: bool) -> None:
    """It is to return None where it has nothing."""
    builder = counting().initialize_from(Fixed(None), True, {"n": 0}, "count")
    with pytest.raises(PersisterFault, match="Fixed loaded step 5 of 'x', but value for state was None"):
        asyncio.run(builder.abuild()) if is_async else builder.build()


def test_what_goes_wrong_with_beginnings_is_told_in_the_known_words() -> None:
    """Programs look for them."""
    with pytest.raises(BuilderFault, match=r"Cannot call initialize_from\(\) after with_state"):
        counting().with_state(n=0).initialize_from(MemoryPersister())
    with pytest.raises(ForkFault, match="If you set fork_from_sequence_id"):
        counting().initialize_from(MemoryPersister(), True, {"n": 0}, "count", fork_from_sequence_id=1).build()
    with pytest.raises(ForkFault, match="Cannot fork and save under one id: application a"):
        counting().initialize_from(MemoryPersister(), True, {"n": 0}, "count", fork_from_app_id="a").with_identifiers("a").build()
    with pytest.raises(NotInitialized, match="Uninitialized persister"):
        SQLitePersister(":memory:").load(None, "a")


def test_no_parent_is_no_parent() -> None:
    """A program may pass on that it has none."""
    assert counting().with_state(n=0).with_spawning_parent(None, None).build().spawning_parent_pointer is None


def test_an_async_file_is_awaited_or_entered(tmp_path: Path) -> None:
    """And closed by either name."""

    async def used() -> None:
        async with AsyncSQLitePersister.from_values(db_path=tmp_path / "a.db", table_name="t") as persister:
            assert not await persister.is_initialized()
            await persister.initialize()
            await persister.save("p", "a", 0, "count", State({"n": 1}), "completed")
        again = await AsyncSQLitePersister.from_values(tmp_path / "a.db", "t")
        kept = await again.load("p", "a")
        assert kept is not None
        assert kept["state"] == State({"n": 1})
        await again.close()

    asyncio.run(used())


class Word(BaseModel):
    """An item of a stream."""

    text: str


class Talk(BaseModel):
    """What the stream reads and writes."""

    said: str = ""


@streaming_action.pydantic(reads=[], writes=["said"], state_input_type=Talk, state_output_type=Talk, stream_type=Word)
def say(state: Talk) -> Iterator[Any]:
    """Streams models."""
    yield Word(text="hi"), None
    state.said = "hi"
    yield Word(text="all"), state


def test_a_result_that_is_a_model_is_tracked_and_kept(tmp_path: Path) -> None:
    """As the model, by trackers and persisters alike."""
    client = LocalTrackingClient("talk", tmp_path)
    with SQLitePersister(tmp_path / "steps.db") as sqlite:
        sqlite.initialize()
        for persister in (sqlite, MemoryPersister()):
            builder = ApplicationBuilder().with_actions(say).with_identifiers("a").with_tracker(client).with_state_persister(persister)
            _, stream = builder.build().stream_result(halt_after=["say"])
            assert [part.text for part in stream] == ["hi"]
            assert stream.get()[0] == Word(text="all")
            kept = persister.load(None, "a")
            assert kept is not None
            assert kept["state"]["said"] == "hi"
            assert Word(text="all") == dict(kept)["result"]
    log = [json.loads(line) for line in (tmp_path / "talk" / "a" / LocalTrackingClient.LOG_FILENAME).read_text().splitlines()]
    assert "all" in json.dumps([entry["result"] for entry in log if entry["type"] == "end_entry"])


def test_a_tracker_tells_its_files_and_its_project(tmp_path: Path) -> None:
    """By the names that viewers use."""
    client = LocalTrackingClient("talk", tmp_path, {"wide": True}).copy()
    counting().with_state(n=0).with_identifiers("a").with_tracker(client).build().step()
    names = {client.LOG_FILENAME, client.GRAPH_FILENAME, client.METADATA_FILENAME}
    assert names <= {path.name for path in (tmp_path / "talk" / "a").iterdir()}
    assert (client.project_id, client.CHILDREN_FILENAME, client.serde_kwargs) == ("talk", "children.jsonl", {"wide": True})


def test_tracers_count_their_spans() -> None:
    """Those below no other; and a span knows its name."""
    tracer = TracerFactory("count", 4)
    with tracer("a") as outer:
        with tracer("b") as inner:
            assert (inner.span_name, inner.top_level_span_count) == ("b", 1)
        assert outer.top_level_span_count == 1
    with tracer("c"):
        pass
    assert (tracer.action_sequence_id, tracer.top_level_span_count) == (4, 2)
    first = ActionSpan.create_initial("count", "a", 0, action_sequence_id=4)
    assert (first.uid, first.spawn("b").uid, first.child_count) == ("4:0", "4:0.0", 1)


def test_graphs_are_told_with_their_entrypoint() -> None:
    """Where they have one."""
    app: Application[Any] = counting().with_state(n=0).build()
    told = app.graph.to_dict()
    assert (told["type"], told["entrypoint"], told["transitions"]) == (
        "application_graph",
        "count",
        [{"from": "count", "to": "count", "condition": "n < 3"}],
    )
    lone = Result("n").with_name("get")
    assert ApplicationGraph(actions=[lone], transitions=[], entrypoint=lone).to_dict()["entrypoint"] == "get"


def test_placeholders_and_typing_systems_answer_all_that_they_are_asked() -> None:
    """A placeholder raises what says that it is one."""
    later = Placeholder(["a"], ["b"])
    with pytest.raises(NotImplementedError):
        later.run(State())
    with pytest.raises(NotImplementedError):
        later.update({}, State())
    with pytest.raises(NotImplementedError):
        later.run_and_update(State())
    system = DictBasedTypingSystem()
    assert system.state_pre_action_run_type(None, None) is system.state_post_action_run_type(None, None) is dict


def test_tables_are_made_by_any_name(tmp_path: Path) -> None:
    """But for the table of another."""
    with SQLitePersister.from_config({"db_path": tmp_path / "a.db", "table_name": "t"}) as persister:
        persister.create_table_if_not_exists("t")
        assert persister.is_initialized()
        with pytest.raises(PersisterFault, match="table is 't', not 'u'"):
            persister.create_table("u")

    async def made() -> bool:
        async with AsyncSQLitePersister.from_values(tmp_path / "b.db", "t") as awaited:
            await awaited.create_table_if_not_exists("t")
            return await awaited.is_initialized()

    assert asyncio.run(made())


def test_a_log_may_be_written_in_another_form(tmp_path: Path) -> None:
    """Its maker is given what the line says."""
    log = StateAndResultsFullLogger(str(tmp_path / "log.jsonl"), json_dump=lambda line: f"{line['action']} {line['state']['n']}")
    counting().with_state(n=0).with_hooks(log).build().run()
    assert (tmp_path / "log.jsonl").read_text() == "count 1\ncount 2\ncount 3\n"


def test_what_is_a_method_of_something_has_a_name_of_its_own() -> None:
    """As some programs import it."""
    assert machine.safe_expr("n > 2").run({"n": 3}) == machine.lmda(lambda state: state["n"] > 2, ["n"]).run({"n": 3})

    @machine.pydantic_action(reads=["said"], writes=["said"])
    def shout(state: Talk, mark: str) -> Talk:
        state.said += mark
        return state

    app = ApplicationBuilder().with_actions(shout=machine.bind(shout, mark="!")).with_state(said="hi").build()
    assert app.run()[2]["said"] == "hi!"
    assert machine.pydantic_streaming_action is streaming_action.pydantic
    schema = machine.PydanticActionSchema(Talk, Talk, dict)
    assert schema.state_input_type() is schema.state_output_type() is Talk


def test_assert_set() -> None:
    """What is not set is named, with what sets it."""
    assert_set(0, "field", "with_field")
    with pytest.raises(ValueError, match="field is not set: call with_field"):
        assert_set(None, "field", "with_field")


def test_models_name_the_fields_that_they_do_not_have() -> None:
    """When the action is declared."""
    with pytest.raises(ValueError, match="not present in the model Talk"):
        action.pydantic(reads=["sayd"], writes=[], state_input_type=Talk, state_output_type=Talk)(lambda state: state)
