"""A chat endpoint on the loopback interface that answers by a function of what it is asked, and remembers what that was."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """One request: what was asked, with which headers."""

    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The module whose system prompt it has: `task_planner`."""
        return str(self.body["messages"][0]["content"]).partition(" --- ")[2].partition(" ---\n")[0].lower()

    @property
    def user(self) -> str:
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True, slots=True)
class Status:
    """Another status than 200, with a body."""

    code: int
    body: dict[str, Any]


Answer = Callable[[Question], str | dict[str, Any] | Status]  # text, or a whole message


def named(question: Question) -> str:
    """The answer `<module> of <the user's first line>`."""
    return f"{question.module} of {question.user.partition(chr(10))[0]}"


class ChatServer(ThreadingHTTPServer):
    """A server on a free port; `asked` is what came, in order."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Question] = []
        self.answer: Answer = named
        self.delay_s = 0.0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def modules(self) -> list[str]:
        """The modules that asked, in order."""
        return [each.module for each in self.asked]

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        question = Question(body, {name.lower(): value for name, value in self.headers.items()})
        with self.server.lock:
            self.server.asked.append(question)
        time.sleep(self.server.delay_s)
        said = self.server.answer(question)
        message = said if isinstance(said, dict) else {"role": "assistant", "content": said}
        usage = {"prompt_tokens": 10, "completion_tokens": 5}
        whole = {"model": body["model"], "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        data = json.dumps(said.body if isinstance(said, Status) else whole).encode()
        self.send_response(said.code if isinstance(said, Status) else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def chatting() -> Iterator[ChatServer]:
    """Runs a server in the block."""
    server = ChatServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
