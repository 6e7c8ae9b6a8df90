"""Hooks that are ready to be used: a log of states and results, a slower pace, a line for each step."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gvstore import fs, host
from gvstore.errors import UsageFault
from gvstore.machine.difference import difference
from gvstore.machine.hook import PostApplicationExecuteCallHook, PostRunStepHook, PreRunStepHook
from gvstore.machine.hook_async import PostRunStepHookAsync, PreRunStepHookAsync
from gvstore.machine.persister import exception_text, text_of_instant
from gvstore.machine.persister_rows import json_of, kept_json

if TYPE_CHECKING:
    from gvstore.machine.node import Node
    from gvstore.machine.state import State

_SHOWN = 60  # characters of a value in a line


class StateAndResultsFullLogger(PreRunStepHook, PostRunStepHook):
    """Appends a line of JSON for each step to a file: action, inputs, result, exception, the whole state, times.

    What cannot be stored stands by its type.  `json_dump` makes another line of
    what such a line says.

    Raises:
        UsageFault: the path does not end in `.jsonl`, or its folder is not there.
    """

    def __init__(
        self, jsonl_path: str | Path, mode: Literal["append", "w"] = "append", json_dump: Callable[[dict[str, Any]], str] | None = None
    ) -> None:
        self.json_dump = json_dump
        self.path = Path(jsonl_path)
        if self.path.suffix != ".jsonl":
            raise UsageFault(f"{self.path} is no path of a log: it ends in .jsonl", hint=f"Give {self.path.with_suffix('.jsonl')}.")
        if mode not in ("append", "a", "w"):
            raise UsageFault(f"mode is 'append' or 'w', not {mode!r}")
        if not self.path.parent.is_dir():
            raise UsageFault(f"the folder {self.path.parent} does not exist", hint="Make it first.")
        if mode == "w":
            fs.write_atomic(self.path, b"", durable=False)
        self._begun: dict[tuple[str, int], tuple[int, dict[str, Any]]] = {}

    def pre_run_step(self, *, app_id: str, sequence_id: int, inputs: dict[str, Any], **future_kwargs: Any) -> None:
        """Notes when the step began, and its inputs."""
        self._begun[app_id, sequence_id] = host.now_us(), inputs

    def post_run_step(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        state: State[Any],
        action: Node,
        result: dict[str, Any] | None,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Writes the line."""
        now = host.now_us()
        started, inputs = self._begun.pop((app_id, sequence_id), (now, {}))
        plain = {
            "app_id": app_id,
            "partition_key": partition_key,
            "sequence_id": sequence_id,
            "action": action.name,
            "start_time": text_of_instant(started),
            "end_time": text_of_instant(now),
            "exception": exception_text(exception),
        }
        given = {name: each for name, each in inputs.items() if not name.startswith("__")}
        values = {"inputs": given, "result": result, "state": state.get_all()}
        parts = [f'"{name}":{kept_json(name, each, {}, are_fields=name == "state") or "null"}' for name, each in values.items()]
        line = f"{json_of('step', plain)[:-1]},{','.join(parts)}}}"
        fs.append(self.path, f"{line if self.json_dump is None else self.json_dump(json.loads(line))}\n".encode())


def _seconds(value: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UsageFault(f"{what} is a number of seconds, not {value!r}")
    return value


class SlowDownHook(PreRunStepHook, PostRunStepHook):
    """Waits before and after each step, in seconds, for those who watch.

    Raises:
        UsageFault: that is no number of seconds.
    """

    def __init__(self, pre_sleep_time: float = 0.0, post_sleep_time: float = 0.0) -> None:
        self.pre_sleep_time = _seconds(pre_sleep_time, "pre_sleep_time")
        self.post_sleep_time = _seconds(post_sleep_time, "post_sleep_time")

    def pre_run_step(self, **future_kwargs: Any) -> None:
        """Waits."""
        time.sleep(self.pre_sleep_time)

    def post_run_step(self, **future_kwargs: Any) -> None:
        """Waits."""
        time.sleep(self.post_sleep_time)


class SlowDownHookAsync(PreRunStepHookAsync, PostRunStepHookAsync):
    """The same, awaited: others go on meanwhile."""

    def __init__(self, pre_sleep_time: float = 0.0, post_sleep_time: float = 0.0) -> None:
        self.pre_sleep_time = _seconds(pre_sleep_time, "pre_sleep_time")
        self.post_sleep_time = _seconds(post_sleep_time, "post_sleep_time")

    async def pre_run_step(self, **future_kwargs: Any) -> None:
        """Waits."""
        await asyncio.sleep(self.pre_sleep_time)

    async def post_run_step(self, **future_kwargs: Any) -> None:
        """Waits."""
        await asyncio.sleep(self.post_sleep_time)


class PrintStepHook(PreRunStepHook, PostRunStepHook, PostApplicationExecuteCallHook):
    """Prints a line for each step: which, how long it took, and what it wrote, or what it raised.

    `write` takes the lines instead of the terminal.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write
        self._begun: dict[tuple[str, int], tuple[int, State[Any]]] = {}

    def pre_run_step(self, *, app_id: str, sequence_id: int, state: State[Any], **future_kwargs: Any) -> None:
        """Notes what was there before."""
        self._begun[app_id, sequence_id] = host.ticks_ns(), state

    def post_run_step(
        self,
        *,
        app_id: str,
        sequence_id: int,
        state: State[Any],
        action: Node,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Prints the line."""
        started, before = self._begun.pop((app_id, sequence_id), (host.ticks_ns(), state))
        took = (host.ticks_ns() - started) / 1e6
        said = f"raised {exception_text(exception)}" if exception is not None else ", ".join(_changes(before, state)) or "-"
        self._line(f"{sequence_id:>4}  {action.name}  {took:.0f} ms  {said}")

    def post_run_execute_call(self, *, exception: BaseException | None, method: Any, **future_kwargs: Any) -> None:
        """Prints how a call ended that raised."""
        if exception is not None:
            self._line(f"{method} ended: {exception_text(exception)}")

    def _line(self, text: str) -> None:
        (self._write or sys.stdout.write)(f"{text}\n")


def _changes(before: State[Any], after: State[Any]) -> list[str]:
    """Returns a word for each field that changed."""
    told = []
    for change in difference(before, after):
        if change.name() == "delete":
            told += [f"-{name}" for name in change.deletes()]
        else:
            sign = "+=" if change.name() == "extend" else "="
            told += [f"{name} {sign} {_short(value)}" for name, value in vars(change)["values"].items()]
    return told


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
