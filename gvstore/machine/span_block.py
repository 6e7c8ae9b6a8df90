"""Spans in the record: a span is a block of the call that runs, what it logged is what the block answers."""

from __future__ import annotations

from typing import Any

from gvstore.journal.block import record
from gvstore.journal.frame import open_ancestor
from gvstore.journal.recorder import CURRENT

ATTRIBUTES = "attributes"  # the block of what a step logs outside of its spans


def _is_recorded() -> bool:
    frame = CURRENT.get()
    return frame is not None and open_ancestor(frame) is not None


def opened_block(name: str) -> record | None:
    """Returns the block of a span that begins, entered; None where nothing is recorded."""
    return record(name).__enter__() if _is_recorded() else None


def closed_block(block: record, attributes: dict[str, Any], error: BaseException | None) -> None:
    """Ends the block of a span."""
    block.output = attributes or None
    try:
        block.__exit__(None if error is None else type(error), error, None)
    except ValueError:  # left in another context than it was entered in
        pass


def record_attributes(attributes: dict[str, Any]) -> None:
    """Records what a step logs outside of its spans, where something is recorded."""
    if _is_recorded():
        with record(ATTRIBUTES) as block:
            block.output = dict(attributes)
