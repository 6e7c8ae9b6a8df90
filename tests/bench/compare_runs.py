"""Two runs compared: what it takes to find a few edits among a hundred thousand calls.

Calls as a loaded run has them, their digests known.  *Flat*: 100,000 calls
beneath one; their inputs are all different, or all equal with six outcomes
(dice).  *Nested*: 111,111 calls, ten beneath each.  Ten edits: new samples,
other inputs, calls added, removed, moved.  The best of 15 rounds.

*From disk*: two recorded runs of 100,000 calls, read and compared; lists that
both runs share are read once.  The best of 5 rounds, the files in the system's
cache.

    python -m tests.bench.compare_runs
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass, replace

import gvstore as gv
from gvstore.compare.calls import CallDiff, CallNode, compare_calls
from gvstore.journal.compare import compare_invocations
from gvstore.journal.repository import Repository
from tests.bench.measure import table

COUNT, EDITS, ROUNDS = 100_000, 10, 15


@dataclass(frozen=True, slots=True)
class Call:
    component: str
    code: bytes
    args: bytes
    outcome: bytes
    digest: bytes
    children: tuple[CallNode, ...] = ()


class Runs:
    """Makes runs, seeded."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def call(self, args: bytes = b"", *children: CallNode) -> Call:
        draw = self.random.randbytes
        return Call("llm.chat", b"code", args or draw(32), draw(32), draw(32), children)

    def dice(self) -> Call:
        side = self.random.randrange(6)
        return Call("roll_die", b"code", b"6", b"%d" % side, random.Random(side).randbytes(32))

    def copy(self, calls: list[Call]) -> list[Call]:
        """Returns the calls as another run's: equal bytes in other places of memory."""
        return [replace(call, digest=bytes(bytearray(call.digest))) for call in calls]

    def edited(self, calls: list[Call], kinds: list[str]) -> list[Call]:
        calls = self.copy(calls)
        for at in range(EDITS):
            place, kind = self.random.randrange(len(calls)), kinds[at % len(kinds)]
            if kind == "sample":
                calls[place] = replace(
                    calls[place], outcome=self.random.randbytes(32), digest=self.random.randbytes(32)
                )
            elif kind == "input":
                calls[place] = self.call()
            elif kind == "added":
                calls.insert(place, self.call())
            elif kind == "removed":
                del calls[place]
            else:
                calls.insert(self.random.randrange(len(calls)), calls.pop(place))
        return calls

    def tree(self, depth: int) -> Call:
        return self.call(b"", *(self.tree(depth - 1) for _ in range(10 if depth else 0)))

    def edited_tree(self, call: Call, depth: int) -> Call:
        if not depth:
            return replace(call, outcome=self.random.randbytes(32), digest=self.random.randbytes(32))
        place = self.random.randrange(10)
        below = call.children[place]
        assert isinstance(below, Call)
        children = (*call.children[:place], self.edited_tree(below, depth - 1), *call.children[place + 1 :])
        return replace(call, children=children, digest=self.random.randbytes(32))


def pairs() -> dict[str, tuple[Call, Call]]:
    """Returns the runs to compare, two and two."""
    runs = Runs(1)
    found = {}
    unlike = [runs.call() for _ in range(COUNT)]
    dice = [runs.dice() for _ in range(COUNT)]
    for name, calls, kinds in (
        ("flat, all inputs different", unlike, ["sample", "input", "added", "removed"]),
        ("flat, with moves", unlike, ["sample", "moved"]),
        ("flat, dice", dice, ["sample", "added", "removed"]),
    ):
        found[name] = (runs.call(b"r", *calls), runs.call(b"r", *runs.edited(calls, kinds)))
    old = new = runs.tree(5)
    for _ in range(EDITS):
        new = runs.edited_tree(new, 5)
    return found | {"nested": (old, new)}


EDITED: set[int] = set()


@gv.register
def step(i: int) -> int:
    return -i if i in EDITED else i


@gv.register
def work(count: int) -> int:
    return sum(map(step, range(count)))


def from_disk() -> tuple[float, CallDiff]:
    """Returns the seconds that it takes to read and compare two recorded runs, and how they differ."""
    best = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        with Repository.init(folder) as repo:
            for edited in ((), random.Random(1).sample(range(COUNT), EDITS)):
                EDITED.clear()
                EDITED.update(edited)
                repo.run(work, COUNT)
        for _ in range(5):
            with Repository.open(folder) as repo:
                old, new = repo.runs[1].invocation, repo.runs[2].invocation
                began = time.perf_counter()
                diff = compare_invocations(old, new)
                best = min(best, time.perf_counter() - began)
    return best, diff


def told(diff: CallDiff) -> str:
    """Returns `99990 same, 10 new sample`."""
    return ", ".join(f"{count} {change.value}" for change, count in diff.counts.items())


def main() -> None:
    """Prints the figures."""
    rows = []
    for name, (old, new) in pairs().items():
        best = float("inf")
        for _ in range(ROUNDS):
            began = time.perf_counter()
            diff = compare_calls(old, new)
            best = min(best, time.perf_counter() - began)
        rows.append([name, f"{best * 1e3:.1f} ms", told(diff)])
    taken, diff = from_disk()
    rows.append(["from disk", f"{taken * 1e3:.0f} ms", told(diff)])
    print(table(["10 edits", "compared in", "found"], rows))


if __name__ == "__main__":
    main()
