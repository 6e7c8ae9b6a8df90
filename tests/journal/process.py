"""Programs of their own: a project folder, files in it, processes that run there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.transcript import ROOT

TIMEOUT_S = 60


class Project:
    """A folder with a program, which notes what it executes in the file `ran`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str) -> Path:
        """Returns the path of a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Returns a process that runs `script` in the project, with gvstore at hand."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GV_")}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **variables}
        return subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, script: str, *arguments: str, status: int = 0, key: tuple[str, str] = ("", "")) -> str:
        """Returns what `script` printed; fails unless it ends with `status`.  `key` is a variable that it sees."""
        process = self.start(script, *arguments, **({key[0]: key[1]} if key[0] else {}))
        out, err = process.communicate(timeout=TIMEOUT_S)

        assert status == process.returncode, out + err
        return out

    def killed(self, script: str, *arguments: str) -> None:
        """Runs a script that kills itself with SIGKILL."""
        self.run(script, *arguments, status=-signal.SIGKILL)

    def ran(self) -> list[str]:
        """Returns what was executed since this was last asked."""
        path = self.folder / "ran"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


NOTE = """
import os

def note(text):
    fd = os.open("ran", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, f"{text}\\n".encode())
    os.close(fd)
"""
