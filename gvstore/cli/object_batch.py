"""Many objects in one process: what `gv cat-file --batch` answers, in git's protocol.

    REV on a line of stdin      OID KIND SIZE, a line feed; with --batch then the object's bytes and a line feed
    what names nothing          REV missing
    what names several things   REV ambiguous

Each answer goes out before the next question is read, so that another program
can ask one at a time.  The bytes are those that are stored, kind byte first,
and SIZE counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.repo import Repository


@dataclass(frozen=True, slots=True)
class ObjectAnswer:
    """One object that was asked for; `fault` is "missing" or "ambiguous" where there is none, and all else null then."""

    rev: str
    oid: ObjectId | None
    kind: str | None
    size_bytes: int | None
    data: bytes | None
    fault: str | None

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{self.rev} {self.fault}" if self.oid is None else f"{self.oid.hex()} {self.kind} {self.size_bytes}"


def answer_all(cx: CommandContext, revs: Iterable[str], *, contents: bool) -> None:
    """Answers each rev, at once."""
    repo = cx.repository
    for rev in revs:
        answer = _answer(repo, rev, contents=contents)
        if cx.output.json:
            cx.output.result(answer)
            continue
        head = next(iter(answer.lines(Paint()))).encode("utf-8", "surrogateescape") + b"\n"
        cx.output.raw([head] if answer.data is None else [head, answer.data, b"\n"])


def every_object(repo: Repository) -> list[str]:
    """Returns the names of all objects, sorted."""
    return sorted(oid.hex() for oid in repo.objects)


def _answer(repo: Repository, rev: str, *, contents: bool) -> ObjectAnswer:
    from gvstore.errors import BadRev
    from gvstore.objects.fault import ObjectMissing
    from gvstore.objects.kind import Kind
    from gvstore.repo.resolve import AmbiguousRev

    try:
        oid = _full(rev) or repo.resolve(rev).oid
        data = None if oid is None else repo.objects.read(oid)
    except AmbiguousRev:
        return ObjectAnswer(rev, None, None, None, None, "ambiguous")
    except (BadRev, ObjectMissing):
        data = oid = None
    if oid is None or data is None:
        return ObjectAnswer(rev, None, None, None, None, "missing")
    return ObjectAnswer(rev, oid, Kind(data[0]).word, len(data), data if contents else None, None)


def _full(rev: str) -> ObjectId | None:
    """Returns the oid that 64 digits spell: no ref can be called so, nothing need be looked up."""
    try:
        return ObjectId.from_hex(rev) if len(rev) == 64 else None
    except ValueError:
        return None
