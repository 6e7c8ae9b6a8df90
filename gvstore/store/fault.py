"""What can go wrong with stores and references."""

from __future__ import annotations

from gvstore.errors import GvError, UsageFault


class NoActiveStore(UsageFault):
    """Something needs a store, and none is active."""

    hint = "Work inside `with gv.open('.'):` or `with gv.InMemoryStore():`, or call gv.use('.')."

    def __init__(self) -> None:
        super().__init__("no store is active")


class RefError(GvError):
    """A reference that cannot be what it claims to be."""

    exit_code = 14


class NotFound(RefError):
    """The store does not hold what the reference names."""
