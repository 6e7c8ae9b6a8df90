"""What can go wrong where a condition is asked of a state."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from gvstore.errors import UsageFault


class MissingKeys(UsageFault, ValueError):
    """The state has no such keys: `keys`, which `condition` reads."""

    def __init__(self, condition: str, keys: Sequence[str], known: Iterable[str]) -> None:
        self.condition, self.keys = condition, tuple(keys)
        have = [key for key in known if not key.startswith("__")]
        near = [each for key in keys for each in difflib.get_close_matches(key, have, 1, 0.6)]
        super().__init__(
            f"Missing keys in state required by condition: {condition}: {', '.join(keys)}; the state has {', '.join(have) or 'no keys'}",
            hint=f"Did you mean {', '.join(near)}?" if near else "Let an earlier action write them, or begin with them in the state.",
        )


class ConditionFault(UsageFault, ValueError):
    """A condition that can't be evaluated: its cause is what Python raised."""

    def __init__(self, condition: str, error: Exception) -> None:
        self.condition = condition
        super().__init__(f"condition {condition}: {type(error).__name__}: {error}", hint="Look at what the state holds there.")
