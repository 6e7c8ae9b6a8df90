"""What was executed: bodies note themselves here, answers from the record do not."""

from __future__ import annotations

BODIES: list[object] = []


def note(what: object) -> None:
    """Notes that a body runs."""
    BODIES.append(what)
