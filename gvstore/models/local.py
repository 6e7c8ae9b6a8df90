"""The local model: a GGUF file run by llama.cpp in this process.

`xllamacpp` brings llama.cpp prebuilt; it is imported, the weights fetched and
the engine started when the first completion is asked for, once a process
(about 0.3 s).  One completion runs at a time: the same seed and messages then
give the same text, whatever other threads ask for.

llama.cpp samples in a thread of its own.  The caller waits in Python, so that
Ctrl-C ends a completion at the next token instead of after the last.

The engine opens a port on the loopback interface and cannot be kept from it;
a random key that nobody learns closes it to all others.
"""

from __future__ import annotations

import atexit
import importlib
import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, cast

from gvstore.models.fault import ContextOverflow, ModelFailed, ModelNotInstalled
from gvstore.models.protocol import Completion, Message, OnText, Options
from gvstore.models.weights import chosen

CONTEXT_TOKENS = 4096

# Written out, so that a new llama.cpp with other defaults does not change what a seed gives.  The penalty keeps
# a model of this size from repeating a phrase to the end.
_SAMPLING = {"top_k": 40, "min_p": 0.05, "repeat_penalty": 1.08, "repeat_last_n": 64}

# llama.cpp takes the largest 32-bit number for "draw one yourself".
_SEEDS = 2**32 - 1

_DEFAULTS = Options(0)
_ROLES = {"tool": "user"}  # its template knows no other

Chunk = dict[str, Any]


class _Engine(Protocol):
    """What we use of `xllamacpp.Server`: each chunk of the answer goes to `callback`, which returns whether to stop."""

    def handle_chat_completions(self, prompt: dict[str, object], callback: Callable[[Chunk], bool]) -> None: ...


class LocalModel:
    """A `ChatModel` that runs in this process; `path` None is `GV_MODEL_PATH`, else the default weights."""

    def __init__(self, path: Path | None = None, *, context_tokens: int = CONTEXT_TOKENS) -> None:
        self._path = path
        self._context_tokens = context_tokens
        self._engine: _Engine | None = None
        self._name = "local"
        self._lock = threading.Lock()
        self._completions = 0
        self._count_into: Path | None = None

    @property
    def completions(self) -> int:
        """How many completions the engine has finished in this process; an answer from a record is none."""
        return self._completions

    def count_into(self, path: Path | None) -> None:
        """Adds one byte to the file at `path` for every completion that ends from now on.

        For proofs across processes: the file's size is the engine's own count.
        """
        self._count_into = path

    def complete(
        self, messages: Sequence[Message], options: Options, *, on_text: OnText | None = None
    ) -> Completion:
        """Returns the model's answer; see `ChatModel.complete`.  The first call starts the engine."""
        if options.tools:
            raise ModelFailed("local", "it takes no tools", hint="`gv.models.converse` tells it of them in the prompt.")
        if options.n == 1:
            return self._complete(messages, options, on_text)
        every = [
            self._complete(messages, replace(options, seed=options.seed + number, n=1), None if number else on_text)
            for number in range(options.n)
        ]
        tokens = [sum(getattr(each, name) for each in every) for name in ("prompt_tokens", "completion_tokens")]
        return replace(
            every[0], samples=tuple(each.text for each in every), prompt_tokens=tokens[0], completion_tokens=tokens[1]
        )

    def _complete(self, messages: Sequence[Message], options: Options, on_text: OnText | None) -> Completion:
        request = _request(messages, options)
        with self._lock:
            if self._engine is None:
                self._start()
            # Closed here and now: an exception on its way out keeps the generator alive, and the engine busy.
            with closing(self._chunks(request)) as chunks:
                completion = self._collect(chunks, options.seed, on_text)
            self._completions += 1
            if self._count_into is not None:
                with self._count_into.open("ab", buffering=0) as file:
                    file.write(b".")
        return completion

    def stop(self) -> None:
        """Frees the engine and its memory; the next completion starts it again."""
        with self._lock:
            self._engine = None

    def _start(self) -> None:
        try:
            xllamacpp = importlib.import_module("xllamacpp")
        except ImportError as e:
            raise ModelNotInstalled("local", "xllamacpp", "local") from e
        path = self._path or chosen() or _pulled()
        self._name = path.stem
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = self._context_tokens
        params.n_parallel = 1
        params.verbosity = -1  # silent: what goes wrong comes back as an exception or an error chunk
        params.api_keys = [os.urandom(32).hex()]
        params.cors_origins = "localhost"
        params.ui = False
        params.endpoint_slots = False
        params.cache_ram_mib = 0
        params.fit_params = False
        params.warmup = False
        try:
            self._engine = xllamacpp.Server(params)
        except RuntimeError as e:
            raise ModelFailed(self._name, f"llama.cpp cannot load {path}") from e

    def _chunks(self, request: dict[str, object]) -> Generator[Chunk, None, None]:
        """Yields the chunks of the answer; closing it stops the engine at the next token."""
        engine = cast("_Engine", self._engine)
        queue: SimpleQueue[Chunk | BaseException | None] = SimpleQueue()
        abandoned = threading.Event()

        def take(chunk: Chunk) -> bool:
            queue.put(chunk)
            return abandoned.is_set()

        def work() -> None:
            try:
                engine.handle_chat_completions(request, take)
                queue.put(None)
            except BaseException as e:
                queue.put(e)

        worker = threading.Thread(target=work, name="gvstore-local-model", daemon=True)
        worker.start()
        try:
            while (item := queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise ModelFailed(self._name, str(item)) from item
                yield item
        finally:
            abandoned.set()
            worker.join()

    def _collect(self, chunks: Iterable[Chunk], seed: int, on_text: OnText | None) -> Completion:
        pieces: list[str] = []
        finish, prompt_tokens, completion_tokens = "", 0, 0
        for chunk in chunks:
            if "error" in chunk or "choices" not in chunk:
                raise self._fault(chunk.get("error", chunk))
            for choice in chunk["choices"]:
                finish = choice["finish_reason"] or finish
                if piece := choice["delta"].get("content"):
                    pieces.append(piece)
                    if on_text is not None:
                        on_text(piece)
            if usage := chunk.get("usage"):
                prompt_tokens, completion_tokens = usage["prompt_tokens"], usage["completion_tokens"]
        return Completion("".join(pieces), self._name, prompt_tokens, completion_tokens, finish, seed)

    def _fault(self, error: dict[str, Any]) -> ContextOverflow | ModelFailed:
        if error.get("type") == "exceed_context_size_error":
            return ContextOverflow(self._name, error["n_prompt_tokens"], error["n_ctx"])
        return ModelFailed(self._name, str(error.get("message", error)))

    def after_fork(self) -> None:
        """Makes the child of a fork start an engine of its own.

        The engine's threads did not come along.  Its destructor would wait for
        them for ever, so the child keeps it until it ends.  (llama.cpp's log has
        a thread too, whose end it waits for when C++ is torn down: a child that
        ends by `sys.exit` instead of `os._exit`, which multiprocessing uses,
        is aborted at its very end.  Nothing here can change that.)
        """
        if self._engine is not None:
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._engine))
        self._engine = None
        self._lock = threading.Lock()
        self._completions = 0


def _pulled() -> Path:
    """Returns the default weights, fetched on first use."""
    from gvstore.models.pull import pull  # subprocess, zipfile and more: 20 ms that most programs need not spend

    return pull()


def _request(messages: Sequence[Message], options: Options) -> dict[str, object]:
    request: dict[str, object] = {
        "messages": [{"role": _ROLES.get(message.role, message.role), "content": message.content} for message in messages],
        "max_tokens": _DEFAULTS.max_tokens if options.max_tokens is None else options.max_tokens,
        "temperature": _DEFAULTS.temperature if options.temperature is None else options.temperature,
        "top_p": _DEFAULTS.top_p if options.top_p is None else options.top_p,
        "seed": options.seed % _SEEDS,
        "stop": list(options.stop),
        "cache_prompt": False,  # a prompt half from the cache is rounded otherwise: the same seed, another text
        "stream": True,
        "stream_options": {"include_usage": True},
        **_SAMPLING,
    }
    for name in ("frequency_penalty", "presence_penalty"):
        if value := getattr(options, name):
            request[name] = value
    if options.schema is not None:
        request["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(options.schema)}}
    return request


_local: LocalModel | None = None
_local_lock = threading.Lock()


def _after_fork() -> None:
    global _local_lock
    _local_lock = threading.Lock()
    if _local is not None:
        _local.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def local() -> LocalModel:
    """Returns the local model of this process; nothing is loaded before its first completion."""
    global _local
    with _local_lock:
        if _local is None:
            _local = LocalModel()
            # Before the interpreter takes itself apart: the engine's threads call back into it.
            atexit.register(_local.stop)
        return _local


def completions() -> int:
    """Returns how many completions the local model has finished in this process."""
    return 0 if _local is None else _local.completions


def count_into(path: Path | None) -> None:
    """Has the local model of this process add a byte to `path` for every completion; None ends that."""
    local().count_into(path)
