"""What can be wrong with a database, as against one object (`objects/fault.py`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from gvstore.errors import Conflict, Corrupt, NoRepository
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId


class BadRecord(ValueError):
    """The bytes at one place are no record; inside this room only, where the object's name is not known yet."""


class DictionaryLost(Corrupt):
    """A compression dictionary that objects need is gone or damaged."""

    hint = "Bring the file back from a backup or a clone: the objects themselves are whole."

    def __init__(self, name: ObjectId, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"dictionary objects/dict/{name.hex()}.zd {why}")


class NewerFormat(NoRepository):
    """A file was written by a later gvstore."""

    hint = "Upgrade gvstore to read it."

    def __init__(self, path: Path, version: int) -> None:
        self.path, self.version = path, version
        super().__init__(f"{path.name} has format version {version}, which this gvstore does not know")


class WriteFailed(Conflict):
    """The system refused a write; what was written before is untouched, and the same call may work later."""

    hint = "Make room or get permission, then run the command again."

    def __init__(self, path: Path, why: OSError) -> None:
        self.path, self.why = path, why
        super().__init__(f"cannot write {path}: {why.strerror or why}")


class Poisoned(Corrupt):
    """The disk failed to take what was handed to it, so nobody knows what it has of it.

    After a failed fsync the system forgets which pages were not written; a
    second fsync would succeed and mean nothing.  So this handle is done.
    """

    hint = "Open the repository again; what was not yet durable may have to be written again."

    def __init__(self, path: Path, why: OSError | None) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: the disk did not confirm a write ({why})")


class ReadOnly(Conflict):
    """The database was opened to be read only."""

    hint = "Get permission to write to its folder, or work in a copy of it."

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is open for reading only")


class Unreadable(Conflict):
    """The system refuses to open a file in which an object may be."""

    hint = "Nothing is lost. When that is mended, run the command again."

    def __init__(self, path: Path, why: OSError) -> None:
        self.path, self.why = path, why
        super().__init__(f"cannot read {path}: {why.strerror or why}")


class Busy(Conflict):
    """Another process moves objects between files, and does not come to its end."""

    hint = "Wait until the other gv is done; if it was stopped, continue or end it. Then run the command again."

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"another process is merging or collecting objects in {folder}")


class CollectedMeanwhile(Conflict):
    """gc ran while a process that could not take a lease was reading: what it was told may be gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"objects in {folder} were collected while this process was at work")


class NotCopied(Corrupt):
    """A file was to be deleted, for its objects stand in another: one does not.  The file was left."""

    def __init__(self, path: Path, name: bytes) -> None:
        self.path, self.name = path, name
        super().__init__(f"object {name.hex()} of {path.name} was not copied; the file is left as it is")


class Incomplete(Corrupt):
    """Objects that something leads to are missing, so nobody knows what they would lead to: nothing was collected."""

    hint = "Run `gv fsck --full`, then `gv fsck --repair`; `gv forget OID` gives up what stays lost."

    def __init__(self, missing: list[ObjectId]) -> None:
        self.missing = tuple(missing)
        shown = ", ".join(oid.hex()[:8] for oid in missing[:3]) + (", ..." if len(missing) > 3 else "")
        count = "an object" if len(missing) == 1 else f"{len(missing)} objects"
        super().__init__(f"{count} that something leads to cannot be read ({shown}); nothing was collected")


class Forgotten(ObjectMissing):
    """The object was there and a user had it forgotten; `at` is microseconds since 1970 UTC, 0 where nobody knows.

    `told` says so in words, of whatever held it: "was forgotten on 2026-11-20 by Ada: a key".
    """

    hint = "`gv forget --allow OID` lets it come back when it is stored again."

    def __init__(self, oid: ObjectId, at: int, by: str, why: str) -> None:
        self.at, self.by, self.why = at, by, why
        super().__init__(oid)
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
        self.told = "was forgotten" + (f" on {when:%Y-%m-%d}" if at else "")
        self.told += (f" by {by}" if by else "") + (f": {why}" if why else "")
        self.args = (f"object {oid.hex()[:8]} {self.told}",)


class Damage(NamedTuple):
    """One place where bytes are not what was written.

    `oid` is the object's whole name where it is known, `prefix` as much of it
    as the file told (8 bytes, or none).  `offset` is in bytes from the start of
    `file`, which is relative to the objects folder.
    """

    oid: ObjectId | None
    file: str
    offset: int
    why: str
    prefix: bytes = b""
