from __future__ import annotations

import shutil

from tests.conftest import CommandLine
from tests.repo.twin import git


def test_git_says_what_it_calls_its_commits(gv: CommandLine) -> None:
    """`--git` shows git's commit by its subject, and that its work tree was dirty; without git, or its commit, what was noted stays."""
    git(gv.folder, "init", "-q", "-b", "main")
    gv.write("a.txt", "one\n")
    git(gv.folder, "add", "a.txt")
    git(gv.folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "git's own words\n\nmore")
    sha = git(gv.folder, "rev-parse", "HEAD").strip()
    gv("init")
    gv("commit", "-m", "one")
    gv.write("a.txt", "two\n")
    gv("commit", "-m", "two")
    newest, oldest = gv("log", "--git", "--oneline").out.splitlines()

    assert newest.endswith(f"two   git {sha[:8]} (dirty) git's own words")
    assert oldest.endswith(f"one   git {sha[:8]} git's own words")
    assert f"Git:    {sha[:8]} (dirty) git's own words\n" in gv("log", "--git", "-1").out
    assert "git's own words" == gv("log", "--git", "-1", "--json").json["git_subject"]
    assert f"Git:    {sha} dirty\n" in gv("log", "-1").out
    assert sha == gv("log", "-1", "--format", "%G").out.split()[0]
    shutil.rmtree(gv.folder / ".git")
    assert f"Git:    {sha[:8]} (dirty)\n" in gv("log", "--git", "-1").out


def test_several_things_are_shown(gv: CommandLine) -> None:
    """`gv show` takes several revs, paths behind `--`, and the options of patches."""
    gv("init")
    for n in range(3):
        gv.write("a.txt", f"{n}\n")
        gv.write(f"d/{n}.txt", "x\n")
        gv("commit", "-m", f"commit {n}")
    both = gv("show", "--name-status", "HEAD", "HEAD~1").out

    assert both.index("commit 2") < both.index("M\ta.txt") < both.index("commit 1")
    assert 2 == both.count("M\ta.txt")
    assert "a.txt" not in gv("show", "--name-only", "HEAD", "--", "d").out
    assert 2 == len(gv("show", "HEAD", "HEAD~1", "--json").jsons)
