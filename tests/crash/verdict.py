"""What must hold of a repository after whatever happened to the process that wrote it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import gvstore as gv
from gvstore.errors import GvError
from gvstore.journal.address import walk
from gvstore.journal.recovery import settle
from gvstore.journal.run import NoSuchRun
from gvstore.objects.oid import ObjectId
from tests.crash.kind import shown
from tests.crash.program import Promises, all_refs


def faults_of(root: Path, promises: Promises, allowed: Sequence[dict[str, str]] | None) -> list[str]:
    """Returns what does not hold, in words: first of the repository as it was left, then after the next command.

    `allowed` are the states in which the refs may be; None allows any.
    """
    found: list[str] = []
    with _telling(found, "reading what was left"):
        _check(root, promises, allowed, found)
    if not found:
        with _telling(found, "the next command"):
            _next_command(root, found)
        with _telling(found, "reading after the next command"):
            _check(root, promises, None, found)
    return found


class _telling(contextlib.AbstractContextManager[None]):
    """A block whose exception is one more fault."""

    def __init__(self, found: list[str], doing: str) -> None:
        self._found, self._doing = found, doing

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        self._found.append(f"{self._doing}: {shown(error)}")
        return True


def _check(root: Path, promises: Promises, allowed: Sequence[dict[str, str]] | None, found: list[str]) -> None:
    repo = gv.Repository.open(root, read_only=True)
    try:
        refs = all_refs(repo)
        if allowed is not None and refs not in allowed:
            found.append(f"the refs are none of {len(allowed)} states: {_differing(refs, allowed)}")
        for text in promises.objects:
            try:
                repo.objects.read(ObjectId.from_hex(text))
            except GvError as e:
                found.append(f"object {text[:8]} was promised: {e}")
        found += _missing_calls(repo, promises)
        found += [f"fsck: {f.where}: {f.why}" for f in repo.fsck(full=True) if f.damage]
    finally:
        repo.close()


def _differing(refs: dict[str, str], allowed: Sequence[dict[str, str]]) -> str:
    names = {name for state in allowed[-1:] for name in {*state, *refs} if state.get(name) != refs.get(name)}
    return ", ".join(f"{n}={refs.get(n, '')[:20]} not {allowed[-1].get(n, '')[:20]}" for n in sorted(names)[:5])


def _missing_calls(repo: gv.Repository, promises: Promises) -> list[str]:
    """Returns the finished calls that no run holds, or holds with another end."""
    if not promises.calls | promises.raised | promises.branches:
        return []
    ok, raised, branches = set(), set(), set()
    for run in repo.runs:
        try:
            root = run.invocation
        except NoSuchRun:
            continue
        for _, call in walk(root):
            number: int = call.args["first" if call.name == "branch" else "number"]
            if call.name == "branch" and call.status == "ok":
                branches.add(number)
            elif call.name == "leaf" and call.status == "raised":
                raised.add(number)
            elif call.name == "leaf" and call.status == "ok" and _is_right(call.output, number):
                ok.add(number)
    return [
        f"call {number} ({word}) had ended"
        for word, told, there in (
            ("ok", promises.calls, ok), ("raised", promises.raised, raised), ("a branch", promises.branches, branches)
        )
        for number in sorted(told - there)
    ]  # fmt: skip


def _is_right(output: dict[str, object], number: int) -> bool:
    return output["number"] == number and output["more"] == list(range(number % 5 * 60))


def _next_command(root: Path, found: list[str]) -> None:
    """Writes, commits, records: a command after the crash works, and settles what was left."""
    repo = gv.Repository.open(root)
    try:
        oid = repo.objects.put(b"the next command")
        settle(repo)
        repo.commit("the next command", allow_empty=True)
        if repo.objects.get(oid) != b"the next command":
            found.append("the next command's object is another")
        found += [f"run/{row.number} is still unfinished" for row in repo.refs.unfinished_runs()]
    finally:
        repo.close()
