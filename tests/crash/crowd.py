"""Sixteen processes that commit at once, and a writer that stands still while gc runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import gvstore as gv
from gvstore.errors import Conflict
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.odb import lock
from gvstore.odb.fault import Busy
from gvstore.refs import schema
from gvstore.refs.fault import RefsLocked
from gvstore.refs.value import value_oid
from tests.crash.kills import copied, prepare, read_promises
from tests.crash.kind import Failure, Kind, Outcome, in_fork, settle_environment, shown
from tests.crash.program import Program, Promises, teller
from tests.crash.shim import Shim
from tests.crash.verdict import faults_of

PROCESSES = 16
COMMITS = 200
STOP_PROGRAMS = 4
HANG_S = 90  # SQLite itself waits ten seconds for a process that stopped with its locks
STRIDE = 3  # a stopped writer costs a gc


def sixteen(unit: str, seed: int, folder: Path) -> Outcome:
    """Lets processes commit to one branch, with `repo.commit` in one work tree and by their own hands, and each to its own."""
    processes, commits = map(int, unit.split("x"))
    settle_environment()
    root = folder / "crowd"
    gv.Repository.init(root).close()
    outcome = Outcome()
    for name, work in (("one", _commit_to_one), ("own", _commit_to_own), ("worktree", _commit_worktree)):
        started = time.perf_counter()
        statuses = _all(processes, lambda number, work=work: work(root, number, commits))  # type: ignore[misc]
        outcome.note(f"{name}: s", round(time.perf_counter() - started))
        wrong = [f"process {i} ended with {s}" for i, s in enumerate(statuses) if s]
        outcome.cases += processes * commits
        outcome.failures += [Failure("sixteen", unit, f"{name}: {why}") for why in wrong]
    try:
        wrong = _judge(root, processes, commits)
    except Exception as e:
        wrong = [shown(e)]
    outcome.failures += [Failure("sixteen", unit, why) for why in wrong]
    return outcome


def _all(processes: int, work: Callable[[int], None]) -> list[int]:
    """Runs `work` in so many forks at once; returns their statuses."""
    pids = []
    for number in range(processes):
        pid = os.fork()
        if pid == 0:
            os._exit(in_fork(lambda number=number: work(number)) != 0)  # type: ignore[misc]
        pids.append(pid)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def _again(act: Callable[[], Any]) -> None:
    """Does it until nobody was faster."""
    while True:
        try:
            act()
        except Conflict:
            continue
        return


def _add(repo: gv.Repository, ref: str, message: str) -> None:
    """Adds a commit to a branch, if nobody else does meanwhile."""
    parent = repo.refs.resolve(ref)
    blob = repo.objects.put(message.encode())
    before = Commit.get(repo.objects, parent).generation if parent else 0
    parents = (parent,) if parent else ()
    oid = Commit(tree=blob, parents=parents, author="Ada", created_at=1, message=message, generation=before + 1).put(repo.objects)
    with repo.transaction(message) as transaction:
        transaction.update(ref, oid, expected=parent, message=message)


def _commit_to_one(root: Path, number: int, commits: int) -> None:
    repo = gv.Repository.open(root)
    for n in range(commits):
        _again(lambda n=n: _add(repo, "refs/heads/one", f"{number} {n}"))  # type: ignore[misc]
    repo.close()


def _commit_to_own(root: Path, number: int, commits: int) -> None:
    repo = gv.Repository.open(root)
    for n in range(commits):
        _again(lambda n=n: _add(repo, f"refs/heads/own{number}", f"{number} {n}"))  # type: ignore[misc]
    repo.close()


def _commit_worktree(root: Path, number: int, commits: int) -> None:
    name = f"file{number}.txt"
    for n in range(commits):
        with gv.Repository.open(root) as repo:
            (root / name).write_text(f"{number} {n}")
            _again(lambda n=n, repo=repo: repo.commit(f"{number} {n}", paths=[name]))  # type: ignore[misc]


def _judge(root: Path, processes: int, commits: int) -> list[str]:
    """Returns what is missing: every commit is in its branch once, each in its process's order, and its reflog is one line."""
    wrong = []
    everybody = {f"{number} {n}" for number in range(processes) for n in range(commits)}
    with gv.Repository.open(root) as repo:
        branches = {"one": everybody, "main": everybody}
        branches |= {f"own{number}": {f"{number} {n}" for n in range(commits)} for number in range(processes)}
        for branch, expected in branches.items():
            messages = _line(repo, branch)
            if sorted(messages) != sorted(expected):
                wrong.append(f"{branch} has {len(messages)} commits, {len(set(messages) & expected)} of {len(expected)} expected")
            for number in range(processes):
                own = [int(each.split()[1]) for each in messages if each.split()[0] == str(number)]
                if own != sorted(own, reverse=True):
                    wrong.append(f"{branch}: those of process {number} are out of order")
            wrong += _reflog_faults(repo, branch, len(expected))
        wrong += [f"fsck: {f.where}: {f.why}" for f in repo.fsck(full=True) if f.damage]
    return wrong


def _line(repo: gv.Repository, branch: str) -> list[str]:
    """Returns the messages of a branch by first parents, the newest first."""
    messages = []
    at: ObjectId | None = repo.refs.resolve(f"refs/heads/{branch}")
    while at is not None:
        commit = Commit.get(repo.objects, at)
        messages.append(commit.message)
        at = commit.parents[0] if commit.parents else None
    return messages


def _reflog_faults(repo: gv.Repository, branch: str, count: int) -> list[str]:
    entries = repo.refs.reflog(f"refs/heads/{branch}")
    wrong = [] if len(entries) == count else [f"the reflog of {branch} has {len(entries)} entries, not {count}"]
    for newer, older in pairwise(entries):
        if newer.old != older.new:
            wrong.append(f"the reflog of {branch} is no line")
    for entry in entries:
        oid, old = value_oid(entry.new), value_oid(entry.old)
        if oid is None or Commit.get(repo.objects, oid).parents != ((old,) if old else ()):
            wrong.append(f"the reflog of {branch} does not follow the commits")
    return wrong


def stop(unit: str, seed: int, folder: Path) -> Outcome:
    """Stops a program before every few changes, runs `gc --prune=now`, lets it go on to its end."""
    program, *only = unit.split(":")
    name = f"{seed} stop {program}"
    base = prepare(name, folder)
    outcome = Outcome()
    lock.WAIT_S = schema.BUSY_TIMEOUT_S = 0.0  # who waits for a stopped process waits in vain
    for step in [int(only[0])] if only else range(1 + int(program) % STRIDE, 1_000_000, STRIDE):
        copy = copied(base, folder / "copy")
        promises, stopped, faults = _stopped(copy.root, name, step)
        if not stopped and not only:
            break
        outcome.cases += 1
        outcome.note("gc waited", sum(each == "Busy" for each in faults))
        faults = [each for each in faults if each != "Busy"] + promises.faults
        faults += [] if promises.ended else ["the program did not come to its end"]
        promises.add(base.promises)
        faults += faults_of(copy.root, promises, promises.refs[-1:])
        outcome.failures += [Failure("stop", f"{program}:{step}", why) for why in faults]
    return outcome


def _stopped(root: Path, name: str, step: int) -> tuple[Promises, bool, list[str]]:
    out, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        program = Program(name, root, teller(told))
        Shim(_stand_still, step).install()
        program.play()
        os._exit(0)
    os.close(told)
    stopped = os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    faults = _collected(root) if stopped else []
    if stopped:
        os.kill(pid, signal.SIGCONT)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        faults += [f"the program ended with status {status}"] if status else []
    return read_promises(out), stopped, faults


def _stand_still(name: str, real: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    os.kill(os.getpid(), signal.SIGSTOP)
    return real(*args, **options)


def _collected(root: Path) -> list[str]:
    out, told = os.pipe()

    def work() -> None:
        signal.alarm(HANG_S)
        for each in _collect(root):
            teller(told)({"fault": each})

    status = in_fork(work)
    os.close(told)
    faults = read_promises(out).faults
    return [*faults, f"gc ended with status {status}"] if status else faults


def _collect(root: Path) -> list[str]:
    """Runs gc twice: what the first condemns the second deletes, where it may."""
    found = []
    for _ in range(2):
        try:
            repo = gv.Repository.open(root)
            try:
                repo.gc(prune="now")
            finally:
                repo.close()
        except (Busy, RefsLocked):
            found.append("Busy")
        except Exception as e:
            found.append(f"gc: {shown(e)}")
    return found


def _stop_units(scale: float) -> Iterable[str]:
    return map(str, range(max(1, round(STOP_PROGRAMS * scale))))


def _sixteen_units(scale: float) -> Iterable[str]:
    return [f"{PROCESSES}x{max(2, round(COMMITS * min(1, scale)))}"]


SIXTEEN = Kind("sixteen", f"{PROCESSES} processes commit to one branch, their own, one work tree", _sixteen_units, sixteen, alone=True)
STOP = Kind("stop", "SIGSTOP, gc --prune=now, SIGCONT", _stop_units, stop)
