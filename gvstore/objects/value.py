"""Values by name: the short way in and out."""

from __future__ import annotations

from typing import Any

from gvstore.objects.decode import decode, get_value
from gvstore.objects.encode import Encoder, OnOpaque
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectWriter


def put_value(writer: ObjectWriter, value: Any, on_opaque: OnOpaque | None = None) -> ObjectId:
    """Returns the oid of a value, stored with all it holds."""
    return Encoder(writer, on_opaque).put(value)


def encode_value(value: Any, writer: ObjectWriter) -> bytes:
    """Returns the encoding of a value that is the root of its object; its parts are stored."""
    return Encoder(writer).encode(value)


decode_value = decode

__all__ = ["decode_value", "encode_value", "get_value", "put_value"]
