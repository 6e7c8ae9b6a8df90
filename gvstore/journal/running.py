"""A run being recorded: its number, its journal, its end.

At the start the journal is made and held, the run gets its number, and what
is known of it is written.  While it goes on a thread makes what was appended
durable, every 50 ms.  At the end the calls, the code and the run become
objects, then the run's ref moves, then the journal goes.
"""

from __future__ import annotations

import os
import secrets
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gvstore import host
from gvstore.errors import GvError
from gvstore.journal.recorder import Frame, Recording
from gvstore.journal.snapshot import CodeSnapshot
from gvstore.journal.wal import write_start
from gvstore.objects.invocation import INVOCATION_BYTE, outcome_number
from gvstore.objects.number import RAISED, WAITING
from gvstore.objects.oid import ObjectId
from gvstore.objects.run import Run
from gvstore.odb.wal import WalWriter
from gvstore.repo import layout

if TYPE_CHECKING:
    from gvstore.journal.answers import Answers
    from gvstore.journal.repository import Repository

SYNC_INTERVAL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a user says of a run: why, in which group, what they typed.

    `move_run` lets RUN follow: set for commands, not for what programs record.
    """

    target: str = ""
    message: str = ""
    group: str = ""
    argv: tuple[str, ...] = ()
    parent: ObjectId | None = None
    move_run: bool = False
    command: str = "run"


class _Syncer(threading.Thread):
    """Makes what a recording has written durable, again and again."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(name="gvstore-sync", daemon=True)
        self._recording = recording
        self._end = threading.Event()
        self.fault: GvError | None = None

    def run(self) -> None:
        wal = self._recording.wal
        assert wal is not None
        while not self._end.wait(SYNC_INTERVAL_S):
            if wal.dirty:
                try:
                    self._recording.objects.sync()
                    wal.sync()
                except GvError as e:
                    self.fault = e
                    return

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._end.set()
        self.join()


class RunningRun:
    """A run from its number to its object."""

    def __init__(self, repo: Repository, options: RunOptions, answers: Answers | None = None) -> None:
        self.repo, self.options = repo, options
        self.started_at = host.now_us()
        name = f"{self.started_at:x}-{os.getpid()}-{secrets.token_hex(4)}.wal"
        folder = layout.journal_folder(repo.gv)
        folder.mkdir(exist_ok=True)
        self._wal = WalWriter(folder / name)
        self.author = repo.author()
        self.number = repo.refs.allocate_run(
            journal=name,
            target=options.target,
            started_at=self.started_at,
            move_run=options.move_run,
            author=self.author,
        )
        self.recording = Recording(repo.objects, root=repo.path, wal=self._wal, answers=answers)
        self.snapshot = CodeSnapshot(repo)
        self.facts = self._facts()
        write_start(self._wal, repo.objects, self.facts)
        self._syncer = _Syncer(self.recording)
        self._syncer.start()

    def _facts(self) -> dict[str, Any]:
        repo, options = self.repo, self.options
        base, branch, git = repo.line()
        return {
            "target": options.target, "argv": options.argv, "author": self.author, "user": host.user(),
            "host": host.hostname(), "python": host.python_version(), "message": options.message,
            "group": options.group, "branch": branch, "git": git, "base": base and bytes(base),
            "parent": options.parent and bytes(options.parent), "started_at": self.started_at,
            "code": self.snapshot.take(base),
        }  # fmt: skip

    def finish(self, frame: Frame, *, error: BaseException | None = None) -> ObjectId:
        """Returns the oid of the run, stored under its number."""
        self._syncer.stop()
        recording = self.recording
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else status_of(frame.outcome)
        counts = {
            "calls": recording.executed + recording.reused,
            "executed": recording.executed,
            "reused": recording.reused,
        }
        base = self.facts["base"]
        self.facts["code"] = self.snapshot.take(base and ObjectId(base))
        run = run_of(
            self.facts, put_root(recording, frame), status, host.now_us(), counts | recording.usage, frame.timing,
            notes=self.snapshot.notes, trace=_trace(error),
        )  # fmt: skip
        oid = run.put(self.repo.objects)
        self.repo.refs.finish_run(
            self.number,
            oid,
            status=status,
            ended_at=run.ended_at,
            author=self.author,
            command=f"{self.options.command} {run.target}",
        )
        self._wal.close(remove=True)
        if self._syncer.fault is not None:
            raise self._syncer.fault
        return oid


def put_root(recording: Recording, frame: Frame) -> ObjectId:
    """Returns the oid of a recording's root call, stored."""
    return recording.objects.write(INVOCATION_BYTE + frame.part)


def status_of(outcome: bytes) -> str:
    """Returns the status of a run whose root call ended so."""
    number = outcome_number(outcome)
    return {None: "interrupted", RAISED: "raised", WAITING: "waiting"}.get(number, "ok")


def run_of(
    facts: dict[str, Any], root: ObjectId | None, status: str, ended_at: int, counts: dict[str, int], times: bytes,
    *, notes: tuple[str, ...] = (), trace: str = "",
) -> Run:  # fmt: skip
    """Returns the run that a journal's first record, its root call and its end make."""
    known: dict[str, Any] = {k: v for k, v in facts.items() if k not in ("base", "parent", "code")}
    known |= {k: ObjectId(facts[k]) if facts.get(k) else None for k in ("base", "parent", "code")}
    return Run(
        root=root,
        status=status,
        ended_at=ended_at,
        counts=counts,
        times=times,
        notes=notes,
        traceback=trace,
        **known,
    )


def _trace(error: BaseException | None) -> str:
    """Returns the traceback as text, without the recorder's own lines."""
    if error is None:
        return ""
    lines = traceback.TracebackException.from_exception(error)
    here = Path(__file__).parent
    kept = [each for each in lines.stack if Path(each.filename).parent != here]
    lines.stack = traceback.StackSummary.from_list(kept)
    return "".join(lines.format(chain=False))
