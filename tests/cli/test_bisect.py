"""Bisection by recorded inputs: few runs, whatever lies between, and the work tree is not touched."""

from __future__ import annotations

from pathlib import Path

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
