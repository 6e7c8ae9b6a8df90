"""A small repository with one of everything that lies on disk, and the answers it gives."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gvstore as gv
from gvstore.errors import GvError
from gvstore.journal.address import walk
from gvstore.journal.run import NoSuchRun
from gvstore.odb import ObjectDatabase, compact
from gvstore.odb.dictionary import Codec, Dictionaries
from gvstore.odb.fault import DictionaryLost
from gvstore.refs import Refs
from gvstore.repo import layout
from tests.crash.kind import in_fork, settle_environment, shown
from tests.crash.program import leaf

Answers = dict[str, Any]
DICTIONARY = b"the answer of the model to question number 1234567890, in so many words; role user assistant content " * 4


@gv.register
def ask(number: int) -> str:
    """Returns what a model might say."""
    return f"the answer of the model to question number {leaf(number, 'words ' * number)['number']}"


@gv.register
def converse(questions: int) -> list[str]:
    """Returns several answers."""
    return [ask(number) for number in range(questions)]


@dataclass(frozen=True, slots=True)
class Specimen:
    """The repository, its files by what they are, and all objects that can be read in it."""

    root: Path
    files: dict[str, Path]


def make(root: Path) -> Specimen:
    """Returns a repository with a pack, its index, a closed segment, a torn one, dictionaries, a dead run's journal, an unfinished refs.db-wal."""
    settle_environment()
    in_fork(lambda: _fill(root))
    objects = root / ".gv" / "objects"
    live = sorted((objects / "live").glob("*.seg"), key=lambda path: path.stat().st_mtime_ns)
    own = next(path for path in (objects / "dict").glob("*.zd") if path.stat().st_size < 2000)
    shipped = next(path for path in (objects / "dict").glob("*.zd") if path != own)
    files = {
        "pack": next((objects / "pack").glob("*.pack")),
        "index": next((objects / "pack").glob("*.idx")),
        "segment": live[0],
        "torn": live[-1],
        "dictionary": own,
        "shipped": shipped,
        "current": objects / "dict" / "current",
        "journal": next((root / ".gv" / "journal").glob("*.wal")),
        "refs": root / ".gv" / "refs.db",
        "refs-wal": root / ".gv" / "refs.db-wal",
        "format": root / ".gv" / "format",
    }
    return Specimen(root, files)


def _fill(root: Path) -> None:
    repo = gv.Repository.init(root)
    objects = layout.objects_folder(repo.gv)
    repo.close()
    compact.SMALL_BYTES, compact.FEW = 0, 100
    Dictionaries(objects / "dict").set_current(Codec(DICTIONARY))
    (root / "agent.py").write_text("def roll(sides):\n    return 4\n")
    repo.commit("in a pack")
    for number in range(4):
        repo.objects.put(b"the answer of the model to question number %d " % number * (number + 1))
    repo.close()
    compact.SMALL_BYTES = 1 << 20
    with repo:
        gv.run(converse, 2)
    repo.put({"golden": [1, 2.5, "three"]}, name="golden")
    repo.close()
    (root / "agent.py").write_text("def roll(sides):\n    return 5\n")
    repo.commit("in a torn segment")
    repo.create_branch("other")
    repo.objects.flush()
    with repo:
        gv.run(_die, 2)


@gv.register
def _die(calls: int) -> None:
    """Dies in its third call, everything handed to the system."""
    for number in range(calls):
        ask(number)
    os._exit(0)


def object_answers(folder: Path) -> Answers:
    """Returns every object that the database lists, with its bytes."""
    with ObjectDatabase.open(folder, read_only=True) as database:
        return {oid.hex(): database.read(oid) for oid in database}


def object_faults(folder: Path, known: Answers) -> tuple[list[str], set[str]]:
    """Returns what is wrong for certain (another answer, an error that is not ours), and which known objects are lost."""
    wrong: list[str] = []
    lost: set[str] = set()
    with ObjectDatabase.open(folder, read_only=True) as database:
        for name, data in known.items():
            oid = gv.ObjectId.from_hex(name)
            try:
                if database.read(oid) != data:
                    wrong.append(f"object {name[:8]} is another")
                if not database.has(oid):
                    wrong.append(f"object {name[:8]} can be read and is not there")
            except GvError:
                lost.add(name)
            except Exception as e:
                wrong.append(f"object {name[:8]}: {shown(e)}")
    return wrong, lost


def found_in_objects(folder: Path) -> list[str]:
    """Returns what a full check of the objects tells."""
    with ObjectDatabase.open(folder, read_only=True) as database:
        return [f"{d.file}:{d.offset}: {d.why}" for d in database.check(full=True)]


def is_dictionary_sound(path: Path) -> bool:
    """Returns whether a dictionary is the one that its name says."""
    try:
        Dictionaries(path.parent).verify(gv.ObjectId.from_hex(path.stem))
    except DictionaryLost:
        return False
    return True


def ref_answers(path: Path) -> Answers:
    """Returns all that refs.db says."""
    with Refs.open(path, read_only=True) as refs:
        return {
            "refs": refs.list(""),
            "reflog": {name: refs.reflog(name) for name in refs.logged()},
            "operations": refs.operations(),
            "runs": refs.runs(removed=True),
            "unfinished": refs.unfinished_runs(),
        }


def write_back(path: Path) -> None:
    """Brings all of refs.db's WAL into it."""
    with Refs.open(path) as refs:
        refs.list("")


def run_answers(root: Path) -> Answers:
    """Returns every run with its calls."""
    with _opened(root) as repo:
        return {run.name: (run.status, _calls(run)) for run in repo.runs}


def _calls(run: gv.Run[Any]) -> list[Any]:
    try:
        root = run.invocation
    except NoSuchRun:
        return []
    return [(path, call.name, call.args, call.status, call.output if call.successful() else None) for path, call in walk(root)]


def found_by_fsck(root: Path) -> list[str]:
    """Returns what `gv fsck --full` tells, damage or not."""
    try:
        with _opened(root) as repo:
            return [f"{f.where}: {f.why}" for f in repo.fsck(full=True)] + [
                f"{run.name}: {note}" for run in repo.runs for note in run.record.notes
            ]
    except GvError as e:
        return [str(e)]


class _opened:
    """A repository opened for reading, closed at the end of the block."""

    def __init__(self, root: Path) -> None:
        self.repo = gv.Repository.open(root, read_only=True)

    def __enter__(self) -> gv.Repository:
        return self.repo

    def __exit__(self, *_: object) -> None:
        self.repo.close()


def copied(specimen: Specimen, root: Path) -> Specimen:
    """Returns a copy."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(specimen.root, root)
    return Specimen(root, {what: root / path.relative_to(specimen.root) for what, path in specimen.files.items()})
