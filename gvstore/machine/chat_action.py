"""A question to a chat model as an action, over `gvstore.models`.

    ChatAction("answer", system="You answer questions.", max_tokens=80)      prompt -> response
    ChatAction("answer", history="history", writes=None)                     history -> history, with the answer at its end
    ChatAction("mode", prompt="prompt", writes="mode", schema={"enum": [...]})
    StreamingChatAction("answer", ...)                                       yields the pieces of the text as they come

The call of the model is a recorded call below the step: a replay that has to
take the step again is answered from the record if it asks the same.
"""

from __future__ import annotations

import contextvars
import json
import queue
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import ActionFault, shown
from gvstore.machine.action_stream import StreamingAction
from gvstore.machine.attempts import Retry, retry_of, timeout_of
from gvstore.machine.finding import meant
from gvstore.machine.state import State
from gvstore.models.call import Asked, complete
from gvstore.models.completion import parse_options
from gvstore.models.conversation import converse
from gvstore.models.protocol import Completion, OnText
from gvstore.models.tool import tools_of

_OURS: Final = ("model", "provider", "timeout_s", "on_text", "tools")  # of the options, those that are none of a model's
_CLOSING_S: Final = 5.0  # that a reader who leaves waits for the model to notice


class ChatAction(Action):
    """An action that asks a chat model.

    What is asked is the text in the field `prompt`, or the messages in the field
    `history`, dicts of "role" and "content"; with both, the prompt as a further message
    of the user, which then joins the history too.  The answer's text goes to the
    field `writes`, and to the end of the history.  With a `schema` what `writes` gets
    is the answer's value.
    """

    def __init__(
        self, name: str | None = None, /, *, model: str = "local", prompt: str | None = None, history: str | None = None,
        writes: str | None = "response", system: str | None = None, last: int | None = None,
        tools: Sequence[Callable[..., Any]] = (), tags: Sequence[str] = (), retry: Retry | int | None = None,
        timeout: float | None = None, **options: Any,
    ) -> None:  # fmt: skip
        """Takes names of fields, a system prompt that goes before the messages, and the options of `gvstore.models.complete`.

        Of a long history the `last` messages are sent.  `tools` are functions
        that the model may call, each a recorded call.

        Raises:
            ActionFault: an option that there is not, or that no model takes; neither a field to ask nor one to write.
        """
        self._name, self._label = name, f"{type(self).__name__}({name!r})" if name else type(self).__name__
        if prompt is None and history is None:
            prompt = "prompt"
        for field, what in ((prompt, "prompt"), (history, "history"), (writes, "writes")):
            if field is not None and (not isinstance(field, str) or not field or field.startswith("__")):
                raise self._fault(f"{what} is the name of a field, not {shown(field)}", f'As in: {what}="{what}".')
        if writes is None and history is None:
            raise self._fault("the answer goes nowhere", 'Type writes="field", or history="field" with a list of messages.')
        if writes is not None and writes in (prompt, history):
            raise self._fault(f"the answer would be written over the field {writes!r}, which is asked", "Give it another field: writes=.")
        if not isinstance(system, str | None):
            raise self._fault(f"system is text, not {shown(system)}", 'As in: system="You answer in one sentence."')
        if last is not None and (type(last) is not int or last < 1):
            raise self._fault(f"last is a number of messages from 1, not {shown(last)}", "As in: last=8.")
        self._prompt, self._history, self._writes, self._system, self._last = prompt, history, writes, system, last
        try:
            self._tools = tuple(tools_of(tools).values())
        except (TypeError, ValueError) as e:
            raise self._fault(str(e), "A tool is a function with a docstring, whose parameters have types.") from e
        if self._tools and options.get("schema") is not None:
            raise self._fault("tools do not go with a schema")
        self._tags, self._asked = list(tags), self._options(model, options)
        if retry is not None:
            self.retry = retry_of(retry)
        if timeout is not None:
            self.timeout = timeout_of(timeout)

    @property
    def reads(self) -> list[str]:
        """The fields that are asked."""
        return [each for each in (self._prompt, self._history) if each is not None]

    @property
    def writes(self) -> list[str]:
        """The fields that the answer goes to."""
        return [each for each in (self._writes, self._history) if each is not None]

    @property
    def tags(self) -> list[str]:
        """Words by which several actions can be meant at once."""
        return list(self._tags)

    @property
    def bound(self) -> dict[str, Any]:
        """Whom it asks and how."""
        fields = " + ".join(each for each in (self._history, self._prompt) if each is not None)
        found = {**self._asked, "system": self._system, "last": self._last, "tools": [tool.as_dict() for tool in self._tools] or None}
        told = {name: each for name, each in found.items() if each is not None}
        return {**told, "fields": f"{fields} -> {', '.join(self.writes)}"}

    def run(self, state: State[Any], **run_kwargs: Any) -> dict[str, Any]:
        """Returns {the field that is written, or "response": the answer}.

        Raises:
            ModelFailed: there is no answer.
            ActionFault: a field holds what cannot be asked.
        """
        return self._result(self._complete(self._messages(state)))

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state with the answer in it."""
        [answer] = result.values()
        if self._writes is not None:
            state = state.update(**{self._writes: answer})
        if self._history is not None:
            asked = [] if self._prompt is None else [{"role": "user", "content": state[self._prompt]}]
            state = state.extend(**{self._history: [*asked, {"role": "assistant", "content": _text(answer)}]})
        return state

    def _messages(self, state: State[Any]) -> list[dict[str, Any]]:
        """Returns what the model is asked."""
        messages: list[Any] = []
        if self._history is not None:
            messages = state.get(self._history) or []
            fits = isinstance(messages, list) and all(isinstance(each, dict) and {"role", "content"} <= set(each) for each in messages)
            if not fits:
                hint = 'As in: state.append(history={"role": "user", "content": prompt}).'
                raise ActionFault(f"action {self.name}: {self._history} is no list of messages, dicts of 'role' and 'content'", hint=hint)
        if self._prompt is not None:
            prompt = state[self._prompt]
            if not isinstance(prompt, str):
                raise ActionFault(f"action {self.name}: the prompt in {self._prompt} is text, not {shown(prompt)}")
            messages = [*messages, {"role": "user", "content": prompt}]
        if not messages:
            raise ActionFault(f"action {self.name}: {self._history} holds no message yet", hint='Append what the user says, or name its field: prompt="prompt".')
        if self._last is not None:
            messages = messages[-self._last :]
        return messages if self._system is None else [{"role": "system", "content": self._system}, *messages]

    def _complete(self, messages: list[dict[str, Any]], on_text: OnText | None = None) -> Completion:
        if self._tools:
            return converse(messages, self._tools, on_text=on_text, **self._asked).completion
        return complete(messages, on_text=on_text, **self._asked)

    def _result(self, completion: Completion) -> dict[str, Any]:
        answer = completion.value if self._asked.get("schema") is not None else completion.text
        return {self._writes or "response": answer}

    def _options(self, model: Any, options: dict[str, Any]) -> dict[str, Any]:
        """Returns the options for `complete`.  Raises ActionFault: one is none, or no model takes it."""
        if not isinstance(model, str) or not model:
            raise self._fault(f"model is a name, not {shown(model)}", 'As in: model="local" or model="openai:gpt-4o-mini".')
        known = [name for name in Asked.__annotations__ if name not in ("n", "on_text", "tools")]
        for name in options:
            if name == "n":
                raise self._fault("it has one answer: n= is none of its options")
            if name not in known:
                ours = ("prompt", "history", "writes", "system", "last", "tools", "tags", "retry", "timeout")
                raise self._fault(f"there is no option {name!r}", meant(name, [*known, *ours], f"There are {', '.join([*known, *ours])}."))
        given = {name: each for name, each in options.items() if each is not None}
        try:
            parse_options({name: each for name, each in given.items() if name not in _OURS})
        except (ValueError, TypeError) as e:
            raise self._fault(str(e)) from e
        return {"model": model, **given}

    def _fault(self, what: str, hint: str | None = None) -> ActionFault:
        return ActionFault(f"{self._label}: {what}", hint=hint)


class StreamingChatAction(ChatAction, StreamingAction):
    """The same, telling the text piece by piece: {field: piece}, and at the end the whole as its result."""

    def stream_run(self, state: State[Any], **run_kwargs: Any) -> Generator[dict[str, Any], None, None]:
        """Yields the pieces, then the result.  What the record answers is one piece.

        Raises:
            ModelFailed: there is no answer; also after pieces of one.
            ActionFault: a field holds what cannot be asked.
        """
        field, told = self._writes or "response", False
        pieces = _Pieces(self._complete, self._messages(state))
        try:
            for piece in pieces:
                told = True
                yield {field: piece}
        finally:
            pieces.close()
        completion = pieces.completion
        if not told and completion.text:
            yield {field: completion.text}
        yield self._result(completion)


class _LeftEarly(Exception):
    """Nobody reads what the model says any more."""


class _Pieces:
    """Asks a model in a thread of its own, and yields what it says here."""

    completion: Completion

    def __init__(self, ask: Callable[[list[dict[str, Any]], OnText], Completion], messages: list[dict[str, Any]]) -> None:
        self._ask, self._messages = ask, messages
        self._queue: queue.SimpleQueue[str | Completion | BaseException] = queue.SimpleQueue()
        self._is_left = False
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), daemon=True)

    def __iter__(self) -> Generator[str, None, None]:
        self._thread.start()
        while isinstance(item := self._queue.get(), str):
            yield item
        if isinstance(item, BaseException):
            raise item
        self.completion = item

    def close(self) -> None:
        """Has the model stop with its next word, if it still speaks."""
        self._is_left = True
        if self._thread.ident is not None:
            self._thread.join(_CLOSING_S)

    def _work(self) -> None:
        try:
            self._queue.put(self._ask(self._messages, self._hear))
        except BaseException as e:
            self._queue.put(e)

    def _hear(self, piece: str) -> None:
        if self._is_left:
            raise _LeftEarly("the reader of the stream left")
        self._queue.put(piece)


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
