"""Random generators of the standard library, by their state: `[46, "random:Random", "state", state]`."""

from __future__ import annotations

import random
from typing import Any

from gvstore.objects import number
from gvstore.objects.expand import Expander


def classify(type_: type) -> Expander | None:
    """Returns the expander of `random.Random`, or None."""
    if type_ is not random.Random:
        return None
    return lambda value: (number.OPTIONS, ("random:Random", "state", value.getstate()))


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns a generator that goes on where the stored one was."""
    made = random.Random(0)
    made.setstate(parts[1])
    return made
