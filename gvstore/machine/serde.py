"""States as JSON and back, losslessly; and a program's own ways for fields and types.

What JSON holds exactly stands as it is: text, numbers, lists, dicts with text
for keys.  Everything else that the object format can store is a dict with a
mark, `{"__gv_serde__": "tuple", "parts": [1, 2]}`: the word for its type and
what follows it in the object.  What has no encoding is an error, never its
`str`.

A program may say how values of a field are stored (`register_field_serde`), or
those of a type: `@serialize.register(Type)` on a function that returns a dict
with `KEY: "name"`, and `@deserializer.register("name")` on its inverse.
"""

from __future__ import annotations

import base64
import functools
import inspect
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gvstore.machine.state_fault import StateValueError, unstorable
from gvstore.objects import number
from gvstore.objects.build import Resolved, build
from gvstore.objects.expand import IS_LINK, expand
from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import Link, WeakLink

KEY: Final = "__gv_serde__"
_PARTS: Final = "parts"
_WORDS: Final[dict[int, str]] = {
    of: name.lower() for name, of in vars(number).items() if type(of) is int and name.isupper() and of < number.LEAF
}
_NUMBERS: Final[dict[str, int]] = {word: of for of, word in _WORDS.items()}
_LINKS: Final[dict[str, type[Link]]] = {"link": Link, "weak_link": WeakLink}

Serializer = Callable[..., Any]
Deserializer = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Serialized:
    """A field as a program's own serializer wrote it.  `field` names the field, or is None where the type said how."""

    field: str | None
    data: Any


FIELD_SERDES: Final[dict[str, tuple[Serializer, Deserializer]]] = {}
_BY_NAME: Final[dict[str, Deserializer]] = {}


def register_field_serde(field: str, serializer: Serializer, deserializer: Deserializer) -> None:
    """Values of this field are written by `serializer(value)` and made again by `deserializer(what it returned)`, in every state.

    Both may take keywords: those given to `State.serialize` and `State.deserialize`.

    Raises:
        ValueError: one of them cannot be called with one value.
    """
    for what, function in (("serializer", serializer), ("deserializer", deserializer)):
        if not callable(function):
            raise ValueError(f"the {what} of state field {field!r} is no function: {function!r}")
        if _arity(function) is False:
            raise ValueError(f"the {what} of state field {field!r} must take the value: {what}(value, **kwargs)")
    FIELD_SERDES[field] = (serializer, deserializer)


def _arity(function: Callable[..., Any]) -> bool | None:
    """Returns whether a function takes one value, or None if that cannot be told."""
    try:
        inspect.signature(function).bind(None)
    except ValueError:
        return None
    except TypeError:
        return False
    return True


def _call(function: Callable[..., Any], value: Any, kwargs: dict[str, Any]) -> Any:
    """Returns `function(value)`, with the keywords that it takes."""
    if not kwargs:
        return function(value)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # of C
        return function(value)
    if not any(each.kind is each.VAR_KEYWORD for each in parameters):
        names = {each.name for each in parameters if each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)}
        kwargs = {name: each for name, each in kwargs.items() if name in names}
    return function(value, **kwargs)


class _Deserializers:
    """The inverses of types' serializers, by the names that they wrote."""

    def register(self, name: str) -> Callable[[F], F]:
        """Returns a decorator: the function makes values again that a serializer marked with `KEY: name`.

        Raises:
            ValueError: the name is one of the library's own.
        """
        if name in _NUMBERS or name in _LINKS or name in ("float", "bytes"):
            raise ValueError(f"{name!r} is the word for a type that is built in; choose another")

        def registered(function: F) -> F:
            _BY_NAME[name] = function
            return function

        return registered


deserializer: Final = _Deserializers()


@functools.singledispatch
def serialize(value: Any, **kwargs: Any) -> Any:
    """Returns what JSON holds of a value, without loss.  `serialize.register(Type)` says how another type is written.

    Raises:
        StateValueError: a part of the value has no encoding.
    """
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is str:
        return value if _is_text(value) else _marked(number.SURROGATES, expand(value)[1], kwargs)
    if kind is float:
        if math.isfinite(value):
            return value
        return {KEY: "float", "bits": struct.pack(">d", value).hex()}
    if kind is bytes:
        return {KEY: "bytes", "base64": base64.b64encode(value).decode()}
    if kind is list:
        return [serialize(each, **kwargs) for each in value]
    if kind is dict and KEY not in value and all(type(name) is str and _is_text(name) for name in value):
        return {name: serialize(each, **kwargs) for name, each in value.items()}
    if isinstance(value, Link):
        return {KEY: "link" if kind is Link else "weak_link", "oid": value.oid.hex()}
    of, elements = expand(value)
    if of == IS_LINK:
        return serialize(elements[0])
    if of == number.OPAQUE:
        raise unstorable(None, *elements)
    return _marked(of, elements, kwargs)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _marked(of: int, elements: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    parts = [serialize(each, **kwargs) for each in elements]
    if of in (number.SET, number.FROZENSET):
        parts.sort(key=lambda part: json.dumps(part, sort_keys=True))
    return {KEY: _WORDS[of], _PARTS: parts}


def deserialize(value: Any, **kwargs: Any) -> Any:
    """Returns the value that `serialize` wrote.

    Raises:
        StateValueError: a mark is of a type that is not registered, or does not hold what it should.
    """
    kind = type(value)
    if kind is list:
        return [deserialize(each, **kwargs) for each in value]
    if kind is not dict:
        return value
    if KEY not in value:
        return {name: deserialize(each, **kwargs) for name, each in value.items()}
    word = value[KEY]
    if type(word) is str and word in _BY_NAME:
        return _call(_BY_NAME[word], value, kwargs)
    try:
        return _made(word, value, kwargs)
    except (CorruptObject, TypeError, KeyError, ValueError, struct.error) as e:
        if isinstance(e, StateValueError):
            raise
        raise StateValueError(f"a value marked {word!r} does not hold what it should: {e}") from e


def _made(word: Any, value: dict[str, Any], kwargs: dict[str, Any]) -> Any:
    if word == "float":
        return struct.unpack(">d", bytes.fromhex(value["bits"]))[0]
    if word == "bytes":
        return base64.b64decode(value["base64"], validate=True)
    if word in _LINKS:
        return _LINKS[word](ObjectId.from_hex(value["oid"]))
    if word not in _NUMBERS:
        known = ", ".join(map(repr, sorted(_BY_NAME))) or "none"
        raise StateValueError(
            f"nothing is registered to restore a value marked {word!r}; registered: {known}",
            hint=f"Import the module that registers it: @deserializer.register({word!r}).",
        )
    if _PARTS not in value or type(value[_PARTS]) is not list:
        raise ValueError("a list of parts was expected")
    parts = [deserialize(each, **kwargs) for each in value[_PARTS]]
    return build([_NUMBERS[word], *(each if isinstance(each, Link) else Resolved(each) for each in parts)])


def serialize_field(name: str, value: Any, kwargs: dict[str, Any]) -> Any:
    """Returns what JSON holds of a field's value.

    Raises:
        StateValueError: it has no encoding, or nests too deeply for JSON.
    """
    try:
        if name in FIELD_SERDES:
            return _call(FIELD_SERDES[name][0], value, kwargs)
        return serialize(value, **kwargs)
    except StateValueError as e:
        raise StateValueError(f"{e}".replace("a value holds", f"state field {name!r} holds", 1)) from e
    except RecursionError as e:
        raise StateValueError(f"state field {name!r} contains itself, or nests too deeply to be written as JSON") from e


def deserialize_field(name: str, data: Any, kwargs: dict[str, Any]) -> Any:
    """Returns a field's value from what `serialize_field` wrote."""
    if name in FIELD_SERDES:
        return _call(FIELD_SERDES[name][1], data, kwargs)
    try:
        return deserialize(data, **kwargs)
    except StateValueError as e:
        raise StateValueError(f"state field {name!r}: {e}", hint=e.hint) from e


def packed(field: str | None, value: Any) -> Serialized | None:
    """Returns a value as the field's own serializer writes it, or those of the types in it; None if they do not help either."""
    if field is not None:
        return Serialized(field, FIELD_SERDES[field][0](value))
    try:
        return Serialized(None, serialize(value))
    except (StateValueError, RecursionError):
        return None


def unpacked(value: Any) -> Any:
    """Returns the value that was packed; any other as it is.

    Raises:
        StateValueError: the field's deserializer is not registered.
    """
    if type(value) is not Serialized:
        return value
    if value.field is None:
        return deserialize(value.data)
    if value.field not in FIELD_SERDES:
        raise StateValueError(
            f"state field {value.field!r} was stored by a serializer of its own, and none is registered here",
            hint=f"Import the module that calls register_field_serde({value.field!r}, ...).",
        )
    return FIELD_SERDES[value.field][1](value.data)
