"""Objects that are pieces of something, or are there no more, met on the command line."""

from __future__ import annotations

import pytest

from gvstore.objects.check import holds_calls
from gvstore.objects.oid import ObjectId
from gvstore.repo import Repository
from tests.conftest import CommandLine

PROGRAM = """
import gvstore as gv

@gv.register
def leaf(n: int) -> int:
    return n

@gv.register
def f() -> int:
    return sum(leaf(n) for n in range(6))
"""


def test_a_list_of_calls_is_no_damage(gv: CommandLine) -> None:
    """It stands apart from its run where it is long; it is sound, and what it is gets said."""
    gv("init")
    gv.write("p.py", PROGRAM)
    gv("run", "p.py:f")
    with Repository.open(gv.folder) as repo:
        (oid,) = [ObjectId(oid) for oid in repo.objects if holds_calls(repo.objects.read(oid))]

    assert "clean\n" == gv("fsck", "--full").out
    for command in ("show", "get"):
        told = gv(command, oid.hex(), status=12)
        assert "is a list of calls within a run, no value" in told.err


READS = """
from pathlib import Path

import gvstore as gv

@gv.register
def size() -> int:
    return len(Path("notes.txt").read_text())
"""


def test_a_run_that_reads_a_forgotten_file_goes_on(gv: CommandLine) -> None:
    """It is told which file its code lacks; a checkout of that code, and a commit with other code forgotten, go on too."""
    gv("init")
    gv.write("notes.txt", "a key\n")
    gv.write("r.py", READS)
    gv.write("gone.py", "KEY = 1\n")
    gv("commit", "-m", "first")
    gv("forget", "HEAD:notes.txt", "HEAD:gone.py", "--yes", "-m", "oops")

    told = gv("run", "r.py:size")
    assert "= 6" in told.out
    assert "notes.txt was left out of the code snapshot: it was forgotten on" in told.err
    gv.write("r.py", READS + "#\n")
    gv("commit", "-m", "second", "r.py")
    gv("checkout", "HEAD~1")
    (gv.folder / "notes.txt").unlink()
    back = gv("checkout", "HEAD", "--json", "--", "notes.txt", "r.py")
    assert ["notes.txt"] == back.json["missing"]
    assert "notes.txt was forgotten on" in back.err


COPIES = """
import gvstore as gv

@gv.register
def echo(text: str) -> str:
    return text

@gv.register
def f(text: str) -> int:
    return len(echo(text))
"""


@pytest.mark.parametrize("repeated", [1, 20])
def test_forget_names_the_same_text_elsewhere(gv: CommandLine, repeated: int) -> None:
    """In values, in calls, in other files, short or linked; forgetting what it says leaves none."""
    gv("init")
    text = "".join(f"what nobody may see, number {n}, " for n in range(repeated))
    gv.write("hidden.txt", text + "\n")
    gv.write("p.py", COPIES)
    gv("commit", "-m", "first")
    gv("put", "@hidden.txt", "--name", "hid")
    gv("put", text, "--name", "other")
    gv("run", "p.py:f", text)
    gv("run", "p.py:f", "something else")
    told = gv("forget", "main:hidden.txt", "--dry-run")
    found = gv("forget", "main:hidden.txt", "--dry-run", "--json").json["forgotten"][0]["copies"]
    again = [each["forget"] for each in found]

    assert {"hid", "run/1"} <= {where.partition(":")[0] for each in found for where in each["where"]}
    assert repeated > 1 or "`gv forget run/1`" in told.out
    assert "run/2" not in told.out
    gv("forget", "main:hidden.txt", *dict.fromkeys(again), "--yes")
    with Repository.open(gv.folder) as repo:
        assert [] == [oid for oid in repo.objects if text.strip().encode()[:200] in repo.objects.read(oid)]


def test_an_empty_rev_is_checked_out_by_nobody(gv: CommandLine) -> None:
    """HEAD stays on its branch."""
    gv("init")
    gv.write("a.txt", "a")
    gv("commit", "-m", "first")

    assert "an empty rev names nothing" in gv("checkout", "", status=12).err
    assert "main" == gv("status", "--json").json["branch"]


def test_commits_left_behind_are_told(gv: CommandLine) -> None:
    """Those of a detached HEAD, once; not those that a branch leads to."""
    gv("init")
    for name in ("first", "second"):
        gv.write("a.txt", name)
        gv("commit", "-m", name)
    assert "left behind" not in gv("checkout", "HEAD~1").err
    gv.write("a.txt", "third")
    oid = gv("commit", "-m", "third", "--json").json["oid"]
    told = gv("checkout", "main").err

    assert "1 commit left behind" in told
    assert f"`gv branch NAME {oid[:8]}`" in told
    gv("branch", "kept", oid)
    gv("checkout", "--detach", "kept")
    assert "left behind" not in gv("checkout", "main").err


def test_a_lost_format_file_is_told_and_written_again(gv: CommandLine) -> None:
    """All that was there is there."""
    gv("init")
    gv("put", "1", "--name", "one")
    (gv.folder / ".gv/format").unlink()

    assert "its file `format` is missing" in gv("runs", status=10).err
    told = gv("init")
    assert told.out.startswith("Found existing")
    assert "is written again" in told.err
    assert "1\n" == gv("get", "one").out
