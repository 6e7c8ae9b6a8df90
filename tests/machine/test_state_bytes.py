"""What storing a state at every step costs: what changed, whatever there is besides."""

from __future__ import annotations

import random
from typing import Any

from gvstore.machine.change import DEPTH
from gvstore.machine.state import State
from tests.objects.store import Objects

ALPHABET = "abcdefghijklmnopqrstuvwxyz     ."
LENGTH = 400  # characters of a message


def text(seed: int) -> str:
    """Returns a message that no other is like."""
    return "".join(random.Random(seed).choices(ALPHABET, k=LENGTH))


def chat(messages: int, *, gives_back: bool = False) -> tuple[Objects, list[State[Any]]]:
    """Returns what storing after each message left, and the states."""
    writer = Objects()
    states: list[State[Any]] = [State({"history": [], "prompt": "", "turns": 0})]
    states[0].store(writer)
    for at in range(messages):
        message = {"role": ("user", "assistant")[at % 2], "content": text(at)}
        state = states[-1].update(prompt=message["content"]).increment(turns=1)
        if gives_back:
            history = state["history"]
            history.append(message)
            state = state.update(history=history)
        else:
            state = state.append(history=message)
        state.store(writer, after=states[-1])
        states.append(state)
    return writer, states


def test_a_chat_is_linear() -> None:
    """800 messages of 400 characters, stored at every step: 0.51 MB, the messages' own 0.32 MB among them; twice that for twice as many."""
    sizes = {messages: chat(messages)[0].size for messages in (200, 400, 800)}

    assert sizes[800] <= 560_000
    assert sizes[800] <= 2.1 * sizes[400] <= 2.1 * 2.1 * sizes[200]


def test_giving_a_whole_list_back_costs_no_more() -> None:
    """`history = state["history"]; history.append(x); update(history=history)` is an append."""

    assert chat(120)[0] == chat(120, gives_back=True)[0]


def test_any_step_is_read_back_in_a_few_reads() -> None:
    """One field takes the changes since a whole state; the others are not read."""
    writer, states = chat(300)
    for at in range(0, 301, 7):
        oid = states[at].store(writer)
        writer.reads = 0
        loaded = State.load(writer, oid)

        assert at == loaded["turns"]
        assert writer.reads <= DEPTH + 2
        assert states[at]["prompt"] == loaded["prompt"]
        assert writer.reads <= DEPTH + 3
        assert states[at]["history"] == loaded["history"]


def test_a_loaded_state_goes_on_without_reading_what_it_has() -> None:
    """Appending to a stored history of 800 messages, and storing that, reads a few nodes."""
    writer, states = chat(800)
    oid = states[-1].store(writer)
    before = writer.size
    writer.reads = 0
    loaded = State.load(writer, oid)
    after = loaded.append(history="one more")
    stored = after.store(writer, after=loaded)

    assert writer.reads <= 2 * DEPTH
    assert 2_000 >= writer.size - before
    assert [*states[-1]["history"], "one more"] == State.load(writer, stored)["history"]


def test_storing_writes_no_more_for_a_longer_history() -> None:
    """Objects written at a step, whole states and all, per 24 steps: as many at the end as in the middle."""
    writer, states = chat(400)
    per_stretch = []
    known: set[Any] = set()
    fresh = Objects()
    for at, state in enumerate(states):
        state.store(fresh, after=states[at - 1] if at else None)
        if at % (DEPTH + 1) == DEPTH:
            per_stretch.append(len(set(fresh) - known))
            known = set(fresh)

    assert writer == fresh
    assert max(per_stretch[8:]) <= 1.2 * min(per_stretch[8:])


def test_a_counter_is_small() -> None:
    """A state that is a number is stored whole: a few bytes a step."""
    writer = Objects()
    state: State[Any] = State({"counter": 0})
    state.store(writer)
    for _ in range(1000):
        after = state.increment(counter=1)
        after.store(writer, after=state)
        state = after

    assert writer.size <= 1001 * 16


def test_many_fields_cost_what_changed() -> None:
    """Of 500 fields of 100 characters one changes at each of 100 steps."""
    writer = Objects()
    state: State[Any] = State({f"field {i}": text(i)[:100] for i in range(500)})
    state.store(writer)
    before = writer.size
    for at in range(100):
        after = state.update(**{f"field {at * 7 % 500}": text(1000 + at)[:100]})
        after.store(writer, after=state)
        state = after

    assert writer.size - before <= 100 * 1000


def test_another_database_gets_all_of_it() -> None:
    """What was stored or loaded elsewhere is carried over, whole, as far as it is not there."""
    here, states = chat(60)
    there = Objects()
    loaded = State.load(here, states[-1].store(here))
    oids = [loaded.store(there), states[30].store(there), loaded.append(history=1).store(there, after=loaded)]
    here.clear()

    assert states[-1] == State.load(there, oids[0])
    assert states[30] == State.load(there, oids[1])
    assert [*states[-1]["history"], 1] == State.load(there, oids[2])["history"]
