"""Tools and structured answers of steps."""

from __future__ import annotations

import json

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question
from tests.pipeline.writing import START, write

TOOLS = 'def search(query: str) -> str:\n    "Searches."\n    return f"found {query}"\n'
CALL = '<@ {"tool_name": "search", "query": "otters"} @>'


def made(gv: CommandLine, step: str, **files: str) -> None:
    write(gv.folder, {"system_prompts/a.txt": "a\n", "tools.py": TOOLS, "config.yml": "default_model: gpt-4\n", **files})
    write(gv.folder, {"p.yml": f"pipeline:\n{START}{step}"})
    gv("init")


def test_a_tool_is_called_and_its_call_recorded(gv: CommandLine, chat: ChatServer) -> None:
    """In OrchestrAI's form, where its tool prompt tells of it; an edited tool makes the step run again."""
    made(
        gv, '  - {module: a, inputs: [request], output_name: out, tools: ["tools.py:search"]}\n',
        **{"config.yml": "default_model: gpt-4\ntools_enabled: true\n", "tools/tool_prompt.txt": "Call search.\n"},
    )  # fmt: skip
    chat.answer = lambda question: CALL if "found" not in question.user else f"well: {question.user}"
    gv("run", "p.yml", "--input", "request=x")
    calls = [each["component"].rpartition(".")[2] for each in gv("show", "run/1", "--json").json["calls"]]

    assert ["p", "request", "out", "complete", "search", "complete"] == calls
    assert "found otters" in gv("get", "run/1:/output").out

    write(gv.folder, {"tools.py": TOOLS.replace("found", "found two")})
    gv("run", "p.yml", "--input", "request=x")
    assert "found two otters" in gv("get", "run/2:/output").out
    assert 3 == len(chat.asked)  # the first question is answered by the record


def test_an_answer_that_fits_no_schema_is_asked_for_again(gv: CommandLine, chat: ChatServer) -> None:
    """`schema`: the result is data; `retry: {on: [schema]}`."""
    schema = "{type: object, properties: {n: {type: integer}}, required: [n]}"
    made(gv, f"  - {{module: a, inputs: [request], output_name: out, schema: {schema}, retry: {{max: 2, backoff: 0, on: [schema]}}}}\n")
    chat.answer = lambda question: json.dumps({"n": "x" if len(chat.asked) == 1 else 4})
    gv("run", "p.yml", "--input", "request=x")

    assert {"n": 4} == gv("get", "run/1:/output", "--json").json["value"]


def test_samples_are_steps_of_their_own(gv: CommandLine, chat: ChatServer) -> None:
    """`n: 2` asks twice, with seeds in a row; one more asks once more."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, n: 2, seed: 7}\n")

    def answer(question: Question) -> str:
        return f"{question.body['seed']}"

    chat.answer = answer
    gv("run", "p.yml", "--input", "request=x")
    assert ["7", "8"] == gv("get", "run/1:/output", "--json").json["value"]

    gv("run", "p.yml", "--input", "request=x", "--set", "out.n=3")
    assert ["7", "8", "9"] == gv("get", "run/2:/output", "--json").json["value"]
    assert 3 == len(chat.asked)


def test_loops_and_other_pipelines(gv: CommandLine, chat: ChatServer) -> None:
    """`foreach`: a step an item, its result a list; `pipeline`: its questions are answered by the step's inputs."""
    made(
        gv,
        '  - {module: a, inputs: [request], output_name: each, foreach: [es, fr], supplement: "${item}"}\n'
        "  - {pipeline: sub.yml, inputs: [request], output_name: nested}\n"
        '  - {module: a, inputs: ["each@fr", each, nested], output_name: out}\n',
        **{"sub.yml": f"pipeline:\n{START}  - {{module: a, inputs: [request], output_name: inner}}\n"},
    )
    chat.answer = lambda question: f"<{question.user.rpartition(' ')[2]}>"
    gv("run", "p.yml", "--input", "request=x")

    assert "EACH@FR: <fr>\nEACH: <es>\n\n<fr>\nNESTED: <x>" == chat.asked[-1].user
    assert "sub.inner" in [each["component"] for each in gv("show", "run/1", "--json").json["calls"]]
