"""What may be spent, as users type it."""

from __future__ import annotations

from gvstore.errors import UsageFault
from gvstore.journal.budget import Purse, parse_budget


def purse_of(text: str | None) -> Purse | None:
    """Returns what may be spent; None where there is no limit.

    Raises:
        UsageFault: the text is no budget.
    """
    if text is None:
        return None
    try:
        return Purse(parse_budget(text))
    except ValueError as e:
        raise UsageFault(f"--budget {text!r} is neither tokens nor a time", hint="As in: --budget 5000, --budget 30s") from e
