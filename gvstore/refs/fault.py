"""What can be wrong with refs."""

from __future__ import annotations

from collections.abc import Iterable

from gvstore.errors import BadRev, Conflict, Corrupt, UsageFault


class BadRefName(UsageFault):
    """The name breaks the grammar of refs."""

    hint = "Names are as in git: letters, digits, and . _ - / between them."

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"{name[:200]!r} cannot name a ref: {why}")


class RefMoved(Conflict):
    """The ref is not what the caller took it for; nothing was written.

    `expected` and `actual` are textual values, None where there is no such ref.
    """

    def __init__(self, name: str, expected: str | None, actual: str | None) -> None:
        self.name, self.expected, self.actual = name, expected, actual
        super().__init__(f"{name} moved: expected {_shown(expected)}, found {_shown(actual)}")


class RefExists(Conflict):
    """The ref to be made is there already."""

    hint = "Choose another name, or delete the other first."

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} exists already")


class RefClash(Conflict):
    """Two names that cannot stand side by side."""

    hint = "Choose another name, or delete the other first."

    def __init__(self, name: str, other: str) -> None:
        self.name, self.other = name, other
        super().__init__(f"{name} cannot be made beside {other}")


class RefMissing(BadRev):
    """There is no such ref."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        import difflib

        self.name = name
        near = difflib.get_close_matches(name, list(known), n=3)
        super().__init__(f"there is no {name}", hint=f"Did you mean {' or '.join(near)}?" if near else None)


class RefsLocked(Conflict):
    """Another process held refs.db for longer than we wait."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is held by another process")


class RefsReadOnly(Conflict):
    """A change was asked of a repository that is open for reading only."""

    hint = "Make the .gv folder writable, or work on a copy."

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is read-only")


class RefsUnwritten(Conflict):
    """The system refuses to open or write refs.db: a full disk, say.  Nothing was written."""

    hint = "If the disk is full, make room; then run the command again."

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"cannot write {path}: {why}")


class CorruptRefs(Corrupt):
    """refs.db is missing, or not what was written."""

    hint = "`gv fsck` says what is damaged; `gv fsck --repair` makes refs.db anew from the objects."

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} is corrupt: {why}")


def _shown(value: str | None) -> str:
    """Returns a textual value for a message: oids abbreviated."""
    if not value:
        return "none"
    return value[:8] if len(value) == 64 else value
