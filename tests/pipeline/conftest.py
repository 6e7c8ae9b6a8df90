"""An endpoint that pipelines ask, and a repository with a pipeline in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gvstore.models import http
from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, chatting
from tests.pipeline.writing import PROMPTS, seed_pipelines, write


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """An endpoint on the loopback interface that answers at once; OpenAI's variables lead to it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with chatting() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        yield server
        http.close()


@pytest.fixture
def task(gv: CommandLine, chat: ChatServer) -> CommandLine:
    """The command line in a repository with OrchestrAI's task pipeline, whose models are at `chat`."""
    write(gv.folder, {f"system_prompts/{name}.txt": f"You are a {name}.\nBe brief.\n" for name in PROMPTS})
    write(gv.folder, {"task.yml": seed_pipelines()["task"], "config.yml": "default_model: gpt-4-0613\n"})
    gv("init")
    return gv
