r"""Patterns of ignore files, as git reads them, to the byte.

    a lone name, `*.log`     any file or folder of that name, at any depth
    a/b, /a                  with a slash that is not the last: from the file's own folder
    a/                       folders alone
    **/a  a/**  a/**/b       any number of folders between
    [a-c] [!a] [[:digit:]]   one of these; \ takes what follows as it is

A pattern becomes a regular expression over bytes, which stand as the characters
U+0000 to U+00FF: git compares bytes, and `?` is one of the two that make an é.
Case counts.  Twists that git has and its manual does not tell are kept: see `_translate`.

Source: git, dir.c parse_path_pattern, match_pathname, trim_trailing_spaces; wildmatch.c dowild.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Sequence
from typing import Final, NamedTuple

_SPECIAL: Final = frozenset("*?[\\")
_CLASSES: Final = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "digit": string.digits,
    "graph": "".join(map(chr, range(33, 127))),
    "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(32, 127))),
    "punct": string.punctuation,
    "space": " \t\n\r",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}
_BYTES: Final = frozenset(map(chr, range(256)))


class Pattern(NamedTuple):
    """One line: whether it ignores or takes back, matches folders alone, matches names or else paths; `regex` of a full match."""

    line: int
    text: str
    ignores: bool
    folders: bool
    by_name: bool
    regex: str

    def matches(self, path: str, name: str, *, folder: bool) -> bool:
        """Returns whether it speaks of this path, whose last part is `name`; both as `in_bytes` gives them."""
        if self.folders and not folder:
            return False
        return re.fullmatch(self.regex, name if self.by_name else path, re.DOTALL) is not None


def in_bytes(path: str) -> str:
    """Returns a path with a character for each of its bytes."""
    return path if path.isascii() else os.fsencode(path).decode("latin-1")


def parse_patterns(data: bytes) -> list[Pattern]:
    """Returns the patterns of an ignore file, in order; lines that can match nothing are left out."""
    found = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        text = line.decode("latin-1").removesuffix("\r").partition("\0")[0]
        if not text.startswith("#"):
            pattern = _parse(number, _trimmed(text))
            if pattern is not None:
                found.append(pattern)
    return found


def _trimmed(text: str) -> str:
    """Returns a line without the blanks at its end, unless a backslash stands before the first of them."""
    blank, at = -1, 0
    while at < len(text):
        if text[at] == " ":
            blank = at if blank < 0 else blank
        else:
            blank = -1
            at += text[at] == "\\"
            if at == len(text):
                return text
        at += 1
    return text if blank < 0 else text[:blank]


def _parse(number: int, text: str) -> Pattern | None:
    pattern, ignores = (text[1:], False) if text.startswith("!") else (text, True)
    folders = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    by_name = "/" not in pattern
    plain = pattern.removeprefix("/")
    start = next((at for at, c in enumerate(plain) if c in _SPECIAL), len(plain))
    if by_name:
        regex = _translate(plain, paths=False)
    else:
        rest = _translate(plain[start:], paths=True)
        regex = None if rest is None else re.escape(plain[:start]) + rest
    if not plain or regex is None:
        return None
    return Pattern(number, text, ignores, folders, by_name, regex)


def _translate(pattern: str, *, paths: bool) -> str | None:
    """Returns the expression of a pattern, or None if it can match nothing; with `paths`, wildcards stop at slashes.

    What stands before the first wildcard of a path is compared apart, so `pattern` begins with a wildcard, and a `**`
    there counts as standing behind a slash: `a/b**` crosses folders, `a/?b**` does not.
    """
    found = []
    step = "[^/]" if paths else "."
    at = 0
    while at < len(pattern):
        c = pattern[at]
        if c == "*":
            end = at
            while pattern[end : end + 1] == "*":
                end += 1
            alone = at == 0 or pattern[at - 1] == "/"
            follows = pattern[end:]
            crosses = end - at > 1 and alone and (not follows or follows.startswith(("/", "\\/")))
            if crosses and paths and follows.startswith("/"):
                found.append("(?:.*/)?")
                end += 1
            else:
                found.append(".*" if crosses or not paths else "[^/]*")
            at = end
            continue
        if c == "?":
            found.append(step)
        elif c == "[":
            end, members = _bracket(pattern, at)
            if members is None:
                return None
            found.append(_one_of(members - {"/"} if paths else members))
            at = end
        elif c == "\\":
            at += 1
            if at == len(pattern):
                return None
            found.append(re.escape(pattern[at]))
        else:
            found.append(re.escape(c))
        at += 1
    return "".join(found)


def _one_of(members: frozenset[str]) -> str:
    return "[" + "".join(f"\\x{ord(each):02x}" for each in sorted(members)) + "]" if members else "(?!)"


def _bracket(pattern: str, at: int) -> tuple[int, frozenset[str] | None]:
    """Returns where the bracket that opens at `at` closes, and what it matches; None if it is no bracket that git knows."""
    end, members, last = at + 1, set[str](), ""
    negated = pattern[end : end + 1] in ("!", "^") and end < len(pattern)
    end += negated
    first = True
    while first or pattern[end : end + 1] != "]":
        first = False
        c = pattern[end : end + 1]
        following = pattern[end + 1 : end + 2]
        if not c:
            return end, None
        if c == "\\":
            end += 1
            last = pattern[end : end + 1]
            members.add(last)
        elif c == "-" and last and following and following != "]":
            end += 2 if following == "\\" else 1
            members |= {chr(each) for each in range(ord(last), ord(pattern[end : end + 1] or "\0") + 1)}
            last = "" if pattern[end : end + 1] else "\0"
        elif c == "[" and following == ":":
            close = pattern.find("]", end + 2)
            if close < 0:
                return end, None
            if close - end < 3 or pattern[close - 1] != ":":
                members.add("[")
                last = "["
            elif (named := _CLASSES.get(pattern[end + 2 : close - 1])) is not None:
                members |= set(named)
                end, last = close, ""
            else:
                return end, None
        else:
            members.add(c)
            last = c
        if end >= len(pattern):
            return end, None
        end += 1
    return end, frozenset(_BYTES - members if negated else members)


class Patterns:
    """The patterns of one ignore file, the last that matches decides; most paths are asked one look-up and two expressions."""

    __slots__ = ("_all", "_by_name", "_by_path", "_names")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._all = [(each, re.compile(each.regex, re.DOTALL).fullmatch) for each in reversed(patterns)]
        plain = {each for each in patterns if each.by_name and re.escape(_unescaped(each.regex)) == each.regex}
        self._names = frozenset(_unescaped(each.regex) for each in plain)
        self._by_name = _any([each for each in patterns if each.by_name and each not in plain])
        self._by_path = _any([each for each in patterns if not each.by_name])

    def last_match(self, path: str, name: str, *, folder: bool) -> Pattern | None:
        """Returns the last pattern that speaks of this path, both as `in_bytes` gives them, or None."""
        if not (
            name in self._names
            or (self._by_name is not None and self._by_name.fullmatch(name))
            or (self._by_path is not None and self._by_path.fullmatch(path))
        ):
            return None
        for pattern, matches in self._all:
            if (folder or not pattern.folders) and matches(name if pattern.by_name else path):
                return pattern
        return None


def _unescaped(regex: str) -> str:
    return re.sub(r"\\(.)", r"\1", regex, flags=re.DOTALL)


def _any(patterns: Sequence[Pattern]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{each.regex})" for each in patterns), re.DOTALL) if patterns else None
