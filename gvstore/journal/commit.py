"""What a commit takes along besides files: the components they define, and the runs of this line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gvstore.errors import Corrupt
from gvstore.objects.blob import get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.tree import Mode
from gvstore.odb.fault import Forgotten
from gvstore.repo.files import Files

if TYPE_CHECKING:
    from gvstore.code.discover import Unparsable
    from gvstore.code.facts import FactStore
    from gvstore.journal.repository import Repository as JournalRepository
    from gvstore.repo import Repository
    from gvstore.repo.landing import Recipe


def find_components(
    objects: ObjectStore, files: Files, store: FactStore | None = None, unread: Callable[[Unparsable], None] | None = None
) -> dict[str, ObjectId]:
    """Returns the components that the project's source files define, stored, by name; nothing is imported.

    `unread` is called for each file that could hold some, or is reached by one, and is no Python.
    """
    from gvstore.code.discover import discover_project
    from gvstore.journal.component import stored_component

    found = discover_project(_sources(objects, files), store)
    if unread is not None:
        for each in found.unparsable:
            unread(each)
    return {name: stored_component(each.identity).put(objects) for name, each in found.named().items()}


def component_names(objects: ObjectStore, files: Files) -> list[str]:
    """Returns the names of the components that the project's source files define; nothing is imported."""
    from gvstore.code.discover import discover_project

    return list(discover_project(_sources(objects, files)).named())


def _sources(objects: ObjectStore, files: Files) -> Iterator[tuple[str, bytes]]:
    for path, entry in files.items():
        if path.endswith((".py", ".pyw")) and entry.mode in (Mode.FILE, Mode.EXECUTABLE):
            with suppress(Forgotten):  # it defines nothing any more
                yield path, get_blob(objects, entry.oid)


def runs_to_commit(repo: Repository, also: Sequence[ObjectId] = ()) -> tuple[ObjectId, ...]:
    """Returns the finished runs of this line that no commit of it holds yet, the oldest first.

    A run is of this line if it started from a commit that HEAD comes from, or,
    before there is one, from none.  Lines that a merge joins with it are those of the commits `also`.
    """
    from gvstore.journal.line import loose_runs

    return loose_runs(repo, also)


def dead_to_commit(repo: Repository) -> tuple[int, ...]:
    """Returns the numbers of the runs of this line whose process died: the next commit stores and takes them."""
    if not repo.refs.unfinished_runs():
        return ()
    from gvstore.journal.line import in_line
    from gvstore.journal.overlay import Overlay
    from gvstore.journal.recovery import dead_runs, run_of_journal
    from gvstore.repo import layout

    rows, head = dead_runs(repo), repo.head
    found = []
    for row in rows:
        try:
            path = layout.journal_folder(repo.gv) / row.journal
            base = run_of_journal(path, row, Overlay(repo.objects), running=False).base
        except Corrupt:
            continue
        if in_line(repo, head, base):
            found.append(row.number)
    return tuple(found)


def recipe(
    repo: JournalRepository,
    *,
    author: str | None = None,
    now: int | None = None,
    unread: Callable[[Unparsable], None] | None = None,
) -> Recipe:
    """Returns how commits of merges, reverts and picks are made here: with their components, and the runs of their lines."""
    from gvstore import host
    from gvstore.repo.landing import Recipe

    return Recipe(
        repo.author(author),
        host.now_us() if now is None else now,
        components=lambda files: find_components(repo.objects, files, repo.facts, unread),
        runs=lambda parents: runs_to_commit(repo, parents),
        stops=repo.stops(),
    )
