"""A repository and a few dicts agree under any sequence of what users do, crashes and lost refs included."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import gvstore as gv
from gvstore import fs
from gvstore.journal.recovery import settle
from gvstore.objects.decode import get_value
from gvstore.objects.oid import ObjectId
from gvstore.odb import compact
from tests.crash.kind import in_fork
from tests.crash.shim import Shim, kill

NAMES = st.sampled_from(["main", "topic", "other"])
TEXTS = st.text("abc\n", min_size=1, max_size=200)


@gv.register
def double(number: int) -> int:
    """Returns twice the number."""
    return 2 * number


class Repositories(RuleBasedStateMachine):
    """What branches, values, files and runs should be, beside what they are."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for name in ("sync_data", "sync_folder"):
            self.patch.setattr(fs, name, lambda where: None)
        for name, small in (("SMALL_BYTES", 2000), ("FEW", 2), ("FEW_PACKS", 2)):
            self.patch.setattr(compact, name, small)
        self.root = Path(tempfile.mkdtemp()) / "repository"
        self.repo = gv.Repository.init(self.root, author="Ada <ada@example.org>", branch="main")
        self.branches: dict[str, list[tuple[str, str]]] = {"main": []}  # what was said and what the file was, the newest last
        self.current = "main"
        self.values: dict[str, Any] = {}
        self.blobs: dict[ObjectId, bytes] = {}
        self.runs: list[int] = []

    def teardown(self) -> None:
        """Looks at everything once more, from scratch."""
        self.reopen()
        self.agrees()
        assert [] == [(f.where, f.why) for f in self.repo.fsck(full=True) if f.damage]
        self.repo.close()
        self.patch.undo()
        shutil.rmtree(self.root.parent)

    def write(self, text: str) -> str:
        """Changes the file; returns a message that no other commit has."""
        (self.root / "file.txt").write_text(text)
        return f"commit {sum(map(len, self.branches.values()))} {len(text)}"

    @rule(text=TEXTS)
    def commit(self, text: str) -> None:
        """A commit on the current branch."""
        message = self.write(text)
        self.repo.commit(message, allow_empty=True)
        self.branches[self.current] = [*self.branches[self.current], (message, text)]

    @rule(data=st.binary(max_size=400))
    def put(self, data: bytes) -> None:
        """A blob that a program stores."""
        self.blobs[self.repo.objects.put(data)] = data

    @rule(name=st.sampled_from(["golden", "best"]), value=st.recursive(st.integers() | TEXTS, st.lists, max_leaves=8))
    def name_value(self, name: str, value: Any) -> None:
        """A value under a name."""
        self.repo.put(value, name=name)
        self.values[name] = value

    @rule(number=st.integers(0, 3))
    def run(self, number: int) -> None:
        """A run."""
        with self.repo:
            gv.run(double, number)
        self.runs.append(2 * number)

    @precondition(lambda self: self.branches[self.current])
    @rule(name=NAMES)
    def branch(self, name: str) -> None:
        """A new branch at the current one's end, or another checked out."""
        if name not in self.branches:
            self.repo.create_branch(name)
            self.branches[name] = self.branches[self.current]
        else:
            self.repo.checkout(name)
            self.current = name

    @rule(name=NAMES)
    def delete_branch(self, name: str) -> None:
        """A branch that is not the current one goes."""
        if name in self.branches and name != self.current:
            self.repo.delete_branch(name, force=True)
            del self.branches[name]

    @rule()
    def reopen(self) -> None:
        """The end of a command and the beginning of the next."""
        self.repo.close()
        self.repo = gv.Repository.open(self.root)

    @rule(how=st.sampled_from(["gc", "gc now", "repack"]))
    def maintain(self, how: str) -> None:
        """Takes garbage away, or packs."""
        if how == "repack":
            self.repo.objects.repack()
        else:
            self.repo.gc(prune="now" if how == "gc now" else None)

    @rule()
    def lose_refs(self) -> None:
        """Somebody deletes refs.db; a repair brings it back."""
        self.repo.close()
        for path in (self.root / ".gv").glob("refs.db*"):
            path.unlink()
        self.repo = gv.Repository.open(self.root)
        list(self.repo.repair())
        self.reopen()

    @rule(text=TEXTS, step=st.integers(1, 60), moment=st.sampled_from(["before", "torn", "after"]))
    def crash(self, text: str, step: int, moment: str) -> None:
        """Another process commits and is killed: the commit is there whole, or not at all."""
        self.repo.close()
        message = self.write(text)

        def work() -> None:
            with gv.Repository.open(self.root) as repo:
                Shim(kill(moment, 0.5), step).install()
                repo.commit(message, allow_empty=True)
            os._exit(0)

        died = in_fork(work) != 0
        self.repo = gv.Repository.open(self.root)
        settle(self.repo)
        line = [*self.branches[self.current], (message, text)]
        head = self.repo.refs.resolve(f"refs/heads/{self.current}")
        newest = next(iter(self.repo.log(self.current))).commit.message if head is not None else None
        if newest == message:
            self.branches[self.current] = line
        else:
            assert died
            self.commit(text)

    @invariant()
    def agrees(self) -> None:
        """Branches, files, values, blobs and runs are what they should be."""
        repo = self.repo
        here = {each.name for each in repo.branches()}
        assert {name for name, line in self.branches.items() if line} == here - {n for n, line in self.branches.items() if not line}
        for name, line in self.branches.items():
            if line:
                assert [message for message, _ in line][::-1] == [entry.commit.message for entry in repo.log(name)]
        if self.branches[self.current]:
            oid = repo.head_files()["file.txt"].oid
            assert self.branches[self.current][-1][1] == repo.objects.get(oid).decode()
        for name, value in self.values.items():
            found = repo.resolve(name).oid
            assert found is not None and value == get_value(repo.objects, found)
        assert all(data == repo.objects.get(oid) for oid, data in self.blobs.items())
        assert self.runs == [run.output for run in repo.runs][::-1]


Repositories.TestCase.settings = settings(
    max_examples=int(os.environ.get("GV_MODELS", "8")), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRepositories = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")(Repositories.TestCase)
