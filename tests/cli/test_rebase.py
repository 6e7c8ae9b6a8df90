"""gv rebase where a transcript cannot tell it: modules anew for each run, RUN, questions, statuses."""

from __future__ import annotations

import sys

from gvstore.journal.register import registered
from tests.conftest import CommandLine

PROGRAM = """
import gvstore as gv

SEEN = []


@gv.register
def note(n: int) -> int:
    SEEN.append(n)
    return n * 10 + len(SEEN)


@gv.register
def main(n: int) -> int:
    return note(n)


@gv.register
def asking(n: int) -> int:
    return note(n) + gv.request_input(int, n, "How many?")
"""


def test_each_run_has_modules_of_its_own(gv: CommandLine) -> None:
    """What one run left in a module is not there for the next; nothing of the program stays loaded."""
    gv("init")
    path = gv.write("p.py", PROGRAM)
    for n in (1, 2, 3):
        gv("run", "p.py:main", str(n))
    path.write_text(PROGRAM.replace("n * 10", "n * 100"))
    before = {id(live) for live in registered()}
    done = gv("rebase", "run/1..run/3", "--json").json

    assert [("run/1", "run/4"), ("run/2", "run/5"), ("run/3", "run/6")] == [
        (row["run"], row["new_run"]) for row in done["runs"]
    ]
    assert ["101", "201", "301"] == [gv("get", f"run/{n}:/output").out.strip() for n in (4, 5, 6)]
    assert before == {id(live) for live in registered()}
    assert "p" not in sys.modules
    assert "run/3" in gv("show").out  # RUN stays where it was


def test_one_run_moves_run(gv: CommandLine) -> None:
    """As with replay, RUN goes to what a single run became."""
    gv("init")
    path = gv.write("p.py", PROGRAM)
    gv("run", "p.py:main", "1")
    gv("run", "p.py:main", "2")
    path.write_text(PROGRAM.replace("n * 10", "n * 100"))
    gv("rebase", "run/1")

    assert gv("show").out.startswith("run/3")
    assert "from run/1" in gv("show").out


def test_a_run_that_asks_waits(gv: CommandLine) -> None:
    """The status is 21 where a run waits, and 1 where one fails as well; the others are replayed."""
    gv("init")
    path = gv.write("p.py", PROGRAM)
    gv("run", "p.py:asking", "1", status=21)
    gv("answer", "run/1:1", "5")
    gv("run", "p.py:main", "2")
    path.write_text(PROGRAM.replace("return note(n) + gv", "return 1 + note(n) + 3 * gv").replace('"How many?"', '"How many now?"'))
    done = gv("rebase", "run/2", "run/3", "--json", status=21)

    assert ["waiting", "nothing"] == [row["state"] for row in done.json["runs"]]
    path.write_text(path.read_text().replace("def main", "def other"))
    done = gv("rebase", "run/2", "run/3", "--json", status=1)
    assert ["waiting", "failed"] == [row["state"] for row in done.json["runs"]]
