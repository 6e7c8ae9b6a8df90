"""LangChain's runnables as actions: prompts, chains, models, whatever can be invoked.

    from gvstore.machine.integrations.langchain import LangChain, from_state, update_state

    answer=LangChain(chain, inputs={"topic": from_state("prompt")}, outputs=update_state("answer"))

    LangChain                  invoke            StreamingLangChain          stream
    AsyncLangChain             ainvoke           AsyncStreamingLangChain     astream

A runnable that takes no dict has one source for `inputs`; one whose result is
a dict may have a dict of outputs, by the result's keys.  Its call is recorded
below the step, stale when what the runnable is made of changes: a prompt, a
parameter, a function in it.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any

from gvstore.errors import UsageFault
from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import ActionFault, WrongReturn, shown
from gvstore.machine.action_stream import AsyncStreamingAction, StreamingAction
from gvstore.machine.attempts import Retry, retry_of, timeout_of
from gvstore.machine.integrations.described import Description
from gvstore.machine.integrations.held_call import HeldCall
from gvstore.machine.integrations.wiring import (
    ONE,
    Output,
    Source,
    Wiring,
    append_state,
    from_input,
    from_state,
    from_value,
    update_state,
)
from gvstore.machine.state import State

__all__ = [
    "AsyncLangChain",
    "AsyncStreamingLangChain",
    "LangChain",
    "StreamingLangChain",
    "append_state",
    "from_input",
    "from_state",
    "from_value",
    "update_state",
]


class _Runnable(Action):
    """What the four have in common."""

    def __init__(
        self, runnable: Any, inputs: Source | Mapping[str, Source], outputs: Output | Mapping[str, Output], *,
        config: Mapping[str, Any] | None = None, tags: Sequence[str] = (), retry: Retry | int | None = None, timeout: float | None = None,
    ) -> None:  # fmt: skip
        """Takes a runnable, where its input comes from and its result goes, and LangChain's own `config` for each call.

        Raises:
            ActionFault: it is no runnable, or a source or an output is none.
            UsageFault: LangChain is not installed.
        """
        self._given, self._runnable = runnable, _runnable_of(runnable)
        self._wiring = Wiring(
            type(self).__name__,
            inputs if isinstance(inputs, Mapping) else {ONE: inputs},
            outputs if isinstance(outputs, Mapping) else {ONE: outputs},
        )
        self._config: Any = dict(config) if config else None
        self._tags = list(tags)
        if retry is not None:
            self.retry = retry_of(retry)
        if timeout is not None:
            self.timeout = timeout_of(timeout)
        parts = Description([self._runnable, self._config])
        self._chain = HeldCall(
            runnable, type(self)._template, self._entered, text=lambda: parts.text, functions=lambda: parts.functions
        )

    _template: Any = None
    _entered: Any = None

    @property
    def runnable(self) -> Any:
        """LangChain's runnable."""
        return self._runnable

    @property
    def reads(self) -> list[str]:
        """The fields that the input comes from."""
        return self._wiring.reads

    @property
    def writes(self) -> list[str]:
        """The fields that the result goes to."""
        return self._wiring.writes

    @property
    def inputs(self) -> tuple[list[str], list[str]]:
        """The inputs that `from_input` names."""
        return self._wiring.inputs

    @property
    def tags(self) -> list[str]:
        """Words by which several actions can be meant at once."""
        return list(self._tags)

    @property
    def bound(self) -> dict[str, Any]:
        """What goes in and where what comes out goes."""
        return self._wiring.told

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state with the result in it."""
        return self._wiring.written(result, state)

    def _input(self, state: State[Any], given: Mapping[str, Any]) -> Any:
        values = self._wiring.values(state, given)
        return values.get(ONE) if ONE in self._wiring.sources else values

    def _result(self, found: Any, *, part: bool = False) -> dict[str, Any]:
        """Returns a result, or a part of one that streams, as a dict by the names of the outputs."""
        outputs = self._wiring.outputs
        if ONE in outputs:
            return {outputs[ONE].key: _plain(found)}
        label = self.name or type(self).__name__
        if not isinstance(found, Mapping):
            hint = f'Type outputs=update_state("{next(iter(outputs.values())).key}") for the result as it is.'
            raise WrongReturn(label, f"has outputs by name, and the runnable returned {shown(_plain(found))}", hint)
        if not part:
            self._wiring.known("key in the runnable's result", outputs, map(str, found))
        return {name: _plain(found[name]) for name in outputs if name in found}


def _invoked(given: Any) -> Any:
    """Shows how a runnable is called."""


async def _ainvoked(given: Any) -> Any:
    """Shows how a runnable is called and awaited."""


def _streamed(given: Any) -> Generator[Any, None, Any]:
    """Shows how a runnable streams."""
    yield


async def _astreamed(given: Any) -> AsyncGenerator[Any, None]:
    """Shows how a runnable streams to who awaits it."""
    yield


class LangChain(_Runnable):
    """An action that invokes a runnable."""

    _template = staticmethod(_invoked)

    def run(self, state: State[Any], **run_kwargs: Any) -> dict[str, Any]:
        """Returns the result by name."""
        return self._result(self._chain.call(self._input(state, run_kwargs)))

    def _entered(self, given: Any) -> Any:
        return self._runnable.invoke(given, self._config)


class AsyncLangChain(_Runnable):
    """An action that invokes a runnable and awaits it."""

    _template = staticmethod(_ainvoked)

    async def run(self, state: State[Any], **run_kwargs: Any) -> dict[str, Any]:
        """Returns the result by name."""
        return self._result(await self._chain.acall(self._input(state, run_kwargs)))

    async def _entered(self, given: Any) -> Any:
        return await self._runnable.ainvoke(given, self._config)


class StreamingLangChain(_Runnable, StreamingAction):
    """An action that streams what a runnable streams; its result are all chunks, added up."""

    _template = staticmethod(_streamed)

    def stream_run(self, state: State[Any], **run_kwargs: Any) -> Generator[dict[str, Any], None, None]:
        """Yields the chunks, then their sum."""
        total = _Sum()
        for chunk in self._chain.stream(self._input(state, run_kwargs)):
            total.add(chunk)
            yield self._result(chunk, part=True)
        yield self._result(total.end())

    def _entered(self, given: Any) -> Generator[Any, None, Any]:
        yield from self._runnable.stream(given, self._config)


class AsyncStreamingLangChain(_Runnable, AsyncStreamingAction):
    """The same, awaited."""

    _template = staticmethod(_astreamed)

    async def stream_run(self, state: State[Any], **run_kwargs: Any) -> AsyncGenerator[dict[str, Any], None]:
        """Yields the chunks, then their sum."""
        total = _Sum()
        source = self._chain.astream(self._input(state, run_kwargs))
        try:
            async for chunk in source:
                total.add(chunk)
                yield self._result(chunk, part=True)
        finally:
            await source.aclose()
        yield self._result(total.end())

    async def _entered(self, given: Any) -> AsyncGenerator[Any, None]:
        async for chunk in self._runnable.astream(given, self._config):
            yield chunk


def _plain(found: Any) -> Any:
    """Returns text that is of a class of LangChain's own as mere text."""
    return str(found) if isinstance(found, str) and type(found).__module__.startswith("langchain") else found


class _Sum:
    """Chunks added up, as LangChain does; of those that cannot be added the last stands."""

    def __init__(self) -> None:
        self._total: Any = None
        self._is_empty = True

    def add(self, chunk: Any) -> None:
        if self._is_empty:
            self._total, self._is_empty = chunk, False
            return
        try:
            self._total = self._total + chunk
        except TypeError:
            self._total = chunk

    def end(self) -> Any:
        """Returns the sum; of a message's chunks the message."""
        if hasattr(self._total, "chunk_position") or type(self._total).__name__.endswith("MessageChunk"):
            messages = importlib.import_module("langchain_core.messages")
            return messages.message_chunk_to_message(self._total)
        return self._total


def _runnable_of(given: Any) -> Any:
    """Returns a runnable, made of a function or a dict of runnables where that is given.

    Raises:
        ActionFault: it can be none.
        UsageFault: LangChain is not installed.
    """
    try:
        base = importlib.import_module("langchain_core.runnables.base")
    except ImportError as e:
        raise UsageFault("LangChain is not installed", hint="Type `pip install langchain-core`.") from e
    try:
        return base.coerce_to_runnable(given)
    except TypeError as e:
        raise ActionFault(f"{shown(given)} is no runnable of LangChain", hint="Give a chain, prompt | model | parser, or a function.") from e
