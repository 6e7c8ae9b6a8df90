"""A CODEBASE as text for a model: condensed, in chunks, and what is asked about it.  Pure.

Every file, sorted by path, under a line `----path----`.  Blanks at the ends of
lines and all but one of several empty lines are left out.  OrchestrAI put all of
a file on one line, which takes the indentation from Python; lines stay here.
What is no text is told by its size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gvstore.pipeline.extract import extract

MAX_FILE_CHARACTERS = 400_000
_NOTE = 40  # characters that "[12,345 more characters]" and its like have at most
_EMPTY_LINES = re.compile(r"\n{3,}")


def condense(files: Mapping[str, bytes], *, limit: int | None = None) -> str:
    """Returns a codebase as one text, of at most `limit` characters.

    Where it would be longer the longest files are cut, all at the same length;
    where that is not enough, the last files are counted only.

    Raises:
        ValueError: `limit` is less than 100.
    """
    texts = {path: text_of(files[path]) for path in sorted(files)}
    whole = _joined(texts)
    if limit is None or len(whole) <= limit:
        return whole
    if limit < 100:
        raise ValueError(f"{limit} characters hold no codebase")
    kept = dict(texts)
    while kept:
        left_out = len(texts) - len(kept)
        note = f"[{left_out:,} more files]\n" if left_out else ""
        overhead = sum(len(_header(path)) + 2 for path in kept) + len(note)
        room = limit - overhead
        most = _level([len(text) for text in kept.values()], room, _NOTE)
        if most >= min(_NOTE, max(map(len, kept.values()))):
            return _joined({path: _cut(text, most) for path, text in kept.items()}) + note
        for path in list(kept)[-max(1, len(kept) // 8) :]:
            del kept[path]
    return f"[{len(texts):,} files]\n"


def chunks(files: Mapping[str, bytes], limit: int) -> tuple[str, ...]:
    """Returns a codebase as texts of at most `limit` characters, whole files as far as they fit, cut at lines else.

    Raises:
        ValueError: a path has no room in so few characters.
    """
    found: list[str] = []
    current = ""
    for path in sorted(files):
        text = text_of(files[path])
        entry = _joined({path: text})
        if len(entry) <= limit:
            parts = [entry]
        else:
            room = limit - len(_header(f"{path} (part {len(text)} of {len(text)})")) - 1
            if room < 20:
                raise ValueError(f"{limit} characters have no room for {path}")
            pieces = _pieces(text, room)
            parts = [_joined({f"{path} (part {number} of {len(pieces)})": piece}) for number, piece in enumerate(pieces, 1)]
        for part in parts:
            if current and len(current) + len(part) > limit:
                found.append(current)
                current = ""
            current += part
    return (*found, current) if current else tuple(found)


def text_of(content: bytes, *, limit: int = MAX_FILE_CHARACTERS) -> str:
    """Returns what a file says, condensed; of what is no text, its size."""
    no_text = f"[{len(content):,} bytes that are no text]"
    if b"\0" in content[:8000]:
        return no_text
    try:
        text = content.decode()
    except UnicodeDecodeError as e:
        if e.reason != "unexpected end of data":  # a file that was cut may end within a character
            return no_text
        text = content[: e.start].decode()
    text = "\n".join(line.rstrip(" \t\r") for line in text.removeprefix("\ufeff").split("\n"))
    return _cut(_EMPTY_LINES.sub("\n\n", text).strip("\n"), limit)


def modify_input(module_input: str, instructions: str) -> str:
    """Returns what `modify_codebase` sends: OrchestrAI's words."""
    return f"{module_input}\n -- User Instructions --{instructions}"


def debug_input(module_input: str, code: str, error: str) -> str:
    """Returns what `debugger` sends: the step's own input, the code as it is now, and what went wrong."""
    return f"{module_input}\n -- Codebase --\n{code}\n -- Error --\n{error}"


def readme_input(module_input: str, files: Mapping[str, bytes], *, limit: int) -> str:
    """Returns what `create_readme` sends: the step's own input if it fits, else the codebase in so many characters."""
    return module_input if len(module_input) <= limit else condense(files, limit=limit)


def readme_of(answer: str) -> str:
    """Returns the README in an answer: a file of that name, or all of it, out of the fence that may be around it."""
    for file in extract(answer).files:
        if file.path.rpartition("/")[2].lower() in ("readme.md", "readme"):
            return file.content
    text = answer.strip()
    fenced = re.match(r"(`{3,}|~{3,})[ \t]*(?:markdown|md)?[ \t]*\n", text, re.IGNORECASE)
    if fenced and text.endswith("\n" + fenced[1]):
        text = text[fenced.end() : -len(fenced[1])].strip()
    return text + "\n" if text else ""


def _header(path: str) -> str:
    return f"----{path}----\n"


def _joined(texts: Mapping[str, str]) -> str:
    return "".join(f"{_header(path)}{text}\n" for path, text in texts.items())


def _cut(text: str, most: int) -> str:
    """Returns the beginning of a text, with a note, in at most `most` characters if that is more than the note's own."""
    if len(text) <= most:
        return text
    kept = text[: max(0, most - _NOTE)]
    kept = kept[: kept.rfind("\n") + 1] or kept
    return f"{kept}[{len(text) - len(kept):,} more characters]"


def _level(lengths: list[int], room: int, least: int) -> int:
    """Returns the length at which the longest are cut so that all have `room`; a text cut to less than `least` has `least`."""
    waiting = sorted(lengths)
    while waiting:
        share = room // len(waiting)
        if waiting[0] > share:
            return share if share >= least else -1
        room -= waiting.pop(0)
    return max(lengths, default=0)


def _pieces(text: str, room: int) -> list[str]:
    """Returns a text in pieces of at most `room` characters, cut at line ends where there are any."""
    pieces, start = [], 0
    while len(text) - start > room:
        at = text.rfind("\n", start + 1, start + room + 1)
        end = at if at > 0 else start + room
        pieces.append(text[start:end])
        start = end + 1 if at > 0 else end
    return [*pieces, text[start:]]
