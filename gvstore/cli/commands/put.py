"""gv put: stores a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import WouldLose
from gvstore.objects.oid import ObjectId


class KeyInValue(WouldLose):
    """A value with a key in it, which would stay readable in the repository."""

    hint = "Keep keys in the environment; --allow-secret stores it all the same, for everyone who reads the repository."


@dataclass(frozen=True, slots=True)
class Stored:
    """A value that is kept until it is removed; `replaced` is what had its name before."""

    oid: ObjectId
    name: str | None
    replaced: ObjectId | None

    def lines(self, paint: Paint) -> Iterator[str]:
        yield paint("oid", self.oid.hex()) + (f"  {paint('ref', self.name)}" if self.name else "")


@click.command("put", cls=Command, context_settings={"ignore_unknown_options": True})
@click.option("--name", metavar="NAME", help="Name it: `gv get NAME` hands it out, and commits take it along")
@click.option("--allow-secret", is_flag=True, help="Take a value that seems to hold a key")
@click.argument("value", metavar="VALUE|@FILE")
@pass_context
def command(cx: CommandContext, name: str | None, allow_secret: bool, value: str) -> None:
    """Store a value

    VALUE is read as JSON where it is JSON, else as text; @FILE stores what the file says: of FILE.json its content, of
    text its text, of anything else its bytes.  A value with a key in it is refused.

    \b
    Example:
      gv put 0.7 --name temperature
      gv put @golden.json --name golden
    """
    from gvstore.journal.arguments import read_word
    from gvstore.refs.names import value_ref

    with cx.journal as repo:
        content = read_word(value, cx.folder)
        if not allow_secret:
            _stop_at_keys(value.removeprefix("@"), content)
        before = repo.refs.resolve(value_ref(name)) if name is not None else None
        ref = repo.put(content, name=name)
        replaced = before if before != ref.oid else None
        cx.output.result(Stored(ref.oid, name, replaced))
        if replaced is not None:
            cx.output.status(f"{name} was {replaced.hex()[:8]} before")


def _stop_at_keys(place: str, value: Any) -> None:
    """Looks for keys in a value, as a commit does in files.

    Raises:
        KeyInValue: it seems to hold one.
    """
    from gvstore.repo.secrets import key_in

    if isinstance(value, bytes):
        data = value
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        data = text.encode("utf-8", "surrogatepass")
    found = key_in("" if place == value else place, data)
    if found is not None:
        raise KeyInValue(f"the value should hardly be stored: it holds {found}".replace("holds sets", "sets"))
