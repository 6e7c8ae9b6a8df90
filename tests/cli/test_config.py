"""Settings of the command line: colours, pager, editor, aliases; and docs/config.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli import settings, table
from gvstore.cli.alias import BadAlias, expanded
from gvstore.cli.colours import BadStyle, parse_style
from gvstore.repo import layout
from tests.cli.test_output import in_terminal
from tests.conftest import CommandLine


def test_files_are_where_the_repository_has_them() -> None:
    """What is read before any room is loaded goes by the same names."""

    assert (layout.GV_FOLDER, layout.CONFIG, layout.FORMAT) == (settings.GV_FOLDER, settings.FILE, settings.FORMAT)


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("bold red", "1;31"), ("red bold", "31;1"), ("yellow black", "33;40"), ("bright blue", "94"), ("brightblue", "94"),
        ("#ffa500 ul", "38;2;255;165;0;4"), ("214 17", "38;5;214;48;5;17"), ("none", ""), ("default", "39"), ("", ""),
    ],
)  # fmt: skip
def test_styles_are_spelled_as_in_git(typed: str, codes: str) -> None:
    """Colours, what lies behind them, and marks."""

    assert codes == parse_style(typed)


@given(st.text(max_size=30))
def test_any_text_is_a_style_or_is_none(text: str) -> None:
    """What is no style is refused; what is one is numbers."""
    try:
        assert re.fullmatch(r"[0-9;]*", parse_style(text))
    except BadStyle as e:
        assert e.hint


def test_colours_of_roles(gv: CommandLine) -> None:
    """A role has the user's colour; what is no role or no colour is refused when it is set, and told when it is read."""
    gv("init")
    gv.write("a.txt", "x")
    gv("config", "color.oid", "bold blue")
    gv("commit", "-m", "one")

    assert "\x1b[1;34m" in gv("--color", "always", "log", "--oneline").out
    assert "color.oid" in gv("config", "color.oidd", "red", status=2).err
    assert "no colour" in gv("config", "color.oid", "reddish", status=2).err
    assert "third colour" in gv("config", "color.oid", "red blue green", status=2).err
    (gv.folder / ".gv" / "config.toml").write_text('[color]\noid = "reddish"\nui = "always"\n')
    done = gv("log", "--oneline")
    assert "\x1b[33m" in done.out
    assert "it is not heeded" in done.err
    assert "\x1b" not in gv("--color", "never", "log", "--oneline").out


def test_pager_of_the_settings(gv: CommandLine) -> None:
    """core.pager goes before PAGER, and behind GV_PAGER."""
    gv("init")
    gv.write("a.txt", "x")
    gv("commit", "-m", "one")
    gv("config", "core.pager", "sed s/one/paged/")

    assert "paged" in in_terminal(gv.folder, "log", "--oneline", PAGER="sed s/one/wrong/")
    assert "first" in in_terminal(gv.folder, "log", "--oneline", GV_PAGER="sed s/one/first/")


def test_aliases(gv: CommandLine) -> None:
    """An alias stands for a command and some of its words; more words follow it; options of gv's own go before it."""
    gv("init")
    gv("config", "alias.st", "status")
    gv("config", "--user", "alias.both", "st")
    gv("config", "alias.named", 'config user.name "Ada Lovelace"')
    gv("config", "alias.where", "!pwd; echo")

    assert gv("status").out == gv("st").out == gv("both").out
    assert gv("status", "--json").out == gv("--json", "both").out == gv("both", "--json").out
    gv("named")
    assert "Ada Lovelace\n" == gv("config", "user.name").out
    assert "gv both" in gv("botg", status=2).err
    assert "alias" not in gv("status", "--help").out


def test_aliases_of_the_shell(gv: CommandLine) -> None:
    """What begins with "!" is run by a shell in the work tree's root, with the words that follow; its status is gv's."""
    gv("init")
    (gv.folder / "below").mkdir()
    gv("config", "alias.here", "!f() { pwd > $1; }; f")
    gv("config", "alias.fails", "!exit 7 #")
    gv("-C", "below", "here", "out.txt")

    assert str(gv.folder.resolve()) == str(Path((gv.folder / "out.txt").read_text().strip()).resolve())
    gv("fails", status=7)


def test_aliases_that_lead_nowhere(gv: CommandLine) -> None:
    """Circles, quotes that do not close, no command at all; and a command is never shadowed."""
    gv("init")
    gv("config", "alias.a", "b")
    gv("config", "alias.b", "a")
    gv("config", "alias.c", "nowhere")

    assert "a → b → a" in gv("a", status=2).err
    assert "no command 'nowhere'" in gv("c", status=2).err
    assert "is a command" in gv("config", "alias.log", "log -n 1", status=2).err
    assert "circles" in gv("config", "alias.d", "d -x", status=2).err
    assert "does not begin" in gv("config", "--", "alias.d", "--json log", status=2).err
    assert "cannot be read" in gv("config", "alias.d", "log 'x", status=2).err
    (gv.folder / ".gv" / "config.toml").write_text('[alias]\nlog = "status"\n')
    assert "no commit" in gv("log", status=12).err


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["a", "b x", "c 'y z'", "log", "!d", ""])),
    st.sampled_from("abcd"),
)
def test_expansion_ends(aliases: dict[str, str], name: str) -> None:
    """Any aliases lead to a command, to the shell, to nothing, or are told."""
    try:
        words = expanded(aliases, [name, "tail"], table.names())
    except BadAlias as e:
        assert e.hint
        return

    assert (words is None) == (name not in aliases)
    assert words is None or words[-1] == "tail"
    assert words is None or words[0] not in aliases


def test_edit_opens_the_file(gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor is GV_EDITOR, core.editor, VISUAL, EDITOR; a faulty file is told afterwards, a failure at once."""
    gv("init")
    editor = gv.folder / "editor"
    editor.write_text('#!/bin/sh\nprintf "[user]\\nname = %s\\n" "$GIVEN" > "$1"\n')
    editor.chmod(0o755)
    for name in ("GV_EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("GIVEN", '"Ada"')

    assert "the editor failed" in gv("config", "--edit", status=2).err
    monkeypatch.setenv("VISUAL", str(editor))
    gv("config", "--edit")
    assert "Ada\n" == gv("config", "user.name").out
    gv("config", "core.editor", "false")
    assert "false ended with 1" in gv("config", "--edit", status=2).err
    monkeypatch.setenv("GV_EDITOR", str(editor))
    monkeypatch.setenv("GIVEN", "none")
    assert "Correct the file by hand" in gv("config", "-e", status=2).err
