"""Which names steps and modules may have, and which paths files: a strict grammar.

A name becomes a heading of a prompt, a part of a file's name
(`system_prompts/<module>.txt`) and something a person types; a path stays below
the project's folder.
"""

from __future__ import annotations

import re

MAX_NAME = 100
NAME_PATTERN = r"^[^\s.@$/\\:*?\"<>|{}-][^\t\n\r@$/\\:*?\"<>|{}]*$"
_NAME = re.compile(NAME_PATTERN)


def why_no_name(text: str) -> str:
    """Returns why a text is no name; nothing if it is one."""
    if not text:
        return "a name has at least one character"
    if len(text) > MAX_NAME:
        return f"a name has at most {MAX_NAME} characters"
    if not _NAME.match(text) or text != text.strip() or not text.isprintable() or text.endswith("."):
        return 'a name has none of @ $ / \\ : * ? " < > | { }, begins with none of . -, and ends with no dot or blank'
    return ""


def why_no_path(text: str) -> str:
    """Returns why a text is no path of a file below the project's folder; nothing if it is one."""
    if "\\" in text or "\0" in text:
        return "a path is written with /"
    if text.startswith(("/", "~")) or re.match("[A-Za-z]:", text):
        return "a path is relative to the project's folder"
    if ".." in text.split("/"):
        return "a path stays inside of the project's folder"
    return ""
