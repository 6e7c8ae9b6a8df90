"""Ranges: words that name a set of commits, as git's rev-list takes them.

    main          the commits that lead to main
    ^main         without those; --not turns what follows around
    A..B          those of B that do not lead to A: `^A B`.  A.. ends at HEAD, ..B begins there
    A...B         those that lead to one of the two, not to both
    A^!  A^@  A^-2    A alone · its parents · A without its second parent's line
    --all --branches --tags --remotes    every ref of a kind, HEAD too with --all

Used by log, rev-list, diff and whoever else takes several commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gvstore.errors import BadRev
from gvstore.objects.commit import Commit
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.refs import Refs
from gvstore.refs.names import BRANCHES, HEAD, REMOTES, TAGS
from gvstore.refs.value import value_oid
from gvstore.repo.history import LogEntry, log, merge_bases

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

GLOBS: Final = {"--all": (BRANCHES, TAGS, REMOTES), "--branches": (BRANCHES,), "--tags": (TAGS,), "--remotes": (REMOTES,)}
NOT: Final = "--not"
_PARENTS = re.compile(r"(.+)\^(!|@|-([0-9]*))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RevRange:
    """The commits that lead to `starts` and not to `without`, these included; `words` as typed.

    `left` and `right` are the two sides of one `A..B` or `A...B` (`dots` 2 or 3), for
    whoever compares them; None where the words are anything else.
    """

    starts: tuple[ObjectId, ...]
    without: tuple[ObjectId, ...] = ()
    words: tuple[str, ...] = ()
    left: ObjectId | None = None
    right: ObjectId | None = None
    dots: int = 0


def is_range_word(word: str) -> bool:
    """Returns whether a word is a range rather than one rev."""
    return word in GLOBS or word == NOT or word[:1] == "^" or range_sides(word) is not None or bool(_PARENTS.fullmatch(word))


def parse_range(
    repo: Repository, words: Sequence[str], *, default: str | None = HEAD, now: int | None = None
) -> RevRange:
    """Returns the commits that the words name together; without a word that asks for commits, those of `default`.

    Raises:
        BadRev: a rev of it names nothing, several things, or no commit.
    """
    return _Parser(repo, now).parse(words, default)


def list_range(reader: ObjectReader, wanted: RevRange, *, first_parent: bool = False) -> Iterator[LogEntry]:
    """Yields the commits of a range, the newest first, none before one that follows it."""
    return log(reader, wanted.starts, without=wanted.without, first_parent=first_parent)


def every_commit(refs: Refs, reader: ObjectReader, prefixes: Iterable[str] = GLOBS["--all"]) -> list[ObjectId]:
    """Returns the commits that refs stand at, each once, tags looked through; refs to anything else are left out."""
    found: dict[ObjectId, None] = {}
    prefixes = tuple(prefixes)
    values = [value for prefix in prefixes for value in refs.list(prefix).values()]
    oids = [refs.resolve(HEAD)] if prefixes == GLOBS["--all"] else []
    for oid in [*oids, *map(value_oid, values)]:
        commit = None if oid is None else _commit_behind(reader, oid)
        if commit is not None:
            found[commit] = None
    return list(found)


class _Parser:
    def __init__(self, repo: Repository, now: int | None) -> None:
        self._repo, self._resolver = repo, repo.resolver(now=now)
        self._starts: dict[ObjectId, None] = {}
        self._without: dict[ObjectId, None] = {}
        self._sides: list[tuple[ObjectId, ObjectId, int]] = []

    def parse(self, words: Sequence[str], default: str | None) -> RevRange:
        turned = False
        asked = False
        for word in words:
            if word == NOT:
                turned = not turned
                continue
            asked = asked or not (turned or word[:1] == "^")
            self._word(word, turned)
        if not asked and default is not None:
            self._starts[self._resolver.commit(default)] = None
        left, right, dots = self._sides[0] if len(self._sides) == 1 and len(words) == 1 else (None, None, 0)
        return RevRange(tuple(self._starts), tuple(self._without), tuple(words), left, right, dots)

    def _word(self, word: str, turned: bool) -> None:
        starts, without = (self._without, self._starts) if turned else (self._starts, self._without)
        if word in GLOBS:
            starts.update(dict.fromkeys(every_commit(self._repo.refs, self._repo.objects, GLOBS[word])))
        elif word[:1] == "^":
            without[self._commit(word[1:], word)] = None
        elif (sides := range_sides(word)) is not None:
            self._range(word, *sides, starts, without)
        elif found := _PARENTS.fullmatch(word):
            self._parents(word, found, starts, without)
        else:
            starts[self._commit(word, word)] = None

    def _range(
        self, word: str, left: str, right: str, dots: int, starts: dict[ObjectId, None], without: dict[ObjectId, None]
    ) -> None:
        a, b = self._commit(left or HEAD, word), self._commit(right or HEAD, word)
        self._sides.append((a, b, dots))
        if dots == 2:
            starts[b] = None
            without[a] = None
            return
        starts.update({a: None, b: None})
        without.update(dict.fromkeys(merge_bases(self._repo.objects, a, b)))

    def _parents(
        self, word: str, found: re.Match[str], starts: dict[ObjectId, None], without: dict[ObjectId, None]
    ) -> None:
        oid = self._commit(found.group(1), word)
        parents = Commit.get(self._repo.objects, oid).parents
        if found.group(2) == "@":
            starts.update(dict.fromkeys(parents))
            return
        starts[oid] = None
        if found.group(2) == "!":
            without.update(dict.fromkeys(parents))
            return
        number = int(found.group(3)[:9] or "1")
        if not 1 <= number <= len(parents):
            count = f"{len(parents) or 'no'} parent{'s' * (len(parents) != 1)}"
            raise BadRev(f"{word} names nothing: {found.group(1)} has {count}", hint="`gv log -1 REV` shows its parents.")
        without[parents[number - 1]] = None

    def _commit(self, text: str, word: str) -> ObjectId:
        if not text:
            raise BadRev(f"{word} is no range: nothing stands behind ^", hint="As in: gv log main ^other")
        return self._resolver.commit(text)


def range_sides(word: str) -> tuple[str, str, int] | None:
    """Returns the two sides of `A..B` or `A...B` and the number of dots; None where there are none outside braces."""
    depth = 0
    for at, character in enumerate(word):
        depth += (character == "{") - (character == "}")
        if character == ":" and depth <= 0:
            return None  # a path or a call begins: `HEAD:a..b` is a file
        if depth <= 0 and word.startswith("..", at):
            dots = 3 if word.startswith("...", at) else 2
            # `..` alone is the folder above; `../x` a path
            if word in ("..", "...") or word[at + dots :].startswith("/"):
                return None
            return word[:at], word[at + dots :], dots
    return None


def _commit_behind(reader: ObjectReader, oid: ObjectId) -> ObjectId | None:
    """Returns the commit that a tag comes to, or the oid itself if it is one; None for anything else."""
    from gvstore.objects.tag import Tag

    for _ in range(20):
        kind = reader.read(oid)[0]
        if kind == Kind.COMMIT:
            return oid
        if kind != Kind.TAG:
            return None
        oid = Tag.get(reader, oid).target
    return None
