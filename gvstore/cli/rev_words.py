"""The words of a command that takes revs and paths, told apart as git does.

What stands behind `--` is a path.  Without one, revs come first, and the first
word that is no rev and is a file begins the paths.  A word that is both is
neither: the user says which.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import BEHIND
from gvstore.errors import BadRev
from gvstore.repo.rev_range import GLOBS, NOT, range_sides

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.repo import Repository


class RevAndFile(BadRev):
    """A word that is a rev, and a file too."""

    def __init__(self, command: str, word: str) -> None:
        super().__init__(
            f"{word} is a rev, and a file too", hint=f"`gv {command} {word} --` means the rev, `gv {command} -- {word}` the file."
        )


def split_words(cx: CommandContext, repo: Repository, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns (revs, paths), both as typed.

    Raises:
        RevAndFile: without `--` nobody can say which a word is.
    """
    context = click.get_current_context()
    behind = context.meta.get(BEHIND)
    if behind is not None:
        return list(words[: len(words) - behind]), list(words[len(words) - behind :])
    for number, word in enumerate(words):
        if word in GLOBS or word == NOT or not os.path.lexists(cx.folder / word):
            continue
        if not _is_rev(repo, word):
            return list(words[:number]), list(words[number:])
        raise RevAndFile(context.info_name or "", word)
    return list(words), []


def _is_rev(repo: Repository, word: str) -> bool:
    """Returns whether a word names something here; of a range, both of its ends."""
    sides = range_sides(word)
    try:
        for each in [word.removeprefix("^")] if sides is None else [side for side in sides[:2] if side]:
            repo.resolve(each)
    except BadRev:
        return False
    return True
