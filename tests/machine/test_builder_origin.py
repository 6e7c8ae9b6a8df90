"""An application goes on where a persister left it: resumed, rewound or forked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gvstore.machine import (
    ApplicationBuilder,
    BuilderFault,
    ForkFault,
    MemoryPersister,
    NotInitialized,
    SQLitePersister,
    State,
    action,
    expr,
)
from gvstore.machine.call import CallFault
from gvstore.machine.persister import AsyncBaseStatePersister
from gvstore.machine.saver import SaverFault
from tests.machine.counting import count, counter, finish, flaky


@pytest.fixture(params=["memory", "sqlite"])
def persister(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Either kind."""
    if request.param == "memory":
        yield MemoryPersister()
        return
    with SQLitePersister(str(tmp_path / "steps.db")) as made:
        made.initialize()
        yield made


def machine(most: int = 3) -> ApplicationBuilder[Any]:
    """The counter, without a state."""
    return (
        ApplicationBuilder()
        .with_actions(count, finish)
        .with_transitions(("count", "count", expr(f"count < {most}")), ("count", "finish"))
    )


def going_on(persister: Any, app_id: str = "a", sequence_id: int | None = None, **asked: Any) -> ApplicationBuilder[Any]:
    """The counter, from a persister and into it."""
    return (
        machine()
        .with_identifiers(app_id, "north", sequence_id)
        .initialize_from(persister, default_state={"count": 0}, default_entrypoint="count", **asked)
        .with_state_persister(persister)
    )


def test_every_step_is_saved(persister: Any) -> None:
    """With its state, its position and what it answered."""
    app = counter().with_identifiers("a", "north").with_state_persister(persister).build()
    app.run(inputs={"by": 2})

    first, last = persister.load("north", "a", 0), persister.load("north", "a")
    assert ("count", "completed", 2) == (first["position"], first["status"], first["state"]["count"])
    assert ({"by": 2}, {"count": 2}) == (first["inputs"], first["result"])
    assert ("finish", 2) == (last["position"], last["sequence_id"])


@pytest.mark.parametrize("on_every, expected", [(2, [1, 3]), ("run", [3]), ("step", [0, 1, 2, 3])])
def test_saves_less_often(on_every: Any, expected: list[int]) -> None:
    """Every n-th step, or the last of each call; the last of a call always."""
    persister = MemoryPersister()
    app = counter().with_identifiers("a").with_state_persister(persister, on_every).build()
    app.run()

    assert expected == [each.sequence_id for each in persister.history(None, "a")]


def test_resumes(persister: Any) -> None:
    """The next process goes on after the last step, and counts on."""
    going_on(persister).build().step()
    app = going_on(persister).build()

    assert ("count", 0, 1) == (app.position, app.sequence_id, app.state["count"])
    app.run()
    assert {"count": 3, "done": True} == app.state
    assert [0, 1, 2, 3] == [each.sequence_id for each in persister.history("north", "a")]
    assert None is going_on(persister).build().step()
    again = going_on(persister, resume_at_next_action=False).build()
    assert (None, 3, "count") == (again.position, again.sequence_id, again.get_next_action().name)  # type: ignore[union-attr]
    assert None is going_on(persister).reset_to_entrypoint().build().position


def test_a_failed_action_runs_again(persister: Any) -> None:
    """Just it, from the state before it."""
    broken = [True]

    @action(reads=["count"], writes=["doubled"])
    def double(state: State[Any]) -> State[Any]:
        if broken:
            raise OSError("no")
        return state.update(doubled=2 * state["count"])

    def builder() -> ApplicationBuilder[Any]:
        return (
            ApplicationBuilder()
            .with_actions(count, double)
            .with_transitions(("count", "double"))
            .with_identifiers("a")
            .initialize_from(persister, default_state={"count": 0})
            .with_state_persister(persister)
        )

    with pytest.raises(OSError, match="no"):
        builder().build().run()
    failed = persister.load(None, "a")
    assert ("double", "failed", 1, "OSError: no") == (failed["position"], failed["status"], failed["sequence_id"], failed["exception"])
    broken.clear()
    app = builder().build()
    assert "double" == app.get_next_action().name  # type: ignore[union-attr]
    assert {"count": 1, "doubled": 2} == app.run()[2]
    assert 2 == app.sequence_id


def test_the_way_ahead_outlives_the_process(persister: Any) -> None:
    """After a failure that an error transition took, it goes on where that leads, with what was raised as text."""

    def builder() -> ApplicationBuilder[Any]:
        made, _ = flaky(9)
        return made.with_identifiers("a").initialize_from(persister).with_state_persister(persister)

    builder().build().run(halt_before=["mend"])
    app = builder().build()
    assert "mend" == app.get_next_action().name  # type: ignore[union-attr]
    assert "mended: OSError: call 4" == app.run()[2]["answer"]


def test_rewinds_under_the_same_id(persister: Any) -> None:
    """It goes on after the step that was named; what came after it stays addressable."""
    going_on(persister).build().run()
    app = going_on(persister, sequence_id=0).build()

    assert (1, 0, None) == (app.state["count"], app.sequence_id, app.parent_pointer)
    app.run(inputs={"by": 5})
    assert {"count": 6, "done": True} == going_on(persister).build().state
    assert 3 == persister.load("north", "a", 2, lineage=1)["state"]["count"]
    with pytest.raises(ForkFault, match="application a in partition north has no step 9") as caught:
        going_on(persister, sequence_id=9).build()
    assert "Its last step is 2." == caught.value.hint


def test_forks(persister: Any) -> None:
    """A new application begins at another's step, knows it, and sees the history before."""
    going_on(persister).build().run()
    app = going_on(
        persister, "b", fork_from_app_id="a", fork_from_sequence_id=1, override_state_values={"count": 7}
    ).build()

    assert (7, 1, "count") == (app.state["count"], app.sequence_id, app.position)
    assert app.parent_pointer is not None
    assert ("a", "north", 1) == (app.parent_pointer.app_id, app.parent_pointer.partition_key, app.parent_pointer.sequence_id)
    app.run()
    assert [("a", 0), ("a", 1), ("b", 2)] == [(each.app_id, each.sequence_id) for each in persister.history("north", "b")]
    nameless = machine().initialize_from(persister, fork_from_app_id="a", fork_from_partition_key="north").build()
    assert nameless.uid not in ("a", "b")
    assert 3 == nameless.state["count"]


@pytest.mark.parametrize(
    ("asked", "told", "hint"),
    [
        ({"fork_from_app_id": "chat-l"}, "there is no application chat-l in partition north to fork from", "Did you mean chat-1?"),
        ({"fork_from_app_id": "zzz"}, "there is no application zzz", "There are: chat-1."),
        ({"fork_from_app_id": "chat-1", "fork_from_sequence_id": 9}, "has no step 9 to fork from", "Its last step is 3."),
        ({"fork_from_app_id": "b"}, "is forked onto itself", "with_identifiers"),
        ({"fork_from_sequence_id": 1}, "If you set fork_from_sequence_id", "Name the application"),
    ],
)
def test_what_cannot_be_forked(persister: Any, asked: dict[str, Any], told: str, hint: str) -> None:
    """A fork from nothing is an error, not a fresh start."""
    going_on(persister, "chat-1").build().run()

    with pytest.raises(ForkFault, match=told) as caught:
        going_on(persister, "b", **asked).build()
    assert hint in caught.value.hint


def test_what_cannot_go_on(tmp_path: Path) -> None:
    """Persisters that are not ready, and what contradicts initialize_from, are told."""
    with pytest.raises(NotInitialized):
        counter().with_state_persister(SQLitePersister(str(tmp_path / "a.db"))).build()
    memory = MemoryPersister()
    with pytest.raises(BuilderFault, match=r"initialize_from\(\) after with_state\(\)"):
        counter().initialize_from(memory)
    with pytest.raises(BuilderFault, match=r"with_state\(\) after initialize_from"):
        machine().initialize_from(memory).with_state(count=1)
    with pytest.raises(BuilderFault, match=r"with_entrypoint\(\) after"):
        machine().initialize_from(memory).with_entrypoint("count")
    with pytest.raises(BuilderFault, match="no persister"):
        machine().initialize_from(3)
    with pytest.raises(SaverFault, match="no persister"):
        machine().with_state_persister(3)
    for wrong in (0, "steps", None, 1.5, True):
        with pytest.raises(SaverFault, match="on_every"):
            machine().with_state_persister(memory, wrong)  # type: ignore[arg-type]


def test_an_action_that_is_gone() -> None:
    """What was saved at an action that the graph has no longer is told, with the near names."""
    memory = MemoryPersister()
    memory.save(None, "a", 0, "conut", State({"count": 1}), "completed")

    with pytest.raises(BuilderFault, match="at action conut, which is not found") as caught:
        machine().with_identifiers("a").initialize_from(memory, default_state={"count": 0}).build()
    assert "count" in caught.value.hint


class Awaited(AsyncBaseStatePersister):
    """A persister that is awaited."""

    def __init__(self) -> None:
        self.kept = MemoryPersister()

    async def load(self, partition_key: Any, app_id: Any, sequence_id: Any = None, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return self.kept.load(partition_key, app_id, sequence_id)

    async def list_app_ids(self, partition_key: Any, **kwargs: Any) -> list[str]:
        return self.kept.list_app_ids(partition_key)

    async def save(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        self.kept.save(*args, **kwargs)


def test_awaited_persisters() -> None:
    """An application of one is built and run awaited; build() says so."""
    persister = Awaited()

    async def program() -> None:
        await (await going_on(persister).abuild()).arun(halt_after=["count"])
        app = await going_on(persister).abuild()
        assert (1, 0) == (app.state["count"], app.sequence_id)
        await app.arun()
        with pytest.raises(ForkFault, match="no application x"):
            await going_on(persister, "b", fork_from_app_id="x").abuild()

    assert going_on(persister).is_async
    asyncio.run(program())
    assert 3 == persister.kept.load("north", "a")["sequence_id"]  # type: ignore[index]
    with pytest.raises(CallFault, match=r"async: run\(\) cannot await it"):
        asyncio.run(going_on(persister).abuild()).run()
    with pytest.raises(BuilderFault, match="cannot await it"):
        going_on(persister).build()


def test_a_tracker_is_a_persister_to_load_from(tmp_path: Path) -> None:
    """The local tracker writes every step; an application goes on from its files."""
    app = (
        counter()
        .with_identifiers("a")
        .with_tracker("local", project="counting", params={"storage_dir": str(tmp_path)})
        .build()
    )
    app.run(halt_before=["finish"])

    assert app.context.tracker is not None
    again = machine().with_identifiers("a").initialize_from(app.context.tracker, default_state={"count": 0}).build()
    assert {"count": 3, "done": True} == again.run()[2]
    assert 3 == again.sequence_id
