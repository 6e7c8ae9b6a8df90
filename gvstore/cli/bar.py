"""Progress bars, drawn by rich on stderr; imported only where one is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from gvstore.cli.guard import guarded

if TYPE_CHECKING:
    from gvstore.cli.output import Advance


@contextmanager
def bar(title: str, *, size_bytes: bool, share: bool = False) -> Iterator[Advance]:
    """Yields what moves the bar; it disappears when the block ends.  A `share` is told in percent, and the speed where nobody knows the end."""
    count = DownloadColumn() if size_bytes else TaskProgressColumn(show_speed=True) if share else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), count, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(guarded(title), total=None)

        def advance(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total)

        yield advance
