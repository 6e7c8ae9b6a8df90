"""Random sequences of gv's own words beside a plain model: the same names, files, history and refusals."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from gvstore.objects.blob import blob_oid
from gvstore.objects.kind import Kind
from gvstore.objects.value import get_value
from gvstore.refs.names import WORK
from tests.cli.plain import Model, Refused
from tests.conftest import CommandLine

STEPS = 30
SEQUENCES = int(os.environ.get("GV_SEQUENCES", "10"))
PROGRAM = "def twice(n: int) -> int:\n    return 2 * n\n"
PATHS = ("a", "b.txt", "d/x")
NAMES = ("one", "two")
ACTS = (
    "commit", "commit", "commit", "run", "run", "put", "branch", "delete branch", "switch", "switch", "soft", "hard", "tag",
    "delete tag", "note", "score", "remove", "undo", "undo", "undo", "redo", "redo",
)  # fmt: skip


class Side:
    """gv and the model, given the same commands."""

    def __init__(self, gv: CommandLine, chance: random.Random) -> None:
        self.gv, self.chance = gv, chance
        self.model = Model({"p.py": PROGRAM})
        gv("init")
        gv.write("p.py", PROGRAM)
        self.typed: list[str] = []
        self.number = 0

    def step(self) -> None:
        """Types one command, and does it to the model."""
        act, chance, model = self.chance.choice(ACTS), self.chance, self.model
        self.number += 1
        name, run = chance.choice(NAMES), chance.randint(1, max(model.last_run, 1))
        if model.names.head is None:
            act = "commit"
        match act:
            case "commit":
                if chance.random() < 0.8:
                    path, text = chance.choice(PATHS), f"text {chance.randrange(5)}\n"
                    self.gv.write(path, text)
                    model.write(path, text)
                self.both(["commit", "-m", f"commit {self.number}"], lambda: model.commit(f"commit {self.number}"))
            case "run":
                self.both(["run", "p.py:twice", str(self.number)], lambda: model.run(2 * self.number))
            case "put":
                self.both(["put", "--name", name, str(run)], lambda: model.put(name, run))
            case "branch":
                self.both(["branch", name], lambda: model.branch(name))
            case "delete branch":
                self.both(["branch", "-D", name], lambda: model.delete_branch(name))
            case "switch" if model.clean:
                to = chance.choice(["main", *NAMES])
                self.both(["switch", to], lambda: model.switch(to))
            case "soft" | "hard":
                self.both(["reset", f"--{act}", "HEAD~1"], lambda: model.reset(hard=act == "hard"))
            case "tag":
                head = model.names.head
                assert head is not None
                target = ("r", run) if chance.random() < 0.5 else ("c", head)
                self.both(["tag", f"t{name}", f"run/{run}" if target[0] == "r" else "HEAD"], lambda: model.tag(f"t{name}", target))
            case "delete tag":
                self.both(["tag", "-d", f"t{name}"], lambda: model.delete_tag(f"t{name}"))
            case "note":
                self.both(["note", f"run/{run}", f"note {self.number}"], lambda: model.note(run, f"note {self.number}"))
            case "score":
                self.both(["score", f"run/{run}", "0.5"], lambda: model.score(run, 0.5))
            case "remove":
                self.both(["rm", f"run/{run}"], lambda: model.remove(run))
            case "undo":
                self.both(["undo"], model.undo)
            case "redo":
                self.both(["redo"], model.redo)

    def both(self, words: list[str], act: Callable[[], None]) -> None:
        """Does one command on both sides, and compares status and state."""
        status = 0
        try:
            act()
        except Refused as e:
            status = e.status
        done = self.gv.attempt(*words)
        self.typed.append(f"{' '.join(words)}  [{status}]")

        assert status == done.status, self.told(done.err)
        self.compare()

    def compare(self) -> None:
        names, model = self.model.names, self.model
        with Repository.open(self.gv.folder) as repo:
            oids = self._commits(repo)
            expected = {f"refs/heads/{name}": at for name, at in names.branches.items()}
            found = repo.refs.list("refs/")
            assert expected == {ref: oids[value] for ref, value in found.items() if ref.startswith("refs/heads/")}, self.told()
            assert names.branch == repo.branch and names.run == repo.refs.current_run(), self.told()
            assert names.runs == {int(ref[10:]): repo.runs[int(ref[10:])].output for ref in found if ref.startswith("refs/runs/")}, self.told()
            remarked = {run: repo.runs[run] for run in names.runs}
            assert names.notes == {run: tuple(one.notes) for run, one in remarked.items() if one.notes}, self.told()
            assert names.scores == {run: one.scores["score"] for run, one in remarked.items() if one.scores}, self.told()
            assert {f"refs/tags/{name}" for name in names.tags} == {ref for ref in found if ref.startswith("refs/tags/")}, self.told()
            for name, (kind, at) in names.tags.items():
                value = found[f"refs/tags/{name}"]
                assert (oids[value] if kind == "c" else value == found.get(f"refs/runs/{at}", value)) == (at if kind == "c" else True), self.told()
            values = {name: get_value(repo.objects, oid) for name in names.values if (oid := repo.refs.resolve(f"refs/values/{name}"))}
            assert names.values == values, self.told()
            assert {f"refs/values/{name}" for name in values} == {ref for ref in found if ref.startswith("refs/values/")}
            assert model.operations == len(repo.refs.operations()) - 1, self.told()
            assert model.clean == repo.status().clean or names.head is None, self.told()
            others = ("refs/heads/", "refs/tags/", "refs/runs/", "refs/values/", "refs/notes/", WORK)
            assert [] == [ref for ref in found if not ref.startswith(others)]
        assert model.files == files(self.gv.folder), self.told()

    def _commits(self, repo: Repository) -> dict[str, int]:
        """Returns the model's number of each commit here, found by its message; its files, parents and runs are compared."""
        numbers = {each.message: at for at, each in enumerate(self.model.commits)}
        found, parents = dict[str, int](), dict[int, list[str]]()
        starts = [repo.refs.resolve(ref) for ref in repo.refs.list("refs/heads/")]
        starts += [repo.refs.resolve(ref) for ref in repo.refs.list("refs/tags/")]
        for start in starts:
            if start is None or repo.refs.run_number(start) is not None or repo.objects.read(start)[0] != Kind.COMMIT:
                continue
            for entry in repo.log(start.hex()):
                at = numbers[entry.commit.message]
                found[entry.oid.hex()] = at
                model = self.model.commits[at]
                parents[at] = [parent.hex() for parent in entry.commit.parents]
                held = {path: each.oid for path, each in repo.files(entry.oid).items()}
                assert {path: blob_oid(text.encode()) for path, text in model.files.items()} == held, self.told()
                numbers_held = {repo.refs.run_number(run) for run in entry.commit.runs} - {None}
                assert model.runs & set(self.model.names.runs) == numbers_held, self.told(entry.commit.message)
                assert len(model.runs) == len(entry.commit.runs), self.told(entry.commit.message)
        for at, above in parents.items():
            assert list(self.model.commits[at].parents) == [found[each] for each in above], self.told()
        return found

    def told(self, more: str = "") -> str:
        """Returns what was typed, for a failure."""
        return "\n".join([*self.typed, more])


def files(folder: Path) -> dict[str, str]:
    """Returns the files of a work tree."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in (".gv", "__pycache__")
    }


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_as_the_model(gv: CommandLine, seed: int) -> None:
    """After each of 30 commands names, files, history, remarks and the number of operations are the model's, and so is each refusal; taking all back leads to the beginning."""
    side = Side(gv, random.Random(seed))
    for _ in range(STEPS):
        side.step()
    gv("fsck", "--full")
    while side.model.standing:
        side.both(["undo", "--keep-files"], lambda: side.model.undo(keep_files=True))
    side.both(["undo"], side.model.undo)
