"""FILES out of a model's answer.

OrchestrAI's form is a path alone, then a fenced block:

    src/main.py
    ```python
    print("hello")
    ```

Models vary it.  Read as well: a path in the sentence, heading, code span or
link before the block (`file_name`); a path in the opening fence
(```` ```python src/main.py ````, `title="..."`, `python:src/main.py`); a comment
that holds only a path, as the block's first line; tildes; longer fences; blocks
in lists.  A fence with a language inside a block opens a nested one, which ends
before the block does: a README may hold examples.

What cannot be read is told (`Fault`) and never guessed: a block without a path
is no file, an unfinished block is no file.  Whether a path may be written is not
asked here (`working_folder`).  Pure; one pass, linear in the answer.

Source: CommonMark 0.31, "Fenced code blocks"; reference: OrchestrAI's own
expression took the word before any fence for a path, "here" too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gvstore.pipeline.file_name import name_before, name_in_comment, name_in_info, names_command
from gvstore.pipeline.refusal import AnswerRefused

MAX_CHARACTERS = 16_000_000
MAX_BLOCKS = 10_000
MAX_MENDS = 5  # blocks without a closing fence that are looked through for one behind a line
MAX_LINE = 400  # characters of a line that may name a path

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_TIGHT = re.compile(r"^[^`\n]*[^`\s](?P<mark>`{3,})[ \t]*$", re.MULTILINE)
_SLACK = 3  # columns that a closing fence may stand further right than the opening one


@dataclass(frozen=True, slots=True)
class AnsweredFile:
    """A file as an answer gives it: the path as it stands there, and the line (from 1) of the opening fence."""

    path: str
    content: str
    line: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What could not be read: `kind` is "no_path", "duplicate" or "unfinished"; `line` is that of the opening fence."""

    kind: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line} of the answer: {self.message}"


@dataclass(frozen=True, slots=True)
class Extraction:
    """The files of an answer, in its order, each path once; and what could not be read."""

    files: tuple[AnsweredFile, ...]
    faults: tuple[Fault, ...]


def collect(pieces: Iterable[str], *, limit: int = MAX_CHARACTERS) -> str:
    """Returns a streamed answer as one text; no more than `limit` characters are ever held.

    Raises:
        AnswerRefused: it is longer; the rest was not asked for.
    """
    held: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise AnswerRefused("characters", limit)
        held.append(piece)
    return "".join(held)


def extract(answer: str, *, limit: int = MAX_CHARACTERS) -> Extraction:
    """Returns the files in a model's answer.

    Of two blocks with the same path and other content the last one counts, and a
    fault tells.

    Raises:
        AnswerRefused: more than `limit` characters, which are not looked at, or too many blocks.
    """
    if len(answer) > limit:
        raise AnswerRefused("characters", limit)
    files: dict[str, AnsweredFile] = {}
    faults: list[Fault] = []
    for count, block in enumerate(_blocks(answer)):
        if count >= MAX_BLOCKS:
            raise AnswerRefused("fenced blocks", MAX_BLOCKS)
        path, why = _path_of(block)
        if not block.finished:
            faults.append(Fault("unfinished", block.line, path, f"the block of {path or 'no file'} does not end"))
        elif not path:
            faults.append(Fault("no_path", block.line, "", why))
        else:
            file = AnsweredFile(path, block.content, block.line, block.language)
            earlier = files.pop(path, None)
            if earlier is not None and earlier.content != file.content:
                told = f"{path} stands on line {earlier.line} too, with other content; this one counts"
                faults.append(Fault("duplicate", block.line, path, told))
            files[path] = file
    return Extraction(tuple(files.values()), tuple(faults))


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block: the line of text before it ("" if it follows another block), its info string and what it holds."""

    line: int
    before: str
    info: str
    content: str
    finished: bool

    @property
    def language(self) -> str:
        words = self.info.strip().lstrip("{.").replace(":", " ").split()
        return words[0].rstrip("}").lower() if words else ""


def _path_of(block: _Block) -> tuple[str, str]:
    """Returns the block's path, or "" and why there is none."""
    if path := name_in_info(block.info) if len(block.info) <= MAX_LINE else "":
        return path, ""
    path = name_before(block.before)
    if path and names_command(path, block.language):
        return "", f"a block of {block.language} after {path} holds commands, not the file"
    if not path:
        path = name_in_comment(block.content)
    return path, "a block without a path is no file"


def _blocks(answer: str) -> Iterator[_Block]:
    """Yields the outermost fenced blocks, in order."""
    line, counted = 1, 0  # `line` is that of the character at `counted`
    free = 0  # where the text after the last block begins
    mends = MAX_MENDS
    while opening := _opening(answer, free):
        line += answer.count("\n", counted, opening.start())
        counted = opening.start()
        closing = _closing(answer, opening)
        end, after = (closing.start(), closing.end()) if closing else (len(answer), len(answer))
        if not closing and mends and (tight := _tight_closing(answer, opening)):
            mends -= 1
            closing, end, after = tight, tight.start("mark"), tight.end()
        yield _block(answer, opening, line, free, end, finished=closing is not None)
        free = after


def _opening(answer: str, start: int) -> re.Match[str] | None:
    for fence in _FENCE.finditer(answer, start):
        if fence["mark"][0] == "~" or "`" not in fence["info"]:  # else a code span of three backticks
            return fence
    return None


def _closing(answer: str, opening: re.Match[str]) -> re.Match[str] | None:
    """Returns the fence that ends a block: the first without words that ends no block inside."""
    nested: list[str] = []  # the marks of the blocks that are open inside
    for fence in _FENCE.finditer(answer, opening.end()):
        mark, info = fence["mark"], fence["info"].strip()
        innermost = nested[-1] if nested else opening["mark"]
        if mark[0] != innermost[0] or len(mark) < len(innermost) or _indent(fence) > _indent(opening) + _SLACK:
            continue
        if info:
            if "`" not in info:
                nested.append(mark)
        elif nested:
            nested.pop()
        else:
            return fence
    return None


def _tight_closing(answer: str, opening: re.Match[str]) -> re.Match[str] | None:
    """Returns the end of a line of code that the closing fence was put behind, as OrchestrAI read it; for what else has no end."""
    return next((found for found in _TIGHT.finditer(answer, opening.end()) if found["mark"] == opening["mark"]), None)


def _block(answer: str, opening: re.Match[str], line: int, free: int, end: int, *, finished: bool) -> _Block:
    content = answer[min(opening.end() + 1, end) : end]
    if width := _indent(opening):
        content = re.sub(rf"^[ \t]{{1,{min(width, 1000)}}}", "", content, flags=re.MULTILINE)
    return _Block(line, _line_before(answer, free, opening.start()), opening["info"].strip(), content, finished)


def _indent(fence: re.Match[str]) -> int:
    return len(fence["indent"])


def _line_before(answer: str, start: int, end: int) -> str:
    """Returns the last line that is not blank between two places; "" also if it is longer than any path's line."""
    while end > start:
        begin = answer.rfind("\n", start, end - 1) + 1 or start
        line = answer[max(begin, end - 2 * MAX_LINE) : end]
        if not line.isspace():
            return line.strip() if end - begin <= MAX_LINE else ""
        end = begin
    return ""
