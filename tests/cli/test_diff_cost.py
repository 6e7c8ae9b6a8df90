from __future__ import annotations

from gvstore.compare.trees import diff_trees
from gvstore.objects.blob import put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb import MemoryDatabase
from gvstore.repo.files import write_tree


class _Counting:
    """A reader that counts."""

    def __init__(self, objects: MemoryDatabase) -> None:
        self._objects, self.count = objects, 0

    def read(self, oid: ObjectId) -> bytes:
        self.count += 1
        return self._objects.read(oid)

    def has(self, oid: ObjectId) -> bool:
        return self._objects.has(oid)


def test_a_diff_costs_what_changed() -> None:
    """Of two trees of 2,500 files that differ in one, what lies beside its way is not read."""
    objects = MemoryDatabase()
    files = {f"d{i}/e{j}/f{k}.txt": TreeEntry(Mode.FILE, put_blob(objects, b"%d %d %d" % (i, j, k))) for i in range(10) for j in range(25) for k in range(10)}
    old = write_tree(objects, files)
    new = write_tree(objects, files | {"d3/e3/f3.txt": TreeEntry(Mode.FILE, put_blob(objects, b"other"))})
    reader = _Counting(objects)

    assert ["d3/e3/f3.txt"] == [each.path for each in diff_trees(reader, old, new)]
    assert reader.count <= 30, "of each side the root, two folders, and the nodes of large ones"
