"""The working folder: what is written there, what is refused, and that nothing else is touched."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline import open_folder, working_folder
from gvstore.pipeline.refusal import ChangedSince, PathsRefused, Refusal
from gvstore.pipeline.working_folder import Change, WorkingFolder
from gvstore.pipeline.working_path import KINDS, TEMPORARY, clashes, path_refusal

NAME = "generated_outputs/code"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A project's folder, beside what must stay as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("kept")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def folder(base: Path) -> Iterator[WorkingFolder]:
    """The working folder of a project."""
    with WorkingFolder(base, NAME) as folder:
        yield folder


def picture(path: Path) -> dict[str, str]:
    """Returns all that lies below a path: relative path -> content, target of a symlink, or "/"."""
    found = {}
    for each in sorted(path.rglob("*")):
        name = each.relative_to(path).as_posix()
        if each.is_symlink():
            found[name] = f"-> {each.readlink()}"
        else:
            found[name] = "/" if each.is_dir() else each.read_bytes().decode(errors="replace")
    return found


def test_files_are_written(folder: WorkingFolder) -> None:
    """With the folders on their way; of a path given twice the last counts; what is the same already is no change."""
    assert (Change("a/b/c.py", None, b"1"), Change("main.py", None, b"3")) == folder.write(
        [("main.py", b"2"), ("a/b/c.py", b"1"), ("main.py", b"3")]
    )[::-1]
    assert (Change("main.py", b"3", b"4"),) == folder.write([("main.py", b"4"), ("a/b/c.py", b"1")])
    assert {"a/b/c.py": b"1", "main.py": b"4"} == folder.files()
    assert b"4" == folder.read("main.py")
    assert folder.read("none.py") is folder.read("no/ne.py") is None


def test_a_run_can_be_taken_back(folder: WorkingFolder) -> None:
    """Several changes of a file lead back to what was before the first; empty folders go."""
    folder.write([("kept.py", b"k"), ("main.py", b"0")])
    before = picture(folder.path)
    changes = [*folder.write([("main.py", b"1"), ("new/deep/x.py", b"x"), ("kept.py", b"l")]), *folder.write([("main.py", b"2")])]

    undone = folder.take_back(changes)
    assert before == picture(folder.path)
    assert () == folder.take_back(changes)

    folder.take_back(undone)
    assert {"kept.py": b"l", "main.py": b"2", "new/deep/x.py": b"x"} == folder.files()


def test_what_was_changed_since_is_not_taken_back(folder: WorkingFolder) -> None:
    """Somebody's edit is worth more; nothing is taken back then."""
    changes = folder.write([("a.py", b"1"), ("b.py", b"1")])
    folder.write([("b.py", b"edited")])

    with pytest.raises(ChangedSince, match=r"b\.py"):
        folder.take_back(changes)
    assert {"a.py": b"1", "b.py": b"edited"} == folder.files()


def test_the_mode_stays(folder: WorkingFolder) -> None:
    """A script that could be run can be run."""
    folder.write([("run.sh", b"1")])
    (folder.path / "run.sh").chmod(0o755)
    folder.write([("run.sh", b"2")])

    assert 0o755 == stat.S_IMODE((folder.path / "run.sh").stat().st_mode)


REFUSED = {
    "../../x": "outside", "a/../../x": "outside", "..": "outside", "a/..": "outside", "/etc/passwd": "absolute", "//x": "absolute",
    "~/x": "absolute", "~": "absolute", "C:\\x": "drive", "c:x": "drive", "C:/x": "drive", "a\\b": "backslash", "..\\x": "backslash",
    "\\\\server\\x": "backslash", "a\0b": "nul", "a\nb": "control", "a\u202eb": "control", "a\x7fb": "control", "\ud800": "not_text",
    "": "empty", "  ": "empty", "a//b": "empty", "./a": "empty", "a/": "empty", ".": "empty", "CON": "reserved", "a/nul.txt": "reserved",
    "Com1.py": "reserved", "LPT9": "reserved", "aux .c": "reserved", "a.": "reserved", "a ": "reserved", "dir /x": "reserved",
    "ab:c": "reserved", "a?": "reserved", "a*b": "reserved", "<a>": "reserved", ".git/config": "reserved", "x/.GIT/hooks/y": "reserved",
    ".gv": "reserved", "git~1/x": "reserved", ".gv-tmp-0": "reserved", "x" * 300: "too_long", "abc/" * 300 + "x": "too_long",
    "a/" * 40 + "x": "too_deep",
}  # fmt: skip


@pytest.mark.parametrize(("path", "kind"), REFUSED.items(), ids=[ascii(path)[:20] for path in REFUSED])
def test_paths_are_refused_by_name(folder: WorkingFolder, base: Path, path: str, kind: str) -> None:
    """Each for its own reason; no file of the answer is written, nothing outside is touched."""
    before = picture(base.parent)

    with pytest.raises(PathsRefused) as refused:
        folder.write([("good.py", b"x"), (path, b"x")])
    assert [(path, kind)] == [(each.path, each.kind) for each in refused.value.refusals]
    assert str(refused.value).isprintable()
    assert before == picture(base.parent)
    with pytest.raises(PathsRefused):
        folder.read(path)
    with pytest.raises(PathsRefused):
        WorkingFolder(base, path)
    assert before == picture(base.parent)


def test_every_refusal_is_told(folder: WorkingFolder) -> None:
    """All at once, in order; who wants the rest leaves them out."""
    files = [("/a", b""), ("ok.py", b""), ("../b", b""), ("ok.py/c", b"")]
    refusals = folder.check(files)

    assert [("/a", "absolute"), ("../b", "outside"), ("ok.py/c", "clash")] == [(each.path, each.kind) for each in refusals]
    assert {each.kind for each in refusals} < set(KINDS)
    assert "/a: it begins at the root" == str(refusals[0])
    bad = {each.path for each in refusals}
    assert ["ok.py"] == [change.path for change in folder.write([file for file in files if file[0] not in bad])]


@pytest.mark.parametrize("pair", [("A.py", "a.py"), ("x/A.py", "X/b.py"), ("straße", "STRASSE"), ("\u00e9", "e\u0301"), ("a", "A/b")])
def test_letter_cases_clash(folder: WorkingFolder, pair: tuple[str, str]) -> None:
    """Within an answer, and with what is in the folder: on some file systems one would overwrite the other."""
    assert ["clash"] == [each.kind for each in folder.check([(path, b"") for path in pair])]

    folder.write([(pair[0], b"first")])
    assert [(pair[1], "clash")] == [(each.path, each.kind) for each in folder.check([(pair[1], b"")])]
    assert {pair[0]: b"first"} == folder.files()


@pytest.mark.parametrize("kind", ["symlink", "dangling", "inside", "folder", "fifo", "on_the_way", "file_on_the_way", "large"])
def test_what_is_in_the_way(folder: WorkingFolder, base: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Symlinks, wherever they lead, are not followed and not replaced; folders and devices are not read."""
    monkeypatch.setattr(open_folder, "MAX_FILE_BYTES", 100)
    path, outside, expected = folder.path / "x", base.parent / "outside", "symlink"
    if kind == "symlink":
        path.symlink_to(outside / "kept")
    elif kind == "dangling":
        path.symlink_to(outside / "new")
    elif kind == "inside":
        (folder.path / "y").write_text("y")
        path.symlink_to("y")
    elif kind == "folder":
        path.mkdir()
        expected = "not_a_file"
    elif kind == "fifo":
        os.mkfifo(path)
        expected = "not_a_file"
    elif kind == "on_the_way":
        path.symlink_to(outside)
    elif kind == "file_on_the_way":
        path.write_text("x")
        expected = "not_a_folder"
    else:
        path.write_text("x" * 101)
        expected = "too_large"
    target = "x/kept" if "way" in kind else "x"
    before = None if kind == "fifo" else picture(base.parent)

    with pytest.raises(PathsRefused) as refused:
        folder.write([("good.py", b"x"), (target, b"evil")])
    assert [(target, expected)] == [(each.path, each.kind) for each in refused.value.refusals]
    with pytest.raises(PathsRefused):
        folder.read(target)
    if before is not None:
        assert before == picture(base.parent)
    assert not {"x/kept", "good.py"} & set(folder.files())


class Raced(WorkingFolder):
    """A working folder beside which somebody acts, at the worst moment."""

    between: Callable[[], None]
    late: Callable[[], None]

    def check(self, files: Sequence[tuple[str, bytes]]) -> tuple[Refusal, ...]:
        """Acts between the check and the first write."""
        found = super().check(files)
        self.between()
        return found

    def _temporary(self) -> tuple[str, int]:
        self.late()
        return super()._temporary()


@pytest.fixture
def raced(base: Path) -> Iterator[Raced]:
    """A folder with a file in a folder, at which nobody acts yet."""
    with Raced(base, NAME) as raced:
        raced.between = raced.late = lambda: None
        raced.write([("sub/kept", b"mine"), ("a.py", b"1")])
        yield raced


def test_a_folder_becomes_a_symlink_between_check_and_write(raced: Raced, base: Path) -> None:
    """The write does not follow it; what was written before is taken back."""

    def act() -> None:
        (raced.path / "sub").rename(raced.path / "moved")
        (raced.path / "sub").symlink_to(base.parent / "outside")

    raced.between = act
    with pytest.raises(PathsRefused, match="symlink"):
        raced.write([("a.py", b"2"), ("new/b.py", b"3"), ("sub/kept", b"evil"), ("z.py", b"4")])

    assert {"kept": "kept"} == picture(base.parent / "outside")
    assert {"a.py": b"1", "moved/kept": b"mine"} == raced.files()
    assert not (raced.path / "new").exists()


@pytest.mark.parametrize("moment", ["between", "late"])
def test_a_file_becomes_a_symlink(raced: Raced, base: Path, moment: str) -> None:
    """Seen after the check, it is refused; at the very last it is replaced itself, and not what it leads to."""

    def act() -> None:
        (raced.path / "a.py").unlink(missing_ok=True)
        (raced.path / "a.py").symlink_to(base.parent / "outside" / "kept")

    setattr(raced, moment, act)
    try:
        raced.write([("a.py", b"evil")])
    except PathsRefused as e:
        assert ("between", "symlink") == (moment, e.refusals[0].kind)
    else:
        assert b"evil" == raced.read("a.py")

    assert {"kept": "kept"} == picture(base.parent / "outside")


def test_what_fails_midway_is_taken_back(raced: Raced, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a disk that is full: all files, or none."""
    before = picture(raced.path)
    writes = 0

    def full() -> None:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise OSError(28, "No space left on device")

    raced.late = full
    with pytest.raises(OSError, match="No space"):
        raced.write([("a.py", b"2"), ("n/b.py", b"2"), ("m/c.py", b"2")])

    assert before == picture(raced.path)


@pytest.mark.parametrize("part", ["generated_outputs", "generated_outputs/code"])
def test_the_folder_itself_is_no_symlink(base: Path, part: str) -> None:
    """A program that ran there may have made it one."""
    (base / part).parent.mkdir(exist_ok=True)
    (base / part).symlink_to(base.parent / "outside")

    with pytest.raises(PathsRefused, match="symlink"):
        WorkingFolder(base, NAME)
    assert {"kept": "kept"} == picture(base.parent / "outside")


def test_files_are_listed(folder: WorkingFolder, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted by path; without links, devices, caches and environments; a large one is cut behind its bound."""
    folder.write([("b/z.py", b"1"), ("b.py", b"2"), ("a.py", b"12345"), ("__pycache__/a.pyc", b""), ("env/pyvenv.cfg", b""), ("env/x.py", b"")])
    (folder.path / "link.py").symlink_to("a.py")
    (folder.path / "out").symlink_to(base.parent / "outside")
    os.mkfifo(folder.path / "fifo.py")
    (folder.path / ".git").mkdir()
    (folder.path / ".git" / "config").write_text("")
    if sys.platform == "linux":
        (folder.path / os.fsdecode(b"\xff.py")).write_text("")

    assert [("a.py", b"1234"), ("b.py", b"2"), ("b/z.py", b"1")] == list(folder.files(limit_bytes=3).items())
    monkeypatch.setattr(working_folder, "MAX_FILES", 2)
    with pytest.raises(PathsRefused, match="more than 2 files"):
        folder.files()


def test_what_a_killed_writer_left_goes(folder: WorkingFolder, base: Path) -> None:
    """But not what a living one is writing."""
    (folder.path / f"{TEMPORARY}dead").write_text("")
    name, fd = folder._temporary()
    with WorkingFolder(base, NAME):
        left = [each.name for each in folder.path.iterdir()]
    os.close(fd)

    assert [name] == left


def test_too_large(folder: WorkingFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file has its bound."""
    monkeypatch.setattr(working_folder, "MAX_FILE_BYTES", 10)

    assert ["too_large"] == [each.kind for each in folder.check([("a", b"x" * 11), ("b", b"x" * 10)])]


@given(st.text(max_size=40))
def test_any_path_is_good_or_refused(path: str) -> None:
    """What is not refused is relative, goes down, and has no name twice."""
    refusal = path_refusal(path)
    if refusal is not None:
        assert refusal.kind in KINDS and str(refusal).isprintable()
    else:
        assert os.path.normpath(path) == path and not path.startswith(("/", "..", "~/"))
        assert [] == clashes([path])
