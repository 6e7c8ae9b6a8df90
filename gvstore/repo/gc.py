"""What a repository keeps, for `gc` (odb/collect.py).

Kept for certain: what refs lead to, what programs put, every operation (refs.db
can be rebuilt from them).  Kept while it may be wanted: what the reflog held in
the last 90 days (`gc.reflog`), what journals of runs link, what an unfinished
checkout, merge or pick was about to bring.  Links from commits to runs, and from runs to
ancestors, are weak: they keep nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId
from gvstore.odb.collect import Collected, Moment, Roots, collect
from gvstore.odb.fault import WriteFailed
from gvstore.refs import Refs
from gvstore.refs.fault import RefsReadOnly
from gvstore.refs.value import value_oid
from gvstore.repo import layout
from gvstore.repo.checkout import read_mark
from gvstore.repo.code_folder import sweep_code
from gvstore.repo.moment import parse_moment
from gvstore.repo.pending import read_pending

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

DAY_US = 86_400_000_000


def gc(
    repo: Repository,
    moment: Moment,
    *,
    prune: str | None = None,
    dry_run: bool = False,
    journals: Callable[[], Iterable[ObjectId]] = lambda: (),
) -> Collected:
    """Collects garbage; `prune` is a time, what was condemned before it is deleted: by default `gc.grace` days ago.

    `journals` gives what unfinished runs link.

    Raises:
        UsageFault: `prune` is no time.
        Incomplete, Busy: see `collect`.
        WriteFailed: the system refuses; nothing is lost.
    """
    if repo.read_only:
        raise RefsReadOnly(str(repo.gv))
    window_us = repo.config.number("gc.reflog") * DAY_US
    grace_us = _grace(prune, moment.now, repo.config.number("gc.grace") * DAY_US)
    folder = layout.objects_folder(repo.gv)
    if not dry_run:
        sweep_code(repo.gv, written_before_s=(moment.now - grace_us) / 1e6)
    try:
        return collect(
            folder,
            lambda: roots(repo, now=moment.now, window_us=window_us, journals=journals),
            moment,
            grace_us=grace_us,
            dry_run=dry_run,
        )
    except OSError as e:  # a full disk, too many open files: what was not done is done the next time
        raise WriteFailed(folder, e) from e


def roots(repo: Repository, *, now: int, window_us: int, journals: Callable[[], Iterable[ObjectId]]) -> Roots:
    """Returns what must stay, as the refs are now.

    The window of the reflog is counted from its last move, not from now: a
    clock that jumped ahead makes nothing old.
    """
    with Refs.open(layout.refs_path(repo.gv)) as refs:
        strict = _oids(refs.list("").values())
        last = refs.last_move(before=now)
        since = min(now, now if last is None else last) - window_us
        values = refs.moved_values(since=since) if window_us > 0 else ()
        weak = _oids(values) + [entry.oid for entry in refs.operations()]
    mark, pending = read_mark(repo.gv), read_pending(repo.gv)
    return Roots(
        strict,
        [
            *weak,
            *(mark.leads_to if mark is not None else ()),
            *(pending.oids if pending is not None else ()),
            *journals(),
        ],
    )


def _oids(values: Iterable[str]) -> list[ObjectId]:
    return [oid for oid in map(value_oid, values) if oid is not None]


def _grace(prune: str | None, now: int, default_us: int) -> int:
    if prune is None:
        return default_us
    then = parse_moment(prune, now)
    if then is None:
        raise UsageFault(f"{prune!r} is no time", hint="Give `now`, `2.weeks.ago`, or a date.")
    return max(0, now - then)
