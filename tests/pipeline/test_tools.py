"""Functions that a module's model may call: `tools: [tools.py:search]`."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question
from tests.pipeline.writing import START, write

TOOLS = '''\
def search(query: str, most: int = 2) -> list[str]:
    """Finds pages about something."""
    return [f"{query} {number}" for number in range(most)]
'''
STEP = "  - {module: librarian, inputs: [request], output_name: out, tools: [tools.py:search], rounds: 2}\n"


@pytest.fixture
def library(gv: CommandLine, chat: ChatServer) -> CommandLine:
    """The command line in a repository with a module that has a tool."""
    write(gv.folder, {"tools.py": TOOLS, "p.yml": f"pipeline:\n{START}{STEP}", "config.yml": "default_model: gpt-4\n"})
    write(gv.folder, {"system_prompts/librarian.txt": "You find.\n"})
    gv("init")
    return gv


def searching(**arguments: Any) -> dict[str, Any]:
    """A model's message that asks for a call."""
    call = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": json.dumps(arguments)}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def searches_once(question: Question) -> str | dict[str, Any]:
    last = question.body["messages"][-1]
    return f"found {last['content']}" if last["role"] == "tool" else searching(query="otters")


def components(gv: CommandLine, run: str) -> list[str]:
    return [each["component"] for each in gv("show", run, "--json").json["calls"] if each["path"].startswith("1.")]


def test_a_model_calls_a_function_of_the_project(library: CommandLine, chat: ChatServer) -> None:
    """The model is told of it; each of its calls is a recorded one, between those of the model."""
    chat.answer = searches_once
    library("run", "p.yml", "--input", "request=x")

    assert ["Finds pages about something."] == [each["function"]["description"] for each in chat.asked[0].body["tools"]]
    assert ["gvstore.models.completion.complete", "tools.search", "gvstore.models.completion.complete"] == components(library, "run/1")
    assert 'found ["otters 0", "otters 1"]' == library("get", "run/1:/output").out.strip()


def test_an_edited_function_is_called_again(library: CommandLine, chat: ChatServer) -> None:
    """Its code counts for the step; what the model is asked as before it answers from the record."""
    chat.answer = searches_once
    library("run", "p.yml", "--input", "request=x")
    library.write("tools.py", TOOLS.replace("{query} {number}", "{query}: {number}"))
    library("replay")

    assert 3 == len(chat.asked)
    assert 'found ["otters: 0", "otters: 1"]' == library("get", "run/2:/output").out.strip()


def test_a_model_without_tool_calls_writes_them_in_its_text(library: CommandLine) -> None:
    """In OrchestrAI's form; here the model is a program that calls the tool until it sees an answer of it."""
    said = """\
import sys
text = sys.stdin.read()
print("found " + text.rpartition("search: ")[2] if "search: [" in text else '<@ {"tool_name": "search", "query": "otters", "most": 1} @>')
"""
    library.write("model.py", said)
    library("run", "p.yml", "--input", "request=x", "--provider", f"command:{sys.executable} model.py")

    assert ["gvstore.models.completion.complete", "tools.search", "gvstore.models.completion.complete"] == components(library, "run/1")
    assert 'found ["otters 0"]' in library("get", "run/1:/output").out


def test_rounds_end(library: CommandLine, chat: ChatServer) -> None:
    """A model that goes on calling fails its step, status 20, after as many rounds as the step allows."""
    chat.answer = lambda question: searching(query="more")
    done = library("run", "p.yml", "--input", "request=x", status=20)

    assert "still calls tools after 2 rounds" in done.err
    assert 3 == len(chat.asked)


def test_a_wrong_call_is_told_to_the_model(library: CommandLine, chat: ChatServer) -> None:
    """What it is told says what is wrong; the function is not called."""
    answers: list[str | dict[str, Any]] = [searching(qury="otters"), "I give up."]
    chat.answer = lambda question: answers.pop(0)
    library("run", "p.yml", "--input", "request=x")

    assert "error: the arguments of search do not fit" in chat.asked[1].body["messages"][-1]["content"]
    assert "tools.search" not in components(library, "run/1")


def test_a_schema_is_asked_for_last(library: CommandLine, chat: ChatServer) -> None:
    """A model that calls functions gives its answer in words; that is asked for once more, held to the schema."""
    library.write("p.yml", f"pipeline:\n{START}{STEP.replace('rounds: 2', 'schema: {type: object, properties: {pages: {type: integer}}}')}")
    chat.answer = lambda question: searches_once(question) if "tools" in question.body else '{"pages": 2}'
    library("run", "p.yml", "--input", "request=x")

    assert ["system", "user", "assistant", "user"] == [each["role"] for each in chat.asked[-1].body["messages"]]
    assert {"pages": 2} == library("get", "run/1:/output", "--json").json["value"]
