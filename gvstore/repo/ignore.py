"""Which files of a work tree gv does not look at.

Asked in this order, the first that says anything decides:

1. `.gv` and `.git`: never part of a commit, whatever anybody says.
2. `.gvignore` of the file's folder, then of those above it.
3. `.gitignore`, likewise.
4. what is built in: environments, caches, compiled files.

The patterns are git's, read by `pathspec`.  As in git, nothing inside an
ignored folder is looked at, so it cannot be taken back in.  Otherwise than in
git, what is ignored is not in the next commit even if the last one has it:
there is no staging area to say so with.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import BadIgnore, UnreadableFile
from gvstore.repo.path import name_fault

GVIGNORE = ".gvignore"
GITIGNORE = ".gitignore"
ENVIRONMENT_MARK = "pyvenv.cfg"

_FOLDERS = frozenset(
    [
        "__pycache__",
        ".venv",
        "venv",
        "node_modules",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".ipynb_checkpoints",
        ".hg",
        ".svn",
    ]
)
_FILES = frozenset([".DS_Store", ".git"])
_SUFFIXES = (".pyc", ".pyo", ".egg-info")
_BUILT_IN = b"ignore rules 1"  # to be counted up when a name is added to, or taken from, what is built in
_TEMPORARY = ".gv-tmp-"  # a file being checked out where `.gv` is on another disk
_MAX_FILE_BYTES = 4_000_000
_FOLDER_MARK = "ps_d"  # the group in pathspec's expressions that matches the slash after a folder

Pattern = tuple[bool, re.Pattern[str]]  # whether it ignores (or takes back), and what


class IgnoreRules:
    """What is ignored in one folder, given those above it."""

    def __init__(
        self, root: Path, folder: str = "", above: IgnoreRules | None = None, names: Iterable[str] = ()
    ) -> None:
        """Reads the ignore files of `folder` ("" or ending with "/"), whose entries are `names`."""
        present = set(names)
        self._root, self._folder = root, folder
        self._texts: dict[str, list[tuple[int, str]]] = {}
        self._parsed: dict[str, list[tuple[int, list[Pattern]]]] | None = None
        digest: bytes = above.digest if above else ObjectId.of(_BUILT_IN)
        for file in (GVIGNORE, GITIGNORE):
            texts = list(above._texts[file]) if above else []
            text = _read(root / folder / file, folder + file) if file in present else ""
            if text:
                texts.insert(0, (len(folder), text))
                digest = ObjectId.of(f"{folder}{file}\0{text}".encode("utf-8", "surrogateescape") + digest)
            self._texts[file] = texts
        self.digest: bytes = bytes(digest)
        """Names these rules: 32 bytes, equal for the same ignore files at the same places."""

    def below(self, folder: str, names: Iterable[str]) -> IgnoreRules:
        """Returns the rules in a folder of this folder."""
        if GVIGNORE not in names and GITIGNORE not in names:
            return self
        return IgnoreRules(self._root, folder, self, names)

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Returns whether the file or folder at `path`, which lies in this folder or below, is ignored."""
        name = path.rpartition("/")[2]
        if name_fault(name):
            return True
        asked = path + "/" if folder else path
        for levels in self._levels().values():
            for skip, patterns in levels:
                relative = asked[skip:]
                for ignore, pattern in patterns:
                    if pattern.match(relative):
                        return ignore
        if folder and name in _FOLDERS:
            return True
        return name in _FILES or name.endswith(_SUFFIXES) or name.startswith(_TEMPORARY)


    def _levels(self) -> dict[str, list[tuple[int, list[Pattern]]]]:
        """Returns the patterns, parsed when first asked for: where nothing is new, nobody asks."""
        if self._parsed is None:
            self._parsed = {
                file: [(skip, parse_patterns(text)) for skip, text in texts] for file, texts in self._texts.items()
            }
        return self._parsed


def _read(path: Path, shown: str) -> str:
    """Returns the text of an ignore file; as in git, a symlink is not read."""
    try:
        data = fs.read_bytes(path, limit=_MAX_FILE_BYTES)
    except (FileNotFoundError, fs.NotAFile):
        return ""
    except PermissionError as e:
        raise UnreadableFile(shown, str(e.strerror)) from e
    except OSError as e:
        raise BadIgnore(f"{shown} cannot be read: {e.strerror}") from e
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def parse_patterns(text: str) -> list[Pattern]:
    """Returns the patterns of an ignore file's text, the last first; lines that are no pattern are passed over, as in git."""
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # `[[a]` may mean more to Python some day
        return _parsed(text)[::-1]


def _parsed(text: str) -> list[Pattern]:
    from pathspec import GitIgnoreSpec

    found: list[Pattern] = []
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if line.endswith("/**/"):
            line += "*/"  # the folders below one: pathspec takes that one itself too, git does not
        try:
            patterns = GitIgnoreSpec.from_lines([line]).patterns
            for pattern in patterns:
                regex = getattr(pattern, "regex", None)
                if pattern.include is not None and regex is not None:
                    found.append((pattern.include, _of_entry(regex.pattern)))
        except (ValueError, re.error):  # `[z-a]`: what is no range in an expression
            continue
    return found


def _of_entry(pattern: str) -> re.Pattern[str]:
    """Returns what matches exactly the entries that a line names; a folder's path ends with a slash.

    pathspec's expressions also match whatever lies in a folder that matches.  We
    descend folder by folder, and must not: `*` and then `!a` take `a` back in, not all that is in it.
    """
    if pattern == f"(?P<{_FOLDER_MARK}>/)":
        pattern = ".*/"
    elif f"(?P<{_FOLDER_MARK}>" not in pattern:
        pattern += ".*" if pattern == "." else ".+"  # `**` and `a/**`: all that lies in a folder, not itself
    return re.compile(f"(?:{pattern})\\Z", re.DOTALL)
