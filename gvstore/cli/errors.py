"""From an exception to an exit status, and to what the user reads about it.

The status and the hint stand on the error (`GvError`); click's errors, closed
pipes and Ctrl-C get theirs here.  What is left is our bug: a short message,
the traceback in a file, or on stderr with GV_DEBUG=1.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gvstore.cli.context import FolderGone
from gvstore.errors import BadRev, Conflict, GvError, InternalFault, Waiting

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext

USAGE, INTERRUPTED, PIPE_CLOSED = 2, 130, 141

_PERMISSION = "Get permission for it, or work in a copy that is yours; nothing was changed there."
_ROOM = "The disk, or your share of it, is full: make room, then run the command again."
_REFUSALS = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "Its disk is mounted read-only: work in a copy elsewhere.",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "Files may not become that large here: see `ulimit -f`.",
    errno.EMFILE: "Too many files are open at once: see `ulimit -n`.",
}
_NAMES = {
    errno.ENAMETOOLONG: "No file can have a name as long as that.",
    errno.ELOOP: "Its symlinks lead round in a circle.",
    errno.ENOTDIR: "Something on the way to it is no folder.",
}  # what was typed names nothing that could be
_SHOWN = 400  # characters of a name
_OF_WRITES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # without a file's name: of stdout


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said of an error; under `--json` this is the line on stderr."""

    error: str
    message: str
    hint: str
    exit_code: int


def report(error: BaseException, cx: CommandContext) -> int:
    """Returns the exit status for `error`, after telling the user on stderr."""
    if isinstance(error, BrokenPipeError):
        _abandon_stdout()
        return PIPE_CLOSED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    failure = describe(error, cx)
    if isinstance(error, OSError) and error.filename is None and error.errno in _OF_WRITES:
        _abandon_stdout()
        failure = replace(failure, message=f"the answer cannot be written: {failure.message}")
    cx.json = cx.json or "--json" in _before_dashes(cx.arguments)
    try:
        if cx.variable("GV_DEBUG") == "1":
            traceback.print_exception(error)
        _tell(failure, cx)
    except OSError:  # stderr is gone too: the status is all that is left
        pass
    return failure.exit_code


def describe(error: BaseException, cx: CommandContext) -> Failure:
    """Returns what to say of any exception, and its exit status."""
    if isinstance(error, GvError):
        return _describe_ours(error)
    if isinstance(error, click.UsageError):
        return _describe_usage(error)
    if isinstance(error, click.ClickException):
        return Failure("usage_fault", error.format_message(), "", USAGE)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return Failure("interrupted", "interrupted", "", INTERRUPTED)
    return _describe_bug(error, cx)


def _describe_ours(error: GvError) -> Failure:
    """Returns what a room says; where the system refused something, its reason has a better hint, and it is no bug."""
    cause = error.__cause__
    refusal = _REFUSALS.get(cause.errno or 0, "") if isinstance(cause, OSError) else ""
    status = Conflict.exit_code if refusal and error.exit_code == InternalFault.exit_code else error.exit_code
    general = error.hint == type(error).hint
    return Failure(snake(type(error).__name__), str(error), refusal if refusal and general else error.hint, status)


def snake(name: str) -> str:
    """Returns `RefMoved` as `ref_moved`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _describe_usage(error: click.UsageError) -> Failure:
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and error.ctx is not None:
        path = error.ctx.command_path
        return Failure("usage_fault", f"{path} needs a command", f"Run `{path} --help` for all commands.", USAGE)
    hint = ""
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        from gvstore.cli.habits import OPTIONS

        known = OPTIONS.get(error.ctx.info_name or "", {}).get(error.option_name)
        if known is not None:
            why, instead = known
            return Failure("usage_fault", f"gv {error.ctx.info_name} {error.option_name}: {why}", instead, USAGE)
    if error.ctx is not None:
        usage = " ".join(error.ctx.get_usage().split())
        hint = usage.replace("Usage: ", "Usage: `") + f"`; `{error.ctx.command_path} --help` says more."
    message = " ".join(error.format_message().split()).rstrip(".")
    return Failure("usage_fault", message[:1].lower() + message[1:], hint, USAGE)


def _describe_bug(error: BaseException, cx: CommandContext) -> Failure:
    """Returns the message for what nobody foresaw; an error of the operating system is told in its own words."""
    if isinstance(error, OSError) and error.strerror:
        try:
            cx.folder  # noqa: B018 - whether there is one
        except FolderGone as gone:
            return _describe_ours(gone)
        where = f": {str(error.filename)[:_SHOWN]}" if error.filename else ""
        code = error.errno or 0
        refused, unnamed = _REFUSALS.get(code, ""), _NAMES.get(code, "")
        status = Conflict.exit_code if refused else BadRev.exit_code if unnamed else InternalFault.exit_code
        return Failure("system_fault", f"{error.strerror}{where}", refused or unnamed, status)
    log = _log_traceback(error, cx)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    message = f"this is a bug in gv: {type(error).__name__}: {error}{where}"
    hint = (
        f"Please report it, with the traceback in {log}." if log else "Run it again with GV_DEBUG=1 for the traceback."
    )
    return Failure("internal_fault", message, hint, InternalFault.exit_code)


def _log_traceback(error: BaseException, cx: CommandContext) -> str:
    """Returns the file that the traceback was appended to, or nothing where none can be written."""
    state = cx.variable("XDG_STATE_HOME")
    try:
        log = (Path(state) if state else Path.home() / ".local" / "state") / "gvstore" / "bugs.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as f:
            f.writelines(["".join(traceback.format_exception(error)), "\n"])
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return ""
    return str(log)


def _tell(failure: Failure, cx: CommandContext) -> None:
    if cx.json:
        from gvstore.cli.guard import guarded_json
        from gvstore.cli.json_form import dump

        sys.stderr.write(guarded_json(dump(failure)) + "\n")
        return
    if failure.error == "interrupted":
        sys.stderr.write("\n" if sys.stderr.isatty() else "")
        return
    tell = cx.output.question if failure.exit_code == Waiting.exit_code else cx.output.error
    tell(cx.shown_in(failure.message))
    if failure.hint:
        cx.output.hint(cx.shown_in(failure.hint))


def _before_dashes(arguments: list[str]) -> list[str]:
    """Returns the arguments that are gv's own: those before `--`."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _abandon_stdout() -> None:
    """Points stdout at nothing, so that the interpreter's last flush does not complain of the closed pipe."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # no file below, as in tests
        pass
