"""Damaged journals: nothing but a clean result, and every whole record kept; full disks lose what they refused, no more."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from gvstore.journal.recovery import settle
from gvstore.journal.repository import Repository
from gvstore.odb.wal import MAGIC, WalWriter, read_records
from gvstore.repo import layout
from tests.crash.programs import KILL_AT, finished, nested, noted, record, twenty
from tests.journal.process import NOTE, Project

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def journal(folder: Path) -> Path:
    """The journal of a run that was killed in its seventh call."""
    KILL_AT.append(6)
    assert -signal.SIGKILL == record(folder, twenty)
    KILL_AT.clear()
    noted("ran")
    (path,) = layout.journal_folder(folder / ".gv").glob("*.wal")
    return path


def ends(data: bytes) -> list[int]:
    """Returns where each record of a journal ends that ends a call."""
    found, at = [], len(MAGIC)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        at += 8 + length
        if data[at - length : at - length + 1] == b"E":
            found.append(at)
    return found


def test_cut_at_every_length(folder: Path, journal: Path) -> None:
    """Whatever length is left of a journal, every call whose end is in it is there, and no other."""
    whole = journal.read_bytes()
    marks = ends(whole)
    assert 6 == len(marks)

    with Repository.open(folder) as repo:
        for length in range(len(whole), -1, -1):
            journal.write_bytes(whole[:length])
            run = repo.runs[1]
            assert ("interrupted", sum(end <= length for end in marks)) == (run.status, run.calls)
            assert () == run.record.notes
        settle(repo)
        assert ("interrupted", 0) == (repo.runs[1].status, repo.runs[1].calls)


def test_every_byte_flipped(folder: Path, journal: Path) -> None:
    """A damaged byte costs the record it is in, is told, and never gives another answer than was recorded."""
    whole = journal.read_bytes()
    with Repository.open(folder) as repo:
        expected = finished(repo.runs[1])
        assert {f"model {i}" for i in range(6)} == expected
        for at in range(len(whole)):
            journal.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
            run = repo.runs[1]
            assert "interrupted" == run.status
            if run.record.root is None:
                assert at < len(MAGIC) or not finished_beginning(journal)
                continue
            kept = finished(run)
            assert kept <= expected and len(kept) >= (5 if components(journal) == 2 else 0)
            assert (len(kept) < 6) <= bool(run.record.notes)
            outputs = {call.output for call in run.invocation.get_children() if call.successful()}
            assert {f"answer {each.split()[1]}" for each in kept} == outputs


def components(journal: Path) -> int:
    """Returns how many components the journal still tells; calls of one that it does not are lost."""
    return sum(payload[:1] == b"K" for payload in read_records(journal) if payload)


def finished_beginning(journal: Path) -> bool:
    """Returns whether the component and the beginning of the root call can be read."""
    kinds = [payload[:1] for payload in read_records(journal) if payload]
    return kinds[:3] == [b"R", b"K", b"B"]


def test_a_damaged_middle_makes_its_callers_run(folder: Path) -> None:
    """Where a record is lost, the calls around it are not believed: they run, and what is known below answers."""
    from gvstore.journal import running

    kept: list[bytes] = []
    store = running.RunningRun._store

    def keep(self: running.RunningRun, error: BaseException | None) -> object:
        assert self._wal is not None
        kept.append(self._wal.path.read_bytes())
        raise OSError("not this time")

    running.RunningRun._store = keep  # type: ignore[method-assign, assignment]
    try:
        with Repository.open(folder) as repo, pytest.raises(OSError, match="not this time"):
            repo.run(nested, 3)
    finally:
        running.RunningRun._store = store  # type: ignore[method-assign]
    (path,) = layout.journal_folder(folder / ".gv").glob("*.wal")
    noted("ran"), noted("answered")
    whole = kept[0]
    lost = ends(whole)[8]  # the third leaf of the second branch
    path.write_bytes(whole[: lost - 1] + b"\xee" + whole[lost:])

    with Repository.open(folder) as repo:
        run = repo.runs[1]
        assert ("interrupted", ("1 records of its journal were damaged; they are left out",)) == (
            run.status,
            run.record.notes,
        )
        assert ["ok", "unfinished", "ok"] == [call.status for call in run.invocation.get_children()]
        again = run.replay()
        assert ["leaf 1 1"] == noted("ran")
        assert again.invocation == repo.run(nested, 3).invocation


def test_noise_is_no_journal(tmp_path: Path) -> None:
    """What does not begin as a journal is damaged, its whole records are read; records of later kinds are passed over."""
    (tmp_path / "x").write_bytes(b"something else")
    assert [None] == list(read_records(tmp_path / "x"))
    for data in (b"", MAGIC[:3], MAGIC, MAGIC + bytes(100), MAGIC + b"\xff" * 100):
        (tmp_path / "y").write_bytes(data)
        assert [] == list(read_records(tmp_path / "y"))
    writer = WalWriter(tmp_path / "z")
    writer.defer(b"1")
    writer.append(b"2" * 1000)
    writer.defer(b"3")
    writer.close()
    writer.append(b"4")

    assert [b"1", b"2" * 1000, b"3"] == list(read_records(tmp_path / "z"))
    whole = (tmp_path / "z").read_bytes()
    for place in range(len(MAGIC)):
        (tmp_path / "z").write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        assert [None, b"1", b"2" * 1000, b"3"] == list(read_records(tmp_path / "z"))


LIMITED = NOTE + """
import resource, sys
import gvstore as gv

@gv.register
def call(i, size):
    note(f"{i}")
    return "abcdefgh" * (size // 8) + f" {i} " + "z" * (i % 7)

@gv.register
def many(size):
    done = 0
    for i in range(4000):
        call(i, size)
        done += 1
        note(f"answered {i}")
    return done

def limit(bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
"""
FULL = """
import sys, limited, gvstore as gv
repo = gv.open('.')
limited.limit(400_000)
try:
    repo.run(limited.many, int(sys.argv[1]))
except gv.GvError as e:
    print(type(e).__name__, e)
"""
ROOM = """
import limited, gvstore as gv
with gv.open('.') as repo:
    run = repo.runs.last
    print(run.status, run.calls)
    print(run.replay().output)
    print(len([each for each in repo.fsck() if each.damage]))
"""


@pytest.mark.parametrize("size", [80, 8000], ids=["journal", "objects"])
def test_a_full_disk(tmp_path: Path, size: int) -> None:
    """The program gets an error that says what failed; what was answered is kept, and the rest runs when there is room."""
    Repository.init(tmp_path).close()
    project = Project(tmp_path)
    project.write("limited.py", LIMITED)

    out = project.run(FULL, str(size))

    assert out.startswith("WriteFailed cannot write") and "File too large" in out
    answered = [line for line in project.ran() if line.startswith("answered")]
    assert 10 < len(answered) < 4000
    status, output, damage = project.run(ROOM).splitlines()
    assert "interrupted" == status.split()[0] and int(status.split()[1]) >= len(answered)
    assert ("4000", "0") == (output, damage)
    ran = [line for line in project.ran() if not line.startswith("answered")]
    assert not {f"answered {i}" for i in ran} & set(answered)


def test_a_disk_that_is_full_at_once(tmp_path: Path) -> None:
    """A run that cannot begin says so; there is no run, no journal and no lock."""
    Repository.init(tmp_path).close()
    project = Project(tmp_path)
    project.write("limited.py", LIMITED)

    out = project.run(FULL.replace("400_000", "4"), "80")

    assert "cannot write" in out
    assert [] == project.ran()
    with Repository.open(tmp_path) as repo:
        assert 0 == len(repo.runs)
        assert [] == list(layout.journal_folder(repo.gv).glob("*.wal"))


def test_a_record_with_a_lost_object(folder: Path, journal: Path) -> None:
    """A record that links what the power took is left out; the calls around it run again."""
    from gvstore.objects.wire import link_bytes

    whole = journal.read_bytes()
    held = list(read_records(journal))
    journal.unlink()
    writer = WalWriter(journal)
    for payload in held:
        assert payload is not None
        if payload[:1] == b"E" and b"answer 2" in payload:
            payload = payload[: payload.index(b"\x91\x92")] + b"\x91\x92\x3b" + link_bytes(b"\x07" * 32)
        writer.append(payload)
    writer.close()
    assert len(whole) < journal.stat().st_size

    with Repository.open(folder) as repo:
        run = repo.runs[1]
        assert ["ok", "ok", "unfinished", "ok", "ok", "ok", "unfinished"] == [
            call.status for call in run.invocation.get_children()
        ]
        assert f"answer {19}" == run.replay().output[-1]
        assert ["2", *map(str, range(6, 20))] == noted("ran")
        assert [] == [each for each in repo.fsck() if each.damage]
