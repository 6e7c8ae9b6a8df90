"""Runs machines in processes that are killed, all at once: each machine in a thread of its own, stopped at its k-th step.

    python -m tests.machine.killed FOLDER K... < machines.json > told.json

For every K a repository: a first process runs all machines, and kills itself with SIGKILL when each has come to its
K-th step or its end, one as the action begins, one as it ends, one when the step is recorded; a second replays what it finds
and is killed in the same way one step further; a third replays to the end.  Processes are forks of this one, which runs nothing itself.
Each writes down what begins and what is over, so that what a later one does again is seen.
"""

from __future__ import annotations

import contextvars
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import gvstore as gv
from gvstore.journal.run import Run
from gvstore.machine import TooManySteps
from gvstore.machine.steps import MachineCall
from tests.machine import drawn
from tests.machine.drawn import Spec, Watch, public

MOMENTS = ("begins", "ends", "after")


class Gate(Watch):
    """Writes down what it is told, and holds each thread that comes to its step; kills the process when all are held or over."""

    def __init__(self, log: Path, process: int, stop_at: int, threads: int) -> None:
        super().__init__()
        drawn.TRIED.clear()
        self.file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.process, self.stop_at, self.left = process, stop_at, threads
        self.mine = threading.local()
        self.lock = threading.Lock()

    def begin(self, number: int) -> None:
        """A machine begins in this thread."""
        self.mine.count, self.mine.moment = 0, MOMENTS[(number + self.stop_at) % len(MOMENTS)]

    def over(self) -> None:
        """A thread is held, or over."""
        with self.lock:
            self.left -= 1
            if self.left == 0 and self.stop_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _at(self, moment: str) -> None:
        if self.stop_at and self.mine.count == self.stop_at and self.mine.moment == moment:
            self.over()
            threading.Event().wait()

    def _write(self, what: str, app: str, step: str) -> None:
        os.write(self.file, f"{self.process} {what} {app} {step}\n".encode())

    def begins(self, app: str, step: str) -> None:
        """An action begins."""
        self._write("begins", app, step)
        self.mine.count += 1
        self._at("begins")

    def ends(self, app: str, step: str) -> None:
        """It ends."""
        self._at("ends")

    def ended(self, app: str, step: str, state: Any, *, well: bool) -> None:
        """Its step is recorded."""
        if well:
            self._write("over", app, step)
        self._at("after")


def together(gate: Gate, works: list[Callable[[], Any]]) -> None:
    """Runs everything at the same time, each in a thread."""
    drawn.WATCH = gate

    def work(number: int, each: Callable[[], Any]) -> None:
        gate.begin(number)
        try:
            with suppress(TooManySteps, drawn.Broken):
                each()
        except BaseException:
            traceback.print_exc()
        finally:
            gate.over()

    threads = []
    for number, each in enumerate(works):
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(work, number, each)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def run_all(folder: Path, specs: list[Spec], apps: list[Any], stop_at: int) -> None:
    """Runs every machine."""
    with gv.open(folder):
        together(Gate(folder / "log", 1, stop_at, len(specs)), [partial(drawn.run, *each) for each in zip(specs, apps, strict=True)])


def newest(repo: Any) -> dict[str, Run[Any]]:
    """Returns the last run of each machine."""
    return {str(run.labels["app"]): run for run in sorted(repo.runs, key=lambda run: run.number)}


def replay_all(folder: Path, process: int, stop_at: int, threads: int) -> None:
    """Replays the last run of every machine."""
    with gv.open(folder) as repo:
        together(Gate(folder / "log", process, stop_at, threads), [run.replay for _, run in sorted(newest(repo).items())])


def states(folder: Path) -> dict[str, Any]:
    """Returns the last state of each machine, as text."""
    with gv.open(folder) as repo:
        return {app: repr(sorted(public(MachineCall.of_run(run.invocation, run.record).last_state()).items())) for app, run in newest(repo).items()}


def again(log: Path) -> list[str]:
    """Returns the steps that were over in one process, and began in a later one."""
    over: dict[str, int] = {}
    found = []
    for line in log.read_text().splitlines():
        process, what, step = line.split(" ", 2)
        if what == "over":
            over.setdefault(step, int(process))
        elif over.get(step, 9) < int(process):
            found.append(line)
    return found


def in_fork(work: Callable[[], Any]) -> int:
    """Runs something in a fork; returns the signal that ended it, negative, or its status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Kills, and tells what came of it."""
    specs: list[Spec] = json.load(sys.stdin)
    apps = [drawn.built(spec) for spec in specs]
    for spec, app in zip(specs, apps, strict=True):
        setattr(drawn, f"held_{spec['name']}", app)
    told = {}
    for at in map(int, sys.argv[2:]):
        folder = Path(sys.argv[1]) / f"{at}"
        folder.mkdir()
        gv.init(folder).close()
        statuses = [in_fork(partial(run_all, folder, specs, apps, at))]
        if at % 3 == 0:
            statuses.append(in_fork(partial(replay_all, folder, 2, 2, len(specs))))
        statuses.append(in_fork(partial(replay_all, folder, 3, 0, len(specs))))
        told[at] = {"statuses": statuses, "again": again(folder / "log"), "states": states(folder)}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
