"""The file refs.db: its tables, and the ways to open it.

docs/format/refs.md tells the tables.  `sqlite3` is imported when a file is
opened: commands that need no refs do not pay for it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.refs.fault import CorruptRefs

if TYPE_CHECKING:
    import sqlite3

SCHEMA_VERSION = 1
APPLICATION_ID = 0x67765246  # "gvRF"
BUSY_TIMEOUT_S = 30.0

_TABLES = """
CREATE TABLE refs (
    name   TEXT NOT NULL PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE,
    value  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX refs_value ON refs (value);
CREATE TABLE operations (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    oid        BLOB NOT NULL,
    command    TEXT NOT NULL,
    author     TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE reflog (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    ref        TEXT NOT NULL,
    old        TEXT NOT NULL,
    new        TEXT NOT NULL,
    author     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    message    TEXT NOT NULL,
    operation  INTEGER,
    checksum   INTEGER
);
CREATE INDEX reflog_ref ON reflog (ref, sequence);
CREATE TABLE runs (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    journal    TEXT NOT NULL,
    target     TEXT NOT NULL,
    status     TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    run_before TEXT
);
CREATE INDEX runs_recording ON runs (number) WHERE status = 'recording';
"""


def create(path: Path) -> None:
    """Makes an empty refs.db; one that is there is left as it is."""
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    try:
        # One sync at the end does for all the steps: nobody relies on the file before we return.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN EXCLUSIVE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
        checkpoint(connection)
    finally:
        connection.close()
    fd = fs.open_update(path)
    try:
        fs.sync_data(fd)
    finally:
        os.close(fd)
    fs.sync_folder(path.parent)


def connect(path: Path) -> sqlite3.Connection:
    """Returns a connection that reads and writes; transactions are begun by hand.

    Raises:
        CorruptRefs: the file is missing, no database, or not ours.
    """
    import sqlite3

    if not path.is_file():
        raise CorruptRefs(str(path), "it is missing")
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    try:
        _check(connection, path)
        connection.execute("PRAGMA synchronous=FULL")
        if sys.platform == "darwin":
            # Without this, fsync on macOS leaves the data in the drive's cache.
            connection.execute("PRAGMA fullfsync=1")
            connection.execute("PRAGMA checkpoint_fullfsync=1")
        _add_what_is_new(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _add_what_is_new(connection: sqlite3.Connection) -> None:
    """Adds the column that reflogs of gvstore 0.1 do not have, and the index that came later still."""
    if has_checksums(connection) and _has_index(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    if not has_checksums(connection):  # else another process was faster
        connection.execute("ALTER TABLE reflog ADD COLUMN checksum INTEGER")
    connection.execute("CREATE INDEX IF NOT EXISTS refs_value ON refs (value)")
    connection.execute("COMMIT")


def _has_index(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'refs_value'").fetchone() is not None


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Returns whether rows of the reflog may have a checksum."""
    import sqlite3

    try:
        connection.execute("SELECT checksum FROM reflog LIMIT 0")
    except sqlite3.OperationalError as e:
        if "no such column" in str(e):
            return False
        raise
    return True


def connect_copy(path: Path) -> tuple[sqlite3.Connection, Path]:
    """Returns a connection to a private copy of refs.db and its WAL, and the folder of that copy, which the caller removes.

    Not a byte of the originals changes: SQLite itself would make `-shm` and `-wal` files beside a database in WAL mode,
    even for reading, and write the WAL back when the last
    reader closes.

    Raises:
        CorruptRefs: the file is missing, no database, or not ours.
    """
    import shutil
    import sqlite3

    if not path.is_file():
        raise CorruptRefs(str(path), "it is missing")
    folder = _copied(path)
    try:
        # Exclusive locking keeps the WAL's index in memory: the copy has no -shm file.
        connection = sqlite3.connect(folder / path.name, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            _check(connection, path)
            connection.execute("PRAGMA query_only=1")
            connection.execute("SELECT name FROM sqlite_schema LIMIT 1").fetchall()
        except BaseException:
            connection.close()
            raise
        if os.name == "posix":  # all is open by now: a process that is killed leaves nothing behind
            shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return connection, folder


def checkpoint(connection: sqlite3.Connection) -> None:
    """Writes the WAL back and truncates it, unless another process is using it."""
    import sqlite3

    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _check(connection: sqlite3.Connection, path: Path) -> None:
    import sqlite3

    try:
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as e:
        if isinstance(e, sqlite3.OperationalError):
            raise  # locked, say: the file is not to blame
        raise CorruptRefs(str(path), str(e)) from e
    if found != APPLICATION_ID:
        raise CorruptRefs(str(path), "it is no refs database")
    if version != SCHEMA_VERSION:
        raise CorruptRefs(str(path), f"its tables are of version {version}, this gv reads version {SCHEMA_VERSION}")


def _copied(path: Path) -> Path:
    """Returns a new folder with a copy; in memory where the disk for temporary files is full."""
    import shutil
    import tempfile

    places = (None, "/dev/shm") if sys.platform == "linux" else (None,)
    for place in places:
        folder: Path | None = None
        try:
            folder = Path(tempfile.mkdtemp(prefix="gv-refs-", dir=place))
            _copy_quietly(path, folder / path.name)
            return folder
        except BaseException as e:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            if place == places[-1] or not isinstance(e, OSError) or e.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENOENT):
                raise
    raise AssertionError


def _copy_quietly(source: Path, target: Path) -> None:
    """Copies a database and its WAL as they were at one moment: again, while somebody writes."""
    import shutil

    source_wal, target_wal = Path(f"{source}-wal"), Path(f"{target}-wal")
    for _ in range(100):
        before = _stamp(source), _stamp(source_wal)
        shutil.copyfile(source, target)
        target_wal.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(source_wal, target_wal)
        if before == (_stamp(source), _stamp(source_wal)):
            return
    raise CorruptRefs(str(source), "it changes faster than it can be read")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
