"""What is forgotten is gone from every file; what refers to it finds a tombstone; the rest is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.errors import UsageFault
from gvstore.objects.blob import blob_oid
from gvstore.objects.oid import ObjectId
from gvstore.objects.run import Run
from gvstore.odb import ObjectDatabase
from gvstore.odb.dictionary import Dictionaries
from gvstore.odb.fault import Forgotten
from gvstore.odb.pack import Pack
from gvstore.odb.scan import scan
from gvstore.repo import Repository, layout
from gvstore.repo.forget import allow
from gvstore.repo.secrets import Swallowed
from tests.repo.conftest import NOW_US, put, write

SECRET = "the key is 7f3a9c5e-very-secret-indeed, keep it " * 3


def forget(repo: Repository, *revs: str, why: str = "a key") -> tuple[tuple[str, ...], ...]:
    """Forgets, and returns what refers to each."""
    targets = repo.forget_targets(revs)
    repo.forget(targets, why=why)
    return tuple(target.referrers for target in targets)


def lies_about(repo: Repository, oid: ObjectId) -> list[Path]:
    """The files in which a record of the object lies."""
    objects = repo.gv / "objects"
    files = [p for p in objects.rglob("*") if p.suffix in (".pack", ".seg")]
    return [p for p in files if any(name == oid[:8] for name, _ in scan_of(p, objects))]


def scan_of(path: Path, objects: Path) -> list[tuple[bytes, int]]:
    """The records of a file, whatever its index says."""
    opened = Pack(path, Dictionaries(objects / "dict"))
    return scan(opened.map, opened.open_payload).entries


def test_a_forgotten_file_is_gone(repo: Repository) -> None:
    """Its commits stay, say when and why, and are no damage; gc and repack leave it at that."""
    write(repo, a_txt="harmless", secret_txt=SECRET)
    first = repo.commit("first")
    oid = repo.files(first)["secret.txt"].oid
    repo.close()

    (referrers,) = forget(repo, f"{first.hex()}:secret.txt")

    assert (f"{first.hex()[:8]}:secret.txt",) == referrers
    assert [] == lies_about(repo, oid)
    with pytest.raises(Forgotten, match=r"forgotten on 2026-11-20 by Ada .*: a key"):
        repo.objects.read(oid)
    with pytest.raises(Forgotten):
        repo.resolve(oid.hex()[:10])
    found = list(repo.fsck())
    assert [False] == [finding.damage for finding in found]
    assert "forgotten" in found[0].why
    assert b"harmless" == repo.objects.get(repo.files(first)["a.txt"].oid)
    repo.close()
    repo.gc(prune="now")
    repo.objects.repack()
    assert [] == [finding for finding in repo.fsck() if finding.damage]


def test_it_cannot_come_back_by_accident(repo: Repository) -> None:
    """Storing the same content is refused until it is allowed."""
    write(repo, secret_txt=SECRET)
    repo.commit("first")
    oid = blob_oid(SECRET.encode())
    forget(repo, oid.hex())

    with pytest.raises(Forgotten):
        repo.objects.put(SECRET.encode())
    put(repo, "again.txt", SECRET)
    with pytest.raises(Swallowed) as stopped:
        repo.commit("second")
    assert {oid.hex()} == {stop.forgotten for stop in stopped.value.stops}
    assert {"again.txt", "secret.txt"} == {stop.path for stop in stopped.value.stops}
    assert "gv forget --allow" in stopped.value.hint
    repo.close()
    assert [oid] == allow(repo, [oid.hex()[:8]])
    repo.commit("second")

    assert SECRET.encode() == repo.objects.get(oid)
    assert [] == list(repo.fsck())


def test_what_only_it_led_to_goes_with_it(repo: Repository) -> None:
    """The chunks of a large file, but not those that another file shares."""
    content = b"".join(b"%d," % (i * i * 2654435761 % 2**32) for i in range(60_000))
    put(repo, "large.bin", content)
    put(repo, "other.bin", content[: len(content) // 2])
    first = repo.commit("first")
    oid = repo.files(first)["large.bin"].oid
    before = sum(p.stat().st_size for p in (repo.gv / "objects").rglob("*.*"))
    repo.close()

    removed = repo.forget(repo.forget_targets([oid.hex()]))

    assert removed.objects > 20
    assert 0 == removed.waiting_bytes
    assert () == removed.holders
    assert content[: len(content) // 2] == repo.objects.get(repo.files(first)["other.bin"].oid)
    assert sum(p.stat().st_size for p in (repo.gv / "objects").rglob("*.*")) < before * 0.8
    assert [] == [finding for finding in repo.fsck() if finding.damage]


def test_a_forgotten_run_loses_its_ref(repo: Repository) -> None:
    """Its number is not given again, and the commits that hold it do not mind."""
    root = repo.objects.write(b"v" + b"\xa5hello")
    number = repo.refs.allocate_run(journal="", target="dice.roll", started_at=NOW_US, move_run=True)
    run = Run(root, "ok", NOW_US, NOW_US + 5, target="dice.roll").put(repo.objects)
    repo.refs.finish_run(number, run, status="ok", ended_at=NOW_US + 5, author="Ada", command="run")
    repo.commit("with it", runs=[run], allow_empty=True)
    repo.close()

    assert ((),) == forget(repo, "run/1")

    assert repo.refs.read("refs/runs/1") is None
    assert repo.refs.current_run() is None
    row = repo.refs.run(1)
    assert row is not None and row.removed
    assert not repo.objects.has(root)
    assert [] == list(repo.fsck())


def test_a_living_writer_keeps_what_it_was_told_of(repo: Repository) -> None:
    """The object itself goes all the same; what it led to waits."""
    content = b"".join(b"%d," % (i * i * 2654435761 % 2**32) for i in range(40_000))
    put(repo, "large.bin", content)
    first = repo.commit("first")
    oid = repo.files(first)["large.bin"].oid
    repo.close()
    writer = ObjectDatabase.open(layout.objects_folder(repo.gv))
    assert content == writer.get(oid)

    removed = repo.forget(repo.forget_targets([oid.hex()]))

    assert removed.objects > 10
    assert removed.waiting_bytes > 0
    assert [] == lies_about(repo, oid)
    writer.close()
    repo.close()
    repo.gc(prune="now")
    assert sum(p.stat().st_size for p in (repo.gv / "objects").rglob("*.pack")) < 4000


def test_dictionaries_forget_too(repo: Repository) -> None:
    """A dictionary that was trained on it holds pieces of it."""
    with repo.objects.batch():
        oids = [repo.objects.put(b"%s number %d, %d" % (SECRET.encode(), i, i * i)) for i in range(4000)]
        more = [repo.objects.put(b"of other things, number %d, much is said, and %d" % (i, i * i)) for i in range(4000)]
    repo.close()
    repo.objects.repack()
    trained = list((repo.gv / "objects" / "dict").glob("*.zd"))
    assert len(trained) > 1
    repo.close()

    forget(repo, *(oid.hex() for oid in oids[:2]))

    assert set(trained) - set((repo.gv / "objects" / "dict").glob("*.zd"))
    assert all(repo.objects.has(oid) for oid in [*oids[2:], *more])
    assert [] == list(repo.fsck())


def test_what_is_lost_can_be_given_up(repo: Repository) -> None:
    """Then it is no damage any more, and gc works again."""
    lost = ObjectId.of(b"bnever stored")
    with repo.transaction("broken") as transaction:
        transaction.create("refs/values/broken", lost)
    repo.close()
    assert any(finding.damage for finding in repo.fsck())

    assert (("broken",),) == forget(repo, lost.hex(), why="the disk failed")

    assert not any(finding.damage for finding in repo.fsck())
    repo.close()
    repo.gc(prune="now")


def test_parts_of_objects_cannot_be_forgotten_alone(repo: Repository) -> None:
    """A call stands inside its run."""
    run = Run(repo.objects.write(b"v\x01"), "ok", NOW_US, NOW_US).put(repo.objects)
    number = repo.refs.allocate_run(journal="", target="x", started_at=NOW_US)
    repo.refs.finish_run(number, run, status="ok", ended_at=NOW_US, author="Ada", command="run")

    with pytest.raises(UsageFault):
        repo.forget_targets(["run/1:0"])
