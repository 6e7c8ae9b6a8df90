"""Wrong input, and programs that fail, where code out of the store is run, checked, rebased, shown and compared."""

from __future__ import annotations

import json

import pytest

from tests.conftest import CommandLine

PROGRAM = """
from pathlib import Path

import gvstore as gv


@gv.register
def ask(prompt: str) -> str:
    return prompt.upper()


@gv.register
def write(topic: str) -> str:
    return ask(topic)


@gv.register
def read() -> str:
    return Path("secret.txt").read_text()


@gv.register
def note(text: str) -> str:
    Path("notes.txt").write_text(text)
    Path(".notes").mkdir()
    Path(".notes/last").write_text(text)
    return text[0]


@gv.register
def count() -> int:
    return 10 * gv.request_input(int, None, "How many?")


def plain(text: str) -> str:
    return text
"""


@pytest.fixture
def code(gv: CommandLine) -> CommandLine:
    """One commit and one run; then the work tree does not load."""
    gv("init")
    gv.write("story.py", PROGRAM)
    gv.write("tools.py", "import no_such_library\n")
    gv.write(".gvignore", "secret.txt\n")
    gv.write("secret.txt", "psst")
    gv("run", "story.py:write", "sea")
    gv("commit", "-m", "one")
    gv.write("story.py", "raise RuntimeError('broken')\n")
    return gv


WRONG = [
    (("run", "main::write", "sea"), 12, "main has no component write", "Did you mean main::story.write?"),
    (("run", "main::story.wirte", "sea"), 12, "main has no component story.wirte", "main::story.write"),
    (("run", "main::tale.tell", "sea"), 12, "main has no component tale.tell", "story.ask"),
    (("run", "main::", "sea"), 12, "main:: names no component", "It has story.ask, story.count"),
    (("run", "main::story.write"), 2, "missing a required argument: 'topic'", "write(topic: str)"),
    (("run", "nowhere::story.write", "sea"), 12, "nowhere names nothing", "gv log"),
    (("run", "::story.write", "sea"), 12, "it is empty", "Revs are"),
    (("run", "main:story.py::write", "sea"), 12, "is a file, and a commit or run was asked for", "--code main~1"),
    (("run", "main::tools.tell"), 20, "does not load here: tools.py raised", "Install no_such_library, which"),
    (("replay", "run/1"), 20, "story.py raised while it was loaded", "Mend it"),
    (("replay", "run/1", "--code", "main::story.write"), 12, "is a component, and a commit or run", "--code run/3"),
    (("replay", "run/1", "--code", "run/1:0"), 12, "is a call, and a commit or run", "--code run/3"),
    (("replay", "run/1", "--code", "run/9"), 12, "there is no run 9", "gv runs"),
    (("replay", "run/1", "run/1"), 2, "one run is replayed at a time", "gv rebase"),
    (("replay", "--check=cod"), 2, "'cod' is not one of 'calls', 'code'", "Usage"),
    (("replay", "--check", "--live", "ask"), 2, "--check and --live do not go together", "A check takes"),
    (("replay", "--check", "--budget", "5"), 2, "--check and --budget do not go together", "A check takes"),
    (("replay", "--check", "run/9"), 12, "there is no run 9", "gv runs"),
    (("replay", "--check", "run/1.."), 12, "run/1.. has no end", "run/3..run/9"),
    (("replay", "--check", "--group", "gold"), 12, "no run is in the group 'gold'", "--group NAME"),
    (("replay", "--check"), 20, "story.py raised while it was loaded", "Mend it"),
    (("replay", "--budget", "lots"), 2, "--budget 'lots' is neither tokens nor a time", "--budget 30s"),
    (("rebase", "run/1", "--onto", "nowhere"), 12, "nowhere names nothing", "gv log"),
    (("rebase", "run/99"), 12, "there is no run 99", "gv runs"),
    (("rebase", "--budget", "much"), 2, "neither tokens nor a time", "--budget 5000"),
    (("show", "main", "--code"), 12, "main is a commit, and a run was asked for", "gv diff"),
    (("show", "run/1", "--code", "--depth", "2"), 2, "--code shows no calls", "--depth"),
    (("diff", "run/1", "run/1:0", "--code"), 12, "run/1:0 is a call, and a run was asked for", "--code"),
]


def test_wrong_input(code: CommandLine) -> None:
    """One error says what is wrong, and a hint what to type; nothing is recorded."""
    for words, status, said, hint in WRONG:  # one after the other: most of such a test is its repository
        done = code(*words, status=status)

        assert said in done.err, words
        assert hint in done.err.rpartition("hint:")[2], words
    assert ["run/1"] == [each["run"] for each in code("runs", "--json").jsons]


def test_a_run_of_another_program(code: CommandLine) -> None:
    """A root component that the code does not have, or that is not registered, is named."""
    code("run", "main::story.plain", "sea")
    assert "story.plain is not registered" in code("replay", "run/2", "--code", "main", status=12).err
    code.write("story.py", "import gvstore as gv\n")
    code("commit", "-m", "two")
    err = code("replay", "run/1", "--code", "main", status=12).err
    assert "has no story.write, which run/1 is a run of" in err
    assert "`--code run/1` runs the code that the run used" in err


def test_what_a_program_leaves(code: CommandLine) -> None:
    """What it wrote is told where it ended and where it raised; a file of the work tree that it lacked is named."""
    done = code("run", "main::story.note", "hello")
    assert "the program wrote 2 files beside its code: .notes/last, notes.txt; see" in done.err
    assert "hello" == (code.folder / ".gv/written/1/notes.txt").read_text()
    done = code("run", "main::story.note", "", status=20)
    assert ".gv/written/2" in done.err
    done = code("run", "main::story.read", status=20)
    assert "secret.txt lies in the work tree, and not in " in done.err
    assert "`gv replay run/4 --code main` goes on from there" in done.err
    assert not (code.folder / "notes.txt").exists()


def test_a_link_that_leads_out_is_told(code: CommandLine) -> None:
    """It is left out with a warning; one that stays inside is not."""
    (code.folder / "up").symlink_to("../../x")
    (code.folder / "near").symlink_to("tools.py")
    code.write("story.py", PROGRAM)
    code("commit", "-m", "two")
    err = code("run", "main::story.write", "sea").err
    assert "up of " in err
    assert "is a link that leads out of the project" in err
    assert "near of " not in err


def test_a_question_is_answered_by_the_code_that_asked(code: CommandLine) -> None:
    """The hint names the code, and with it the run goes on."""
    asked = code("run", "main::story.count", status=21)
    assert "gv answer --code main run/2:0 VALUE" in asked.err
    assert "= 40" in code("answer", "--code", "main", "run/2:0", "4").out


def test_codes_compared(code: CommandLine) -> None:
    """Two runs by one code do not differ; beside the work tree, and beside a commit, files do."""
    code("run", "main::story.write", "bears")
    code("run", "main::story.write", "foxes")
    assert "" == code("diff", "run/2", "run/3", "--code", "--exit-code").out
    assert "story.py\n" == code("diff", "run/2", "--code", "--name-only").out
    assert "main is no run" in code("diff", "main", "--code", status=2).err
    assert "no run is named" in code("diff", "--code", status=2).err
    states = {each["path"]: each["state"] for each in code("show", "run/2", "--code", "--json").json["files"]}
    assert ("changed", "same") == (states["story.py"], states["tools.py"])


def test_a_check_of_many_goes_on(code: CommandLine) -> None:
    """What does not load, or has not ended, is a row of its own, on one line; --code checks that code."""
    code("rewind", "run/1")
    done = code("replay", "--check", "run/1..run/2", "--json", status=1)
    faults = [each["fault"] for each in json.loads(done.out)["runs"]]
    assert ["story.py raised while it was loaded: RuntimeError: broken"] * 2 == faults
    rows = code("replay", "--check", "run/1", "run/2", "--code", "main", "--json", status=1).json["runs"]
    assert [True, False] == [each["ok"] for each in rows]
    assert "run/2 is rewound: only a run that has ended can be checked against" == rows[1]["fault"]


def test_a_rebase_goes_on(code: CommandLine) -> None:
    """What fails is told and the rest replayed; onto the code that a run had, there is nothing to do."""
    rows = code("rebase", "run/1", "--json", status=1).json["runs"]
    assert ("failed", "story.py raised while it was loaded: RuntimeError: broken") == (rows[0]["state"], rows[0]["fault"])
    code.write("story.py", PROGRAM.replace("return prompt.upper()", "return prompt[0] if prompt == 'sea' else prompt[9]"))
    code("run", "main::story.write", "bears")
    rows = code("rebase", "run/1", "run/2", "--json", status=1).json["runs"]
    assert [("replayed", "changed"), ("raised", "changed")] == [(row["state"], row["output"]) for row in rows]
    assert rows[0]["first_divergence"].startswith("0, ask(prompt='sea'): its code changed")
    assert ["nothing"] == [row["state"] for row in code("rebase", "run/1", "--onto", "main", "--json").json["runs"]]
    stopped = code("rebase", "run/1", "run/2", "--budget", "0", "--json", status=1).json["runs"]
    assert ["not_begun"] * 2 == [row["state"] for row in stopped]
