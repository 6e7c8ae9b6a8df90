"""Answers that were given before, as a model: from a file of JSON lines, or from a run.

    recorded:answers.jsonl       {"messages": "Name an animal.", "text": "An otter."}
    recorded:run/7               what `complete` answered in that run

A question is answered by the first answer to equal messages that this run has
not used; asked more often than recorded, the last of them stands again.  A line without "messages"
answers any question that no other line is for, in order, once.  Beside "text"
a line may have any field of a `Completion`, and "raises": a message, for a
call that failed.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gvstore.journal.recorder import CURRENT
from gvstore.models.failure import EndpointFailed, NoRecordedAnswer
from gvstore.models.fault import BadModelSetting
from gvstore.models.pieces import spelled
from gvstore.models.protocol import Completion, Message, OnText, Options, ToolCall, format_message, parse_messages

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.recorder import Recording

COMPONENT = "gvstore.models.completion.complete"
_MOST_BYTES = 1 << 30
_FIELDS = ("text", "model", "prompt_tokens", "completion_tokens", "finish_reason", "seed", "tool_calls", "samples")
_KEYS = {"messages", "raises", *_FIELDS}

Answer = Completion | EndpointFailed
Recorded = tuple[str | None, Answer]

_kept: WeakKeyDictionary[Recording, dict[tuple[str, ...], RecordedModel]] = WeakKeyDictionary()
_outside: dict[tuple[str, ...], RecordedModel] = {}
_lock = threading.Lock()


class _Raised(EndpointFailed):
    """A failure on record: asking again gives the next answer on record, not another chance."""

    hint = ""
    again = False


class RecordedModel:
    """A `ChatModel` that answers from memory; `source` is for messages."""

    def __init__(self, source: str, answers: Iterable[Recorded]) -> None:
        self.name = source
        self._by_messages: dict[str, deque[Answer]] = {}
        self._for_any: deque[Answer] = deque()
        for key, answer in answers:
            (self._for_any if key is None else self._by_messages.setdefault(key, deque())).append(answer)
        self._lock = threading.Lock()

    @classmethod
    def of_file(cls, path: Path) -> RecordedModel:
        """Returns the model whose answers are the lines of a file.

        Raises:
            BadModelSetting: it cannot be read, or a line is none; says which.
        """
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise BadModelSetting(f"recorded:{path}", "is too large")
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as e:
            why = (e.strerror or str(e)) if isinstance(e, OSError) else "is no UTF-8"
            raise BadModelSetting(f"recorded:{path}", f"cannot be read: {why}") from e
        lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
        return cls(f"recorded:{path}", [_parse_line(f"{path}:{number}", line) for number, line in lines])

    @classmethod
    def of_call(cls, source: str, root: Invocation) -> RecordedModel:
        """Returns the model that answers as `complete` did below a recorded call."""
        return cls(source, _answers_below(root))

    def complete(self, messages: Sequence[Message], options: Options, *, on_text: OnText | None = None) -> Completion:
        """Returns what was answered to these messages; see `ChatModel.complete`."""
        answer = self._next(_key(messages))
        if answer is None:
            last = messages[-1].content
            raise NoRecordedAnswer(self.name, f"nothing is recorded for {last[:60]!r}{'…' if len(last) > 60 else ''}")
        if isinstance(answer, EndpointFailed):
            raise _Raised(self.name, answer.why)
        if on_text is not None and answer.text:
            on_text(answer.text)
        return replace(answer, cost_microusd=None, retried=())  # this time it cost nothing, and came at once

    def _next(self, key: str) -> Answer | None:
        with self._lock:
            found = self._by_messages.get(key)
            if found is None:
                return self._for_any.popleft() if self._for_any else None
            return found.popleft() if len(found) > 1 else found[0]


def kept(name: tuple[str, ...], make: Callable[[], RecordedModel]) -> RecordedModel:
    """Returns the model of this name, made once for each recording: what it has answered is the recording's affair."""
    frame = CURRENT.get()
    with _lock:
        models = _outside if frame is None else _kept.setdefault(frame.recording, {})
        if name not in models:
            models[name] = make()
        return models[name]


def _key(messages: Sequence[Message]) -> str:
    return json.dumps([format_message(each) for each in messages], sort_keys=True)


def _parse_line(where: str, line: str) -> Recorded:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as e:
        raise BadModelSetting(where, f"is no JSON: {e}") from e
    if not isinstance(found, dict) or not ("text" in found or "raises" in found):
        raise BadModelSetting(where, 'is no answer: it looks like {"messages": "Name an animal.", "text": "An otter."}')
    if unknown := set(found) - _KEYS:
        raise BadModelSetting(where, f"has the key {min(unknown)!r}; known: {', '.join(sorted(_KEYS))}")
    try:
        key = _key(parse_messages(found["messages"])) if "messages" in found else None
        return key, _Raised("recorded", str(found["raises"])) if "raises" in found else _completion(found)
    except (ValueError, TypeError, AttributeError) as e:
        raise BadModelSetting(where, f"is no answer: {e}") from e


def _completion(found: Mapping[str, Any]) -> Completion:
    text = found["text"]
    if not isinstance(text, str):
        raise ValueError("its text is none")
    calls = tuple(
        ToolCall(str(each.get("id", f"call_{at}")), str(each["name"]), _arguments(each.get("arguments", {})))
        for at, each in enumerate(found.get("tool_calls", ()))
    )
    seed = found.get("seed")
    return Completion(
        text=spelled(text),
        model=str(found.get("model", "recorded")),
        prompt_tokens=int(found.get("prompt_tokens", 0)),
        completion_tokens=int(found.get("completion_tokens", 0)),
        finish_reason=str(found.get("finish_reason", "tool_calls" if calls else "stop")),
        seed=None if seed is None else int(seed),
        tool_calls=calls,
        samples=tuple(map(str, found.get("samples", ()))),
    )


def _arguments(given: object) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def _answers_below(root: Invocation) -> Iterator[Recorded]:
    """Yields (messages, answer) of the calls of `complete` at and below a call, in order."""
    stack = [root]
    while stack:
        call = stack.pop()
        if call.component.name == COMPONENT and call.status == "ok":
            output = call.get_output()
            if isinstance(output, Completion):
                try:
                    yield _key(parse_messages(call.args["messages"])), output
                except (ValueError, KeyError):
                    pass
        stack += reversed(list(call.get_children()))
