"""Which run came from which, as a tree: `gv runs --graph`.

    run/1  ok  roll_sum(3) = 10
    └─ run/3  rewound  roll_sum(3) …  by rewind
       └─ run/4  ok  roll_sum(3) = 9  by replay
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gvstore.cli.cells import cells, cut
from gvstore.cli.output import HIDDEN
from gvstore.cli.runs import RunListed
from gvstore.cli.shown_run import painted_status
from gvstore.cli.style import Paint


@dataclass(frozen=True, slots=True)
class RunDerived:
    """A run in the tree: `level` below the run that none of those listed led to, `by` says how it came from its parent."""

    run: RunListed
    level: int
    by: str | None
    stem: str = field(default="", metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        run = self.run
        outcome = f" = {run.output}" if run.output and run.status == "ok" else f" {run.output}" if run.output else ""
        tail = (f"  by {self.by}" if self.by else "") + (f"  from {run.parent}" if run.parent and not self.level else "")
        head = f"{self.stem}{run.run}  {run.status}  "
        said = cut(f"{run.call}{outcome}", max(paint.width - cells(head) - cells(tail), 12))
        yield f"{self.stem}{paint('run', run.run)}  {painted_status(run.status, paint)}  {said}{paint('quiet', tail)}"


def derived(rows: Sequence[tuple[RunListed, str | None]]) -> Iterator[RunDerived]:
    """Yields the runs as a tree, each below the one it was derived from if that is listed too; `rows` have how each came about.

    The roots stand in the order of the list, what was derived in the order in which it was made.
    """
    listed = {run.run: (run, by) for run, by in rows}
    children: dict[str, list[str]] = {}
    roots = []
    for run, _ in rows:
        if run.parent in listed:
            children.setdefault(run.parent or "", []).append(run.run)
        else:
            roots.append(run.run)
    stack: list[tuple[str, int, str, str]] = [(name, 0, "", "") for name in reversed(roots)]
    while stack:
        name, level, stem, below = stack.pop()
        run, by = listed[name]
        yield RunDerived(run, level, by, stem)
        ordered = sorted(children.get(name, ()), key=lambda each: listed[each][0].number)
        stack += reversed(list(_branches(ordered, level + 1, below)))


def _branches(names: Iterable[str], level: int, below: str) -> Iterator[tuple[str, int, str, str]]:
    each = list(names)
    for at, name in enumerate(each):
        last = at == len(each) - 1
        yield name, level, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")
