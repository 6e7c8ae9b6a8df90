"""Trees: what is told of two folders makes the one of the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gvstore.compare.trees import FileChange, diff_trees
from gvstore.objects.blob import put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, Tree, TreeEntry

Files = dict[str, tuple[str, Mode]]


class Objects:
    """Objects in a dict, and a count of what was read."""

    def __init__(self) -> None:
        self.data: dict[ObjectId, bytes] = {}
        self.reads = 0

    def write(self, data: bytes) -> ObjectId:
        oid = ObjectId.of(data)
        self.data[oid] = bytes(data)
        return oid

    def read(self, oid: ObjectId) -> bytes:
        self.reads += 1
        return self.data[oid]

    def has(self, oid: ObjectId) -> bool:
        return oid in self.data

    def flush(self) -> None: ...

    def sync(self) -> None: ...


def tree(objects: Objects, files: Files) -> ObjectId:
    """Returns the tree that holds `files`, by paths with slashes."""
    entries: dict[str, TreeEntry] = {}
    folders: dict[str, Files] = {}
    for path, (text, mode) in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(name, {})[rest] = (text, mode)
        else:
            entries[name] = TreeEntry(mode, put_blob(objects, text.encode()))
    for name, inside in folders.items():
        entries[name] = TreeEntry(Mode.FOLDER, tree(objects, inside))
    return Tree(entries).put(objects)


def plain(**files: str) -> Files:
    return {path.replace("__", "/"): (text, Mode.FILE) for path, text in files.items()}


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@st.composite
def folders(draw: st.DrawFn) -> Files:
    """Returns files among which no path is another's folder."""
    modes = st.sampled_from([Mode.FILE, Mode.EXECUTABLE, Mode.SYMLINK])
    found = draw(st.dictionaries(paths, st.tuples(st.sampled_from(["", "x", "y", "z"]), modes), max_size=8))
    return {path: file for path, file in found.items() if not any(other.startswith(path + "/") for other in found)}


@given(folders(), folders())
def test_differences_turn_the_old_folder_into_the_new(old: Files, new: Files) -> None:
    """Deleting, renaming, writing what is told gives exactly the new files; each path is told once."""
    objects = Objects()
    diffs = diff_trees(objects, tree(objects, old), tree(objects, new))
    made = {path: TreeEntry(mode, put_blob(objects, text.encode())) for path, (text, mode) in old.items()}
    before = dict(made)
    for diff in diffs:
        assert before.get(diff.old_path if diff.old is not None else "") == diff.old
        if diff.old is not None:
            made.pop(diff.old_path, None)
    for diff in diffs:
        if diff.new is not None:
            made[diff.path] = diff.new

    assert {path: TreeEntry(mode, put_blob(objects, text.encode())) for path, (text, mode) in new.items()} == made
    assert sorted(diff.path for diff in diffs) == [diff.path for diff in diffs]
    assert (old == new) == (diffs == ())


def test_every_change_has_its_word() -> None:
    """Added, deleted, modified, renamed, and mode alone."""
    objects = Objects()
    old = plain(a="1", b="2", c="3", d__e="4", same="s") | {"run": ("!", Mode.FILE)}
    new = plain(a="1", b="two", f__g="4", h="5", same="s") | {"run": ("!", Mode.EXECUTABLE)}
    diffs = diff_trees(objects, tree(objects, old), tree(objects, new))

    assert [
        (FileChange.MODIFIED, "b", "b"),
        (FileChange.DELETED, "c", "c"),
        (FileChange.RENAMED, "f/g", "d/e"),
        (FileChange.ADDED, "h", "h"),
        (FileChange.MODE, "run", "run"),
    ] == [(diff.change, diff.path, diff.old_path) for diff in diffs]


def test_a_folder_that_became_a_file() -> None:
    """Its files are gone, and the file is there."""
    objects = Objects()
    diffs = diff_trees(objects, tree(objects, plain(a__b="1", a__c="2")), tree(objects, plain(a="3")))

    assert [("added", "a"), ("deleted", "a/b"), ("deleted", "a/c")] == [(d.change.value, d.path) for d in diffs]


def test_nothing_against_something() -> None:
    """None is the empty tree; empty files are never renames of each other."""
    objects = Objects()
    one = tree(objects, plain(a="1", b__c=""))

    assert [("added", "a"), ("added", "b/c")] == [(d.change.value, d.path) for d in diff_trees(objects, None, one)]
    assert () == diff_trees(objects, None, None)
    assert ["added", "deleted"] == [
        d.change.value for d in diff_trees(objects, tree(objects, plain(z="")), tree(objects, plain(y="")))
    ]


def test_equal_folders_are_not_read() -> None:
    """One file among many folders costs the folders on its path, on both sides."""
    objects = Objects()
    many = {f"d{n}/e/f{m}": (f"{n} {m}", Mode.FILE) for n in range(10) for m in range(10)}
    old, new = tree(objects, many), tree(objects, many | plain(d3__e__f3="new"))
    objects.reads = 0

    assert ["d3/e/f3"] == [diff.path for diff in diff_trees(objects, old, new)]
    assert objects.reads <= 12
