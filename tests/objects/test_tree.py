from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import EntryFinder, Mode, Tree, TreeEntry
from tests.objects.store import Objects

NAMES = st.one_of(
    st.integers(0, 400).map("{}.txt".format), st.sampled_from(["ü", "raw\udcff", "x" * 300, "y" * 199, "a b", "日本.txt"])
)


@settings(max_examples=40)
@given(st.lists(st.sets(NAMES, max_size=120), min_size=1, max_size=3), st.lists(NAMES, min_size=1, max_size=8))
def test_an_entry_is_found_as_if_all_were_read(trees: list[set[str]], names: list[str]) -> None:
    """In small and split trees, one after another, with any name: the entry that the whole tree has, or none."""
    store = Objects()
    finder = EntryFinder(store)
    for n, each in enumerate(trees):
        oid = Tree({name: TreeEntry(Mode.FILE, ObjectId.of(f"{n % 2}{name}".encode("utf-8", "surrogateescape"))) for name in each}).put(store)
        whole = Tree.get(store, oid).entries
        for name in [*names, *sorted(each)[:3]]:
            assert whole.get(name) == finder.find(oid, name)
        assert finder.find(oid, names[0] + "/below") is None
