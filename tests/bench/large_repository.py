"""A large repository: 10,000 commits, 100,000 files and 100,000 runs, beside git and beside a small one.

The files are 64 bytes each, in 1,000 folders; every commit changes one of them
and holds ten runs.  git has the same commits, without the runs, from `git
fast-import`, in a folder of its own and with its default settings.  The small repository has
one commit, one file and one run.  Each command is a process of its own, and each has run once
before it is measured, so that caches are filled, gv's and the system's.

    python -m tests.bench.large_repository [ROUNDS [COMMITS FILES RUNS]]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import gvstore as gv
from gvstore.objects.blob import put_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.run import Run
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.refs import database
from tests.bench.measure import ROOT, scratch, table

ROUNDS = 5
COMMITS, FILES, RUNS = 10_000, 100_000, 100_000
PER_FOLDER = 100
ADA = "Ada <ada@example.org>"
BEGAN = 1_700_000_000
GV = [sys.executable, "-m", "gvstore"]


def path_of(number: int) -> str:
    """Returns where file `number` lies: three levels deep, 100 files a folder."""
    folder, file = divmod(number, PER_FOLDER)
    suffix = "py" if file == 0 else "txt"
    return f"area{folder // 100:02}/part{folder % 100:02}/file{file:02}.{suffix}"


def content_of(number: int, version: int) -> bytes:
    """Returns the 64 bytes of a file."""
    return f"# file {number}, version {version}".ljust(63).encode() + b"\n"


def changes_of(commits: int, files: int) -> Iterator[int]:
    """Yields the file that each commit after the first changes: all folders in turn."""
    return ((number * 7919) % files for number in range(1, commits))


def write_files(folder: Path, commits: int, files: int) -> None:
    """Writes the files as the last commit has them."""
    versions = {number: at for at, number in enumerate(changes_of(commits, files), 1)}
    for first in range(0, files, PER_FOLDER):
        (folder / path_of(first)).parent.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        (folder / path_of(number)).write_bytes(content_of(number, versions.get(number, 0)))


class History:
    """Makes commits by writing only the trees that changed."""

    def __init__(self, repo: gv.Repository, files: int) -> None:
        self.objects = repo.objects
        self.levels: dict[str, dict[str, TreeEntry]] = {"": {}}
        for number in range(files):
            self._set(number, 0)
        for folder in sorted(self.levels, key=lambda each: -each.count("/")):
            if folder:
                self._fold(folder)

    def root(self) -> ObjectId:
        """Returns the tree of all files as they are now."""
        return Tree(self.levels[""]).put(self.objects)

    def change(self, number: int, version: int) -> ObjectId:
        """Returns the tree in which one more file has changed."""
        folder = self._set(number, version)
        while folder:
            folder = self._fold(folder)
        return self.root()

    def _set(self, number: int, version: int) -> str:
        folder, _, name = path_of(number).rpartition("/")
        at = folder
        while at and at not in self.levels:
            self.levels[at] = {}
            at = at.rpartition("/")[0]
        self.levels[folder][name] = TreeEntry(Mode.FILE, put_blob(self.objects, content_of(number, version)))
        return folder

    def _fold(self, folder: str) -> str:
        above, _, name = folder.rpartition("/")
        self.levels[above][name] = TreeEntry(Mode.FOLDER, Tree(self.levels[folder]).put(self.objects))
        return above


def make_repository(folder: Path, commits: int, files: int, runs: int) -> None:
    """Makes gv's repository; the runs are copies of one that was recorded."""
    with gv.init(folder) as repo:
        first = repo.run(len, "abc")
        assert first.oid is not None
        record = Run.get(repo.objects, first.oid)
        with repo.objects.batch():
            history = History(repo, files)
            tree, parent = history.root(), None
            changed = changes_of(commits, files)
            made: list[tuple[ObjectId, int]] = []
            for at in range(commits):
                moment = (BEGAN + 60 * at) * 1_000_000
                held = [
                    replace(record, base=parent, started_at=moment + k, ended_at=moment + k).put(repo.objects)
                    for k in range(runs * at // commits, runs * (at + 1) // commits)
                ]
                made += [(oid, moment) for oid in held]
                if at:
                    tree = history.change(next(changed), at)
                parents = (parent,) if parent else ()
                last = at == commits - 1
                parent = Commit(
                    tree, parents, ADA, moment, f"change {at}", runs=() if last else tuple(held), generation=at + 1
                ).put(repo.objects)
        number_runs(repo, made)
        with repo.transaction("commit", author=ADA, now=BEGAN * 1_000_000) as transaction:
            transaction.update("refs/heads/main", parent or "", expected=None)
    write_files(folder, commits, files)


def number_runs(repo: gv.Repository, made: list[tuple[ObjectId, int]]) -> None:
    """Gives runs their numbers, 10,000 in one transaction."""
    repo.objects.sync()
    for first in range(0, len(made), 10_000):
        some = made[first : first + 10_000]
        with repo.refs._writing() as connection:
            numbers = [
                database._number_run(connection, "", "len", moment, move_run=False, author=ADA) for _, moment in some
            ]
            from gvstore.refs.transaction import Transaction

            transaction = Transaction("run len", author=ADA, now=some[-1][1])
            for number, (oid, moment) in zip(numbers, some, strict=True):
                transaction.finish_run(number, oid, status="ok", ended_at=moment)
            transaction.apply(connection, repo.objects)


def make_twin(folder: Path, commits: int, files: int) -> None:
    """Makes git's repository of the same commits."""
    folder.mkdir()
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    with subprocess.Popen([*git, "fast-import", "--quiet"], stdin=subprocess.PIPE) as importing:
        assert importing.stdin is not None
        changed = changes_of(commits, files)
        for at in range(commits):
            text = f"change {at}"
            head = f"commit refs/heads/main\ncommitter {ADA} {BEGAN + 60 * at} +0000\ndata {len(text)}\n{text}\n"
            importing.stdin.write(head.encode())
            for number in [next(changed)] if at else range(files):
                data = content_of(number, at)
                importing.stdin.write(f"M 100644 inline {path_of(number)}\ndata {len(data)}\n".encode() + data + b"\n")
        importing.stdin.close()
    if importing.returncode:
        raise SystemExit("git fast-import failed")
    write_files(folder, commits, files)
    subprocess.run([*git, "reset", "-q"], check=True)


def took_ms(command: list[str], folder: Path) -> float:
    """Returns the milliseconds of one process."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = dict(kept, PYTHONPATH=str(ROOT), GIT_AUTHOR_NAME="Ada", GIT_AUTHOR_EMAIL="a@example.org")
    environment |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@example.org", "GV_AUTHOR": ADA}
    began = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    return (time.perf_counter() - began) * 1e3


def edited(folder: Path, round_: int) -> None:
    """Edits one file, as anew in each round."""
    (folder / path_of(4 * PER_FOLDER + 5)).write_bytes(content_of(405, 1_000_000 + round_))


def measured(
    commands: list[tuple[list[str], Path]], rounds: int, before: Callable[[Path, int], None] | None = None
) -> list[float]:
    """Returns the median milliseconds of commands that take turns; the first round does not count."""
    found: list[list[float]] = [[] for _ in commands]
    for at in range(rounds + 1):
        for place, (command, folder) in enumerate(commands):
            if before is not None:
                before(folder, at)
            taken = took_ms([word.replace("{at}", str(3 * (at % 2))) for word in command], folder)
            if at:
                found[place].append(taken)
    return [median(each) for each in found]


def beside_git(large: Path, twin: Path, rounds: int) -> str:
    """Returns the table of what git does too."""
    rows = []
    for name, mine, theirs, before in (
        ("status, nothing changed", ["status"], ["status"], None),
        ("status, one file edited", ["status"], ["status"], edited),
        ("commit of one file", ["commit", "-m", "one"], ["commit", "-qam", "one"], edited),
        ("log -n 20", ["log", "-n", "20"], ["log", "-n", "20"], None),
        ("diff, 3 commits apart", ["diff", "main~3", "main"], ["diff", "main~3", "main"], None),
        ("checkout, 3 commits away", ["checkout", "main~{at}"], ["checkout", "-q", "main~{at}"], None),
    ):
        ours, git = measured([([*GV, *mine], large), (["git", *theirs], twin)], rounds, before)
        rows.append([name, f"{ours:,.0f}", f"{git:,.0f}", f"{ours / git:.1f}"])
        print(rows[-1], file=sys.stderr)
    return table(["", "gv, ms", "git, ms", "of git's time"], rows)


def beside_small(large: Path, small: Path, rounds: int) -> str:
    """Returns the table of what should not depend on size."""
    rows = []
    for arguments in (["log", "-n", "20"], ["runs", "-n", "20"], ["show", "HEAD"], ["diff", "HEAD", "HEAD"]):
        one, other = measured([([*GV, *arguments], large), ([*GV, *arguments], small)], rounds)
        rows.append([" ".join(arguments), f"{one:,.0f}", f"{other:,.0f}", f"{one / other:.2f}"])
        print(rows[-1], file=sys.stderr)
    return table(["", "large, ms", "small, ms", "of the small one's time"], rows)


def main() -> None:
    """Prints the figures."""
    numbers = [int(each) for each in sys.argv[1:]]
    rounds = numbers[0] if numbers else ROUNDS
    commits, files, runs = numbers[1:4] or (COMMITS, FILES, RUNS)
    with scratch() as folder:
        large, small, twin = folder / "large", folder / "small", folder / "twin"
        make_repository(large, commits, files, runs)
        make_repository(small, 1, 1, 1)
        make_twin(twin, commits, files)
        print(f"{commits:,} commits, {files:,} files, {runs:,} runs, {rounds} rounds: medians")
        print(beside_small(large, small, rounds))
        print()
        print(beside_git(large, twin, rounds))


if __name__ == "__main__":
    main()
