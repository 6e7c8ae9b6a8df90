"""Completion: what Tab offers, and bash itself with it.

zsh and fish are asked where they are installed; elsewhere the protocol that
their scripts read is all that can be tested.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli import table, themes
from gvstore.cli.complete import _quoted, split
from tests.conftest import CommandLine
from tests.transcript import ROOT

BREAKS = " \t\n\"'@><=;|&(:"  # COMP_WORDBREAKS as bash has it
PROGRAM = '''
def roll(sides: int = 6) -> int:
    """Rolls."""
    return 4


def total(n: int) -> int:
    """Adds."""
    import gvstore as gv

    return sum(gv.register(roll)(6) for _ in range(n))
'''


@pytest.fixture
def dice(gv: CommandLine) -> CommandLine:
    """A repository with two branches, files with odd names, and two runs."""
    gv("init")
    gv.write("dice.py", PROGRAM)
    gv.write("src/a b.txt", "x")
    gv.write("src/it's", "x")
    gv("commit", "-m", "one")
    gv("run", "dice.py:total", "2")
    gv("run", "dice.py:total", "3")
    gv("branch", "wip")
    gv("put", "1", "--name", "best")
    gv("config", "alias.last", "show")
    return gv


def offered(gv: CommandLine, *words: str) -> list[str]:
    """Returns the words that zsh and fish are offered behind `gv WORDS`."""
    return [line.partition("\t")[0] for line in gv("complete-words", "zsh", *words).out.splitlines() if line[0] != "\t"]


def in_bash(gv: CommandLine, line: str) -> list[str]:
    """Returns the answers for a line in bash."""
    return gv("complete-words", "bash", line, BREAKS).out.splitlines()


def test_commands(dice: CommandLine) -> None:
    """Commands with what they do, aliases too; gv's own options stand before them."""

    assert [*table.names(), "last"] == offered(dice, "")
    assert (
        "checkout\tBring the work tree to a commit, a branch, or the code of a run\n"
        in dice("complete-words", "fish", "ch").out
    )
    assert ["checkout"] == offered(dice, "--color", "never", "-C", ".", "checko")
    assert ["auto", "always"] == offered(dice, "--color", "a")
    assert {"--json", "--color", "-C"} <= set(offered(dice, "-"))


def test_revs(dice: CommandLine) -> None:
    """Branches, tags, values, then runs, the newest first with their targets."""

    assert ["main", "wip", "best", "HEAD", "RUN", "run/2", "run/1"] == offered(dice, "show", "")
    assert "run/2\tdice.py:total  ok\n" in dice("complete-words", "zsh", "show", "run/").out
    assert ["main..wip"] == offered(dice, "rev-list", "main..w")
    assert ["wip"] == offered(dice, "branch", "-d", "w")
    assert offered(dice, "show", "ru") == offered(dice, "last", "ru") == ["run/2", "run/1"]


def test_what_a_commit_holds(dice: CommandLine) -> None:
    """Files by folder, components, named values."""

    assert ["main:dice.py", "main:src/"] == offered(dice, "show", "main:")
    assert ["main:src/a b.txt", "main:src/it's"] == offered(dice, "show", "main:src/")
    assert [] == offered(dice, "show", "nowhere:")


def test_calls(dice: CommandLine) -> None:
    """Children with what they were, calls by name, parts of a call."""

    assert ["run/2:/output", "run/2:0", "run/2:1", "run/2:2"] == offered(dice, "show", "run/2:")
    assert [":1"] == offered(dice, "show", ":1")
    assert "run/2:0\troll() = 4\n" in dice("complete-words", "zsh", "show", "run/2:0").out
    assert ["run/2:dice.roll.0", "run/2:dice.roll.1", "run/2:dice.roll.2"] == offered(dice, "show", "run/2:dice.r")
    assert ["run/2:0/output"] == offered(dice, "get", "run/2:0/o")
    assert ["run/2:0/args/sides"] == offered(dice, "get", "run/2:0/args/")
    assert ["0", "1", "2"] == offered(dice, "replay", "run/2", "--from", "")


def test_options_and_their_values(dice: CommandLine) -> None:
    """Options that were given are not offered again; choices; nothing of what is behind `--`."""

    assert "--oneline" in offered(dice, "log", "--")
    assert "--oneline" not in offered(dice, "log", "--oneline", "--")
    assert ["--type"] == offered(dice, "hash-object", "--ty")
    assert ["commit", "component"] == offered(dice, "hash-object", "-t", "com")
    assert ["--type=commit", "--type=component"] == offered(dice, "hash-object", "--type=com")
    assert ["check", "draw"] == [each for each in offered(dice, "machine", "") if each in ("check", "draw")]
    assert "\tfiles\n" in dice("complete-words", "zsh", "hash-object", "").out
    assert "\tfolders\n" == dice("complete-words", "zsh", "-C", "").out


def test_settings_targets_and_themes(dice: CommandLine) -> None:
    """Keys and their choices; the functions of a file; all that there is help about."""

    assert ["color.ui"] == offered(dice, "config", "color.u")
    assert ["always"] == offered(dice, "config", "color.ui", "al")
    assert ["dice.py:roll", "dice.py:total"] == offered(dice, "run", "dice.py:")
    assert ["--n"] == offered(dice, "run", "dice.py:total", "--")
    assert set(themes.TITLES) <= set(offered(dice, "help", ""))
    assert ["run/2", "run/1"] == offered(dice, "rewind", "")
    assert "2\tcommit" in dice("complete-words", "zsh", "undo", "").out


def test_nothing_to_offer_is_no_error(gv: CommandLine) -> None:
    """Outside a repository, behind nonsense, for an unknown shell: silence and 0."""
    for words in (
        ["zsh", "show", ""],
        ["zsh", "nonsense", "x"],
        ["zsh", "show", "run/9:"],
        ["zsh"],
        ["ksh", "x"],
        [],
        ["bash"],
    ):
        done = gv("complete-words", *words)

        assert "" == done.err
    assert ["\tfiles"] == in_bash(gv, "gv run ")


def test_bash_splits_at_colons(dice: CommandLine) -> None:
    """What is offered stands behind the last split, quoted where the line has no quote."""

    assert ["/output", "0", "1", "2"] == in_bash(dice, "gv show run/2:")
    assert ["\tmore", "src/"] == in_bash(dice, "gv show main:s")
    assert ["src/a\\ b.txt"] == in_bash(dice, "gv show main:src/a")
    assert ["main:src/a b.txt"] == in_bash(dice, "gv show 'main:src/a")
    assert ["src/it\\'s"] == in_bash(dice, "gv show main:src/it")
    assert ["src/a\\ b.txt"] == in_bash(dice, "gv show main:src/a\\ ")
    dice.write("a.txt", "x")
    dice("commit", "-m", "two")
    assert "HEAD~1" in in_bash(dice, "gv show HEAD~")
    assert ["commit", "component"] == in_bash(dice, "gv hash-object --type=com")


@given(
    st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=8), min_size=1, max_size=4
    )
)
def test_words_come_back_from_a_line(words: list[str]) -> None:
    """A quoted word is read as the word; so is any other quoting that the shell has."""

    for line in (" ".join(map(_quoted, words)), shlex.join(words)):
        assert words == split(line)[0]


@given(st.text(max_size=30))
def test_any_line_can_be_split(line: str) -> None:
    """Quotes may be open, and backslashes at the end."""
    words, quote, start = split(line)

    assert words and quote in ("", "'", '"') and 0 <= start <= len(line)


def typed(folder: Path, keys: str) -> list[str]:
    """Returns the arguments that gv would get after these keys in an interactive bash; each comes as <argument>."""
    python = f"{shlex.quote(sys.executable)} -m gvstore"
    (folder.parent / "gv-command").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    (folder.parent / "gv-command").chmod(0o755)
    start = (
        f"set +o history; PS1='> '; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'\n"
        f". {ROOT / 'gvstore/cli/shell/gv.bash'}\n"
        f"_GV_COMMAND={folder.parent / 'gv-command'}\n"
        f"gv() {{ for word; do printf '<%s>\\n' \"$word\" >> ../typed; done; echo done >> ../typed; }}\n"
    )
    (folder.parent / "rc").write_text(start)
    env = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    terminal, other = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--rcfile", str(folder.parent / "rc"), "-i"],
        cwd=folder, env=env, stdin=other, stdout=other, stderr=other, start_new_session=True,
    )  # fmt: skip
    os.close(other)
    _until(terminal, b"> ")
    os.write(terminal, keys.encode() + b"\n")
    result = folder.parent / "typed"
    deadline = time.monotonic() + 60
    while not (result.exists() and result.read_text().endswith("done\n")) and time.monotonic() < deadline:
        _drain(terminal)
    os.write(terminal, b"exit\n")
    _drain(terminal)
    shell.wait(timeout=60)
    os.close(terminal)
    words = [line[1:-1] for line in result.read_text().splitlines()[:-1]]
    result.unlink()
    return words


def _until(terminal: int, mark: bytes) -> None:
    seen = b""
    while mark not in seen:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, seen
        seen += os.read(terminal, 4096)


def _drain(terminal: int) -> None:
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if ready:
        try:
            os.read(terminal, 4096)
        except OSError:
            return


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(dice: CommandLine) -> None:
    """Keys in a real bash: words with colons, blanks, quotes, in quotes and out of them."""

    assert ["show", "main:src/a b.txt"] == typed(dice.folder, "gv show main:sr\ta\t")
    assert ["show", "main:src/a b.txt"] == typed(dice.folder, "gv show 'main:src/a\t")
    assert ["log", "--oneline"] == typed(dice.folder, "gv log --onel\t")
    assert ["show", "run/2:0"] == typed(dice.folder, "gv show run/2:0\t")
    assert ["hash-object", "src/it's"] == typed(dice.folder, "gv hash-object src/it\t")


def test_scripts_are_of_their_shells(gv: CommandLine) -> None:
    """Each shell that is here reads its script; all of them ask for the same thing."""
    for shell in ("bash", "zsh", "fish"):
        script = gv("completion", shell).out
        path = gv.write(f"gv.{shell}", script)
        if shutil.which(shell):
            subprocess.run([shell, "-n", str(path)], check=True)

        assert f"complete-words {shell} " in script


def test_installed_where_the_shell_looks(gv: CommandLine, tmp_path: Path) -> None:
    """--install writes the script and says what is left to do."""
    home = tmp_path / "home"
    for shell, place in (
        ("bash", ".local/share/bash-completion/completions/gv"),
        ("zsh", ".local/share/zsh/site-functions/_gv"),
        ("fish", ".config/fish/completions/gv.fish"),
    ):
        done = gv("completion", shell, "--install")

        assert f"~/{place}\n" == done.out
        assert done.err
        assert gv("completion", shell).out == (home / place).read_text()
