"""Styles as a user spells them: `bold red`, `yellow black`, `#ffa500 underline`, `214`.

The first colour is the text's, the second what lies behind it, as in git.

Source: git, Documentation/config.txt, "color"; ECMA-48, 8.3.117, for the numbers.
"""

from __future__ import annotations

import re

from gvstore.cli.style import ROLES
from gvstore.errors import UsageFault

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_MARKS = {
    "bold": "1", "dim": "2", "italic": "3", "underline": "4", "ul": "4", "blink": "5", "reverse": "7", "strike": "9",
}  # fmt: skip
_PLAIN = ("plain", "normal", "none")


class BadStyle(UsageFault):
    """A style that means nothing, or a role that there is not."""


def check_role(role: str) -> None:
    """Passes if there is such a role.

    Raises:
        BadStyle: there is none; tells those that there are.
    """
    if role not in ROLES:
        import difflib

        near = difflib.get_close_matches(role, ROLES, n=3)
        hint = (
            f"Did you mean {' or '.join(f'color.{name}' for name in near)}?"
            if near
            else f"There are {', '.join(ROLES)}."
        )
        raise BadStyle(f"there is no role {role[:80]!r} to give a colour to", hint=hint)


def parse_style(text: str) -> str:
    """Returns the SGR parameters of a style; of a plain one none.

    Raises:
        BadStyle: a word of it is no colour and no style.
    """
    codes, colours = [], 0
    for word in text.lower().replace("bright ", "bright").split():
        if word in _PLAIN:
            continue
        if word in _MARKS:
            codes.append(_MARKS[word])
            continue
        code = _colour(word, behind=colours > 0)
        if code is None or colours == 2:
            raise BadStyle(
                f"{text[:80]!r} is no style: {word[:80]!r} is " + ("a third colour" if code else "no colour"),
                hint=f"Colours are {', '.join(_COLOURS)}, bright ones, 0 to 255, #rrggbb; with them {', '.join(_MARKS)}.",
            )
        colours += 1
        codes.append(code)
    return ";".join(codes)


def _colour(word: str, *, behind: bool) -> str | None:
    base = 40 if behind else 30
    if word == "default":
        return str(base + 9)
    if word in _COLOURS:
        return str(base + _COLOURS.index(word))
    if word.removeprefix("bright") in _COLOURS:
        return str(base + 60 + _COLOURS.index(word.removeprefix("bright")))
    if word.isascii() and word.isdecimal() and int(word) < 256:
        return f"{base + 8};5;{int(word)}"
    if re.fullmatch(r"#[0-9a-f]{6}", word):
        return f"{base + 8};2;" + ";".join(str(int(word[i : i + 2], 16)) for i in (1, 3, 5))
    return None


def styles(wanted: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Returns the table of roles with the user's styles in it, and what is wrong with those that are left out."""
    table, faults = dict(ROLES), []
    for role, text in wanted.items():
        try:
            check_role(role)
            table[role] = parse_style(text)
        except BadStyle as e:
            faults.append(f"color.{role}: {e}")
    return table, faults
