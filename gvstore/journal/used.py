"""Which code a run used, for what is asked of it later: its files, what its modules read, what was installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gvstore import host
from gvstore.code.libraries import PYTHON, installed
from gvstore.errors import Corrupt
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import NIL
from gvstore.objects.run import Run

Imports = Mapping[str, Mapping[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class UsedCode:
    """What a run's record says of its code; None where it says nothing.

    `tree` holds the project's files.  `imports` tells which files modules read
    while they were imported, by `module:name` that the reading statement binds
    or by `module`, with the oids of what was in them.
    `libraries` are versions by distribution, Python's among them.
    """

    tree: ObjectId | None = None
    imports: Imports | None = None
    libraries: Mapping[str, str] | None = None

    @classmethod
    def of(cls, run: Run, reader: ObjectReader) -> UsedCode:
        """Returns what the run's record says; nothing of what is damaged or forgotten."""
        imports = _decoded(run.imports, reader)
        libraries = None if run.environment is None else read_environment(reader, run.environment)
        return cls(run.code, imports, libraries)


def _decoded(data: bytes, reader: ObjectReader) -> Any:
    try:
        return None if data == NIL else decode(data, reader)
    except Corrupt:
        return None


def environment() -> dict[str, str]:
    """Returns the versions of all that is installed, and of Python; of that alone where `GV_PYTHON` puts another in its place."""
    return {PYTHON: host.python_version(), **({} if host.environ("GV_PYTHON") else installed())}


def put_environment(writer: ObjectWriter) -> ObjectId:
    """Returns the oid of what is installed, stored."""
    return Encoder(writer).put(environment())


def read_environment(reader: ObjectReader, oid: ObjectId) -> dict[str, str] | None:
    """Returns what was installed; None where that is damaged or forgotten."""
    from gvstore.objects.value import get_value

    try:
        found = get_value(reader, oid)
    except Corrupt:
        return None
    return found if isinstance(found, dict) else None
