"""Each kind of edit, made to a copy of a recorded project and told by a new process: fresh or stale, and why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.measure import ROOT
from tests.journal.edits import EDITS, FILES, Edit

# Has imported gvstore and libraries, and nothing of the project; each edit is looked at by a process of its own, forked from it.
SERVER = """
import asyncio, contextlib, dataclasses, enum, importlib, io, json, os, pkgutil, sys
with contextlib.suppress(ImportError):
    from pydantic import BaseModel; type("Warm", (BaseModel,), {"__module__": "x"})
import gvstore
from gvstore.cli import main
for room in ("objects", "store", "odb", "repo", "refs", "code", "journal", "cli"):
    for each in pkgutil.iter_modules([gvstore.__path__[0] + "/" + room], f"gvstore.{room}."):
        importlib.import_module(each.name)
import gvstore.cli.commands.replay
sys.dont_write_bytecode = True
for line in sys.stdin:
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.chdir(line.rstrip("\\n"))
        out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.run(["replay", "--plan", "--json"])
        out.seek(0), err.seek(0)
        os.write(tell, json.dumps([status, out.read(), err.read()]).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as answer:
        print(answer.read(), flush=True)
    os.waitpid(pid, 0)
"""


class Planner:
    """Plans the replay of a project's last run, in a process that has seen nothing of it."""

    def __init__(self, folder: Path) -> None:
        self.pristine, self.copies = folder / "pristine", folder / "copies"
        for name, text in FILES.items():
            (self.pristine / name).parent.mkdir(parents=True, exist_ok=True)
            (self.pristine / name).write_text(text)
        self.environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "GV_AUTHOR": "Ada"}
        for arguments in (["init", "-q"], ["run", "-q", "steps.py:main"]):
            command = [sys.executable, "-m", "gvstore", *arguments]
            subprocess.run(command, cwd=self.pristine, env=self.environment, check=True, capture_output=True)
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def stale(self, edit: Edit) -> dict[str, str]:
        """Returns the components that no longer hold after an edit of a copy, with the reasons."""
        folder = self.copies / str(EDITS.index(edit))
        shutil.copytree(self.pristine, folder)
        text = FILES[edit.path]
        assert edit.before in text
        (folder / edit.path).write_text(text.replace(edit.before, edit.after, 1))
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(folder, file=self.server.stdin, flush=True)
        status, out, err = json.loads(self.server.stdout.readline())
        assert status == 0, err
        calls = json.loads(out)["calls"]
        shutil.rmtree(folder)
        told = {each["component"].removeprefix("steps."): each["reason"] for each in calls if each["action"] == "run"}
        if told.get("main") == "a call below it runs":
            del told["main"]
        return told

    def close(self) -> None:
        self.server.communicate()


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    found = Planner(tmp_path_factory.mktemp("edits"))
    yield found
    found.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("edit", EDITS, ids=[each.name for each in EDITS])
def test_an_edit_is_told_with_its_reason(planner: Planner, edit: Edit) -> None:
    """The components that the edit concerns are stale, each for its reason; all the others hold, but for what calls them."""
    assert edit.stale == planner.stale(edit)
