"""The stores that the `store_` benchmarks compare, behind one face.

Every one names a record by its BLAKE3-256 hash, stores equal records once,
compresses with zstd level 3 (git: its own zlib and SHA-1, for it takes no
others) and checks the hash of what it reads (git itself does not).
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import zstandard
from blake3 import blake3

import gvstore as gv


class Peer(Protocol):
    """A store in a folder."""

    def __init__(self, folder: Path) -> None: ...

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        ...

    def get(self, key: Any) -> bytes:
        """Returns a record."""
        ...

    def close(self) -> None:
        """Lets go of the files, which have their last size now."""
        ...


class Gvstore:
    """The raw face of the object database of a repository."""

    def __init__(self, folder: Path) -> None:
        self._repo = gv.open(folder) if (folder / ".gv").exists() else gv.init(folder)
        self.get = self._repo.objects.get

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        with self._repo.objects.batch() as batch:
            return [batch.put(record) for record in records]

    def pack(self) -> None:
        """Does what `gv repack` does."""
        self._repo.objects.repack()

    def close(self) -> None:
        """Closes the repository."""
        self._repo.close()


class Zstd:
    """What the hand-made stores share."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.compress = zstandard.ZstdCompressor(level=3).compress
        self._inflate = zstandard.ZstdDecompressor().decompress

    def checked(self, key: bytes, packed: bytes) -> bytes:
        """Returns the record, its hash verified."""
        data = self._inflate(packed)
        if blake3(data).digest() != key:
            raise ValueError("the hash is another")
        return data


class Sqlite(Zstd):
    """One table, write-ahead log, synchronous=FULL, one transaction a batch."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._db = sqlite3.connect(folder / "records.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "mmap_size = 1073741824"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        keys = [blake3(record).digest() for record in records]
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO records VALUES (?, ?)", zip(keys, map(self.compress, records), strict=True)
        )
        self._db.execute("COMMIT")
        return keys

    def get(self, key: bytes) -> bytes:
        """Returns a record."""
        return self.checked(key, self._db.execute("SELECT value FROM records WHERE key = ?", (key,)).fetchone()[0])

    def close(self) -> None:
        """Writes the log back and closes."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


class Lmdb(Zstd):
    """One transaction a batch, synced; reads in one long transaction, without copies."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._env = import_module("lmdb").open(str(folder), map_size=4 << 30)
        self._reading: Any = None

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        keys = [blake3(record).digest() for record in records]
        with self._env.begin(write=True) as transaction:
            for key, record in zip(keys, records, strict=True):
                transaction.put(key, self.compress(record), overwrite=False)
        return keys

    def get(self, key: bytes) -> bytes:
        """Returns a record."""
        if self._reading is None:
            self._reading = self._env.begin(buffers=True)
        return self.checked(key, self._reading.get(key))

    def close(self) -> None:
        """Closes the environment."""
        self._reading = None
        self._env.close()


class Rocks(Zstd):
    """RocksDB: one batch a write, its log synced; blocks of 16 KB under zstd, bloom filters."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        rocks = import_module("rocksdict")
        options = rocks.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_compression_type(rocks.DBCompressionType.zstd())
        blocks = rocks.BlockBasedOptions()
        blocks.set_block_size(16 << 10)
        blocks.set_bloom_filter(10, False)
        options.set_block_based_table_factory(blocks)
        self._batch = rocks.WriteBatch
        self._db = rocks.Rdict(str(folder), options)
        self._options = rocks.WriteOptions()
        self._options.sync = True

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        keys = [blake3(record).digest() for record in records]
        batch = self._batch(raw_mode=True)
        for key, record in zip(keys, records, strict=True):
            batch.put(key, record)
        self._db.write(batch, self._options)
        return keys

    def get(self, key: bytes) -> bytes:
        """Returns a record."""
        data = bytes(self._db[key])
        if blake3(data).digest() != key:
            raise ValueError("the hash is another")
        return data

    def close(self) -> None:
        """Writes what is in memory into tables, and closes."""
        self._db.flush()
        self._db.close()


class Diskcache(Zstd):
    """SQLite and, above 32 KB, files; synchronous=FULL, for its default does not sync; one transaction a batch."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cache = import_module("diskcache").Cache(
            str(folder), eviction_policy="none", size_limit=1 << 40, cull_limit=0, sqlite_synchronous=2
        )

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        keys = [blake3(record).digest() for record in records]
        with self._cache.transact():
            for key, record in zip(keys, records, strict=True):
                self._cache.add(key, self.compress(record))
        return keys

    def get(self, key: bytes) -> bytes:
        """Returns a record."""
        return self.checked(key, self._cache[key])

    def close(self) -> None:
        """Closes the cache."""
        self._cache.close()


class Files(Zstd):
    """One file a record in 256 folders: written, fsynced, renamed; the folders fsynced once a batch."""

    def _path(self, key: bytes) -> Path:
        name = key.hex()
        return self.folder / name[:2] / name[2:]

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        keys, touched = [], set()
        for record in records:
            key = blake3(record).digest()
            keys.append(key)
            path = self._path(key)
            if path.exists():
                continue
            path.parent.mkdir(exist_ok=True)
            fresh = self.folder / "fresh"
            with fresh.open("wb", buffering=0) as file:
                file.write(self.compress(record))
                os.fsync(file.fileno())
            fresh.rename(path)
            touched.add(path.parent)
        for folder in touched:
            fd = os.open(folder, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        return keys

    def get(self, key: bytes) -> bytes:
        """Returns a record."""
        return self.checked(key, self._path(key).read_bytes())

    def close(self) -> None:
        """Nothing is open."""


class Git:
    """`git fast-import` into packs, a checkpoint a batch; reads through `git cat-file --batch`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._importer: subprocess.Popen[bytes] | None = None
        self._reader: subprocess.Popen[bytes] | None = None
        self._marks = 0
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "HEAD").exists():
            self._run("init", "--quiet", "--bare", "--template=")
            for name, value in (("gc.auto", "0"), ("fastimport.unpackLimit", "0"), ("core.fsync", "all")):
                self._run("config", name, value)

    def _run(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self._folder, check=True)

    def _popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["git", *arguments], cwd=self._folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the names of blobs that a checkpoint made durable."""
        if self._importer is None:
            self._importer = self._popen("fast-import", "--quiet")
        into, out = self._importer.stdin, self._importer.stdout
        assert into is not None
        assert out is not None
        asked = []
        for record in records:
            self._marks += 1
            into.write(b"blob\nmark :%d\ndata %d\n%s\n" % (self._marks, len(record), record))
            asked.append(b"get-mark :%d\n" % self._marks)
        into.write(b"checkpoint\n" + b"".join(asked))
        into.flush()
        return [out.readline().strip() for _ in asked]

    def get(self, key: bytes) -> bytes:
        """Returns a record."""
        if self._reader is None:
            self._reader = self._popen("cat-file", "--batch")
        into, out = self._reader.stdin, self._reader.stdout
        assert into is not None
        assert out is not None
        into.write(key + b"\n")
        into.flush()
        size = int(out.readline().split()[2])
        return out.read(size + 1)[:-1]

    def pack(self) -> None:
        """Packs anew: what `git gc` does about size."""
        self._run("repack", "-a", "-d", "-k", "-q")  # -k: no ref leads to them

    def close(self) -> None:
        """Ends the processes: fast-import writes its last index."""
        for process in (self._importer, self._reader):
            if process is not None:
                process.communicate()
        self._importer = self._reader = None


GVSTORE, SQLITE, LMDB, GIT, FILES = "gvstore", "SQLite", "LMDB", "git fast-import", "one file each"
STORES: dict[str, type[Peer]] = {
    GVSTORE: Gvstore,
    SQLITE: Sqlite,
    LMDB: Lmdb,
    "RocksDB": Rocks,
    "diskcache": Diskcache,
    GIT: Git,
    FILES: Files,
}
_OPTIONAL = {"RocksDB": "rocksdict", "diskcache": "diskcache"}


def present() -> list[str]:
    """Returns the names of the stores that can be measured here.

    Raises:
        ModuleNotFoundError: LMDB is not installed: without it, as without SQLite and git, the figures say little.
    """
    import_module("lmdb")
    return [name for name in STORES if name not in _OPTIONAL or find_spec(_OPTIONAL[name])]


def absent() -> list[str]:
    """Returns the names of those that are not installed."""
    return sorted(STORES.keys() - set(present()))
