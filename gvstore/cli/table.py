"""The names of all commands, with the first line of their help.

It stands here and not in the commands so that `gv --help` imports none of
them; a test compares each line with the command's own help.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Start": {
        "init": "Make a repository",
    },
    "Settings": {
        "model": "Show models, and fetch the local one",
        "config": "Show or change settings",
    },
}

# What people who know git type, and what to type instead.
HABITS: dict[str, tuple[str, str]] = {
    "add": (
        "there is no staging area: a commit takes the whole work tree",
        "Run `gv commit -m MESSAGE` for everything, or `gv commit -m MESSAGE PATH...` for a part.",
    ),
    "stash": (
        "there is no stash: commits are cheap, and branches too",
        "Run `gv checkout -b wip` and then `gv commit -m wip` to put your work aside.",
    ),
}


def names() -> list[str]:
    """Returns every command's name, in the order of the help."""
    return [name for section in SECTIONS.values() for name in section]
