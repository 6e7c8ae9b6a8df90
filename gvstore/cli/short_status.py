"""What `gv status -s` prints: git's two letters and the path, a line a file.

The first letter is of the staging area in git, and blank here, but of moved
files and of conflicts, which have git's letters.  Source: git-status(1), "Short Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gvstore.cli.style import Paint
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.cli.commands.status import WorktreeStatus

_LETTERS = {"added": "??", "modified": " M", "deleted": " D"}
_ROLES = {"added": "added", "modified": "changed", "deleted": "removed"}
_CONFLICTS = {
    "both modified": "UU", "both added": "AA", "deleted by us": "DU", "deleted by them": "UD", "both deleted": "DD",
}  # fmt: skip


def short_lines(status: WorktreeStatus, paint: Paint, *, branch: bool) -> Iterator[str]:
    """Yields a line a file, by path; with `branch` first the branch, as git writes it."""
    if branch:
        place = "HEAD (no branch)" if status.branch is None else status.branch
        yield f"## {'' if status.head else 'No commits yet on '}{paint('ref', place)}"
    rows = list[tuple[bool, str, str, str]]()  # git has the files that it does not know at the end
    told = set[str]()
    for conflict in status.unfinished.conflicts if status.unfinished else ():
        if conflict.path is not None and conflict.path not in told:
            told.add(conflict.path)
            letters = paint("warning", _CONFLICTS.get(conflict.kind, "UU"))
            rows.append((False, conflict.path, letters, printable(conflict.path)))
    for kind, letters in _LETTERS.items():
        for path in getattr(status, kind):
            if path not in told:
                rows.append((kind == "added", path, paint(_ROLES[kind], letters), printable(path)))
    for moved in status.renamed:
        rows.append((False, moved.old, paint("changed", "R "), f"{printable(moved.old)} -> {printable(moved.new)}"))
    for _, _, letters, text in sorted(rows):
        yield f"{letters} {text}"
