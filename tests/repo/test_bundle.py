"""Bundles: what they hold, that they are closed and repeat, and that what is no bundle is refused."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest

import gvstore as gv
from gvstore.cli import table
from gvstore.cli.bundled import READERS
from gvstore.errors import GvError
from gvstore.journal.repository import Repository
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.odb.bundle import MAGIC, CorruptBundle, NoBundle, encode_bundle, open_bundle
from gvstore.odb.fault import Forgotten, NewerFormat
from gvstore.refs.names import notes_ref
from gvstore.repo import layout
from gvstore.repo.bundle import GONE, NotBundled, lay_out, unpack, write_bundle

NOW = 1_700_000_000_000_000


@gv.register
def inner(n: int) -> str:
    """Returns a text long enough to be an object of its own."""
    return f"{n} otters " * 60


@gv.register
def outer(count: int) -> list[str]:
    """Returns what the calls below it returned."""
    return [inner(n) for n in range(count)]


@pytest.fixture
def source(tmp_path: Path) -> Repository:
    repo = Repository.init(tmp_path / "source", author="a", now=NOW)
    (tmp_path / "source" / "notes.txt").write_text("otters\n")
    with repo:
        for count in (2, 3, 4):
            gv.run(outer, count)
        repo.commit("first", author="a", now=NOW)
        repo.put({"tone": "calm"}, name="tone")
    return repo


def bundle_of(repo: Repository, path: Path, *revs: str) -> Path:
    with repo:
        path.write_bytes(write_bundle(repo, [repo.resolve(rev) for rev in revs]).data)
    return path


def opened(bundle: Path, folder: Path) -> Repository:
    folder.mkdir()
    lay_out(open_bundle(bundle), folder / layout.GV_FOLDER)
    return Repository(folder, folder / layout.GV_FOLDER)


def test_a_bundle_is_closed_and_says_what_the_repository_says(source: Repository, tmp_path: Path) -> None:
    """What is bundled reads as where it came from, under its numbers and names, and nothing in it leads nowhere."""
    repo = opened(bundle_of(source, tmp_path / "x.gvb", "run/1", "run/3", "main", "tone"), tmp_path / "there")
    with source, repo:
        assert [1, 3] == sorted(row.number for row in repo.refs.runs())
        for number in (1, 3):
            assert source.runs[number].oid == repo.runs[number].oid
            assert source.runs[number].output == repo.runs[number].output
        assert source.head == repo.head and "main" == repo.branch
        assert source.resolve("tone").oid == repo.resolve("tone").oid
        assert 3 == repo.refs.current_run()

        assert [] == list(repo.fsck(exact=True))


def test_equal_content_is_equal_bytes(source: Repository, tmp_path: Path) -> None:
    """Neither the order of what is named counts, nor where the objects lie, nor when."""
    once = bundle_of(source, tmp_path / "x.gvb", "run/1", "run/2", "main")
    with source:
        source.objects.repack()
    again = bundle_of(source, tmp_path / "y.gvb", "main", "run/2", "run/1", "run/1")

    assert once.read_bytes() == again.read_bytes()
    there = opened(once, tmp_path / "there")
    assert once.read_bytes() == bundle_of(there, tmp_path / "z.gvb", "run/1", "run/2", "main").read_bytes()


def test_unpacking_adds_what_is_new_once(source: Repository, tmp_path: Path) -> None:
    """Runs get the next numbers, those that are here are told, a second time changes nothing; it is one operation."""
    bundle = open_bundle(bundle_of(source, tmp_path / "x.gvb", "run/1", "run/3", "main", "tone"))
    repo = Repository.init(tmp_path / "target", author="a", now=NOW)
    with repo:
        gv.run(outer, 1)
        repo.name_value("tone", repo.store.commit(1).oid)
        before = len(repo.refs.operations())
        taken = unpack(repo, bundle, author="a", now=NOW)
        assert ((1, 2, True), (3, 3, True)) == taken.runs
        assert (("main", "refs/remotes/x/main"),) == taken.names
        assert ("tone",) == taken.kept
        assert before + 1 == len(repo.refs.operations())
        assert repo.runs[2].output == [f"{n} otters " * 60 for n in range(2)]

        taken = unpack(repo, bundle, author="a", now=NOW)
        assert ((1, 2, False), (3, 3, False)) == taken.runs
        assert before + 1 == len(repo.refs.operations())
        assert [] == list(repo.fsck(exact=True))


def test_what_was_forgotten_stays_so(source: Repository, tmp_path: Path) -> None:
    """A run of which something was forgotten can be bundled; the bundle says so, and no damage is seen."""
    with source:
        values = (each for each in source.objects if source.objects.read(each)[0] == Kind.VALUE)
        oid = next(each for each in values if b"2 otters" in source.objects.read(each))
        source.forget(source.forget_targets([oid.hex()]))
    bundle = bundle_of(source, tmp_path / "x.gvb", "run/3")
    assert (oid.hex(), GONE) == open_bundle(bundle).names[-1]
    repo = opened(bundle, tmp_path / "there")
    with repo:
        with pytest.raises(Forgotten):
            repo.objects.read(oid)
        assert not any(each.damage for each in repo.fsck())


def test_what_has_no_name_is_not_bundled(source: Repository, tmp_path: Path) -> None:
    """Calls, files and values without a name are refused."""
    with source:
        for rev in ("run/1:0", "main:notes.txt", source.store.commit("otters" * 99).oid.hex()):
            with pytest.raises(NotBundled):
                write_bundle(source, [source.resolve(rev)])


def signed(data: bytes) -> bytes:
    """Returns the bytes with a digest that fits."""
    return data + hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    ("names", "objects"),
    [
        ([("0" * 64, "refs/heads/main"), ("ref: refs/heads/main", "HEAD")], [b"\1x"]),
        ([("ref: refs/heads/main", "HEAD"), ("0" * 64, "refs/runs/1")], [b"\1x"]),
        ([("ref: refs/heads/main", "HEAD"), (ObjectId.of(b"\1x").hex(), "refs/runs/1")], [b"\1x"]),
        ([("ref: refs/heads/main", "HEAD"), (ObjectId.of(b"\1x").hex(), "refs/heads/main")], [b"\1x"]),
        ([("ref: refs/tags/main", "HEAD")], [b"\1x"]),
        ([("ref: refs/heads/main", "HEAD"), ("run: 1", "RUN")], []),
        ([("ref: refs/heads/main", "HEAD"), ("run: 1", "refs/tags/x")], []),
        ([("ref: refs/heads/main", "HEAD"), ("ref: refs/heads/main", "HEAD")], []),
        ([("ref: refs/heads/main", "HEAD"), (ObjectId.of(b"\1x").hex(), "refs/heads/../x")], [b"\1x"]),
        ([("ref: refs/heads/main", "HEAD"), (ObjectId.of(b"\1x").hex(), "/etc/passwd")], [b"\1x"]),
        ([("x", "-"), ("ref: refs/heads/main", "HEAD")], []),
        ([], []),
    ],
)
def test_names_that_cannot_be_are_refused(names: list[tuple[str, str]], objects: list[bytes], tmp_path: Path) -> None:
    """A bundle from elsewhere names refs by the grammar, and leads to what it holds, of the right kind."""
    path = tmp_path / "x.gvb"
    path.write_bytes(encode_bundle(names, [len(each) for each in objects], objects))
    with pytest.raises(CorruptBundle):
        lay_out(open_bundle(path), tmp_path / "gv")


def test_claims_are_looked_at_before_anything_is_made(source: Repository, tmp_path: Path) -> None:
    """Counts and lengths that cannot be are refused by the header alone, and so is a later version."""
    data = bundle_of(source, tmp_path / "x.gvb", "run/1").read_bytes()[:-32]
    path = tmp_path / "y.gvb"
    for at, form, value in ((16, "<Q", 2**63), (24, "<Q", 2**62), (24, "<Q", 1), (12, "<I", 2**31), (9, "<B", 1)):
        changed = bytearray(data)
        struct.pack_into(form, changed, at, value)
        path.write_bytes(signed(bytes(changed)))
        with pytest.raises(CorruptBundle):
            list(open_bundle(path).objects())
    path.write_bytes(signed(data[:8] + b"\2" + data[9:]))
    with pytest.raises(NewerFormat):
        open_bundle(path)
    path.write_bytes(MAGIC)
    with pytest.raises(CorruptBundle):
        open_bundle(path)
    path.write_bytes(b"text")
    with pytest.raises(NoBundle):
        open_bundle(path)


def test_random_damage_is_an_error_of_ours(source: Repository, tmp_path: Path) -> None:
    """Bytes changed below a digest that fits end in an error of gvstore, or in a repository whose fsck tells."""
    data = bundle_of(source, tmp_path / "x.gvb", "run/1", "main").read_bytes()[:-32]
    path, dice = tmp_path / "y.gvb", random.Random(4)
    for n in range(40):
        changed = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            changed[dice.randrange(32, len(changed))] = dice.randrange(256)
        path.write_bytes(signed(bytes(changed)))
        try:
            repo = opened(path, tmp_path / str(n))
        except GvError:
            continue
        with repo:
            list(repo.fsck(exact=True))


def test_notes_and_tags_of_runs_go_along(source: Repository, tmp_path: Path) -> None:
    """What was noted of a run stands beside it wherever it goes, under the number that it gets; so does a tag that was named."""
    with source:
        oid = source.store.commit("well done").oid
        with source.transaction("note", author="a", now=NOW) as transaction:
            transaction.create(notes_ref(3), oid)
            transaction.create("refs/tags/best", source.refs.resolve("refs/runs/3") or "")
    bundle = bundle_of(source, tmp_path / "x.gvb", "best")
    assert {"HEAD", "RUN", "refs/notes/3", "refs/runs/3", "refs/tags/best"} == {
        name for _, name in open_bundle(bundle).names
    }
    with Repository.init(tmp_path / "target", author="a", now=NOW) as repo:
        for _ in range(2):
            assert ((3, 1),) == tuple(
                taken[:2] for taken in unpack(repo, open_bundle(bundle), author="a", now=NOW).runs
            )
        assert oid == repo.refs.resolve(notes_ref(1)) and repo.refs.resolve("refs/notes/3") is None
        assert 1 == repo.resolve("best").run


def test_readers_are_commands() -> None:
    """What takes a bundle in place of a repository is there, and is not what makes bundles."""
    assert set(table.names()) >= READERS - {"grep"}
    assert "bundle" not in READERS
