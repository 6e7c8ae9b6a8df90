"""The tables of the SQLite persister, how they are made, and what is said where they are not what they should be.

    T           a row a step: lineage, sequence_id, position, status (0 completed, 1 failed), created_at (microseconds
                since 1970 UTC), shape, inputs, result (JSON), exception (text)
    T_changes   a row a field that a step changed: lineage, field, sequence_id, grows (0: `data` is its value; 1: a list
                went on with these items), data (JSON as `serde.py` writes it)
    T_fields    names of fields
    T_shapes    which fields a state has, in order (JSON): all of them, or those after the ones of shape `base`
    T_lineages  partition_key, app_id, number (from 1), created_at; `parent` and `parent_sequence`: the lineage and step
                that it goes on from; the parent's names, which may be of another database
    T_format    one row: the version of all this

T is the table's name that the program chose; several may stand in one file.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gvstore import fs
from gvstore.errors import Conflict
from gvstore.machine.persister import CorruptPersister, NotInitialized, PersisterFault

VERSION: Final = 1
BUSY_TIMEOUT_S: Final = 60.0
MEMORY: Final = ":memory:"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS "{t}" (number INTEGER PRIMARY KEY, lineage INTEGER NOT NULL, sequence_id INTEGER NOT NULL,
    position TEXT NOT NULL, status INTEGER NOT NULL, created_at INTEGER NOT NULL, shape INTEGER NOT NULL,
    inputs TEXT, result TEXT, exception TEXT);
CREATE UNIQUE INDEX IF NOT EXISTS "{t}_by_lineage" ON "{t}" (lineage, sequence_id);
CREATE TABLE IF NOT EXISTS "{t}_changes" (number INTEGER PRIMARY KEY, lineage INTEGER NOT NULL, field INTEGER NOT NULL,
    sequence_id INTEGER NOT NULL, grows INTEGER NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS "{t}_changes_by_field" ON "{t}_changes" (lineage, field, sequence_id);
CREATE TABLE IF NOT EXISTS "{t}_fields" (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS "{t}_shapes" (number INTEGER PRIMARY KEY, base INTEGER, names TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS "{t}_lineages" (number INTEGER PRIMARY KEY, partition_key TEXT NOT NULL, app_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL, created_at INTEGER NOT NULL, depth INTEGER NOT NULL, parent INTEGER, parent_sequence INTEGER,
    parent_partition TEXT, parent_app TEXT);
CREATE UNIQUE INDEX IF NOT EXISTS "{t}_lineages_by_app" ON "{t}_lineages" (partition_key, app_id, ordinal);
CREATE TABLE IF NOT EXISTS "{t}_format" (version INTEGER NOT NULL);
INSERT INTO "{t}_format" SELECT {version} WHERE NOT EXISTS (SELECT 1 FROM "{t}_format")
"""


def checked_table(name: object) -> str:
    """Returns a table's name.  Raises PersisterFault where it is none."""
    if type(name) is not str or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) or name.lower().startswith("sqlite_"):
        raise PersisterFault(f"table_name {name!r} is no name of a table", hint="Take letters, digits and _, a letter first.")
    return name


@contextlib.contextmanager
def told(path: str, persister: object = None) -> Iterator[None]:
    """Turns what SQLite raises into errors that say which file, and what to do."""
    try:
        yield
    except sqlite3.OperationalError as e:
        text = str(e)
        if "locked" in text or "busy" in text:
            raise Conflict(f"{path}: another process holds the database: {text}") from e
        if "no such table" in text and persister is not None:
            raise NotInitialized(persister) from e
        if "malformed" in text:
            raise CorruptPersister(f"{path} is damaged: {text}") from e
        if "readonly" in text:
            raise PersisterFault(f"{path} can only be read: {text}", hint="Give a file that may be written.") from e
        if "unable to open" in text:
            raise PersisterFault(f"{path} cannot be opened: {text}", hint="Make its folder, or give another path.") from e
        raise PersisterFault(f"{path}: {text}") from e
    except sqlite3.DatabaseError as e:
        raise CorruptPersister(f"{path} is damaged, or no SQLite database: {e}") from e


def connect(path: str, synchronous: str, connect_kwargs: dict[str, Any]) -> sqlite3.Connection:
    """Returns a connection that reads and writes, in WAL mode but on network file systems; transactions are begun by hand.

    Raises:
        sqlite3.Error: see `told`.
    """
    given = {"timeout": BUSY_TIMEOUT_S, **connect_kwargs, "isolation_level": None, "check_same_thread": False}
    connection: sqlite3.Connection = sqlite3.connect(path, **given)
    try:
        if path != MEMORY and not fs.network_file_system(Path(path)):
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute(f"PRAGMA synchronous={synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection


def make_tables(connection: sqlite3.Connection, table: str, path: str) -> None:
    """Makes the tables, where they are not there yet.

    Raises:
        PersisterFault: there is another table of that name.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not has_tables(connection, table, path):
            for statement in _TABLES.format(t=table, version=VERSION).split(";\n"):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def has_tables(connection: sqlite3.Connection, table: str, path: str) -> bool:
    """Returns whether the tables are there.

    Raises:
        PersisterFault: there are others of that name, or of a version that this gvstore does not know.
    """
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?)", (table, f"{table}_format"))
    found = {name for (name,) in rows}
    if not found:
        return False
    if f"{table}_format" not in found:
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        whose = "Burr's" if {"position", "state", "app_id"} <= set(columns) else "another program's"
        raise PersisterFault(
            f"table {table!r} in {path} is {whose}: its columns are {', '.join(columns)}",
            hint="Give another table_name=, or another file.",
        )
    row = connection.execute(f'SELECT version FROM "{table}_format"').fetchone()
    if row is None or row[0] != VERSION:
        raise PersisterFault(
            f"table {table!r} in {path} is of version {row[0] if row else 'unknown'}, this gvstore reads version {VERSION}",
            hint="Use the gvstore that wrote it, or give another table_name=.",
        )
    return table in found
