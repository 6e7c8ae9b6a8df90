"""Abbreviated names of objects."""

from __future__ import annotations

from gvstore.objects.oid import OID_BYTES

RESOLVE_LIMIT = 10


def check_prefix(prefix: str) -> str:
    """Returns the hex digits in lower case.

    Raises:
        ValueError: they are none, or more than an oid has.
    """
    if len(prefix) > 2 * OID_BYTES or not all(c in "0123456789abcdefABCDEF" for c in prefix):
        raise ValueError(f"no beginning of an object id: {prefix[:80]!r}")
    return prefix.lower()


def key_range(digits: str) -> tuple[int, int]:
    """Returns the lowest and highest index key of oids that begin with these digits."""
    return int(digits[:8].ljust(8, "0"), 16), int(digits[:8].ljust(8, "f"), 16)
