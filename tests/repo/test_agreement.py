"""What refs.db says must be what the operations, runs and journals say."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import gvstore as gv
from gvstore.odb.wal import WalWriter
from gvstore.refs.fault import CorruptRefs


@gv.register
def double(number: int) -> int:
    """Returns twice the number."""
    return 2 * number


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A repository with two commits, a branch, a run and a rewound one."""
    with gv.Repository.init(tmp_path / "r") as repo:
        repo.commit("first", allow_empty=True)
        repo.create_branch("other")
        run = gv.run(double, 3)
        run.rewind(0)
        repo.put([1, 2], name="golden")
        repo.commit("second", allow_empty=True)
    yield tmp_path / "r"


def told(root: Path) -> list[str]:
    """What fsck finds, as text."""
    with gv.Repository.open(root, read_only=True) as repo:
        return [f"{f.where}: {f.why}" for f in repo.fsck(full=True)]


def test_a_sound_repository_agrees(root: Path) -> None:
    """Also one whose refs.db was made anew."""
    assert [] == told(root)
    (root / ".gv" / "refs.db").unlink()
    with gv.Repository.open(root) as repo:
        list(repo.repair())

    assert [] == told(root)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE refs SET value = (SELECT value FROM refs WHERE name = 'refs/heads/other') WHERE name = 'refs/heads/main'",
        "UPDATE refs SET value = 'ref: refs/heads/other' WHERE name = 'HEAD'",
        "DELETE FROM refs WHERE name = 'refs/values/golden'",
        "UPDATE refs SET name = 'refs/values/silver', folded = 'refs/values/silver' WHERE name = 'refs/values/golden'",
        "UPDATE operations SET command = 'commot' WHERE number = 2",
        "UPDATE operations SET author = 'Eve' WHERE number = 2",
        "UPDATE operations SET created_at = created_at + 1 WHERE number = 2",
        "DELETE FROM operations WHERE number = 3",
        "UPDATE reflog SET new = old WHERE sequence = 3",
        "UPDATE reflog SET author = 'Eve' WHERE sequence = 3",
        "UPDATE reflog SET operation = 77 WHERE sequence = 3",
        "UPDATE runs SET status = 'raised' WHERE number = 1",
        "UPDATE runs SET target = 'triple' WHERE number = 1",
        "UPDATE runs SET started_at = 1 WHERE number = 2",
        "UPDATE runs SET number = 8 WHERE number = 2",
        "UPDATE operations SET number = 0 WHERE number = 1",
    ],
)
def test_a_changed_row_is_found(root: Path, change: str) -> None:
    """SQLite finds nothing wrong with it."""
    with sqlite3.connect(root / ".gv" / "refs.db") as connection:
        assert 1 == connection.execute(change).rowcount
    connection.close()

    assert [each for each in told(root) if "gv fsck --repair" in each]
    with gv.Repository.open(root) as repo:
        assert list(repo.repair())
    assert [] == told(root)


@pytest.mark.parametrize(
    "change",
    ["reflog SET message = 'commat: first'", "reflog SET message = 7", "refs SET value = x'c3'", "operations SET oid = x'00'",
     "runs SET started_at = 'now'", "runs SET status = x'6f6b'"],
)  # fmt: skip
def test_what_has_another_type_or_checksum_is_damage(root: Path, change: str) -> None:
    """No error of Python's."""
    with sqlite3.connect(root / ".gv" / "refs.db") as connection:
        connection.execute(f"UPDATE {change}")
    connection.close()

    assert told(root)


def test_a_reflog_without_checksums_gets_them(root: Path) -> None:
    """As gvstore 0.1 wrote it: read as it is, and the next writer adds the column."""
    with sqlite3.connect(root / ".gv" / "refs.db") as connection:
        connection.execute("ALTER TABLE reflog DROP COLUMN checksum")
    connection.close()
    assert [] == told(root)
    with gv.Repository.open(root) as repo:
        repo.commit("next", allow_empty=True)
    assert [] == told(root)

    with sqlite3.connect(root / ".gv" / "refs.db") as connection:
        assert 2 == len(set(connection.execute("SELECT checksum IS NULL FROM reflog").fetchall()))
    connection.close()


def test_an_older_refs_db_is_found(root: Path, tmp_path: Path) -> None:
    """The operations since then are there: one may never have come into force, two are lost."""
    found = []
    shutil.copy(root / ".gv" / "refs.db", tmp_path / "older")
    for _ in range(2):
        with gv.Repository.open(root) as repo:
            repo.commit("later", allow_empty=True)
        shutil.copy(root / ".gv" / "refs.db", tmp_path / "new")
        shutil.copy(tmp_path / "older", root / ".gv" / "refs.db")
        found.append(told(root))
        shutil.copy(tmp_path / "new", root / ".gv" / "refs.db")

    assert ["did not come into force" in "".join(found[0]), "and what came after it is missing" in "".join(found[1])] == [True] * 2
    assert [] == told(root)


def test_a_journal_without_a_run_is_told(root: Path) -> None:
    """Where it holds calls: what has none was killed at its start."""
    folder = root / ".gv" / "journal"
    for name, payload in (("1-1-a.wal", b"R"), ("2-2-b.wal", b"B" + bytes(40))):
        wal = WalWriter(folder / name)
        wal.append(payload)
        wal.close()

    assert ["journal/2-2-b.wal"] == [each.partition(":")[0] for each in told(root)]


def test_text_that_is_none_is_damage(root: Path) -> None:
    """And no error of Python's."""
    with sqlite3.connect(root / ".gv" / "refs.db") as connection:
        connection.execute("UPDATE refs SET value = CAST(x'c3' AS TEXT) WHERE name = 'refs/heads/main'")
    connection.close()

    with gv.Repository.open(root, read_only=True) as repo, pytest.raises(CorruptRefs, match="UTF-8"):
        repo.refs.list("")
