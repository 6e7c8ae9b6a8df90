"""Has the local model write a poem, a line at a time, and looks for the one that alliterates best.

    gv run poem.py:best --topic otters
"""

from search import search

import gvstore as gv


@gv.register
def line(topic: str, above: list[str]) -> str:
    """Returns the next line of a poem."""
    text = gv.models.chat(
        [
            {"role": "system", "content": "You write one short line of a poem, and nothing else."},
            {"role": "user", "content": "\n".join([f"A poem about {topic}:", *above])},
        ],
        max_tokens=12,
        stop=["\n"],
    )
    return text.strip()


@gv.register
def poem(topic: str, length: int = 3) -> list[str]:
    """Returns a poem of so many lines."""
    lines: list[str] = []
    for _ in range(length):
        lines.append(line(topic, list(lines)))
    return lines


@gv.register
def alliteration(lines: list[str]) -> float:
    """Returns how many of the words begin with the letter with which most of them do, from 0 to 1."""
    letters = [word[0].lower() for text in lines for word in text.split()]
    return max((letters.count(letter) for letter in letters), default=0) / max(len(letters), 1)


@gv.register
def best(topic: str) -> list[str]:
    """Returns the poem that the search found."""
    found = search(poem, [topic], alliteration)
    return found.output
