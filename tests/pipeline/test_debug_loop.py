"""The debugger: the loop alone, and with real programs in a real folder."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.pipeline.debug_loop import ERROR_CHARACTERS, Debugged, Failure, Program, Taken, Trial, debug, take_answer
from gvstore.pipeline.environment import Environment, index_settings
from gvstore.pipeline.sandbox import Ended, Limits
from gvstore.pipeline.working_folder import Change, WorkingFolder

FAILS = Trial("run", Ended("exited", 1), "main.py exited with 1")
WORKS = Trial("run", Ended("exited", 0), "")
CHANGED = Taken((Change("main.py", b"", b"x"),))


def loop(trials: list[Trial], *, taken: Taken = CHANGED, attempts: int = 3, other_after: int = 0, other: str | None = None) -> Debugged:
    """Runs the loop with these outcomes of the program, one after the other."""
    left = iter(trials)
    return debug(
        lambda: next(left), lambda: "code", lambda failure: f"answer {failure.number}", lambda _: taken,
        attempts=attempts, other_model=other, other_after=other_after,
    )  # fmt: skip


def test_what_works_is_left_alone() -> None:
    """No model is asked."""
    done = loop([WORKS])

    assert (True, (), WORKS, ()) == (done.works, done.attempts, done.last, done.changes)


def test_it_stops_when_it_works() -> None:
    """The answers that led there are kept, with what each was asked."""
    done = loop([FAILS, FAILS, WORKS])

    assert done.works
    assert ["answer 1", "answer 2"] == [attempt.answer for attempt in done.attempts]
    assert [Failure(1, "code", FAILS.error), Failure(2, "code", FAILS.error)] == [attempt.failure for attempt in done.attempts]
    assert CHANGED.changes * 2 == done.changes


@pytest.mark.parametrize("attempts", [0, 1, 3])
def test_it_gives_up(attempts: int) -> None:
    """After so many attempts; the last run is told."""
    done = loop([FAILS] * (attempts + 1), attempts=attempts)

    assert not done.works and attempts == len(done.attempts)


def test_another_model() -> None:
    """After the second attempt."""
    done = loop([FAILS] * 5, attempts=4, other="large", other_after=2)

    assert [None, None, "large", "large"] == [attempt.failure.model for attempt in done.attempts]


def test_an_answer_without_files_is_told() -> None:
    """To the model, with its next question."""
    done = loop([FAILS] * 3, taken=Taken(), attempts=2)

    assert FAILS.error == done.attempts[0].failure.error
    assert f"{FAILS.error}\n\nOf the last answer:\nthe answer changed no file" == done.attempts[1].failure.error


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[WorkingFolder]:
    """A working folder."""
    with WorkingFolder(tmp_path, "out/code") as folder:
        yield folder


def test_a_program_is_mended(folder: WorkingFolder) -> None:
    """A real one: the model sees the code and a traceback without this machine's paths."""
    folder.write([("main.py", b"import lib\nprint(lib.f(int(input())))\n"), ("lib.py", b"def f(x):\n    return x / 0\n")])
    asked: list[Failure] = []

    def ask(failure: Failure) -> str:
        asked.append(failure)
        return "Sorry.\n\nlib.py\n```python\ndef f(x):\n    return x / 2\n```\n"

    program = Program(folder, stdin=b"4\n")
    done = debug(program.trial, lambda: "code", ask, lambda answer: take_answer(folder, answer))

    assert done.works and "2.0\n" == done.last.ended.stdout.text
    assert (
        'main.py exited with 1\nTraceback (most recent call last):\n  File "main.py", line 2, in <module>\n'
    ) == asked[0].error[: asked[0].error.index("    print")]
    assert 'File "lib.py", line 2, in f' in asked[0].error and "ZeroDivisionError" in asked[0].error
    assert (Change("lib.py", b"def f(x):\n    return x / 0\n", b"def f(x):\n    return x / 2\n"),) == done.changes
    folder.take_back(done.changes)
    assert b"def f(x):\n    return x / 0\n" == folder.read("lib.py")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "there is no main.py"),
        (b"print('only this'); raise SystemExit(2)", "main.py exited with 2\nonly this"),
        (b"while True: pass", "main.py was stopped after 0.2 s of CPU time\n"),
        (b"import os; os.kill(os.getpid(), 9)", "main.py was ended by SIGKILL"),
        (b"import sys, os, json; sys.exit(' '.join([os.getcwd(), json.__file__, os.environ['HOME'], hex(2**40)]))",
         "main.py exited with 1\n. <python>/json/__init__.py <temporary>/home 0x..."),
    ],
)  # fmt: skip
def test_errors_are_told(folder: WorkingFolder, code: bytes | None, told: str) -> None:
    """As a model can use them, the same on every machine."""
    if code is not None:
        folder.write([("main.py", code)])
    trial = Program(folder, limits=Limits(cpu_s=0.2)).trial()

    assert not trial.works
    assert trial.error == told if code and b"while" not in code else trial.error.startswith(told)


def test_long_errors_keep_their_end(folder: WorkingFolder) -> None:
    """That is where a traceback says what happened."""
    folder.write([("main.py", b"import sys\nsys.stderr.write('x' * 50000 + 'the end')\nsys.exit(1)")])
    error = Program(folder).trial().error

    assert error.startswith("main.py exited with 1\n[...]\n") and error.endswith("the end")
    assert len(error) < ERROR_CHARACTERS + 50


def test_a_symlink_is_not_run(folder: WorkingFolder, tmp_path: Path) -> None:
    """Nor is what it leads to."""
    (tmp_path / "evil.py").write_text("open('ran', 'w')")
    (folder.path / "main.py").symlink_to(tmp_path / "evil.py")
    trial = Program(folder).trial()

    assert ("missing", "main.py: it is a symlink") == (trial.stage, trial.error)
    assert not (folder.path / "ran").exists()


def test_an_answer_is_taken(folder: WorkingFolder, tmp_path: Path) -> None:
    """What may be written is; the rest is told, by name."""
    answer = "main.py\n```\n1\n```\n../../x.py\n```\n2\n```\nC:\\x\n```\n3\n```\nNothing:\n```\n4\n```\nend.py\n```\n5"
    taken = take_answer(folder, answer)

    assert [("main.py", b"1\n")] == [(change.path, change.after) for change in taken.changes]
    assert ["outside", "drive"] == [refusal.kind for refusal in taken.refusals]
    assert ["no_path", "unfinished"] == [fault.kind for fault in taken.faults]
    assert 4 == len(taken.notes().splitlines())
    assert ["out", "out/code", "out/code/main.py"] == sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*"))


def test_requirements_are_not_installed_unasked(folder: WorkingFolder) -> None:
    """The model is told."""
    folder.write([("main.py", b"import no_such_thing"), ("requirements.txt", b"no_such_thing\n")])
    trial = Program(folder).trial()

    assert "run" == trial.stage
    assert trial.error.endswith("No module named 'no_such_thing'\n(requirements.txt is not installed)")


def wheel(path: Path) -> None:
    """Makes a wheel with one module that says where it lies."""
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", "import sys\nprefix = sys.prefix\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def test_requirements_in_an_environment_of_their_own(folder: WorkingFolder, tmp_path: Path) -> None:
    """Installed once for each content of requirements.txt, and not into ours; a failure is told as such."""
    environment = Environment(tmp_path / "environment", settings={"PIP_NO_INDEX": "1"})
    program = Program(folder, environment=environment)
    folder.write([("main.py", b"import tiny; print(tiny.prefix)"), ("requirements.txt", b"./tiny-1.0-py3-none-any.whl\n")])
    folder.write([(name, b"raise SystemExit(9)") for name in ("random.py", "pip.py", "typing.py")])

    missing = program.trial()
    assert ("install", False) == (missing.stage, missing.works)
    assert missing.error.startswith("installing requirements.txt exited with 1\n") and str(tmp_path) not in missing.error

    wheel(folder.path / "tiny-1.0-py3-none-any.whl")
    trial = program.trial()
    assert trial.works, trial.error
    assert f"{environment.folder}\n" == trial.ended.stdout.text
    assert environment.has(b"./tiny-1.0-py3-none-any.whl\n") and not environment.has(b"other\n")
    (folder.path / "tiny-1.0-py3-none-any.whl").unlink()
    assert program.trial().works  # not asked for again
    assert str(environment.folder) not in sys.path


def test_index_settings_without_passwords() -> None:
    """What pip needs, and no more."""
    assert {"PIP_NO_INDEX": "1"} == index_settings(
        {"PIP_NO_INDEX": "1", "PIP_INDEX_URL": "https://me:secret@example.org/simple", "OPENAI_API_KEY": "secret"}
    )
