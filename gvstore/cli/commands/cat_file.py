"""gv cat-file: objects as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
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
    text: tuple[str, ...] = field(default=(), metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.text:
            yield from self.text
            return
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


@dataclass(frozen=True, slots=True)
class Existence:
    """Whether an object is there, and whole."""

    exists: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(())


@click.command("cat-file", cls=Command)
@click.argument("rev", required=False)
@click.option("-t", "--type", "want_kind", is_flag=True, help="Print only what kind of object it is")
@click.option("-s", "--size", "want_size", is_flag=True, help="Print only its size in bytes, the kind byte included")
@click.option("-p", "--pretty", is_flag=True, help="Print it as text: a commit, tree, tag or file as git does, all else by its kind, size and links")
@click.option("-e", "--exists", is_flag=True, help="Print nothing: exit with 0 if it is there and whole, with 1 if not")
@click.option("--batch", is_flag=True, help="Answer each rev on stdin: name, kind and size on a line, then the bytes")
@click.option("--batch-check", is_flag=True, help="Answer each rev on stdin: name, kind and size on a line")
@click.option("--batch-all-objects", "every", is_flag=True, help="With one of those, go through all objects, not stdin")
@pass_context
def command(
    cx: CommandContext,
    rev: str | None,
    want_kind: bool,
    want_size: bool,
    pretty: bool,
    exists: bool,
    batch: bool,
    batch_check: bool,
    every: bool,
) -> int:
    """Print an object by its name (plumbing)

    Without an option its bytes, the kind byte first: what `gv rev-parse` names is their BLAKE3 hash.  With --batch or
    --batch-check many are asked for in one process, in git's protocol: `REV missing` is the answer to what is not there.

    \b
    Example:
      gv cat-file -t 9f31c2ab
      gv rev-parse HEAD main | gv cat-file --batch-check
    """
    if batch or batch_check or every:
        if rev is not None or want_kind + want_size + pretty + exists or batch + batch_check != 1:
            raise UsageFault(
                "--batch and --batch-check stand alone", hint="`gv cat-file --batch` reads revs from stdin."
            )
        from gvstore.cli.object_batch import answer_all, every_object
        from gvstore.cli.plumbing import words_of_stdin

        answer_all(cx, every_object(cx.repository) if every else words_of_stdin(), contents=batch)
        return 0
    if rev is None:
        raise UsageFault("missing argument 'REV'", hint="`gv cat-file -p HEAD`, or --batch with revs on stdin.")
    if want_kind + want_size + pretty + exists > 1:
        raise UsageFault("-t, -s, -p and -e exclude each other", hint="`gv cat-file -p REV` prints all of it.")
    return _exists(cx, rev) if exists else _one(cx, rev, want_kind, want_size, pretty)


def _exists(cx: CommandContext, rev: str) -> int:
    """Returns the status that tells whether an object is there."""
    from gvstore.objects.fault import CorruptObject, ObjectMissing

    try:
        oid = cx.repository.resolve(rev).oid
        there = oid is not None and bool(cx.repository.objects.read(oid))
    except (BadRev, ObjectMissing, CorruptObject):
        there = False
    cx.output.result(Existence(there))
    return 0 if there else 1


def _one(cx: CommandContext, rev: str, want_kind: bool, want_size: bool, pretty: bool) -> int:
    from gvstore.objects.kind import Kind
    from gvstore.objects.links import links

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
        from gvstore.cli.object_text import object_text

        if data[0] == Kind.BLOB and not cx.output.json:
            from gvstore.objects.blob import iter_blob

            cx.output.raw(iter_blob(repo.objects, oid))
            return 0
        strong, weak = links(data)
        text = tuple(object_text(repo.objects, oid, data[0]))
        cx.output.result(ObjectShown(oid, kind, len(data), tuple(strong), tuple(weak), data, text))
    else:
        cx.output.raw([data])
    return 0
