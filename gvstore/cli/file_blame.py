"""`gv blame FILE`: which words of the command name a file, which lines are asked for, and where each came from."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gvstore import fs
from gvstore.cli import units
from gvstore.errors import BadRev, UsageFault
from gvstore.repo.commit_filter import compile_pattern
from gvstore.repo.fault import printable
from gvstore.repo.line_blame import blame_lines, split_lines
from gvstore.repo.path import inside
from gvstore.repo.resolve import Found

if TYPE_CHECKING:
    from gvstore.cli.commands.blame import FileBlamed
    from gvstore.cli.context import CommandContext
    from gvstore.journal.repository import Repository
    from gvstore.objects.oid import ObjectId
    from gvstore.repo.resolve import Resolved

_LARGEST_BYTES = 64 << 20


class FileNamed(NamedTuple):
    """A file by its path from the root, in a commit; None is the work tree, over HEAD."""

    path: str
    rev: str | None


def named_file(cx: CommandContext, repo: Repository, words: Sequence[str], behind: int | None) -> FileNamed | None:
    """Returns the file that the words name, `behind` of them behind `--`; None where they name a run, or nothing.

    Raises:
        UsageFault: more than a rev and a file stand there.
    """
    if behind is not None:
        if behind != 1 or len(words) > 2:
            raise UsageFault("gv blame takes one file, and a rev", hint="As in: gv blame main -- agent.py")
        return FileNamed(inside(repo.path, words[-1], cwd=cx.folder), words[0] if len(words) == 2 else None)
    found = [_resolved(repo, word) for word in words]
    first = found[0]
    if first is not None and first.found in (Found.RUN, Found.CALL):
        return None
    if len(words) == 1:
        if first is not None and first.found is Found.FILE and first.commit is not None:
            return FileNamed(first.path, first.commit.hex())
        return FileNamed(inside(repo.path, words[0], cwd=cx.folder), None) if _is_file(cx, repo, words[0], None) else None
    for rev, file, resolved in ((words[0], words[1], first), (words[1], words[0], found[1])):
        if resolved is not None and resolved.found is Found.COMMIT and _is_file(cx, repo, file, rev):
            return FileNamed(inside(repo.path, file, cwd=cx.folder), rev)
    return None


def _resolved(repo: Repository, word: str) -> Resolved | None:
    try:
        return repo.resolve(word)
    except BadRev:
        return None


def _is_file(cx: CommandContext, repo: Repository, word: str, rev: str | None) -> bool:
    if os.path.lexists(cx.folder / word):
        return True
    try:
        path = inside(repo.path, word, cwd=cx.folder)
        return repo.resolve(f"{rev or 'HEAD'}:{path}").found is Found.FILE
    except BadRev:
        return False


def blamed_file(cx: CommandContext, repo: Repository, named: FileNamed, lines: str | None, *, blanks: bool) -> FileBlamed:
    """Returns the lines of a file with their commits.

    Raises:
        BadRev: there is no such file, or it has no lines.
        UsageFault: the lines that are asked for are not there.
    """
    from gvstore.cli.commands.blame import FileBlamed, LineBlamed
    from gvstore.objects.blob import get_blob
    from gvstore.objects.commit import Commit
    from gvstore.repo.files import find

    start = repo.resolve_commit(named.rev or "HEAD")
    now = _lying(repo, named.path) if named.rev is None else None
    data = now
    if data is None:
        entry = find(repo.objects, Commit.get(repo.objects, start).tree, named.path)
        data = get_blob(repo.objects, entry.oid) if entry is not None and entry.mode <= 1 else b""
    wanted = None if lines is None else _range(lines, split_lines(data))
    found = blame_lines(repo.objects, start, named.path, now=now, wanted=wanted, blanks=blanks)
    shortest = repo.resolver().shortest
    commits: dict[ObjectId, tuple[Commit, str]] = {}
    for each in found:
        if each.commit is not None and each.commit not in commits:
            commits[each.commit] = Commit.get(repo.objects, each.commit), shortest(each.commit)
    rows = []
    for at, each in zip(wanted if wanted is not None else range(len(found)), found, strict=True):
        commit, short = (None, "") if each.commit is None else commits[each.commit]
        text = each.text.decode("utf-8", "surrogateescape").removesuffix("\n")
        rows.append(
            LineBlamed(
                number=at + 1, text=text, commit=each.commit, author=None if commit is None else commit.author,
                created_at=None if commit is None else units.moment(commit.created_at),
                subject=None if commit is None else commit.message.partition("\n")[0],
                path=each.path, line=each.number, short=short,
            )
        )  # fmt: skip
    return FileBlamed(named.path, named.rev, tuple(rows))


def _lying(repo: Repository, path: str) -> bytes:
    try:
        return fs.read_bytes(repo.path / path, limit=_LARGEST_BYTES)
    except FileNotFoundError as e:
        raise BadRev(f"there is no file {printable(path)} in the work tree", hint=f"`gv blame HEAD -- {printable(path)}`") from e
    except (fs.NotAFile, OSError) as e:
        raise BadRev(f"{printable(path)} is no file whose lines could be told") from e


_FROM = re.compile(r"(\d{1,9})?(?:,(\+?)(\d{1,9})?)?", re.ASCII)


def _range(text: str, lines: list[bytes]) -> range:
    """Returns the lines, counted from 0, that `10,20`, `10,+5`, `10`, `,20` or `/def f/,+5` mean.

    Raises:
        UsageFault: they mean none, or the file is shorter.
    """
    first: int | None = None
    rest = text
    if text.startswith("/") and (end := text.find("/", 1)) > 0:
        pattern = compile_pattern(text[1:end])
        at = (n for n, line in enumerate(lines) if pattern.search(line.decode("utf-8", "replace")))
        first = next(at, None)
        if first is None:
            raise UsageFault(f"no line matches {text[: end + 1]}", hint="`gv grep -n PATTERN -- FILE` shows where something stands.")
        rest = f"{first + 1}{text[end + 1 :]}"
    found = _FROM.fullmatch(rest)
    if found is None or not rest:
        raise UsageFault(f"{text!r} names no lines", hint="As in: -L 10,20, -L 10,+5, -L '/def f/,+5'")
    begin = int(found.group(1) or "1")
    end = len(lines) if found.group(3) is None else begin + int(found.group(3)) - 1 if found.group(2) else int(found.group(3))
    if not 1 <= begin <= len(lines) or end < begin:
        raise UsageFault(f"there are no lines {text}: the file has {units.count(len(lines), 'line')}", hint="They are counted from 1.")
    return range(begin - 1, min(end, len(lines)))
