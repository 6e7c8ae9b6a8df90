"""The hooks that come with the library."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gvstore.errors import UsageFault
from gvstore.machine.lifecycle import ExecuteMethod, LifecycleAdapterSet
from gvstore.machine.lifecycle_ready import PrintStepHook, SlowDownHook, SlowDownHookAsync, StateAndResultsFullLogger
from gvstore.machine.state import State
from tests.machine.act import Act


def step(hooks: LifecycleAdapterSet, at: int, before: State[Any], after: State[Any], **given: Any) -> None:
    """Tells hooks of a step."""
    known: dict[str, Any] = {"app_id": "app", "partition_key": None, "sequence_id": at, "action": Act("ask")}
    hooks.call_all_lifecycle_hooks_sync("pre_run_step", **known, state=before, inputs=given.get("inputs", {}))
    told = {"result": given.get("result"), "exception": given.get("exception")}
    hooks.call_all_lifecycle_hooks_sync("post_run_step", **known, state=after, **told)


def test_a_log_has_a_line_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that a step was; what cannot be stored stands by its type; it is gone on with, or begun anew."""
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:00:00Z")
    path = tmp_path / "log.jsonl"
    hooks = LifecycleAdapterSet(StateAndResultsFullLogger(path))
    step(hooks, 0, State(), State({"a": (1, 2)}), inputs={"x": 1, "__context": 2}, result={"lock": (each for each in "")})
    step(LifecycleAdapterSet(StateAndResultsFullLogger(path)), 1, State(), State(), exception=ValueError("no"))
    first, second = map(json.loads, path.read_text().splitlines())

    assert ({"x": 1}, "opaque") == (first["inputs"], first["result"]["lock"]["__gv_serde__"])
    assert {"a": (1, 2)} == State.deserialize(first["state"])
    assert ("ask", 1, "ValueError: no", None) == (second["action"], second["sequence_id"], second["exception"], second["result"])
    assert "2026-11-20T10:00:00.000000+00:00" == first["start_time"] == first["end_time"]
    StateAndResultsFullLogger(path, "w")
    assert "" == path.read_text()


def test_a_log_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Another ending, a folder that is not there, an unknown mode."""
    mode: Any = "x"
    with pytest.raises(UsageFault, match=r"ends in \.jsonl"):
        StateAndResultsFullLogger(tmp_path / "log.txt")
    with pytest.raises(UsageFault, match="does not exist"):
        StateAndResultsFullLogger(tmp_path / "no" / "log.jsonl")
    with pytest.raises(UsageFault, match="mode is"):
        StateAndResultsFullLogger(tmp_path / "log.jsonl", mode)


def test_steps_can_be_slowed_down() -> None:
    """In both ways; by a number of seconds."""
    step(LifecycleAdapterSet(SlowDownHook(0.0, 0.001)), 0, State(), State())
    known: dict[str, Any] = {"app_id": "app", "partition_key": None, "sequence_id": 0, "action": Act("ask"), "state": State()}
    awaited = LifecycleAdapterSet(SlowDownHookAsync(0.001))
    asyncio.run(awaited.call_all_lifecycle_hooks_sync_and_async("pre_run_step", **known, inputs={}))
    asyncio.run(awaited.call_all_lifecycle_hooks_sync_and_async("post_run_step", **known, result={}, exception=None))
    wrong: Any
    for wrong in (-1, "1", None, True, float("nan")):
        with pytest.raises(UsageFault, match="pre_sleep_time is a number of seconds"):
            SlowDownHook(wrong)


def test_steps_can_be_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What each wrote, in a line; what it raised."""
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:00:00Z")
    lines: list[str] = []
    hooks = LifecycleAdapterSet(PrintStepHook(lines.append))
    before: State[Any] = State({"history": [1], "gone": 1})
    step(hooks, 0, before, before.append(history=2).update(text="x" * 99).wipe(delete=["gone"]))
    step(hooks, 1, before, before)
    step(hooks, 2, before, before, exception=ValueError("no"))
    known: dict[str, Any] = {"app_id": "app", "partition_key": None, "state": before, "method": ExecuteMethod.run}
    hooks.call_all_lifecycle_hooks_sync("post_run_execute_call", **known, exception=ValueError("no"))
    step(LifecycleAdapterSet(PrintStepHook()), 3, before, before)

    assert [
        f"   0  ask  0 ms  -gone, history += [2], text = '{'x' * 56}...\n",
        "   1  ask  0 ms  -\n",
        "   2  ask  0 ms  raised ValueError: no\n",
        "run ended: ValueError: no\n",
    ] == lines
    assert "   3  ask  0 ms  -\n" == capsys.readouterr().out
