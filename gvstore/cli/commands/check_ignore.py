"""gv check-ignore: which paths a commit leaves out, and which line says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault

if TYPE_CHECKING:
    from gvstore.repo import Repository
    from gvstore.repo.ignore import Rule


@dataclass(frozen=True, slots=True)
class Checked:
    """A path, as it was given, and what decides on it: `file` and `line` are null for what is built in, all three where nothing does."""

    path: str
    ignored: bool
    file: str | None
    line: int | None
    pattern: str | None
    form: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.form == "names":
            yield self.path
        elif self.pattern is None:
            yield f"::\t{self.path}"
        else:
            yield f"{self.file or '(built in)'}:{self.line or ''}:{self.pattern}\t{self.path}"


@dataclass(frozen=True, slots=True)
class AllChecked:
    """The paths that were asked for, but for those that are not ignored unless these were asked for too."""

    paths: tuple[Checked, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.paths:
            yield from each.lines(paint)


@click.command("check-ignore", cls=Command)
@click.option("-v", "--verbose", is_flag=True, help="Print FILE:LINE:PATTERN of what decides before each path")
@click.option("-n", "--non-matching", is_flag=True, help="With -v: print paths that nothing speaks of too")
@click.option("--stdin", "from_stdin", is_flag=True, help="Take paths from stdin, one a line")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@pass_context
def command(cx: CommandContext, verbose: bool, non_matching: bool, from_stdin: bool, paths: tuple[str, ...]) -> int:
    """Print which paths are ignored (plumbing)

    Asked are .gvignore and .gitignore of the folder and those above it, then what is built in: environments, caches.  A
    path need not exist; one that ends with a slash is a folder.  The status is 1 where none is ignored.

    \b
    Example:
      gv check-ignore -v build/out.log
    """
    if non_matching and not verbose:
        raise UsageFault("--non-matching goes with --verbose", hint="`gv check-ignore -v -n PATH`")
    given = [*paths, *(line.rstrip("\n") for line in sys.stdin)] if from_stdin else list(paths)
    if not given and not from_stdin:
        raise UsageFault("no path is given", hint="`gv check-ignore PATH...`, or --stdin")
    repo = cx.repository
    found = [_checked(cx, repo, path, "lines" if verbose else "names") for path in given]
    shown = [each for each in found if each.ignored or (verbose and (each.pattern is not None or non_matching))]
    cx.output.result(AllChecked(tuple(found if cx.json else shown)))
    return 0 if any(each.ignored for each in found) else 1


def _checked(cx: CommandContext, repo: Repository, path: str, form: str) -> Checked:
    """Returns what is known of a path.

    Raises:
        NoSuchPath: it lies outside of the work tree.
    """
    from gvstore.repo.path import inside
    from gvstore.repo.scan import deciding_rule

    rule: Rule | None = deciding_rule(repo.path, inside(repo.path, path, cwd=cx.folder), folder=path.endswith("/"))
    if rule is None:
        return Checked(path, False, None, None, None, form)
    return Checked(path, rule.ignores, rule.file or None, rule.line or None, rule.pattern, form)
