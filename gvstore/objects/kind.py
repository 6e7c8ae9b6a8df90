"""The kind byte that every object begins with.

It is hashed with the rest: a file whose bytes happen to be those of a commit
is a blob, another oid, and its links are never followed.  The values are
letters so that a hex dump can be read.
"""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """What an object is; the value is its first byte."""

    BLOB = ord("b")
    VALUE = ord("v")
    NODE = ord("n")
    TREE = ord("t")
    COMMIT = ord("c")
    TAG = ord("g")
    COMPONENT = ord("k")
    INVOCATION = ord("i")
    RUN = ord("r")
    OPERATION = ord("o")

    @property
    def word(self) -> str:
        """The kind as users read and type it: `blob`, `commit`, ..."""
        return self.name.lower()
