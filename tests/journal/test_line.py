"""Which runs the next commit takes: what the cache tells is what reading everything tells."""

from __future__ import annotations

import random

import pytest

from gvstore.errors import GvError
from gvstore.journal.line import _whole, loose_runs
from gvstore.journal.repository import Repository
from gvstore.refs.names import run_ref


def whole(repo: Repository) -> tuple[object, ...]:
    """Returns the runs of this line, found by reading everything."""
    found = _whole(repo, repo.head, repo.refs.log_mark()).loose
    return tuple(oid for _, oid in sorted(found.items()))


def step(repo: Repository, chance: random.Random) -> None:
    """Does one thing that makes, holds or takes away runs, or moves HEAD."""
    kind = chance.choice(["run", "run", "run", "commit", "commit", "branch", "switch", "detach", "remove", "lose"])
    if kind == "run":
        repo.run(len, "abc" * chance.randrange(4))
    elif kind == "commit":
        (repo.path / "f").write_text(str(chance.random()))
        repo.commit("c")
    elif kind == "branch" and repo.head is not None:
        repo.checkout("HEAD", create=f"b{chance.randrange(10**9)}")
    elif kind == "switch":
        repo.checkout(chance.choice([each.name for each in repo.branches()] or ["HEAD"]))
    elif kind == "detach":
        repo.checkout(chance.choice(["HEAD~1", "HEAD", "HEAD~2"]))
    elif kind == "remove":
        row = chance.choice(repo.refs.runs())
        with repo.transaction("rm") as transaction:
            transaction.delete(run_ref(row.number))
        if chance.random() < 0.5:
            loose_runs(repo)
        if chance.random() < 0.5 and row.oid is not None:
            with repo.transaction("undo") as transaction:
                transaction.create(run_ref(row.number), row.oid)
    elif kind == "lose":
        (repo.gv / "cache" / "runs").unlink(missing_ok=True)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_is_found(repo: Repository, seed: int) -> None:
    """After any runs, commits, checkouts and removals, asked each time or now and then."""
    chance = random.Random(seed)
    for _ in range(40):
        try:
            step(repo, chance)
        except (GvError, IndexError):
            continue  # nothing there yet to move to, or to remove
        if chance.random() < 0.6:
            assert whole(repo) == loose_runs(repo)


@pytest.mark.parametrize("text", ["", "gv runs 1\n", "gv runs 1\n-\n0 none\n1 zz\n.", "gv runs 1\n-\n9 9\n."])
def test_a_damaged_cache_is_none(repo: Repository, text: str) -> None:
    """It may be deleted, cut off, or of another repository."""
    run = repo.run(len, "abc")
    loose_runs(repo)
    (repo.gv / "cache" / "runs").write_text(text)

    assert (run.oid,) == loose_runs(repo)
