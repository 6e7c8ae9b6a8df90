"""Fifty random machines come to the same states however they are run: plainly, recorded, replayed, edited, and killed at every step."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

import gvstore as gv
from gvstore.machine import TooManySteps
from gvstore.machine.steps import MachineCall
from tests.machine import drawn
from tests.machine.drawn import Spec, Watch, public

SPECS = drawn.fifty()


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An empty repository, open."""
    with gv.init(tmp_path_factory.mktemp("machines")) as repo:
        yield repo


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns what makes a new watch, as in a process that has run nothing."""

    def renewed() -> Watch:
        monkeypatch.setattr(drawn, "WATCH", Watch())
        drawn.TRIED.clear()
        return drawn.WATCH

    return renewed


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec["name"])
def test_recorded_and_replayed_it_comes_to_the_same_states(repo: Any, watch: Any, spec: Spec) -> None:
    """Recorded, a machine does what it does unrecorded, and each state is read back; a replay executes what was rewound, and no more."""
    seen = watch()
    expected = drawn.run(spec, drawn.built(spec))
    ran, states = seen.of(spec["name"])
    seen = watch()
    with repo:
        app = drawn.built(spec)
        setattr(drawn, f"held_{spec['name']}", app)
        assert expected == drawn.run(spec, app)
        assert (ran, states) == seen.of(spec["name"])
        machine = MachineCall.of_run(app.last_run.invocation, app.last_run.record)
        taken = machine.taken()
        assert states == [public(machine.state_after(step.index + 1)) for _, step in taken]
        assert expected == public(machine.last_state())
        at = random.Random(spec["name"]).randrange(len(machine))
        rewound = app.last_run.rewind_before(str(at))
        seen = watch()
        with suppress(TooManySteps, drawn.Broken):
            rewound.replay()
        again = repo.runs.last
        assert expected == public(MachineCall.of_run(again.invocation, again.record).last_state())
        answered = {f"{number} {step.action}" for number, step in taken if step.index < at and step.status == "ok"}
        assert answered.isdisjoint(seen.of(spec["name"])[0])
        assert states == seen.of(spec["name"])[1]


GONE = object()
EDITS: dict[str, dict[str, Any]] = {
    "salted": {},
    "other": {"l0": ["other"], "l1": ["other"], "t0": "other", "t1": ["other"]},
    "fewer": {"l0": GONE, "l1": GONE, "t0": GONE, "t1": GONE},
}


@pytest.mark.parametrize(("spec", "edit"), [(spec, [*EDITS][at % 3]) for at, spec in enumerate(SPECS)], ids=lambda each: each if isinstance(each, str) else each["name"])
def test_edited_and_replayed_it_comes_to_what_the_edited_one_comes_to(repo: Any, watch: Any, spec: Spec, edit: str) -> None:
    """A replay of a machine with changed actions, the first among them, equals a run of it: no answer is taken that it would not give."""
    state = {name: value for name, value in {**spec["state"], **EDITS[edit]}.items() if value is not GONE}
    edited = {**spec, "salt": 1} if edit == "salted" else {**spec, "state": state}
    for before, after in ((spec, edited), (edited, spec)):
        watch()
        expected = drawn.run(after, drawn.built(after))
        with repo:
            watch()
            drawn.APPS[spec["name"]] = drawn.built(before)
            first = gv.run(drawn.go, spec["name"], spec)
            watch()
            drawn.APPS[spec["name"]] = drawn.built(after)
            again = first.replay(strict=False)
            assert expected == again.output
