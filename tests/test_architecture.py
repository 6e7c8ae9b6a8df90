"""docs/architecture.md tells what is so: its table is that of test_layers.py, and the names that pages link to exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.test_layers import ALLOWED
from tests.transcript import ROOT

PAGE = ROOT / "docs" / "architecture.md"


def test_the_table_is_the_one_that_is_held() -> None:
    """The rooms, and what each may import."""
    rows = re.findall(r"^\| `([\w./]+)` \|.*\| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    told = {room.removesuffix("/").removesuffix(".py"): set(re.findall(r"`(\w+)`", cell)) for room, cell in rows}
    everything = {room.removesuffix("/").removesuffix(".py") for room, cell in rows if cell == "everything"}

    assert {room: set(may) for room, may in ALLOWED.items() if room not in everything} == {
        room: may for room, may in told.items() if room not in everything
    }
    assert {room for room, may in ALLOWED.items() if may >= set(told) - {"__init__", "__main__", "cli"}} == everything


@pytest.mark.parametrize("page", ["architecture.md", "enact.md"])
def test_linked_names_exist(page: str) -> None:
    """[`Answers.take`](.../answers.py): the file defines that class and that method."""
    missing = []
    for names, target in re.findall(r"\[(`[^\]]+`)\]\(([^)#]+\.py)\)", (PAGE.parent / page).read_text()):
        tree = ast.parse((PAGE.parent / target).read_text())
        for name in re.findall(r"`([\w.]+)`", names):
            if not _defines(tree, name.split(".")):
                missing.append(f"{name} in {target}")

    assert [] == missing


def _defines(tree: ast.AST, path: list[str]) -> bool:
    """Returns whether a class or function of this dotted name stands in the tree."""
    found = [tree]
    for name in path:
        found = [
            node
            for each in found
            for node in ast.iter_child_nodes(each)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
    return bool(found)
