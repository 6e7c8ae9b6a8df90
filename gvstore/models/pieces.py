"""Text that comes in pieces, told to a listener on the way, as text that UTF-8 can spell.

JSON may spell half of a surrogate pair: two halves that come apart are joined,
one that stays alone becomes U+FFFD.
"""

from __future__ import annotations

from gvstore.models.protocol import OnText


class Pieces:
    """One answer as it grows; the pieces told, joined, are `text`."""

    def __init__(self, on_text: OnText | None = None) -> None:
        self._on_text = on_text
        self._parts: list[str] = []
        self._half = ""

    def add(self, piece: str) -> None:
        """Takes the next piece, and tells it."""
        piece = self._half + piece
        self._half = ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        self._tell(spelled(piece))

    def end(self) -> str:
        """Returns the whole text."""
        half, self._half = self._half, ""
        self._tell(spelled(half))
        return "".join(self._parts)

    @property
    def told(self) -> bool:
        """Whether a listener has heard of it."""
        return self._on_text is not None and bool(self._parts)

    def _tell(self, piece: str) -> None:
        if not piece:
            return
        self._parts.append(piece)
        if self._on_text is not None:
            self._on_text(piece)


def spelled(text: str) -> str:
    """Returns `text` with halves of surrogate pairs joined, or replaced where they stand alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
