"""What people type by habit is answered with what to type."""

from __future__ import annotations

import re

import click
import pytest

from gvstore.cli import table
from gvstore.cli.habits import HABITS, OPTIONS
from gvstore.cli.program import program
from tests.conftest import CommandLine

# `git --list-cmds=list-mainporcelain,list-ancillarymanipulators,list-ancillaryinterrogators` of git 2.39, but for
# what other programs bring.
PORCELAIN = """
add am archive bisect branch bundle checkout cherry-pick citool clean clone commit describe diff fetch format-patch gc
grep gui init log maintenance merge mv notes pull push range-diff rebase reset restore revert rm shortlog show
sparse-checkout stash status submodule switch tag worktree config fast-export fast-import filter-branch mergetool
pack-refs prune reflog repack replace annotate blame bugreport count-objects diagnose difftool fsck help instaweb
merge-tree rerere show-branch verify-commit verify-tag version whatchanged request-pull send-email svn p4 remote gitk
"""


@pytest.mark.parametrize("word", PORCELAIN.split())
def test_every_word_of_git_is_known(word: str) -> None:
    """A word of git's porcelain is a command, or has a sentence that says what to type."""
    assert word in {*table.names(), *HABITS, "help"}


def test_no_habit_is_a_command() -> None:
    """A sentence that nobody can get to see is none."""
    assert [] == [word for word in HABITS if word in table.names()]


SENTENCES = HABITS | {f"{name} {o}": said for name, options in OPTIONS.items() for o, said in options.items()}


@pytest.mark.parametrize("word", SENTENCES)
def test_a_habit_leads_to_commands(word: str) -> None:
    """The hint is a sentence, and every command in it is there."""
    why, instead = SENTENCES[word]

    assert not why.endswith(".") and instead.endswith(".")
    for named in re.findall(r"`gv ([\w-]+)", instead):
        assert named.startswith("-") or named in {*table.names(), "help"}, named


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_no_habit_is_an_option(name: str) -> None:
    """A sentence that nobody can get to see is none."""
    found = program.get_command(click.Context(program), name)
    assert found is not None
    there = {o for parameter in found.params for o in (*parameter.opts, *parameter.secondary_opts)}

    assert set() == there & set(OPTIONS[name])


def test_options_of_git_are_answered(gv: CommandLine) -> None:
    """An option that only git has is told as such, one that nobody has with what there is."""

    assert "no staging area" in gv("diff", "--staged", status=2).err
    assert "no staging area" in gv("restore", "--staged", "a.txt", status=2).err
    assert "no such option" in gv("diff", "--stagged", status=2).err
