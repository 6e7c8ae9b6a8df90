"""States as JSON and back: everything that can be stored, nothing else, and a program's own ways."""

from __future__ import annotations

import datetime
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from gvstore.machine.serde import FIELD_SERDES, KEY, deserialize, deserializer, register_field_serde, serialize
from gvstore.machine.state import State
from gvstore.machine.state_fault import StateValueError
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import Link
from tests.objects.store import Objects


class Client:
    """Something that cannot be stored: it has a connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = lambda: url

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Client) and other.url == self.url

    __hash__ = None  # type: ignore[assignment]


@serialize.register(Client)
def _client(value: Client, **kwargs: Any) -> dict[str, Any]:
    return {KEY: "client", "url": value.url, **kwargs}


@deserializer.register("client")
def _made_client(value: dict[str, Any], **kwargs: Any) -> Client:
    return Client(value["url"] + kwargs.get("suffix", ""))


class Bare:
    """Something of which nobody says how it is stored."""


@pytest.fixture
def field_serde() -> Iterator[None]:
    """A serializer of fields named `secret`."""
    register_field_serde("secret", lambda value: {"turned": value[::-1]}, lambda data: data["turned"][::-1])
    yield
    del FIELD_SERDES["secret"]


def test_json_is_readable() -> None:
    """What JSON holds exactly stands as it is; the rest says what it is."""
    value = {"a": [1, True, None, "é", 1.5], "t": (1, 2), "b": b"\0", "s": {2, 1}, "i": {1: "one"}, "d": datetime.date(2026, 1, 2)}

    assert {
        "a": [1, True, None, "é", 1.5],
        "t": {KEY: "tuple", "parts": [1, 2]},
        "b": {KEY: "bytes", "base64": "AA=="},
        "s": {KEY: "set", "parts": [1, 2]},
        "i": {KEY: "dict", "parts": [1, "one"]},
        "d": {KEY: "date", "parts": [2026, 1, 2]},
    } == State(value).serialize()
    assert value == State.deserialize(State(value).serialize())


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), -0.0, struct.unpack(">d", b"\x7f\xf8" + bytes(5) + b"\7")[0], 2**70, "\udc80"])
def test_numbers_and_texts_to_the_bit(value: Any) -> None:
    """Infinities, payloads of NaNs, whole numbers of any size, lone surrogates, in JSON that any reader takes."""
    text = json.dumps(State({"v": value}).serialize(), allow_nan=False, ensure_ascii=False).encode()
    back = State.deserialize(json.loads(text))["v"]

    assert type(value) is type(back)
    assert value == back or math.isnan(value)
    assert not isinstance(value, float) or struct.pack(">d", value) == struct.pack(">d", back)


def test_a_mark_of_the_programs_own_is_no_mark() -> None:
    """A dict that looks like one of ours comes back as it was."""
    value = {KEY: "tuple", "parts": [1]}

    assert value == State.deserialize(State({"v": value}).serialize())["v"]


def test_links() -> None:
    """A reference is written as the name of what it refers to."""
    link = Link(ObjectId.of(b"x"))

    assert link == deserialize(json.loads(json.dumps(serialize(link))))


def test_a_type_says_how_it_is_written() -> None:
    """In JSON, also inside other values, and where the state is stored; keywords are handed on."""
    state: State[Any] = State({"c": [Client("here")], "n": 1})
    data = state.serialize(mood="dry")
    writer = Objects()

    assert [{KEY: "client", "url": "here", "mood": "dry"}] == data["c"]
    assert state == State.deserialize(data)
    assert Client("here/x") == State.deserialize(data, suffix="/x")["c"][0]
    assert state == State.load(writer, state.store(writer))
    after = state.append(c=Client("there"))
    assert after == State.load(writer, after.store(writer, after=state))


@pytest.mark.usefixtures("field_serde")
def test_a_field_says_how_it_is_written() -> None:
    """Its serializer goes before all others; fields of other names are not touched."""
    state: State[Any] = State({"secret": "abc", "open": "abc"})
    writer = Objects()
    oid = state.store(writer)

    assert {"secret": {"turned": "cba"}, "open": "abc"} == state.serialize(unknown=1)
    assert state == State.deserialize(state.serialize())
    assert b"abc" not in writer[oid].replace(b"\xa4open\xa3abc", b"")
    assert state == State.load(writer, oid)
    longer = state.update(secret=["a"])
    last = longer.append(secret="b")
    longer.store(writer, after=state)
    assert ["a", "b"] == State.load(writer, last.store(writer, after=longer))["secret"]


def test_a_field_whose_serializer_is_gone() -> None:
    """The error names the field, and what to import."""
    register_field_serde("secret", lambda value: 1, lambda data: 2)
    writer = Objects()
    oid = State({"secret": "abc", "open": 1}).store(writer)
    del FIELD_SERDES["secret"]
    loaded = State.load(writer, oid)

    assert 1 == loaded["open"]
    with pytest.raises(StateValueError, match="field 'secret' was stored by a serializer of its own"):
        loaded["secret"]


def test_keywords_go_to_those_that_take_them() -> None:
    """Of a serializer without `**kwargs`, those that it names."""
    register_field_serde("secret", lambda value, factor=1: value * factor, lambda data, *, by=1: data // by)
    try:
        data = State({"secret": 6}).serialize(factor=2, other=3)

        assert {"secret": 12} == data
        assert {"secret": 6} == State.deserialize(data, by=2, other=3)
    finally:
        del FIELD_SERDES["secret"]


@pytest.mark.parametrize(("serializer", "made"), [(1, lambda data: data), (lambda: 1, lambda data: data), (lambda value: 1, None)])
def test_serializers_that_cannot_be(serializer: Any, made: Any) -> None:
    """They are refused where they are registered."""
    with pytest.raises(ValueError, match="of state field 'f'"):
        register_field_serde("f", serializer, made)


def test_words_of_builtin_types_are_taken() -> None:
    """No program may put its own in their place."""
    with pytest.raises(ValueError, match="'tuple' is the word for a type that is built in"):
        deserializer.register("tuple")


def test_what_has_no_encoding_is_an_error() -> None:
    """Never its text, however deep it stands."""
    with pytest.raises(StateValueError, match=r"state field 'v' holds a value of type .*Bare, which cannot be stored"):
        State({"v": {"a": (1, [Bare()])}}).serialize()


@pytest.mark.parametrize(
    "data",
    [
        {KEY: "unknown"}, {KEY: 7}, {KEY: ["tuple"]}, {KEY: "tuple"}, {KEY: "tuple", "parts": 1}, {KEY: "date", "parts": [1]}, {KEY: "date", "parts": [1, 2, "x"]},
        {KEY: "float", "bits": "zz"}, {KEY: "float", "bits": "00"}, {KEY: "float"}, {KEY: "bytes", "base64": "!"}, {KEY: "link", "oid": "00"}, {KEY: "link", "oid": 3},
        {KEY: "surrogates", "parts": ["x"]}, {KEY: "dict", "parts": [1]}, {KEY: "split", "parts": [0, 1, 2]},
    ],
)  # fmt: skip
def test_json_that_nobody_wrote(data: Any) -> None:
    """Marks that hold what they should not are errors that name the field, whatever they hold."""
    with pytest.raises(StateValueError, match="state field 'v'"):
        State.deserialize({"v": [data]})
