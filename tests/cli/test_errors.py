"""Exceptions end as a status and a few words, never as a traceback."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from gvstore.cli.context import CommandContext
from gvstore.cli.errors import describe, report, snake
from gvstore.errors import Conflict


class Moved(Conflict):
    """The ref moved."""


def test_status_and_hint_come_from_the_error() -> None:
    """A room decides, the command line tells."""
    told = describe(Moved("main moved"), CommandContext())

    assert ("moved", "main moved", "Run the command again.", 11) == (
        told.error,
        told.message,
        told.hint,
        told.exit_code,
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("x"), 2),
        (PermissionError(13, "no", "f"), 11),
        (OSError(28, "full"), 11),
        (OSError(5, "broken"), 70),
    ],
)
def test_other_errors(error: BaseException, status: int) -> None:
    """What is no GvError has its status here."""

    assert status == describe(error, CommandContext()).exit_code


def test_bug_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug is one line and the place of the traceback."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("GV_DEBUG", raising=False)
    try:
        raise ZeroDivisionError("oh")
    except ZeroDivisionError as e:
        status = report(e, CommandContext())
    told = capsys.readouterr().err
    log = tmp_path / "gvstore" / "bugs.log"

    assert 70 == status
    assert told.startswith("error: this is a bug in gv: ZeroDivisionError: oh (test_errors.py:")
    assert str(log) in told
    assert "Traceback" not in told
    assert "Traceback" in log.read_text()


def test_bug_shows_its_traceback_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """GV_DEBUG=1 is for us."""
    monkeypatch.setenv("GV_DEBUG", "1")
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    report(ZeroDivisionError("oh"), CommandContext())

    assert "ZeroDivisionError: oh" in capsys.readouterr().err


def test_names_are_snake_case() -> None:
    """The `error` of the JSON line is the class in snake_case."""

    assert "ref_moved" == snake("RefMoved")
