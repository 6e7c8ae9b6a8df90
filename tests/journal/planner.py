"""A recorded project, copies of which are edited and looked at by processes that have seen nothing of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.measure import ROOT
from tests.journal.edits import FILES, Edit

# Has imported gvstore and libraries, and nothing of the project; each edit is looked at by a process of its own, forked from it.
SERVER = """
import asyncio, contextlib, dataclasses, enum, importlib, io, json, os, pkgutil, sys
with contextlib.suppress(ImportError):
    from pydantic import BaseModel; type("Warm", (BaseModel,), {"__module__": "x"})
import gvstore
from gvstore.cli import main
for room in ("objects", "store", "odb", "repo", "refs", "code", "journal", "machine", "cli"):
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
    """Plans the replay of a project's one run, `run` being the arguments of `gv run`, in a process that has seen nothing of it."""

    def __init__(self, folder: Path, files: Mapping[str, str] = FILES, run: Sequence[str] = ("steps.py:main",)) -> None:
        self.files, self.number = files, 0
        self.pristine, self.copies = folder / "pristine", folder / "copies"
        for name, text in files.items():
            (self.pristine / name).parent.mkdir(parents=True, exist_ok=True)
            (self.pristine / name).write_text(text)
        self.environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "GV_AUTHOR": "Ada"}
        for arguments in (["init", "-q"], ["run", "-q", *run]):
            command = [sys.executable, "-m", "gvstore", *arguments]
            subprocess.run(command, cwd=self.pristine, env=self.environment, check=True, capture_output=True)
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def stale(self, edit: Edit) -> dict[str, str]:
        """Returns the components that no longer hold after an edit of a copy, with the reasons; those that only call such are left out."""
        self.number += 1
        folder = self.copies / str(self.number)
        shutil.copytree(self.pristine, folder)
        text = self.files[edit.path]
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
        return {name: reason for name, reason in told.items() if reason != "a call below it runs"}

    def close(self) -> None:
        self.server.communicate()
