"""Kill -9 at random moments of a recording: every call that had returned to its caller is there.

    python -m tests.crash.moments 200

kills a run of nested calls, and one whose calls come from threads and async
tasks, that many times each; the tests take a slice.  Each moment is drawn
from the time that the whole run takes.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gvstore.journal.recovery import settle
from gvstore.journal.repository import Repository
from tests.crash import programs
from tests.crash.programs import crowded, finished, nested, noted, record

SEED = 2026
ROUNDS: dict[Callable[..., Any], int] = {nested: 12, crowded: 3}
REPLAY_EACH = 8


@dataclass(slots=True)
class Killed:
    """What came of killing a program again and again."""

    kills: int = 0
    hits: int = 0  # the program had not ended yet
    answers: int = 0  # calls that had returned to their caller
    replays: int = 0


def sound(repo: Repository) -> bool:
    """Returns whether fsck finds no damage."""
    return not [each for each in repo.fsck(full=True) if each.damage]


def kill_at_moments(folder: Path, program: Callable[..., Any], kills: int, seed: int = SEED) -> Killed:
    """Returns the counts; fails where a call that had returned is not in the record, or the repository is damaged."""
    done, rounds, runs = Killed(), ROUNDS[program], 1
    started = time.perf_counter()
    assert 0 == record(folder, program, rounds)
    whole_s = time.perf_counter() - started
    noted("answered"), noted("ran")
    moments = random.Random(seed)
    with Repository.open(folder) as repo:
        expected = repo.runs[1].output
    for kill in range(kills):
        done.kills += 1
        if record(folder, program, rounds, after_s=moments.uniform(0.001, whole_s)):
            done.hits += 1
        else:  # the first was slow, for others were at work
            whole_s *= 0.9
        answers, ran = set(noted("answered")), set(noted("ran"))
        done.answers += len(answers)
        with Repository.open(folder) as repo:
            run = next(repo.runs.latest(1))
            began = run.number > runs and run.record.root is not None
            kept = finished(run) if began else set()
            assert answers <= kept, answers - kept
            assert {each for each in kept if each.startswith(("leaf", "task"))} <= ran
            if began and kill % REPLAY_EACH == 0:
                done.replays += 1
                again = run.replay()
                assert not answers & set(noted("ran"))
                assert expected == again.output
                noted("answered")
            runs = len(repo.runs)
    with Repository.open(folder) as repo:
        settle(repo)
        assert sound(repo)
        assert {run.status for run in repo.runs} <= {"ok", "interrupted"}
        assert () == repo.refs.unfinished_runs()
    return done


def main(kills: int) -> None:
    for program in ROUNDS:
        with tempfile.TemporaryDirectory() as scratch:
            programs.PLACE[:] = [Path(scratch)]
            folder = Path(scratch) / "project"
            Repository.init(folder, author="Ada").close()
            done = kill_at_moments(folder, program, kills)
            print(f"{program.__name__}: {done.kills} kills, {done.hits} before the end; {done.answers} calls had returned")
            print(f"  and are in the record; {done.replays} replays made none of them again; fsck finds nothing")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
