"""Help by theme: `gv help revs`.  The texts stand in help/NAME.txt, their titles here, so that `gv help` reads no file."""

from __future__ import annotations

TITLES: dict[str, str] = {
    "revs": "How to name commits, runs, calls, files, components and values",
    "runs": "What a run is, and what can be done with one",
    "replay": "How a replay decides what is answered and what runs again",
    "undo": "How to get back what a command changed",
    "git": "What is as in git, and what is not",
    "ignore": "Which files are left out, and how to say so",
    "config": "Settings, aliases, colours and the pager",
    "environment": "Variables that gv heeds",
    "json": "What --json prints",
    "exit-codes": "What the exit status of a command means",
}


def text_of(name: str) -> str:
    """Returns the text of a theme, without its title."""
    from importlib.resources import files

    return (files("gvstore.cli") / "help" / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")
