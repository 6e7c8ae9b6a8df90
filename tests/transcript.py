"""Runs the console blocks of a Markdown file and says what they print today.

Every file's blocks run in one shell and one empty folder, from top to bottom.
A block looks like a terminal, but keeps the two streams apart:

    ```console
    $ gv show run/9            a command; lines that open with "> " continue it
    ! error: there is no run/9
    ! hint: the last one is run/3       stderr, each line behind "! "
    [12]                                the status, where it is not 0
    ```

A command's stdout stands first, then its stderr.  Nothing is masked: the
environment is made here, GV_AUTHOR, GV_NOW, GV_HOST and GV_PYTHON fix what
would differ, so that ids repeat.  `pytest --accept` writes what was printed into the file.

A block that opens with "```console no-run" is not run; a test asks that the
text before it says why.  (cram and prysk do this too, but are GPL-2 and merge
the two streams.)
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPEN, CLOSE = "```console", "```"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a transcript: its lines as typed, and the range of lines where its output stands."""

    typed: list[str]
    start: int
    end: int

    @property
    def command(self) -> str:
        return "\n".join(line[2:] for line in self.typed)


def steps(lines: list[str]) -> Iterator[Step]:
    """Yields the commands of all blocks that are run, in order."""
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        if line.rstrip() != OPEN:
            continue
        while lines[i].rstrip() != CLOSE:
            assert lines[i].startswith("$ "), f"line {i + 1}: a console block begins with a command"
            typed = [lines[i]]
            i += 1
            while re.match("> |>$", lines[i]):
                typed.append(lines[i])
                i += 1
            start = i
            while lines[i].rstrip() != CLOSE and not lines[i].startswith("$ "):
                i += 1
            yield Step(typed, start, i)
        i += 1


def environment(folder: Path) -> dict[str, str]:
    """Returns a scrubbed environment: nothing of the developer's own, every source of chance fixed."""
    tools = folder / "bin"
    tools.mkdir()
    for name, arguments in (("gv", "-m gvstore "), ("python", ""), ("python3", "")):
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n')
        script.chmod(0o755)
    kept = {name: os.environ[name] for name in ("TMPDIR", "GV_MODEL_PATH") if name in os.environ}
    return kept | {
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "100",
        "LOGNAME": "ada",
        "GV_AUTHOR": "Ada <ada@example.org>",
        "GV_NOW": "2026-11-20T10:02:11Z",
        "GV_HOST": "engine",
        "GV_PYTHON": "3.12.4",
        "GIT_CONFIG_NOSYSTEM": "1",
        "EXAMPLES": str(ROOT / "docs" / "examples"),
    }


def heed_ctrl_c() -> None:
    """Lets a child heed Ctrl-C, also if the tests run in the background, where shells have it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(commands: list[str], folder: Path, timeout_s: float = 300) -> list[list[str]]:
    """Returns for each command what a transcript shows below it; `folder` is empty and is filled."""
    env = environment(folder)
    work, seen = folder / "home" / "work", folder / "seen"
    work.mkdir(parents=True)
    seen.mkdir()
    # One script, so that `cd` and variables last; a brace group runs in the shell itself.
    script = [
        f"{{ {c}\n}} >{seen}/{i}.out 2>{seen}/{i}.err </dev/null; echo $? >{seen}/{i}.status"
        for i, c in enumerate(commands)
    ]
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", "\n".join(script)],
        cwd=work, env=env, capture_output=True, text=True, timeout=timeout_s, check=False, preexec_fn=heed_ctrl_c,
    )  # fmt: skip
    assert "" == done.stderr, f"the shell complains: {done.stderr}"
    return [_shown(seen / str(i)) for i in range(len(commands))]


def _shown(seen: Path) -> list[str]:
    """Returns stdout, then stderr behind "! ", then the status where it is not 0."""
    out = seen.with_suffix(".out").read_text(errors="backslashreplace")
    err = seen.with_suffix(".err").read_text(errors="backslashreplace")
    status = int(seen.with_suffix(".status").read_text())
    lines = out.removesuffix("\n").split("\n") if out else []
    lines += ["! " + line if line else "!" for line in err.removesuffix("\n").split("\n")] if err else []
    return lines + ([f"[{status}]"] if status else [])


def rewritten(path: Path, folder: Path) -> tuple[str, str]:
    """Returns the file as it is, and as it would be if its blocks showed what is printed today."""
    old = path.read_text()
    lines = old.split("\n")
    found = list(steps(lines))
    for step, shown in reversed(list(zip(found, run([s.command for s in found], folder), strict=True))):
        lines[step.start : step.end] = shown
    return old, "\n".join(lines)
