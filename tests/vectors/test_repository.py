"""Repositories of each version of the format, as they lie on disk: they open for ever.

`repository-N.tar.gz` is never made again once a gvstore that writes format N was
released; what it answers stands beside it. It has packs, an index, segments closed and torn, dictionaries, refs.db with an
unfinished WAL, the journal of a dead run, a condemned pack and a tombstone.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import GvError
from gvstore.journal.recovery import settle
from gvstore.objects.decode import get_value
from gvstore.repo.format import VERSION
from tests.crash import specimen
from tests.crash.kind import in_fork, settle_environment

HERE = Path(__file__).parent
VERSIONS = sorted(int(path.name.split("-")[1].split(".")[0]) for path in HERE.glob("repository-*.tar.gz"))


def make(root: Path) -> None:
    """Fills a repository with one of everything that lies on disk."""
    settle_environment()
    in_fork(lambda: _forgotten_and_condemned(root))
    specimen.make(root)


def _forgotten_and_condemned(root: Path) -> None:
    repo = gv.Repository.init(root, author="Ada <ada@example.org>")
    secret = repo.objects.put(b"a secret that somebody regrets " * 20)
    (root / "notes.txt").write_text("lost with its branch\n" * 40)
    repo.commit("lost")
    repo.create_branch("kept")
    repo.close()
    repo.forget(repo.forget_targets([secret.hex()]), why="it was a secret")
    repo.objects.write(b"vnobody leads here" * 40)
    repo.close()
    repo.gc()
    repo.close()


def answers(repo: gv.Repository) -> dict[str, Any]:
    """Returns what a repository answers, as JSON has it."""
    return {
        "objects": {oid.hex(): len(repo.objects.read(oid)) for oid in sorted(repo.objects)},
        "refs": repo.refs.list(""),
        "reflog": {name: [[e.old, e.new, e.message] for e in repo.refs.reflog(name)] for name in repo.refs.logged()},
        "log": [[entry.oid.hex(), entry.commit.message] for entry in repo.log("main")],
        "runs": {run.name: [run.status, run.calls] for run in repo.runs},
        "golden": repr(get_value(repo.objects, found)) if (found := repo.resolve("golden").oid) is not None else "",
        "files": {name: repo.objects.get(entry.oid).decode() for name, entry in repo.head_files().items()},
        "fsck": [[f.where, f.why, f.damage] for f in repo.fsck(full=True)],
    }


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def test_there_is_one_of_this_version(accept: bool, tmp_path: Path) -> None:
    """`pytest --accept` makes it where none is; one that is there stays."""
    if accept and VERSION not in VERSIONS:
        make(tmp_path / "repository")
        with tarfile.open(HERE / f"repository-{VERSION}.tar.gz", "w:gz") as packed:
            packed.add(tmp_path / "repository", "repository", filter=_nobodys)
        with gv.Repository.open(tmp_path / "repository", read_only=True) as repo:
            told = json.dumps(answers(repo), indent=1, sort_keys=True)
        (HERE / f"repository-{VERSION}.json").write_text(told + "\n")
        return

    assert list(range(1, VERSION + 1)) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_old_repositories_open_for_ever(version: int, tmp_path: Path) -> None:
    """They answer as they did, and can be gone on with."""
    with tarfile.open(HERE / f"repository-{version}.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    root = tmp_path / "repository"
    with gv.Repository.open(root, read_only=True) as repo:
        assert json.loads((HERE / f"repository-{version}.json").read_text()) == answers(repo)
        with pytest.raises(GvError, match="it was a secret"):
            repo.objects.get(gv.ObjectId.of(b"b" + b"a secret that somebody regrets " * 20))
    with gv.Repository.open(root) as repo:
        settle(repo)
        repo.commit("gone on with", allow_empty=True)
        repo.gc(prune="now")
        repo.objects.repack()
        assert [] == [f for f in repo.fsck(full=True) if f.damage]
