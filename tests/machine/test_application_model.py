"""Random machines come through the same steps however they are run: in one go, awaited, cut into processes, or forked."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine import ApplicationBuilder, MachineWarning, MemoryPersister, State, action, on_error, when

SIZE = 13
STEPS = 25


class Odd(Exception):
    """What actions of these machines raise."""


@st.composite
def machines(draw: st.DrawFn) -> Any:
    """Plain data: of each action what it computes and when it fails; of each transition its ends and condition."""
    count = draw(st.integers(2, 4))
    number, other = st.integers(1, SIZE - 1), st.integers(0, count - 1)
    actions = [draw(st.tuples(number, number, st.integers(0, 6))) for _ in range(count)]
    plain, errors = [], []
    for a in range(count):
        plain += [((a, draw(other)), most) for most in draw(st.lists(number, max_size=2))]
        plain += [((a, draw(other)), SIZE)] * draw(st.sampled_from([1, 1, 1, 0]))
        errors += [((a, draw(other)), most) for most in draw(st.lists(st.integers(1, 3), max_size=3))]
    return actions, plain, errors, draw(number)


def built(machine: Any) -> ApplicationBuilder[Any]:
    """Returns the builder of a machine, without its state."""
    actions, plain, errors, _ = machine

    def acting(factor: int, plus: int, failing: int) -> Any:
        @action(reads=["x"], writes=["x", "seen"])
        def act(state: State[Any], __context: Any) -> tuple[dict[str, Any], State[Any]]:
            if state["x"] % 5 == failing:
                raise Odd(f"odd {failing}")
            x = (factor * state["x"] + plus) % SIZE
            return {"x": x}, state.update(x=x).append(seen=f"{x} {__context.error}".replace("Odd: ", ""))

        return act

    return (
        ApplicationBuilder()
        .with_actions(**{f"a{number}": acting(*each) for number, each in enumerate(actions)})
        .with_transitions(*((f"a{a}", f"a{b}", when(x__lte=most)) for (a, b), most in plain))
        .with_transitions(*((f"a{a}", f"a{b}", on_error(Odd, max=most)) for (a, b), most in errors))
    )


def trail(step: Any) -> list[Any]:
    """Returns what happens in each step until the end: name, result and state, or what was raised."""
    found: list[Any] = []
    for _ in range(STEPS):
        try:
            taken = step()
        except Odd as e:
            return [*found, str(e)]
        if taken is None:
            return found
        found.append((taken[0].name, taken[1], dict(taken[2])))
    return found


@settings(max_examples=60, deadline=None)
@given(machines())
def test_the_way_is_the_same(machine: Any) -> None:
    """The state and the place in the graph are all that the next step depends on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MachineWarning)
        fresh = built(machine).with_state(x=machine[3], seen=[]).build()
        expected = trail(fresh.step)

        awaited = built(machine).with_state(x=machine[3], seen=[]).build()
        with asyncio.Runner() as runner:
            assert expected == trail(lambda: runner.run(awaited.astep()))

        persister = MemoryPersister()

        def process() -> Any:
            return (
                built(machine)
                .with_identifiers("a")
                .initialize_from(persister, default_state={"x": machine[3], "seen": []})
                .with_state_persister(persister)
                .build()
                .step()
            )

        assert expected == trail(process)

        forked = built(machine).with_state(x=machine[3], seen=[]).build()

        def fork() -> Any:
            nonlocal forked
            forked = forked.fork(State(dict(forked.state)), forked.position, forked.sequence_id)
            return forked.step()

        assert expected == trail(fork)
        running = built(machine).with_state(x=machine[3], seen=[]).build()
        steps = running.iterate(max_steps=STEPS + 1)
        assert expected == trail(lambda: next(steps, None))
