from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.errors import BadRev
from gvstore.objects.blob import put_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb import MemoryDatabase
from gvstore.repo.files import write_tree
from gvstore.repo.line_blame import blame_lines

# For each commit: which of the earlier ones are its parents, where new lines come (a place in the order of all lines that
# there will ever be), which of the lines before are left out, and whether the file gets another name.
EDITS = st.tuples(
    st.sets(st.integers(0, 30), max_size=2), st.sets(st.integers(0, 10_000), max_size=4), st.sets(st.integers(0, 6), max_size=2), st.booleans()
)


def build(edits: list[tuple[set[int], set[int], set[int], bool]]) -> tuple[MemoryDatabase, list[ObjectId], list[str], list[list[int]], dict[int, int]]:
    """Returns such a history: objects, commits, the file's name and lines in each, and which commit each line came with."""
    objects, commits, names, states = MemoryDatabase(), list[ObjectId](), list[str](), list[list[int]]()
    origins: dict[int, int] = {}
    for n, (wanted, fresh, dropped, moved) in enumerate(edits):
        parents = sorted({each % n for each in wanted}, reverse=True) if n else []
        above = [objects_of for parent in parents for objects_of in states[parent]]
        kept = sorted({line for at, line in enumerate(dict.fromkeys(above)) if at not in dropped})
        new = [line for line in fresh if line not in origins]
        origins.update(dict.fromkeys(new, n))
        lines = sorted({*kept, *new})
        name = names[parents[0]] if parents else "a.txt"
        if moved and len(parents) == 1 and len(kept) * 2 > len(lines):
            name = f"d/{n}.txt"
        text = "".join(f"the line of the number {line}\n" for line in lines).encode()
        tree = write_tree(objects, {name: TreeEntry(Mode.FILE, put_blob(objects, text))})
        generation = 1 + max((Commit.get(objects, commits[p]).generation for p in parents), default=0)
        commits.append(Commit(tree, tuple(commits[p] for p in parents), "a", n, str(n), generation=generation).put(objects))
        names.append(name)
        states.append(lines)
    return objects, commits, names, states, origins


@settings(max_examples=60, deadline=None)
@given(st.lists(EDITS, min_size=1, max_size=9))
def test_each_line_is_told_with_the_commit_that_brought_it(edits: list[tuple[set[int], set[int], set[int], bool]]) -> None:
    """Through edits, merges and renames, a line came with the commit that first had it, or that had it when its file began."""
    objects, commits, names, states, origins = build(edits)
    renamed = any(name.startswith("d/") for name in names) and any(len(parents) > 1 for parents, *_ in edits)
    for n, oid in enumerate(commits):
        found = blame_lines(objects, oid, names[n])

        assert [f"the line of the number {line}\n".encode() for line in states[n]] == [each.text for each in found]
        if not renamed:  # a merge of two names is followed along one of them
            assert [origins[line] for line in states[n]] == [commits.index(each.commit) for each in found if each.commit]
        for each in found:
            assert each.commit is not None
            at = commits.index(each.commit)
            assert each.path == names[at]
            assert each.text == f"the line of the number {states[at][each.number - 1]}\n".encode()


def test_what_is_in_no_commit_yet() -> None:
    """Lines of the work tree that no commit has are told so; only the lines asked for are looked up; blanks may be left uncounted."""
    objects, commits, _, _, _ = build([(set(), {1, 2, 3}, set(), False), ({0}, {5}, set(), False)])
    first, second = commits
    now = b"new\n" + b"".join(b"the line of the number %d\n" % n for n in (1, 2, 3, 5)) + b"end"

    assert [None, first, first, first, second, None] == [each.commit for each in blame_lines(objects, second, "a.txt", now=now)]
    assert [first, second] == [each.commit for each in blame_lines(objects, second, "a.txt", now=now, wanted=range(3, 5))]
    assert [first] == [each.commit for each in blame_lines(objects, first, "a.txt", now=b"theline of the number 1\n", blanks=False)]
    assert [None] == [each.commit for each in blame_lines(objects, first, "none.txt", now=b"x")]


@pytest.mark.parametrize("path", ["none.txt", "d", "blob", "a.txt/b"])
def test_what_has_no_lines(path: str) -> None:
    """A file that is not there, a folder and bytes that are no text are told with exit 12."""
    objects = MemoryDatabase()
    tree = write_tree(objects, {name: TreeEntry(Mode.FILE, put_blob(objects, b"\0")) for name in ("d/x", "blob", "a.txt")})
    commit = Commit(tree, (), "a", 0, "m").put(objects)
    with pytest.raises(BadRev) as caught:
        blame_lines(objects, commit, path)

    assert 12 == caught.value.exit_code
