"""A run of a pipeline for other programs: OrchestrAI's memory log, and chats to train a model with.

    memory-log   {"agent_start_time": 1700.5, "pipeline_name": "task", "actions": [{"module": ..., "input": ..., "output": ...}, ...]}
    jsonl        {"messages": [{"role": "system", ...}, {"role": "user", ...}, {"role": "assistant", ...}]}, one a line
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gvstore.errors import BadRev
from gvstore.journal.invocation import Invocation
from gvstore.journal.run import Run
from gvstore.journal.timing import Timing
from gvstore.objects.record import NIL
from gvstore.pipeline.component import COMPLETE, PIPELINE, STEP, shown_name
from gvstore.pipeline.keys import ASKING

FORMATS: Final = ("memory-log", "jsonl")
LOG_ACTION: Final = "gvstore.pipeline.ai.log_action"
_CONFIG = ("max_tokens", "top_p", "temperature", "frequency_penalty", "presence_penalty")


class NoPipelineRun(BadRev):
    """A run is none of a pipeline."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no run of a pipeline", hint="`gv runs` lists the runs.")


@dataclass(frozen=True, slots=True)
class _Timed:
    """A call, the step it is part of, and when it began and ended, in microseconds since 1970."""

    call: Invocation
    step: Invocation | None
    began_us: int
    ended_us: int


def exported(run: Run[Any], form: str) -> list[dict[str, Any]]:
    """Returns the documents that a format consists of: one of the memory log, one for each chat.

    Raises:
        NoPipelineRun: the run is of something else.
    """
    if run.invocation.component.flavor != PIPELINE:
        raise NoPipelineRun(run.name)
    calls = list(_calls(run))
    return [memory_log(run, calls)] if form == "memory-log" else [chat for each in calls if (chat := _chat(each.call)) is not None]


def memory_log(run: Run[Any], calls: list[_Timed]) -> dict[str, Any]:
    """Returns what OrchestrAI would have logged."""
    actions = [action for each in calls if (action := _action(each)) is not None]
    return {"agent_start_time": run.record.started_at / 1e6, "pipeline_name": shown_name(run.invocation.component), "actions": actions}


def _action(each: _Timed) -> dict[str, Any] | None:
    call, at = each.call, each.ended_us // 1000
    if call.component.name == LOG_ACTION:
        return {**call.args["action"], "action_timestamp": at}
    if call.component.flavor == STEP and call.args["module"] in ASKING and call.status == "ok":
        about = "\n".join(f"{name.upper()}: {value}" for name, value in call.args["inputs"].items())
        return {"module": call.args["module"], "input": about, "output": call.output, "action_timestamp": at}
    if call.component.name != COMPLETE or each.step is None:
        return None
    module, args = str(each.step.args["module"]), call.args
    messages = [dict(message) for message in args["messages"]]
    by_role = {message["role"]: message["content"] for message in messages}
    options, output = args.get("options") or {}, call.get_output()
    text = getattr(output, "text", "")
    return {
        "module": module,
        "input": by_role.get("user", ""),
        "output": {
            "module_name": module,
            "response_text": text,
            "messages": messages,
            "llm_start_time_ms": each.began_us // 1000,
            "llm_end_time_ms": at,
            "token_count": len(text.split()),
            "status_code": "success" if call.status == "ok" else "error",
            "status_message": None if call.status == "ok" else str(call.get_raised()),
            "system_prompt": by_role.get("system", ""),
            "prompt": by_role.get("user", ""),
            "model": args.get("model"),
            **{name: options.get(name) for name in _CONFIG},
        },
        "action_timestamp": at,
    }


def _chat(call: Invocation) -> dict[str, Any] | None:
    """Returns a question to a model with its answer as a training example; None of one that failed."""
    if call.component.name != COMPLETE or call.status != "ok":
        return None
    output = call.output
    answer: dict[str, Any] = {"role": "assistant", "content": output.text}
    if output.tool_calls:
        answer["tool_calls"] = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.arguments}} for each in output.tool_calls
        ]
    return {"messages": [*(dict(message) for message in call.args["messages"]), answer]}


def _calls(run: Run[Any]) -> Iterator[_Timed]:
    """Yields all calls below a run's root, in their order, with the step that each is part of."""
    reader, start = run.store.objects, run.record.started_at
    timing = Timing.parse(run.record.times, reader) if run.record.times != NIL else None
    stack: list[tuple[Invocation, Invocation | None, Timing | None]] = [(run.invocation, None, timing)]
    while stack:
        call, step, timed = stack.pop()
        step = call if call.component.flavor == STEP else step
        executed = timed is not None and not timed.reused
        began = start + (timed.started_us if timed is not None and executed else 0)
        yield _Timed(call, step, began, began + (timed.duration_us if timed is not None and executed else 0))
        children = list(call.get_children())
        times: list[Timing | None] = list(timed.below(reader)) if timed is not None and executed and timed.children != NIL else []
        times += [None] * (len(children) - len(times))
        stack += reversed([(child, step, each) for child, each in zip(children, times, strict=False)])
