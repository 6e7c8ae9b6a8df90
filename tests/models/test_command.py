"""Any program as a model: real ones, which answer, fail, talk without end, or never end."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore.models import Settings, chat, complete, failure, using
from gvstore.models.attempts import NO_RETRY
from gvstore.models.fault import BadModelSetting, ModelFailed

Program = Callable[[str], str]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Makes a program of Python text; returns the model's name."""

    def make(source: str) -> str:
        path = tmp_path / "program.py"
        path.write_text("import json, os, sys, time\n" + source)
        return f"command:{shlex.quote(sys.executable)} -I -S {shlex.quote(str(path))} --fast"

    return make


TURNS = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hä?"}]


def test_text_goes_in_and_comes_out(program: Program) -> None:
    """The messages' texts; what is written is the answer but for line ends behind it; the arguments are its own."""
    model = program("sys.stdout.write(repr((sys.argv[1:], sys.stdin.read())) + '\\n\\n')")

    assert str((["--fast"], "Be short.\n\nHä?")) == chat(TURNS, model=model)
    assert "USER: a\\n\\nASSISTANT: b\\n\\nUSER: c" in chat([
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    ], model=model)  # fmt: skip


def test_pieces_come_as_they_are_written(program: Program, tmp_path: Path) -> None:
    """The program goes on when the first piece was heard; joined they are the text, wherever its writes cut a character or a line."""
    heard = tmp_path / "heard"
    pieces: list[str] = []
    model = program(
        "first, *rest = [bytes([byte]) for byte in 'ä\\n\\nb😀\\n'.encode()]\n"
        "os.write(1, first + rest.pop(0) + rest.pop(0))\n"
        f"while not os.path.exists({str(heard)!r}): time.sleep(0.005)\n"
        "for byte in rest: os.write(1, byte)"
    )

    def listen(piece: str) -> None:
        pieces.append(piece)
        heard.touch()

    assert "ä\n\nb😀" == chat("Hi", model=model, on_text=listen) == "".join(pieces)
    assert "ä" == pieces[0]


def test_json_goes_in_and_comes_out(program: Program) -> None:
    """With options there, and counts back."""
    model = program(
        "asked = json.load(sys.stdin); json.dump({'text': json.dumps(asked), 'model': 'mine', 'prompt_tokens': 3, 'completion_tokens': 4}, sys.stdout)"
    )
    with using(Settings(options={"command": {"form": "json"}})):
        answer = complete("Hi", model=model, seed=5, temperature=0.5, stop=["."])

    assert {"messages": [{"role": "user", "content": "Hi"}], "seed": 5, "temperature": 0.5, "stop": ["."]} == answer.value
    assert ("mine", 3, 4, 5) == (answer.model, answer.prompt_tokens, answer.completion_tokens, answer.seed)


def test_a_shell_is_used_where_it_is_asked_for() -> None:
    """Without, its signs are arguments."""

    assert "Hi | cat; echo $HOME" == chat("Hi", model="command:echo Hi | cat; echo $HOME")
    with using(Settings(options={"command": {"shell": True}})):
        assert "Hi\nthere" == chat("Hi", model="command:cat | cat; echo; echo there")


WAYS: dict[str, tuple[str, type[ModelFailed], str]] = {
    "status": ("sys.stderr.write('no such thing'); sys.exit(3)", failure.CommandFailed, "ended with status 3: no such thing"),
    "signal": ("os.kill(os.getpid(), 9)", failure.CommandFailed, "stopped by signal 9"),
    "nothing": ("", failure.AnswerEmpty, "wrote nothing"),
    "without end": ("while True: os.write(1, b'x' * 65536)", failure.CommandFailed, "wrote more than 1,000,000 bytes"),
    "talk on stderr": ("for _ in range(100): os.write(2, b'y' * 65536)\nsys.exit(1)", failure.CommandFailed, "status 1: y{400}$"),
    "never": ("os.write(1, b'x'); time.sleep(60)", failure.EndpointTimedOut, r"did not end within 0\.5 s"),
    "closed, but there": ("os.write(1, b'x'); os.close(1); time.sleep(60)", failure.EndpointTimedOut, r"did not end within 0\.5 s"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_fail(way: str, program: Program) -> None:
    """Has its class and says why; one that does not read what it is given is no failure by itself."""
    source, kind, says = WAYS[way]
    options = {"most_bytes": 1_000_000, "timeout_s": 0.5 if kind is failure.EndpointTimedOut else 60}
    with using(Settings(options={"command": options}, backoff=NO_RETRY)), pytest.raises(kind, match=says):
        chat("Hi " * 100_000, model=program(source))


def test_nothing_is_left_behind(program: Program, tmp_path: Path) -> None:
    """A program that is stopped goes with all that it has started."""
    model = program(
        f"if os.fork() == 0:\n    open({str(tmp_path / 'child')!r}, 'w').write(str(os.getpid())); time.sleep(60)\n"
        f"while not os.path.exists({str(tmp_path / 'child')!r}) or not os.path.getsize({str(tmp_path / 'child')!r}): time.sleep(0.005)\n"
        "os.write(1, b'x'); time.sleep(60)"
    )

    def stop(piece: str) -> None:
        raise KeyboardInterrupt(piece)

    with pytest.raises(KeyboardInterrupt):
        chat("Hi", model=model, on_text=stop)

    child = int((tmp_path / "child").read_text())
    assert eventually(lambda: not is_running(child))


def eventually(holds: Callable[[], bool]) -> bool:
    """Returns whether it comes to hold: what was killed dies when the system comes to it."""
    for _ in range(3000):
        if holds():
            return True
        time.sleep(0.01)
    return False


def is_running(pid: int) -> bool:
    """Returns whether a process runs; one that has ended and waits to be buried does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_json_that_is_none(program: Program) -> None:
    """Is told with its beginning."""
    with using(Settings(options={"command": {"form": "json"}})):
        for source in ("print('Otter')", "print('[1]')", "print('{\"text\": 3}')"):
            with pytest.raises(failure.AnswerBroken, match="no JSON object with a text"):
                chat("Hi", model=program(source))


@pytest.mark.parametrize(
    ("line", "options", "says"),
    [
        ("'open", {}, "is no command: No closing quotation"),
        (" ", {}, "names no program"),
        ("x", {"form": "xml"}, "models.command.form is text or json, not 'xml'"),
        ("x", {"shell": 1}, "is true or false"),
        ("x", {"timeout_s": 0}, "is a number of seconds"),
        ("x", {"most_bytes": -1}, "is a number of bytes"),
        ("x", {"sheel": True}, "models.command.sheel is no setting; known: form, shell, timeout_s, most_bytes"),
    ],
)
def test_settings_that_cannot_be_meant(line: str, options: dict[str, object], says: str) -> None:
    """Are told by their names, before anything is run."""
    with using(Settings(options={"command": options})), pytest.raises(BadModelSetting, match=says):
        chat("Hi", model=f"command:{line}")


def test_a_program_that_is_not_there() -> None:
    """Or may not be executed."""
    for path, why in (("./nothing-here", "No such file"), ("/", "Permission denied")):
        with pytest.raises(failure.CommandFailed, match=f"cannot be run: {why}"):
            chat("Hi", model=f"command:{path}")
