"""gv get: hands out a bare value or file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.json_form import dump
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault, WouldLose

if TYPE_CHECKING:
    from gvstore.cli.subject import Subject
    from gvstore.journal.repository import Repository


@dataclass(frozen=True, slots=True)
class Value:
    """A value: text as it is, all else as JSON."""

    value: Any

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self.value.removesuffix("\n") if isinstance(self.value, str) else dump(self.value)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written to a file."""

    path: Path
    size_bytes: int

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(())


@click.command("get", cls=Command)
@click.option(
    "-o", "--output", "target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write it to FILE"
)
@click.option("--force", is_flag=True, help="Overwrite FILE")
@click.argument("rev")
@pass_context
def command(cx: CommandContext, target: Path | None, force: bool, rev: str) -> None:
    """Hand out a bare value or file

    REV is a named or abbreviated value, one of a commit (main::tone), a part of a call (run/7:0.2/output), or a file of a
    commit (main:agent.py).  Text and bytes come as they are, other values as JSON.

    \b
    Example:
      gv get run/7:/output
      gv get main:agent.py -o old.py
    """
    from gvstore.cli.subject import open_subject

    repo = cx.journal
    with repo:
        subject = open_subject(repo, rev, part=("output",))
        pieces = None if cx.json and target is None else _pieces(repo, subject)
        if pieces is not None:
            _hand_out(cx, pieces, target, force=force)
            return
        content = _content(repo, subject)
    data = content if isinstance(content, bytes) else None
    if target is None and (data is None or cx.json):
        cx.output.result(Value(content))
        return
    if data is None:
        text = content if isinstance(content, str) else dump(content) + "\n"
        data = text.encode("utf-8", "surrogatepass")
    _hand_out(cx, [data], target, force=force)


def _hand_out(cx: CommandContext, pieces: Iterable[bytes], target: Path | None, *, force: bool) -> None:
    """Writes bytes to stdout, or to a file that is there whole or not at all.

    Raises:
        WouldLose: there is such a file already.
        UsageFault: it cannot be written.
    """
    if target is None:
        cx.output.raw(pieces)
        return
    if target.exists() and not force:
        raise WouldLose(f"{target} exists", hint="Give another FILE, or --force.")
    from gvstore import fs

    size = 0
    try:
        with fs.replacing(target) as fd:
            for piece in pieces:
                fs.write_at(fd, piece, size)
                size += len(piece)
    except OSError as e:
        raise UsageFault(f"{target} cannot be written: {e.strerror}") from e
    cx.output.result(Written(target, size))


def _pieces(repo: Repository, subject: Subject) -> Iterable[bytes] | None:
    """Returns the content of a large file, to be read piece by piece; None for all else."""
    from gvstore.objects.blob import blob_size, iter_blob
    from gvstore.repo.progress import TOLD_BYTES, watched_pieces
    from gvstore.repo.resolve import Found

    oid = subject.resolved.oid
    if subject.part or subject.found is not Found.FILE or oid is None:
        return None
    size = blob_size(repo.objects, oid)
    if size < TOLD_BYTES:
        return None
    return watched_pieces(iter_blob(repo.objects, oid), subject.name, "write", lambda: size)


def _content(repo: Repository, subject: Subject) -> Any:
    from gvstore.objects.blob import get_blob
    from gvstore.objects.component import Component
    from gvstore.repo.resolve import Found

    if subject.part or subject.found is Found.VALUE:
        return subject.value
    oid = subject.resolved.oid
    if subject.found is Found.FILE and oid is not None:
        return get_blob(repo.objects, oid)
    if subject.found is Found.COMPONENT and oid is not None:
        return Component.get(repo.objects, oid).source
    raise BadRev(
        f"{subject.name} is a {subject.found.value}: it has no bare form", hint=f"`gv show {subject.name}` shows it."
    )
