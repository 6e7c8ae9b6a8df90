"""A walk through the work tree: what is there, by looking, reading nothing but ignore files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gvstore.repo.fault import NoSuchPath, UnreadableFile
from gvstore.repo.ignore import ENVIRONMENT_MARK, IgnoreRules, Rule
from gvstore.repo.path import parents, path_fault, under


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in the work tree that no commit can hold."""

    path: str
    why: str


@dataclass(slots=True)
class Scan:
    """What a walk found: files and symlinks by path, sorted, and what was passed over and is not ignored."""

    files: dict[str, os.stat_result] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)


def scan(root: Path, gv: Path, *, paths: Sequence[str] | None = None) -> Scan:
    """Returns what is in the work tree, or at and under `paths` of it; what is ignored is left out.

    Symlinks are not followed.  Sockets, FIFOs and devices are skipped, and so are names that
    no checkout could write.

    Raises:
        UnreadableFile: a folder cannot be read.
    """
    found = Scan()
    wanted = None if paths is None else set(paths)
    above = set() if wanted is None else {up for path in wanted for up in parents(path)} | {""}
    stack: list[tuple[str, IgnoreRules | None]] = [("", None)]
    while stack:
        folder, outer = stack.pop()
        entries = list_entries(root, folder)
        rules = rules_of(root, folder, entries, outer)
        if rules is None:
            continue
        if wanted is not None:
            entries = [e for e in entries if under(folder + e.name, wanted) or folder + e.name in above]
        sorted_out = sort_out(folder, entries, rules, gv)
        found.files.update((folder + name, status) for name, status in sorted_out.files)
        found.skipped += sorted_out.skipped
        stack.extend((path, rules) for path in reversed(sorted_out.below))
    found.files = dict(sorted(found.files.items()))
    return found


@dataclass(slots=True)
class SortedOut:
    """What of a folder's entries counts: files and symlinks by name, the paths of folders (ending with "/"), and what no commit can hold."""

    files: list[tuple[str, os.stat_result]] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def list_entries(root: Path, folder: str) -> list[os.DirEntry[str]]:
    """Returns what lies in a folder ("" or ending with "/"), in no order; nothing, where it is gone.

    Raises:
        UnreadableFile: it cannot be read.
    """
    try:
        with os.scandir(root / folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []  # gone since its name was read
    except OSError as e:
        raise UnreadableFile(folder.rstrip("/") or ".", e.strerror or str(e)) from e


def rules_of(
    root: Path, folder: str, entries: Sequence[os.DirEntry[str]], outer: IgnoreRules | None
) -> IgnoreRules | None:
    """Returns the ignore rules in a folder, given those of the folder above; None where all in it is ignored: an environment."""
    names = [entry.name for entry in entries]
    if folder and ENVIRONMENT_MARK in names:
        return None
    return IgnoreRules(root, folder, None, names) if outer is None else outer.below(folder, names)


def sort_out(folder: str, entries: Iterable[os.DirEntry[str]], rules: IgnoreRules, gv: Path) -> SortedOut:
    """Returns what of a folder's entries counts, by name.

    Raises:
        UnreadableFile: the system does not say how one looks.
    """
    found = SortedOut()
    for entry in sorted(entries, key=lambda entry: entry.name):
        path = folder + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if rules.ignores(path, folder=is_folder) or (is_folder and entry.path == str(gv)):
            if path_fault(path) and entry.name not in (".git", ".gv"):
                found.skipped.append(Skipped(path, path_fault(path) or ""))
        elif is_folder:
            found.below.append(path + "/")
        else:
            _add(found, path, entry)
    return found


def explicit(root: Path, paths: Sequence[str]) -> Scan:
    """Returns the files at exactly these paths, ignored or not; what is no file, or reached through a symlink, is left out."""
    found = Scan()
    for path in paths:
        status = None if path_fault(path) else status_of(root, path)
        if status is not None and (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            found.files[path] = status
    return found


def status_of(root: Path, path: str, *, real: dict[str, bool] | None = None) -> os.stat_result | None:
    """Returns how what lies at `path` looks; None where there is nothing, or only behind a symlink.

    `real` remembers which folders are no symlinks, over many calls.

    Raises:
        UnreadableFile: the system does not say.
    """
    if real is None:
        real = {}
    try:
        for folder in reversed(parents(path)):
            if folder not in real:
                real[folder] = stat.S_ISDIR((root / folder).lstat().st_mode)
            if not real[folder]:
                return None
        return (root / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise UnreadableFile(path, e.strerror or str(e)) from e


def check_paths(paths: Sequence[str], *known: Mapping[str, object]) -> None:
    """Passes if each path is a file, or a folder with files, in one of `known`.

    Raises:
        NoSuchPath: one is not.
    """
    for path in paths:
        prefix = path + "/"
        if path and not any(path in files or any(each.startswith(prefix) for each in files) for files in known):
            raise NoSuchPath(path)


def _add(found: SortedOut, path: str, entry: os.DirEntry[str]) -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as e:
        raise UnreadableFile(path, e.strerror or str(e)) from e
    if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
        found.files.append((entry.name, status))
        return
    for test, what in ((stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket")):
        if test(status.st_mode):
            found.skipped.append(Skipped(path, what))
            return
    found.skipped.append(Skipped(path, "a device"))


def deciding_rule(root: Path, path: str, *, folder: bool) -> Rule | None:
    """Returns what decides whether `path` is looked at, which need not exist: of an ignored folder above it, that folder's rule.

    What lies there decides whether it is a folder; where nothing does, `folder`.
    """
    rules: IgnoreRules | None = None
    names = path.split("/") if path else []
    for depth in range(len(names)):
        above = "".join(f"{name}/" for name in names[:depth])
        entries = list_entries(root, above)
        if depth and any(entry.name == ENVIRONMENT_MARK for entry in entries):
            return Rule("", 0, f"{above}{ENVIRONMENT_MARK}", True)
        rules = rules_of(root, above, entries, rules) or IgnoreRules(root)
        inner = depth < len(names) - 1
        asked = above + names[depth]
        lies = root / asked
        is_folder = inner or (lies.is_dir() and not lies.is_symlink()) or (folder and not os.path.lexists(lies))
        found = rules.rule(asked, folder=is_folder)
        if not inner or (found is not None and found.ignores):
            return found
    return None
