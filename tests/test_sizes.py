"""No file past 600 lines, no function past 60: what grows further is two things."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.transcript import ROOT

FILES = sorted([*ROOT.glob("gvstore/**/*.py"), *ROOT.glob("tests/**/*.py")])


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Returns every function and method of a file, nested ones included."""
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_files_are_short() -> None:
    """A file has at most 600 lines."""
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in FILES}

    assert {} == {name: n for name, n in lengths.items() if n > 600}


def test_functions_are_short() -> None:
    """A function has at most 60 lines, its docstring and decorators included."""
    long = {
        f"{path.relative_to(ROOT)}:{f.lineno} {f.name}": f.end_lineno - f.lineno + 1
        for path in FILES
        for f in functions(path)
        if f.end_lineno is not None and f.end_lineno - f.lineno + 1 > 60
    }

    assert {} == long
