"""A prompt that grows: 400 calls, each given one string that is 400 bytes longer than the last call's.

Counted are all files under `.gv`, the repository closed.  Beside it, for scale:
what the arguments are long, all together.

    python -m tests.bench.prompt_growth
"""

from __future__ import annotations

from pathlib import Path

import gvstore as gv
from tests.bench.measure import Prose, scratch, size_bytes, table

CALLS = 400
GROWTH = 400
SEED = 12

pieces: list[str] = []


@gv.register
def answer(prompt: str) -> int:
    """Returns what stands for a model's answer."""
    return len(prompt)


@gv.register
def ask(calls: int) -> int:
    """Returns the length of the last prompt."""
    prompt = ""
    for at in range(calls):
        prompt += pieces[at]
        answer(prompt)
    return len(prompt)


def recorded_bytes(folder: Path) -> int:
    """Returns the bytes under `.gv` of a repository with one such run."""
    with gv.init(folder):
        run = gv.run(ask, CALLS)

        assert CALLS * GROWTH == run.output
        assert "".join(pieces[: CALLS // 2 + 1]) == run.invocation.get_child(CALLS // 2).args["prompt"]
    return size_bytes(folder / ".gv")


def main() -> None:
    """Prints the figures."""
    prose = Prose(SEED)
    pieces.extend(prose.take(GROWTH) for _ in range(CALLS))
    given = GROWTH * CALLS * (CALLS + 1) // 2
    with scratch() as folder:
        found = recorded_bytes(folder / "project")
    print(
        table(
            ["", "MB"],
            [
                ["under .gv", f"{found / 1e6:.3f}"],
                ["the last prompt", f"{GROWTH * CALLS / 1e6:.3f}"],
                ["all prompts together", f"{given / 1e6:.1f}"],
            ],
        )
    )


if __name__ == "__main__":
    main()
