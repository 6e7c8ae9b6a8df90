"""Hooks: which are run, and what they are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gvstore.repo import Repository
from gvstore.repo.hook import find_hook, run_hook


def write(path: Path, text: str, *, mode: int = 0o755) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_only_what_is_executable_and_ours_is_run(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a file without the bit, and another user's program are named with what is wrong; nothing there is None."""
    path = repo.gv / "hooks" / "pre-commit"
    assert find_hook(repo, "pre-commit") is None
    path.mkdir(parents=True)
    assert "no file" in getattr(find_hook(repo, "pre-commit"), "fault", "")
    path.rmdir()
    write(path, "#!/bin/sh\n", mode=0o644)
    assert "not executable" in getattr(find_hook(repo, "pre-commit"), "fault", "")
    path.chmod(0o755)
    assert "" == getattr(find_hook(repo, "pre-commit"), "fault", "?")
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
        assert "another user" in getattr(find_hook(repo, "pre-commit"), "fault", "")
    monkeypatch.setenv("GV_HOOK", "post-run:pre-commit")
    assert find_hook(repo, "pre-commit") is None


def test_no_checkout_brings_a_hook(repo: Repository) -> None:
    """What a commit holds is no hook, until the settings of this repository say so."""
    write(repo.path / "hooks" / "pre-commit", "#!/bin/sh\n")
    oid = repo.commit("first")
    repo.checkout(oid.hex())
    assert find_hook(repo, "pre-commit") is None
    repo.config.set("hooks.path", "hooks")
    hook = find_hook(repo, "pre-commit")
    assert hook is not None and hook.path == repo.path / "hooks" / "pre-commit"


def test_what_a_hook_is_told(repo: Repository) -> None:
    """It runs in the root, stdin is empty, GV_DIR is the repository; its status and what it prints come back."""
    write(repo.gv / "hooks" / "post-run", 'pwd; cat; echo "$1 $GV_DIR $GV_HOOK $X" >&2; exit 7\n')
    hook = find_hook(repo, "post-run")
    assert hook is not None
    lines: list[str] = []
    assert 7 == run_hook(repo, hook, "run/1", names={"X": "x"}, on_line=lines.append)
    assert [str(repo.path), f"run/1 {repo.gv} post-run x"] == lines

    write(hook.path, "#!/bin/sh\nkill -9 $$\n")
    assert -9 == run_hook(repo, hook, names={}, on_line=lines.append)
    write(hook.path, "#!/no/such/program\n")
    with pytest.raises(OSError):
        run_hook(repo, hook, names={}, on_line=lines.append)
