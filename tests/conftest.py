"""Fixtures of all tests: `gv` (the command line in process), and `--accept`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gvstore.cli.main import run
from tests.transcript import ROOT

AUTHOR = "Ada <ada@example.org>"
NOW = "2026-11-20T10:02:11Z"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="rewrite transcripts and generated docs with what is printed today"
    )


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether expected texts are rewritten rather than compared."""
    return bool(request.config.getoption("--accept"))


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: its status and the two streams apart."""

    status: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def jsons(self) -> list[Any]:
        """The documents on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def failure(self) -> Any:
        """The error document on stderr: the last line, as warnings may stand before it."""
        return json.loads(self.err.splitlines()[-1])


class CommandLine:
    """Runs `gv` in this process, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str | Path, status: int = 0) -> Done:
        """Returns what `gv ARGUMENTS` printed; fails unless it ends with `status`."""
        done = self.attempt(*arguments)

        assert status == done.status, done.out + done.err
        return done

    def attempt(self, *arguments: str | Path) -> Done:
        """Returns what `gv ARGUMENTS` printed, however it ended."""
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        known, path, folder, limit = set(sys.modules), list(sys.path), Path.cwd(), sys.getrecursionlimit()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run([str(a) for a in arguments])
        finally:
            os.chdir(folder)  # -C moved us
            sys.path[:] = path
            sys.setrecursionlimit(limit)  # a program may raise it, and what comes after would overrun the real stack
            self._forget_modules(known)
        return Done(code, _content(out), _content(err).decode())

    def write(self, name: str, text: str) -> Path:
        """Returns the path of a file made in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def _forget_modules(self, known: set[str]) -> None:
        """Lets the next command import the folder's modules anew, as a new process would."""
        for name in set(sys.modules) - known:
            module = sys.modules[name]
            place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")  # a folder is a package too
            if str(place).startswith(str(self.folder)):
                del sys.modules[name]


def _content(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


@pytest.fixture
def gv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """The command line, in an empty folder, with fixed clock and author and nothing of the developer's own."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.chdir(work)
    for name in ("GV_DIR", "GV_PAGER", "PAGER", "NO_COLOR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "TZ": "UTC",
        "LOGNAME": "ada",
        "COLUMNS": "100",
        "GV_AUTHOR": AUTHOR,
        "GV_NOW": NOW,
        "GV_HOST": "engine",
        "GV_PYTHON": "3.12.4",
    }.items():
        monkeypatch.setenv(name, value)
    yield CommandLine(work)


@pytest.fixture(autouse=True)
def no_store_outlives_its_test() -> Iterator[None]:
    """`gv.use` is for the whole process: a test that calls it does not choose for those after it."""
    yield
    from gvstore.store.active import use_store

    use_store(None)
