"""The public Repository: `repo`'s, with runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from gvstore import host
from gvstore.code.fact_file import FactFile
from gvstore.code.identity import keep_facts
from gvstore.errors import WouldLose
from gvstore.journal.commit import find_components, runs_to_commit
from gvstore.journal.counting import count_before
from gvstore.journal.fault import InvocationError
from gvstore.journal.invocation import Invocation
from gvstore.journal.kept_terms import apply_terms, terms_of
from gvstore.journal.merge import merge_records
from gvstore.journal.mode import ReplayMode, ReplayWords, mode_of
from gvstore.journal.perform import Performed, Terms, perform, perform_any, perform_async, subject_of
from gvstore.journal.recorder import Asker
from gvstore.journal.recovery import settle
from gvstore.journal.register import registered_for
from gvstore.journal.replay import perform_replay
from gvstore.journal.replayer import Replayer
from gvstore.journal.rewind import rewind_before
from gvstore.journal.run import NoSuchRun, Run, Runs
from gvstore.journal.running import RunOptions
from gvstore.journal.used import UsedCode
from gvstore.objects import run as stored
from gvstore.objects.decode import decode
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL
from gvstore.repo import Repository as BareRepository
from gvstore.repo import layout
from gvstore.repo.git import git_note
from gvstore.repo.resolve import Resolved
from gvstore.store.active import activate, deactivate
from gvstore.store.ref import Ref
from gvstore.store.store import Store

if TYPE_CHECKING:
    from gvstore.code.discover import Unparsable
    from gvstore.journal.address import CallPath
    from gvstore.journal.code_root import CodeRoot
    from gvstore.odb.collect import Collected
    from gvstore.repo.reset import Reset
    from gvstore.repo.undo import Undone

T = TypeVar("T")
_GIT_NOTE_NS = 5_000_000_000


class RepositoryStore(Store):
    """The store of a repository: what is recorded into it outermost is a run."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self.repository = repository
        self.root = repository.path

    def commit(self, value: T) -> Ref[T]:
        """Returns a reference to a value, stored and kept: gc never takes what a program put."""
        ref = super().commit(value)
        oid = getattr(ref, "oid", None)  # a reference type of the program's own may have none
        if oid is not None:
            self.repository.objects.keep(oid)
        return ref


class Repository(BareRepository):
    """An open repository; inside `with` it is the active store."""

    _git: tuple[int, str] | None = None

    def __init__(self, path: Path, gv: Path, *, read_only: bool = False) -> None:
        super().__init__(path, gv, read_only=read_only)
        self._use = threading.Lock()
        self._users = self._recordings = 0  # blocks entered, by any thread or task; runs being recorded
        self._closing = False
        self.code: CodeRoot | None = None  # the code that runs in place of the work tree's
        self._store = RepositoryStore(self)
        self.facts = FactFile(layout.code_cache(gv), read_only=read_only)
        keep_facts(path, self.facts)

    @property
    def store(self) -> RepositoryStore:
        """The repository as a store of values."""
        return self._store

    @property
    def root(self) -> Path:
        """The folder that components are named from: the work tree, or where the code lies that runs in its place."""
        return self.path if self.code is None else self.code.path

    @contextmanager
    def code_of(self, rev: str | ObjectId) -> Iterator[CodeRoot]:
        """Runs the code of a commit, run or tree in place of the work tree's, which is not touched, in the block.

        What is loaded, named, recorded and replayed in it is that code: `import` finds its modules, and a
        replay, plan, check or answer of a run loads the run's own.  The process's folder, `sys.path` and modules are changed meanwhile.

        Raises:
            BadRev: it names nothing that has code.
            CodeInUse: in such a block.
            BadPath, CannotWrite: it cannot be laid out.
        """
        from gvstore.journal.code_root import find_code, standing_in

        with standing_in(self, find_code(self, rev)) as root:
            yield root

    def load_root(self, run: Run[Any], alias: Mapping[str, str] = MappingProxyType({})) -> None:
        """Loads, in a block of `code_of`, what defines a run's root component there, unless the program has done so.

        Raises:
            TargetRaised: the program raised while it was loaded.
        """
        from gvstore.journal.target import load_component

        if self.code is None:
            return
        component = run.invocation.component
        name = alias.get(component.name, component.name)
        if not registered_for(component, self.root, name):
            load_component(replace(component, name=name), self.root)

    def told(self, text: str) -> str:
        """Returns a text for the user, in which files of code that runs in place of the work tree's are `4be1902c:agent.py`."""
        return text if self.code is None else self.code.told(text)

    @property
    def runs(self) -> Runs:
        """The runs, by number and in order."""
        return Runs(self)

    def run_of(self, found: Resolved) -> Run[Any]:
        """Returns the run that a rev names, or that the call lies in which it names.

        Raises:
            NoSuchRun: it names something else.
        """
        if found.run is None and found.run_oid is None:
            raise NoSuchRun(
                f"{found.text} is a {found.found.value}, and a run was asked for", hint="`gv runs` lists runs."
            )
        return self.runs.of(found.run, found.run_oid)

    def run(self, subject: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
        """Returns the run of a function or Invokable on these arguments; one that waits for an answer too.

        Raises:
            TypeError: it is to be awaited.
            whatever it raises; the run is kept.
        """
        return run_of(perform(self.store, subject_of(subject, args, kwargs), Terms()))

    async def run_async(self, subject: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
        """Returns the same of what is to be awaited."""
        return run_of(await perform_async(self.store, subject_of(subject, args, kwargs), Terms()))

    def perform(
        self, subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: RunOptions | None = None,
        *, asker: Asker | None = None,
    ) -> Performed:  # fmt: skip
        """Executes a function or Invokable as a run; what it raises is in the result.

        `asker` answers questions at once.  What is to be awaited gets an event loop of its own.
        """
        return perform_any(self.store, subject_of(subject, args, kwargs), Terms(options=options, asker=asker))

    def perform_replay(
        self, run: Run[Any], *, strict: Any = False, options: RunOptions | None = None, exception_override: Any = None,
        words: ReplayWords | None = None,
    ) -> Performed:  # fmt: skip
        """Replays a run as a new one; what it raises is in the result."""
        run = self.settled(run)
        target = run.record.target
        record, mode = self.prepared(run, words or {}, strict=bool(strict))
        options = options or RunOptions(target=target, parent=run.oid, command="replay")
        return perform_replay(
            record,
            exception_override=exception_override,
            strict=strict,
            options=replace(options, terms=terms_of(mode)),
            mode=mode,
            history=None if run.record.parent is None else lambda: self.history_of(run),
        )

    def prepared(self, run: Run[Any], words: ReplayWords, *, strict: bool = False) -> tuple[Invocation, ReplayMode]:
        """Returns what a replay of a run answers from, and how it goes when these words are said of it; loads its program (`load_root`)."""
        self.load_root(run, words.get("alias", {}))
        reasons: dict[bytes, str] = {}
        record = run.invocation if strict else self.record_of(run, words, reasons)
        return record, replace(self.mode_for(run, words, record), reasons=reasons)

    def mode_for(self, run: Run[Any], words: ReplayWords, record: Invocation) -> ReplayMode:
        """Returns how a replay of a run, answered from `record`, goes when these words are said of it."""
        used = UsedCode.of(run.record, self.objects)
        return replace(mode_of(words, record), used=used, libraries=self.config.text("replay.libraries"))

    def history_of(self, run: Run[Any]) -> Iterator[bytes]:
        """Yields the root calls of the runs that a run is derived from, the nearest first."""
        above = run.parent
        while above is not None:
            if above.record.root is not None:
                yield above.invocation.part
            above = above.parent

    def record_of(
        self, run: Run[Any], words: ReplayWords | None = None, reasons: dict[bytes, str] | None = None
    ) -> Invocation:
        """Returns what a replay of the run answers from: of a replay that did not end, with the record it had itself.

        What that replay was told to execute or to set stands by what it was told: `--live` does not end half-way.
        What no longer holds of the older record is left without outcome, unless the `words` of the replay answer
        it all the same; `reasons` is given why, by part.
        """
        invocation = run.invocation
        if run.status not in ("raised", "interrupted") or run.parent is None:
            return invocation
        words = words or {}
        reasons = {} if reasons is None else reasons
        older = self.record_of(run.parent, words, reasons)
        if run.record.terms != NIL:
            older = apply_terms(older, decode(run.record.terms, self.objects))
        call, before = invocation.call, older.call
        if invocation.component.name != older.component.name or (call.args, call.state) != (before.args, before.state):
            return invocation
        given = words.get("trust", ())
        trust = ("*",) if words.get("as_recorded") else (given,) if isinstance(given, str) else tuple(given)
        replayer = Replayer(self.objects, root=self.root, mode=replace(self.mode_for(run.parent, {}, older), trust=trust))
        objects = invocation.store.objects  # those of a run that is not stored yet lie beside the repository's
        merged = merge_records(call, before, replayer, objects, reasons)
        return Invocation.of_oid(invocation.store, merged.put(objects))

    def settled(self, run: Run[Any]) -> Run[Any]:
        """Returns the run, stored if its process died.

        Raises:
            WouldLose: it is still being recorded.
        """
        if run.oid is not None:
            return run
        settle(self)
        run = self.runs[run.number]
        if run.oid is None:
            raise WouldLose(f"{run.name} is still running", hint="Wait for it to end, or stop it.")
        return run

    def keep_rewound(self, run: Run[Any], path: CallPath, *, move_run: bool = False) -> Run[Any]:
        """Returns a new run that holds `run` as it was just before the call at `path`; nothing is executed.

        Raises:
            NoSuchCall: there is no such call.
        """
        run = self.settled(run)
        author, now = self.author(), host.now_us()
        invocation = rewind_before(run.invocation, path)
        calls = count_before(run.invocation.part, path, run.calls, self.objects)
        record = stored.Run(
            root=invocation.put(), status="rewound", started_at=now, ended_at=now, target=run.record.target, author=author,
            user=host.user(), host=host.hostname(), python=host.python_version(), group=run.record.group,
            branch=run.record.branch, git=run.record.git, code=run.record.code, base=run.record.base, parent=run.oid,
            counts={"calls": calls, "executed": 0, "reused": calls}, labels=run.record.labels,
        )  # fmt: skip
        oid = record.put(self.objects)
        number = self.refs.add_run(
            oid, target=record.target, status="rewound", started_at=now, ended_at=now, author=author,
            command=f"rewind {run.name}", move_run=move_run,
        )  # fmt: skip
        return self.runs[number]

    def put(self, value: Any, *, name: str | None = None) -> Ref[Any]:
        """Returns a reference to a value, stored and kept; `name` makes or moves refs/values/NAME."""
        ref = self.store.commit(value)
        self.objects.sync()
        if name is not None:
            self.name_value(name, ref.oid)
        return ref

    def commit(  # type: ignore[override]
        self,
        message: str,
        *,
        author: str | None = None,
        now: int | None = None,
        paths: Sequence[str] | None = None,
        allow_large: bool = False,
        allow_secret: bool = False,
        allow_empty: bool = False,
        allow_conflicts: bool = False,
        unread: Callable[[Unparsable], None] | None = None,
    ) -> ObjectId:
        """Returns the new commit: the work tree (or `paths` of it), its components, the named values, and the runs of this line.

        `unread` is called for each source file that should be read for components and is no Python.

        Raises:
            NothingToCommit: there is nothing new, and not `allow_empty`.
            Swallowed: files that are too large or hold keys; lists all of them.
            RefMoved, WorktreeBusy: another process is at work.
        """
        from gvstore.repo.pending import pending_of

        settle(self)
        pending = pending_of(self)
        return super().commit(
            message, author=author, now=now, components=lambda files: find_components(self.objects, files, self.facts, unread),
            runs=runs_to_commit(self, pending.parents if pending is not None else ()), paths=paths, allow_large=allow_large,
            allow_secret=allow_secret, allow_empty=allow_empty, allow_conflicts=allow_conflicts,
        )  # fmt: skip

    def amend(
        self,
        message: str = "",
        *,
        author: str | None = None,
        reset_author: bool = False,
        now: int | None = None,
        paths: Sequence[str] | None = None,
        allow_large: bool = False,
        allow_secret: bool = False,
        allow_empty: bool = False,
        unread: Callable[[Unparsable], None] | None = None,
    ) -> ObjectId:
        """Returns the commit that stands in the place of HEAD's; message and author are kept unless given, its runs and values too.

        Raises:
            NothingToAmend: there is no commit, or nothing would be left of it.
        """
        from gvstore.repo.amend import amend

        settle(self)
        return amend(
            self, message or None, author=self.author(author) if author or reset_author else None, writer=self.author(),
            now=host.now_us() if now is None else now,
            components=lambda files: find_components(self.objects, files, self.facts, unread), runs=runs_to_commit(self),
            paths=paths, stops=self.stops(allow_large=allow_large, allow_secret=allow_secret), allow_empty=allow_empty,
        )  # fmt: skip

    def reset(
        self, rev: str, *, hard: bool = False, author: str | None = None, now: int | None = None
    ) -> Reset:
        """Moves HEAD's branch to the commit that `rev` names; with `hard` the files too, those that give way stored before."""
        from gvstore.repo.reset import reset

        moment = host.now_us() if now is None else now
        oid = self.resolve_commit(rev, now=moment)
        return reset(self, oid, rev=rev, hard=hard, author=self.author(author), now=moment)

    def undo(
        self,
        operation: str | None = None,
        *,
        to: bool = False,
        keep_files: bool = False,
        dry_run: bool = False,
        author: str | None = None,
        now: int | None = None,
    ) -> Undone:
        """Takes back the last command, or `operation` (its number), or with `to` all after that one.

        Raises:
            NothingToUndo, NoSuchOperation: there is no such command, or it cannot be undone.
            RefsMovedSince, ObjectsGone, EditedSince: it cannot be taken back; nothing was done.
        """
        from gvstore.repo.undo import undo

        moment = host.now_us() if now is None else now
        return undo(
            self, operation, to=to, keep_files=keep_files, dry_run=dry_run, author=self.author(author), now=moment
        )

    def redo(self, *, keep_files: bool = False, author: str | None = None, now: int | None = None) -> Undone:
        """Does again what the last undo took back.  Raises as `undo`."""
        from gvstore.repo.undo import redo

        return redo(self, keep_files=keep_files, author=self.author(author), now=host.now_us() if now is None else now)

    def gc(self, *, prune: str | None = None, dry_run: bool = False, now: int | None = None) -> Collected:
        """Collects garbage; dead runs are stored first, and what running ones link is kept.

        Raises:
            Incomplete: something that refs lead to is missing; nothing was done.
            UsageFault: `prune` is no time.
        """
        if not dry_run and not self.read_only:
            settle(self)
        with self._use:
            idle = self._users == 0 and self._recordings == 0
        if idle:
            self.close()  # our own lease would hold what we collect
        return super().gc(prune=prune, dry_run=dry_run, now=now)

    def _journal_links(self) -> Iterable[ObjectId]:
        from gvstore.journal.roots import journal_links

        return journal_links(self)

    def line(self) -> tuple[ObjectId | None, str, str]:
        """Returns (the commit that HEAD is at, the branch, git's HEAD) for what starts from here."""
        if self.code is not None:
            return self.code.code.base, "", self.code.code.git
        asked = host.ticks_ns()
        if self._git is None or asked - self._git[0] > _GIT_NOTE_NS:  # git is a process: not one a run
            self._git = asked, git_note(self.path)
        return self.head, self.branch or "", self._git[1]

    def __enter__(self) -> Self:
        with self._use:
            self._users += 1
        activate(self.store)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deactivate(self.store)
        with self._use:
            self._users -= 1
            last = self._users == 0
        if last:
            self.close()

    def close(self) -> None:
        """Releases the files, at the end of what is being recorded; the next use opens them again."""
        with self._use:
            self._closing = self._recordings > 0
            if self._closing:
                return
        super().close()

    def begin_recording(self) -> None:
        """Keeps the files open until `end_recording`: a run writes into what it began with."""
        with self._use:
            self._recordings += 1
            self.objects, self.refs  # noqa: B018 - opened here, by one thread

    def end_recording(self) -> None:
        """Lets go of the files, if they were to be closed meanwhile."""
        with self._use:
            self._recordings -= 1
            late = self._closing and self._recordings == 0
        if late:
            self.close()


def run_of(performed: Performed) -> Run[Any]:
    """Returns the run that came of an execution; one that waits for an answer has not failed."""
    run = performed.run
    if performed.error is not None and (run is None or run.status != "waiting"):
        raise performed.error
    if run is None:
        raise InvocationError("inside a recording there are no runs", hint="Use gv.invoke: its record is a value.")
    return run


def file_store(folder: Path | str) -> RepositoryStore:
    """Returns the store of the repository in `folder`, made if there is none."""
    return Repository.init(folder).store
