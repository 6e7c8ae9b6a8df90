"""Values through the encoder and back, without a store: their names, and copies of them."""

from __future__ import annotations

from typing import Any, TypeVar

from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.nowhere import Nowhere
from gvstore.objects.oid import ObjectId
from gvstore.odb import MemoryDatabase
from gvstore.store.fault import CycleDetected, MissingWrapperError

T = TypeVar("T")


def refuse_opaque(type_name: str, detail: str | None) -> None:
    """Raises what a value without an encoding deserves where no marker may take its place.

    Raises:
        CycleDetected, MissingWrapperError: always one of them.
    """
    name = type_name.replace("builtins:", "").replace(":", ".")
    if detail == "cycle":
        raise CycleDetected(f"a value of type {name} contains itself")
    raise MissingWrapperError(name)


def name_value(value: Any) -> ObjectId:
    """Returns the oid that a value would have in any store.

    Raises:
        FieldTypeError: a part of it has no encoding.
    """
    return Encoder(Nowhere(), refuse_opaque).put(value)


def copy_value(value: T) -> T:
    """Returns a value equal to this one that shares nothing mutable with it.

    Raises:
        FieldTypeError: a part of it has no encoding.
    """
    objects = MemoryDatabase()
    copy: T = get_value(objects, Encoder(objects, refuse_opaque).put(value))
    return copy
