"""Which files of a work tree gv does not look at.

Asked in this order, the first that says anything decides:

1. `.gv` and `.git`: never part of a commit, whatever anybody says.
2. `.gvignore` of the file's folder, then of those above it.
3. `.gitignore`, likewise.
4. what is built in: environments, caches, compiled files.

The patterns are git's (wildmatch.py).  As in git, nothing inside an
ignored folder is looked at, so it cannot be taken back in.  Otherwise than in
git, what is ignored is not in the next commit even if the last one has it:
there is no staging area to say so with.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import BadIgnore, UnreadableFile
from gvstore.repo.path import name_fault
from gvstore.repo.wildmatch import Patterns, in_bytes, parse_patterns

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
_BUILT_IN = b"ignore rules 2"  # to be counted up when what is built in changes, or how patterns are read
_TEMPORARY = ".gv-tmp-"  # a file being checked out where `.gv` is on another disk
_MAX_FILE_BYTES = 4_000_000


class Rule(NamedTuple):
    """Why a path is ignored, or taken back in: a line of a file, or what is built in (then `file` is "" and `line` 0)."""

    file: str
    line: int
    pattern: str
    ignores: bool


class _Level:
    """One ignore file: its bytes, and how much of a path stands before what it speaks of."""

    __slots__ = ("_patterns", "data", "file", "skip")

    def __init__(self, folder: str, file: str, data: bytes) -> None:
        self.skip, self.file, self.data = len(in_bytes(folder)), folder + file, data
        self._patterns: Patterns | None = None

    @property
    def patterns(self) -> Patterns:
        """The patterns, parsed when first asked for: where nothing is new, nobody asks."""
        if self._patterns is None:
            self._patterns = Patterns(parse_patterns(self.data))
        return self._patterns


class IgnoreRules:
    """What is ignored in one folder, given those above it."""

    def __init__(
        self, root: Path, folder: str = "", above: IgnoreRules | None = None, names: Iterable[str] = ()
    ) -> None:
        """Reads the ignore files of `folder` ("" or ending with "/"), whose entries are `names`."""
        present = set(names)
        self._root, self._folder = root, folder
        self._levels: dict[str, list[_Level]] = {}
        digest: bytes = above.digest if above else ObjectId.of(_BUILT_IN)
        for file in (GVIGNORE, GITIGNORE):
            levels = list(above._levels[file]) if above else []
            data = _read(root / folder / file, folder + file) if file in present else b""
            if data:
                levels.insert(0, _Level(folder, file, data))
                digest = ObjectId.of(f"{folder}{file}\0".encode("utf-8", "surrogateescape") + data + digest)
            self._levels[file] = levels
        self._all = [level for levels in self._levels.values() for level in levels]
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
        if self._all:
            asked = in_bytes(path)
            last = asked.rpartition("/")[2]
            for level in self._all:
                found = level.patterns.last_match(asked[level.skip :], last, folder=folder)
                if found is not None:
                    return found.ignores
        return _built_in(name, folder=folder)

    def rule(self, path: str, *, folder: bool) -> Rule | None:
        """Returns what decides on the file or folder at `path`, which lies in this folder or below; None if nothing does."""
        name = path.rpartition("/")[2]
        if name_fault(name):
            return Rule("", 0, name, True)
        asked = in_bytes(path)
        for level in self._all:
            found = level.patterns.last_match(asked[level.skip :], asked.rpartition("/")[2], folder=folder)
            if found is not None:
                text = found.text.encode("latin-1").decode("utf-8", "surrogateescape")
                return Rule(level.file, found.line, text, found.ignores)
        return Rule("", 0, name, True) if _built_in(name, folder=folder) else None


def _built_in(name: str, *, folder: bool) -> bool:
    if folder and name in _FOLDERS:
        return True
    return name in _FILES or name.endswith(_SUFFIXES) or name.startswith(_TEMPORARY)


def _read(path: Path, shown: str) -> bytes:
    """Returns the bytes of an ignore file; as in git, a symlink is not read."""
    try:
        return fs.read_bytes(path, limit=_MAX_FILE_BYTES)
    except (FileNotFoundError, fs.NotAFile):
        return b""
    except PermissionError as e:
        raise UnreadableFile(shown, str(e.strerror)) from e
    except OSError as e:
        raise BadIgnore(f"{shown} cannot be read: {e.strerror}") from e
