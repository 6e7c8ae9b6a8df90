"""An action as small as a graph needs it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from gvstore.machine.node import MARK


@dataclasses.dataclass(frozen=True)
class Act:
    name: str | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    inputs: Any = ()
    tags: tuple[str, ...] = ()

    def with_name(self, name: str) -> Act:
        if self.name is not None:
            raise ValueError(f"it is {self.name}")
        return dataclasses.replace(self, name=name)


def acting(*, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """What a decorator of functions leaves on them."""

    def mark(function: Any) -> Any:
        setattr(function, MARK, Act(None, reads, writes))
        return function

    return mark
