from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.objects.blob import get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.memory import MemoryDatabase
from gvstore.refs.names import WORK_AFTER, WORK_BEFORE
from gvstore.repo import Repository
from gvstore.repo.files import Files, differing, patched, write_tree
from tests.repo.conftest import write
from tests.repo.test_checkout import two_commits

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
BLOBS = st.binary(max_size=1).map(lambda data: TreeEntry(Mode.FILE, ObjectId.of(b"\x01" + data)))


def plain(files: Files) -> Files:
    """Without what lies below another file."""
    return {path: each for path, each in files.items() if not any(path.startswith(other + "/") for other in files)}


TREES = st.dictionaries(PATHS, BLOBS, max_size=6).map(plain)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(old=TREES, new=TREES)
def test_patching_gives_the_tree_of_the_patched_files(old: Files, new: Files) -> None:
    """A tree with the differences to any other files put in is the tree of these files."""
    store = MemoryDatabase()
    changes = {path: new.get(path) for path in old.keys() | new.keys() if old.get(path) != new.get(path)}

    assert write_tree(store, new) == patched(store, write_tree(store, old), changes)


def touched(repo: Repository) -> dict[str, tuple[str | None, str | None]]:
    """What the last operation says it moved: content before and after, by path."""
    changes = {each.name: each.new for each in Operation.get(repo.objects, repo.refs.operations(limit=1)[0].oid).changes}
    if WORK_BEFORE not in changes:
        return {}
    before, after = (ObjectId.from_hex(changes[name]) for name in (WORK_BEFORE, WORK_AFTER))
    found = differing(repo.objects, before, after)
    return {path: (_text(repo, old), _text(repo, new)) for path, (old, new) in found.items()}


def _text(repo: Repository, entry: TreeEntry | None) -> str | None:
    return None if entry is None else get_blob(repo.objects, entry.oid).decode()


def test_an_operation_tells_which_files_it_moved(repo: Repository) -> None:
    """Exactly those it touched, and what they held: not what was as wanted already, not edits beside."""
    first, _ = two_commits(repo)
    write(repo, changed="1", same="edited", mine="m")
    repo.checkout(first.hex())

    assert {"d": (None, "file"), "d/x": ("in a folder", None), "gone": (None, "g"), "new": ("n", None)} == touched(repo)


def test_a_checkout_of_paths_is_an_operation(repo: Repository) -> None:
    """One that tells of its files; with nothing to do it is none."""
    first, _ = two_commits(repo)
    repo.checkout(first.hex(), paths=["changed", "same"])

    assert {"changed": ("2", "1")} == touched(repo)
    count = len(repo.refs.operations())
    assert f"checkout {first.hex()} -- changed same" == repo.refs.operations(limit=1)[0].command
    repo.checkout(first.hex(), paths=["changed"])
    assert count == len(repo.refs.operations())


def test_every_operation_that_moves_files_tells_of_both_trees(repo: Repository) -> None:
    """Also where the refs hold these trees already."""
    first, _ = two_commits(repo)
    repo.checkout(first.hex())
    one = touched(repo)
    repo.checkout("main")
    repo.checkout(first.hex())

    assert one == touched(repo)
