"""The whole work tree beside the stat cache: what is as it was is hardly touched.

`scan` tells how each file looks; a survey tells which files look otherwise
than they did.  Of 100,000 files that are as they were, each costs one `lstat`
and a comparison of five numbers; no path is put together, no ignore rule
asked.  Used by the work tree alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.repo.fault import UnreadableFile
from gvstore.repo.files import Files, iter_files, read_level
from gvstore.repo.ignore import IgnoreRules
from gvstore.repo.scan import Skipped, list_entries, rules_of, sort_out, status_of
from gvstore.repo.stat_cache import LISTED, RULES_BYTES, CachedFolder, Raw, StatCache, above

Differences = dict[str, tuple[TreeEntry | None, TreeEntry | None]]
_UNKNOWN = CachedFolder()


@dataclass(slots=True)
class SurveyedFolder:
    """One folder: `kept` are the names of files that look as the cache has them, `fresh` the others; `rules` names the ignore rules.

    `clean` folders have what the cache has, no more and no less.
    """

    cached: CachedFolder
    rules: bytes
    clean: bool
    kept: list[str]
    fresh: list[tuple[str, os.stat_result]]
    read: dict[str, TreeEntry] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[str, TreeEntry]]:
        """Yields the files, those among them that were read meanwhile."""
        known = self.cached.entries
        for name in self.kept:
            raw = known[name]
            yield name, TreeEntry(mode_of(raw[4]), ObjectId(raw[6]))
        yield from self.read.items()


class Survey:
    """What was found; `folders` by path ("" or ending with "/")."""

    def __init__(self, root: Path, cache: StatCache) -> None:
        self.root, self.cache = root, cache
        self.folders: dict[str, SurveyedFolder] = {}
        self.below: dict[str, list[str]] = {}
        self.skipped: list[Skipped] = []
        self.read = 0  # files whose content had to be read

    def fresh(self) -> Iterator[tuple[SurveyedFolder, str, str, os.stat_result]]:
        """Yields (folder, name, path, how it looks) of each file to be read."""
        for path, folder in self.folders.items():
            for name, status in folder.fresh:
                yield folder, name, path + name, status

    def kept(self) -> Iterator[tuple[str, Raw]]:
        """Yields (path, what the cache has) of each file that looks as it did."""
        for path, folder in self.folders.items():
            known = folder.cached.entries
            for name in list(folder.kept):
                yield path + name, known[name]

    def doubt(self, path: str) -> None:
        """Puts a file among the fresh ones, though it looks as it did; one that has gone, nowhere."""
        cut = path.rfind("/") + 1
        folder = self.folders[path[:cut]]
        folder.kept.remove(path[cut:])
        folder.clean = False
        status = status_of(self.root, path)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            folder.fresh.append((path[cut:], status))

    def files(self) -> Files:
        """Returns all files, sorted by path."""
        found = Files()
        for path, folder in self.folders.items():
            for name, entry in folder.entries():
                found[path + name] = entry
        return dict(sorted(found.items()))

    def note(self) -> None:
        """Lets the cache know what is there, and forget what is not; to be called when all fresh files have been read."""
        for path in self.cache.loaded().keys() - self.folders.keys():
            self.cache.drop_folder(path)
        for path, folder in self.folders.items():
            if not folder.clean or folder.cached.rules != folder.rules:
                self.cache.list_files(path, {*folder.kept, *folder.read}, folder.rules)

    def differences(self, reader: ObjectReader, tree: ObjectId | None) -> Differences:
        """Returns the files that differ from the tree's, sorted by path, as (the tree's, the work tree's); call it after `note`.

        Folders that are as the cache has them, and of which it knows the tree, are not compared.
        """
        found: Differences = {}
        dirty = self._dirty()
        same: dict[str, ObjectId] = {}
        stack: list[tuple[str, ObjectId | None]] = [("", tree)]
        while stack:
            path, oid = stack.pop()
            folder = self.folders.get(path)
            if folder is None:
                found.update((below, (entry, None)) for below, entry in iter_files(reader, oid, prefix=path))
                continue
            if oid is not None and folder.cached.tree == oid and path not in dirty:
                continue
            level = read_level(reader, oid) if oid is not None else {}
            mine = dict(folder.entries())
            folders = {}
            for name, entry in level.items():
                if entry.mode == Mode.FOLDER:
                    folders[f"{path}{name}/"] = entry.oid
                elif mine.get(name) != entry:
                    found[path + name] = (entry, mine.get(name))
            found.update((path + name, (None, entry)) for name, entry in mine.items() if _is_new(level.get(name)))
            stack += folders.items()
            stack += ((each, None) for each in self.below[path] if each not in folders)
            if oid is not None:
                same[path] = oid
        self._settle(same, found)
        return dict(sorted(found.items()))

    def _dirty(self) -> set[str]:
        """Returns the folders that hold, at whatever depth, something that is not as the cache had it."""
        dirty: set[str] = set()
        for path, folder in self.folders.items():
            if not folder.clean:
                dirty.update(_up(path))
        return dirty

    def _settle(self, same: dict[str, ObjectId], found: Differences) -> None:
        """Notes the trees of folders that were compared and are the same, all their files in the cache."""
        differing = {folder for path in found for folder in _up(path[: path.rfind("/") + 1])}
        for path in same:
            folder = self.folders[path]
            if len(folder.cached.entries) != len(folder.kept) + len(folder.read):
                differing.update(_up(path))  # a racy file: it may change yet, and look the same
        for path, oid in same.items():
            if path not in differing:
                self.cache.settle(path, oid)


def survey(root: Path, gv: Path, cache: StatCache) -> Survey:
    """Returns the work tree beside the cache; what is ignored is left out, symlinks are not followed.

    Raises:
        UnreadableFile: a folder cannot be read.
    """
    found = Survey(root, cache)
    known = cache.loaded()
    stack: list[tuple[str, IgnoreRules | None]] = [("", None)]
    while stack:
        path, outer = stack.pop()
        entries = list_entries(root, path)
        rules = rules_of(root, path, entries, outer)
        if rules is None:
            continue
        digest = rules.digest[:RULES_BYTES]
        cached = known.get(path, _UNKNOWN)
        trusted = cached.rules == digest
        kept, others = _unchanged(entries, cached.entries if trusted else {}, path)
        below = []
        if trusted:  # folders that the same rules let pass
            below = [path + e.name + "/" for e in others if _is_listed(known, path, e)]
            others = [e for e in others if path + e.name + "/" not in below] if below else others
        rest = sort_out(path, others, rules, gv)
        below = sorted(below + rest.below)
        clean = not rest.files and len(kept) == len(cached.entries) and cached is not _UNKNOWN
        found.folders[path] = SurveyedFolder(cache.folder(path), digest, clean, kept, rest.files)
        found.below[path] = below
        found.skipped += rest.skipped
        stack.extend((each, rules) for each in reversed(below))
    return found


def mode_of(mode: int) -> Mode:
    """Returns what a file with this `st_mode` is in a tree."""
    if stat.S_ISLNK(mode):
        return Mode.SYMLINK
    return Mode.EXECUTABLE if mode & stat.S_IXUSR else Mode.FILE


def _unchanged(
    entries: list[os.DirEntry[str]], trusted: dict[str, Raw], folder: str
) -> tuple[list[str], list[os.DirEntry[str]]]:
    """Returns the names of the files that look as they did, and all other entries.  The loop that status spends its time in."""
    kept: list[str] = []
    others = []
    keep, look_at = kept.append, trusted.get
    for entry in entries:
        known = look_at(entry.name)
        if known is None or not known[5] & LISTED:
            others.append(entry)
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as e:
            raise UnreadableFile(folder + entry.name, e.strerror or str(e)) from e
        if (
            known[0] == status.st_mtime_ns
            and known[1] == status.st_ctime_ns
            and known[2] == status.st_size
            and known[3] == status.st_ino
            and known[4] == status.st_mode
        ):
            keep(entry.name)
        else:
            others.append(entry)
    return kept, others


def _is_listed(known: dict[str, CachedFolder], folder: str, entry: os.DirEntry[str]) -> bool:
    cached = known.get(folder + entry.name + "/")
    return cached is not None and any(cached.rules) and entry.is_dir(follow_symlinks=False)


def _is_new(entry: TreeEntry | None) -> bool:
    return entry is None or entry.mode == Mode.FOLDER


def _up(folder: str) -> Iterator[str]:
    """Yields a folder and those above it, the root last."""
    while folder:
        yield folder
        folder = above(folder)
    yield ""
