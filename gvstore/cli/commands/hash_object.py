"""gv hash-object: names of contents, and objects made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from typing import BinaryIO

    from gvstore.repo import Repository

_KINDS = ["blob", "value", "node", "tree", "commit", "tag", "component", "invocation", "run", "operation"]


class NoSuchObject(UsageFault):
    """Bytes that are no object of the kind that was asked for, or one that links what is not there."""

    hint = "`gv cat-file REV` prints an object; its first byte, the kind, is left out here."


@dataclass(frozen=True, slots=True)
class Hashed:
    """One content and its name; `path` is null for stdin."""

    path: str | None
    oid: ObjectId

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self.oid.hex()


@dataclass(frozen=True, slots=True)
class AllHashed:
    """The names of contents, in their order; `stored` whether they are in the repository now."""

    kind: str
    stored: bool
    objects: tuple[Hashed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.objects:
            yield from each.lines(paint)


@click.command("hash-object", cls=Command)
@click.option("-w", "--write", is_flag=True, help="Store the objects, until gc finds that nothing leads to them")
@click.option("--stdin", "from_stdin", is_flag=True, help="Take stdin too, before the files")
@click.option("--stdin-paths", is_flag=True, help="Take the names of files from stdin, one a line")
@click.option(
    "-t",
    "--type",
    "kind",
    type=click.Choice(_KINDS),
    default="blob",
    metavar="KIND",
    help="What it is: blob, tree, commit, value ...; all but a blob must be the bytes of such an object, without its first",
)
@click.argument("files", metavar="[FILE]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext, write: bool, from_stdin: bool, stdin_paths: bool, kind: str, files: tuple[str, ...]
) -> None:
    """Print the name that a content has as an object (plumbing)

    The name is the same in every repository; without -w none is needed.  A file of any size is read in little memory.

    \b
    Example:
      gv hash-object agent.py
      echo hello | gv hash-object -w --stdin
    """
    from gvstore.cli.plumbing import stdin, words_of_stdin

    if stdin_paths and (from_stdin or files):
        raise UsageFault("--stdin-paths stands alone", hint="Give the names of all files on stdin.")
    if not (from_stdin or stdin_paths or files):
        raise UsageFault("nothing to hash", hint="Give a FILE, or --stdin.")
    repo = cx.repository if write else None
    done = [Hashed(None, _hashed(repo, stdin(), kind))] if from_stdin else []
    for path in words_of_stdin() if stdin_paths else files:
        try:
            with Path(path).open("rb") as file:
                done.append(Hashed(path, _hashed(repo, file, kind)))
        except OSError as e:
            raise BadRev(f"{path} cannot be read: {e.strerror}", hint="Give the name of a file.") from e
    if repo is not None:
        repo.objects.sync()
    cx.output.result(AllHashed(kind, write, tuple(done)))


def _hashed(repo: Repository | None, file: BinaryIO, kind: str) -> ObjectId:
    from gvstore.objects.blob import put_stream, stream_oid
    from gvstore.objects.kind import Kind

    if kind == "blob":
        return stream_oid(file) if repo is None else put_stream(repo.objects, file)
    data = bytes((Kind[kind.upper()],)) + file.read()
    _check(repo, data, kind)
    return ObjectId.of(data) if repo is None else repo.objects.write(data)


def _check(repo: Repository | None, data: bytes, kind: str) -> None:
    """Refuses what no reader could read, and, where it is stored, what would be damage.

    Raises:
        NoSuchObject: it is no such object; it links an object that is not there.
    """
    from gvstore.objects.check import check
    from gvstore.objects.fault import CorruptObject
    from gvstore.objects.links import links

    try:
        check(data)
        strong, _ = links(data)
    except CorruptObject as e:
        raise NoSuchObject(f"these bytes are no {kind}: {e.why}") from e
    missing = [oid for oid in strong if repo is not None and not repo.objects.has(oid)]
    if missing:
        raise NoSuchObject(f"it links {missing[0].hex()}, which is not here", hint="Store what it links first.")
