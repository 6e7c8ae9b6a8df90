"""Large files tell how far they are, and an interrupted one leaves nothing behind that is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import gvstore as gv
from gvstore.repo import progress
from gvstore.repo.progress import Progress

SIZE = 400_000


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "TOLD_BYTES", 100_000)
    monkeypatch.setattr(progress, "_STEP_BYTES", 50_000)
    monkeypatch.setattr("gvstore.repo.worktree._WHOLE_BYTES", 100_000)
    monkeypatch.setattr("gvstore.repo.worktree._PIECE_BYTES", 50_000)


def test_every_step_is_told_up_to_its_end(tmp_path: Path) -> None:
    """In order, never beyond the size; nothing is told of small files."""
    data = random.Random(1).randbytes(SIZE)
    (tmp_path / "large.bin").write_bytes(data)
    (tmp_path / "small.txt").write_text("small")
    told: list[Progress] = []
    with gv.init(tmp_path) as repo, progress.listening(told.append):
        repo.commit("in")
        (tmp_path / "large.bin").unlink()
        repo.checkout("main", paths=["large.bin"])

    assert ["look through", "store", "write"] == list(dict.fromkeys(each.step for each in told))
    assert {"large.bin"} == {each.path for each in told}
    for step in ("look through", "store", "write"):
        done = [each.done_bytes for each in told if each.step == step]
        assert done == sorted(done)
        assert SIZE == done[-1] and len(done) > 4
    assert data == (tmp_path / "large.bin").read_bytes()


@pytest.mark.parametrize("step", ["look through", "store", "write"])
def test_an_interrupt_leaves_nothing_broken(tmp_path: Path, step: str) -> None:
    """Ctrl-C in the middle of a large file: no commit, no half file, nothing damaged, and the next try succeeds."""
    data = random.Random(2).randbytes(SIZE)
    path = tmp_path / "large.bin"

    def stop(at: Progress) -> None:
        if at.step == step and at.done_bytes > SIZE // 2:
            raise KeyboardInterrupt

    with gv.init(tmp_path) as repo:
        path.write_bytes(data)
        if step == "write":
            repo.commit("in")
            path.unlink()
        with progress.listening(stop), pytest.raises(KeyboardInterrupt):
            if step == "write":
                repo.checkout("main", paths=["large.bin"])
            else:
                repo.commit("in")
        left = {each.name for each in tmp_path.iterdir()} - {".gv", "home"}
        assert left == (set() if step == "write" else {"large.bin"})
        if step == "write":
            repo.checkout("main", paths=["large.bin"])
        else:
            repo.commit("in")
    with gv.open(tmp_path) as repo:
        assert [] == list(repo.objects.check(full=True))
        assert repo.status().clean
    assert data == path.read_bytes()
