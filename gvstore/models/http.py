"""One request to an endpoint over HTTP: JSON there, JSON or a stream of events back.

The client is httpx2, which the SDKs of OpenAI and Anthropic stand on as well
(docs/decisions/0019-models-over-http.md).  It is imported when the first
request is made; one client a process keeps connections open, for all threads.

Whatever goes wrong comes out as a `ModelFailed` without a cause: httpx's own
exceptions hold the request with its headers, and what is raised is recorded
with its chain.  Redirections are not followed, for the key would go along.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from gvstore.models.endpoint import CONNECT_S, Endpoint
from gvstore.models.failure import AnswerBroken, AnswerCut, EndpointTimedOut, Unreachable, failure_of_status
from gvstore.models.fault import ModelFailed, ModelNotInstalled
from gvstore.models.sse import Events

MOST_BYTES = 64 << 20
_ERROR_BYTES = 64 << 10

_client: Any = None
_lock = threading.Lock()


def ask(endpoint: Endpoint, path: str, body: Mapping[str, Any], *, model: str, extra: str) -> dict[str, Any]:
    """Returns the endpoint's answer to `body`, a JSON object.

    `model` is for messages; `extra` is what to install where httpx2 is missing.

    Raises:
        ModelFailed: there is none.
    """
    httpx2, request = _request(endpoint, path, body, model, extra)
    deadline = time.monotonic() + endpoint.timeout_s
    failed: ModelFailed
    try:
        with request as response:
            _look(endpoint, model, response, deadline)
            return _object(endpoint, model, b"".join(_pieces(endpoint, model, response, deadline)))
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as e:
        failed = _failure(httpx2, endpoint, model, e)
    raise failed  # out here, so that it drags no exception along that holds the request


def ask_events(
    endpoint: Endpoint, path: str, body: Mapping[str, Any], *, model: str, extra: str
) -> Generator[dict[str, Any], None, None]:
    """Yields the events of the endpoint's answer as they come; an answer that is no stream is one event.

    Raises:
        ModelFailed: there are none, or no more of them.
    """
    httpx2, request = _request(endpoint, path, body, model, extra)
    deadline = time.monotonic() + endpoint.timeout_s
    failed: ModelFailed
    try:
        with request as response:
            _look(endpoint, model, response, deadline)
            yield from _events(endpoint, model, response, deadline)
            return
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as e:
        failed = _failure(httpx2, endpoint, model, e)
    raise failed  # as above


def close() -> None:
    """Closes the connections of this process; the next request opens new ones."""
    global _client
    with _lock:
        client, _client = _client, None
    if client is not None:
        client.close()


def _request(endpoint: Endpoint, path: str, body: Mapping[str, Any], model: str, extra: str) -> tuple[Any, Any]:
    """Returns (httpx2, what opens the answer to a request)."""
    client = _open_client(model, extra)
    httpx2 = importlib.import_module("httpx2")
    timeout = httpx2.Timeout(endpoint.timeout_s, connect=min(CONNECT_S, endpoint.timeout_s))
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream", **endpoint.headers}
    content = json.dumps(body, ensure_ascii=False).encode()
    return httpx2, client.stream("POST", endpoint.url(path), content=content, headers=headers, timeout=timeout)


def _look(endpoint: Endpoint, model: str, response: Any, deadline: float) -> None:
    """Raises what an answer with an error status stands for."""
    if response.status_code >= 300:
        data = b"".join(_pieces(endpoint, model, response, deadline, most=_ERROR_BYTES))
        raise failure_of_status(model, response.status_code, response.headers, data, endpoint.clean)


def _events(endpoint: Endpoint, model: str, response: Any, deadline: float) -> Iterator[dict[str, Any]]:
    pieces = _pieces(endpoint, model, response, deadline)
    if "json" in response.headers.get("content-type", ""):
        yield _object(endpoint, model, b"".join(pieces))
        return
    events = Events()
    for piece in pieces:
        for data in events.feed(piece):
            yield _object(endpoint, model, data)
    for data in events.end():
        yield _object(endpoint, model, data)


def _pieces(
    endpoint: Endpoint, model: str, response: Any, deadline: float, *, most: int = MOST_BYTES
) -> Iterator[bytes]:
    """Yields what comes, until there is more of it, or it takes longer, than can be meant."""
    total = 0
    for piece in response.iter_bytes():
        total += len(piece)
        if total > most:
            if response.status_code >= 300:
                yield piece[: most - total]
                return
            raise AnswerBroken(model, f"{endpoint.shown} answers with more than {most >> 20} MiB")
        yield piece
        if time.monotonic() > deadline:
            raise _timed_out(endpoint, model)


def _object(endpoint: Endpoint, model: str, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        shown = endpoint.clean(data[:400].decode("utf-8", "replace")).strip()[:80]
        raise AnswerBroken(model, f"{endpoint.shown} answers with no JSON object: {shown!r}" if shown else f"{endpoint.shown} answers with nothing")
    return found


def _failure(httpx2: Any, endpoint: Endpoint, model: str, error: Exception) -> ModelFailed:
    """Returns what an exception of httpx2 stands for."""
    said = endpoint.clean(" ".join(str(error).split()))[:200]
    if isinstance(error, httpx2.ConnectTimeout) and endpoint.timeout_s > CONNECT_S:
        silent = Unreachable(model, f"{endpoint.shown} does not answer")
        silent.again = True
        return silent
    if isinstance(error, httpx2.TimeoutException):
        return _timed_out(endpoint, model)
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return Unreachable(model, f"{endpoint.shown} cannot be reached: {said}")
    if isinstance(error, httpx2.DecodingError):
        return AnswerBroken(model, f"{endpoint.shown} answers with what cannot be unpacked: {said}")
    return AnswerCut(model, f"{endpoint.shown} broke the connection off: {said or type(error).__name__}")


def _timed_out(endpoint: Endpoint, model: str) -> EndpointTimedOut:
    return EndpointTimedOut(model, f"{endpoint.shown} gave no whole answer in {endpoint.timeout_s:g} s")


def _open_client(model: str, extra: str) -> Any:
    """Returns the client of this process."""
    global _client
    with _lock:
        if _client is None:
            try:
                httpx2 = importlib.import_module("httpx2")
            except ImportError as e:
                raise ModelNotInstalled(f"{extra}:{model}", "httpx2", extra) from e
            _client = httpx2.Client(follow_redirects=False)
            atexit.register(close)
        return _client


def _after_fork() -> None:
    """In a forked child: the connections are the parent's."""
    global _client, _lock
    _client, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
