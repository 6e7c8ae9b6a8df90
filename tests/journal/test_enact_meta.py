"""Programs over executions of other programs: they invoke, inspect, rewind and search; some write the programs too."""

from __future__ import annotations

import random
from typing import Any

import gvstore as enact
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note

RNG = random.Random(7)


@enact.register
def choose(options: int) -> int:
    note(options)
    return RNG.randrange(options)


@enact.register
def walk(steps: int) -> int:
    """Chooses digit after digit."""
    position = 0
    for _ in range(steps):
        position = position * 3 + choose(3)
    return position


@enact.register
def observe(fun: Any, args: Any = ()) -> enact.Invocation:
    return enact.invoke(fun, args)


@enact.register
def resample(invocation: enact.Invocation, calls: int) -> enact.Invocation:
    return invocation.rewind(calls).replay()


@enact.register
def count_choices(steps: int) -> int:
    return len(list(observe(walk, (steps,)).get_children()))


@enact.register
def climb(steps: int, rounds: int) -> list[enact.Invocation]:
    """Keeps the best execution; tries others that share its beginning, by rewinding it."""
    best = observe(walk, (steps,))
    tried = [best]
    for i in range(rounds):
        other = resample(best, 1 + i % steps)
        tried.append(other)
        best = max(best, other, key=lambda each: each.get_output())
    return [best, *tried]


@enact.register
def grow(root: enact.Invocation, width: int, depth: int) -> list[enact.Invocation]:
    """Returns the leaves of a tree of executions: each node replays its parent without the last calls."""
    if not depth:
        return [root]
    branches = [root.rewind(depth).replay() for _ in range(width)]
    return [leaf for branch in branches for leaf in grow(branch, width, depth - 1)]


@enact.register
def develop(sources: list[str], value: int) -> list[Any]:
    """Runs programs that are written at run time; what each did is judged by its execution."""
    results = []
    for source in sources:
        names: dict[str, Any] = {"enact": enact, "choose": choose, "__name__": __name__}
        exec(source, names)
        results.append(enact.invoke(names["program"], (value,), wrap_exceptions=True))
    return results


def test_an_execution_is_the_output_of_another(repo: Repository) -> None:
    """A registered function that invokes returns an ordinary value: recorded, stored, read by whoever comes later."""
    run = enact.run(count_choices, 5)
    inner = run.invocation.get_child(0).get_output()

    assert 5 == run.output == len(inner)
    assert isinstance(inner, enact.Invocation) and walk is inner.request().invokable()
    assert 1 == len(repo.runs)
    assert inner == run.replay().invocation.get_child(0).get_output()


def test_searching_over_executions() -> None:
    """What is rewound and replayed shares its beginning; the search itself is recorded and replays to itself."""
    with enact.InMemoryStore():
        search = enact.invoke(climb, (4, 12))
        best, *tried = search.get_output()

        assert 13 == len(tried)
        assert best.get_output() == max(each.get_output() for each in tried)
        assert len({each.get_child(0) for each in tried}) <= 4
        BODIES.clear()
        assert search.get_output() == search.rewind(0).replay().get_output()
        assert [] == BODIES


def test_trees_of_executions() -> None:
    """Each level of a tree keeps what its branch has decided before."""
    with enact.InMemoryStore():
        root = enact.invoke(walk, (3,))
        leaves = enact.invoke(grow, (root, 2, 2)).get_output()

        assert 4 == len(leaves)
        assert {root.get_child(0)} == {leaf.get_child(0) for leaf in leaves}
        for pair in (leaves[:2], leaves[2:]):
            assert 1 == len({leaf.get_child(1) for leaf in pair})


def test_programs_made_at_run_time(repo: Repository) -> None:
    """A function that exec made is recorded with its source, its calls and its failures, registered or not."""
    sources = [
        "@enact.register\ndef program(x):\n    return choose(x) + 1000\n",
        "@enact.register\ndef program(x):\n    raise ArithmeticError('no way')\n",
        "def program(x):\n    return [choose(2), choose(x)]\n",
    ]
    run = enact.run(develop, sources, 3)
    good, bad, plain = run.output

    assert good.get_output() >= 1000 and ["choose"] == [each.name for each in good.get_children()]
    assert "return choose(x) + 1000" in good.component.source
    assert isinstance(bad.get_raised(), ArithmeticError) and "no way" in bad.component.source
    assert ["choose", "choose"] == [each.name for each in plain.get_children()]
    assert good.component.text != bad.component.text


def test_executions_are_values(repo: Repository) -> None:
    """They stand in lists and dicts, as arguments and fields, and equal executions are equal wherever they lie."""

    @enact.register
    def best_of(found: dict[str, enact.Invocation]) -> str:
        return max(found, key=lambda name: found[name].get_output())

    with enact.InMemoryStore():
        first, second = (enact.invoke(walk, (n,)) for n in (1, 4))
        ref = enact.commit({"short": first, "long": [second]})

        assert {"short": first, "long": [second]} == ref()
    run = enact.run(best_of, {"a": first, "b": second})
    assert run.invocation.get_input().args[0]["a"] == first
    assert [] == [each for each in repo.fsck() if each.damage]
