"""Bisection by recorded inputs: few runs, whatever lies between, and the work tree is not touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from tests.conftest import CommandLine

SHOP = """
import gvstore as gv
from prices import net

@gv.register
def ask(item):
    return len(item)

@gv.register
def total(items):
    return sum(net(ask(item)) for item in items)
"""


def test_of_sixty_four_commits_the_one_that_broke_a_component_is_found_in_seven_runs(gv: CommandLine) -> None:
    """The binary logarithm of their number, and the calls whose code is unchanged are answered from the record."""
    gv("init", "-q")
    gv.write("shop.py", SHOP)
    gv.write("prices.py", "def net(price):\n    return price * 2\n")
    gv("commit", "-qm", "0")
    gv("branch", "-q", "v1")
    gv("run", "-q", "shop.py:total", '["tea", "bread"]')
    for n in range(1, 65):
        factor = 2 if n < 23 else 3
        gv.write("prices.py", f"def net(price):\n    return price * {factor}  # {'tuned ' * (n % 5)}\n\n\nN = {n}\n")
        gv("commit", "-qm", f"commit {n}")
    before = {path: path.read_bytes() for path in Path().rglob("*.py")}
    found = gv("bisect", "-q", "--json", "--good", "v1", "run/1").json
    runs = gv("runs", "--json").jsons

    assert "commit 23" == found["message"]
    assert len(found["tests"]) <= 7
    assert {"good", "bad"} == {test["verdict"] for test in found["tests"]}
    assert len([run for run in runs if run["group"] == "bisect"]) <= 7
    assert {2} == {run.record.counts["reused"] for run in Repository.open(Path()).runs if run.record.group == "bisect"}
    assert before == {path: path.read_bytes() for path in Path().rglob("*.py")}
    assert [] == [path.name for path in Path(".gv/code").iterdir() if path.name != "lock"]


CHECK = """
def cheap(output):
    return output < 400

def polite(call):
    return call.name != "net"
"""


@pytest.fixture
def shop(gv: CommandLine) -> CommandLine:
    """Three commits, the second of which breaks a helper, and a run of the first."""
    gv("init", "-q")
    gv.write("shop.py", SHOP)
    for n, factor in enumerate((2, 3, 3)):
        gv.write("prices.py", f"def net(price):\n    return price * {factor}\n\n\nN = {n}\n")
        gv("commit", "-qm", f"commit {n}")
    gv("branch", "-q", "v1", "main~2")
    gv("run", "-q", "v1::shop.total", '["tea", "bread"]')
    gv.write("check.py", CHECK)
    return gv


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        ("--good v1", 2, "nothing is given to test with"),
        ("--good v1 run", 2, "no command is given"),
        ("--good v1 run/99", 12, "there is no run 99"),
        ("--good v1 main", 12, "main is a commit, and a run was asked for"),
        ("--good v1 run/1:0", 12, "run/1:0 is a call, and a run was asked for"),
        ("--good nowhere run/1", 12, "nowhere names nothing"),
        ("--good run/1 run/1", 12, "run/1"),
        ("--good v1 run/1 run/1", 2, "one run is tested with, and these are 2"),
        ("--good v1 run/1 --expect 1 --predicate check.py:cheap", 2, "two answers to one question"),
        ("--good v1 run/1 --predicate check.py:cheep", 12, "check.py has no function cheep"),
        ("--good v1 run/1 --predicate no.py:ok", 12, "there is no file no.py"),
        ("--good main~1 run/1", 1, "is bad itself"),
        ("--good v1 --bad main~1 run/1 --expect 26", 1, "is bad itself"),
        ("--good v1 run/1 --predicate check.py:cheap", 1, "is good, and so is all that was tested before it"),
        ("--good v1 run -- ./no-such-program", 2, "./no-such-program cannot be run"),
        ("--good v1 run -- gv run shop.py:total", 2, "gv itself is not to be run"),
        ("--good v1 run/1 -- python check.py", 2, "a command and a run are too much"),
        ("--good v1 --expect 1 run -- true", 2, "--expect does not go with this"),
        ("--good v1 --only ask run/1", 2, "--only does not go with this"),
        ("--good v1 --calls run/1 --predicate check.py:polite", 2, "--good does not go with this"),
        ("run/1 --calls", 2, "no predicate is given"),
        ("run/1 --calls --only asks --predicate check.py:polite", 12, "no call of asks"),
        ("run/1 --calls --predicate check.py:polite", 1, "nothing changes"),
        ("reset", 2, "there is no bisect reset"),
    ],
)
def test_what_is_wrong_is_said(shop: CommandLine, arguments: str, status: int, error: str) -> None:
    """One clear line, and the status of its kind."""
    assert error in shop("bisect", "-q", *arguments.split(), status=status).err


def test_a_command_that_gives_up_stops_the_search(shop: CommandLine) -> None:
    """As in git: above 127 nothing is said of the commit."""
    command = ("python", "-c", "raise SystemExit(200)")
    assert "ended with status 200 at " in shop("bisect", "-q", "--good", "v1", "run", "--", *command, status=1).err


def test_an_expected_value_says_what_is_good(shop: CommandLine) -> None:
    """Also of a run whose own output was another."""
    found = shop("bisect", "-q", "--json", "--good", "v1", "--expect", "16", "run/1").json

    assert ("commit 1", "bad") == (found["message"], found["tests"][0]["verdict"])
    assert "commit 1" == shop("bisect", "-q", "--json", "--good", "v1", "run/1").json["message"]


def test_a_command_runs_in_the_folder_that_it_was_typed_in(shop: CommandLine) -> None:
    """Also where no commit has that folder; the options may stand behind `run`."""
    (shop.folder / "far" / "off").mkdir(parents=True)
    command = ("--", "python", "-c", "raise SystemExit('* 2' not in open('../../prices.py').read())")
    found = shop("-C", "far/off", "bisect", "run", "--good", "v1", "--bad", "main", "--json", *command).json

    assert "commit 1" == found["message"]
    assert [] == list((shop.folder / "far" / "off").iterdir())
