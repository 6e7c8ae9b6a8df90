"""gc: what something leads to stays, what nobody can have been told of goes, and nothing goes at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.objects.blob import put_blob
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase
from gvstore.odb.collect import Collected, Moment
from gvstore.odb.fault import Incomplete
from gvstore.repo import Repository, layout
from gvstore.repo.gc import DAY_US, gc
from tests.repo.conftest import NOW_US, write


class Clock:
    """Runs gc at a time of its own: days since the repository was made, the machine never rebooted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.days = 0

    def gc(self, *, prune: str | None = None, jump_days: int = 0, boot: str = "boot") -> Collected:
        """Collects, with nobody else at work; the wall clock is `jump_days` ahead."""
        with Repository.open(self.path) as repo:
            now = NOW_US + (self.days + jump_days) * DAY_US
            return gc(repo, Moment(now, self.days * DAY_US, boot), prune=prune)


@pytest.fixture
def clock(repo: Repository) -> Iterator[Clock]:
    """Runs gc on `repo`."""
    yield Clock(repo.path)


def garbage(repo: Repository, text: bytes = b"nobody wants this") -> ObjectId:
    """Writes an object that nothing leads to, and ends the lease."""
    oid = put_blob(repo.objects, text)
    repo.close()
    return oid


def there(repo: Repository, oid: ObjectId) -> bool:
    """Whether the object can be read, by somebody who takes no lease."""
    with ObjectDatabase.open(layout.objects_folder(repo.gv), read_only=True) as objects:
        return objects.has(oid)


def test_garbage_goes_after_its_time(repo: Repository, clock: Clock) -> None:
    """First it is condemned, then, after 14 days, deleted."""
    write(repo, a_txt="kept")
    commit = repo.commit("first")
    oid = garbage(repo)

    first = clock.gc()
    assert (1, 1) == (first.garbage, first.condemned)
    assert there(repo, oid)
    clock.days = 13
    assert 0 == clock.gc().deleted_bytes
    assert there(repo, oid)
    clock.days = 15
    assert clock.gc().deleted_bytes > 0

    assert not there(repo, oid)
    assert there(repo, commit)
    assert [] == list(repo.fsck())


def test_prune_now_takes_no_time(repo: Repository, clock: Clock) -> None:
    """Nobody is at work, nothing is waited for."""
    oid = garbage(repo)

    done = clock.gc(prune="now")

    assert done.deleted_bytes > 0
    assert 0 == done.waiting_bytes
    assert not there(repo, oid)


def test_what_programs_put_stays(repo: Repository, clock: Clock) -> None:
    """Small or large, named or not, and also when it was there before it was put."""
    large = bytes(range(256)) * 2000
    written = put_blob(repo.objects, b"first written, then put")
    repo.objects.sync()
    oids = [repo.objects.put(b"small"), repo.objects.put(large), repo.objects.put(b"first written, then put")]
    repo.close()

    clock.gc(prune="now")
    clock.gc(prune="now")

    assert written == oids[2]
    assert [b"small", large, b"first written, then put"] == [repo.objects.get(oid) for oid in oids]


def test_deleted_branches_stay_for_the_window_of_the_reflog(repo: Repository, clock: Clock) -> None:
    """90 days from the last move, whatever the clock says."""
    write(repo, a_txt="1")
    first = repo.commit("first")
    repo.checkout("HEAD", create="other")
    write(repo, a_txt="2")
    second = repo.commit("second")
    repo.checkout("main")
    repo.delete_branch("other", force=True)
    repo.close()

    clock.gc(prune="now", jump_days=400)
    assert there(repo, second)

    with repo.transaction("later", now=NOW_US + 91 * DAY_US) as transaction:
        transaction.create("refs/heads/later", first)
    repo.close()
    clock.days = 91
    clock.gc(prune="now")
    assert not there(repo, second)
    assert there(repo, first)
    assert [] == list(repo.fsck())


def test_a_clock_that_jumps_makes_nobodys_time_come_early(repo: Repository, clock: Clock) -> None:
    """Ahead, back, and over a reboot."""
    oid = garbage(repo)
    clock.gc()

    clock.gc(jump_days=3650)
    clock.gc(jump_days=-3650)
    clock.gc(jump_days=3650, boot="another")
    clock.gc(jump_days=3650, boot="another")

    assert there(repo, oid)


def test_what_a_living_handle_wrote_or_was_told_of_stays(repo: Repository, clock: Clock) -> None:
    """Until the handle is closed; then it goes."""
    told = garbage(repo, b"told")
    writer = ObjectDatabase.open(layout.objects_folder(repo.gv))
    assert writer.has(told)
    written = put_blob(writer, b"written")
    writer.flush()

    for _ in range(2):
        done = clock.gc(prune="now")
        assert 1 == done.holders
    assert writer.has(told)
    assert there(repo, told)
    assert there(repo, written)

    writer.close()
    clock.gc(prune="now")
    assert not there(repo, told)
    assert not there(repo, written)


def test_who_begins_after_writes_what_is_condemned_again(repo: Repository, clock: Clock) -> None:
    """It is out of sight for dedupe; so it may be deleted under the writer."""
    oid = garbage(repo, b"again")
    clock.gc()
    with ObjectDatabase.open(layout.objects_folder(repo.gv)) as writer:
        assert oid == writer.write(b"bagain")
        writer.sync()
        assert clock.gc(prune="now").deleted_bytes > 0
        assert b"bagain" == writer.read(oid)
    assert there(repo, oid)


def test_what_is_condemned_and_read_stays(repo: Repository, clock: Clock) -> None:
    """Whoever reads it may come to refer to it; then it comes back for good."""
    write(repo, a_txt="precious")
    commit = repo.commit("first")
    with repo.transaction("lose it") as transaction:
        transaction.delete("refs/heads/main")
    repo.config.set("gc.reflog", 0)
    repo.close()
    clock.days = 1
    clock.gc()

    repo.create_branch("found", commit.hex())
    clock.gc(prune="now")
    repo.close()
    clock.gc(prune="now")
    clock.gc(prune="now")

    assert "precious" == repo.objects.get(repo.files(commit)["a.txt"].oid).decode()
    assert [] == list(repo.fsck())


def test_a_ref_made_between_marking_and_deleting_counts(repo: Repository, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its maker was told of the objects before they were condemned, and has ended since."""
    from gvstore.odb import lease
    from gvstore.odb.collect import Collection

    write(repo, a_txt="old")
    lost = repo.commit("lost")
    with repo.transaction("lose it") as transaction:
        transaction.delete("refs/heads/main")
    repo.config.set("gc.reflog", 0)
    repo.close()
    clock.days = 1
    early = Repository.open(repo.path)
    assert early.objects.has(lost)
    real = Collection.begin_epoch

    def begin(self: Collection) -> None:
        with early.transaction("in between") as transaction:
            transaction.create("refs/heads/found", lost)
        early.close()
        real(self)
        assert [] == lease.living(layout.objects_folder(repo.gv))

    monkeypatch.setattr(Collection, "begin_epoch", begin)
    clock.gc(prune="now")

    assert there(repo, lost)
    assert [] == list(repo.fsck())


def test_gc_stops_where_something_is_missing(repo: Repository, clock: Clock) -> None:
    """Nobody knows what it would have led to."""
    oid = garbage(repo)
    with repo.transaction("broken") as transaction:
        transaction.create("refs/values/broken", ObjectId.of(b"bnever stored"))
    repo.close()

    with pytest.raises(Incomplete):
        clock.gc(prune="now")

    assert there(repo, oid)


def test_a_dry_run_changes_no_byte(repo: Repository) -> None:
    """It tells what would go."""
    garbage(repo)
    before = {p: p.read_bytes() for p in (repo.gv / "objects").rglob("*") if p.is_file()}

    done = Repository.open(repo.path).gc(prune="now", dry_run=True)

    assert 1 == done.garbage
    assert before == {p: p.read_bytes() for p in (repo.gv / "objects").rglob("*") if p.is_file()}
    with pytest.raises(ObjectMissing):
        repo.objects.read(ObjectId.of(b"bno"))
