"""gv note: what people write on runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault, WouldLose

if TYPE_CHECKING:
    from gvstore.repo.remark import Remarks


class KeyInNote(WouldLose):
    """A note with a key in it, which would stay readable in the repository."""

    hint = "Leave the key out; --allow-secret stores it all the same, for everyone who reads the repository."


@dataclass(frozen=True, slots=True)
class NoteListed:
    """A note: what somebody wrote, and when."""

    text: str
    author: str
    created_at: datetime

    def lines(self, paint: Paint) -> Iterator[str]:
        yield paint("quiet", f"{units.local(self.created_at)}  {self.author}")
        yield from (f"    {line}".rstrip() for line in self.text.split("\n"))


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes on a run, the oldest first; `action` is shown, noted or cleared."""

    run: str
    number: int
    action: str
    notes: tuple[NoteListed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        name = paint("run", self.run)
        if self.action == "shown":
            for note in self.notes:
                yield from note.lines(paint)
        elif self.action == "cleared":
            yield f"{name}  no notes"
        else:
            yield f"{name}  {units.count(len(self.notes), 'note')}"


def _stop_at_keys(text: str) -> None:
    """Looks for keys in a note, as a commit does in files.

    Raises:
        KeyInNote: it seems to hold one.
    """
    from gvstore.repo.secrets import key_in

    found = key_in("", text.encode("utf-8", "surrogatepass"))
    if found is not None:
        raise KeyInNote(f"the note should hardly be stored: it holds {found}".replace("holds sets", "sets"))


def listed_notes(remarks: Remarks) -> tuple[NoteListed, ...]:
    """Returns the notes, ready to print."""
    return tuple(NoteListed(each.text, each.author, units.moment(each.at)) for each in remarks.notes)


@click.command("note", cls=Command)
@click.argument("rev", metavar="RUN")
@click.argument("text", required=False)
@click.option("-m", "--message", "messages", metavar="TEXT", multiple=True, help="The note (can be repeated)")
@click.option("-F", "--file", "file", type=click.File(encoding="utf-8"), help="Take the note from a file, - for stdin")
@click.option("--append", is_flag=True, help="Keep the notes that are there: what happens if nothing is said")
@click.option("--replace", is_flag=True, help="Let this note take the place of all that are there")
@click.option("--clear", is_flag=True, help="Take the notes away")
@click.option("--allow-secret", is_flag=True, help="Take a note that seems to hold a key")
@pass_context
def command(
    cx: CommandContext, rev: str, text: str | None, messages: tuple[str, ...], file: TextIO | None, append: bool,
    replace: bool, clear: bool, allow_secret: bool,
) -> None:  # fmt: skip
    """Write notes on a run, or show them

    Without TEXT the notes are shown.  They stand beside the run, whose oid does not change, also of one that is still
    running; `gv show` and `gv runs` tell them, `gv undo` takes them back, and `gv runs --where '"typo" in note'` finds them.

    \b
    Example:
      gv note run/7 "the tone is right, the facts are not"
    """
    from gvstore import host
    from gvstore.cli.subject import named_run
    from gvstore.repo.remark import Remarks, change_remarks, read_remarks

    texts = [*([text] if text is not None else []), *messages, *([file.read()] if file is not None else [])]
    written = "\n\n".join(texts).strip("\n")
    if sum((append, replace, clear)) > 1:
        raise UsageFault("--append, --replace and --clear exclude one another", hint="`gv note --help` shows how.")
    if clear and texts:
        raise UsageFault("--clear takes no text", hint=f"`gv note {rev} --replace TEXT` writes another note.")
    if (texts or append or replace) and not written.strip():
        raise UsageFault("the note is empty", hint=f'Write one: `gv note {rev} "..."`; --clear takes notes away.')
    repo = cx.journal
    run = named_run(repo, rev)
    if not run.number:
        raise UsageFault(f"{rev} has no number here", hint="Notes are kept by the number of a run; `gv runs` lists them.")
    if texts and not allow_secret:
        _stop_at_keys(written)
    if not texts and not clear:
        remarks = read_remarks(repo, run.number)
        if not remarks.notes:
            cx.output.status(f'no notes on {run.name}: `gv note {run.name} "..."` writes one')
        cx.output.result(Notes(run.name, run.number, "shown", listed_notes(remarks)))
        return
    author, now = repo.author(), host.now_us()

    def change(before: Remarks) -> Remarks:
        kept = Remarks((), before.scores) if clear or replace else before
        return kept if clear else kept.noted(written, author, now)

    (remarks,) = change_remarks(repo, [run.number], change, f"note {run.name}", author=author, now=now)
    cx.output.result(Notes(run.name, run.number, "cleared" if clear else "noted", listed_notes(remarks)))
