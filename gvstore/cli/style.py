"""How things look, by role: commands say what a text is, this table says how it is shown.

Plain where colour is off: `Paint` then returns its text unchanged.
"""

from __future__ import annotations

# role -> SGR parameters (ECMA-48, 8.3.117)
ROLES: dict[str, str] = {
    "oid": "33",
    "ref": "1;32",
    "head": "1;36",
    "run": "1;35",
    "call": "36",
    "value": "",
    "added": "32",
    "removed": "31",
    "changed": "33",
    "hunk": "36",
    "quiet": "2",
    "title": "1",
    "good": "32",
    "bad": "1;31",
    "error": "1;31",
    "warning": "1;33",
    "hint": "1;36",
}


COLUMNS = 132  # of a line that goes to no terminal


class Paint:
    """Dresses texts for a terminal of `width` columns, or leaves them plain."""

    def __init__(self, colour: bool = False, width: int = COLUMNS, roles: dict[str, str] = ROLES) -> None:
        self.colour, self.width, self.roles = colour, width, roles

    def __call__(self, role: str, text: str) -> str:
        """Returns `text` as `role` looks; an unknown role is a KeyError, a bug of the caller."""
        codes = self.roles[role]
        return f"\x1b[{codes}m{text}\x1b[m" if self.colour and codes and text else text


PLAIN = Paint()
