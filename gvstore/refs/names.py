"""Names of refs, and which of them may exist.

    HEAD                 "ref: refs/heads/main", or 64 hex digits when detached
    RUN                  "run: 7": the run that commands without a name mean
    refs/heads/<name>    branches: oids of commits
    refs/tags/<name>     tags: oids of anything
    refs/runs/<number>   runs: oids of runs; the number has no leading zero
    refs/values/<name>   values: oids of anything
    refs/notes/<number>  notes and scores of a run: oid of a value
    refs/remotes/<name>  what another repository had: oids
    refs/work/before     trees: the work tree before the last command that moved its files, and after it
    refs/work/after

The grammar is git's (`git check-ref-format`) and a little stricter: no part
begins with "-" (it would be read as an option), none is longer than 200
bytes, and branches and tags are not named like a rev that means something
else (`HEAD`, `@`, `7`, `run/7`, 64 hex digits).  Two names that differ only in
case, or where one is the other's folder (`a` and `a/b`), cannot stand
side by side: a repository must fit on every file system, and in git.

Source: git, refs.c check_refname_component; Documentation/git-check-ref-format.
"""

from __future__ import annotations

import re
import unicodedata

from gvstore.refs.fault import BadRefName

HEAD = "HEAD"
RUN = "RUN"
BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
RUNS = "refs/runs/"
VALUES = "refs/values/"
NOTES = "refs/notes/"
REMOTES = "refs/remotes/"
WORK = "refs/work/"
WORK_BEFORE = "refs/work/before"
WORK_AFTER = "refs/work/after"
WORK_PENDING = "refs/work/pending"
PREFIXES = (BRANCHES, TAGS, RUNS, VALUES, NOTES, REMOTES, WORK)

SYMBOLIC = "ref: "
RUN_NUMBER = "run: "

_MAX_PART_BYTES = 200
_MAX_NAME_BYTES = 1000
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{")
_HEX64 = re.compile(r"[0-9a-fA-F]{64}")
_RUN_NAME = re.compile(r"[1-9][0-9]{0,17}")
_LOOKS_LIKE_RUN = re.compile(r"(?:run/)?[0-9]+", re.IGNORECASE)


def check_ref_name(name: str) -> str:
    """Returns `name` if it is the full name of a ref.

    Raises:
        BadRefName: it is not; says which rule it breaks.
    """
    if name in (HEAD, RUN):
        return name
    for prefix in PREFIXES:
        if name.startswith(prefix):
            break
    else:
        raise BadRefName(name, "it is not HEAD, RUN, or under " + ", ".join(PREFIXES))
    rest = name[len(prefix) :]
    fault = _fault(rest)
    if fault is None and prefix in (RUNS, NOTES) and not _RUN_NAME.fullmatch(rest):
        fault = "a run is named by its number"
    if fault is None and prefix in (BRANCHES, TAGS):
        fault = _mistakable(rest)
    if prefix == WORK and name not in (WORK_BEFORE, WORK_AFTER, WORK_PENDING):
        fault = "only before, after and pending are there"
    if fault:
        raise BadRefName(name if prefix in (RUNS, NOTES) else rest, fault)
    return name


def branch_ref(name: str) -> str:
    """Returns the ref of the branch that a user calls `name`.

    Raises:
        BadRefName: no branch can be called so.
    """
    return check_ref_name(BRANCHES + name)


def tag_ref(name: str) -> str:
    """Returns the ref of the tag that a user calls `name`.

    Raises:
        BadRefName: no tag can be called so.
    """
    return check_ref_name(TAGS + name)


def value_ref(name: str) -> str:
    """Returns the ref of the value that a user calls `name`.

    Raises:
        BadRefName: no value can be called so.
    """
    return check_ref_name(VALUES + name)


def run_ref(number: int) -> str:
    """Returns the ref of run `number`."""
    return f"{RUNS}{number}"


def notes_ref(number: int) -> str:
    """Returns the ref of the notes and scores of run `number`."""
    return f"{NOTES}{number}"


def short_name(ref: str) -> str:
    """Returns what a user calls the ref: `main`, `v1`, `run/7`, `notes/7`, `origin/main`."""
    if ref.startswith(NOTES):
        return ref.removeprefix("refs/")
    if ref.startswith(RUNS):
        return "run/" + ref[len(RUNS) :]
    if ref.startswith(WORK):
        return ref.removeprefix("refs/")
    for prefix in PREFIXES:
        if ref.startswith(prefix):
            return ref[len(prefix) :]
    return ref


def folded(name: str) -> str:
    """Returns what two names have in common that a file system without case would confuse."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def folders(name: str) -> list[str]:
    """Returns the names above `name`: for `refs/heads/a/b`, `refs/heads/a` and what is above it."""
    parts = name.split("/")
    return ["/".join(parts[:i]) for i in range(len(parts) - 1, 0, -1)]


def _fault(rest: str) -> str | None:
    """Returns the rule of the grammar that `rest`, a name without its prefix, breaks."""
    if not rest:
        return "it is empty"
    try:
        size_bytes = len(rest.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size_bytes > _MAX_NAME_BYTES:
        return f"it is longer than {_MAX_NAME_BYTES} bytes"
    if found := _FORBIDDEN.search(rest):
        return f"it contains {found.group()!r}"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in rest):
        return "it contains a character that cannot be seen"
    if rest == "@":
        return '"@" stands for HEAD'
    if rest.endswith("."):
        return 'it ends with "."'
    for part in rest.split("/"):
        if not part:
            return "it has an empty part between slashes"
        if part[0] in ".-":
            return f"a part of it begins with {part[0]!r}"
        if part.lower().endswith(".lock"):
            return 'a part of it ends with ".lock"'
        if len(part.encode()) > _MAX_PART_BYTES:
            return f"a part of it is longer than {_MAX_PART_BYTES} bytes"
    return None


def _mistakable(rest: str) -> str | None:
    """Returns what else the name of a branch or tag would be read as."""
    if rest in (HEAD, RUN):
        return f"{rest} means something else"
    if _LOOKS_LIKE_RUN.fullmatch(rest):
        return "it would be read as a run"
    if _HEX64.fullmatch(rest):
        return "it would be read as an object id"
    return None
