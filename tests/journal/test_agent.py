"""An agent around a model's client, its tools called in parallel: recorded once, answered with the server gone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note
from tests.journal.process import Project

PROGRAM = Path(__file__)


class Service(BaseHTTPRequestHandler):
    """Asks for three tools, and having heard of them, adds up what they said."""

    requests: list[dict[str, Any]]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(asked)
        heard = [each["content"] for each in asked["messages"] if each["role"] == "tool"]
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if heard:
            message["content"] = f"{sum(map(int, heard))} degrees in all"
        else:
            message["tool_calls"] = [
                {
                    "id": f"call{i}",
                    "type": "function",
                    "function": {"name": "look_up", "arguments": f'{{"city": "{city}"}}'},
                }
                for i, city in enumerate(["Lisbon", "Oslo", "Cairo"])
            ]
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    """A real server on the loopback interface."""
    Service.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@gv.register
async def look_up(city: str) -> int:
    note(f"look_up {city}")
    await asyncio.sleep(0.01 / len(city))
    return len(city)


@gv.register
@dataclass
class Agent(gv.AsyncInvokable[str, str]):
    """Asks the model until it wants no more tools."""

    client: AsyncOpenAI
    turns: int = 0

    @gv.register
    async def complete(self, messages: list[ChatCompletionMessageParam]) -> ChatCompletion:
        note("complete")
        return await self.client.chat.completions.create(model="m", messages=messages)

    async def call(self, question: str) -> str:
        messages: list[Any] = [{"role": "user", "content": question}]
        while True:
            self.turns += 1
            message = (await self.complete(messages)).choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            if not message.tool_calls:
                return message.content or ""
            asked = [(each.id, json.loads(each.function.arguments)) for each in message.tool_calls]  # type: ignore[union-attr]
            found = await asyncio.gather(*[look_up(**arguments) for _, arguments in asked])
            messages += [
                {"role": "tool", "tool_call_id": i, "content": str(n)} for (i, _), n in zip(asked, found, strict=True)
            ]


async def record(agent: Agent) -> gv.Run[str]:
    async with agent.client:
        return await gv.run_async(agent, "How warm is it?")


def client_of(server: ThreadingHTTPServer) -> AsyncOpenAI:
    host, port = server.server_address[:2]
    return AsyncOpenAI(base_url=f"http://{host!s}:{port}/v1", api_key="sk-of-the-test-0123456789abcdef", max_retries=0)


def test_an_agent_is_answered_with_the_server_gone(repo: Repository, service: ThreadingHTTPServer) -> None:
    """Its completions and its tools come out of the record, its state too; no request is made, no body runs."""
    agent = Agent(client_of(service))
    run = asyncio.run(record(agent))
    names = [call.name for call in run.invocation.get_children()]
    service.shutdown()
    service.server_close()
    made = len(Service.requests)
    BODIES.clear()
    again = asyncio.run(run.invocation.rewind(0).replay_async(strict="code"))

    assert (2, "15 degrees in all") == (made, run.output)
    assert ["complete", "look_up", "look_up", "look_up", "complete"] == names
    assert (run.invocation, made, []) == (again, len(Service.requests), BODIES)
    assert 2 == agent.turns


def test_another_process_answers_too(tmp_path: Path, service: ThreadingHTTPServer) -> None:
    """The client is made again from what is stored of it, without a key; nobody is there to be asked."""
    project = Project(tmp_path / "work")
    project.write("agent.py", PROGRAM.read_text())
    host, port = service.server_address[:2]
    recorded = project.run(
        "import asyncio, agent, gvstore as gv\n"
        "from openai import AsyncOpenAI\n"
        "with gv.init():\n"
        f"    client = AsyncOpenAI(base_url='http://{host!s}:{port}/v1', api_key='k', max_retries=0)\n"
        "    print(asyncio.run(agent.record(agent.Agent(client))).output)\n"
    )
    service.shutdown()
    service.server_close()
    made = len(Service.requests)
    gv_ = "import sys\nfrom gvstore.cli.main import run\nsys.exit(run(sys.argv[1:]))"
    project.run(gv_, "rewind", "-n", "0")
    answered = json.loads(project.run(gv_, "replay", "--strict", "--json"))

    assert "15 degrees in all" == recorded.strip() == answered["output"]
    assert (2, 2, 5) == (made, len(Service.requests), answered["reused"])
