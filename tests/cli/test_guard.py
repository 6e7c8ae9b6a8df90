"""What reaches a terminal, and how wide it is there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli import cells
from gvstore.cli.guard import guarded, guarded_json, guarded_pieces
from gvstore.cli.main import run
from gvstore.cli.style import ROLES, Paint
from tests.cli.test_output import in_terminal
from tests.conftest import CommandLine
from tests.transcript import ROOT

HOSTILE = "\x1b[2J\x1b]0;pwned\x07 \x9b31m \u202egnp.exe \r\x08 \x1b[31mred"
MOVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
OURS = re.compile(rf"\x1b\[(?:{'|'.join(map(re.escape, filter(None, ROLES.values())))})?m")


def moves(text: str) -> list[str]:
    """Returns what of a text could move a terminal, our colours left out."""
    return MOVES.findall(OURS.sub("", text))


@given(st.text(), st.sampled_from(sorted(ROLES)))
def test_nothing_of_a_text_moves_the_terminal(text: str, role: str) -> None:
    """Of any text only line ends, tabs and our colours are left, and no colour outlives the line."""
    shown = guarded(Paint(True)(role, text) + text)

    assert [] == moves(shown)
    assert "\x1b" not in shown or "\x1b[m" == OURS.findall(shown)[-1]


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=50), st.sampled_from(sorted(ROLES)))
def test_harmless_texts_stay(text: str, role: str) -> None:
    """What can be seen is left as it is, painted or not."""
    painted = Paint(True)(role, text)

    assert text == guarded(text)
    assert painted == guarded(painted)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_documents_say_the_same(value: object) -> None:
    """JSON on a terminal is the same JSON."""
    shown = guarded_json(json.dumps(value, ensure_ascii=False))

    assert value == json.loads(shown)
    assert [] == moves(shown)


@given(st.binary(), st.integers(1, 7))
def test_bytes_are_shown_as_they_can_be(data: bytes, size: int) -> None:
    """Any bytes, however cut, give text that moves nothing; what is ASCII stays."""
    shown = "".join(guarded_pieces(data[i : i + size] for i in range(0, len(data), size)))

    assert [] == moves(shown)
    assert not (data.isascii() and data.decode("ascii").isprintable()) or data.decode() == shown


@given(st.text(max_size=40), st.integers(1, 50))
def test_cut_texts_fit(text: str, width: int) -> None:
    """A cut text takes no more columns than there are, a padded one no fewer."""
    shown = cells.cut(text, width)

    assert cells.cells(shown) <= width
    assert shown == text or shown.endswith("…")
    assert cells.cells(cells.pad(text, width)) >= width


def test_wide_characters_take_two_columns() -> None:
    """CJK and emoji are wide, combining marks take no room."""

    assert [3, 4, 2, 1] == [cells.cells(text) for text in ("abc", "漢字", "🦦", "é")]
    assert "漢…" == cells.cut("漢字漢字", 4)


@pytest.fixture
def hostile(gv: CommandLine) -> CommandLine:
    """A repository in which every text that somebody else could have written is hostile."""
    gv("init")
    gv.write(
        "agent.py",
        f"def say(x: str) -> str:\n    {HOSTILE!r}\n    if x: raise ValueError({HOSTILE!r})\n    return {HOSTILE!r}\n",
    )
    (gv.folder / f"evil{HOSTILE}.txt".replace("/", "")).write_text(HOSTILE)
    gv.write("evil.txt", HOSTILE)
    gv("run", "-m", HOSTILE, "agent.py:say", "")
    gv("run", "agent.py:say", HOSTILE, status=20)
    gv("commit", "-m", HOSTILE, "--author", HOSTILE) if "--author" in gv("commit", "--help").out else gv(
        "commit", "-m", HOSTILE
    )
    gv.write("evil.txt", HOSTILE + "\n" + HOSTILE)
    gv("commit", "-m", HOSTILE)
    gv("tag", "-a", "-m", HOSTILE, "v1")
    gv("note", "run/1", HOSTILE)
    gv.write("evil.txt", HOSTILE)
    return gv


COMMANDS = [
    "log", "log --oneline", "log --graph --stat", "log -p", "log --name-status", "log --json", "status", "diff", "diff HEAD~1 HEAD",
    "diff --stat HEAD", "diff --word-diff HEAD", "show HEAD", "show run/1", "show run/2", "show HEAD::agent.say", "runs", "runs --json",
    "runs --graph", "get run/1:/output", "cat-file -p HEAD", "ls-tree HEAD", "ls-files", "blame run/1:/output", "blame evil.txt",
    "grep red", "grep --runs red", "op log", "op show", "reflog", "tag -n", "note run/1", "for-each-ref --format %(contents)",
    "show nowhere\x1b[2J", "branch x\x1b[2J", "config alias.x\x1b[2J y", "checkout \x1b[2J", "rm \x1b[2J", "undo --dry-run", "\x1b[2J",
]  # fmt: skip


def test_no_output_moves_the_terminal(hostile: CommandLine) -> None:
    """Of no command anything but text, line ends and our colours goes out where it is meant for a terminal."""
    for line in COMMANDS:
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run(["--color", "always", *line.split(" ")])
        for stream in (out, err):
            stream.flush()
            stream.seek(0)

            assert [] == moves(stream.read()), line


def test_bytes_to_a_terminal(hostile: CommandLine) -> None:
    """Bare values and objects are shown there as far as they can be."""
    for command in (["get", "HEAD:evil.txt"], ["cat-file", "HEAD:evil.txt"]):
        shown = in_terminal(hostile.folder, *command)

        assert [] == moves(shown.replace("\r\n", "\n"))
        assert "\\x1b[2J" in shown


def test_pipes_get_texts_as_they_are(hostile: CommandLine) -> None:
    """What is no terminal gets the bytes: a value must come back."""

    assert HOSTILE.encode() == hostile("get", "HEAD~1:evil.txt").raw
    assert HOSTILE in hostile("get", "run/1:/output").raw.decode()
    assert [] == moves(hostile("--color", "always", "diff").out)  # dressed for a terminal further on


def test_colour_always_goes_into_pipes(hostile: CommandLine) -> None:
    """--color always is for `less -R`; a narrow terminal and a wrong COLUMNS are taken as they come."""

    assert "\x1b[" in hostile("--color", "always", "status").out
    assert in_terminal(hostile.folder, "--no-pager", "runs", COLUMNS="40")
    assert in_terminal(hostile.folder, "--no-pager", "runs", COLUMNS="0")
    assert in_terminal(hostile.folder, "--no-pager", "runs", COLUMNS="many", TERM="")


def test_other_encodings_take_what_they_can(hostile: CommandLine) -> None:
    """Under LANG=C and in Latin-1 nothing is lost and nothing fails: what has no character there is an escape."""
    hostile.write("日本.txt", "x")
    for variables in ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "latin-1"}):
        done = subprocess.run(
            [sys.executable, "-m", "gvstore", "ls-files", "--others"],
            cwd=hostile.folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | variables, capture_output=True, check=True,
        )  # fmt: skip

        assert b"" == done.stderr
        assert any(form in done.stdout for form in (b"\\u65e5\\u672c.txt", b"\\346\\227\\245\\346\\234\\254.txt"))


def test_a_full_disk_is_told() -> None:
    """An answer that cannot be written is a failure, not a success."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gvstore", "--help"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )  # fmt: skip

    assert 11 == done.returncode
    assert "No space left on device" in done.stderr
