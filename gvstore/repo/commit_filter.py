"""Which commits of a walk are wanted: by date, author, message, number of parents, and by what they changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gvstore.compare.text import Side, diff_bytes
from gvstore.compare.trees import FileDiff, diff_trees
from gvstore.errors import UsageFault
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo.history import LogEntry
from gvstore.repo.moment import parse_moment
from gvstore.repo.path import under

_TOO_LARGE_BYTES = 64 << 20  # a file that no text is looked for in

Test = Callable[[LogEntry], bool]


class BadPattern(UsageFault):
    """A regular expression that is none."""

    def __init__(self, pattern: str, why: re.error) -> None:
        at = f" at character {why.pos + 1}" if why.pos is not None else ""
        super().__init__(
            f"{pattern!r} is no regular expression: {why.msg}{at}", hint="Regular expressions are Python's; -F takes the text as it is."
        )


def compile_pattern(pattern: str, *, ignore_case: bool = False, fixed: bool = False, word: bool = False) -> re.Pattern[str]:
    """Returns the pattern, ready to search with.

    Raises:
        BadPattern: it is no regular expression; says where.
    """
    try:
        text = re.escape(pattern) if fixed else pattern
        re.compile(text)  # alone first, so that the place that an error tells is the user's
        return re.compile(rf"(?<!\w)(?:{text})(?!\w)" if word else text, re.IGNORECASE if ignore_case else 0)
    except re.error as e:
        raise BadPattern(pattern, e) from e


def moment_of(text: str, now: int) -> int:
    """Returns the microseconds since 1970 that `text` stands for.

    Raises:
        UsageFault: it is no time.
    """
    moment = parse_moment(text, now)
    if moment is None:
        raise UsageFault(f"{text!r} is no time", hint="Write yesterday, 2 hours ago, 2026-11-20, or 2026-11-20T10:02:11Z.")
    return moment


@dataclass(frozen=True, slots=True)
class CommitFilter:
    """What a commit must be like; times in microseconds, `authors` and `messages`: one of each must be found in it."""

    since: int | None = None
    until: int | None = None
    authors: tuple[re.Pattern[str], ...] = ()
    messages: tuple[re.Pattern[str], ...] = ()
    merges: bool | None = None

    def __call__(self, entry: LogEntry) -> bool:
        """Returns whether the commit is wanted."""
        commit = entry.commit
        if self.since is not None and commit.created_at < self.since:
            return False
        if self.until is not None and commit.created_at > self.until:
            return False
        if self.merges is not None and (len(commit.parents) > 1) is not self.merges:
            return False
        if self.authors and not any(each.search(commit.author) for each in self.authors):
            return False
        return not self.messages or any(each.search(commit.message) for each in self.messages)


class Pickaxe:
    """Wants commits that changed how often a text occurs (`-S`), or lines that match (`-G`); merges change nothing.

    Each content is counted once, however many commits have it.
    """

    def __init__(
        self, reader: ObjectReader, *, text: str | None = None, pattern: re.Pattern[str] | None = None, paths: Sequence[str] = ()
    ) -> None:
        self._reader, self._text, self._pattern, self._paths = reader, text, pattern, tuple(paths)
        self._counts: dict[ObjectId, int] = {}

    def __call__(self, entry: LogEntry) -> bool:
        """Returns whether the commit is wanted."""
        parents = entry.commit.parents
        if len(parents) > 1:
            return False
        before = Commit.get(self._reader, parents[0]).tree if parents else None
        found = diff_trees(self._reader, before, entry.commit.tree)
        return any(self._wants(each) for each in found if not self._paths or under(each.path, self._paths))

    def _wants(self, found: FileDiff) -> bool:
        if self._text is not None:
            return self._count(found.old) != self._count(found.new)
        diff = diff_bytes(self._content(found.old), self._content(found.new), context=0)
        hunks = getattr(diff, "hunks", ())
        assert self._pattern is not None
        return any(line.side is not Side.BOTH and self._pattern.search(line.text) for hunk in hunks for line in hunk.lines)

    def _count(self, entry: TreeEntry | None) -> int:
        if entry is None or self._text is None:
            return 0
        if entry.oid not in self._counts:
            self._counts[entry.oid] = self._content(entry).count(self._text.encode("utf-8", "surrogateescape"))
        return self._counts[entry.oid]

    def _content(self, entry: TreeEntry | None) -> bytes:
        try:
            if entry is None or blob_size(self._reader, entry.oid) > _TOO_LARGE_BYTES:
                return b""
            return get_blob(self._reader, entry.oid)
        except Forgotten:
            return b""
