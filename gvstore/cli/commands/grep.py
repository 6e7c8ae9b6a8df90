"""gv grep: lines that match, in files, in commits, and in what the calls of runs were given and gave out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import PathCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault

if TYPE_CHECKING:
    import re

    from gvstore.journal.repository import Repository
    from gvstore.objects.oid import ObjectId
    from gvstore.repo.grep import Line, Search


@dataclass(frozen=True, slots=True)
class Found:
    """A line: of a file (`path`, in the work tree where `rev` is null), or of a part of a call (`rev` is `run/7:0.2/args/topic`).

    `line` counts from 1 within the file or text; `matched` is false for lines around one that matches.  Of a `binary` file
    there is no line.
    """

    rev: str | None
    path: str | None
    line: int | None
    text: str | None
    matched: bool
    binary: bool
    numbered: bool = field(metadata=HIDDEN)
    gap: bool = field(metadata=HIDDEN)
    pattern: re.Pattern[str] | None = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.gap:
            yield paint("quiet", "--")
        place = _place(self.rev, self.path)
        if self.binary:
            yield f"binary file {place} matches"
            return
        sign = paint("quiet", ":" if self.matched else "-")
        number = f"{paint('oid', str(self.line))}{sign}" if self.numbered else ""
        yield f"{paint('ref', place)}{sign}{number}{_marked(self.text or '', self.pattern if self.matched else None, paint)}"


@dataclass(frozen=True, slots=True)
class FoundIn:
    """Where something was found, with `-l`, and how many lines of it, with `-c`."""

    rev: str | None
    path: str | None
    count: int
    counted: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield paint("ref", _place(self.rev, self.path)) + (f":{self.count}" if self.counted else "")


def _place(rev: str | None, path: str | None) -> str:
    from gvstore.repo.fault import printable

    return ":".join(printable(each) for each in (rev, path) if each is not None)


def _marked(text: str, pattern: re.Pattern[str] | None, paint: Paint) -> str:
    if pattern is None or not paint.colour:
        return text
    return pattern.sub(lambda found: paint("bad", found[0]), text)


@click.command("grep", cls=PathCommand)
@click.argument("pattern")
@click.argument("words", metavar="[REV...] [-- PATH...]", nargs=-1)
@click.option("--runs", "in_runs", is_flag=True, help="Search what the calls of all runs were given and gave out")
@click.option("-i", "--ignore-case", is_flag=True, help="Match in any case")
@click.option("-w", "--word-regexp", "word", is_flag=True, help="Match whole words only")
@click.option("-F", "--fixed-strings", "fixed", is_flag=True, help="Take PATTERN as a plain text")
@click.option("-E", "--extended-regexp", is_flag=True, hidden=True, help="Accepted: patterns are Python's")
@click.option("-v", "--invert-match", "inverted", is_flag=True, help="Show the lines that do not match")
@click.option("-n", "--line-number", "numbered", is_flag=True, help="Show the numbers of lines")
@click.option("-l", "--files-with-matches", "names", is_flag=True, help="Show only where something matches")
@click.option("-c", "--count", "counted", is_flag=True, help="Show how many lines match")
@click.option("-A", "--after-context", "after", type=click.IntRange(min=0), metavar="N", help="Show N lines after each")
@click.option("-B", "--before-context", "before", type=click.IntRange(min=0), metavar="N", help="Show N lines before each")
@click.option("-C", "--context", "around", type=click.IntRange(min=0), metavar="N", help="Show N lines before and after each")
@pass_context
def command(
    cx: CommandContext, pattern: str, words: tuple[str, ...], in_runs: bool, ignore_case: bool, word: bool, fixed: bool,
    extended_regexp: bool, inverted: bool, numbered: bool, names: bool, counted: bool,
    after: int | None, before: int | None, around: int | None,
) -> int:  # fmt: skip
    """Show lines that match, in files, commits and runs

    PATTERN is a regular expression, Python's.  Without REV the files of the work tree are searched, what is ignored left
    out; a commit's files with its name, a run's arguments, state, outputs and exceptions with its own: each hit is told as
    `gv show` takes it, run/7:0.2/args/topic.  Nothing found ends with status 1.

    \b
    Example:
      gv grep -n "temperature" -- prompts
      gv grep -l TODO main v1.0
      gv grep --runs otter
      gv grep -i "no seats" run/7
    """
    from gvstore.repo.grep import Search

    if names and counted:
        raise UsageFault("-l and -c are two answers to one question", hint="Give one of them.")
    bare = around or 0
    search = Search.of(
        pattern, ignore_case=ignore_case, fixed=fixed, word=word, inverted=inverted,
        before=0 if names or counted else bare if before is None else before,
        after=0 if names or counted else bare if after is None else after,
    )  # fmt: skip
    repo = cx.journal
    with repo:
        texts = _texts(cx, repo, search, words, in_runs=in_runs)
        shower = _Shower(search, names, counted, numbered)
        cx.output.exact()
        cx.output.stream(shower.shown(texts), paged=True)
    return 0 if shower.found else 1


class _Shower:
    """Makes results of found lines; `found` counts those that matched."""

    def __init__(self, search: Search, names: bool, counted: bool, numbered: bool) -> None:
        self._search, self._names, self._counted, self._numbered = search, names, counted, numbered
        self.found = 0

    def shown(self, texts: Iterable[_Text]) -> Iterator[Found | FoundIn]:
        gaps = bool(self._search.before or self._search.after)
        for text in texts:
            count = sum(line.matched for line in text.lines)
            if self._names or self._counted:
                self.found += count
                yield FoundIn(text.rev, text.path, count, self._counted)
                continue
            last: int | None = None
            for line in text.lines:
                gap = gaps and self.found > 0 and line.number - 1 != last
                last = line.number
                self.found += 1
                lacks = text.binary
                yield Found(
                    text.rev, text.path, None if lacks else line.number, None if lacks else line.text, line.matched,
                    text.binary, self._numbered, gap, self._search.pattern if not self._search.inverted else None,
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Text:
    """The lines that were found in one file, or one part of a call."""

    rev: str | None
    path: str | None
    lines: Sequence[Line]
    binary: bool = False


def _texts(
    cx: CommandContext, repo: Repository, search: Search, words: tuple[str, ...], *, in_runs: bool
) -> Iterator[_Text]:
    """Returns what is found, one by one; what was typed wrongly is told before the first.

    Raises:
        BadRev: a rev names nothing that has files or calls.
    """
    from gvstore.cli.rev_words import split_words
    from gvstore.cli.subject import named_run
    from gvstore.objects.commit import Commit
    from gvstore.repo.path import insides
    from gvstore.repo.resolve import Found as Kind

    revs, paths = split_words(cx, repo, words)
    inside = insides(repo.path, paths or None, cwd=cx.folder)
    trees: list[tuple[str, ObjectId]] = []
    runs: list[int | str] = []
    for rev in revs:
        found = repo.resolve(rev)
        if found.found is Kind.RUN:
            runs.append(named_run(repo, rev).number or rev)
        elif found.found is Kind.COMMIT and found.oid is not None:
            trees.append((rev, Commit.get(repo.objects, found.oid).tree))
        elif found.found is Kind.FOLDER and found.oid is not None:
            trees.append((rev, found.oid))
        else:
            raise BadRev(f"{rev} is a {found.found.value}, and a commit or run was asked for", hint="A file stands behind --: gv grep PATTERN REV -- FILE")
    if inside is not None and (runs or in_runs):
        raise UsageFault("a path narrows files down, not runs", hint="Leave the path out, or name a commit.")
    if in_runs and trees:
        raise UsageFault("--runs searches runs, and a commit is named", hint="Leave one of them out.")
    if in_runs and not runs:
        runs = [row.number for row in repo.refs.runs() if not row.removed]
    if not trees and not runs and not in_runs:
        return _lying(repo, search, inside)
    return _stored(repo, search, trees, runs, inside)


def _lying(repo: Repository, search: Search, paths: tuple[str, ...] | None) -> Iterator[_Text]:
    """Yields what is found in the files of the work tree."""
    from gvstore import fs

    for path, status in repo.worktree.scan(paths=paths).files.items():
        if not status.st_size or (repo.path / path).is_symlink():
            continue
        try:
            data = fs.read_bytes(repo.path / path)
        except OSError:  # gone since it was listed, or not ours to read
            continue
        lines, binary = search.in_bytes(data)
        if lines:
            yield _Text(None, path, lines, binary)


def _stored(
    repo: Repository, search: Search, trees: list[tuple[str, ObjectId]], runs: list[int | str], paths: tuple[str, ...] | None
) -> Iterator[_Text]:
    """Yields what is found in trees and runs; each content is searched once."""
    from gvstore.errors import Corrupt
    from gvstore.journal.address import format_path
    from gvstore.journal.grep import RunSearch
    from gvstore.objects.blob import get_blob
    from gvstore.objects.tree import Mode
    from gvstore.repo.files import iter_files
    from gvstore.repo.path import under

    known: dict[ObjectId, tuple[Sequence[Line], bool]] = {}
    for rev, tree in trees:
        for path, entry in iter_files(repo.objects, tree):
            if entry.mode is Mode.SYMLINK or (paths is not None and not under(path, paths)):
                continue
            if entry.oid not in known:
                try:
                    known[entry.oid] = search.in_bytes(get_blob(repo.objects, entry.oid))
                except Corrupt:  # forgotten: there is nothing to find
                    known[entry.oid] = (), False
            lines, binary = known[entry.oid]
            if lines:
                yield _Text(rev, path, lines, binary)
    searching = RunSearch(search, repo.objects)
    for number in runs:
        try:
            run = repo.runs[number] if isinstance(number, int) else repo.run_of(repo.resolve(number))
            root = run.invocation if run.record.root is not None else None
            for hit in searching.hits(root) if root is not None else ():
                yield _Text(f"{run.name}:{format_path(hit.path)}/{hit.part}", None, hit.lines)
        except Corrupt:  # a damaged run: fsck tells
            continue
