"""gv blame: which commit a line of a file came with; which call first wrote a text or value, and how it came to where it is.

0   llm.chat   wrote it                     …the grey sea…
2   revise     took it as draft, gave it on
    story      gave it on
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.cells import cells, pad
from gvstore.cli.command import BEHIND, PathCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.value_text import value_line
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf, Subject
    from gvstore.journal.blame import Blamed, BlameStep
    from gvstore.journal.repository import Repository

_MANY, _FIRST, _LAST = 24, 12, 8
_LONGEST = 88


@dataclass(frozen=True, slots=True)
class Step:
    """One station: a part of a call, `output` or the name of an argument, and how many characters of the text it has."""

    path: str
    component: str
    part: str
    characters: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A text or value and its origin: `call` (the call wrote it), `code` (the call's own code did), or `argument`.

    `at` is where it stands in what was blamed; `steps` go from the origin to there; `stands` is where the code has it.
    """

    at: str
    value: object
    origin: str
    path: str
    component: str
    characters: int
    size: int
    steps: tuple[Step, ...]
    earlier: Step | None
    made_of: Step | None
    stands: str

    @property
    def who(self) -> str:
        """Which call, or argument, it came from."""
        if self.origin == "argument":
            return f"{self.component}({self.steps[0].part})"
        return self.component

    def coverage(self) -> str:
        """Returns `42 of 60 characters`, or nothing where all are there."""
        return _coverage(self.characters, self.size)


@dataclass(frozen=True, slots=True)
class Blames:
    """Where a text came from, or all pieces of a value; `more` pieces were not looked for."""

    rev: str
    text: str | None
    pieces: tuple[Piece, ...]
    more: int

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.text is not None:
            yield from _way(self.pieces[0], paint)
            return
        places = max((len(piece.path) for piece in self.pieces), default=0)
        names = max((len(piece.who) for piece in self.pieces), default=0)
        for piece in self.pieces:
            where = paint("call", piece.path.ljust(places)) + f"  {piece.who.ljust(names)}"
            text = value_line(piece.value, _LONGEST) if not isinstance(piece.value, str) else _cut(piece.value)
            part = piece.coverage()
            yield f"{where}  {piece.at + '  ' if piece.at else ''}{text}{paint('quiet', '   ' + part) if part else ''}"
        if self.more:
            yield paint("quiet", f"… and {units.count(self.more, 'more piece')}: name a part, or a TEXT")
        if not self.pieces:
            yield paint("quiet", "nothing in it that could be told from anything else")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _coverage(characters: int, size: int) -> str:
    return f"{characters} of {units.count(size, 'character')}" if characters < size else ""


def _way(piece: Piece, paint: Paint) -> Iterator[str]:
    """Yields a line a call, from the origin to where the text was looked for."""
    stations = [(path, list(steps)) for path, steps in groupby(piece.steps, key=lambda step: step.path)]
    rows: list[tuple[str, str, str, str]] = []
    if piece.origin == "code":
        rows.append((piece.path, piece.component, f"wrote it itself{f': it stands in {piece.stands}' * bool(piece.stands)}", ""))
    for number, (path, steps) in enumerate(stations):
        first = number == 0 and piece.origin != "code"
        told = _told(piece, steps, first=first, last=number + 1 == len(stations))
        rows.append((path, steps[-1].component, told, _coverage(steps[-1].characters, piece.size)))
    if len(rows) > _MANY:
        hidden = units.count(len(rows) - _FIRST - _LAST, "more call")
        rows[_FIRST:-_LAST] = [("", "…", f"{hidden} on the way; --json lists all", "")]
    places, names = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    for number, (path, component, told, coverage) in enumerate(rows):
        excerpt = piece.steps[0].excerpt if number == (piece.origin == "code") else ""
        tail = "   ".join(filter(None, (coverage, excerpt)))
        line = f"{paint('call', path.ljust(places))}  {component.ljust(names)}  {told}"
        yield f"{line}{'   ' + paint('quiet', tail) if tail else ''}".rstrip()
    if piece.made_of is not None:
        part = f"{piece.made_of.characters} of {units.count(piece.size, 'character')}"
        yield paint("quiet", f"note: {part} it was given as {piece.made_of.part}: {piece.made_of.excerpt}")
    if piece.earlier is not None:
        how = "had it" if piece.earlier.part == "output" else f"was given it as {piece.earlier.part}"
        had = f"{piece.earlier.path}  {piece.earlier.component} {how} before; nothing shows that it came from there".lstrip()
        yield paint("quiet", f"note: {had}")


def _told(piece: Piece, steps: list[Step], *, first: bool, last: bool) -> str:
    """Returns what a call did with the text: `took it as draft, gave it on`."""
    words = []
    for number, step in enumerate(steps):
        if step.part != "output":
            words.append(f"{'was given' if first and number == 0 else 'took'} it as {step.part}")
        elif first and number == 0:
            where = f": it stands in {piece.stands}" if piece.stands else ""
            words.append(f"wrote it{where}")
        else:
            words.append("gave it back" if last else "gave it on")
    return ", ".join(words)


@dataclass(frozen=True, slots=True)
class LineBlamed:
    """A line of a file; `commit`, `author`, `created_at` and `subject` are null where no commit has it yet.

    `path` and `line` are where it stood in that commit.
    """

    number: int
    text: str
    commit: ObjectId | None
    author: str | None
    created_at: datetime | None
    subject: str | None
    path: str
    line: int
    short: str = field(metadata=HIDDEN)


@dataclass(frozen=True, slots=True)
class FileBlamed:
    """The lines of a file; `rev` is null for the work tree."""

    path: str
    rev: str | None
    lines_blamed: tuple[LineBlamed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        rows = self.lines_blamed
        oids = max((len(row.short) for row in rows), default=0) or 8
        names = max((cells(_name(row.author)) for row in rows), default=0)
        moved = any(row.path != self.path for row in rows)
        paths = max((cells(row.path) for row in rows), default=0)
        digits = len(str(rows[-1].number)) if rows else 1
        for row in rows:
            oid = paint("oid", row.short.ljust(oids)) if row.commit else paint("quiet", "-" * oids)
            path = f" {pad(printable(row.path), paths)}" if moved else ""
            when = units.local(row.created_at) if row.created_at else " " * 19
            about = f"({pad(_name(row.author), names)} {when} {row.number:>{digits}})"
            yield f"{oid}{path} {paint('quiet', about)} {row.text}".rstrip()


def _name(author: str | None) -> str:
    return "in no commit" if author is None else author.partition(" <")[0]


@click.command("blame", cls=PathCommand)
@click.argument("words", metavar="FILE [REV] | RUN[:CALL[/PART]] [TEXT]", nargs=-1, required=True)
@click.option("-L", "asked", metavar="FROM,TO", help="Of a file: tell these lines only; 10,20 or 10,+5 or '/def f/,+5'")
@click.option("-w", "no_blanks", is_flag=True, help="Of a file: count no blanks as changes")
@pass_context
def command(cx: CommandContext, words: tuple[str, ...], asked: str | None, no_blanks: bool) -> None:
    """Tell which commit a line came with, or which call first wrote a text

    Of a FILE each line is told with the commit that it came with, through renames; without REV those of the work tree.

    Of a RUN, TEXT is looked for in the output of the run or call, or in the part that is named: /args/topic, /output/title,
    /raised.  Case, blanks and punctuation may have changed on the way; of a text that was put together, the larger part is
    followed.  Without TEXT, every line and value of the part is told with the call that wrote it.

    A text that stands nowhere in the run ends with status 1, and tells what is nearest.

    \b
    Example:
      gv blame agent.py -L 10,20
      gv blame main~5 -- prompts/system.txt
      gv blame run/7 "the grey sea"
      gv blame run/7:llm.chat.3/args/prompt
    """
    from gvstore.cli.file_blame import blamed_file, named_file

    behind = click.get_current_context().meta.get(BEHIND)
    if len(words) > 2:
        raise UsageFault("gv blame takes a file and a rev, or a run and a text", hint="A text of several words stands in quotes.")
    repo = cx.journal
    with repo:
        if (named := named_file(cx, repo, words, behind)) is not None:
            cx.output.exact()
            cx.output.result(blamed_file(cx, repo, named, asked, blanks=not no_blanks), paged=True)
        elif asked is not None or no_blanks:
            raise UsageFault("-L and -w are for files, and no file is named", hint="As in: gv blame agent.py -L 10,20")
        else:
            cx.output.result(_of_run(repo, *words), paged=True)


def _of_run(repo: Repository, rev: str, text: str | None = None) -> Blames:
    from gvstore.cli.subject import open_subject, run_name
    from gvstore.journal.blame import blame

    if text is not None and not text.strip():
        raise UsageFault("the text to look for is empty", hint="Leave it out to blame the whole part.")
    subject = open_subject(repo, rev, part=("output",))
    run = _run_of(subject)
    found = blame(run.invocation, subject.path, subject.part, subject.value, text, run.record.code, run_name(run))
    return Blames(subject.name, text, tuple(map(_piece, found.pieces)), found.more)


def _run_of(subject: Subject) -> RunOf:
    if subject.run is None:
        raise BadRev(
            f"{subject.resolved.text} is a {subject.found.value}, and a run or call was asked for",
            hint="`gv runs` lists the runs; as in `gv blame run/7:0.2/output TEXT`.",
        )
    return subject.run


def _piece(found: Blamed) -> Piece:
    return Piece(
        at=found.at, value=found.value, origin=found.origin.value, path=".".join(map(str, found.path)),
        component=found.component, characters=found.characters, size=found.size, steps=tuple(map(_step, found.steps)),
        earlier=None if found.earlier is None else _step(found.earlier),
        made_of=None if found.made_of is None else _step(found.made_of), stands=found.stands,
    )  # fmt: skip


def _step(step: BlameStep) -> Step:
    return Step(".".join(map(str, step.path)), step.component, step.part, step.characters, step.excerpt)
