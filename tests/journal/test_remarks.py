"""Notes and scores stand beside a run; removed, it takes them along, and both come back."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import WouldLose
from gvstore.journal.repository import Repository
from gvstore.journal.run import NoSuchRun
from gvstore.objects.operation import Operation
from gvstore.repo.remark import BadScore, Remarks, read_remarks
from gvstore.repo.removal import plan_removal, remove_runs
from gvstore.repo.tag import create_tag


@gv.register
def double(n: int) -> int:
    return 2 * n


def test_notes_and_scores(repo: Repository) -> None:
    """They are read as they were written, with author and time; the run's oid stays what it is."""
    run = repo.run(double, 3)
    oid = run.oid

    run.note("low")
    run.note("checked", author="Bob")
    run.score(0.5)
    run.score(0.75, accuracy=1)

    assert ["low", "checked"] == run.notes
    assert {"score": 0.75, "accuracy": 1} == run.scores
    remarks = run.remarks
    assert "Bob" == remarks.notes[1].author
    assert [0.5, 0.75] == [each.value for each in remarks.scores["score"]]
    assert remarks.notes[0].at > 0
    assert 0.75 == remarks.score
    assert oid == repo.runs[1].oid


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.5", None])
def test_a_score_is_a_number(repo: Repository, value: Any) -> None:
    """A finite one, under a plain name; nothing is kept of what is none."""
    run = repo.run(double, 3)
    with pytest.raises((BadScore, TypeError)):
        run.score(value)
    named: dict[str, Any] = {"two words": 1}
    with pytest.raises(BadScore):
        run.score(**named)

    assert {} == run.scores


def test_a_run_that_goes_on_can_be_spoken_of(repo: Repository) -> None:
    """What is said of a run goes by its number, which it has from the start; it cannot be removed meanwhile."""

    def speaking(n: int) -> int:
        number = repo.refs.runs(limit=1)[0].number
        repo.runs[number].note("still at work")
        with pytest.raises(WouldLose):
            plan_removal(repo, [number])
        return n

    run = repo.run(speaking, 1)

    assert ["still at work"] == run.notes


def test_many_write_at_once(repo: Repository) -> None:
    """Whoever is slower begins again: no note is lost."""
    run = repo.run(double, 3)
    writers = [threading.Thread(target=run.note, args=(f"note {n}",)) for n in range(8)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert {f"note {n}" for n in range(8)} == set(run.notes)


def test_strange_values_are_no_remarks(repo: Repository) -> None:
    """What another program put under the ref is left out, not stumbled over."""
    for value in ("text", {"notes": 3, "scores": [1]}, {"notes": [{"text": 1}, "x"], "scores": {"a": [{"value": "b"}]}}):
        assert Remarks() == Remarks.get(repo.objects, repo.put(value).oid)


def test_removing_runs_is_one_operation_with_all_that_is_said(repo: Repository) -> None:
    """The run, its notes and scores go together; the operation holds where they were; the tag keeps the run."""
    for n in range(3):
        repo.run(double, n)
    run = repo.runs[2]
    run.score(0.5)
    assert run.oid is not None
    create_tag(repo, "best", run.oid, author="Ada", now=1)
    commit = repo.commit("three runs")

    plan = plan_removal(repo, [2, 3])
    remove_runs(repo, plan, author="Ada", now=2)

    assert [((commit,), ("best",)), ((commit,), ())] == [(each.commits, each.tags) for each in plan]
    assert [1] == [each.number for each in repo.runs]
    assert run.oid == repo.resolve("best").oid
    changes = {each.name: each for each in Operation.get(repo.objects, repo.refs.operations(limit=1)[0].oid).changes}
    assert {"refs/runs/2", "refs/runs/3", "refs/notes/2"} == set(changes)
    with repo.transaction("undo") as transaction:
        for each in changes.values():
            transaction.update(each.name, each.old, expected=None)
    assert [3, 2, 1] == [each.number for each in repo.runs]
    assert {"score": 0.5} == repo.runs[2].scores
    assert 3 == repo.run(double, 9).number - 1


def test_a_run_that_is_not_there_is_not_removed(repo: Repository) -> None:
    """Removed or never made."""
    repo.run(double, 1)
    remove_runs(repo, plan_removal(repo, [1]), author="Ada", now=1)
    for number in (1, 2):
        with pytest.raises(gv.GvError):
            plan_removal(repo, [number])
        with pytest.raises(NoSuchRun):
            repo.runs[number]
    assert Remarks() == read_remarks(repo, 1)
