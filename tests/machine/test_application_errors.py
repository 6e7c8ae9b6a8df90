"""What an action raises goes to its caller, or where an error transition leads; retries and timeouts come before that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gvstore.machine import ActionTimeout, ApplicationBuilder, Retry, State, action, on_error
from tests.machine.counting import flaky


def run(app: Any, method: str, **asked: Any) -> Any:
    """Runs it, awaited or not."""
    return asyncio.run(app.arun(**asked)) if method == "arun" else app.run(**asked)


both = pytest.mark.parametrize("method", ["run", "arun"])


@both
def test_an_error_transition_leads_on(method: str) -> None:
    """Three visits in a row are allowed; then the next edge is taken, and its action is told the error."""
    builder, attempt = flaky(9)
    app = builder.build()
    _, _, state = run(app, method)

    assert "mended: call 4" == state["answer"]
    assert (4, 5, None) == (attempt.calls, app.sequence_id, app.error)


@both
def test_success_forgets_the_visits(method: str) -> None:
    """An action that went well begins to count anew, and leaves nothing in the state."""
    builder, attempt = flaky(3)
    app = builder.build()
    run(app, method)

    assert {"answer": "well", "ended": True} == app.state
    assert 4 == attempt.calls
    attempt.left = 3
    app.reset_to_entrypoint()
    assert "well" == run(app, method)[2]["answer"]


def test_steps_that_failed_are_seen() -> None:
    """A failed step that an edge takes comes with None as its result; the error is the application's until the next."""
    builder, _ = flaky(1, None)
    app = builder.build()
    taken = app.step()

    assert taken is not None
    assert ("try_it", None) == (taken[0].name, taken[1])
    assert "call 1" == str(app.error)
    assert "mend" == app.get_next_action().name  # type: ignore[union-attr]
    assert {"answer", "ended"} == set(app.run()[2])
    assert {"answer": "mended: call 1", "ended": True} == app.state


def test_a_failed_step_halts_nothing() -> None:
    """halt_after waits for a step that went well; halt_before does not care."""
    builder, _ = flaky(2)

    assert "well" == builder.build().run(halt_after=["try_it"])[2]["answer"]
    builder, _ = flaky(9)
    app = builder.build()
    following, result, _ = app.run(halt_before=["mend"])
    assert ("mend", None) == (following.name, result)


def test_the_way_ahead_goes_with_the_state() -> None:
    """Between a failure and what it leads to, another application can go on from state and position."""
    builder, _ = flaky(9)
    app = builder.build()
    app.run(halt_before=["mend"])
    made = app.fork(State(app.state), app.position, app.sequence_id)
    made.run()

    assert {"answer", "ended"} == {name for name in made.state if not name.startswith("__")}
    assert "mended: OSError: call 4" == made.state["answer"]


@both
def test_other_errors_are_raised(method: str) -> None:
    """An error that no edge is for goes to the caller."""

    @action(reads=[], writes=[])
    def fail(state: State[Any]) -> State[Any]:
        raise KeyError("x")

    app = ApplicationBuilder().with_actions(fail).with_transitions(("fail", "fail", on_error(OSError))).build()
    with pytest.raises(KeyError):
        run(app, method)
    assert (0, None) == (app.sequence_id, app.position)


@both
def test_retries(method: str) -> None:
    """An action is tried again before anybody hears of its error; a step is a step, however often it was tried."""
    calls = []

    @action(reads=[], writes=["n"], retry=Retry(max_attempts=3, on=(OSError,), backoff=0))
    def sometimes(state: State[Any]) -> State[Any]:
        calls.append(1)
        if len(calls) < 3:
            raise OSError("no")
        return state.update(n=len(calls))

    app = ApplicationBuilder().with_actions(sometimes).build()
    assert 3 == run(app, method)[2]["n"]
    assert 0 == app.sequence_id


def test_a_timeout() -> None:
    """An action that takes too long fails, and an error transition can lead on."""

    @action(reads=[], writes=["n"], timeout=0.01)
    async def slow(state: State[Any]) -> State[Any]:
        await asyncio.sleep(60)
        return state.update(n=1)

    @action(reads=[], writes=["n"])
    def instead(state: State[Any]) -> State[Any]:
        return state.update(n=2)

    app = ApplicationBuilder().with_actions(slow, instead).with_transitions(("slow", "instead", on_error(TimeoutError))).build()
    assert 2 == asyncio.run(app.arun())[2]["n"]
    with pytest.raises(ActionTimeout):
        asyncio.run(ApplicationBuilder().with_actions(slow).build().arun())


def test_the_flaky_action_of_the_seed() -> None:
    """Its attempts are counted in the state; after max_retries its own error is raised."""

    @action(reads=["attempts"], writes=["output", "attempts"])
    def some_flaky_action(state: State[Any], max_retries: int = 3) -> tuple[dict[str, Any], State[Any]]:
        result: dict[str, Any] = {"output": None, "attempts": state["attempts"] + 1}
        try:
            raise ConnectionError("busy")
        except ConnectionError:
            if state["attempts"] >= max_retries:
                raise
        return result, state.update(**result)

    app = (
        ApplicationBuilder()
        .with_actions(some_flaky_action)
        .with_transitions(("some_flaky_action", "some_flaky_action"))
        .with_state(attempts=0)
        .build()
    )
    with pytest.raises(ConnectionError, match="busy"):
        app.run(halt_before=[], max_steps=10)
    assert {"output": None, "attempts": 3} == app.state


def test_interrupted() -> None:
    """Ctrl-C in an action keeps the state before it."""

    @action(reads=["n"], writes=["n"])
    def work(state: State[Any]) -> State[Any]:
        if state["n"] == 2:
            raise KeyboardInterrupt
        return state.increment(n=1)

    app = ApplicationBuilder().with_actions(work).with_transitions(("work", "work")).with_state(n=0).build()
    with pytest.raises(KeyboardInterrupt):
        app.run(max_steps=9)
    assert {"n": 2} == app.state
