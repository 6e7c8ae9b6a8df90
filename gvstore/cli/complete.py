"""What could stand where the cursor is: `gv complete-words`, which the shells' scripts call at each press of Tab.

    gv complete-words bash LINE WORDBREAKS      the line up to the cursor; bash splits words at WORDBREAKS
    gv complete-words zsh|fish WORD...          the words behind `gv`, without quotes; the last is being typed

Each answer is a line: what to put there, a tab, what it is.  For bash it is
cut to what stands behind the last split, and quoted.  A line that opens with a
tab tells the shell something: `files` and `folders` let it complete those
itself, `more` has it put no blank behind.  Whatever goes wrong, nothing is
said: there is nothing to complete.

Commands and revs need no click; options do, and are the slower way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gvstore.cli import table

FILES, FOLDERS, MORE = "\tfiles", "\tfolders", "\tmore"
_OPEN = (":", "/", ".", "=")  # what ends so goes on


class Candidate(NamedTuple):
    """A word that could stand there, and what it is; the shell's own answers have no word."""

    word: str
    about: str = ""


def run_complete(arguments: list[str]) -> int:
    """Writes the answers; returns 0, whatever happens."""
    shell, *rest = arguments or [""]
    try:
        if shell == "bash":
            line, breaks = (*rest, "", "")[:2]
            for answer in for_bash(line, breaks):
                sys.stdout.write(answer + "\n")
        elif shell in ("zsh", "fish"):
            for each in candidates(rest or [""]):
                word, about = (_plain(text) for text in each)
                sys.stdout.write(f"{word}\t{about}\n" if word or about else f"{each.word}\n")
        sys.stdout.flush()
    except Exception:
        pass
    return 0


def _plain(text: str) -> str:
    """Returns a text without what would end its line, or move a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def for_bash(line: str, breaks: str) -> Iterator[str]:
    """Yields the answers for a line as bash takes them."""
    words, quote, start = split(line)
    word = words[-1] if words else ""
    found = list(candidates(words[1:] or [""]))
    cut = 0
    if not quote:
        typed = line[start:]
        last = max((typed.rfind(c) for c in breaks if c not in "\"' \t\n"), default=-1)
        cut = len(_unquoted(typed[: last + 1])) if last >= 0 else 0
    answers = [each.word for each in found if each.word and (word.startswith(each.word[:cut]) or not cut)]
    if answers and all(each.endswith(_OPEN) for each in answers):
        yield MORE
    for each in answers:
        rest = each[cut:]
        yield rest if quote else _quoted(rest)
    yield from (f"\t{each.about}" for each in found if not each.word)


def split(line: str) -> tuple[list[str], str, int]:
    """Returns the words of a line as a shell takes them, the quote that is open at its end, and where the last word begins."""
    words: list[str] = []
    current, quote, start, begun = "", "", len(line), False
    i = 0
    while i < len(line):
        c = line[i]
        if quote:
            if c == quote:
                quote = ""
            elif c == "\\" and quote == '"' and line[i + 1 : i + 2] in ('"', "\\", "$", "`"):
                current, i = current + line[i + 1 : i + 2], i + 1
            else:
                current += c
        elif c in " \t\n":
            if begun:
                words.append(current)
            current, begun = "", False
        else:
            if not begun:
                start, begun = i, True
            if c in "\"'":
                quote = c
            elif c == "\\":
                current, i = current + line[i + 1 : i + 2], i + 1
            else:
                current += c
        i += 1
    words.append(current)
    return words, quote, start if begun else len(line)


def _unquoted(typed: str) -> str:
    return split(typed)[0][-1]


def _quoted(word: str) -> str:
    quoted = "".join("\\" + c if c in " \t\"'\\$`&;|<>()*?[]!{}" else c for c in word)
    return "\\" + quoted if quoted[:1] in ("~", "#") else quoted


def candidates(words: list[str]) -> Iterator[Candidate]:
    """Yields what the last of these words, which stand behind `gv`, could become, the likeliest first; stops at any fault."""
    seen = set()
    try:
        for each in _candidates(words):
            if each not in seen:
                seen.add(each)
                yield each
    except Exception:
        return


def _candidates(words: list[str]) -> Iterator[Candidate]:
    *before, word = words
    place = _command(before)
    if place is None:  # a value of -C or --color
        yield from _values_of_shared(before[-1], word)
        return
    command, rest = place
    if command is None:
        if word.startswith("--color="):
            for each in _values_of_shared("--color", word.removeprefix("--color=")):
                yield Candidate(f"--color={each.word}")
            return
        if word.startswith("-"):
            from gvstore.cli.complete_options import shared_options

            yield from _beginning(word, shared_options())
            return
        yield from _beginning(word, _commands())
        return
    from gvstore.cli.complete_options import in_command

    yield from in_command(command, rest, word)


def _command(before: list[str]) -> tuple[str | None, list[str]] | None:
    """Returns the command among these words, aliases written out, and those behind it; None where an option waits for its value."""
    i = 0
    while i < len(before) and before[i].startswith("-"):
        if before[i] in ("-C", "--color", "--bundle"):
            if i + 1 == len(before):
                return None
            if before[i] == "-C":
                os.chdir(before[i + 1])
            i += 1
        i += 1
    if i >= len(before):
        return None, []
    name, rest = before[i], before[i + 1 :]
    if name in table.names():
        return name, rest
    from gvstore.cli.alias import expanded
    from gvstore.cli.context import CommandContext

    written = expanded(CommandContext().settings.aliases(), [name, *rest], table.names()) or [name, *rest]
    return written[0], written[1:]


def _values_of_shared(option: str, word: str) -> Iterator[Candidate]:
    if option == "--color":
        yield from _beginning(word, (Candidate(each) for each in ("auto", "always", "never")))
    else:
        yield Candidate("", "folders" if option == "-C" else "files")


def _commands() -> Iterator[Candidate]:
    from gvstore.cli.context import CommandContext

    for section in table.SECTIONS.values():
        for name, line in section.items():
            yield Candidate(name, line)
    for name, text in CommandContext().settings.aliases().items():
        yield Candidate(name, f"alias of {text}")


def _beginning(word: str, found: Iterable[Candidate]) -> Iterator[Candidate]:
    return (each for each in found if each.word.startswith(word))
