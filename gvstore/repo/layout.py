"""The names of everything under `.gv/`, in one place.

docs/format/repo.md tells what stands in each file.
"""

from __future__ import annotations

from pathlib import Path

GV_FOLDER = ".gv"

FORMAT = "format"
CONFIG = "config.toml"
REFS = "refs.db"
OBJECTS = "objects"
JOURNAL = "journal"
CACHE = "cache"
STAT_CACHE = "cache/stat"
CODE_CACHE = "cache/code"
RUN_CACHE = "cache/run-facts"
STAT_STAMP = "cache/stamp"
TMP = "tmp"
WORKTREE_LOCK = "worktree.lock"
CHECKOUT = "checkout"
PENDING = "pending"  # an unfinished merge, revert or cherry-pick
CODE = "code"  # folders that code out of the store runs in
WRITTEN = "written"  # what programs wrote there
GITIGNORE = ".gitignore"
HOOKS = "hooks"

FOLDERS = (OBJECTS, JOURNAL, CACHE, TMP)
MAIN_BRANCH = "main"


def refs_path(gv: Path) -> Path:
    """Returns where refs.db lies."""
    return gv / REFS


def objects_folder(gv: Path) -> Path:
    """Returns the folder of the object database."""
    return gv / OBJECTS


def journal_folder(gv: Path) -> Path:
    """Returns the folder of the write-ahead journals."""
    return gv / JOURNAL


def run_cache(gv: Path) -> Path:
    """Returns where the index of runs lies; may be deleted at any time."""
    return gv / RUN_CACHE


def code_cache(gv: Path) -> Path:
    """Returns where it is kept what was learnt of source files; may be deleted at any time."""
    return gv / CODE_CACHE
