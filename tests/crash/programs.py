"""Programs to be killed, and what they leave: bodies and answers noted in files, whatever becomes of the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gvstore as gv
from gvstore.journal.repository import Repository

PLACE: list[Path] = []  # where notes are taken; set before a process is forked
KILL_AT: list[int] = []  # the model call in which the process kills itself


def note(name: str, text: str, *, durable: bool = False) -> None:
    """Appends a line to a file of the place, in one write."""
    fd = os.open(PLACE[0] / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, f"{text}\n".encode())
    if durable:
        os.fsync(fd)
    os.close(fd)


def noted(name: str) -> list[str]:
    """Returns the lines noted since this was last asked."""
    path = PLACE[0] / name
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


@gv.register
def model(i: int) -> str:
    note("ran", str(i))
    if i in KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"answer {i}"


@gv.register
def twenty() -> list[str]:
    return [model(i) for i in range(20)]


@gv.register
def leaf(i: int, j: int) -> Any:
    note("ran", f"leaf {i} {j}")
    return {"text": f"{i}.{j} " * (1 + (i * 7 + j * 31) % 500), "at": (i, j)}


@gv.register
def branch(i: int) -> list[int]:
    lengths = []
    for j in range(6):
        lengths.append(len(leaf(i, j)["text"]))
        note("answered", f"leaf {i} {j}", durable=True)
    return lengths


@gv.register
def nested(n: int) -> int:
    total = 0
    for i in range(n):
        total += sum(branch(i))
        note("answered", f"branch {i}", durable=True)
    return total


@gv.register
async def task(i: int, j: int) -> Any:
    note("ran", f"task {i} {j}")
    await asyncio.sleep(0.001 * ((i * 5 + j * 3) % 4))
    return {"text": f"{i}.{j} " * (1 + (i * 11 + j * 17) % 300)}


@gv.register
async def together(i: int) -> int:
    async def one(j: int) -> int:
        length = len((await task(i, j))["text"])
        note("answered", f"task {i} {j}")
        return length

    return sum(await asyncio.gather(*map(one, range(8))))


@gv.register
def crowded(n: int) -> int:
    """Rounds of calls in threads, some of which have event loops of their own."""

    def one(i: int) -> int:
        total = asyncio.run(together(i)) if i % 2 else sum(branch(i))
        note("answered", f"{'together' if i % 2 else 'branch'} {i}")
        return total

    total = 0
    for start in range(n):
        with ThreadPoolExecutor(4) as pool:
            total += sum(pool.map(one, range(start * 6, start * 6 + 6)))
    return total


def forked(body: Callable[[], object]) -> int:
    """Returns how a child process that does `body` ended: 0, or minus the signal."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def record(folder: Path, function: Callable[..., Any], *args: Any, after_s: float = 0.0) -> int:
    """Runs a component in a child process, which may be killed by a timer; returns how that ended."""

    def body() -> None:
        with Repository.open(folder) as repo:
            if after_s:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the system ends the process, Python does not hear of it
                signal.setitimer(signal.ITIMER_REAL, after_s)
            repo.run(function, *args)

    return forked(body)


def finished(run: gv.Run[Any]) -> set[str]:
    """Returns the leaves and branches that have their outcome in a record."""
    from gvstore.journal.address import walk

    return {
        " ".join([call.name, *map(str, call.args.values())])
        for path, call in walk(run.invocation)
        if path and call.successful()
    }
