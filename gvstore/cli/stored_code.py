"""Running code out of the store, for run, replay and rebase: says what is not there, what was written, why it does not load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import host
from gvstore.cli import units
from gvstore.errors import ComponentRaised, Waiting
from gvstore.journal.fault import TargetRaised
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.journal.code_root import CodeRoot
    from gvstore.journal.repository import Repository

_SHOWN = 5


@contextmanager
def running_code(cx: CommandContext, repo: Repository, rev: str | None) -> Iterator[CodeRoot | None]:
    """Runs the code that `rev` names in place of the work tree's in the block; the work tree's where there is no rev.

    Raises:
        BadRev: it names nothing that has code.
        TargetRaised: that code does not load.
    """
    if rev is None:
        yield None
        return
    code: CodeRoot | None = None
    try:
        with repo.code_of(rev) as code:
            for path, why in code.left_out.items():
                cx.output.warning(f"{printable(path)} of {code.name} {why}; it is missing here")
            with _told(repo, code, rev):
                yield code
    finally:
        if code is not None and code.kept is not None:
            some = ", ".join(map(printable, code.written[:_SHOWN])) + (" ..." if len(code.written) > _SHOWN else "")
            cx.output.warning(
                f"the program wrote {units.count(len(code.written), 'file')} beside its code: {some}; "
                f"see {cx.shown(code.kept)}"
            )


@contextmanager
def _told(repo: Repository, code: CodeRoot, rev: str) -> Iterator[None]:
    """Says of errors in the block which code they are of, and what to type to go on with it."""
    try:
        yield
    except TargetRaised as e:
        raise TargetRaised(
            f"the code of {code.name} does not load here: {code.told(str(e))}", hint=_hint(e, code)
        ) from e
    except ComponentRaised as e:
        if missing := _missing_file(repo, code, e.__cause__):
            e.hint = f"{missing} lies in the work tree, and not in {code.name}. {e.hint}"
        e.hint = re.sub(r"`(gv replay run/\d+)`", rf"`\1 --code {rev}`", e.hint)
        raise
    except Waiting as e:
        e.hint = e.hint.replace("`gv answer ", f"`gv answer --code {rev} ")
        raise


def _hint(error: TargetRaised, code: CodeRoot) -> str:
    cause = error.__cause__
    if isinstance(cause, ModuleNotFoundError) and cause.name and not _has_module(code, cause.name):
        return f"Install {cause.name.partition('.')[0]}, which {code.name} needs, or give other code."
    return "Nothing was recorded. Give other code, or leave --code out to run the work tree's."


def _has_module(code: CodeRoot, name: str) -> bool:
    base = code.path.joinpath(*name.split("."))
    return base.is_dir() or base.with_suffix(".py").is_file()


def _missing_file(repo: Repository, code: CodeRoot, cause: BaseException | None) -> str:
    """Returns the file that a program did not find in the code's folder and that lies in the work tree, or nothing."""
    if not isinstance(cause, FileNotFoundError) or not isinstance(cause.filename, str):
        return ""
    path = Path(cause.filename)
    inner = (path if path.is_absolute() else host.cwd() / path).resolve()
    if not inner.is_relative_to(code.path):
        return ""
    found = inner.relative_to(code.path)
    return printable(found.as_posix()) if (repo.path / found).exists() else ""
