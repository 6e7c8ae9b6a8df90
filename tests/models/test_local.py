"""The local model, with the real weights: seeded, silent, counted, and free again after an exception."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gvstore.models.fault import ContextOverflow, ModelFailed, ModelNotInstalled
from gvstore.models.local import LocalModel
from gvstore.models.protocol import Completion, Message, Options
from tests.transcript import ROOT

PROMPT = (Message("user", "Name three animals."),)


@pytest.fixture(scope="module")
def model(gguf: Path) -> LocalModel:
    """One engine for all tests of this file."""
    return LocalModel(gguf)


def ask(model: LocalModel, messages: Sequence[Message] = PROMPT, *, seed: int = 3, max_tokens: int = 20) -> Completion:
    return model.complete(messages, Options(seed, max_tokens))


def test_a_seed_repeats_a_text(model: LocalModel) -> None:
    """Same seed, same messages: same completion, whatever ran in between; other seeds give other texts."""
    first = ask(model)
    others = {ask(model, seed=seed).text for seed in range(4, 8)}

    assert first == ask(model)
    assert len(others - {first.text}) >= 3


def test_tokens_and_completions_are_counted(model: LocalModel) -> None:
    """The engine counts the tokens of prompt and answer, and each answer once."""
    before = model.completions

    answer = ask(model, max_tokens=7)
    longer = ask(model, [Message("user", "Name three animals. And three more.")], max_tokens=7)

    assert (7, "length") == (answer.completion_tokens, answer.finish_reason)
    assert 0 < answer.prompt_tokens < longer.prompt_tokens
    assert before + 2 == model.completions


def test_count_into_leaves_a_byte_for_each_completion(model: LocalModel, tmp_path: Path) -> None:
    """The count can be read by another process."""
    path = tmp_path / "count"
    model.count_into(path)
    ask(model, max_tokens=1)
    ask(model, max_tokens=1)
    model.count_into(None)
    ask(model, max_tokens=1)

    assert 2 == path.stat().st_size


def test_pieces_make_the_text(model: LocalModel) -> None:
    """What is streamed, joined, is the answer."""
    pieces: list[str] = []

    answer = model.complete(PROMPT, Options(3, 20), on_text=pieces.append)

    assert len(pieces) > 5
    assert answer.text == "".join(pieces)
    assert answer == ask(model)


def test_stop_text_ends_the_answer_and_is_left_out(model: LocalModel) -> None:
    """Generation ends where a stop text would begin."""
    whole = model.complete(PROMPT, Options(0, 30, temperature=0.0))
    word = whole.text.split()[3]

    cut = model.complete(PROMPT, Options(0, 30, temperature=0.0, stop=(word,)))

    assert "stop" == cut.finish_reason
    assert cut.text == whole.text[: whole.text.index(word)]


def test_too_long_messages_are_refused(model: LocalModel) -> None:
    """The error has both numbers; the engine is not harmed."""
    with pytest.raises(ContextOverflow) as caught:
        ask(model, [Message("user", "word " * 5000)])

    assert caught.value.prompt_tokens > 5000
    assert 4096 == caught.value.context_tokens
    assert ask(model) == ask(model)


def test_threads_get_what_they_would_get_alone(model: LocalModel) -> None:
    """Completions of several threads do not mix."""
    alone = [ask(model, seed=seed, max_tokens=8) for seed in range(4)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: ask(model, seed=seed, max_tokens=8), range(4)))

    assert alone == together


def test_an_exception_while_streaming_frees_the_engine(model: LocalModel) -> None:
    """It ends the answer, is not counted, and the next completion is as ever."""
    expected, before = ask(model), model.completions

    def fail(piece: str) -> None:
        raise LookupError(piece)

    with pytest.raises(LookupError):
        model.complete(PROMPT, Options(3, 500), on_text=fail)

    assert before == model.completions
    assert expected == ask(model)


def test_a_stopped_engine_starts_again(gguf: Path) -> None:
    """`stop` frees memory, and changes no answer."""
    model = LocalModel(gguf)
    expected = ask(model)
    model.stop()

    assert expected == ask(model)
    model.stop()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The error names the file; nothing is printed."""
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"no model")

    with pytest.raises(ModelFailed, match=r"bad\.gguf"):
        ask(LocalModel(path))

    assert ("", "") == tuple(capfd.readouterr())


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without xllamacpp the hint is the command to type."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)

    with pytest.raises(ModelNotInstalled) as caught:
        ask(LocalModel())

    assert 'pip install "gvstore[local]"' in caught.value.hint


def python(script: str, gguf: Path) -> subprocess.Popen[str]:
    """Returns a process of its own that runs `script` with the local model."""
    env = {**os.environ, "GV_MODEL_PATH": str(gguf), "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        [sys.executable, "-c", script], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


ASK = """
from gvstore.models.local import completions, local
from gvstore.models.protocol import Message, Options

def ask():
    return local().complete([Message("user", "Name three animals.")], Options(3, 5)).text
"""


def test_nothing_is_printed_from_start_to_exit(gguf: Path) -> None:
    """llama.cpp's log stays away from both streams, at the interpreter's end too."""
    with python(ASK + "ask()", gguf) as process:
        out, err = process.communicate(timeout=60)

    assert (0, "", "") == (process.returncode, out, err)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_starts_an_engine_of_its_own(gguf: Path) -> None:
    """The child, which has none of the engine's threads, gets the same answer, and counts from 0."""
    script = """
import multiprocessing, warnings

def fork():
    raise SystemExit(0 if ask() == text and completions() == 1 else 3)

text = ask()
warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: forking with threads, which is the point
child = multiprocessing.get_context("fork").Process(target=fork)
child.start()
assert ask() == text and completions() == 2
child.join()
raise SystemExit(child.exitcode)
"""
    with python(ASK + script, gguf) as process:
        out, err = process.communicate(timeout=60)

    assert (0, "", "") == (process.returncode, out, err)


def test_ctrl_c_ends_a_completion(gguf: Path) -> None:
    """The interrupt arrives while the engine works, not after, and the process ends by itself."""
    script = """
import sys
from gvstore.models.local import completions, local
from gvstore.models.protocol import Message, Options

def say(piece):
    print(piece, flush=True)

try:
    local().complete([Message("user", "Count to a thousand.")], Options(3, 4000), on_text=say)
except KeyboardInterrupt:
    sys.exit(70 + completions())
"""
    with python(script, gguf) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert (70, "") == (process.returncode, err)
