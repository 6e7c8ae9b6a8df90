"""What a function made by another closes over: the values of its cells when it is registered.

`make(3)` is not `make(4)`.  What the program rebinds later is state, and does
not count; functions and classes in cells do not either, their text does.
"""

from __future__ import annotations

import inspect
from types import FunctionType, ModuleType
from typing import Any, Final

from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId
from gvstore.odb import MemoryDatabase

_CELLS: Final = b"code cells 1\0"


def cells_of(function: Any) -> bytes:
    """Returns 32 bytes that tell the values a function closes over; none if there are none."""
    written = inspect.unwrap(function)
    if type(written) is not FunctionType or not written.__closure__:
        return b""
    values: list[Any] = []
    for name, cell in zip(written.__code__.co_freevars, written.__closure__, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # not bound yet: a function that calls itself
            continue
        if isinstance(value, FunctionType | ModuleType | type) or name == "__class__":
            continue
        values += (name, value)
    if not values:
        return b""
    return bytes(ObjectId.of(_CELLS + Encoder(MemoryDatabase()).encode(values)))


def with_cells(reach: bytes, cells: bytes) -> bytes:
    """Returns the hash of a reach together with what is closed over."""
    return bytes(ObjectId.of(_CELLS + reach + cells)) if cells else reach
