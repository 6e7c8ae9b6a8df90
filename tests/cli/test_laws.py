"""Laws of all commands: each answers with JSON where it is asked to, before and behind its name, and from any folder."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from gvstore.cli import table
from gvstore.cli.main import run
from tests.conftest import CommandLine

ORACLE = """
import gvstore as gv

@gv.register
def die(sides: int = 6) -> int:
    return 4

@gv.register
def roll(n: int) -> int:
    return sum(die() for _ in range(n))

@gv.register
def ask(topic: str) -> str:
    return gv.request_input(str, context=topic)

def ok(value) -> bool:
    return value == 8
"""
PIPELINE = """
steps:
  - name: greet
    module: greet
    config:
      prompts: [hello.txt]
      model_config: {provider: local}
      output_name: greeting
"""

# What each command is asked once, in the repository of `prepared`; the status where it is not 0.
INVOCATIONS: dict[str, str] = {
    "demo": "demo --help",
    "init": "init elsewhere",
    "help": "help revs",
    "completion": "completion bash",
    "run": "run oracle.py:roll 2",
    "machine": "machine --help",
    "runs": "runs",
    "show": "show run/1",
    "blame": "blame run/1:/output",
    "rewind": "rewind run/1:1",
    "replay": "replay run/1 --plan",
    "rebase": "rebase run/1",
    "cherry-pick": "cherry-pick --help",
    "inbox": "inbox",
    "answer": "answer run/2:0 otters",
    "note": "note run/1 fine",
    "score": "score run/1 0.8",
    "rm": "rm run/1",
    "put": "put 7 --name seven",
    "get": "get run/1:/output",
    "pipeline": "pipeline --help",
    "status": "status",
    "commit": "commit -m two --allow-empty",
    "log": "log",
    "diff": "diff main~1 main",
    "grep": "grep def",
    "bisect": "bisect --help",
    "branch": "branch",
    "tag": "tag v1",
    "switch": "switch other",
    "checkout": "checkout other",
    "restore": "restore oracle.py",
    "reset": "reset HEAD~1",
    "merge": "merge other",
    "revert": "revert HEAD",
    "undo": "undo",
    "redo": "undo && redo",
    "op": "op log",
    "reflog": "reflog",
    "config": "config",
    "model": "model list",
    "fsck": "fsck",
    "gc": "gc",
    "forget": "forget run/1 --dry-run",
    "bundle": "bundle out.gvb run/1",
    "repack": "repack",
    "cat-file": "cat-file HEAD",
    "hash-object": "hash-object oracle.py",
    "rev-parse": "rev-parse HEAD",
    "rev-list": "rev-list HEAD",
    "merge-base": "merge-base main other",
    "ls-tree": "ls-tree HEAD",
    "ls-files": "ls-files",
    "check-ignore": "check-ignore x.pyc",
    "show-ref": "show-ref",
    "update-ref": "update-ref refs/heads/third HEAD",
    "for-each-ref": "for-each-ref",
    "symbolic-ref": "symbolic-ref HEAD",
    "count-objects": "count-objects",
}
GROUPS = (
    "machine --help",
    "bisect --help",
    "pipeline --help",
    "demo --help",
    "cherry-pick --help",
)  # told by their own tests


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the repository lies that all commands are asked in, once it is made."""
    return {"home": tmp_path_factory.mktemp("laws")}


@pytest.fixture
def laws(gv: CommandLine, prepared: dict[str, Path]) -> CommandLine:
    """A repository with two commits, two branches, a run that ended and one that waits."""
    kept = prepared["home"] / "work"
    if not kept.exists():
        gv("init")
        gv.write("oracle.py", ORACLE)
        gv("commit", "-m", "one")
        gv("branch", "other")
        gv("run", "oracle.py:roll", "2")
        gv("run", "oracle.py:ask", "otters", status=21)
        gv.write("notes.txt", "two\n")
        gv("commit", "-m", "two")
        shutil.copytree(gv.folder, kept)
    else:
        shutil.copytree(kept, gv.folder, dirs_exist_ok=True)
    return gv


def test_every_command_is_asked() -> None:
    """A command that is added gets a line in INVOCATIONS."""

    assert [] == sorted(set(table.names()) - set(INVOCATIONS)), "add how each is asked to INVOCATIONS above"


@pytest.mark.parametrize("name", [name for name in table.names() if INVOCATIONS.get(name, GROUPS[0]) not in GROUPS])
def test_answers_are_documents(laws: CommandLine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """--json gives one document, or one a line, and nothing else on stdout; its keys are a promise."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    *first, last = INVOCATIONS[name].split(" && ")
    for line in first:
        laws(*line.split())
    done = laws("--json", *last.split())
    lines = done.out.splitlines()

    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", [name for name in table.names() if INVOCATIONS.get(name, GROUPS[0]) not in GROUPS])
def test_failures_are_documents(gv: CommandLine, name: str) -> None:
    """An option that there is not is told as JSON, with a hint, whichever command it is; outside a repository too."""
    bare = name in ("run", "put", "score")  # what begins with - may be a value there
    failure = gv(*([name] if bare else [name, "--no-such-option"]), "--json", status=2).failure

    assert {"error", "message", "hint", "exit_code"} == set(failure)
    assert 2 == failure["exit_code"]


def test_options_stand_anywhere(laws: CommandLine) -> None:
    """-C, --json and -q mean the same before the command and behind it, in any order."""
    (laws.folder / "below").mkdir()
    expected = laws("log", "--json").out

    assert expected
    for words in (
        "--json -C below log",
        "-C below --json log",
        "-C below log --json",
        "log -C below --json",
        "log --json -C ./below",
    ):
        assert expected == laws(*words.split()).out, words
    assert laws("-C", "below", "-C", "..", "log").out == laws("log").out


def test_the_repository_may_lie_elsewhere(laws: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """GV_DIR names the .gv folder, from the root or from where the command works."""
    expected = laws("log", "--json").out
    elsewhere = laws.folder.parent / "elsewhere"
    elsewhere.mkdir()
    for place in (laws.folder / ".gv", Path("..") / laws.folder.name / ".gv"):
        monkeypatch.setenv("GV_DIR", str(place))

        assert expected == laws("-C", elsewhere, "log", "--json").out
    monkeypatch.setenv("GV_DIR", "nowhere")
    assert "not_arepository" == laws("log", "--json", status=10).failure["error"]


def test_near_options_are_named(laws: CommandLine) -> None:
    """A slip in an option costs no look into the manual."""

    assert "--oneline" in laws("log", "--onelin", status=2).err
    assert "--message" in laws("commit", "--mesage", "x", status=2).err


ODD = ["\udcff", "", "\x1b[2J", "x" * 5000, "@{", "run/1:9/9", ":::", "main~99999999999999999999", "a\nb", "--="]


@pytest.mark.parametrize("name", [name for name in table.names() if name not in ("demo", "gc", "init", "model")])
def test_odd_words_are_no_bugs(laws: CommandLine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands where a name is due, it is told; nothing ends as a bug of ours (70) or in a traceback."""
    for word in ODD:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        for words in ([name, word], [name, "run/1" if name in ("note", "score", "answer") else "main", word]):
            out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = run(words)
            err.seek(0)

            assert 70 != status, (words, err.read())
