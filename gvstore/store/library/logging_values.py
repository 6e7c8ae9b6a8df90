"""Loggers, by their names: `[46, "logging:Logger", "name", name]`."""

from __future__ import annotations

import logging
from typing import Any

from gvstore.objects import number
from gvstore.objects.expand import Expander


def classify(type_: type) -> Expander | None:
    """Returns the expander of a logger class, or None."""
    if type_ not in (logging.Logger, logging.RootLogger):
        return None
    return lambda value: (number.OPTIONS, ("logging:Logger", "name", value.name))


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the logger of this name."""
    return logging.getLogger(None if parts[1] == "root" else parts[1])
