"""What may reach a terminal: text, and the colours that this program puts into it.

A commit message, a file's name or a model's answer may hold escape sequences
that clear the screen, retitle the window, type for the user, or turn lines
around.  Whatever goes to a terminal passes here: control characters are shown
as escapes (`\\x1b[2J`), only line ends, tabs and our own colours pass.  Into a
pipe or a file texts go as they are, for `gv diff` must be read by `patch`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from gvstore.cli.style import ROLES

# C0 but tab and line feed, DEL, C1, what turns the direction of lines, and separators that end a line for some.
_UNSAFE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_RESET = "\x1b[m"


def guarded(text: str, roles: dict[str, str] = ROLES) -> str:
    """Returns a text as a terminal may have it: the colours of `roles` stay, and end with the line; nothing else moves it."""
    if "\x1b" not in text and (text.isprintable() or not _plain().search(text)):
        return text
    clean = _dressed(tuple(roles.values())).sub(lambda found: found[1] or _escape(found[0]), text)
    last = clean.rfind("\x1b")
    return clean + _RESET if last >= 0 and not clean.startswith(_RESET, last) else clean


def guarded_json(document: str) -> str:
    """Returns a JSON document that says the same in characters that move no terminal."""
    return document if document.isprintable() else _plain().sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def guarded_pieces(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yields bytes as a terminal may have them; those that are no UTF-8 are shown as escapes."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for chunk in chain(chunks, [None]):
        text = decoder.decode(b"", final=True) if chunk is None else decoder.decode(chunk)
        yield _plain().sub(lambda found: _escape(found[0]), text)


@lru_cache(maxsize=1)
def _plain() -> re.Pattern[str]:
    return re.compile(f"[{_UNSAFE}]")


@lru_cache(maxsize=4)
def _dressed(styles: tuple[str, ...]) -> re.Pattern[str]:
    codes = "|".join(sorted({re.escape(style) for style in styles if style}))
    return re.compile(rf"(\x1b\[(?:{codes})?m)|[{_UNSAFE}]")


def _escape(c: str) -> str:
    return c.encode("unicode_escape").decode()
