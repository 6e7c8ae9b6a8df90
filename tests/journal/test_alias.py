"""Renamed and moved components in replays."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from gvstore.journal.alias import same_code
from gvstore.journal.fault import InvocationError, NoSuchComponent
from gvstore.journal.register import apart
from gvstore.journal.repository import Repository
from gvstore.objects.component import Component

numbers = itertools.count()
STEP = "@gv.register\ndef {name}(x):\n    return next(numbers) + x\n\n\n"
MAIN = "@gv.register\ndef main(x):\n    return STEPS[0](x) + STEPS[0](x + 1)\n"


def program(name: str) -> Callable[[int], int]:
    """Returns a registered function that calls a step of this name twice; it does the same whatever the step is called."""
    namespace: dict[str, Any] = {"gv": __import__("gvstore"), "numbers": numbers, "__name__": "moved", "STEPS": []}
    text = STEP.format(name=name) + MAIN
    exec(text, namespace)
    namespace["STEPS"].append(namespace[name])
    found: Callable[[int], int] = namespace["main"]
    return found


def test_calls_are_matched_under_the_new_name(repo: Repository) -> None:
    """Without an alias a renamed step runs again, and the plan names it; with one its calls are answered, also at another rewind."""
    with apart([]):
        run = repo.run(program("outline"), 1)
    with apart([]):
        program("plan")
        planned = run.rewind(1).plan()
        assert "moved.outline is gone; moved.plan has the same code: `gv replay --alias moved.outline=moved.plan`" in {
            each.reason for each in planned.calls
        } | set(planned.reasons)

        before = next(numbers)
        again = run.rewind(1).replay(alias={"moved.outline": "moved.plan"})
        assert before + 2 == next(numbers)
        assert run.invocation.get_child(0).output == again.invocation.get_child(0).output
        assert run.replay(alias={"moved.outline": "moved.plan"}, strict="code").output == run.output


def test_an_alias_that_means_nothing_is_refused(repo: Repository) -> None:
    """A component that the record does not call, one that is not registered, one that is still there."""
    with apart([]):
        run = repo.run(program("outline"), 1)
        with pytest.raises(InvocationError, match=r"moved.outline is still there"):
            run.replay(alias={"moved.outline": "moved.main"})
        with pytest.raises(NoSuchComponent, match=r"no call of moved.outlin in this record"):
            run.replay(alias={"moved.outlin": "moved.main"})
    with apart([]):
        program("plan")
        with pytest.raises(NoSuchComponent, match=r"no component moved.plann is registered"):
            run.replay(alias={"moved.outline": "moved.plann"})


def test_the_likest_name_comes_first() -> None:
    """Of several with the same code; none of code that is not known."""
    recorded = Component("agent.revise", "function", own=b"1" * 32, reach=b"2" * 32)
    live = [Component(name, "function", own=b"1" * 32, reach=b"2" * 32) for name in ("x.y", "edit.revise", "agent.revise")]
    other = Component("edit.revised", "function", own=b"1" * 32, reach=b"3" * 32)

    assert ["edit.revise", "x.y"] == same_code(recorded, [*live, other])
    assert [] == same_code(Component("a", "function"), [Component("b", "function")])
