"""Records: trees, commits, tags, components, operations; what goes in comes out, and nothing else comes in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects.commit import Commit
from gvstore.objects.component import Component
from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.operation import Operation, RefChange
from gvstore.objects.tag import Tag
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.objects.wire import pack
from tests.objects.store import Objects
from tests.strategies import commits, oids, texts, trees

OID = ObjectId(bytes(range(32)))
LINK = b"\xc7\x20\x01" + OID


@settings(max_examples=80, deadline=None)
@given(trees())
def test_trees(tree: Tree) -> None:
    """A tree comes back in order of its names; all entries are strong links."""
    store = Objects()
    oid = tree.put(store)
    back = Tree.get(store, oid)

    assert sorted(tree.entries.items()) == list(back.entries.items())
    assert oid == back.put(Objects())


@settings(max_examples=80, deadline=None)
@given(commits())
def test_commits(commit: Commit) -> None:
    """A commit comes back; runs are weak links, tree and parents strong."""
    store = Objects()
    oid = commit.put(store)
    strong, weak = links(store[oid])

    assert commit == Commit.get(store, oid)
    assert list(commit.runs) == weak
    assert [commit.tree, *commit.parents] == strong[: 1 + len(commit.parents)]


@settings(max_examples=60, deadline=None)
@given(oids(), texts(), texts(), st.binary(max_size=40), st.lists(texts(), max_size=4).map(tuple))
def test_tags_components_operations(oid: ObjectId, a: str, b: str, code: bytes, names: tuple[str, ...]) -> None:
    """So do the small records."""
    for record in (
        Tag(oid, a, b, 2**40, a),
        Component(a, "function", b, names, a, b, code, code, b"", "dist==1", "v"),
        Operation(oid, a, b, 2**40, tuple(RefChange(name, a, b) for name in names)),
        Operation(None, a, b, 0, ()),
    ):
        store = Objects()

        assert record == type(record).get(store, record.put(store))
    assert ([], [oid]) == links(pack_of(Operation(oid, "c", "a", 1, ())))


def pack_of(record: Any) -> bytes:
    store = Objects()
    return store[record.put(store)]


def test_a_large_folder_changes_in_one_place() -> None:
    """One changed file of 20,000 costs a few nodes."""
    store = Objects()
    entries = {f"file {i}.txt": TreeEntry(Mode.FILE, ObjectId.of(b"%d" % i)) for i in range(20_000)}
    oid = Tree(entries).put(store)
    before = len(store)
    entries["file 777.txt"] = TreeEntry(Mode.EXECUTABLE, OID)
    other = Tree(entries).put(store)

    assert oid != other
    assert len(store) - before <= 12
    assert entries == Tree.get(store, other).entries


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b"])
def test_names_lead_one_step_down(name: str) -> None:
    """A tree neither takes nor gives a name that leads elsewhere."""
    with pytest.raises(ValueError, match="cannot name"):
        Tree({name: TreeEntry(Mode.FILE, OID)}).put(Objects())
    data = b"t\x92\x34\x93\x02" + pack(name) + b"\x93\x01\x00" + LINK
    store = Objects()
    with pytest.raises(CorruptObject):
        Tree.get(store, store.write(data))


BAD_TREES = {
    "no dict": b"t\x92\x34\x91\x00",
    "odd": b"t\x92\x34\x92\x02\xa1a",
    "no entry": b"t\x92\x34\x93\x02\xa1a\x01",
    "no link": b"t\x92\x34\x93\x02\xa1a\x93\x01\x00\x00",
    "no mode": b"t\x92\x34\x93\x02\xa1a\x93\x01\x07" + LINK,
    "a mode that is a list": b"t\x92\x34\x93\x02\xa1a\x93\x01\x90" + LINK,
    "no name": b"t\x92\x34\x93\x02\x01\x93\x01\x00" + LINK,
    "twice": b"t\x92\x34\x95\x02" + (b"\xa1a\x93\x01\x00" + LINK) * 2,
    "descending": b"t\x92\x34\x95\x02\xa1b\x93\x01\x00" + LINK + b"\xa1a\x93\x01\x00" + LINK,
    "other kind": b"c\x92\x34\x91\x02",
    "other number": b"t\x92\x33\x91\x02",
    "no array": b"t\x01",
    "nothing": b"t",
    "empty": b"",
}


@pytest.mark.parametrize("data", BAD_TREES.values(), ids=BAD_TREES)
def test_bad_trees(data: bytes) -> None:
    """What breaks the grammar of a tree is corrupt."""
    store = Objects()
    with pytest.raises(CorruptObject):
        Tree.get(store, store.write(data))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([Commit, Tree, Tag, Component, Operation]), st.data())
def test_mutated_records_are_read_or_corrupt(kind: Any, data: st.DataObject) -> None:
    """A record with a byte changed is read, or corrupt, or misses an object; nothing else."""
    store = Objects()
    record: Any = {
        Commit: Commit(OID, (OID,), "Ada", 1, "message", {"a.f": OID}, {"v": OID}, (OID,), 2, "abc clean"),
        Tree: Tree({"a": TreeEntry(Mode.FILE, OID), "b": TreeEntry(Mode.FOLDER, OID)}),
        Tag: Tag(OID, "v1", "Ada", 1, "m"),
        Component: Component("a.f", "function", "(x)", ("x",), "doc", "src", OID, OID),
        Operation: Operation(OID, "gv commit", "Ada", 1, (RefChange("HEAD", "", "x"),)),
    }[kind]
    original = store[record.put(store)]
    at = data.draw(st.integers(0, len(original) - 1))
    changed = original[:at] + data.draw(st.binary(max_size=1)) + original[at + data.draw(st.integers(0, 1)) :]
    try:
        kind.get(store, store.write(changed))
    except (CorruptObject, ObjectMissing):
        pass


def test_names_of_objects() -> None:
    """An oid is 32 bytes, prints as hex, and reads from it alone."""
    oid = ObjectId.of(b"v\xc0")

    assert oid == ObjectId.from_hex(oid.hex()) == ObjectId.from_hex(str(oid).upper())
    assert (oid.hex()[:8], "none") == (short(oid), short(None))
    for bad in ("", "ab", "zz" * 32, "0x" + "0" * 62, " " + "0" * 63, "00 " * 21 + "0", "  " + "0" * 62):
        with pytest.raises(ValueError, match="hex"):
            ObjectId.from_hex(bad)


def test_kinds_are_letters() -> None:
    """Kind bytes are frozen, distinct, and have words."""
    assert "bvntcgkiro" == "".join(map(chr, Kind))
    assert ["blob", "value"] == [Kind.BLOB.word, Kind.VALUE.word]
