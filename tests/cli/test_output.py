"""The way out: streams, colours, pager, bars."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gvstore.cli.output import Output
from gvstore.cli.pager import page
from gvstore.cli.style import PLAIN, ROLES, Paint
from gvstore.odb import progress
from tests.conftest import CommandLine
from tests.transcript import ROOT


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of one line."""

    oid: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield paint("oid", self.oid)


def in_terminal(folder: Path, *arguments: str, **variables: str) -> str:
    """Returns what `gv ARGUMENTS` writes to a terminal of its own."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "HOME": str(folder)} | variables
    reader, writer = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "gvstore", *arguments], cwd=folder, env=env, stdin=writer, stdout=writer, stderr=writer
    )
    os.close(writer)
    seen = b""
    while True:
        try:
            piece = os.read(reader, 65536)
        except OSError:  # the terminal closes with the last process in it
            break
        if not piece:
            break
        seen += piece
    child.wait()
    os.close(reader)
    return seen.decode()


def test_answers_go_to_stdout_and_the_rest_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """stdout is the answer only."""
    output = Output()
    output.status("going")
    output.result(Answer("9f31"))
    output.warning("odd")
    output.hint("do this")
    told = capsys.readouterr()

    assert "9f31\n" == told.out
    assert "going\nwarning: odd\nhint: do this\n" == told.err


def test_quiet_silences_status_only(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings are no status."""
    output = Output(quiet=True)
    output.status("going")
    output.warning("odd")

    assert "warning: odd\n" == capsys.readouterr().err


def test_json_is_one_document_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    """A stream is a line an item."""
    Output(json=True).stream([Answer("1"), Answer("2")])

    assert '{"oid": "1"}\n{"oid": "2"}\n' == capsys.readouterr().out


def test_colour_by_role() -> None:
    """Every role paints, and plain is plain."""

    assert all("x" == PLAIN(role, "x") for role in ROLES)
    assert "\x1b[33mx\x1b[m" == Paint(True)("oid", "x")
    assert "" == Paint(True)("oid", "")


def test_bars_are_drawn_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar is drawn on stderr; without one, moving it does nothing."""
    for bars in (False, True):
        with Output(bars=bars).progress("weights", size_bytes=True) as advance:
            advance(1, 10)
            advance(10, 10)
        with Output(bars=bars).working("checking"):
            progress.begin(1000)
            progress.step(500)

    assert "" == capsys.readouterr().out


@pytest.fixture
def repository(gv: CommandLine) -> CommandLine:
    """A repository with one commit."""
    gv.write("a.txt", "one\n")
    gv("init")
    gv("commit", "-m", "one")
    return gv


def test_colour_only_on_a_terminal(repository: CommandLine) -> None:
    """--color, NO_COLOR and TERM=dumb are respected."""
    folder = repository.folder

    assert "\x1b[" not in repository("log", "--oneline").out
    assert "\x1b[33m" in repository("log", "--oneline", "--color=always").out
    assert "\x1b[33m" in in_terminal(folder, "--no-pager", "log", "--oneline")
    assert "\x1b[33m" not in in_terminal(folder, "--no-pager", "log", "--oneline", NO_COLOR="1")
    assert "\x1b[33m" not in in_terminal(folder, "--no-pager", "log", "--oneline", TERM="dumb")
    assert "\x1b[33m" not in in_terminal(folder, "--no-pager", "log", "--oneline", "--color", "never")


def test_pager_only_on_a_terminal(repository: CommandLine) -> None:
    """GV_PAGER goes before PAGER; other commands than log, diff and show have none."""
    pagers = {"GV_PAGER": "sed s/one/paged/", "PAGER": "sed s/one/wrong/"}

    assert "paged" in in_terminal(repository.folder, "log", "--oneline", **pagers)
    assert "paged" not in in_terminal(repository.folder, "log", "--oneline", "--no-pager", **pagers)
    assert "paged" not in in_terminal(repository.folder, "branch", **pagers)
    assert "paged" not in repository("log").out


def test_pager_that_is_quit_is_no_error() -> None:
    """Quitting early stops the making of lines, without a word."""
    made = []

    def lines() -> Iterator[str]:
        for number in range(1_000_000):
            made.append(number)
            yield "x" * 100

    page(lines(), "head -n 1 > /dev/null")

    assert len(made) < 1_000_000


def test_a_command_imports_itself_alone() -> None:
    """`gv status` imports one file of commands, and no rich."""
    code = "import sys; from gvstore.cli.main import run; run(['branch']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = done.stdout.split()

    assert ["gvstore.cli.commands.branch"] == [m for m in modules if m.startswith("gvstore.cli.commands.")]
    assert not {"rich", "gvstore.journal", "gvstore.models", "gvstore.code"} & set(modules)


def test_a_bar_is_shown_for_each_large_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody watches, and only where bars are drawn."""
    from gvstore.repo.progress import Progress, tell

    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal

    for bars in (False, True):
        stop = Output(bars=bars).watch_files()
        tell(Progress("large.bin", "store", 4, 10))
        tell(Progress("large.bin", "store", 10, 10))
        tell(Progress("other.bin", "write", 1, 10))
        stop()
        tell(Progress("unseen.bin", "write", 1, 10))
        captured = capsys.readouterr()
        assert "" == captured.out
        assert [bars, bars] == [name in captured.err for name in ("store large.bin", "write other.bin")]
        assert "unseen" not in captured.err


def test_a_terminal_is_told_of_slow_calls_while_a_run_goes_on(repository: CommandLine) -> None:
    """One line when a call of the root ends; none where nobody looks, or for calls that take no time."""
    program = "import time, gvstore as gv\n@gv.register\ndef nap(s: float) -> float:\n    time.sleep(s)\n    return s\n"
    (repository.folder / "naps.py").write_text(program + "def rest() -> float:\n    return nap(0.0) + nap(0.25)\n")

    told = in_terminal(repository.folder, "run", "naps.py:rest", GV_NOW="", TERM="dumb")
    assert "nap(0.25) = 0.25" in told
    assert "nap(0.0)" not in told
    assert "nap" not in in_terminal(repository.folder, "run", "-q", "naps.py:rest", GV_NOW="")
    assert "" == repository("run", "naps.py:rest").err
