"""Commits in a form of the user's: `--format "%h %s"`, with the placeholders that git has.

    %H %h   the commit, whole and abbreviated      %an %ae   its author's name and address
    %T %t   its tree                               %ad %aI %as %at %ar   when: as --date says, ISO, day, seconds, how long ago
    %P %p   its parents                            %s %b %B %f   subject, rest, whole message, subject as a file name
    %d %D   the refs at it, in brackets or bare    %n %% %x41   line end, percent, a byte
    %R      its runs       %G  git's commit        %Cred %C(auto) %Creset   colours

%cn, %cd and so on, git's committer, are the author: there is one person to a commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from gvstore.cli import units
from gvstore.cli.shown_commit import CommitShown
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault

NAMED: Final = ("oneline", "short", "full")
SHORT: Final = "%C(yellow)commit %H%C(reset)%d%nAuthor: %an <%ae>%n%n    %s%n"
DATES: Final = ("local", "iso", "relative", "short", "unix")
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36", "bold": "1", "dim": "2"}
_PLACEHOLDER = re.compile(r"%(x[0-9a-fA-F]{2}|C\([^()]*\)|C(?:red|green|blue|reset)|[ac][neNEdIstriD]|[A-Za-z%])")
_BY_LETTER: dict[str, Callable[[CommitShown], str]] = {
    "H": lambda shown: shown.oid.hex(),
    "T": lambda shown: shown.tree.hex(),
    "t": lambda shown: shown.tree.hex()[:8],
    "P": lambda shown: " ".join(parent.hex() for parent in shown.parents),
    "p": lambda shown: " ".join(parent.hex()[:8] for parent in shown.parents),
    "s": lambda shown: _subject(shown.message),
    "b": lambda shown: _body(shown.message),
    "B": lambda shown: shown.message,
    "f": lambda shown: re.sub(r"[^A-Za-z0-9._]+", "-", _subject(shown.message)).strip("-."),
    "D": lambda shown: ", ".join(shown.labels),
    "d": lambda shown: f" ({', '.join(shown.labels)})" if shown.labels else "",
    "R": lambda shown: " ".join(run.name for run in shown.runs),
    "G": lambda shown: shown.git,
    "n": lambda shown: "\n",
    "%": lambda shown: "%",
}


def check_format(form: str) -> str:
    """Returns the format without git's `format:` in front, if all of its placeholders are known.

    Raises:
        UsageFault: one is not, or it is neither a format nor the name of one.
    """
    if form in NAMED:
        return form
    text = form.removeprefix("tformat:").removeprefix("format:")
    if text == form and "%" not in form:
        raise UsageFault(
            f"{form!r} is no format", hint=f"Write one like '%h %s (%an)', or {', '.join(NAMED)}; `gv log --help` has the placeholders."
        )
    at = 0
    while (at := text.find("%", at)) >= 0:
        found = _PLACEHOLDER.match(text, at)
        if found is None or not _known(found.group(1)):
            shown = text[at : at + 2 if found is None else found.end()]
            raise UsageFault(f"{shown} means nothing in a format", hint="As in '%h %s %an %ad'; %% is a percent sign.")
        at = found.end()
    return text


def _known(word: str) -> bool:
    if word[0] == "C":
        return word in ("Cred", "Cgreen", "Cblue", "Creset") or _codes(word[2:-1]) is not None
    return word[0] == "x" or len(word) == 2 or word == "h" or word in _BY_LETTER


def format_commit(shown: CommitShown, form: str, paint: Paint, *, short: str, date: str, now: int) -> str:
    """Returns the commit as a checked format has it; `short` is its abbreviation, `now` in microseconds."""

    def filled(found: re.Match[str]) -> str:
        word = found.group(1)
        if word == "h":
            return paint("oid", short) if auto else short
        if word[0] == "x":
            return chr(int(word[1:], 16))
        if word[0] == "C":
            return _colour(word, paint)
        if len(word) == 2:
            return _of_author(shown, word[1], date, now)
        return _BY_LETTER[word](shown)

    auto = "%C(auto)" in form
    return _PLACEHOLDER.sub(filled, form)


def _of_author(shown: CommitShown, letter: str, date: str, now: int) -> str:
    if letter in "nN":
        return shown.author.partition(" <")[0]
    if letter in "eE":
        return shown.author.partition(" <")[2].removesuffix(">")
    style = {"d": date, "D": "local", "I": "iso", "i": "iso", "s": "short", "t": "unix", "r": "relative"}[letter]
    return dated(shown.created_at, style, now)


def dated(time: datetime, style: str, now: int) -> str:
    """Returns a time: `local`, `iso`, `relative` to `now` (microseconds), `short` (its day), or `unix` seconds."""
    if style == "iso":
        return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if style == "short":
        return time.astimezone().strftime("%Y-%m-%d")
    if style == "unix":
        return str(int(time.timestamp()))
    return ago(now - int(time.timestamp()) * 1_000_000) if style == "relative" else units.local(time)


def ago(us: int) -> str:
    """Returns how long ago something was, in the largest unit of which there are two: `3 hours ago`."""
    seconds = max(0, us // 1_000_000)
    for unit, length in (("year", 31557600), ("month", 2629800), ("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s ago"
    return f"{units.count(seconds, 'second')} ago"


def _colour(word: str, paint: Paint) -> str:
    if not paint.colour:
        return ""
    codes = _codes(word[2:-1]) if word[1:2] == "(" else {"Cred": "31", "Cgreen": "32", "Cblue": "34", "Creset": ""}[word]
    return "" if codes is None or word == "C(auto)" else f"\x1b[{codes}m"


def _codes(names: str) -> str | None:
    """Returns the codes of colours, `bold red`; None where one is not known."""
    if names in ("auto", "reset", ""):
        return ""
    found = [_COLOURS.get(name) for name in names.split()]
    return ";".join(code for code in found if code) if all(found) else None


def _subject(message: str) -> str:
    return " ".join(message.partition("\n\n")[0].split("\n"))


def _body(message: str) -> str:
    return message.partition("\n\n")[2]
