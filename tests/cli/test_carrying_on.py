"""What a replay that failed, and its replay, still answer; what a run keeps of the files it read; what cannot be compared."""

from __future__ import annotations

import warnings

import pytest

from tests.conftest import CommandLine

PROGRAM = """
import gvstore as gv

@gv.register
def step(i: int) -> int:
    with open("made.log", "a") as f:
        f.write(f"{i} ")
    return i

@gv.register
def inner(n: int) -> int:
    return sum([step(i) for i in range(n)])

@gv.register
def main(n: int) -> int:
    total = inner(n)
    return total + step(9)
"""

OPAQUE = """
import gvstore as gv

class Client:
    def __init__(self, model):
        self.model = model

@gv.register
def ask(client, q: str) -> str:
    return f"{client.model} says {q}"

@gv.register
def main() -> str:
    return ask(Client("small"), "hi")
"""


def made(gv: CommandLine) -> str:
    """The steps whose body ran since this was last asked."""
    path = gv.folder / "made.log"
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text.strip()


def edit(gv: CommandLine, name: str, old: str, new: str) -> None:
    path = gv.folder / name

    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_failed_replay_loses_no_answers(gv: CommandLine) -> None:
    """Edit, typo, mend: what the first run paid for is still answered."""
    gv.write("p.py", PROGRAM)
    gv("init")
    gv("run", "p.py:main", "3")

    assert "0 1 2 9" == made(gv)
    edit(gv, "p.py", "    total = inner(n)", "    titel\n    total = inner(n)")
    gv("replay", status=20)
    edit(gv, "p.py", "    titel\n", "    total = 0\n")
    done = gv("replay")

    assert "" == made(gv)
    assert "5 reused, 0 executed" in done.out


def test_a_failure_deep_down_loses_no_answers(gv: CommandLine) -> None:
    """The same where a call below failed: the calls around and inside it are answered from both records."""
    gv.write("p.py", PROGRAM)
    gv("init")
    gv("run", "p.py:main", "3")
    made(gv)
    edit(gv, "p.py", "    return sum([step(i)", "    step(7)\n    return titel([step(i)")
    gv("replay", status=20)

    assert "7" == made(gv)
    edit(gv, "p.py", "titel", "max")
    done = gv("replay")

    assert "" == made(gv).replace("9", "")  # 2 + 9, not 3 + 9, but step(9) is asked the same
    assert "main(3) = 11" in done.out


def test_a_strict_replay_that_stops_does_not_get_in_the_way(gv: CommandLine) -> None:
    """After a refusal RUN is what it was, and the hint's plain replay reuses everything."""
    gv.write("p.py", PROGRAM)
    gv("init")
    gv("run", "p.py:main", "3")
    made(gv)
    edit(gv, "p.py", "total + step(9)", "step(9) + total")
    done = gv("replay", "--strict", status=1)

    assert "p.main changed" in done.err
    assert ["run/1"] == [run["run"] for run in gv("runs", "--json").jsons]
    assert "5 reused, 0 executed" in gv("replay").out
    assert "" == made(gv)


def test_a_run_keeps_the_files_it_read(gv: CommandLine) -> None:
    """A prompt that was never committed comes back with the run that used it."""
    gv.write(
        "a.py",
        "import gvstore as gv\nfrom pathlib import Path\n\n@gv.register\ndef main() -> str:\n    return Path('prompt.txt').read_text()\n",
    )
    gv.write("prompt.txt", "A")
    gv("init")
    gv("commit", "-m", "A")
    gv.write("prompt.txt", "B")
    gv("run", "a.py:main")
    gv.write("prompt.txt", "C")
    done = gv("replay")

    assert "stale: a.main: file prompt.txt changed" in done.err
    gv("commit", "-m", "C")
    gv("checkout", "run/1")
    assert "B" == (gv.folder / "prompt.txt").read_text()
    gv("checkout", "main")
    assert "C" == (gv.folder / "prompt.txt").read_text()


def test_what_cannot_be_compared_is_said_and_refused_by_strict(gv: CommandLine) -> None:
    """An opaque argument matches by its type alone: the user is told, and a strict replay stops there."""
    gv.write("o.py", OPAQUE)
    gv("init")
    gv("run", "o.py:main")
    gv("rewind", "run/1", "-n", "0")
    done = gv("replay", "run/2")

    assert "o.ask is answered although its argument of type o.Client could not be stored" in done.err
    done = gv("replay", "--strict", "run/2", status=1)
    assert "it cannot be compared" in done.err


def test_without_a_command_the_newest_run_is_shown(gv: CommandLine) -> None:
    """RUN moves with commands; where none has made a run, it is the newest that a program made."""
    gv.write("p.py", PROGRAM + "\nif __name__ == '__main__':\n    with gv.init('.'):\n        gv.run(main, 2)\n")
    import runpy

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(gv.folder))
        runpy.run_path(str(gv.folder / "p.py"), run_name="__main__")

    assert gv("show").out.startswith("run/1  ok")
