"""`chat` and `complete`: what programs call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gvstore.models import Completion, chat, complete, completions
from gvstore.models.fault import UnknownModel
from gvstore.models.protocol import Message, Options, parse_messages


@pytest.fixture(autouse=True)
def weights(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's model runs on the weights of the session."""
    monkeypatch.setenv("GV_MODEL_PATH", str(gguf))


def test_chat_is_the_text_of_complete(gguf: Path) -> None:
    """One prompt is one user message; both give what the engine gives, and count."""
    before = completions()

    answer = complete([{"role": "user", "content": "Name an animal."}], max_tokens=8, seed=1)

    assert isinstance(answer, Completion)
    assert (gguf.stem, 1) == (answer.model, answer.seed)
    assert answer.text == chat("Name an animal.", max_tokens=8, seed=1)
    assert before + 2 == completions()


def test_without_a_seed_every_call_is_a_new_sample() -> None:
    """The seed is drawn anew each time, and with it the text can be had again."""
    first, second = (complete("Tell me about the sea.", max_tokens=12) for _ in range(2))

    assert first.seed != second.seed
    assert first == complete("Tell me about the sea.", max_tokens=12, seed=first.seed)


def test_an_unknown_model_is_refused() -> None:
    """The error lists what is known."""
    with pytest.raises(UnknownModel, match="known: local"):
        chat("Hi", model="gpt")


@pytest.mark.parametrize(
    "options",
    [{"max_tokens": 0}, {"temperature": -1.0}, {"temperature": float("nan")}, {"top_p": 0.0}, {"stop": [""]}],
    ids=str,
)
def test_options_that_no_model_takes_are_refused(options: Mapping[str, Any]) -> None:
    """ValueError, before anything is loaded."""
    with pytest.raises(ValueError, match=next(iter(options))):
        complete("Hi", **options)


def test_stop_is_no_text() -> None:
    """`stop="END"` would be three stop texts."""
    with pytest.raises(TypeError, match="list of texts"):
        complete("Hi", stop="END")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user"}],
        [{"role": "robot", "content": "Hi"}],
        [{"role": "user", "content": 3}],
        [{"role": "user", "content": "\ud800"}],
        ["Hi"],
    ],
    ids=repr,
)
def test_messages_that_no_model_takes_are_refused(messages: Any) -> None:
    """ValueError that says which message and what is wrong with it."""
    with pytest.raises(ValueError, match="message"):
        parse_messages(messages)


def test_messages_are_parsed() -> None:
    """In order, with any text."""
    turns = [{"role": "system", "content": ""}, {"role": "user", "content": "a\0é😀"}]

    assert (Message("system", ""), Message("user", "a\0é😀")) == parse_messages(turns)
    assert (Message("user", "Hi"),) == parse_messages("Hi")


def test_options_keep_any_seed() -> None:
    """A seed is any integer; the engine folds it."""

    assert -(2**70) == Options(-(2**70)).seed
