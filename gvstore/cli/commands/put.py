"""gv put: stores a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class Stored:
    """A value that is kept until it is removed."""

    oid: ObjectId
    name: str | None

    def lines(self, paint: Paint) -> Iterator[str]:
        yield paint("oid", self.oid.hex()) + (f"  {paint('ref', self.name)}" if self.name else "")


@click.command("put", cls=Command, context_settings={"ignore_unknown_options": True})
@click.option("--name", metavar="NAME", help="Name it: `gv get NAME` hands it out, and commits take it along")
@click.argument("value", metavar="VALUE|@FILE")
@pass_context
def command(cx: CommandContext, name: str | None, value: str) -> None:
    """Store a value

    VALUE is read as JSON where it is JSON, else as text; @FILE stores what the file says: of FILE.json its content, of
    text its text, of anything else its bytes.

    \b
    Example:
      gv put 0.7 --name temperature
      gv put @golden.json --name golden
    """
    from gvstore.journal.arguments import read_word

    with cx.journal as repo:
        ref = repo.put(read_word(value, cx.folder), name=name)
        cx.output.result(Stored(ref.oid, name))
