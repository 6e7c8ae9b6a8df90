"""What must happen once, and what must happen every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note
from tests.journal.process import NOTE, Project


@gv.register(effect="once")
def pay(amount: int) -> str:
    note(("pay", amount))
    if amount < 0:
        raise ValueError("no")
    return f"receipt {amount}"


@gv.register(effect="repeat")
def cache(key: str) -> str:
    note(("cache", key))
    return key * 2


@gv.register
def above(key: str) -> str:
    note("above")
    return cache(key)


def test_what_must_happen_once_is_answered(repo: Repository) -> None:
    """From its record, also if its code has changed since."""

    @gv.register
    def root() -> str:
        return pay(3)

    run = repo.run(root)
    BODIES.clear()

    assert run.output == run.rewind(0).replay(strict=True).output
    assert [] == BODIES


def test_one_that_failed_is_held(repo: Repository) -> None:
    """Nobody knows whether it happened: a replay does not do it again, and the run waits."""

    @gv.register
    def root() -> str:
        return pay(-1)

    with pytest.raises(ValueError):
        repo.run(root)
    run = repo.runs.last
    assert run is not None
    BODIES.clear()
    performed = repo.perform_replay(run)

    assert performed.run is not None and "waiting" == performed.run.status
    assert [] == BODIES
    assert "it raised" in str(performed.error)
    assert "pay must not be executed twice" in str(performed.run.invocation.get_child(0).get_raised())


ONCE = (
    NOTE
    + """
import os, signal, gvstore as gv

@gv.register(effect="once")
def send(n):
    note(f"send {n}")
    if n == 2 and os.path.exists("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    return n

@gv.register
def root():
    return [send(1), send(2)]

with gv.open('.') as repo:
    if os.path.exists("kill"):
        gv.run(root)
    else:
        performed = repo.perform_replay(repo.runs[1])
        print(performed.run.status, performed.error)
"""
)


def test_one_that_was_interrupted_is_held(tmp_path: Path) -> None:
    """Its beginning is in the journal before its body runs: after kill -9 a replay knows, and does not do it again."""
    Repository.init(tmp_path).close()
    project = Project(tmp_path)
    project.write("kill", "")
    project.killed(ONCE)
    assert ["send 1", "send 2"] == project.ran()
    (tmp_path / "kill").unlink()
    said = project.run(ONCE)

    assert said.startswith("waiting send must not be executed twice, and it was begun and did not end")
    assert [] == project.ran()


def test_what_must_happen_every_time(repo: Repository) -> None:
    """It is executed at every replay, and so are the calls above it; others are answered."""

    @gv.register
    def other() -> str:
        note("other")
        return "o"

    @gv.register
    def root() -> Any:
        return above("a"), other()

    run = repo.run(root)
    BODIES.clear()
    again = run.replay()

    assert run.output == again.output
    assert ["above", ("cache", "a")] == BODIES
    assert run.invocation.oid == again.invocation.oid
    assert run.output == run.rewind(0).replay(strict="code").output
