"""From a cold start to an answer: what a command costs before and beside its work.

Each command is a process of its own, the four of them in turn, 21 rounds long;
bytecode is compiled, files are cached.  `import click` is what any command line
made with click pays; `gv log` reads 20 commits' repository.  `gv` is started as
`python -m gvstore`.

    python -m tests.bench.startup [ROUNDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import gvstore as gv
from tests.bench.measure import ROOT, scratch, spread, table

ROUNDS = 21
COMMITS = 20
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import click'": ["-c", "import click"],
    "gv --version": ["-m", "gvstore", "--version"],
    "gv log -n 10": ["-m", "gvstore", "log", "-n", "10"],
}


def make_project(folder: Path) -> None:
    """Makes a repository with a few commits."""
    with gv.init(folder) as repo:
        for at in range(COMMITS):
            (folder / "notes.txt").write_text(f"{at}\n")
            repo.commit(f"note {at}", author="Ada <ada@example.org>")


def start(arguments: list[str], folder: Path) -> float:
    """Returns the milliseconds of one process."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with scratch() as folder:
        make_project(folder)
        for at in range(rounds + 1):
            for name, arguments in COMMANDS.items():
                taken = start(arguments, folder)
                if at:  # the first round compiles and warms
                    found[name].append(taken)
    print(f"{rounds} rounds: median (lowest to highest)")
    print(table(["", "ms"], [[name, spread(taken, 1)] for name, taken in found.items()]))


if __name__ == "__main__":
    main()
