"""polars: frames and series, as Arrow's IPC file.

`[42, "polars:NAME", bytes, height]`; a series is a frame of one column.  A lazy frame is a
plan, no value: it is opaque.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion, opaque

polars: Any = sys.modules["polars"]


def classify(type_: type) -> Expander | None:
    """Returns the expander of a type of polars, or None."""
    if type_ is polars.DataFrame:
        return _frame
    if type_ is polars.Series:
        return lambda value: (number.TABLE, ("polars:Series", _file(value.to_frame()), len(value)))
    if issubclass(type_, polars.LazyFrame):
        return lambda value: opaque(value, "a plan, not its result: collect it")
    return None


def _frame(value: Any) -> Expansion:
    return number.TABLE, ("polars:DataFrame", _file(value), value.height)


def _file(frame: Any) -> bytes:
    sink = io.BytesIO()
    every = polars.int_range(polars.len())
    whole = frame.select(polars.all().gather(every))  # a copy: how a frame came about shows in its spare bits
    whole.rechunk().write_ipc(sink, compat_level=polars.CompatLevel.newest())
    return sink.getvalue()


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns a frame or series."""
    data, height = parts
    frame = polars.read_ipc(io.BytesIO(data)).rechunk()
    if frame.height != height:
        raise ValueError("another height")
    return frame if name == "polars:DataFrame" else frame.to_series(0)
