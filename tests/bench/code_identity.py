"""Which code a component is: what it takes to find out, from cold and once it is known.

A made-up project of 200 modules with 60 lines each: functions, a class with
fields and a method, constants, imports; one registered function reaches all
of them, another reaches seven definitions.  *Cold* is a new process that has
imported the project and nothing else; *again* the same with what the first
one left in `.gv/cache`.  `gv commit` is the whole command.  Processor time,
the median of five.

    python -m tests.bench.code_identity
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.measure import ROOT, scratch, spread, table

MODULES, PACKAGE, ROUNDS, WARM = 200, 20, 5, 200

HEAD = '''"""Module {n}."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from pkg{folder}.m{next} import handle_{next}
from settings import LIMIT, TABLE as table

PATTERN = re.compile(r"[a-z]+{n}")
NAMES = {{"one": {n}, "two": 2, "three": [1, 2, 3]}}


@dataclass
class Options_{n}:
    """What module {n} is asked."""

    width: int = {n}
    tone: str = "calm"
    names: list[str] = field(default_factory=list)

    def describe(self, text: str) -> str:
        """Describes a text."""
        if len(text) > self.width and self.tone in NAMES:
            return text[: self.width] + "..."
        return f"{{self.tone}}: {{text}} ({{len(self.names)}})"


def clean_{n}(text: str, *, limit: int = 10) -> list[str]:
    """Cleans a text."""
    words = [word.strip(".,;") for word in text.split() if word not in table]
    found = PATTERN.findall(text)
    for number, word in enumerate(words):
        if word in found and number < limit:
            words[number] = word.upper()
        elif number % 2:
            words[number] = word.lower()
    return sorted(words, key=lambda each: (len(each), each))


def count_{n}(text: str) -> dict[str, int]:
    counted = Counter(clean_{n}(text))
    try:
        return {{word: number for word, number in counted.items() if number > LIMIT}}
    except ValueError as error:
        raise RuntimeError(f"bad text {{text!r}}") from error


def handle_{n}(text: str, depth: int = 0) -> str:
    options = Options_{n}(width=len(text))
    with open("log.txt") as file:
        total = sum(count_{n}(line)["a"] for line in file)
    while total > 0 and depth:
        total -= 1
    return options.describe(json.dumps(text)) + handle_{next}(text, depth)
'''

AGENT = """import gvstore as gv
import tools
from settings import LIMIT
{imports}

HANDLERS = [{handlers}]


@gv.register
def everything(text: str) -> str:
    return "".join(handle(text) for handle in HANDLERS)[:LIMIT]


@gv.register
def seven(text: str) -> str:
    return tools.one(text)
"""
TOOLS = "LIMIT = 3\n" + "".join(
    f"\n\ndef {name}(text):\n    return {below}\n"
    for name, below in (
        ("one", "two(text) + three(text)"), ("two", "four(text)[:LIMIT]"), ("three", "four(text) * 2"),
        ("four", "five(text).strip()"), ("five", "six(text) + '!'"), ("six", "text.upper()"),
    )
)  # fmt: skip

PROGRAM = """import sys, time
sys.path.insert(0, ".")
import agent
import gvstore as gv
from pathlib import Path
from gvstore.code.identity import identify
from gvstore.journal.register import find_registered
repo = gv.open(".")
with repo:
    began = time.process_time()
    find_registered("agent.{name}", repo.path).component(repo.path)
    print(time.process_time() - began)
"""

AGAIN = """import sys, time
sys.path.insert(0, ".")
import agent
import gvstore as gv
from gvstore.code import identity
repo = gv.open(".")
with repo:
    found = []
    for _ in range({rounds}):
        identity.forget()
        began = time.process_time()
        identity.identify(agent.seven, repo.path)
        found.append(time.process_time() - began)
    print(sorted(found)[len(found) // 2])
"""


def write_project(folder: Path, modules: int = MODULES) -> None:
    """Writes the project: packages of twenty modules, each of which calls the next one in its package."""
    for n in range(modules):
        path = folder / f"pkg{n // PACKAGE}" / f"m{n}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = HEAD.format(n=n, next=n + 1, folder=n // PACKAGE)
        if (n + 1) % PACKAGE == 0:
            text = text.replace(f"from pkg{n // PACKAGE}.m{n + 1} import handle_{n + 1}\n", "")
            text = text.replace(f" + handle_{n + 1}(text, depth)", "")
        path.write_text(text)
    firsts = range(0, modules, PACKAGE)
    (folder / "settings.py").write_text('LIMIT = 10\nTABLE = {"the": 1, "a": 2}\n')
    (folder / "tools.py").write_text(TOOLS)
    (folder / "agent.py").write_text(
        AGENT.format(
            imports="\n".join(f"from pkg{n // PACKAGE}.m{n} import handle_{n}" for n in firsts),
            handlers=", ".join(f"handle_{n}" for n in firsts),
        )
    )


def python(folder: Path, *arguments: str) -> tuple[str, float]:
    """Returns what a Python process printed, and the processor time that it took, in seconds."""
    before = os.times()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GV_AUTHOR": "bench"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    after = os.times()
    return done.stdout, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Prints the figures."""
    rows: list[list[str]] = []
    with scratch() as folder:
        write_project(folder)
        python(folder, "-m", "gvstore", "init", "-q")
        python(folder, "-c", "import agent")  # Python's own compiled files are there in both
        cache = folder / ".gv" / "cache"

        def told(what: str, program: Callable[[], float], *, cold: bool) -> None:
            figures = []
            for _ in range(ROUNDS):
                if cold:
                    shutil.rmtree(cache, ignore_errors=True)
                figures.append(program() * 1e3)
            rows.append([what, spread(figures)])

        for name in ("everything", "seven"):
            program = PROGRAM.format(name=name)
            told(f"{name}, cold", lambda: float(python(folder, "-c", program)[0]), cold=True)  # noqa: B023
            told(f"{name}, again", lambda: float(python(folder, "-c", program)[0]), cold=False)  # noqa: B023
        told("seven, warm", lambda: float(python(folder, "-c", AGAIN.format(rounds=WARM))[0]), cold=False)

        def commit() -> float:
            return python(folder, "-m", "gvstore", "commit", "-q", "--allow-empty", "-m", "all")[1]

        told("gv commit, cold", commit, cold=True)
        told("gv commit, again", commit, cold=False)
        told("gv --version", lambda: python(folder, "-m", "gvstore", "--version")[1], cold=False)
    print(table(["ms of processor time", "median (lowest to highest)"], rows))


if __name__ == "__main__":
    main()
