"""Which code a run used, where a transcript cannot tell it: what is installed, many files, a program that lies outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.cli.shown_code import LibraryChange, library_changes
from gvstore.code.libraries import PYTHON
from tests.conftest import CommandLine

PROGRAM = "import gvstore as gv\n\n\n@gv.register(version='2')\ndef main(n: int) -> int:\n    return n\n"


def test_libraries_that_differ() -> None:
    """Each distribution that is another or only on one side; where one side knows Python alone, Python alone."""
    old, new = {PYTHON: "3.11.7", "a": "1", "b": "1", "c": "1"}, {PYTHON: "3.11.7", "a": "1", "b": "2", "d": "1"}

    assert ["b 1 → 2", "c 1 → not installed", "d not installed → 1"] == [e.line() for e in library_changes(old, new)]
    assert [] == library_changes({PYTHON: "3.11.7"}, new)
    assert [LibraryChange(PYTHON, "3.12.4", "3.11.7")] == library_changes({PYTHON: "3.12.4"}, new)


def test_what_is_installed_is_told(gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions when it was recorded, and which of them are others now; two runs by the same have none to tell."""
    monkeypatch.delenv("GV_PYTHON")
    gv("init")
    gv.write("p.py", PROGRAM)
    gv("run", "p.py:main", "1")
    gv("run", "p.py:main", "2")
    shown = gv("show", "run/1", "--code", "--json").json

    assert "msgspec" in {name.lower() for name in shown["libraries"]}
    assert [] == shown["libraries_now"]
    assert [("p.main", "2")] == [(each["name"], each["version"]) for each in shown["components"]]
    assert [] == gv("diff", "run/1", "run/2", "--code", "--json", "--exit-code").json["libraries"]
    assert "msgspec" in gv("show", "run/1", "--code", "--full").out.lower()


def test_many_files_are_folded(gv: CommandLine) -> None:
    """Files as in the work tree are shown up to twenty; what changed or is gone, all."""
    gv("init")
    gv.write("p.py", PROGRAM)
    for number in range(60):
        gv.write(f"data/{number:02}.txt", str(number))
    gv("commit", "-m", "one")
    gv("run", "p.py:main", "1")
    for number in range(25):
        gv.write(f"data/{number:02}.txt", "changed")
    (gv.folder / "data/59.txt").unlink()
    out = gv("show", "run/1", "--code").out

    assert "61 files: 35 as in the work tree, 25 changed, 1 gone" in out
    assert (25, 20, 1) == (out.count("\n  changed "), out.count("\n  same "), out.count("\n  gone "))
    assert "15 more; --full shows all" in out
    assert 35 == gv("show", "run/1", "--code", "--full").out.count("\n  same ")


def test_a_run_without_code(gv: CommandLine, tmp_path: Path) -> None:
    """A program that lies outside leaves no code to show, compare or run."""
    gv("init")
    outside = tmp_path / "outside.py"
    outside.write_text(PROGRAM)
    gv("run", f"{outside}:main", "1")

    assert "run/1 kept no code" in gv("show", "--code", status=12).err
    assert "run/1 kept no code" in gv("diff", "run/1", "--code", status=12).err
    assert "run/1 kept no code" in gv("replay", "run/1", "--code", "run/1", status=12).err
