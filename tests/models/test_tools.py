"""Tools: what a model is told of a function, what becomes of its calls, and conversations with them."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pydantic
import pytest

import gvstore as gv
from gvstore.models import Settings, Tool, converse, using
from gvstore.models.conversation import TooManyRounds
from gvstore.models.fault import ModelFailed
from gvstore.models.inline import InlineCall, inline_calls
from gvstore.models.schema import mismatch, schema_faults
from gvstore.models.tool_type import made_of, schema_of
from tests.models.endpoint import LoopbackServer, Reply
from tests.models.endpoint import chat as whole


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = (1,)
    HIGH = (2,)


@dataclasses.dataclass
class Step:
    name: str
    cost: float = 0.0
    below: list[Step] = dataclasses.field(default_factory=list)


class Place(TypedDict):
    city: str
    zip: NotRequired[int]


class Person(pydantic.BaseModel):
    name: str
    born: datetime.date


STEP = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "cost": {"type": "number"}, "below": {"type": "array", "items": {"$ref": "#/$defs/Step"}}},
    "required": ["name"],
    "additionalProperties": False,
}
PLACE = {
    "type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "integer"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
SPELLED: list[tuple[Any, dict[str, Any], object, object]] = [
    (str, {"type": "string"}, "a", "a"),
    (int, {"type": "integer"}, 3.0, 3),
    (float, {"type": "number"}, 3, 3.0),
    (bool, {"type": "boolean"}, True, True),
    (None, {"type": "null"}, None, None),
    (Any, {}, {"a": [1]}, {"a": [1]}),
    (list[float], {"type": "array", "items": {"type": "number"}}, [1], [1.0]),
    (Sequence[int], {"type": "array", "items": {"type": "integer"}}, [1], [1]),
    (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}, [1, "a"], (1, "a")),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}, [1, 2], (1, 2)),
    (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [2, 1], {1, 2}),
    (list, {"type": "array"}, [1, "a"], [1, "a"]),
    (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1}, {"a": 1.0}),
    (dict, {"type": "object"}, {"a": 1}, {"a": 1}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None),
    (int | Step, {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/Step"}]}, {"name": "a"}, Step("a")),
    (Literal["a", 1], {"enum": ["a", 1]}, 1, 1),
    (Colour, {"enum": ["red", "blue"]}, "blue", Colour.BLUE),
    (Level, {"enum": ["LOW", "HIGH"]}, "HIGH", Level.HIGH),
    (Path, {"type": "string"}, "a/b", Path("a/b")),
    (datetime.date, {"type": "string", "format": "date"}, "2026-11-20", datetime.date(2026, 11, 20)),
    (Annotated[int, "how many"], {"type": "integer", "description": "how many"}, 3, 3),
    (Step, {"$ref": "#/$defs/Step"}, {"name": "a", "cost": 1, "below": [{"name": "b"}]}, Step("a", 1.0, [Step("b")])),
    (list[Place], {"type": "array", "items": {"$ref": "#/$defs/Place"}}, [{"city": "Oslo"}], [{"city": "Oslo"}]),
    (Person, {"$ref": "#/$defs/Person"}, {"name": "Ada", "born": "1815-12-10"}, Person(name="Ada", born=datetime.date(1815, 12, 10))),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "schema", "given", "made"), SPELLED, ids=lambda value: str(value)[:40])
def test_annotations(annotation: Any, schema: Mapping[str, Any], given: object, made: object) -> None:
    """Each has its schema, and what fits it becomes a value of the type."""
    defs: dict[str, Any] = {}

    assert schema == schema_of(annotation, defs)
    assert all(part == {"Step": STEP, "Place": PLACE}.get(name, part) for name, part in defs.items())
    whole_schema = {**schema, "$defs": defs}
    assert ([], "") == (list(schema_faults(whole_schema)), mismatch(given, whole_schema))
    found = made_of(given, annotation)
    assert (made, type(made)) == (found, type(found))


@gv.register
def add(a: int, /, b: Annotated[int, "the other"] = 1, *, to: Colour = Colour.RED) -> int:
    """Adds two numbers.

    And that is all.
    """
    return a + b


def test_what_a_model_is_told() -> None:
    """Name, docstring, and the parameters by their annotations."""
    expected = {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer", "description": "the other", "default": 1},
            "to": {"enum": ["red", "blue"]},
        },
        "required": ["a"],
        "additionalProperties": False,
    }

    assert {"name": "add", "description": "Adds two numbers.\n\nAnd that is all.", "parameters": expected} == Tool(add).as_dict()


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ('{"a": 1, "b": 2}', "3"),
        ('{"a": 1, "to": "blue"}', "2"),
        ("{oh", "error: the arguments of add are no JSON: Expecting property name"),
        ("", "error: the arguments of add do not fit: a is missing"),
        ("[1]", "error: the arguments of add do not fit: $ is array, and object is wanted"),
        ('{"a": "1"}', "error: the arguments of add do not fit: a is string, and integer is wanted"),
        ('{"a": true}', "error: the arguments of add do not fit: a is boolean"),
        ('{"a": 1, "c": 2}', "error: the arguments of add do not fit: c should not be there; known: a, b, to"),
        ("[" * 100_000, "error: the arguments of add are no JSON"),
    ],
    ids=lambda value: value[:20],
)
def test_bad_arguments_are_answered(arguments: str, answer: str) -> None:
    """With what is wrong, so that the model can mend it."""

    assert Tool(add).answer(arguments).startswith(answer)


def test_what_a_function_raises_is_answered() -> None:
    """But errors of gvstore and questions to the user, which go their way."""

    def fail(how: str) -> str:
        if how == "question":
            return str(gv.request_input(str, None, "Which?"))
        raise ModelFailed("m", "no") if how == "model" else OSError("disk gone")

    tool = Tool(fail)

    assert "error: OSError: disk gone" == tool.answer('{"how": "os"}')
    with pytest.raises(ModelFailed):
        tool.answer('{"how": "model"}')


@pytest.mark.parametrize(
    ("value", "text"),
    [("ä", "ä"), (None, "null"), ({"ä": (1, {2})}, '{"ä": [1, [2]]}'), (Step("a"), '{"name": "a", "cost": 0.0, "below": []}'), ("\ud800", "�")],
    ids=repr,
)
def test_answers_are_text_or_json(value: object, text: str) -> None:
    """Whatever a function returns can be told; long answers are cut, and say so."""

    def give() -> object:
        return value

    assert text == Tool(give).answer("{}")
    value = "x" * 100_001

    assert Tool(give).answer("{}").endswith("x\n[cut: 1 characters more]")


async def later() -> None: ...


def everything(*all_: int) -> None: ...


def odd(x: complex) -> None: ...


def odd_keys(x: dict[int, str]) -> None: ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda: 3, "no function with a name"),
        (later, "asynchronous"),
        (everything, r"cannot give \*all_"),
        (odd, "its parameter x: complex has no form in JSON"),
        (odd_keys, "other keys than text"),
        (3, "no function with a name"),
    ],
    ids=["lambda", "async", "everything", "odd", "odd keys", "number"],
)
def test_what_is_no_tool(function: Callable[..., Any], says: str) -> None:
    """TypeError that says why."""
    with pytest.raises(TypeError, match=says):
        Tool(function)


def test_calls_in_a_text() -> None:
    """In their order, with whatever stands around them; one that is not well formed has a fault."""
    text = """Let me see. <@ {"tool_name": "search", "query": "a @> b"} @> and <@{"tool_name":"add","a":[1,{"b":2}]}@>
    <@ {oh} @> <@ [1] @> <@ {"tool_name": "x"} <@ {"tool_name": "last"}@>"""
    calls = inline_calls(text)

    assert [InlineCall("search", {"query": "a @> b"}), InlineCall("add", {"a": [1, {"b": 2}]})] == calls[:2]
    assert ["a call is no JSON", "a call is an object", "a call ends with @>", ""] == [call.fault[: len(fault)] for call, fault in zip(
        calls[2:], ("a call is no JSON", "a call is an object", "a call ends with @>", ""), strict=True)]  # fmt: skip
    assert InlineCall("last", {}) == calls[-1]
    assert [] == inline_calls("a < b @ c > d")
    assert 1000 == len(inline_calls("<@ " * 100_000))


def asks(*calls: tuple[str, object], text: str | None = None) -> Reply:
    """Answers with tool calls."""
    given = [
        {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}}
        for at, (name, arguments) in enumerate(calls)
    ]
    return whole(text, finish="tool_calls", tool_calls=given)


@gv.register
def work(question: str, model: str, form: Literal["", "native", "inline"] = "") -> str:
    return converse(question, [add], model=model, form=form).text


def test_a_conversation_with_native_calls(server: LoopbackServer, tmp_path: Path) -> None:
    """Each request, and each call of a tool, is a recorded call of its own; a replay asks nobody."""
    server.plan(asks(("add", {"a": 1, "b": 2}), ("sub", {}), ("add", "{oh")), whole("It is 3."))
    with gv.init(tmp_path / "work"):
        run = gv.run(work, "1 + 2?", "openai:gpt-test")
        again = run.replay()

    assert ["complete", "add", "complete"] == [call.name for call in run.invocation.get_children()]
    assert "It is 3." == run.output == again.output
    assert 2 == len(server.asked)
    answers = server.asked[1].body["messages"][2:]
    assert [("c0", "3"), ("c1", "error: there is no tool 'sub'; there are add")] == [(a["tool_call_id"], a["content"]) for a in answers[:2]]
    assert answers[2]["content"].startswith("error: the arguments of add are no JSON")
    assert ["add"] == [tool["function"]["name"] for tool in server.asked[1].body["tools"]]


def test_a_conversation_in_the_text(tmp_path: Path) -> None:
    """For models that take no tools: they are told of them in the system prompt; a tool is found whatever its case."""
    answers = [
        {"text": 'Let me see.\n<@ {"tool_name": "ADD", "a": 1, "b": 2} @>\n<@ {"tool_name": "sub"} @><@ {oh @>'},
        {"text": "It is 3."},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in answers))
    with gv.init(tmp_path / "work"):
        run = gv.run(work, "1 + 2?", f"recorded:{tmp_path / 'a.jsonl'}", form="inline")
        calls = list(run.invocation.get_children())

    assert ["complete", "add", "complete"] == [call.name for call in calls]
    first, last = calls[0].args["messages"], calls[2].args["messages"]
    assert ["system", "user"] == [message["role"] for message in first]
    assert '<@ {"tool_name": "NAME"' in first[0]["content"] and "- add: Adds two numbers." in first[0]["content"]
    assert last[3]["content"].startswith("add: 3\n\nerror: there is no tool 'sub'; there are add\n\nerror: a call is no JSON")


def test_the_form_follows_the_provider(tmp_path: Path) -> None:
    """A program is told of tools in the text; a prompt of one's own takes the place of ours."""
    (tmp_path / "echo.sh").write_text("cat")
    model = f"command:sh {tmp_path / 'echo.sh'}"
    with using(Settings(provider=model)):
        told = converse("Hi", [], prompt="Tools: none.")

        assert ("Tools: none.\n\nHi", 0, 0) == (told.text, told.calls, told.rounds)
        assert "Be short.\n\nHi" == converse([{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}], [], prompt="").text
        with pytest.raises(TooManyRounds, match="still calls tools after 2 rounds"):
            converse('Hi <@ {"tool_name": "add", "a": 1} @>', [add], rounds=2, prompt="")


def test_rounds_are_limited(server: LoopbackServer) -> None:
    """What a model may ask for in one round is, too."""
    server.plan(asks(*[("add", {"a": 1})] * 40))
    with pytest.raises(TooManyRounds, match="after 3 rounds"):
        converse("Hi", [add], model="openai:gpt-test", rounds=3)

    assert 4 == len(server.asked)
    answers = [message["content"] for message in server.asked[1].body["messages"] if message["role"] == "tool"]
    assert ["2"] * 32 + ["error: more than 32 calls at once"] * 8 == answers


def test_what_cannot_be_meant() -> None:
    """Two tools of a name, no rounds, an unknown form."""
    with pytest.raises(TypeError, match="two tools are named add"):
        converse("Hi", [add, Tool(add)])
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        converse("Hi", [], rounds=0)
    with pytest.raises(ValueError, match="form is 'native' or 'inline'"):
        converse("Hi", [], form="xml")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="second argument"):
        converse("Hi", [], tools=[{"name": "x"}])


def test_a_question_of_a_tool_reaches_the_user(server: LoopbackServer, tmp_path: Path) -> None:
    """The run waits, and goes on with the answer; nothing is asked of the model twice."""

    @gv.register
    def which(topic: str) -> str:
        return str(gv.request_input(str, topic, "Which?"))

    @gv.register
    def ask() -> str:
        return converse("Hi", [which], model="openai:gpt-test").text

    server.plan(asks(("which", {"topic": "otters"})), whole("River otters."))
    with gv.init(tmp_path / "work"):
        run = gv.run(ask)
        assert "waiting" == run.status
        done = run.answer("river")

    assert ("River otters.", 2) == (done.output, len(server.asked))
    assert "river" == server.asked[1].body["messages"][-1]["content"]
