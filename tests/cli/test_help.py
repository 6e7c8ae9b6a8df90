"""The manual: themes, help of commands, manual pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import click
import pytest

from gvstore.cli import table, themes
from gvstore.cli.manual import page_names, page_of
from gvstore.cli.program import program
from tests.conftest import CommandLine


def test_every_theme_has_a_text() -> None:
    """Titles and files are the same; lines fit a terminal; no text names a command that there is not."""
    folder = files("gvstore.cli") / "help"

    assert sorted(f"{name}.txt" for name in themes.TITLES) == sorted(each.name for each in folder.iterdir())
    for name in themes.TITLES:
        text = themes.text_of(name)
        known = {*table.names(), "last", "tidy"}
        assert [] == [word for word in re.findall(r"(?m)(?:`|^  +)gv ([a-z][a-z-]+)", text) if word not in known], name
        assert max(len(line) for line in text.splitlines() if line.startswith(" ")) <= 100


def test_exit_codes_are_those_of_the_contract() -> None:
    """`gv help exit-codes` has the statuses of docs/json.md."""
    from tests.transcript import ROOT

    documented = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "json.md").read_text(), re.MULTILINE)

    assert documented == re.findall(r"^ +(\d+)  ", themes.text_of("exit-codes"), re.MULTILINE)


def test_help_of_a_command_is_its_own(gv: CommandLine) -> None:
    """`gv help X` is `gv X --help`; `gv help` is `gv --help` and the themes."""
    assert gv("log", "--help").out == gv("help", "log").out
    assert gv("model", "pull", "--help").out == gv("help", "model", "pull").out
    assert gv("help").out.startswith(gv("--help").out.rstrip("\n"))
    for name in themes.TITLES:
        assert themes.TITLES[name] in gv("help").out
        assert " ".join(themes.text_of(name).split()) in " ".join(gv("help", name).out.split())


def test_help_finds_what_is_near(gv: CommandLine) -> None:
    """Misspelled themes, habits of git, aliases."""
    gv("config", "--user", "alias.last", "log -n 1")

    assert "`gv help revs`" in gv("help", "rev", status=2).err
    assert "gv commit" in gv("help", "add", status=2).err
    assert "gv last is an alias of: log -n 1\n" == gv("help", "last").out
    assert "log -n 1" in gv("help").out
    assert "gv model --help" in gv("help", "model", "pul", status=2).err


@pytest.mark.parametrize("name", page_names())
def test_manual_pages_say_what_help_says(name: str) -> None:
    """Each page has the first line, every option and every sentence of the help."""
    page = plain(page_of(name))
    word = name.removeprefix("gv-")
    if word not in table.names():
        return
    found = program.get_command(click.Context(program), word)
    assert found is not None
    for each in found.commands.values() if isinstance(found, click.Group) else [found]:
        for line in (each.help or "").replace("\b", "").splitlines():
            assert " ".join(line.split()) in " ".join(page.split()), line
        for option in each.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[0] in page
                assert (option.help or "") in page


def plain(page: str) -> str:
    """Returns roff as text, its macros left out."""
    text = re.sub(r"(?m)^\.[A-Z].*\n|^\.(nf|fi|br)\n", "", page)
    for escape, shown in (
        (r"\fB", ""),
        (r"\fR", ""),
        (r"\&", ""),
        (r"\-", "-"),
        (r"\(aq", "'"),
        (r"\(ga", "`"),
        (r"\(dq", '"'),
        (r"\e", "\\"),
    ):
        text = text.replace(escape, shown)
    return text


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_groff_is_content() -> None:
    """No page draws a warning."""
    pages = "".join(page_of(name) for name in page_names())
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-z"], input=pages, capture_output=True, text=True, check=True
    )

    assert "" == done.stderr


def test_pages_are_installed(gv: CommandLine, tmp_path: Path) -> None:
    """--install writes all of them into man1."""
    folder = tmp_path / "share" / "man"
    answer = gv("help", "--man", "--install", "--into", folder, "--json").json

    assert str(folder / "man1") == answer["folder"]
    assert sorted(f"{name}.1" for name in answer["pages"]) == sorted(path.name for path in (folder / "man1").iterdir())
    assert page_of("gv-log") == (folder / "man1" / "gv-log.1").read_text() == gv("help", "--man", "log").out
