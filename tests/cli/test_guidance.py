"""What a command says where something is in the way: what is wrong, and what to type."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gvstore.objects.oid import ObjectId
from tests.conftest import CommandLine


def told(*arguments: str, status: int) -> str:
    """Returns what `gv ARGUMENTS` writes to stderr in a process of its own, where nothing is registered yet."""
    done = subprocess.run([sys.executable, "-m", "gvstore", *arguments], capture_output=True, text=True, check=False)

    assert status == done.returncode, done.stdout + done.stderr
    return done.stderr


def damage(gv: CommandLine, oid: ObjectId) -> None:
    """Changes a byte of an object on disk."""
    for path in (gv.folder / ".gv/objects").glob("*/*"):
        data = path.read_bytes()
        at = data.find(oid[:8])
        if at >= 0 and path.suffix in (".seg", ".pack"):
            path.write_bytes(data[: at + 60] + bytes([data[at + 60] ^ 255]) + data[at + 61 :])


def test_a_damaged_run_does_not_end_the_list(gv: CommandLine) -> None:
    """`gv runs` tells of the others, and which one is damaged."""
    gv("init")
    gv.write("p.py", "def f(n: int) -> int:\n    return n\n")
    oids = [ObjectId.from_hex(json.loads(gv("run", "--json", "p.py:f", str(n)).out)["oid"]) for n in range(3)]
    damage(gv, oids[1])
    listed = [json.loads(line) for line in gv("runs", "--json").out.splitlines()]

    assert [("run/3", "ok"), ("run/2", "damaged"), ("run/1", "ok")] == [(r["run"], r["status"]) for r in listed]
    assert "run/2  damaged" in gv("runs").out
    assert "run/3" in gv("status").out


PROGRAM = """
import gvstore as gv

@gv.register
def main(n: int) -> int:
    return n

def plain(n: int) -> int:
    return n
"""


def test_a_program_that_is_gone(gv: CommandLine) -> None:
    """Replay says which file or function is gone, and what brings it back, before it plans anything."""
    gv("init")
    path = gv.write("p.py", PROGRAM)
    gv("run", "p.py:main", "1")
    gv("run", "p.py:plain", "1")

    assert "p.plain is not registered" in told("replay", "run/2", status=12)
    path.write_text(PROGRAM.replace("main", "other"))
    assert "p.main is gone; p.other has the same code" in told("replay", "run/1", status=12)
    path.write_text(PROGRAM.replace("main", "other").replace("return n", "return n + 1"))
    changed = told("replay", "run/1", status=12)
    assert "p.py defines no main any more" in changed
    assert "reuse" not in changed
    path.unlink()
    gone = told("replay", "run/1", status=12)
    assert "p.py is gone" in gone
    assert "`gv checkout run/1 -- p.py`" in gone
    gv("checkout", "run/1", "--", "p.py")
    told("replay", "run/1", status=0)


def test_a_program_outside_the_repository(gv: CommandLine) -> None:
    """Its runs are replayed from where it lies; no copy of it is kept, and the cause is named."""
    gv("init")
    outside = gv.folder.parent / "outside.py"
    outside.write_text(PROGRAM)
    gv("run", outside, "1", status=12)
    gv("run", f"{outside}:main", "1")
    gv("replay", "run/1")

    assert "the program lies outside" in gv("checkout", "run/1", status=12).err
    outside.unlink()
    gone = told("replay", "run/1", status=12)
    assert "outside.py is gone" in gone
    assert "it lies outside the repository" in gone


def test_a_program_with_a_key_has_no_copy(gv: CommandLine) -> None:
    """Where the file was left out for a key, that is the cause which is named."""
    gv("init")
    gv.write("p.py", PROGRAM + 'KEY = "sk-ant-api03-0123456789abcdefghijklmn"\n')
    gv("run", "p.py:main", "1")

    assert "p.py holds an Anthropic key" in gv("checkout", "run/1", status=12).err


def test_a_program_that_runs_when_it_is_loaded(gv: CommandLine) -> None:
    """Loading it records runs each time: one warning says how to avoid that."""
    gv("init")
    gv.write("p.py", PROGRAM + "\ngv.use('.')\ngv.run(main, 1)\ngv.run(main, 2)\n")

    assert "loading p.py recorded 2 runs" in gv("run", "p.py:main", "3").err


ASYNC = """
import asyncio
import gvstore as gv

@gv.register
async def step(n: int) -> int:
    await asyncio.sleep(0)
    return n

@gv.register
async def main(n: int) -> int:
    return sum(await asyncio.gather(*(step(i) for i in range(n))))
"""


def test_async_programs(gv: CommandLine) -> None:
    """What is to be awaited gets an event loop, also in a replay."""
    gv("init")
    gv.write("p.py", ASYNC)

    assert "main(3) = 3" in gv("run", "p.py:main", "3").out
    gv("rewind")
    assert "2 reused, 1 executed" in gv("replay").out


def test_checkout_of_head_changes_nothing(gv: CommandLine) -> None:
    """As in git HEAD stays on its branch, and edits stay."""
    gv("init")
    path = gv.write("a.txt", "one\n")
    gv("commit", "-m", "one")
    path.write_text("two\n")

    assert "on branch main" in gv("checkout", "HEAD").out
    assert "on branch main" in gv("status").out
    assert "two\n" == path.read_text()


def test_status_tells_of_killed_runs(gv: CommandLine) -> None:
    """What a commit would take is what `gv status` lists."""
    gv("init")
    gv.write("p.py", "import os\n\ndef f() -> None:\n    os.kill(os.getpid(), 9)\n")
    told("run", "p.py:f", status=-9)

    assert "runs not committed yet: run/1" in gv("status").out
    assert "1 run" in gv("commit", "-m", "all").out
    assert "run/1" not in gv("status").out


def test_put_stops_at_keys(gv: CommandLine) -> None:
    """A key would stay readable: it is refused, and not repeated."""
    gv("init")
    key = "sk-ant-api03-0123456789abcdefghijklmn"
    gv.write("keys.json", json.dumps({"key": [key]}))
    gv.write(".env", "TOKEN=abc\n")
    for word in (key, json.dumps([key]), "@keys.json", "@.env"):
        refused = gv("put", word, status=13).err

        assert "--allow-secret" in refused
        assert key not in refused
    gv("put", "--allow-secret", key)
    gv("put", "keyword")


def test_named_values_are_listed(gv: CommandLine) -> None:
    """Status tells which are in no commit yet, `gv show` which a commit has."""
    gv("init")
    gv("put", "--name", "tone", "calm")

    assert "values not committed yet: tone" in gv("status").out
    assert "1 value" in gv("commit", "-m", "one").out
    assert "no changes\n" == gv("status").out.partition("\n")[2]
    assert "Values: tone" in gv("show", "HEAD").out
    assert "tone was 8f302104 before" in gv("put", "--name", "tone", "wild").err
    assert "" == gv("put", "--name", "tone", "wild").err
    assert "calm\n" == gv("get", "HEAD::tone").out


def test_options_of_ours_behind_the_target(gv: CommandLine) -> None:
    """What stands behind TARGET is the program's: the hint says where gv's options stand."""
    gv("init")
    gv.write("p.py", PROGRAM)

    for words in (("--json", "1"), ("1", "-m", "why"), ("1", "--group=x")):
        assert "gv's own options stand before TARGET" in gv("run", "p.py:main", *words, status=2).err


def test_a_text_file_is_no_list(gv: CommandLine) -> None:
    """`@FILE` of text where a list is asked for is refused, not passed on as a text."""
    gv("init")
    gv.write("p.py", "def f(words: list[str]) -> int:\n    return len(words)\n")
    gv.write("words.txt", "one\ntwo\n")

    assert "words.txt is text" in gv("run", "p.py:f", "@words.txt", status=2).err


@pytest.mark.parametrize("word", ["push", "stash", "clean", "clone", "pull"])
def test_words_of_git(gv: CommandLine, word: str) -> None:
    """What git has and gv has not is answered with what to type instead."""
    assert "no command" not in gv(word, "x", status=2).err
    assert "hint: " in gv(word, status=2).err


@pytest.mark.parametrize("words", [["--version"], ["status"], ["--help"]])
def test_full_disk(gv: CommandLine, words: list[str]) -> None:
    """No bug of ours: the answer could not be written."""
    gv("init")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gvstore", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert 11 == done.returncode, done.stderr
    assert "error: the answer cannot be written: No space left on device" == done.stderr.split("\n")[0]


@pytest.mark.parametrize("words", [["status"], ["init"], ["put", "1"]])
def test_folder_that_was_deleted(gv: CommandLine, words: list[str]) -> None:
    """The shell's folder is gone, and that is what is said."""
    folder = gv.folder / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    try:
        gone = told(*words, status=11)
    finally:
        os.chdir(gv.folder)

    assert "was deleted" in gone


def test_what_is_missing_is_named(gv: CommandLine) -> None:
    """A bundle, branch or setting that is not there, a FILE that was forgotten: told as that."""
    assert "nope.gvb" in gv("replay", "--check", "nope.gvb", status=12).err
    gv.write("junk.gvb", "no bundle\n")
    assert "junk.gvb is no bundle" in gv("show", "junk.gvb:run/1", status=12).err
    (gv.folder / "junk.gvb").unlink()
    gv("init")
    assert "there is no file here yet" in gv("commit", "-m", "one", status=1).err
    gv.write("a.txt", "one\n")
    gv("commit", "-m", "one")
    gv("branch", "side")
    assert "Did you mean side?" in gv("branch", "-d", "sid", status=12).err
    assert "" == gv("config", "core.editor", status=1).out
    assert "FILE comes first" in gv("bundle", "run/1", status=2).err
    assert "names no column" in gv("runs", "--where", "1/0", status=2).err
    gv("tag", "-m", "first", "v1")
    commit = gv("rev-parse", "HEAD").out[:8]
    assert f"already, at {commit}" in gv("tag", "v1", status=13).err
    assert gv("cat-file", "-p", "v1").out.startswith("tree ")


def test_a_file_may_be_called_as_a_bundle(gv: CommandLine) -> None:
    """What ends in .gvb and is a file of the project, or one to be written, is not taken for a bundle that is missing."""
    gv("init")
    gv.write("x.gvb", "one\n")
    gv("commit", "-m", "one")
    gv("get", "HEAD:x.gvb", "-o", "y.gvb")

    assert "one\n" == (gv.folder / "y.gvb").read_text()
    assert "one" in gv("blame", "x.gvb").out
    assert "one" in gv("log", "--oneline", "--", "x.gvb").out
    assert "" == gv("grep", "nowhere.gvb", status=1).out


def test_help_as_in_git(gv: CommandLine) -> None:
    """`gv help` is `gv --help` and the themes, `gv help run` is `gv run --help`."""
    assert gv("help").out.startswith(gv("--help").out)
    assert "Themes" in gv("help").out
    assert gv("run", "--help").out == gv("help", "run").out


def test_checkout_of_a_file(gv: CommandLine) -> None:
    """A file where a rev was asked for: the hint is what git people mean."""
    gv("init")
    gv.write("a.txt", "one\n")
    gv("commit", "-m", "one")

    assert "`gv restore a.txt`" in gv("checkout", "a.txt", status=12).err
