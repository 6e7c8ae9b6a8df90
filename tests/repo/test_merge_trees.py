"""Merges of trees, beside git's."""

from __future__ import annotations

import os
import random
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from gvstore.compare.merge3 import Labels
from gvstore.objects.blob import get_blob, put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.memory import MemoryDatabase
from gvstore.repo.conflict import ConflictKind
from gvstore.repo.files import read_files, write_tree
from gvstore.repo.merge_files import MergedFiles, MergeWords, merge_trees
from gvstore.repo.rename import find_renames

World = dict[str, tuple[Mode, bytes]]
NAMES = ["a", "b", "d/a", "d/b", "d", "e", "e/x", "d/a/q"]
MODES = {Mode.FILE: "100644", Mode.EXECUTABLE: "100755", Mode.SYMLINK: "120000"}
HISTORIES = int(os.environ.get("GV_MERGES", "60"))


class Git:
    """A git repository that is asked how it would merge."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._blobs = folder, dict[bytes, str]()
        who = {f"GIT_{role}_{word}": "a" for role in ("AUTHOR", "COMMITTER") for word in ("NAME", "EMAIL")}
        dates = {f"GIT_{role}_DATE": "1700000000 +0000" for role in ("AUTHOR", "COMMITTER")}
        self._env = {**os.environ, **who, **dates, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
        self.run("init", "-q", ".")
        self.run("config", "merge.directoryRenames", "false")

    def run(self, *words: str, given: bytes = b"") -> tuple[int, bytes]:
        """Returns how git ended, and its answer."""
        done = subprocess.run(
            ["git", *words], cwd=self._folder, input=given, capture_output=True, env=self._env, check=False
        )
        return done.returncode, done.stdout

    def blob(self, data: bytes) -> str:
        """Returns git's name of some bytes, stored."""
        if data not in self._blobs:
            self._blobs[data] = self.run("hash-object", "-w", "--stdin", given=data)[1].decode().strip()
        return self._blobs[data]

    def tree(self, world: World) -> str:
        """Returns git's name of a folder, stored."""
        lines, folders = list[str](), defaultdict[str, World](dict)
        for path, (mode, data) in world.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders[name][rest] = (mode, data)
            else:
                lines.append(f"{MODES[mode]} blob {self.blob(data)}\t{name}\n")
        lines += [f"040000 tree {self.tree(below)}\t{name}\n" for name, below in folders.items()]
        return self.run("mktree", given="".join(lines).encode())[1].decode().strip()

    def commit(self, world: World, *parents: str) -> str:
        """Returns git's name of a commit, stored."""
        words = [word for parent in parents for word in ("-p", parent)]
        return self.run("commit-tree", self.tree(world), "-m", "x", *words)[1].decode().strip()

    def merged(self, ours: str, theirs: str) -> tuple[bool, dict[str, tuple[str, str]]]:
        """Returns whether git finds no conflict, and the files of the merge: mode and blob."""
        code, out = self.run("merge-tree", "--write-tree", "-z", "--name-only", ours, theirs)
        listed = self.run("ls-tree", "-r", "-z", out.split(b"\0")[0].decode())[1].decode().split("\0")
        rows = [row.split("\t") for row in listed if row]
        return code == 0, {path: (meta.split()[0], meta.split()[2]) for meta, path in rows}


def body(chance: random.Random) -> bytes:
    return "".join(f"line {chance.randint(0, 99)}\n" for _ in range(8)).encode()


def edited(chance: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    lines[chance.randrange(len(lines))] = f"edit {chance.randint(0, 9)}\n".encode()
    return b"".join(lines)


def without_clashes(world: World) -> World:
    """Returns the files, none of which is another's folder."""
    return {path: entry for path, entry in world.items() if not any(other.startswith(path + "/") for other in world)}


def changed(chance: random.Random, before: World) -> World:
    """Returns a world in which some things happened."""
    world = dict(before)
    for _ in range(chance.randint(0, 3)):
        kind = chance.choice(["edit", "edit", "delete", "rename", "rename and edit", "add", "mode", "binary", "link"])
        path = chance.choice(sorted(world)) if world else ""
        if kind == "add":
            world[chance.choice([*NAMES, "n1", "n2"])] = (Mode.FILE, body(chance))
            continue
        if not path:
            continue
        mode, data = world[path]
        file = mode != Mode.SYMLINK
        if kind == "delete":
            del world[path]
        elif kind == "edit" and file:
            world[path] = (mode, edited(chance, data))
        elif kind == "mode" and file:
            world[path] = (Mode.EXECUTABLE, data)
        elif kind == "binary" and file:
            world[path] = (mode, b"\0" + data)
        elif kind == "link":
            world[path] = (Mode.SYMLINK, chance.choice([b"t1", b"t2"]))
        elif kind.startswith("rename"):
            del world[path]
            world[chance.choice([*NAMES, "m1", "m2"])] = (
                mode,
                edited(chance, data) if "edit" in kind and file else data,
            )
    return without_clashes(world)


def tree_of(store: MemoryDatabase, world: World) -> ObjectId:
    return write_tree(store, {path: TreeEntry(mode, put_blob(store, data)) for path, (mode, data) in world.items()})


def merged(base: World, ours: World, theirs: World, labels: Labels = Labels()) -> tuple[MergedFiles, World]:  # noqa: B008
    """Returns the merge of three worlds, and what its files hold."""
    store = MemoryDatabase()
    found = merge_trees(store, tree_of(store, base), tree_of(store, ours), tree_of(store, theirs), MergeWords(labels))
    return found, {
        path: (entry.mode, get_blob(store, entry.oid)) for path, entry in read_files(store, found.tree).items()
    }


def test_what_git_merges_is_merged_alike(tmp_path: Path) -> None:
    """Random worlds with edits, renames, deletions, modes, links, files for folders: conflicts in the same merges, and without them the same tree."""
    git, chance, clean = Git(tmp_path), random.Random(8), 0
    for _ in range(HISTORIES):
        base = without_clashes({chance.choice(NAMES): (Mode.FILE, body(chance)) for _ in range(chance.randint(0, 4))})
        ours, theirs = changed(chance, base), changed(chance, base)
        root = git.commit(base)
        one, other = git.commit(ours, root), git.commit(theirs, root)
        if one == other:
            continue
        alike, files = git.merged(one, other)
        found, world = merged(base, ours, theirs, Labels(one, other))

        assert alike == (not found.conflicts), (base, ours, theirs)
        if alike:
            clean += 1
            assert files == {path: (MODES[mode], git.blob(data)) for path, (mode, data) in world.items()}
    assert clean >= HISTORIES // 4


def test_nothing_that_a_side_made_is_lost() -> None:
    """Every text that a side added or changed is in the result: as it is, line by line, or told as a conflict."""
    chance = random.Random(9)
    for _ in range(200):
        base = without_clashes({chance.choice(NAMES): (Mode.FILE, body(chance)) for _ in range(chance.randint(0, 4))})
        ours, theirs = changed(chance, base), changed(chance, base)
        found, world = merged(base, ours, theirs)
        lines = {line for mode, data in world.values() for line in data.splitlines()}
        whole = {entry.oid for each in found.conflicts for entry in (each.ours, each.theirs) if entry is not None}
        store = MemoryDatabase()
        for side, other in ((ours, theirs), (theirs, ours)):
            known = {line for _, data in base.values() for line in data.splitlines()}
            for mode, data in side.values():
                fresh = set(data.splitlines()) - known if mode != Mode.SYMLINK else {data}
                assert fresh <= lines or put_blob(store, data) in whole or other == side, (base, ours, theirs)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "kinds", "files"),
    [
        ({"a": "x"}, {"a": "y"}, {}, {ConflictKind.DELETED_BY_THEM}, {"a"}),
        ({"a": "x"}, {}, {"a": "y"}, {ConflictKind.DELETED_BY_US}, {"a"}),
        ({"a": "x"}, {}, {}, set(), set()),
        ({}, {"a": "x"}, {"a/b": "y"}, {ConflictKind.FILE_AND_FOLDER}, {"a~ours", "a/b"}),
        ({}, {"a": "x"}, {"a": "x"}, set(), {"a"}),
        ({}, {"a": "x"}, {"a": "y"}, {ConflictKind.BOTH_ADDED}, {"a"}),
        ({}, {"A": "x"}, {"a": "y"}, set(), {"A", "a"}),
    ],
)
def test_what_becomes_of_files(
    base: dict[str, str], ours: dict[str, str], theirs: dict[str, str], kinds: set[ConflictKind], files: set[str]
) -> None:
    """Each way in which two sides can meet in one file."""
    one, two, three = (
        {path: (Mode.FILE, text.encode()) for path, text in side.items()} for side in (base, ours, theirs)
    )
    found, world = merged(one, two, three)
    assert (kinds, files) == ({each.kind for each in found.conflicts}, set(world))


def test_renames_are_known_by_content() -> None:
    """Exactly first, then by at least half of the lines; empty files and symlinks say nothing."""
    store = MemoryDatabase()

    def entry(data: bytes, mode: Mode = Mode.FILE) -> TreeEntry:
        return TreeEntry(mode, put_blob(store, data))

    text = b"".join(b"line %d\n" % n for n in range(10))
    gone = {"a": entry(text), "b": entry(b"other\n" * 9), "empty": entry(b""), "link": entry(b"t", Mode.SYMLINK)}
    come = {"d/a": entry(text), "c": entry(text + b"more\n"), "e": entry(b""), "l": entry(b"t", Mode.SYMLINK)}
    assert {"a": "d/a"} == find_renames(store, gone, come)
    assert {"a": "c"} == find_renames(store, gone, {"c": come["c"]})
    assert {} == find_renames(store, gone, {"c": entry(text[:30] + b"x" * 60)})
