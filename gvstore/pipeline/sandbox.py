"""A STRANGER'S PROGRAM in a child process, within limits, with nothing inherited and nobody left behind.

`run_program` starts a `supervisor`, which starts the program, counts what it and
all that it starts use, and ends them together.  How it ended is a value
(`Ended`), never an exception.

What this holds: time, CPU, memory, output, processes, the size of a file; the
environment, which is made from nothing but a few names that hold no secrets; a
home and a temporary folder of its own, gone afterwards; no terminal, no open
files of ours; on Linux (5.19, with Landlock) that it writes nowhere but in its
folders, does not see the environment of other processes, and, of root's rights,
has those over files only.  What it does not:
the program reads what the user can, reaches the network, and may write many files;
on macOS, and where Landlock is missing, anywhere.  Who runs what a model wrote must
know that; a container is the place for more.

Linux and macOS.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gvstore import host
from gvstore.pipeline.refusal import SystemLacks

How = Literal["exited", "signal", "wall", "cpu", "memory", "output", "processes", "not_started", "lost"]
SCRATCH = "gv-program-"  # how the names of temporary folders begin
_SCRIPT = Path(__file__).with_name("supervisor.py")
_INHERITED = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ")
_PATIENCE_S = 15  # for a supervisor to end what it watches


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a program and all that it starts may use together; `file_bytes` counts for each file.

    Of standard output and of standard error the first and the last `kept_bytes`
    are kept.  A program that took too long is interrupted, which a Python program
    answers with a traceback, and killed after `grace_s`.  Memory is what each process has for itself, and shared memory;
    pages that a fork has not copied yet count for both.
    """

    wall_s: float = 60.0
    cpu_s: float = 60.0
    memory_bytes: int = 1 << 30
    output_bytes: int = 10_000_000
    file_bytes: int = 1 << 30
    processes: int = 64
    threads: int = 512
    kept_bytes: int = 16_000
    grace_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Output:
    """What a program wrote to one stream: its beginning, its end if there is more, and how many bytes it was."""

    head: str = ""
    tail: str = ""
    size: int = 0
    left_out: int = 0

    @property
    def text(self) -> str:
        """The whole, or the beginning and the end with a line between them that tells how much is left out."""
        if not self.left_out:
            return self.head + self.tail
        return f"{self.head}\n[{self.left_out:,} bytes left out]\n{self.tail}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    `how` is "exited" (with `code`), "signal" (`code` is its number), the limit
    that was passed, "not_started" (`error` says why), or "lost": the supervisor
    was killed.  `strays` counts processes that were still running when the
    program had ended, and were killed; `left_behind` those that could not be (0,
    unless the kernel holds them).  Seconds, memory and processes are 0 while the
    clock is frozen: no two runs agree in them.  `confined` says whether the system
    kept its writing to its folders.
    """

    how: How
    code: int | None = None
    stdout: Output = field(default_factory=Output)
    stderr: Output = field(default_factory=Output)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    processes: int = 0
    strays: int = 0
    left_behind: int = 0
    error: str = ""
    confined: bool = False

    @property
    def works(self) -> bool:
        """Whether it exited with 0."""
        return self.how == "exited" and self.code == 0

    def told(self, limits: Limits) -> str:
        """Returns how it ended, as a sentence's end: "exited with 1", "was stopped after 60 s"."""
        if self.how == "exited":
            return f"exited with {self.code}"
        if self.how == "signal":
            return f"was ended by {_signal_name(self.code or 0)}"
        if self.how == "not_started":
            return f"could not be started: {self.error}"
        return {
            "wall": f"was stopped after {limits.wall_s:g} s",
            "cpu": f"was stopped after {limits.cpu_s:g} s of CPU time",
            "memory": f"was stopped: it used more than {limits.memory_bytes / (1 << 20):,.0f} MiB of memory",
            "output": f"was stopped: it wrote more than {limits.output_bytes:,} bytes",
            "processes": f"was stopped: it had more than {limits.processes} processes or {limits.threads} threads",
            "lost": "ended with the process that watched it",
        }[self.how]


def program_environment(source: Mapping[str, str], folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the environment of a program: language, time zone and PATH of `source`, its own home, and what `extra` says."""
    made = {name: source[name] for name in _INHERITED if name in source}
    made.setdefault("PATH", os.defpath)
    return made | {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        **(extra or {}),
    }


def run_program(
    argv: Sequence[str],
    *,
    cwd: Path,
    limits: Limits | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    writable: Sequence[Path] | None = (),
) -> Ended:
    """Runs a program to its end or to a limit, and returns how it ended; then nobody of it is left.

    Where the system can confine it (`Ended.confined`), it writes in `cwd`, its own
    temporary folders and the folders `writable` only; None lets it write anywhere.
    `env` is added to `program_environment`.  An exception here (Ctrl-C) stops the
    program too; so does the death of this process.

    Raises:
        SystemLacks: on a system without process groups.
    """
    if not hasattr(os, "killpg"):
        raise SystemLacks("process groups, which end a program with all that it started")
    limits = limits or Limits()
    with _scratch() as folder:
        asked = {
            "argv": list(argv),
            "cwd": str(cwd.absolute()),
            "env": program_environment(host.environment(), folder, env),
            "stdin": base64.b64encode(stdin).decode(),
            "scratch": str(folder),
            "writable": None if writable is None else [str(path.absolute()) for path in writable],
            "limits": asdict(limits),
        }
        started = host.ticks_ns()
        answer = _supervised(asked, folder)
        return _ended(answer, (host.ticks_ns() - started) / 1e9)


def _supervised(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Returns what the supervisor tells."""
    supervisor = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=program_environment({}, folder),
        start_new_session=True,
    )
    assert supervisor.stdin is not None and supervisor.stdout is not None and supervisor.stderr is not None
    told = b""
    try:
        with contextlib.suppress(BrokenPipeError):
            supervisor.stdin.write(json.dumps(asked).encode() + b"\n")
            supervisor.stdin.flush()
        told = _read(supervisor.stdout.fileno(), asked["limits"]["wall_s"] + 2 * _PATIENCE_S)
    finally:
        with contextlib.suppress(BrokenPipeError):
            supervisor.stdin.close()  # which tells it to stop the program
        try:
            supervisor.wait(0 if told and not told.endswith(b"\n") else _PATIENCE_S)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
        complaint = supervisor.stderr.read()
        supervisor.stdout.close()
        supervisor.stderr.close()
        if supervisor.returncode:
            _end_group(told, folder)
    lines = told.splitlines()
    if len(lines) < 2 or supervisor.returncode:
        return {"how": "lost", "error": complaint.decode(errors="replace").strip()[-500:]}
    answer: dict[str, Any] = json.loads(lines[1])
    return answer


def _read(fd: int, patience_s: float) -> bytes:
    """Returns what the supervisor writes until it ends; a program may have stopped it, so not without end."""
    told = bytearray()
    while select.select([fd], [], [], patience_s)[0] and (data := os.read(fd, 1 << 20)):
        told += data
    return bytes(told)


def _end_group(told: bytes, folder: Path) -> None:
    """Kills what can be found of the program where the supervisor could not: it was killed itself."""
    with contextlib.suppress(OSError, ValueError):
        if pid := int(json.loads(told.partition(b"\n")[0])["pid"]):
            os.killpg(pid, signal.SIGKILL)
    mark = f"HOME={folder / 'home'}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def _ended(answer: dict[str, Any], seconds: float) -> Ended:
    how, code = answer["how"], answer.get("code")
    if how == "exited" and code is not None and code < 0:
        how, code = "signal", -code
    return Ended(
        how=how,
        code=code if how in ("exited", "signal") else None,
        stdout=_output(answer.get("stdout")),
        stderr=_output(answer.get("stderr")),
        seconds=seconds,
        cpu_seconds=0.0 if host.frozen() else answer.get("cpu_s", 0.0),
        memory_bytes=0 if host.frozen() else answer.get("memory", 0),
        processes=0 if host.frozen() else answer.get("processes", 0),
        strays=answer.get("strays", 0),
        left_behind=answer.get("left", 0),
        error=answer.get("error", ""),
        confined=answer.get("confined", False),
    )


def _output(told: dict[str, Any] | None) -> Output:
    if told is None:
        return Output()
    head, tail = base64.b64decode(told["head"]), base64.b64decode(told["tail"])
    left_out = told["size"] - len(head) - len(tail)
    if not left_out:  # a character may lie across the border
        return Output((head + tail).decode(errors="replace"), "", told["size"])
    return Output(head.decode(errors="replace"), tail.decode(errors="replace"), told["size"], left_out)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Gives a folder with an empty home and temporary folder in it, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    try:
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
