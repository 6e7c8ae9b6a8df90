"""What plumbing commands share: names as git quotes them, lines that end with a zero byte, words from stdin.

Scripts read what these commands print, so their text follows git's to the
letter where git has the command, and stays as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from gvstore.cli.style import Paint

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.cli.output import Result
    from gvstore.objects.oid import ObjectId
    from gvstore.objects.tree import Mode
    from gvstore.repo import Repository

NO = 1  # the exit status of "no"
_NAMED = {
    "\a": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}
_MODES = ("100644", "100755", "120000", "040000")  # in the order of `Mode`


def quoted(path: str) -> str:
    """Returns a path as git prints it with `core.quotePath` off: in double quotes, with escapes, where a line could not hold it."""
    shown = "".join(_NAMED.get(c) or (c if c.isprintable() else _octal(c)) for c in path)
    return f'"{shown}"' if shown != path else path


def _octal(c: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in c.encode("utf-8", "surrogateescape"))


def mode_text(mode: Mode) -> str:
    """Returns git's six digits for the mode of a tree entry."""
    return _MODES[mode]


def give(cx: CommandContext, result: Result, *, zeros: bool) -> None:
    """Writes a result: with `zeros` each line ends with a zero byte and its paths stand unquoted, for `xargs -0`."""
    if zeros and not cx.output.json:
        cx.output.raw(os.fsencode(line) + b"\0" for line in result.lines(Paint()))
    else:
        cx.output.result(result)


def stdin() -> BinaryIO:
    """Returns standard input as bytes."""
    return sys.stdin.buffer


def words_of_stdin(*, zeros: bool = False) -> Iterator[str]:
    """Yields the lines of stdin without their ends, as they come; with `zeros` what stands between zero bytes."""
    if zeros:
        yield from (os.fsdecode(each) for each in stdin().read().split(b"\0") if each)
        return
    for line in stdin():
        yield os.fsdecode(line.removesuffix(b"\n").removesuffix(b"\r"))


def tree_of(repo: Repository, rev: str) -> ObjectId:
    """Returns the tree that the rev comes to: of a commit its files, of a run its code, a folder itself.

    Raises:
        BadRev: it names nothing, or nothing that has files.
    """
    from gvstore.errors import BadRev
    from gvstore.objects.commit import Commit
    from gvstore.objects.run import Run
    from gvstore.repo.resolve import Found

    found = repo.resolve(rev, wanted=frozenset({Found.COMMIT, Found.RUN, Found.FOLDER}))
    oid = found.oid
    if oid is not None and found.found is Found.COMMIT:
        return Commit.get(repo.objects, oid).tree
    if oid is not None and found.found is Found.FOLDER:
        return oid
    code = Run.get(repo.objects, oid).code if oid is not None and found.found is Found.RUN else None
    if code is None:
        raise BadRev(
            f"{rev} is a {found.found.value}, and has no files", hint="Give a commit, a folder (main:src/), or a run."
        )
    return code


def matching(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Returns the names that end with one of these, at a slash, as git's show-ref has it; without patterns, all."""
    return [
        name for name in names if not patterns or any(name == each or name.endswith("/" + each) for each in patterns)
    ]
