"""WHO, WHEN, WHERE: the only library code that reads clock, user, environment and argv.

Every other room takes `now`, `author` and the like as arguments; a facade that
was given None asks here.  `GV_NOW` (RFC 3339, or microseconds since 1970)
stops the clock: durations are shown as 0 then, so that transcripts repeat.
`GV_HOST` and `GV_PYTHON` do the same for what runs note of the machine and of what is installed.

May be imported by `repo` and the rooms above it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gvstore.errors import UsageFault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_instant(text: str) -> int:
    """Returns the microseconds since 1970 UTC that `text`, RFC 3339 or an integer, stands for.

    A time without a zone is UTC, so that the answer does not depend on the machine.

    Raises:
        ValueError: it is neither.
    """
    stripped = text.strip()
    if stripped.isdecimal() and len(stripped) != 8:  # 20261120 is a date, as ISO 8601 writes it
        return int(stripped)
    moment = datetime.fromisoformat(stripped)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def frozen() -> bool:
    """Returns whether `GV_NOW` stops the clock."""
    return bool(os.environ.get("GV_NOW"))


def now_us() -> int:
    """Returns the microseconds since 1970 UTC, or what `GV_NOW` says.

    Raises:
        UsageFault: `GV_NOW` is no time.
    """
    fixed = os.environ.get("GV_NOW")
    if not fixed:
        return time.time_ns() // 1000
    try:
        return parse_instant(fixed)
    except ValueError as e:
        raise UsageFault(f"GV_NOW={fixed} is no time", hint="Give RFC 3339, as in 2026-11-20T10:02:11Z.") from e


def ticks_ns() -> int:
    """Returns a monotonic clock for durations, in nanoseconds; it stands still while `frozen()`."""
    return 0 if frozen() else time.perf_counter_ns()


def boot_clock() -> tuple[str, int]:
    """Returns which boot of the machine this is, and the microseconds since; they do not jump as the wall clock may."""
    if frozen():
        return "frozen", max(0, now_us())
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        boot = "unknown"
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    seconds = time.monotonic() if clock is None else time.clock_gettime(clock)
    return boot, int(seconds * 1_000_000)


def stopwatch() -> Callable[[], int]:
    """Returns the function behind `ticks_ns`, for paths that ask often: the environment is looked at once."""
    return (lambda: 0) if frozen() else time.perf_counter_ns


def environ(name: str, default: str | None = None) -> str | None:
    """Returns the environment variable, or `default`."""
    return os.environ.get(name, default)


def environment() -> dict[str, str]:
    """Returns a copy of the environment."""
    return dict(os.environ)


def argv() -> tuple[str, ...]:
    """Returns the command line of this process, program name first."""
    return tuple(sys.argv)


def user() -> str:
    """Returns the login name, or the user's number where there is none."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if value := os.environ.get(name):
            return value
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError, AttributeError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "user"


def user_number() -> int | None:
    """Returns the number of the user that this process acts for, or None where users have none."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def hostname() -> str:
    """Returns the machine's name, without its domain; `GV_HOST` puts another in its place."""
    if fixed := os.environ.get("GV_HOST"):
        return fixed
    import socket

    try:
        return socket.gethostname().split(".")[0] or "localhost"
    except OSError:
        return "localhost"


def python_version() -> str:
    """Returns the running Python, as in `3.12.4` or `pypy 3.10.14`; `GV_PYTHON` puts another in its place."""
    if fixed := os.environ.get("GV_PYTHON"):
        return fixed
    import platform

    name = platform.python_implementation()
    version = platform.python_version()
    return version if name == "CPython" else f"{name.lower()} {version}"


def cwd() -> Path:
    """Returns the current folder.

    Raises:
        UsageFault: it was deleted.
    """
    try:
        return Path.cwd()
    except OSError as e:
        raise UsageFault("the current folder does not exist any more", hint="Change to another one.") from e


def process_id() -> int:
    """Returns this process's number."""
    return os.getpid()


def home() -> Path | None:
    """Returns the user's home folder, or None where it cannot be told."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _xdg(variable: str, *fallback: str) -> Path:
    value = os.environ.get(variable)
    if value and Path(value).is_absolute():  # the XDG specification: relative paths are to be ignored
        return Path(value) / "gv"
    base = home()
    return (base.joinpath(*fallback) if base else Path(f"{os.sep}tmp")) / "gv"


def config_dir() -> Path:
    """Returns the folder of the user's configuration; it may not exist."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def cache_dir() -> Path:
    """Returns the folder of what the user can lose at any time; it may not exist."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def boot_id() -> str:
    """Returns a text that changes when the machine starts anew, or "" where there is none.

    A process number means something only together with this and `process_started`.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def process_started(pid: int) -> str:
    """Returns a text that tells two processes of the same number apart, or "" where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def author(configured: str | None = None, *, folder: Path | None = None) -> str:
    """Returns who writes history: `GV_AUTHOR`, else `configured`, else git's user, else `user@host`.

    git is asked by reading its configuration files, that of the repository
    around `folder` first; it is not run.  Never an error.
    """
    for given in (os.environ.get("GV_AUTHOR"), configured):
        if given and given.strip():
            return _one_line(given)
    name, email = _git_user(folder)
    if name and email:
        return _one_line(f"{name} <{email}>")
    if name or email:
        return _one_line(name or f"<{email}>")
    return _one_line(f"{user()}@{hostname()}")


def _one_line(text: str) -> str:
    """Returns `text` without control characters or bytes that are no UTF-8."""
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in clean).split())


def _git_user(folder: Path | None) -> tuple[str, str]:
    name = email = ""
    for path in _git_config_files(folder):
        for key, value in _git_settings(path):
            if key == "user.name":
                name = name or value
            elif key == "user.email":
                email = email or value
        if name and email:
            break
    return name, email


def _git_config_files(folder: Path | None) -> Iterator[Path]:
    """Yields git's configuration files, the most specific first."""
    if folder is not None:
        for parent in (folder, *folder.parents):
            if (parent / ".git").is_dir():
                yield parent / ".git" / "config"
                break
    base = home()
    if base is not None:
        yield base / ".gitconfig"
    xdg = os.environ.get("XDG_CONFIG_HOME")
    if xdg:
        yield Path(xdg) / "git" / "config"
    elif base is not None:
        yield base / ".config" / "git" / "config"


def _git_settings(path: Path) -> list[tuple[str, str]]:
    """Returns `section.key`, value of a git configuration file; of two equal keys the last, as in git, comes first.

    Includes and subsections are left out: a user's name hardly ever stands there.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    section, settings = "", []
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line[1:].split("]")[0].strip().lower()
        elif "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            settings.append((f"{section}.{key.strip().lower()}", _git_value(value)))
    return settings[::-1]


def _git_value(text: str) -> str:
    """Returns a value with git's quotes resolved and its comment cut off."""
    result, quoted, escaped = [], False, False
    for c in text.strip():
        if escaped:
            result.append(c)
            escaped = False
        elif c == "\\":
            escaped = True
        elif c == '"':
            quoted = not quoted
        elif c in "#;" and not quoted:
            break
        else:
            result.append(c)
    return "".join(result).strip()
