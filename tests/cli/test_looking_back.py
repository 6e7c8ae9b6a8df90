"""Blame and cherry-pick: what is wrong is said in one clear line."""

from __future__ import annotations

import pytest

from tests.conftest import CommandLine

TALE = """
import gvstore as gv

@gv.register
def ask(prompt):
    return f"so: {prompt}"

@gv.register
def tell(topic):
    return {"body": [ask(topic), ask("why")], "parts": 2}

@gv.register
def fails(topic):
    raise ValueError(f"nothing about {topic}")

@gv.register
def again():
    return ask("why")
"""


@pytest.fixture
def tale(gv: CommandLine) -> CommandLine:
    """A run of each component, and a commit of them."""
    gv("init", "-q")
    gv.write("tale.py", TALE)
    gv("run", "-q", "tale.py:tell", "otters")
    gv("run", "-q", "tale.py:fails", "otters", status=20)
    gv("run", "-q", "tale.py:again")
    gv("run", "-q", "tale.py:tell", "gulls")
    gv("put", '"a boat"', "--name", "boat")
    gv("commit", "-qm", "a tale")
    return gv


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["run/1", " "], 2, "the text to look for is empty"),
        (["run/1", "Zanzibar"], 1, "'Zanzibar' stands nowhere in this run"),
        (["run/1:0", "why"], 1, "'why' is not in run/1:0/output"),
        (["run/1:0/args/promt", "why"], 12, "there is no promt"),
        (["run/1:0/args", "why"], 12, "several arguments"),
        (["run/1:0/outputs", "why"], 12, "a call has no part outputs"),
        (["run/1:/output/bodies", "why"], 12, "there is no bodies"),
        (["run/1:/output/body/7", "why"], 12, "there are 2 items"),
        (["run/1:9", "why"], 12, "there is no call 9"),
        (["run/9", "why"], 12, "there is no run 9"),
        (["run/2", "why"], 12, "fails has no output: it raised"),
        (["boat", "boat"], 12, "boat is a value, and a run or call was asked for"),
        (["main", "boat"], 12, "main is a commit, and a run or call was asked for"),
        (["main:tale.py", "boat"], 12, "main:tale.py is a file"),
        ([], 2, "missing argument"),
    ],
)
def test_wrong_blames(tale: CommandLine, arguments: list[str], status: int, error: str) -> None:
    """Nothing that can be mistyped ends in a traceback."""
    assert error in tale("blame", "-q", *arguments, status=status).err


def test_parts_and_values_are_blamed(tale: CommandLine) -> None:
    """A part of an output, an exception, a number; the JSON has the way."""
    assert "1  tale.ask" in tale("blame", "run/1:/output/body/1").out
    assert "argument" == tale("blame", "run/2:/raised", "otters", "--json").json["pieces"][0]["origin"]
    piece = tale("blame", "run/1:/output/parts", "--json").json["pieces"][0]
    assert ("", "call", 2) == (piece["path"], piece["origin"], piece["value"])
    way = tale("blame", "run/1", "so why", "--json").json["pieces"][0]["steps"]
    assert [("1", "output"), ("", "output")] == [(step["path"], step["part"]) for step in way]


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        ("run/1:0 --into run/3:9", 12, "there is no call 9"),
        ("run/1: --into run/3", 12, "run/3 makes no call of tale.tell"),
        ("run/1:0 --into run/4", 12, "run/4 calls tale.ask with other arguments only: 0, 1"),
        ("run/3: --into run/1:0", 12, "is one of tale.ask, not of tale.again"),
        ("run/1:0 --into run/3:", 2, "nothing can be put there"),
        ("run/1:0/output --into run/3", 12, "is a part of a call, and a call was asked for"),
        ("run/1 --into run/3", 12, "run/1 is a run, and a call was asked for"),
        ("main --into run/3", 12, "main is a commit, and a call was asked for"),
        ("run/1:0 --into main", 12, "main is a commit, and a run was asked for"),
        ("run/1:0 --into run/3:0/output", 12, "is a part of a call, and a run was asked for"),
        ("run/1:0", 2, "--into does not say where it goes"),
        ("--into run/3", 2, "needs a COMMIT, or a RUN:CALL"),
    ],
)
def test_wrong_picks(tale: CommandLine, arguments: str, status: int, error: str) -> None:
    """The call, the run and the place are told apart."""
    assert error in tale("cherry-pick", "-q", *arguments.split(), status=status).err
