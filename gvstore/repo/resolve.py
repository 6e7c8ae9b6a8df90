"""Revs looked up: from the text a user typed to what it names here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gvstore.errors import BadRev
from gvstore.objects.commit import Commit
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.protocol import ObjectReader
from gvstore.refs import Refs
from gvstore.refs.names import BRANCHES, HEAD, PREFIXES, REMOTES, RUN, RUNS, TAGS, VALUES, WORK, run_ref, short_name
from gvstore.refs.record import ReflogEntry
from gvstore.refs.value import value_oid, value_run
from gvstore.repo.rev import (
    Base,
    BaseKind,
    Call,
    MalformedRev,
    Rev,
    Step,
    parse_call,
    parse_rev,
    searched_text,
    split_rev,
)

if TYPE_CHECKING:
    from gvstore.objects.tree import Mode
    from gvstore.repo.git_code import GitCode

_HEX = re.compile(r"[0-9a-f]{4,64}", re.IGNORECASE)
_PART = re.compile(r"(?:run/)?([0-9]+)/(.+)", re.ASCII)  # what is meant is run/7:/output
_MOVED = re.compile(r"checkout: moving from (.+) to (.+)")
_SHORT = (TAGS, BRANCHES, VALUES, REMOTES)  # where a short name is looked for
_MAX_TAGS = 20
_SHORTEST = 8
_GIT = "git:"  # what stands behind is git's: a branch of ours that is called git is heads/git


class Found(Enum):
    """What a rev names."""

    COMMIT = "commit"
    RUN = "run"
    CALL = "call"
    FILE = "file"
    FOLDER = "folder"
    COMPONENT = "component"
    VALUE = "value"
    OBJECT = "object"


_OF_KIND: dict[int, Found] = {
    Kind.COMMIT: Found.COMMIT,
    Kind.RUN: Found.RUN,
    Kind.TREE: Found.FOLDER,
    Kind.BLOB: Found.FILE,
    Kind.COMPONENT: Found.COMPONENT,
    Kind.VALUE: Found.VALUE,
}


class Resolved(NamedTuple):
    """What a rev names.

    `oid` is None for a run still being recorded, and for calls, which the
    journal looks up by `run` and `call`.  `ref` is the full name of the ref that was typed, if
    nothing followed it.  `commit` is the commit that a file, folder, component or value was
    found in.  `run` is the run's number, None where it has none here.  `tag` is the annotated tag that was looked
    through, where nothing asked for what is behind it.
    """

    text: str
    found: Found
    oid: ObjectId | None
    ref: str = ""
    commit: ObjectId | None = None
    run: int | None = None
    run_oid: ObjectId | None = None
    call: Call | None = None
    path: str = ""
    mode: Mode | None = None
    tag: ObjectId | None = None


class UnknownRev(BadRev):
    """A rev that names nothing here; `near` are names like it."""

    def __init__(self, text: str, why: str = "", *, near: Sequence[str] = (), hint: str = "") -> None:
        self.text, self.near = text, tuple(near)
        if near:
            hint = f"Did you mean {' or '.join(near)}?"
        super().__init__(
            f"{text[:200]} names nothing" + (f": {why}" if why else ""),
            hint=hint or "`gv log` and `gv runs` list what there is.",
        )


class AmbiguousRev(BadRev):
    """A rev that names several things; `candidates` are all of them, as they could be typed."""

    def __init__(self, text: str, candidates: Sequence[str]) -> None:
        self.text, self.candidates = text, tuple(candidates)
        lines = "".join(f"\n  {each}" for each in candidates)
        super().__init__(f"{text[:200]} names several things:{lines}", hint="Type one of these, or more digits.")


class Database(ObjectReader, Protocol):
    """What resolving asks of the object database."""

    def resolve(self, prefix: str) -> list[ObjectId]:
        """Returns the objects whose hex begins with `prefix`, at most some."""
        ...


class Resolver:
    """Looks revs up; `now` (microseconds) is for `@{yesterday}`, `git` gives the code of a commit of git's."""

    def __init__(
        self, refs: Refs, objects: Database, *, now: int, git: Callable[[str], GitCode] | None = None
    ) -> None:
        self.refs, self.objects, self.now, self.git = refs, objects, now, git

    def resolve(self, rev: Rev | str, *, wanted: frozenset[Found] = frozenset()) -> Resolved:
        """Returns what the rev names; of several objects whose oids begin alike, the one that is `wanted`.

        Raises:
            MalformedRev, UnknownRev, AmbiguousRev: it is none, names nothing, or several things.
        """
        text = rev if isinstance(rev, str) else ""
        if text.startswith(_GIT) and self.git is not None:
            return self._of_git(text, self.git)
        if isinstance(rev, str):
            rev = parse_rev(rev)
        if rev.sign and not rev.base.is_run:
            wanted = wanted - {Found.FILE} | {Found.COMMIT, Found.RUN}
        searched = searched_text(rev)
        if searched is not None:
            return self._plain(_At(self._message(text, searched, None)), text)
        start = self._base(rev, text or rev.base.text, wanted)
        for step in rev.steps[start.used :]:
            start = self._step(start, step, text)
        if not rev.sign:
            return self._plain(start, text)
        start = self._behind_tag(start)
        if start.run is not None or (start.oid is not None and self._kind(start.oid) == Kind.RUN):
            if rev.sign == "::":
                raise UnknownRev(
                    text, "a run has calls, not components",
                    hint=f"`gv show {text}` shows a component of its code; a call is named as run/7:name.0.",
                )  # fmt: skip
            found = self._plain(start, text)
            return Resolved(text, Found.CALL, None, run=found.run, run_oid=found.oid, call=parse_call(rev.tail))
        assert start.oid is not None
        if rev.sign == "::":
            return self._named(text, start.oid, rev.tail)
        return self._path(text, start.oid, rev.tail)

    def commit(self, rev: Rev | str) -> ObjectId:
        """Returns the commit that the rev names, a tag's target looked through.

        Raises:
            UnknownRev: it names something else.
        """
        found = self.resolve(rev, wanted=frozenset({Found.COMMIT}))
        if found.oid is not None:
            oid = self._peeled(found.oid)
            if self._kind(oid) == Kind.COMMIT:
                return oid
        if found.ref.startswith(_GIT):
            raise UnknownRev(
                found.text, "it is a commit of git, and one of gv was asked for",
                hint=f"Its files and code can be had: `gv diff {found.text}`, `gv checkout {found.text} -- FILE`, `--code {found.text}`.",
            )  # fmt: skip
        raise UnknownRev(
            found.text, f"it is a {found.found.value}, and a commit was asked for", hint="`gv log` lists commits."
        )

    def _of_git(self, text: str, git: Callable[[str], GitCode]) -> Resolved:
        """What git's commit has: all of it, or a file or folder."""
        name, sign, path = split_rev(text[len(_GIT) :])
        if sign == "::":
            raise UnknownRev(
                text, "git's commits know no components",
                hint=f"`gv show {text}` shows one and `gv run {text}` runs it; `{_GIT}{name}:FILE.py` is the file that defines it.",
            )  # fmt: skip
        code = git(name)
        if not sign or not path.strip("/"):
            return Resolved(text, Found.FOLDER, code.tree, ref=code.ref)
        return self._path(text, code.tree, path, code.ref[: len(_GIT) + _SHORTEST])

    def shortest(self, oid: ObjectId) -> str:
        """Returns the shortest abbreviation of the oid, at least 8 digits, that names nothing else here."""
        text = oid.hex()
        for length in range(_SHORTEST, len(text), 2):
            if len(self.objects.resolve(text[:length])) < 2:
                return text[:length]
        return text

    def _base(self, rev: Rev, text: str, wanted: frozenset[Found]) -> _At:
        base, steps = rev.base, rev.steps
        back = steps[0] if steps and steps[0].sign == "@" else None
        if base.kind is BaseKind.CURRENT:
            assert back is not None
            if not back.when and back.count < 0:
                return self._previous_branch(text, -back.count)
            return self._logged(self.refs.head_ref() or HEAD, back, text)
        if base.kind is BaseKind.RUN:
            return self._logged(RUN, back, text) if back else self._current_run(text)
        if base.kind is BaseKind.HEAD:
            if back:
                return self._logged(HEAD, back, text)
            oid = self.refs.resolve(HEAD)
            if oid is None:
                raise UnknownRev(text, "there is no commit yet", hint='`gv commit -m "..."` makes the first.')
            return _At(oid, ref=HEAD)
        if base.kind is BaseKind.NUMBER:
            at = self._number(base, text)
        elif back and (gone := self._deleted(base.text)):
            return self._logged(gone, back, text)
        else:
            at = self._name(base.text, text, wanted)
        return self._logged(at.ref, back, text) if back else at

    def _deleted(self, name: str) -> str:
        """Returns the ref that was called so and is not there any more, "" where one is, or none was."""
        refs = [name] if name.startswith("refs/") else [prefix + name for prefix in _SHORT]
        if any(self.refs.read(ref) for ref in refs):
            return ""
        return next((ref for ref in refs if self.refs.reflog(ref, limit=1)), "")

    def _current_run(self, text: str) -> _At:
        number = self.refs.current_run()
        if number is None:  # no command has made a run here; programs may have
            number = next((row.number for row in self.refs.runs(limit=1)), None)
        if number is None:
            raise UnknownRev(text or RUN, "no run has been made here", hint="`gv run FILE.py:FUNCTION` makes one.")
        return self._run(number, text)

    def _run(self, number: int, text: str) -> _At:
        row = self.refs.run(number) if number < 2**63 else None
        if row is None or row.removed:
            raise UnknownRev(
                text, "it was removed" if row else f"there is no run {number}", hint="`gv runs` lists the runs."
            )
        return _At(row.oid, ref=run_ref(number), run=number)

    def _number(self, base: Base, text: str) -> _At:
        """A run's number; digits alone may also be the beginning of an oid."""
        assert base.number is not None
        row = self.refs.run(base.number) if base.number < 2**63 else None
        if base.is_run or (row is not None and not row.removed and len(base.text) < _SHORTEST):
            return self._run(base.number, text)
        oids = self.objects.resolve(base.text) if _HEX.fullmatch(base.text) else []
        if row is not None and not row.removed:
            if oids:
                raise AmbiguousRev(text, [f"run/{base.number}", *map(self._described, oids)])
            return self._run(base.number, text)
        if oids:
            return self._abbreviated(base.text, text, oids, frozenset())
        return self._run(base.number, text)

    def _name(self, name: str, text: str, wanted: frozenset[Found]) -> _At:
        refs = [name] if name.startswith("refs/") else [f"refs/{name}"] if name.startswith(_FOLDERS) else []
        refs += [prefix + name for prefix in _SHORT]
        found = {ref: oid for ref in refs if (oid := self.refs.resolve(ref)) is not None}
        if len(set(found.values())) > 1:
            raise AmbiguousRev(
                text, [f"{ref.removeprefix('refs/')}  {self._described(oid)}" for ref, oid in found.items()]
            )
        if found:
            ref = next((each for each in found if each.startswith(BRANCHES)), next(iter(found)))
            number = int(ref[len(RUNS) :]) if ref.startswith(RUNS) else None
            return _At(found[ref], ref=ref, run=number)
        if _HEX.fullmatch(name):
            oids = self.objects.resolve(name.lower())
            if oids:
                return self._abbreviated(name, text, oids, wanted)
        head = self.refs.head_ref()
        if head in (BRANCHES + name, name):
            raise UnknownRev(text, "that branch has no commit yet", hint='`gv commit -m "..."` makes the first.')
        if part := _PART.fullmatch(name):
            of, rest = part.groups()
            raise UnknownRev(text, near=[f"run/{of}:{'' if rest[0].isdecimal() else '/'}{rest}"])
        raise UnknownRev(text, near=self._near(name))

    def _abbreviated(self, name: str, text: str, oids: Sequence[ObjectId], wanted: frozenset[Found]) -> _At:
        if len(oids) > 1:
            fitting = [oid for oid in oids if _OF_KIND.get(self._kind(oid)) in wanted or self._kind(oid) == Kind.TAG]
            oids = fitting if len(fitting) == 1 else oids
        if len(oids) > 1:
            raise AmbiguousRev(text, [self._described(oid) for oid in oids])
        return _At(oids[0])

    def _near(self, name: str) -> list[str]:
        names = [short_name(ref) for ref in self.refs.list() if not ref.startswith((RUNS, WORK))]
        import difflib

        return difflib.get_close_matches(name, [*names, "HEAD", "RUN"], n=3)

    def _previous_branch(self, text: str, count: int) -> _At:
        moves = (_MOVED.fullmatch(entry.message) for entry in self.refs.reflog(HEAD))
        names = [found.group(1) for found in moves if found]
        if count > len(names):
            raise UnknownRev(text, f"HEAD has moved {len(names)} times")
        at = self._name(names[count - 1], text, frozenset({Found.COMMIT}))
        return _At(at.oid, ref=at.ref, run=at.run, used=1)

    def _logged(self, ref: str, step: Step, text: str) -> _At:
        """What a ref was: `step.count` moves, or the time `step.when`, ago."""
        entries = self.refs.reflog(ref) if ref else ()
        if not entries:
            raise UnknownRev(text, f"{short_name(ref)} has no history" if ref else "only a ref has a history")
        value = self._at_time(entries, step, text) if step.when else self._at_count(entries, step, text)
        number = value_run(value)
        at = self._run(number, text) if number is not None else _At(value_oid(value))
        if at.oid is None and at.run is None:
            raise UnknownRev(text, f"{short_name(ref)} was not there then")
        return _At(at.oid, run=at.run, used=1)

    def _at_count(self, entries: Sequence[ReflogEntry], step: Step, text: str) -> str:
        if 0 <= step.count < len(entries):
            return entries[step.count].new
        if step.count == len(entries):
            return entries[-1].old
        raise UnknownRev(text, f"its history has {len(entries)} entries", hint="`gv reflog` shows them.")

    def _at_time(self, entries: Sequence[ReflogEntry], step: Step, text: str) -> str:
        from gvstore.repo.moment import parse_moment

        moment = parse_moment(step.when, self.now)
        if moment is None:
            raise MalformedRev(text, f"{step.when!r} is no time; write yesterday, 2 hours ago, or 2026-11-20T10:02:11Z")
        return next((entry.new for entry in entries if entry.created_at <= moment), entries[-1].old)

    def _step(self, at: _At, step: Step, text: str) -> _At:
        if step.sign == "@":
            raise MalformedRev(text, "@{...} stands right after a ref")
        if step.sign == "{":
            return self._behind(at, step.when, text)
        at = self._behind_tag(at)
        if at.run is not None or (at.oid is not None and self._kind(at.oid) == Kind.RUN):
            return self._run_before(at, step, text)
        assert at.oid is not None
        oid = self._peeled(at.oid)
        if self._kind(oid) != Kind.COMMIT:
            raise UnknownRev(text, "only commits and runs have something before them")
        if step.sign == "^":
            if step.count == 0:
                return _At(oid)
            parents = Commit.get(self.objects, oid).parents
            if step.count > len(parents):
                raise UnknownRev(text, f"{short(oid)} has {len(parents) or 'no'} parent{'s' * (len(parents) != 1)}")
            return _At(parents[step.count - 1])
        for done in range(step.count):
            parents = Commit.get(self.objects, oid).parents
            if not parents:
                raise UnknownRev(text, f"history begins {done} before")
            oid = parents[0]
        return _At(oid)

    def _behind(self, at: _At, wanted: str, text: str) -> _At:
        """What `^{...}` asks for: of a kind, or with a message."""
        if at.oid is None:
            raise UnknownRev(text, "that run is still being recorded")
        if wanted == "object":
            return at
        if wanted == "tag" and self._kind(at.oid) == Kind.TAG:
            return at
        oid = self._peeled(at.oid)
        kind = self._kind(oid)
        if wanted.startswith("/") and kind == Kind.COMMIT:
            return _At(self._message(text, wanted[1:], oid))
        if wanted == "tree" and kind == Kind.COMMIT:
            return _At(Commit.get(self.objects, oid).tree)
        words = {each.word: each for each in Kind}
        if wanted and wanted not in words and not wanted.startswith("/"):
            raise MalformedRev(text, f"{wanted!r} is no kind of object; write ^{{commit}}, ^{{tree}} or ^{{}}")
        if wanted and words.get(wanted) != kind:
            asked = "commit" if wanted.startswith("/") else wanted
            raise UnknownRev(text, f"it is a {Kind(kind).word}, and a {asked} was asked for", hint="`gv cat-file -t` tells kinds.")
        return _At(oid, run=at.run)

    def _message(self, text: str, pattern: str, start: ObjectId | None) -> ObjectId:
        """Returns the newest commit with the message, of those that lead to `start`, or to any branch, tag or HEAD."""
        from gvstore.repo.history import log
        from gvstore.repo.rev_range import every_commit

        negative = pattern.startswith("!-")
        try:
            wanted = re.compile(pattern[2:] if negative else pattern.replace("!!", "!", 1) if pattern[:2] == "!!" else pattern)
        except re.error as e:
            raise MalformedRev(text, f"{pattern!r} is no regular expression: {e}") from e
        starts = [start] if start is not None else every_commit(self.refs, self.objects)
        for entry in log(self.objects, starts):
            if (wanted.search(entry.commit.message) is None) is negative:
                return entry.oid
        raise UnknownRev(text, f"no commit's message {'lacks' if negative else 'has'} {pattern}")

    def _run_before(self, at: _At, step: Step, text: str) -> _At:
        """The run that a run was derived from, `step.count` times."""
        from gvstore.objects.run import Run

        if step.sign == "^" and step.count > 1:
            raise UnknownRev(text, "a run is derived from one run")
        for _ in range(step.count):
            parent = Run.get(self.objects, at.oid).parent if at.oid is not None else None
            if parent is None:
                raise UnknownRev(
                    text, "that run was derived from none" if at.oid else "that run is still being recorded"
                )
            if not self.objects.has(parent):
                raise UnknownRev(text, "the run that it was derived from is not here any more")
            at = _At(parent, run=self.refs.run_number(parent))
        return at

    def _behind_tag(self, at: _At) -> _At:
        """Returns the run that an annotated tag leads to; anything else is itself."""
        if at.run is not None or at.oid is None or self._kind(at.oid) != Kind.TAG:
            return at
        oid = self._peeled(at.oid)
        return _At(oid, ref=at.ref, run=self.refs.run_number(oid), used=at.used) if self._kind(oid) == Kind.RUN else at

    def _plain(self, at: _At, text: str) -> Resolved:
        if at.run is not None and at.oid is None:
            return Resolved(text, Found.RUN, None, ref=at.ref, run=at.run)
        assert at.oid is not None
        kind = self._kind(at.oid)
        number = at.run if at.run is not None or kind != Kind.RUN else self.refs.run_number(at.oid)
        found, tag = _OF_KIND.get(kind, Found.OBJECT), None
        if kind == Kind.TAG:
            tag = at.oid
            found = _OF_KIND.get(self._kind(self._peeled(at.oid)), Found.OBJECT)
            at = _At(self._peeled(at.oid), ref=at.ref)
            number = self.refs.run_number(at.oid) if found is Found.RUN and at.oid is not None else None
        run_oid = at.oid if found is Found.RUN else None
        return Resolved(text, found, at.oid, ref=at.ref, run=number, run_oid=run_oid, tag=tag)

    def _named(self, text: str, oid: ObjectId, name: str) -> Resolved:
        """A component or named value of a commit."""
        oid = self._commit_of(text, oid)
        commit = Commit.get(self.objects, oid)
        for named, found in ((commit.components, Found.COMPONENT), (commit.values, Found.VALUE)):
            if name in named:
                return Resolved(text, found, named[name], commit=oid, path=name)
        near = _near_names(name, [*commit.components, *commit.values])
        last = self._last_seen(oid)
        if name in last:
            at = short(last[name])
            raise UnknownRev(text, f"{short(oid)} has no {name}; it was last in {at}", hint=f"`gv show {at}::{name}`")
        names = [f"{text[: len(text) - len(name)]}{each}" for each in near]
        if not names:
            names = [f"{short(last[each])}::{each}" for each in _near_names(name, list(last))]
        raise UnknownRev(text, f"{short(oid)} has no {name}", near=names)

    def _last_seen(self, oid: ObjectId) -> dict[str, ObjectId]:
        """Returns all names of components and values that led here, each with the last commit that has it."""
        from gvstore.repo.history import log

        found: dict[str, ObjectId] = {}
        for before, commit in log(self.objects, [oid]):
            for name in (*commit.components, *commit.values):
                found.setdefault(name, before)
        return found

    def _path(self, text: str, oid: ObjectId, path: str, called: str = "") -> Resolved:
        """A file or folder of a commit, or of a tree, which is `called` so in messages."""
        from gvstore.objects.tree import Mode
        from gvstore.repo.files import find

        oid = self._peeled(oid)
        is_tree = self._kind(oid) == Kind.TREE
        tree = oid if is_tree else Commit.get(self.objects, self._commit_of(text, oid)).tree
        plain = path.removeprefix("./").rstrip("/")
        entry = find(self.objects, tree, plain)
        if entry is None or (path.endswith("/") and entry.mode != Mode.FOLDER):
            raise UnknownRev(text, f"{called or short(oid)} has no {path}", near=self._near_paths(text, tree, plain))
        found = Found.FOLDER if entry.mode == Mode.FOLDER else Found.FILE
        return Resolved(text, found, entry.oid, commit=None if is_tree else oid, path=plain, mode=entry.mode)

    def _near_paths(self, text: str, tree: ObjectId, path: str) -> list[str]:
        from gvstore.objects.tree import Mode
        from gvstore.repo.files import find, read_level

        folder, _, name = path.rpartition("/")
        entry = find(self.objects, tree, folder)
        if entry is None or entry.mode != Mode.FOLDER:
            return []
        before = text[: len(text) - len(text.removeprefix(_GIT).partition(":")[2])] + (folder + "/" if folder else "")
        return [before + each for each in _near_names(name, read_level(self.objects, entry.oid))]

    def _commit_of(self, text: str, oid: ObjectId) -> ObjectId:
        oid = self._peeled(oid)
        if self._kind(oid) != Kind.COMMIT:
            raise UnknownRev(text, "what stands before the colon is no commit and no run")
        return oid

    def _peeled(self, oid: ObjectId) -> ObjectId:
        if self._kind(oid) != Kind.TAG:
            return oid
        from gvstore.objects.tag import Tag

        for _ in range(_MAX_TAGS):
            if self._kind(oid) != Kind.TAG:
                return oid
            oid = Tag.get(self.objects, oid).target
        raise UnknownRev(short(oid), "a tag of a tag of a tag, without end")

    def _kind(self, oid: ObjectId) -> int:
        return self.objects.read(oid)[0]

    def _described(self, oid: ObjectId) -> str:
        """Returns an oid for a list to choose from."""
        try:
            kind = self._kind(oid)
        except ObjectMissing:
            return oid.hex()[:12]
        word = Kind(kind).word if kind in Kind.__members__.values() else "object"
        more = Commit.get(self.objects, oid).message.partition("\n")[0] if kind == Kind.COMMIT else ""
        number = self.refs.run_number(oid) if kind == Kind.RUN else None
        return " ".join(filter(None, [oid.hex()[:16], word, more, f"run/{number}" if number else ""]))


class _At(NamedTuple):
    """Where a walk through a rev stands; `used` steps have been taken with the base."""

    oid: ObjectId | None
    ref: str = ""
    run: int | None = None
    used: int = 0


_FOLDERS = tuple(prefix.removeprefix("refs/") for prefix in PREFIXES)


def _near_names(name: str, names: Iterable[str]) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)
