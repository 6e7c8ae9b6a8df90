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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gvstore import host
from gvstore.errors import GvError
from gvstore.journal import rotation
from gvstore.journal.frame import Frame
from gvstore.journal.recorder import Recording
from gvstore.journal.redact import Redactor
from gvstore.journal.rotation import ROTATE_BYTES
from gvstore.journal.snapshot import CodeSnapshot
from gvstore.journal.trace import trace_of
from gvstore.journal.used import UsedCode, put_environment
from gvstore.journal.wal import recover, write_start
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import INVOCATION_BYTE, outcome_number
from gvstore.objects.number import CANCELLED, RAISED, WAITING
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.run import Run
from gvstore.objects.wire import Link
from gvstore.odb.fault import ReadOnly, Unreadable, WriteFailed
from gvstore.odb.wal import WalWriter
from gvstore.repo import layout

if TYPE_CHECKING:
    from gvstore.journal.answers import Answers
    from gvstore.journal.recorder import OnCall
    from gvstore.journal.repository import Repository

SYNC_INTERVAL_S: Final = 0.05
SUFFIX: Final = ".wal"
_OIDS: Final = ("base", "parent", "code", "environment")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a user says of a run: why, in which group, what they typed.

    `move_run` lets RUN follow: set for commands, not for what programs record.
    `terms` are those of a replay, as `terms_of` tells them.  `labels` are what a machine's runs are found by.
    `on_call` is told of each call that the root made when it ends, if it was executed.
    """

    target: str = ""
    message: str = ""
    group: str = ""
    argv: tuple[str, ...] = ()
    parent: ObjectId | None = None
    move_run: bool = False
    command: str = "run"
    on_call: OnCall | None = None
    terms: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str | int] = field(default_factory=dict)


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
                    if wal.size > ROTATE_BYTES:
                        self._recording.rotation_due = True
                except GvError as e:
                    self.fault = e
                    return

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._end.set()
        self.join()


class RunningRun:
    """A run from its number to its object.

    The number comes last at the start: what fails before leaves nothing, and
    nobody else knows of the journal until it is complete and held.

    Raises:
        WriteFailed, ReadOnly: nothing can be recorded; nothing was begun.
    """

    begun = 0  # by this process

    def __init__(self, repo: Repository, options: RunOptions, answers: Answers | None = None) -> None:
        if repo.read_only:
            raise ReadOnly(repo.gv)
        self.repo = repo
        repo.begin_recording()
        self._wal: WalWriter | None = None
        try:
            name = f"{host.now_us():x}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
            self._wal = _new_journal(layout.journal_folder(repo.gv) / name)
            self.recording = Recording(repo.objects, root=repo.root, wal=self._wal, answers=answers)
            self.recording.on_call = options.on_call
            self.options = _without_secrets(options, self.recording.redactor)
            self.author = repo.author()
            self.snapshot = CodeSnapshot(repo, self.recording.redactor)
            self.recording.files = self.snapshot
            self.facts = self._facts()
            self.recording.start_record = write_start(self._wal, repo.objects, self.facts)
            self.recording.rotation_due = rotation.always
            self.number = repo.refs.allocate_run(
                journal=name,
                target=self.options.target,
                started_at=self.facts["started_at"],
                move_run=options.move_run,
                author=self.author,
            )
            RunningRun.begun += 1
            self._syncer = _Syncer(self.recording)
            self._syncer.start()
            self.recording.zero_ns = self.recording.clock()
        except BaseException:
            if self._wal is not None:
                self._wal.close(remove=True)
            repo.end_recording()
            raise

    def _facts(self) -> dict[str, Any]:
        repo, options = self.repo, self.options
        base, branch, git = repo.line()
        return {
            "target": options.target, "argv": options.argv, "author": self.author, "user": host.user(),
            "host": host.hostname(), "python": host.python_version(), "message": options.message,
            "group": options.group, "branch": branch, "git": git, "base": base and bytes(base),
            "parent": options.parent and bytes(options.parent), "code": self.snapshot.take(base),
            "started_at": host.now_us(), "terms": self._terms(),
            "environment": bytes(put_environment(repo.objects)), "imports": self._imports(), "labels": self._labels(),
        }  # fmt: skip

    def _imports(self) -> dict[str, dict[str, bytes | None]]:
        """Returns what modules read while they were imported; those that only the run it is derived from had imported, as it tells."""
        found = self.snapshot.imported
        parent = self.options.parent
        then = None if parent is None else UsedCode.of(Run.get(self.repo.objects, parent), self.repo.objects).imports
        here = {key.partition(":")[0] for key in found}
        return {**{key: dict(files) for key, files in (then or {}).items() if key.partition(":")[0] not in here}, **found}

    def _labels(self) -> dict[str, Any]:
        """Returns what the run is found by: its own, or those of the run it is derived from."""
        parent = self.options.parent
        if self.options.labels or parent is None:
            return dict(self.options.labels)
        labels: dict[str, Any] = decode(Run.get(self.repo.objects, parent).labels, self.repo.objects) or {}
        return labels

    def _terms(self) -> dict[str, Any] | None:
        """Returns the terms of a replay, as they can be stored, without secrets."""
        terms, recording = self.options.terms, self.recording
        kept: dict[str, Any] | None = decode(recording.encode(terms), recording.objects) if terms else None
        return kept

    def finish(self, *, error: BaseException | None = None) -> ObjectId:
        """Returns the oid of the run, stored under its number.

        Raises:
            WriteFailed, Unreadable, Poisoned: it could not be stored; its journal is kept, and the next command stores it.
        """
        self._syncer.stop()
        self.recording.closed = True
        assert self._wal is not None
        stored = False
        try:
            oid = self._store(error)
            stored = True
        finally:
            self._wal.close(remove=stored)
            self.repo.end_recording()
        if self._syncer.fault is not None:
            raise self._syncer.fault
        return oid

    def _store(self, error: BaseException | None) -> ObjectId:
        recording, objects = self.recording, self.recording.objects
        frame, executed, reused = recording.top, recording.executed, recording.reused
        if recording.torn or frame is None:
            assert self._wal is not None
            self._wal.flush()
            try:
                found = recover(self._wal.path, objects)
            except OSError as e:  # too many open files, say: the next command reads it
                raise Unreadable(self._wal.path, e) from e
            frame, executed, reused = found.root, found.executed, found.reused
        status = status_of(frame.outcome) if frame is not None else "interrupted"
        if isinstance(error, KeyboardInterrupt):
            status = "interrupted"
        elif status == "raised" and is_good_exit(error):
            status = "ok"
        counts = {"calls": executed + reused, "executed": executed, "reused": reused} | recording.usage
        base = self.facts["base"]
        self.facts["code"] = self.snapshot.take(base and ObjectId(base))
        self.facts["imports"] |= self.snapshot.imported
        run = run_of(
            self.facts, frame, status, host.now_us(), counts, objects,
            states=recording.states, notes=(*self.snapshot.notes, *secret_notes(recording.secrets), *sorted(recording.notes)),
            trace="" if status in ("ok", "waiting") else recording.redactor.clean_text(self.repo.told(trace_of(error))),
        )  # fmt: skip
        oid = run.put(objects)
        self.repo.refs.finish_run(
            self.number,
            oid,
            status=status,
            ended_at=run.ended_at,
            author=self.author,
            command=f"{self.options.command} {run.target}",
        )
        return oid


def _new_journal(path: Path) -> WalWriter:
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as e:
        raise WriteFailed(path.parent, e) from e
    return WalWriter(path)


def _without_secrets(options: RunOptions, redactor: Redactor) -> RunOptions:
    clean = redactor.clean_text
    return replace(
        options,
        target=clean(options.target),
        message=clean(options.message),
        group=clean(options.group),
        argv=tuple(map(clean, options.argv)),
    )


def secret_notes(kinds: Iterable[str]) -> tuple[str, ...]:
    """Returns what to tell the user of secrets that were left out of a record."""
    return tuple(f"the record holds <secret {kind}> in place of the value; a call that gives it back runs each time" for kind in sorted(kinds))


def is_good_exit(error: BaseException | None) -> bool:
    """Returns whether a program that raised this has ended as it wanted: `sys.exit()`, `sys.exit(0)`."""
    return isinstance(error, SystemExit) and error.code in (None, 0)


def status_of(outcome: bytes) -> str:
    """Returns the status of a run whose root call ended so."""
    number = outcome_number(outcome)
    return {None: "interrupted", CANCELLED: "interrupted", RAISED: "raised", WAITING: "waiting"}.get(number, "ok")


def run_of(
    facts: dict[str, Any], root: Frame | None, status: str, ended_at: int, counts: dict[str, int], objects: ObjectStore,
    *, notes: tuple[str, ...] = (), trace: str = "", states: Sequence[tuple[int, ObjectId]] = (),
) -> Run:  # fmt: skip
    """Returns the run that a journal's first record, its root call and its end make; the root is stored."""
    known: dict[str, Any] = {k: v for k, v in facts.items() if k not in (*_OIDS, "terms", "imports", "labels")}
    known |= {k: ObjectId(facts[k]) if facts.get(k) else None for k in _OIDS}
    return Run(
        root=objects.write(INVOCATION_BYTE + root.part) if root is not None else None,
        status=status,
        ended_at=ended_at,
        counts=counts,
        times=root.timing if root is not None else NIL,
        notes=notes,
        traceback=trace,
        terms=Encoder(objects).nested(facts["terms"]) if facts.get("terms") else NIL,
        imports=Encoder(objects).nested(facts["imports"]) if facts.get("imports") is not None else NIL,
        labels=Encoder(objects).nested(facts["labels"]) if facts.get("labels") else NIL,
        states=Encoder(objects).nested([[number, Link(oid)] for number, oid in states]) if states else NIL,
        **known,
    )
