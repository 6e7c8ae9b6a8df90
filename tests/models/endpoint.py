"""An endpoint on the loopback interface, real but for its answers: a test says what comes next.

    server.plan(status(429, {"error": ...}, **{"retry-after": "0"}), chat("Hi."))
    ... the program asks ...
    server.asked[0].body
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Handler(BaseHTTPRequestHandler):
    """Answers each POST with the next reply of the plan; the last one stands for all that follow."""

    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.asked.append(Asked(self.path, headers, json.loads(data)))
            replies = self.server.replies
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        reply(self)

    def log_message(self, *_: object) -> None:
        pass

    def send_whole(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class LoopbackServer(ThreadingHTTPServer):
    """A server on a free port; `asked` is what came, in order."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def plan(self, *replies: Reply) -> None:
        """Sets what is answered next; the last for ever."""
        with self.lock:
            self.replies[:] = replies

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that goes away is part of the tests."""


@contextmanager
def serving() -> Iterator[LoopbackServer]:
    """Runs a server in the block."""
    server = LoopbackServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def status(code: int, body: object, **headers: str) -> Reply:
    """Answers with a status and JSON, or with bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.send_whole(code, data, headers)


def chat(text: str | None, *, finish: str | None = "stop", model: str = "gpt-test-2026-01-01", **message: object) -> Reply:
    """Answers as chat completions do, whole."""
    return status(200, chat_body(text, finish=finish, model=model, **message))


def chat_body(text: str | None, *, finish: str | None = "stop", model: str = "gpt-test-2026-01-01", **message: object) -> dict[str, Any]:
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "chatcmpl-1",
        "model": model,
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
    }


def events(*parts: object, end: bytes = b"data: [DONE]\n\n", cut: bool = False, named: bool = False) -> Reply:
    """Answers with a stream of events, in chunks; `cut` leaves out the chunk that ends it."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for part in parts:
            name = f"event: {part['type']}\n".encode() if named and isinstance(part, dict) else b""
            send_chunk(handler, part if isinstance(part, bytes) else name + b"data: " + json.dumps(part).encode() + b"\n\n")
        if cut:
            handler.close_connection = True
            return
        send_chunk(handler, end)
        handler.wfile.write(b"0\r\n\r\n")

    return reply


def send_chunk(handler: Handler, data: bytes) -> None:
    if data:
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        handler.wfile.flush()


def delta(text: str | None = None, *, finish: str | None = None, **more: object) -> dict[str, Any]:
    """One event of a streamed chat completion."""
    said = ({} if text is None else {"content": text}) | more
    return {"model": "gpt-test-2026-01-01", "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


USAGE = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5}}


def silent(handler: Handler) -> None:
    """Says nothing until the test is over."""
    handler.server.over.wait(30)
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    """Ends the connection without a word."""
    handler.close_connection = True
