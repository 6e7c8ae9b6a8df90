"""Resources as JSON, for backends that keep text.

A resource is `{"#type": TYPE ID, "#fields": {...}}`; what JSON has no word for
is an object with one key that begins with `#`; whatever else has an encoding is
`{"#value": [base64 of objects]}`.  Keys keep their order, `-0.0`, infinities
and NaNs their bits.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId
from gvstore.odb import MemoryDatabase
from gvstore.store.fault import DeserializationError, FieldTypeError, SerializationError
from gvstore.store.registry import Registry
from gvstore.store.resource import ResourceBase, ResourceDict
from gvstore.store.scratch import refuse_opaque


class Serializer:
    """Turns dict forms of resources into bytes and back."""

    def serialize(self, value: ResourceDict[Any]) -> bytes:
        """Returns the bytes of a dict form."""
        raise NotImplementedError(f"{type(self).__qualname__}.serialize")

    def deserialize(self, data: bytes) -> ResourceDict[Any]:
        """Returns the dict form of bytes."""
        raise NotImplementedError(f"{type(self).__qualname__}.deserialize")


class JsonSerializer(Serializer):
    """Writes JSON; reads resource types from a registry."""

    def __init__(self, registry: Registry | None = None, encoding: str = "utf-8") -> None:
        self._registry = Registry.get() if registry is None else registry
        self._encoding = encoding

    def serialize(self, value: ResourceDict[Any]) -> bytes:
        """Returns the JSON of a dict form.

        Raises:
            SerializationError: a part of it has no encoding.
        """
        try:
            return json.dumps(_form(value), ensure_ascii=False, separators=(",", ":")).encode(self._encoding)
        except (FieldTypeError, RecursionError, UnicodeEncodeError) as e:
            raise SerializationError(f"this {value.type.__qualname__} cannot be serialized: {e}") from e

    def deserialize(self, data: bytes) -> ResourceDict[Any]:
        """Returns the dict form that JSON holds.

        Raises:
            DeserializationError: it holds none, or one of a type that is not registered.
        """
        try:
            made = self._value(json.loads(data.decode(self._encoding)))
        except Exception as e:  # any misuse of the few words above
            raise DeserializationError(f"no serialized resource: {e}") from e
        if not isinstance(made, ResourceDict):
            raise DeserializationError("no serialized resource: it is a plain value")
        return made

    def _value(self, form: Any) -> Any:
        if isinstance(form, list):
            return [self._value(each) for each in form]
        if not isinstance(form, dict):
            return form
        head = next(iter(form), "")
        if not head.startswith("#"):
            return {key: self._value(each) for key, each in form.items()}
        if head == "#type":
            fields = {key: self._value(each) for key, each in form["#fields"].items()}
            return ResourceDict(self._registry.lookup(form["#type"]), **fields)
        inner = form[head]
        if head == "#class":
            return self._registry.lookup(inner)
        if head == "#float":
            return struct.unpack(">d", bytes.fromhex(inner))[0]
        if head == "#bytes":
            return base64.b64decode(inner, validate=True)
        if head == "#dict":
            return {self._value(key): self._value(each) for key, each in inner}
        if head == "#value":
            return _unfold(inner)
        raise ValueError(f"{head!r} means nothing")


def _form(value: Any) -> Any:
    """Returns what JSON holds of a value."""
    kind = type(value)
    if value is None or kind in (bool, int):
        return value
    if kind is str and _is_text(value):
        return value
    if kind is float:
        plain = math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0)
        return value if plain else {"#float": struct.pack(">d", value).hex()}
    if kind is bytes:
        return {"#bytes": base64.b64encode(value).decode()}
    if kind is list:
        return [_form(each) for each in value]
    if isinstance(value, ResourceDict):
        return {"#type": value.type.type_id(), "#fields": {key: _form(each) for key, each in value.items()}}
    if kind is dict:
        if all(type(key) is str and not key.startswith("#") and _is_text(key) for key in value):
            return {key: _form(each) for key, each in value.items()}
        return {"#dict": [[_form(key), _form(each)] for key, each in value.items()]}
    if isinstance(value, type) and issubclass(value, ResourceBase):
        return {"#class": value.type_id()}
    return {"#value": _fold(value)}


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _fold(value: Any) -> list[str]:
    """Returns the objects of a value, its own first."""
    objects = MemoryDatabase()
    oid = Encoder(objects, refuse_opaque).put(value)
    names = sorted(objects, key=lambda each: (each != oid, each))
    return [base64.b64encode(objects.read(each)).decode() for each in names]


def _unfold(texts: list[str]) -> Any:
    objects = MemoryDatabase()
    names: list[ObjectId] = [objects.write(base64.b64decode(text, validate=True)) for text in texts]
    return get_value(objects, names[0])
