"""Plumbing: what scripts read."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli.plumbing import quoted
from gvstore.objects.kind import Kind
from tests.conftest import CommandLine


def say(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> None:
    """Puts words on stdin for the next command."""
    data = text.encode() if isinstance(text, str) else text
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def committed(gv: CommandLine) -> str:
    """Returns the first commit of a repository with a run in it."""
    gv("init")
    gv.write("dice.py", "def roll() -> int:\n    return 4\n")
    gv.write('src/odd \t"name".txt', "x\n")
    gv("run", "dice.py:roll")
    gv("commit", "-m", "one")
    return gv("rev-parse", "HEAD").out.strip()


def test_every_object_hashes_to_its_name(gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """hash-object of what cat-file prints is the object, of every kind; and cat-file --batch prints the same bytes."""
    committed(gv)
    for line in gv("cat-file", "--batch-all-objects", "--batch-check").out.splitlines():
        oid, kind, size = line.split()
        data = gv("cat-file", oid).raw
        say(monkeypatch, data[1:])

        assert (kind, int(size)) == (Kind(data[0]).word, len(data))
        assert oid == gv("hash-object", "--stdin", "-t", kind).out.strip()
        say(monkeypatch, oid + "\n")
        assert f"{line}\n".encode() + data + b"\n" == gv("cat-file", "--batch").raw


def test_ls_tree_lists_as_git_does(gv: CommandLine, tmp_path: Path) -> None:
    """Modes, order, quotes and zero bytes are those of git for the same folder; only the names of objects are ours."""
    gv("init")
    for name in ("a.txt", "a/b.txt", "a0", "b/c/d.txt", "tab\there", 'quo"te', "back\\slash", "ünï", "b.x/y"):
        gv.write(name, name)
    (gv.folder / "run.sh").write_text("x")
    (gv.folder / "run.sh").chmod(0o755)
    (gv.folder / "link").symlink_to("a.txt")
    gv("commit", "-m", "one")
    env = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str) -> bytes:
        words = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.quotePath=false", *arguments]
        return subprocess.run(words, cwd=gv.folder, env=env, capture_output=True, check=True).stdout

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    for options in (
        ["HEAD"],
        ["-r", "HEAD"],
        ["-r", "-t", "HEAD"],
        ["-d", "HEAD"],
        ["-z", "-r", "HEAD"],
        ["HEAD", "b", "a/"],
    ):
        ours, theirs = gv("ls-tree", *options).raw, git("ls-tree", *options)

        assert without_oids(theirs) == without_oids(ours)
        assert git("ls-tree", "--name-only", *options) == gv("ls-tree", "--name-only", *options).raw
    assert git("ls-files", "-z") == gv("ls-files", "-z").raw
    assert git("ls-files") == gv("ls-files").raw


def without_oids(listing: bytes) -> list[bytes]:
    """Returns the lines of ls-tree without the names of objects."""
    end = b"\0" if b"\0" in listing else b"\n"
    return [b" ".join(line.split(b" ", 2)[:2]) + line[line.index(b"\t") :] for line in listing.split(end) if line]


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_quoted_names_have_no_line_ends(name: str) -> None:
    """A path stands on one line, and only where it must in quotes."""
    shown = quoted(name)

    assert shown.isprintable()
    assert (shown == name) == (name.isprintable() and '"' not in name and "\\" not in name)


def test_update_ref_is_one_operation_or_nothing(gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that fails at its last line changes no ref; `verify` of a missing ref holds it away."""
    oid = committed(gv)
    before = gv("show-ref").out
    say(monkeypatch, f"create refs/heads/a {oid}\nverify refs/heads/main\n")

    assert "ref_moved" == gv("update-ref", "--stdin", "--json", status=11).failure["error"]
    assert before == gv("show-ref").out
    say(
        monkeypatch,
        f"create refs/heads/a {oid}\nverify refs/heads/b\nverify refs/heads/main {oid}\n".replace("\n", "\0"),
    )
    gv("update-ref", "--stdin", "-z")
    assert f"{oid} refs/heads/a\n" in gv("show-ref").out
    say(monkeypatch, f"create refs/heads/c {oid}\ncreate refs/heads/c {oid}\n")
    assert "not_moved" == gv("update-ref", "--stdin", "--json", status=2).failure["error"]


def test_names_in_any_bytes_come_through(gv: CommandLine) -> None:
    """A file whose name is no UTF-8 is quoted by its bytes, and stands raw with -z."""
    gv("init")
    (gv.folder / "bad\udcff").write_text("x")
    gv("commit", "-m", "one")

    assert '"bad\\377"\n' == gv("ls-files").out
    assert b"bad\xff\0" == gv("ls-files", "-z").raw
