"""A field of a state as bytes: encoded for a database, or carried from one to another."""

from __future__ import annotations

from typing import Any, Final

import gvstore.store.libraries  # noqa: F401 - teaches the encoder their types
from gvstore.machine.serde import FIELD_SERDES, Serialized, packed
from gvstore.machine.state_fault import StateValueError, unstorable
from gvstore.objects.carry import carry
from gvstore.objects.encode import VALUE_BYTE, Encoder
from gvstore.objects.links import links
from gvstore.objects.nowhere import Nowhere
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.wire import has_link, unpack

NOWHERE: Final = Nowhere()
"""The writer that only names; what is encoded for any other need not be encoded for it."""


def field_encoder(name: str, writer: ObjectWriter) -> Encoder:
    """Returns an encoder that raises StateValueError, with the field's name, for what has no encoding."""

    def refuse(type_name: str, detail: str | None) -> None:
        raise unstorable(name, type_name, detail)

    own = getattr(writer, "encoder", None)  # of a recorder, say, that leaves secrets out
    made: Encoder = Encoder(writer, refuse) if own is None else own(refuse)
    return made


def encode_field(name: str, value: Any, writer: ObjectWriter) -> tuple[bytes, Serialized | None]:
    """Returns a field's value as a part of the state's encoding; and what is encoded, where a serializer of the program's writes it.

    Raises:
        StateValueError: a part of the value has no encoding.
    """
    encoder = field_encoder(name, writer)
    if name in FIELD_SERDES:
        by_name = packed(name, value)
        return encoder.nested(by_name), by_name
    try:
        return encoder.nested(value), None
    except StateValueError:
        by_type = packed(None, value)
        if by_type is None:
            raise
        return encoder.nested(by_type), by_type


def carry_links(data: bytes, reader: ObjectReader, writer: ObjectWriter) -> None:
    """Writes what an encoding from one database links to another, as far as it is not there."""
    here: object = writer
    if here is not reader and has_link(data):
        for oid in links(VALUE_BYTE + data)[0]:
            carry(oid, reader, writer)


def inline_height(data: bytes) -> int:
    """Returns how many containers stand in each other in an encoding, down to its links."""
    height, level = 0, [unpack(data)]
    while level := [each for parts in level if type(parts) is list for each in parts]:
        height += 1
    return height
