"""gv cat-file: objects as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class ObjectShown:
    """One object: what kind it is, its size with the kind byte, and the objects that it links."""

    oid: ObjectId
    kind: str
    size_bytes: int
    links: tuple[ObjectId, ...]
    weak_links: tuple[ObjectId, ...]
    data: bytes

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('oid', self.oid.hex())}  {self.kind}  {self.size_bytes} bytes"
        for oid in self.links:
            yield f"  → {paint('oid', oid.hex())}"
        for oid in self.weak_links:
            yield f"  ⇢ {paint('oid', oid.hex())}"


@dataclass(frozen=True, slots=True)
class OneFact:
    """The kind or the size of an object."""

    oid: ObjectId
    kind: str
    size_bytes: int
    fact: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self.fact


@click.command("cat-file", cls=Command)
@click.argument("rev")
@click.option("-t", "--type", "want_kind", is_flag=True, help="Print only what kind of object it is")
@click.option("-s", "--size", "want_size", is_flag=True, help="Print only its size in bytes, the kind byte included")
@click.option("-p", "--pretty", is_flag=True, help="Print its kind, its size and its links")
@pass_context
def command(cx: CommandContext, rev: str, want_kind: bool, want_size: bool, pretty: bool) -> None:
    """Print an object by its name (plumbing)

    Without an option its bytes, the kind byte first: what `gv rev-parse` names is their BLAKE3 hash.

    \b
    Example:
      gv cat-file -t 9f31c2ab
    """
    from gvstore.objects.kind import Kind
    from gvstore.objects.links import links

    if want_kind + want_size + pretty > 1:
        raise UsageFault("-t, -s and -p exclude each other", hint="`gv cat-file -p REV` prints all of it.")
    repo = cx.repository
    oid = repo.resolve(rev).oid
    if oid is None:
        raise BadRev(
            f"{rev} is no object", hint="`gv show` shows runs and calls; `gv rev-parse` names a call's object."
        )
    data = repo.objects.read(oid)
    kind = Kind(data[0]).word
    if want_kind or want_size:
        cx.output.result(OneFact(oid, kind, len(data), kind if want_kind else str(len(data))))
    elif pretty or cx.output.json:
        strong, weak = links(data)
        cx.output.result(ObjectShown(oid, kind, len(data), tuple(strong), tuple(weak), data))
    else:
        cx.output.raw([data])
