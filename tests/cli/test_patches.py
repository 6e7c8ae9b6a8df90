from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.cli.cells import cells
from gvstore.cli.diff_stat import stat_lines
from gvstore.cli.file_diff import ChangedFile, DiffOptions, Stored, changed_files, quoted
from gvstore.cli.style import PLAIN, Paint
from gvstore.compare.text import Blanks, is_binary
from gvstore.compare.trees import diff_trees
from gvstore.objects.blob import put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb import MemoryDatabase
from gvstore.repo.files import write_tree
from tests.conftest import CommandLine

USUAL = DiffOptions()
Folder = dict[str, tuple[Mode, bytes]]

NAMES = st.sampled_from(["a.txt", "b c.txt", "d/e.txt", "d/ü.txt", 'q"uote', "tab\there", "f", "raw\udcff"])
LINES = st.lists(st.sampled_from([b"one", b"two", b"", b"  two", b"\xff\xfe", b"cr\r", b"\x1b[31mred", b"-- x", b"four"]), max_size=9)
TEXTS = st.builds(lambda lines, ended: b"\n".join(lines) + (b"\n" if ended and lines else b""), LINES, st.booleans())
MODES = st.sampled_from([Mode.FILE, Mode.FILE, Mode.EXECUTABLE, Mode.SYMLINK])
FILES = st.builds(lambda mode, text: (mode, text if mode is not Mode.SYMLINK else b"to/x" + text.replace(b"\n", b"")), MODES, TEXTS).filter(
    lambda file: not is_binary(file[1])
)
FOLDERS = st.dictionaries(NAMES, FILES, max_size=5)


def tree(objects: MemoryDatabase, folder: Folder) -> ObjectId:
    """Returns the tree of a folder, stored."""
    return write_tree(objects, {name: TreeEntry(mode, put_blob(objects, data)) for name, (mode, data) in folder.items()})


def changes(old: Folder, new: Folder, options: DiffOptions = USUAL) -> tuple[ChangedFile, ...]:
    """Returns how two folders differ."""
    objects = MemoryDatabase()
    found = diff_trees(objects, tree(objects, old), tree(objects, new), renames=options.renames)
    return changed_files(found, Stored(objects), Stored(objects), options)


def lay(root: Path, folder: Folder) -> None:
    """Writes a folder."""
    for name, (mode, data) in folder.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode is Mode.SYMLINK:
            os.symlink(data, os.fsencode(path))  # noqa: PTH211 - the target is bytes
        else:
            path.write_bytes(data)
            path.chmod(0o755 if mode is Mode.EXECUTABLE else 0o644)


def seen(root: Path) -> Folder:
    """Returns what lies in a folder."""
    found: Folder = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = (Mode.SYMLINK, os.readlink(os.fsencode(path)))  # noqa: PTH115
        elif path.is_file():
            found[name] = (Mode.EXECUTABLE if path.stat().st_mode & 0o100 else Mode.FILE, path.read_bytes())
    return found


@settings(max_examples=60, deadline=None)
@given(old=FOLDERS, new=FOLDERS, moved=st.booleans())
def test_patches_apply(tmp_path_factory: pytest.TempPathFactory, old: Folder, new: Folder, moved: bool) -> None:
    """`git apply` makes the new folder of the old one: edits, new, deleted and renamed files, modes, symlinks, any bytes of a text."""
    if moved and "f" in old and "moved" not in new:  # a rename, perhaps edited
        mode, data = old["f"]
        new = {name: file for name, file in new.items() if name != "f"} | {"moved": (mode, data if mode is Mode.SYMLINK else data + b"end\n")}
    lines = [line for file in changes(old, new) for line in file.patch(PLAIN)]
    patch = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    root = tmp_path_factory.mktemp("patched")
    lay(root, old)
    if lines:
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"], cwd=root, input=patch, capture_output=True, check=False,
            env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.parent)},
        )  # fmt: skip

        assert 0 == done.returncode, (done.stderr.decode(), patch)
    assert new == seen(root)
    shutil.rmtree(root)


def test_the_command_writes_what_applies(gv: CommandLine) -> None:
    """Bytes that are no UTF-8 come through stdout as they are; `patch -p1` takes it."""
    gv("init")
    path = gv.folder / "a.txt"
    path.write_bytes(b"one and a half\n\xff\xfe two\r\nthree and much more of it\n" * 30)
    gv("commit", "-m", "one")
    path.write_bytes(path.read_bytes().replace(b"three", b"\xe9t\xe9", 1))
    patch = gv("diff").raw
    gv("checkout", "HEAD", "--", "a.txt", status=13)
    wanted = path.read_bytes()
    path.write_bytes(wanted.replace(b"\xe9t\xe9", b"three"))
    done = subprocess.run(["patch", "-p1", "--binary"], cwd=gv.folder, input=patch, capture_output=True, check=False) if shutil.which("patch") else None

    assert b"+\xe9t\xe9 and much more of it\n" in patch
    assert done is None or (0, wanted) == (done.returncode, path.read_bytes())


def patched(old: bytes, new: bytes, options: DiffOptions) -> list[str]:
    """Returns the patch of one file, its header left out."""
    files = changes({"f": (Mode.FILE, old)}, {"f": (Mode.FILE, new)}, options)
    return [line for file in files for line in file.patch(PLAIN, words=options.words)][3:]


def test_blanks_context_and_words() -> None:
    """-w and -b leave blanks uncounted, -U says how much stands around, words are marked within their lines."""
    old, new = b"a b\nsame\nmore\nlast one\n", b"a  b \nsame\nmore\nlast two\n"
    tail = ["-last one", "+last two"]

    assert ["@@ -1,4 +1,4 @@", "-a b", "+a  b ", " same", " more", *tail] == patched(old, new, DiffOptions())
    assert ["@@ -1,4 +1,4 @@", " a  b ", " same", " more", *tail] == patched(old, new, DiffOptions(blanks=Blanks.AMOUNT))
    assert ["@@ -4 +4 @@", *tail] == patched(old, new, DiffOptions(context=0, blanks=Blanks.NONE))
    assert ["@@ -4 +4 @@", "last [-one-]{+two+}"] == patched(old, new, DiffOptions(0, Blanks.NONE, words=True))
    assert [] == patched(b"ab\n", b"a b\n", DiffOptions(blanks=Blanks.NONE))
    assert [] != patched(b"ab\n", b"a b\n", DiffOptions(blanks=Blanks.AMOUNT))


def test_moved_and_edited_files_are_joined() -> None:
    """A file that moved and kept most of its lines was renamed, by how much is told; --no-renames tells both halves."""
    text = b"".join(b"line %d\n" % n for n in range(20))
    old, new = {"a/x.txt": (Mode.FILE, text)}, {"b/x.txt": (Mode.FILE, text + b"more\n")}
    (file,) = changes(old, new)

    assert ("renamed", "a/x.txt", "b/x.txt", 96, 1) == (file.change, file.old_path, file.path, file.similarity, file.added_lines)
    assert ["deleted", "added"] == [each.change for each in changes(old, new, DiffOptions(renames=False))]


@given(
    st.dictionaries(st.text("abcdefgh/", min_size=1, max_size=70).filter(lambda n: "//" not in n and n.strip("/") == n), st.integers(0, 400), min_size=1, max_size=4),
    st.integers(40, 140),
)
def test_bars_fit_the_width(sizes: dict[str, int], width: int) -> None:
    """No line of --stat is wider than the terminal; where lines changed there is a sign; the sum is told."""
    files: list[ChangedFile] = []
    for name, count in sizes.items():
        if any(other != name and other.startswith(name + "/") for other in sizes):
            return
        files += changes({name: (Mode.FILE, b"x")}, {name: (Mode.FILE, b"x" + b"\nmore" * count)})
    *rows, total = stat_lines(files, Paint(width=width))

    assert all(cells(row) <= width for row in rows)
    assert all("+" in row for row in rows)
    assert f"{len(files)} file" in total


@pytest.mark.parametrize(("path", "expected"), [("a b", "a b\t"), ('a"b', '"a\\"b"'), ("a\nb", '"a\\nb"'), ("ü", "ü"), ("a\udcffb", '"a\\377b"')])
def test_names_are_quoted_as_in_git(path: str, expected: str) -> None:
    """A name with what would mislead stands in quotes; one with blanks is closed by a tab."""

    assert expected == quoted(path, closed=True)
