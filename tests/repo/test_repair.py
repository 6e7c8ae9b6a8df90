"""Repair: refs come back, what is whole is saved, what is lost is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId
from gvstore.objects.run import Run
from gvstore.odb.wal import WalWriter
from gvstore.repo import Repository, layout
from tests.repo.conftest import NOW_US, write


def busy(repo: Repository) -> None:
    """Makes branches, tags, values, runs, a deleted branch and a removed run."""
    write(repo, a_txt="1", prompts__b_txt="b")
    first = repo.commit("first")
    repo.checkout("HEAD", create="side")
    write(repo, a_txt="2")
    second = repo.commit("second")
    with repo.transaction("tag it") as transaction:
        transaction.create("refs/tags/v1", first)
        transaction.create("refs/heads/gone", second)
    repo.delete_branch("gone", force=True)
    repo.name_value("temperature", repo.objects.put(b"0.7"))
    for i in range(3):
        number = repo.refs.allocate_run(journal="", target=f"dice.roll {i}", started_at=NOW_US + i, move_run=True)
        run = Run(None, "ok", NOW_US + i, NOW_US + i + 5, target=f"dice.roll {i}").put(repo.objects)
        repo.refs.finish_run(number, run, status="ok", ended_at=NOW_US + i + 5, author="Ada", command="run")
    with repo.transaction("remove it") as transaction:
        transaction.delete("refs/runs/2")


def everything(repo: Repository) -> tuple[object, ...]:
    """All that refs.db says but for messages."""
    rows = [row for number in range(1, 9) if (row := repo.refs.run(number)) is not None]
    logs = {
        name: [(e.old, e.new, e.author, e.created_at) for e in repo.refs.reflog(name)]
        for name in repo.refs.logged()
        if name != "RUN"
    }
    return repo.refs.list(""), [(o.oid, o.command) for o in repo.refs.operations()], rows, logs


@pytest.mark.parametrize("how", ["deleted", "overwritten", "cut", "flipped", "empty"])
def test_a_lost_refs_db_comes_back(repo: Repository, how: str) -> None:
    """Every ref, every operation, every move, every run with its number."""
    busy(repo)
    before = everything(repo)
    repo.close()
    path = layout.refs_path(repo.gv)
    data = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        half = len(data) // 2
        path.write_bytes(
            {"overwritten": b"gone" * 3000, "cut": data[:half], "empty": b""}.get(how)
            or data[:4096] + bytes(b ^ 255 for b in data[4096:])
        )

    done = [each.what for each in repo.repair()]

    assert any("made anew" in each for each in done)
    assert before == everything(repo)
    assert [] == list(repo.fsck())
    assert 4 == repo.refs.allocate_run(journal="", target="next", started_at=NOW_US)
    if how != "deleted":
        assert (repo.gv / "objects" / "quarantine" / "refs.db").exists()


def test_journals_get_their_numbers_again(repo: Repository) -> None:
    """Runs that no operation tells of, in the order in which they began."""
    busy(repo)
    for started in (NOW_US + 50, NOW_US + 40):
        (layout.journal_folder(repo.gv) / f"{started:x}-1-aabbccdd.wal").write_bytes(b"GVWAL\x00\x01\n")
    repo.close()
    layout.refs_path(repo.gv).unlink()

    list(repo.repair())

    assert [NOW_US + 40, NOW_US + 50] == [row.started_at for row in repo.refs.unfinished_runs()]
    assert [4, 5] == [row.number for row in repo.refs.unfinished_runs()]


def test_a_sound_repository_is_left_alone(repo: Repository) -> None:
    """Not a byte changes, but for what a writer would do anyway."""
    busy(repo)
    repo.close()
    before = layout.refs_path(repo.gv).read_bytes()

    assert [] == list(repo.repair())
    repo.close()
    assert before == layout.refs_path(repo.gv).read_bytes()


def spoiled(repo: Repository, oid: ObjectId) -> None:
    """Overwrites an object's bytes on the disk."""
    repo.close()
    for path in Path(repo.gv / "objects").glob("*/*"):
        data = path.read_bytes()
        at = data.find(oid[:8])
        if path.suffix in (".seg", ".pack") and at >= 0:
            path.write_bytes(data[: at + 8] + bytes([data[at + 8] ^ 255, data[at + 9] ^ 255]) + data[at + 10 :])


def test_what_refers_to_damage_is_named(repo: Repository) -> None:
    """In words that can be typed; and all of it, not the first only."""
    busy(repo)
    first, second = repo.resolve_commit("v1"), repo.resolve_commit("side")
    oid = repo.files(first)["prompts/b.txt"].oid
    spoiled(repo, oid)

    found = {finding.where: finding.oid for finding in repo.fsck() if finding.damage}
    assert oid in found.values()
    assert {f"{second.hex()[:8]}:prompts/b.txt"} <= set(found) or {f"{first.hex()[:8]}:prompts/b.txt"} <= set(found)

    list(repo.repair())
    assert {finding.oid for finding in repo.fsck() if finding.damage} == {oid}
    write(repo, again_txt="b")
    repo.commit("the same bytes again")
    assert [] == list(repo.fsck())


def test_objects_that_do_not_come_back_to_the_byte_are_told(repo: Repository) -> None:
    """They do no harm, and are read."""
    foreign = repo.objects.write(b"v" + b"\xcd\x00\x01")  # 1, in three bytes
    with repo.transaction("foreign") as transaction:
        transaction.create("refs/values/foreign", foreign)

    assert [] == list(repo.fsck(exact=False))
    found = list(repo.fsck(exact=True))
    assert [foreign] == [finding.oid for finding in found]
    assert not any(finding.damage for finding in found)


def test_runs_that_overlapped_come_back(repo: Repository) -> None:
    """RUN moves when a run begins, and the operations tell in the order in which runs ended; a second check is clean."""
    first = repo.refs.allocate_run(journal="", target="slow", started_at=NOW_US, move_run=True)
    name = f"{NOW_US + 1:x}-1-aabbccdd.wal"
    second = repo.refs.allocate_run(journal=name, target="killed", started_at=NOW_US + 1, move_run=True)
    facts = {"target": "killed", "started_at": NOW_US + 1}
    wal = WalWriter(layout.journal_folder(repo.gv) / name)
    wal.append(b"R" + Encoder(repo.objects).encode(facts))
    wal.close()
    third = repo.refs.allocate_run(journal="", target="quick", started_at=NOW_US + 2, move_run=True)
    for number, target, ended in ((third, "quick", 3), (first, "slow", 9)):
        began = NOW_US if number == first else NOW_US + 2
        run = Run(None, "ok", began, NOW_US + ended, target=target).put(repo.objects)
        repo.refs.finish_run(number, run, status="ok", ended_at=NOW_US + ended, author="Ada", command="run")
    before = repo.refs.list(""), repo.refs.runs()
    assert [] == [each for each in repo.fsck() if each.damage]
    repo.close()
    layout.refs_path(repo.gv).unlink()

    assert 1 == len(list(repo.repair()))

    assert [] == [each for each in repo.fsck() if each.damage]
    assert [] == list(repo.repair())
    assert before == (repo.refs.list(""), repo.refs.runs())
    assert [2, 3] == [second, third]
