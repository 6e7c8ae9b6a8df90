"""A budget of tokens or time stops a replay before a call begins, and the run is kept."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

import gvstore as gv
from gvstore.journal.budget import Budget, Purse, parse_budget
from gvstore.journal.fault import BudgetSpent
from gvstore.journal.repository import Repository

BODIES: list[str] = []


@dataclass(frozen=True)
class Completed:
    text: str
    prompt_tokens: int
    completion_tokens: int


@gv.register
def ask(prompt: str) -> Completed:
    BODIES.append(prompt)
    return Completed(prompt.upper(), 100, 50)


@gv.register
def passed_on(prompt: str) -> Completed:
    return ask(prompt)


@gv.register
def told(prompt: str) -> str:
    BODIES.append(prompt)
    gv.report_usage(prompt_tokens=100, completion_tokens=50)
    return prompt.upper()


@gv.register
def asking(prompts: str) -> str:
    return "".join(passed_on(each).text for each in prompts)


@gv.register
def telling(prompts: str) -> str:
    return "".join(told(each) for each in prompts)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    with Repository.init(tmp_path) as repo:
        yield repo
    BODIES.clear()


@pytest.mark.parametrize(
    ("given", "budget", "text"),
    [
        (5000, Budget(tokens=5000), "5,000 tokens"), ("5000", Budget(tokens=5000), "5,000 tokens"),
        ("5,000", Budget(tokens=5000), "5,000 tokens"), (1, Budget(tokens=1), "1 token"),
        (0, Budget(tokens=0), "0 tokens"), ("30s", Budget(time_us=30_000_000), "30 s"),
        ("1.5 h", Budget(time_us=5_400_000_000), "1.5 h"), ("2m", Budget(time_us=120_000_000), "2 m"),
        ("2min", Budget(time_us=120_000_000), "2 m"), ("500ms", Budget(time_us=500_000), "500 ms"),
        (timedelta(seconds=2), Budget(time_us=2_000_000), "2 s"), ("0s", Budget(time_us=0), "0 s"),
    ],
)  # fmt: skip
def test_what_is_a_budget(given: int | str | timedelta, budget: Budget, text: str) -> None:
    """A number is tokens; with a unit it is time."""
    assert budget == parse_budget(given)
    assert text == str(budget)


@pytest.mark.parametrize("given", ["", "-5", "five", "30", "5 tokens", "1d", -5, 2.5, True, timedelta(-1), "s"])
def test_what_is_none(given: int | str | timedelta) -> None:
    """Anything else is refused; `30` is tokens."""
    if given == "30":
        assert Budget(tokens=30) == parse_budget(given)
        return
    with pytest.raises(ValueError, match="is no budget"):
        parse_budget(given)


@pytest.mark.parametrize("component", [asking, telling])
@pytest.mark.parametrize(("tokens", "executed"), [(0, 0), (1, 1), (150, 1), (151, 2), (450, 3), (10_000, 4)])
def test_tokens(repo: Repository, component: object, tokens: int, executed: int) -> None:
    """The call that goes beyond is the last; a completion that is handed on counts once; what was answered, not at all."""
    run = repo.run(component, "xabcd")
    BODIES.clear()
    rewound = run.rewind(4)
    if executed == 4:
        assert run.output == rewound.replay(budget=tokens).output
        assert [*"abcd"] == BODIES
        return
    with pytest.raises(BudgetSpent, match=r"the budget of [\d,]+ tokens? is spent"):
        rewound.replay(budget=tokens)
    assert [*"abcd"][:executed] == BODIES
    stopped = repo.runs.last
    assert stopped is not None
    assert "interrupted" == stopped.status
    assert run.output == stopped.replay().output


def test_time(repo: Repository) -> None:
    """No call begins when the time is up; time that is enough stops nothing."""
    run = repo.run(asking, "ab")
    BODIES.clear()
    with pytest.raises(BudgetSpent, match="the budget of 0 s is spent"):
        run.rewind(2).replay(budget="0s")
    assert [] == BODIES
    assert run.output == run.rewind(2).replay(budget="1h").output


def test_several_replays_share_a_purse(repo: Repository) -> None:
    """What one has spent the next does not have; what goes to another process is what is left."""
    run, purse = repo.run(asking, "ab"), Purse(Budget(tokens=400))
    assert run.output == run.rewind(2).replay(budget=purse).output
    assert (300, Budget(tokens=100)) == (purse.tokens, purse.left)
    with pytest.raises(BudgetSpent):
        run.rewind(2).replay(budget=purse)
    assert (450, Budget(tokens=0)) == (purse.tokens, purse.left)
    assert Budget(tokens=0) == pickle.loads(pickle.dumps(Purse(purse.left))).budget
