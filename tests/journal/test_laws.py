"""The laws of recording and replay, for random deterministic programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gvstore as gv
from gvstore.journal.address import walk
from gvstore.journal.repository import Repository
from gvstore.journal.run import Run
from tests.journal.bodies import BODIES
from tests.journal.programs import Step, plain, steps

LAW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    with Repository.init(tmp_path_factory.mktemp("laws"), author="Ada") as repo:
        yield repo


def recorded(home: Repository, step: Step) -> Run[Any]:
    """Returns the run of a program, whether it returns or raises."""
    run = home.perform(plain, (step,), {}).run
    assert run is not None
    return run


def replayed(home: Repository, run: Run[Any]) -> Run[Any]:
    """Returns the strict replay of a run."""
    again = home.perform_replay(run, strict=True).run
    assert again is not None
    return again


@LAW
@given(steps)
def test_replay_of_a_record_is_the_record(home: Repository, step: Step) -> None:
    """replay(record(f)) == record(f), to the byte; only the root, and what failed, is executed."""
    run = recorded(home, step)
    BODIES.clear()

    again = replayed(home, run)

    assert run.invocation.oid == again.invocation.oid
    failed = [call for _, call in walk(run.invocation) if call.status == "raised"]
    if not failed:
        assert [step.payload] == BODIES
        assert 1 == again.record.counts["executed"]


@LAW
@given(steps, st.integers(0, 6))
def test_rewound_then_replayed_is_replayed(home: Repository, step: Step, count: int) -> None:
    """For a deterministic f, rewind(n) and then replay is the record."""
    run = recorded(home, step)
    count = min(count, len(run.invocation))

    rewound = run.rewind(count)

    assert len(run.invocation) - count == len(rewound.invocation)
    assert run.invocation.oid == replayed(home, rewound).invocation.oid


@LAW
@given(steps, st.randoms(use_true_random=False))
def test_rewound_at_any_depth_then_replayed_is_replayed(home: Repository, step: Step, random: Any) -> None:
    """The same from just before any call; what stands before it stays, it and what comes after is gone."""
    run = recorded(home, step)
    paths = [path for path, _ in walk(run.invocation)]
    path = random.choice(paths)

    rewound = run.rewind_before(path)

    left = [each for each, _ in walk(rewound.invocation)]
    assert ([each for each in paths if each < path] or [()]) == left
    assert run.invocation.oid == replayed(home, rewound).invocation.oid


@LAW
@given(steps)
def test_memory_records_what_a_repository_does(home: Repository, step: Step) -> None:
    """An invocation into memory is the same object as the root call of a run."""
    run = recorded(home, step)

    with gv.InMemoryStore():
        try:
            invocation = gv.invoke(plain, (step,))
        except (ValueError, KeyError):
            return

        assert run.invocation.component.code == invocation.component.code
        assert [c.args for _, c in walk(run.invocation)] == [c.args for _, c in walk(invocation)]
        assert invocation.oid == invocation.rewind(0).replay().oid
