"""Picking a call: its outcome and all below it stand in another run, whatever the code is today."""

from __future__ import annotations

import pytest

import gvstore as gv
from gvstore.journal.fault import CallLimitReached, InvocationError, NoSuchCall
from gvstore.journal.pick import place_for
from gvstore.journal.repository import Repository

WORD: list[str] = []


@gv.register
def ask(prompt: str) -> str:
    if WORD[0] == "none":
        raise ValueError("no word came")
    return f"{prompt} {WORD[0]}"


@gv.register
def part(topic: str) -> str:
    return ask(topic).upper()


@gv.register
def whole(topic: str) -> list[str]:
    first = part(topic)
    try:
        last = ask("last")
    except ValueError as e:
        last = str(e)
    return [first, ask(f"after {first}"), last, ask("last")]


def told(repo: Repository, word: str) -> gv.Run[list[str]]:
    WORD[:] = [word]
    return repo.run(whole, "sea")


def test_a_picked_call_stands_with_all_below_it_and_what_depends_on_it_runs(repo: Repository) -> None:
    """The other calls are answered from the record; the subtree is that of the other run, by its oid."""
    grey, red = told(repo, "grey"), told(repo, "red")
    WORD[:] = ["blue"]
    run = red.replay(pick={"0": grey.invocation.get_child(0)})

    assert ["SEA GREY", "after SEA GREY blue", "last red", "last red"] == run.output
    assert grey.invocation.get_child(0).oid == run.invocation.get_child(0).oid
    assert (red.oid, 4) == (run.record.parent, run.record.counts["reused"])
    assert run.replay().output == run.output


def test_what_raised_is_picked_too(repo: Repository) -> None:
    """The exception comes again, and the program deals with it."""
    red = told(repo, "red")
    WORD[:] = ["none"]
    with pytest.raises(ValueError, match="no word"):
        repo.run(ask, "last")
    failed = repo.runs[-1].invocation
    run = red.replay(pick={(1,): failed})

    assert ["SEA RED", "after SEA RED red", "no word came", "last red"] == run.output


def test_a_pick_is_kept_with_the_run_that_was_stopped(repo: Repository) -> None:
    """What is carried on goes on with it."""
    grey, red = told(repo, "grey"), told(repo, "red")
    WORD[:] = ["blue"]
    with pytest.raises(CallLimitReached):
        red.replay(pick={"0.0": grey.invocation.get_child(0).get_child(0)}, max_calls=0)
    stopped = repo.runs[-1]

    assert "interrupted" == stopped.status
    assert ["SEA GREY", "after SEA GREY blue", "last red", "last red"] == stopped.replay().output


def test_where_a_call_goes(repo: Repository) -> None:
    """Where the same is called, at the same place if there are several; else it must be said."""
    grey, red = told(repo, "grey"), told(repo, "red")
    last, again = grey.invocation.get_child(1), grey.invocation.get_child(3)
    alone = repo.run(ask, "last").invocation

    assert (1,) == place_for(red.invocation, last, "run/2", (1,), None)
    assert (3,) == place_for(red.invocation, again, "run/2", (3,), None)
    with pytest.raises(NoSuchCall, match="makes this call 2 times: 1, 3"):
        place_for(red.invocation, alone, "run/2", (), None)
    with pytest.raises(NoSuchCall, match=r"with other arguments only: 0\.0, 1, 2, 3"):
        place_for(red.invocation, repo.run(ask, "else").invocation, "run/2", (), None)
    with pytest.raises(NoSuchCall, match=r"no call of .*whole"):
        place_for(red.invocation, grey.invocation, "run/2", (), None)
    with pytest.raises(InvocationError, match="unfinished"):
        place_for(red.invocation, grey.rewind(1).invocation, "run/2", (), None)
    with pytest.raises(InvocationError, match="cannot be set"):
        red.replay(pick={(): grey.invocation})
    with pytest.raises(InvocationError, match="lies in 0"):
        red.replay(pick={"0": grey.invocation.get_child(0)}, set={"0.0": "x"})
