"""Writes a letter, has an editor read it, and sends it when the editor is content.

    gv run letter.py:write Ada

A question ends the program; the answer lets it go on from there, in another
process, next week.  What was drafted meanwhile is not drafted again, and what
was sent is not sent again.
"""

from pathlib import Path

import gvstore as gv


@gv.register
def draft(name: str, wishes: list[str]) -> str:
    """Returns a letter that heeds all wishes; think of a language model here."""
    return "\n".join([f"Dear {name},", *wishes, "Yours"])


@gv.register(effect="once")
def send(letter: str) -> int:
    """Puts the letter into the outbox, and returns how many lie there now."""
    outbox = Path("outbox")
    outbox.mkdir(exist_ok=True)
    number = len(list(outbox.iterdir())) + 1
    (outbox / f"{number}.txt").write_text(letter)
    return number


@gv.register
def write(name: str) -> str:
    """Returns the letter as it was sent."""
    wishes: list[str] = []
    while True:
        letter = draft(name, wishes)
        wish = gv.request_input(str, letter, "What should it say? Nothing more, and it is sent.")
        if not wish:
            send(letter)
            return letter
        wishes.append(wish)
