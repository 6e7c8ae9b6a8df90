"""The frame of the command line: finding commands, options everywhere, statuses."""

from __future__ import annotations

import subprocess
import sys

from gvstore.cli import table
from tests.conftest import CommandLine
from tests.transcript import ROOT


def imported(*arguments: str) -> set[str]:
    """Returns the modules that `gv ARGUMENTS` has imported when it ends."""
    code = (
        f"import sys; from gvstore.cli.main import run; run({list(arguments)!r}); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_version_is_told_without_click() -> None:
    """`gv --version` imports next to nothing."""
    modules = imported("--version")

    assert "click" not in modules
    assert {"gvstore", "gvstore.cli", "gvstore.cli.main", "gvstore.version", "gvstore.reads"} == {
        m for m in modules if m.startswith("gvstore")
    }


def test_version_stands_beside_other_options(gv: CommandLine) -> None:
    """`gv -q --version` is `gv --version`."""

    assert gv("--version").out == gv("-q", "--version").out


def test_help_imports_no_command() -> None:
    """All that help prints stands in the table."""
    modules = imported("--help")

    assert not {m for m in modules if m.startswith("gvstore.cli.commands.")}
    assert not {"rich", "sqlite3", "msgspec", "zstandard", "gvstore.repo", "gvstore.journal"} & modules


def test_help_names_every_command(gv: CommandLine) -> None:
    """A user finds what there is."""
    shown = gv("--help").out

    assert [] == [name for name in table.names() if f"\n  {name} " not in shown]


def test_unknown_command_names_near_ones(gv: CommandLine) -> None:
    """A slip of the fingers costs no look into the manual."""
    done = gv("comit", status=2)

    assert "" == done.out
    assert "error: gv has no command 'comit'\nhint: Did you mean `gv commit`?\n" == done.err


def test_habits_from_git_are_answered(gv: CommandLine) -> None:
    """`gv add` and `gv stash` say what to type instead."""

    assert "gv commit" in gv("add", ".", status=2).err
    assert "gv switch -c" in gv("stash", status=2).err


def test_no_command_is_a_usage_error(gv: CommandLine) -> None:
    """`gv` alone prints nothing on stdout: there was no question."""
    done = gv(status=2)

    assert "" == done.out
    assert "gv --help" in done.err


def test_errors_are_json_under_json(gv: CommandLine) -> None:
    """Wherever `--json` stands, even if parsing never came that far."""
    for arguments in (["--json", "comit"], ["comit", "--json"], ["--json", "--bogus"], ["--bogus", "--json"]):
        failure = gv(*arguments, status=2).failure

        assert {"error": "usage_fault", "exit_code": 2}.items() <= failure.items()
        assert {"error", "message", "hint", "exit_code"} == set(failure)


def test_folder_that_is_none(gv: CommandLine) -> None:
    """`-C` into nowhere is said before anything is done."""
    done = gv("-C", "nowhere", "status", status=12)

    assert "error: cannot enter nowhere: No such file or directory\n" == done.err


def test_closed_pipe_is_silent() -> None:
    """`gv --help | true` ends with 141, without a word."""
    # `gv --help | true` would be a race: here the reader is gone before gv starts.
    script = f"exec 3> >(true); sleep 0.3; {sys.executable} -m gvstore --help >&3; echo $?"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ("141\n", "") == (done.stdout, done.stderr)
