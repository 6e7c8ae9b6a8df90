"""The repository: a work tree with a `.gv` folder, opened.

    with Repository.discover(folder) as repo:
        repo.commit("first rolls")

It *has* an object database (`objects`), refs (`refs`) and settings
(`config`), each opened when first used, and closed with it.  Its methods are
the facade: where they are given None for `now` or `author`, they ask `host`;
the functions they call take both as arguments.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gvstore import fs, host
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase
from gvstore.refs import Refs
from gvstore.refs.names import BRANCHES, HEAD, branch_ref, short_name, value_ref
from gvstore.repo import layout
from gvstore.repo.fault import BadFormat, FormatMissing, NotARepository, OnNetwork
from gvstore.repo.format import Format, decode_format, encode_format

# What a method needs it imports itself: `gv log` does not pay for checkouts, nor for TOML.
if TYPE_CHECKING:
    from gvstore.odb.collect import Collected, Moment
    from gvstore.odb.forget import Removed
    from gvstore.refs.transaction import Transaction
    from gvstore.repo.branch import Branch
    from gvstore.repo.commit import FindComponents, Snapshot
    from gvstore.repo.config import Config
    from gvstore.repo.files import Files
    from gvstore.repo.forget import Target
    from gvstore.repo.fsck import Finding
    from gvstore.repo.git_code import GitCode
    from gvstore.repo.history import LogEntry
    from gvstore.repo.repair import Mended
    from gvstore.repo.resolve import Found, Resolved, Resolver
    from gvstore.repo.status import Status
    from gvstore.repo.switch import Checkout
    from gvstore.repo.worktree import Stops, Worktree

_MAX_FORMAT_BYTES = 65536


class Repository:
    """An open repository.  `path` is the root of the work tree, `gv` the `.gv` folder; both absolute."""

    def __init__(self, path: Path, gv: Path, *, read_only: bool = False) -> None:
        self.path, self.gv, self.read_only = path, gv, read_only

    @classmethod
    def init(
        cls,
        path: Path | str,
        *,
        gv_dir: Path | str | None = None,
        branch: str | None = None,
        author: str | None = None,
        now: int | None = None,
    ) -> Self:
        """Returns the repository at `path`, made if there is none; one that is there is opened as it is.

        `gv_dir` puts the `.gv` folder elsewhere, for work trees on file systems where SQLite is not safe.

        Raises:
            UsageFault: the folder cannot be made.
            OnNetwork: it would lie on another machine's disk.
        """
        root = _absolute(path)
        gv = _absolute(gv_dir) if gv_dir is not None else root / layout.GV_FOLDER
        if (gv / layout.FORMAT).is_file():
            return cls.open(root, gv_dir=gv)
        try:
            root.mkdir(parents=True, exist_ok=True)
            gv.parent.mkdir(parents=True, exist_ok=True)
            _check_place(gv, gv.parent)
            for name in layout.FOLDERS:
                (gv / name).mkdir(parents=True, exist_ok=True)
            # git reads this file and then sees nothing of the folder, not even itself.
            fs.write_atomic(gv / layout.GITIGNORE, b"*\n", durable=False)
        except OSError as e:
            raise UsageFault(f"{gv} cannot be made: {e.strerror}") from e
        repo = cls(root, gv)
        if gv != root / layout.GV_FOLDER:
            repo.config.set("core.worktree", str(root))
        ObjectDatabase.init(layout.objects_folder(gv))
        Refs.create(layout.refs_path(gv))
        with repo.transaction("init", author=author, now=now) as transaction:
            if repo.refs.read(HEAD) is None:
                transaction.set_symbolic(HEAD, branch_ref(branch or repo.config.text("init.branch")), expected=None)
        # The format comes last: a half-made repository is none, and is made again.
        fs.write_atomic(gv / layout.FORMAT, encode_format(Format()))
        return repo

    @classmethod
    def open(cls, path: Path | str, *, gv_dir: Path | str | None = None, read_only: bool = False) -> Self:
        """Returns the repository whose work tree is `path`.

        A `.gv` folder that cannot be written is opened for reading only: nothing in it changes.

        Raises:
            NotARepository: there is none.
            NewerRepository, BadFormat: there is one that this version cannot open.
            OnNetwork: it lies on another machine's disk, and would be written.
        """
        root = _absolute(path)
        gv = _absolute(gv_dir) if gv_dir is not None else root / layout.GV_FOLDER
        try:
            data = fs.read_bytes(gv / layout.FORMAT, limit=_MAX_FORMAT_BYTES)
        except (FileNotFoundError, NotADirectoryError, fs.NotAFile) as e:
            raise NotARepository(str(root if gv_dir is None else gv)) from e
        except OSError as e:
            raise BadFormat(f"{gv / layout.FORMAT} cannot be read: {e.strerror or e}") from e
        decode_format(data, str(gv / layout.FORMAT))
        read_only = read_only or _unwritable(gv)
        if not read_only:
            _check_place(gv, gv)
        return cls(root, gv, read_only=read_only)

    @classmethod
    def discover(
        cls, start: Path | str | None = None, *, gv_dir: Path | str | None = None, read_only: bool = False
    ) -> Self:
        """Returns the repository around `start`, the nearest; `gv_dir` names its `.gv` folder instead (GV_DIR).

        Raises:
            NotARepository: neither `start` nor a folder above it is one.
            NewerRepository, BadFormat: there is one that this version cannot open.
        """
        folder = host.cwd() if start is None else _absolute(start)
        if gv_dir is not None:
            gv = _absolute(gv_dir)
            from gvstore.repo.config import Config

            worktree = Config(repo=gv / layout.CONFIG).text("core.worktree")
            root = Path(worktree) if worktree else gv.parent if gv.name == layout.GV_FOLDER else folder
            return cls.open(root, gv_dir=gv, read_only=read_only)
        for root in (folder, *folder.parents):
            if (root / layout.GV_FOLDER / layout.FORMAT).is_file():
                return cls.open(root, read_only=read_only)
            if (root / layout.GV_FOLDER / layout.REFS).is_file():
                raise FormatMissing(str(root / layout.GV_FOLDER))
        raise NotARepository(str(folder))

    @cached_property
    def config(self) -> Config:
        """The settings of the user and of this repository."""
        from gvstore.repo.config import Config

        return Config(user=host.config_dir() / layout.CONFIG, repo=self.gv / layout.CONFIG)

    @cached_property
    def objects(self) -> ObjectDatabase:
        """The object database."""
        return ObjectDatabase.open(layout.objects_folder(self.gv), read_only=self.read_only)

    @cached_property
    def refs(self) -> Refs:
        """The refs."""
        self.objects.hold()  # before anything is read that names objects
        return Refs.open(layout.refs_path(self.gv), self.objects, read_only=self.read_only)

    def close(self) -> None:
        """Releases the files; the next use opens them again."""
        for name in ("refs", "objects"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    @property
    def head(self) -> ObjectId | None:
        """The commit that HEAD comes to; None before the first."""
        return self.refs.resolve(HEAD)

    @property
    def branch(self) -> str | None:
        """The branch that HEAD is on, which may have no commit yet; None where HEAD is detached."""
        ref = self.refs.head_ref()
        return short_name(ref) if ref and ref.startswith(BRANCHES) else None

    def author(self, given: str | None = None) -> str:
        """Returns `given`, or who writes history here."""
        return given if given is not None else host.author(self.config.author(), folder=self.path)

    @contextmanager
    def transaction(self, command: str, *, author: str | None = None, now: int | None = None) -> Iterator[Transaction]:
        """Gathers changes of refs in the block and makes them at its end, as `Refs.transaction` does."""
        moment = host.now_us() if now is None else now
        with self.refs.transaction(command, author=self.author(author), now=moment) as transaction:
            yield transaction

    def name_value(self, name: str, oid: ObjectId, *, author: str | None = None, now: int | None = None) -> None:
        """Makes or moves `refs/values/NAME`.

        Raises:
            BadRefName, RefClash: it cannot be a name here.
        """
        ref = value_ref(name)
        with self.transaction(f"put {name}", author=author, now=now) as transaction:
            transaction.update(ref, oid, expected=self.refs.resolve(ref))

    @contextmanager
    def worktree_lock(self) -> Iterator[None]:
        """Holds the work tree while it, or HEAD, is changed.

        Raises:
            WorktreeBusy: another gv held it for too long.
        """
        from gvstore.repo.lock import worktree_lock

        with worktree_lock(self.gv, self.path):
            yield

    @property
    def worktree(self) -> Worktree:
        """The files of the work tree."""
        from gvstore.repo.worktree import Worktree

        return Worktree(self.path, self.gv, self.objects, read_only=self.read_only)

    def snapshot(
        self,
        *,
        paths: Sequence[str] | None = None,
        allow_large: bool = False,
        allow_secret: bool = False,
        leave_out: bool = False,
    ) -> Snapshot:
        """Returns the work tree, stored; with `paths`, those from the work tree and all else from HEAD.

        With `leave_out`, files that would stop are left out and told in the answer.

        Raises:
            Swallowed: files that are too large or hold keys; lists all of them.
            NoSuchPath, UnreadableFile, FileChanged: something cannot be read.
        """
        from gvstore.repo.commit import snapshot

        stops = self.stops(allow_large=allow_large, allow_secret=allow_secret)
        return snapshot(self.worktree, self.head_files(), stops=stops, paths=paths, leave_out=leave_out)

    def snapshot_code(self, paths: Sequence[str], *, base: ObjectId | None = None) -> Snapshot:
        """Returns the files of commit `base` with those at `paths` as they are now, stored: the code that a run uses.

        Files at these exact paths are taken, ignored or not; what is too large or holds keys is left out and told.
        """
        from gvstore.repo.commit import overlay

        return overlay(self.worktree, self.files(base), paths, stops=self.stops())

    def commit(
        self,
        message: str,
        *,
        author: str | None = None,
        now: int | None = None,
        components: FindComponents | None = None,
        runs: Sequence[ObjectId] = (),
        values: Mapping[str, ObjectId] | None = None,
        paths: Sequence[str] | None = None,
        allow_large: bool = False,
        allow_secret: bool = False,
        allow_empty: bool = False,
        allow_conflicts: bool = False,
    ) -> ObjectId:
        """Returns the new commit of the work tree, or of `paths` of it; HEAD's branch has moved to it.

        `values` are those named in `refs/values/` unless given.

        Raises:
            NothingToCommit: nothing changed and there are no runs to add, and not `allow_empty`.
            Swallowed: files that are too large or hold keys; lists all of them.
            RefMoved, WorktreeBusy: another process is at work.
            UsageFault, NoSuchPath, UnreadableFile, FileChanged: no message, or something cannot be read.
        """
        from gvstore.repo.commit import commit

        return commit(
            self,
            message,
            author=self.author(author),
            now=host.now_us() if now is None else now,
            components=components or (lambda files: {}),
            runs=runs,
            values=values,
            paths=paths,
            stops=self.stops(allow_large=allow_large, allow_secret=allow_secret),
            allow_empty=allow_empty,
            allow_conflicts=allow_conflicts,
        )

    def checkout(
        self,
        rev: str,
        *,
        paths: Sequence[str] | None = None,
        create: str | None = None,
        reset: bool = False,
        detach: bool = False,
        force: bool = False,
        author: str | None = None,
        now: int | None = None,
    ) -> Checkout:
        """Moves the work tree, and HEAD, to what the rev names.

        A branch is gone onto, another commit leaves HEAD detached; `create` makes a branch there, or with `reset`
        moves it.  With `force` unsaved files give way, stored before.
        A run's code is laid over the work tree (`checkout_run`). With `paths`, only these files are
        brought, and HEAD stays.

        Raises:
            WouldOverwrite: unsaved work is in the way; lists all of it, nothing was touched.
            BadRev: the rev names nothing that can be checked out.
        """
        from gvstore.repo.switch import checkout

        moment, writer = host.now_us() if now is None else now, self.author(author)
        return checkout(
            self, rev, paths=paths, create=create, reset=reset, detach=detach, force=force, author=writer, now=moment
        )

    def restore(
        self, paths: Sequence[str], *, source: str = "HEAD", author: str | None = None, now: int | None = None
    ) -> Checkout:
        """Brings these files and folders to what `source` has; unsaved ones give way, stored before.

        Raises:
            NoSuchPath: neither `source` nor HEAD has such a file.
        """
        from gvstore.repo.switch import restore

        return restore(self, paths, source, author=self.author(author), now=host.now_us() if now is None else now)

    def status(self) -> Status:
        """Returns how the work tree differs from HEAD."""
        from gvstore.repo.conclude import undecided
        from gvstore.repo.moved import present_mark
        from gvstore.repo.pending import pending_of
        from gvstore.repo.status import Status, changes

        compared = self.worktree.compare(self.head_tree())
        differing = compared.differences.items()
        found = changes({p: old for p, (old, _) in differing if old}, {p: new for p, (_, new) in differing if new})
        pending = pending_of(self)
        return Status(
            branch=self.branch,
            head=self.head,
            added=found.added,
            modified=found.modified,
            deleted=found.deleted,
            renamed=found.renamed,
            skipped=compared.skipped,
            mark=present_mark(self),
            pending=pending,
            undecided=tuple(undecided(self, pending)) if pending is not None else (),
        )

    def log(
        self,
        rev: str = "HEAD",
        *,
        without: Sequence[str] = (),
        limit: int | None = None,
        first_parent: bool = False,
        now: int | None = None,
    ) -> Iterator[LogEntry]:
        """Yields the commits that lead to `rev`, the newest first; those that lead to `without` are left out."""
        from gvstore.repo.history import log

        start = self.head if rev == HEAD else None  # where most logs begin: nothing to look up
        if start is None:
            start = self.resolve_commit(rev, now=now)
        hidden = [self.resolve_commit(each, now=now) for each in without]
        return log(self.objects, [start], without=hidden, limit=limit, first_parent=first_parent)

    def resolver(self, *, now: int | None = None) -> Resolver:
        """Returns what looks revs up."""
        from gvstore.repo.resolve import Resolver

        def git(rev: str) -> GitCode:
            from gvstore.repo.git_code import git_code

            return git_code(self, rev)

        return Resolver(self.refs, self.objects, now=host.now_us() if now is None else now, git=git)

    def resolve(self, rev: str, *, wanted: frozenset[Found] = frozenset(), now: int | None = None) -> Resolved:
        """Returns what the rev names; of several objects whose oids begin alike, the one that is `wanted`.

        Raises:
            BadRev: it is no rev, names nothing, or several things; lists them, or the near names.
        """
        return self.resolver(now=now).resolve(rev, wanted=wanted)

    def resolve_commit(self, rev: str, *, now: int | None = None) -> ObjectId:
        """Returns the commit that the rev names.  Raises as `resolve`."""
        return self.resolver(now=now).commit(rev)

    def files(self, commit: ObjectId | None) -> Files:
        """Returns the files of a commit by path; None has none."""
        from gvstore.objects.commit import Commit
        from gvstore.repo.files import Files, read_files

        return read_files(self.objects, Commit.get(self.objects, commit).tree) if commit is not None else Files()

    def head_tree(self) -> ObjectId | None:
        """Returns the tree of HEAD; None before the first commit."""
        from gvstore.objects.commit import Commit

        head = self.head
        return Commit.get(self.objects, head).tree if head is not None else None

    def head_files(self) -> Files:
        """Returns the files of HEAD by path."""
        return self.files(self.head)

    def branches(self) -> tuple[Branch, ...]:
        """Returns all branches, by name."""
        from gvstore.repo.branch import branches

        return branches(self)

    def create_branch(
        self, name: str, rev: str = "HEAD", *, author: str | None = None, now: int | None = None
    ) -> ObjectId:
        """Makes a branch at the commit that `rev` names, and returns that."""
        from gvstore.repo.branch import create_branch

        moment = host.now_us() if now is None else now
        oid = self.resolve_commit(rev, now=moment)
        create_branch(self, name, oid, author=self.author(author), now=moment)
        return oid

    def delete_branch(
        self, name: str, *, force: bool = False, author: str | None = None, now: int | None = None
    ) -> ObjectId:
        """Deletes a branch and returns where it was; unless `force`, only if another leads to its commits."""
        from gvstore.repo.branch import delete_branches

        moment = host.now_us() if now is None else now
        return delete_branches(self, [name], force=force, author=self.author(author), now=moment)[0]

    def rename_branch(self, old: str, new: str, *, author: str | None = None, now: int | None = None) -> None:
        """Renames a branch; HEAD goes with it."""
        from gvstore.repo.branch import rename_branch

        moment = host.now_us() if now is None else now
        rename_branch(self, old, new, author=self.author(author), now=moment)

    def fsck(self, *, full: bool = True, exact: bool = False) -> Iterator[Finding]:
        """Yields what is damaged, or strange; `full` reads every object, `exact` compares each with the format to the byte."""
        from gvstore.repo.fsck import fsck

        return fsck(self, full=full, exact=exact)

    def repair(self) -> Iterator[Mended]:
        """Mends what can be mended, deletes nothing, and yields what was done; `fsck` then tells what is left.

        Raises:
            RefsReadOnly: nothing can be written here.
            Busy: another process is merging or collecting.
        """
        from gvstore.repo.repair import repair

        return repair(self)

    def forget_targets(self, revs: Sequence[str]) -> list[Target]:
        """Returns what these revs name and `forget` would take away, with all that refers to it."""
        from gvstore.repo.forget import targets

        return targets(self, revs)

    def forget(
        self, targets: Sequence[Target], *, why: str = "", author: str | None = None, now: int | None = None
    ) -> Removed:
        """Takes objects away for good; their names stay as tombstones.  The repository is closed on the way.

        Raises:
            RefsReadOnly: nothing can be written here.
            Busy: another process is merging or collecting.
        """
        from gvstore.repo.forget import forget_targets

        return forget_targets(
            self, targets, self._moment(now), author=self.author(author), why=why, journals=self._journal_links
        )

    def _journal_links(self) -> Iterable[ObjectId]:
        return ()

    def gc(self, *, prune: str | None = None, dry_run: bool = False, now: int | None = None) -> Collected:
        """Takes out of sight what nothing leads to, and deletes what was so long enough ago; `prune` says since when.

        What this handle wrote, or was told is there, stays while it is open.

        Raises:
            Incomplete: something that refs lead to is missing; nothing was done.
            UsageFault: `prune` is no time.
        """
        from gvstore.repo.gc import gc

        return gc(self, self._moment(now), prune=prune, dry_run=dry_run, journals=self._journal_links)

    def _moment(self, now: int | None) -> Moment:
        from gvstore.odb.collect import Moment

        boot, uptime = host.boot_clock()
        return Moment(host.now_us() if now is None else now, uptime, boot)

    def git_note(self) -> str:
        """Returns git's HEAD and whether its work tree is dirty, "" where there is no git."""
        from gvstore.repo.git import git_note

        return git_note(self.path)

    def stops(self, *, allow_large: bool = False, allow_secret: bool = False) -> Stops:
        """Returns what a commit stops at, as the settings have it."""
        from gvstore.repo.worktree import Stops

        return Stops(
            None if allow_large else self.config.number("commit.large"),
            not allow_secret and self.config.flag("commit.secrets"),
        )


def _absolute(path: Path | str) -> Path:
    """Returns the path from the root, without "..", its symlinks kept as the user sees them."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - resolve() would follow symlinks


def _check_place(gv: Path, folder: Path) -> None:
    """Refuses another machine's disk, unless the settings allow it."""
    kind = fs.network_file_system(folder)
    if kind:
        from gvstore.repo.config import Config

        if not Config(user=host.config_dir() / layout.CONFIG, repo=gv / layout.CONFIG).flag("core.network"):
            raise OnNetwork(str(gv), kind)


def _unwritable(gv: Path) -> bool:
    """Returns whether nothing may be written: asked of the mode too, for root may write everywhere."""
    return fs.is_read_only(gv) or not gv.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
