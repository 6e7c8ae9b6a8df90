"""`.gv/format`: which version of the disk format a repository has.

    gv repository
    version 1
    feature sparse-worktree
    may know-this-or-not

The first line is fixed.  `version` counts up with changes that old readers
cannot survive; a `feature` is one that a reader must know, `may` one that it
can pass over.  Other lines are from a newer gv: refused, for they may matter.
"""

from __future__ import annotations

from typing import NamedTuple

from gvstore.repo.fault import BadFormat, NewerRepository

VERSION = 1
FEATURES: frozenset[str] = frozenset()
_FIRST_LINE = "gv repository"


class Format(NamedTuple):
    """What `.gv/format` says."""

    version: int = VERSION
    features: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def encode_format(form: Format) -> bytes:
    """Returns the bytes of `.gv/format`."""
    lines = [_FIRST_LINE, f"version {form.version}"]
    lines += [f"feature {name}" for name in form.features]
    lines += [f"may {name}" for name in form.optional]
    return "".join(line + "\n" for line in lines).encode()


def decode_format(data: bytes, where: str) -> Format:
    """Returns what `.gv/format` says, if this version can open such a repository.

    Raises:
        NewerRepository: the version is newer, or a mandatory feature is unknown.
        BadFormat: the file is not ours.
    """
    lines = data[:65536].decode("utf-8", "replace").splitlines()
    if not lines or lines[0] != _FIRST_LINE:
        raise BadFormat(f"{where} does not begin with {_FIRST_LINE!r}")
    version, features, optional = 0, [], []
    for line in filter(None, lines[1:]):
        word, _, rest = line.partition(" ")
        if word == "version" and rest.isdecimal() and not version:
            version = int(rest)
        elif word == "feature" and rest:
            features.append(rest)
        elif word == "may" and rest:
            optional.append(rest)
        elif version > VERSION:
            break  # a newer format may well have lines that we cannot read
        else:
            raise NewerRepository(f"{where} has a line that this gv does not know: {line[:80]!r}")
    if version < 1:
        raise BadFormat(f"{where} has no version")
    if version > VERSION:
        raise NewerRepository(f"{where}: the repository has format version {version}, this gv reads up to {VERSION}")
    if unknown := sorted(set(features) - FEATURES):
        raise NewerRepository(f"{where}: the repository needs {', '.join(unknown)}, which this gv does not know")
    return Format(version, tuple(features), tuple(optional))
