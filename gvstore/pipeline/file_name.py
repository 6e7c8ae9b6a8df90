"""Which file a fenced block is meant to be: the path in the words around it.

A word is taken for a path if it looks like one: it has a folder, an ending, a
leading dot, or is one of the few names without (`Makefile`).  "here:" is none.
Paths that may not be written (`../x`, `C:\\x`) are paths all the same: who reads
on refuses them by name.  Pure.
"""

from __future__ import annotations

import re

_PLAIN_NAMES = frozenset({
    "makefile", "dockerfile", "containerfile", "license", "licence", "readme", "procfile", "gemfile", "rakefile", "jenkinsfile",
    "vagrantfile", "pipfile", "changelog", "authors", "notice", "codeowners", "caddyfile", "justfile", "brewfile", "manifest",
})  # fmt: skip
_SHELLS = frozenset({"bash", "sh", "shell", "zsh", "fish", "console", "terminal", "cmd", "bat", "batch", "powershell", "ps1", "output"})
_SHELL_ENDINGS = (".sh", ".bash", ".zsh", ".fish", ".bat", ".cmd", ".ps1")
_ENDING = re.compile(r"[^\s.]\.[A-Za-z][\w+-]{0,14}$")
_DRIVE = re.compile(r"^[A-Za-z]:")
_DOTTED_LANGUAGES = frozenset({"asp.net", "vb.net", "c#.net"})
_ABBREVIATIONS = frozenset({"e.g", "i.e", "a.k.a", "etc", "p.s"})
_SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\[\]]+)\]\([^()]*\)")
_REMARK = re.compile(r"\([^()]*\)\s*[:.]?$")
_LABELLED = re.compile(r"""(?:^|[\s{,])(?:title|file|filename|file_name|path|name)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|([^\s"'}]+))""")
_COMMENT = re.compile(r"^(?:#|//|--|;|/\*|<!--)\s*(?:(?:file|filename|path)\s*:\s*)?(\S+?)\s*(?:\*/|-->)?$", re.IGNORECASE)
_WRAPPERS = "`*\"'<>[]()«»“”‘’#"


def name_in_info(info: str) -> str:
    """Returns the path in an opening fence's words, or ""."""
    if found := _LABELLED.search(info):
        labelled = next(group for group in found.groups() if group).strip()
        return _bare(labelled) if is_path(labelled) else ""
    words = info.strip().strip("{}").split()
    if not words:
        return ""
    word = words[-1]
    before, colon, after = word.partition(":")
    if colon and not _DRIVE.match(word) and before.isalnum() and is_path(after):
        return _bare(after)
    if word[0] == "." and "/" not in word:
        return ""  # {.python .numberLines}
    if len(words) == 1 and (word.lower() in _PLAIN_NAMES or word.lower() in _DOTTED_LANGUAGES):
        return ""  # ```dockerfile
    return _bare(word) if is_path(word) else ""


def name_before(line: str) -> str:
    """Returns the path in the line before a block, or ""."""
    line = line.strip()
    spans = list(_SPAN.finditer(line))
    tail = line[spans[-1].end() :] if spans else line
    for text in (tail, _REMARK.sub("", tail)):
        words = text.split()
        if words and is_path(words[-1]):
            return _bare(words[-1])
    if not spans:
        return ""
    code, bold, link = spans[-1].groups()
    if code is None:
        return name_before(bold or link)
    # "Run `python main.py`:" shows a command: what has a blank in it is no path.
    return _bare(code) if is_path(code.strip()) else ""


def name_in_comment(content: str) -> str:
    """Returns the path that is all of the comment on a block's first line, or ""."""
    first = content[:200].lstrip("\n").split("\n", 1)[0].strip()
    found = _COMMENT.match(first)
    return _bare(found[1]) if found and not first.startswith("#!") and is_path(found[1]) else ""


def names_command(path: str, language: str) -> bool:
    """Returns whether a block of this language, after a line that ends with this path, shows how it is called."""
    return language in _SHELLS and bool(_ENDING.search(path)) and not path.lower().endswith(_SHELL_ENDINGS)


def is_path(word: str) -> bool:
    """Returns whether a word, with what a sentence puts around it, looks like a file's path."""
    bare = _bare(word)
    if not bare or any(c.isspace() for c in bare) or "://" in bare or bare.lower() in _ABBREVIATIONS:
        return False
    if bare.endswith(("/", "\\")):
        return False
    name = re.split(r"[/\\]", bare)[-1]
    if name.lower() in _PLAIN_NAMES or _ENDING.search(name) or _DRIVE.match(bare):
        return True
    if len(name) > 1 and name[0] == "." and name[1].isalnum():
        return True
    return ("/" in bare or "\\" in bare) and bool(name.strip("."))


def _bare(word: str) -> str:
    """Returns a word without what Markdown and the sentence put around it; a leading "./" is nothing."""
    bare = word.strip()
    while True:
        # Underscores are part of `__init__.py`, a leading dot of `.gitignore` and `../x`.
        shorter = bare.strip(_WRAPPERS).rstrip(":,;.!?").strip(_WRAPPERS)
        if shorter == bare:
            break
        bare = shorter
    while bare.startswith("./"):
        bare = bare[2:].lstrip("/")
    return bare
