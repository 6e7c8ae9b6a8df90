"""The index of runs: facts by oid, in `.gv/cache/run-facts`, an SQLite file that may be deleted at any time.

A run's facts follow from its oid, so no entry is ever stale: what is missing is
added, what belongs to removed runs is never asked for.  Each entry has a checksum.  A file that is damaged, or of another
version, is made again; one that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore.journal.run_facts import Facts
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    import sqlite3

VERSION = 2  # of what `Facts` holds and how it is written
_MOST_BYTES = 64 * 1024  # of an entry; larger facts are read from the objects each time
_AT_ONCE = 500
_TIMEOUT_S = 5.0
_MAPPED_BYTES = 2**30


class RunIndex:
    """An open index; `with` closes it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path, self.read_only = path, read_only
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> RunIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def known(self) -> set[bytes]:
        """Returns the oids of all entries."""
        import sqlite3

        try:
            return {row[0] for row in self._connection().execute("SELECT oid FROM runs")}
        except sqlite3.DatabaseError as e:
            self._failed(e)
            return set()

    def with_texts(self, texts: Sequence[str]) -> set[bytes]:
        """Returns the oids of the entries that hold all of these texts, as JSON writes them, and of those too large to be kept."""
        import sqlite3

        holds = " AND ".join("instr(facts, ?)" for _ in texts)
        try:
            found = self._connection().execute(f"SELECT oid FROM runs WHERE facts = '' OR ({holds})", tuple(texts))
            return {row[0] for row in found}
        except sqlite3.DatabaseError as e:
            self._failed(e)
            return set()

    def get(self, oids: Iterable[ObjectId]) -> dict[ObjectId, Facts]:
        """Returns the facts of those of these runs that have a sound entry."""
        found: dict[ObjectId, Facts] = {}
        wanted = list(oids)
        for at in range(0, len(wanted), _AT_ONCE):
            found.update(self._some(wanted[at : at + _AT_ONCE]))
        return found

    def _some(self, oids: list[ObjectId]) -> Iterator[tuple[ObjectId, Facts]]:
        import sqlite3

        marks = ",".join("?" * len(oids))
        try:
            rows = self._connection().execute(
                f"SELECT oid, facts, checksum FROM runs WHERE oid IN ({marks})", [bytes(oid) for oid in oids]
            ).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as e:
            self._failed(e)
            return
        for oid, text, checksum in rows:
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                if text and zlib.crc32(text.encode()) == checksum:
                    yield ObjectId(oid), Facts.decode(text)

    def add(self, facts: Mapping[ObjectId, Facts]) -> None:
        """Keeps facts; where that fails they are found again the next time."""
        import sqlite3

        rows = []
        for oid, each in facts.items():
            text = each.encode()
            text = text if len(text) <= _MOST_BYTES else ""
            rows.append((bytes(oid), text, zlib.crc32(text.encode())))
        try:
            connection = self._connection()
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", rows)
        except sqlite3.DatabaseError as e:
            self._failed(e)

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if not self.read_only:
            for _ in range(2):
                with contextlib.suppress(sqlite3.OperationalError):
                    try:
                        return _prepared(sqlite3.connect(self.path, isolation_level=None, timeout=_TIMEOUT_S))
                    except sqlite3.DatabaseError as e:
                        if isinstance(e, sqlite3.OperationalError):
                            raise
                        self._unlink()
        return _prepared(sqlite3.connect(":memory:", isolation_level=None))

    def _failed(self, error: Exception) -> None:
        """Begins anew, after damage; a file that is locked, or has no room, is left as it is."""
        import sqlite3

        self.close()
        name = getattr(error, "sqlite_errorname", "")
        if isinstance(error, sqlite3.OperationalError) and not name.startswith(("SQLITE_ERROR", "SQLITE_CORRUPT")):
            return
        if not self.read_only:
            self._unlink()

    def _unlink(self) -> None:
        for name in (self.path, self.path.with_name(self.path.name + "-journal")):
            with contextlib.suppress(OSError):
                name.unlink(missing_ok=True)


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Returns the connection to a file whose table is there."""
    try:
        connection.execute("PRAGMA synchronous=OFF")  # it may be lost: there are checksums
        connection.execute("PRAGMA journal_mode=MEMORY").fetchall()
        connection.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}").fetchall()  # oids are looked up in no order
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DROP TABLE IF EXISTS runs")
            connection.execute("CREATE TABLE runs (oid BLOB PRIMARY KEY, facts TEXT NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID")
            connection.execute(f"PRAGMA user_version={VERSION}")
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection
