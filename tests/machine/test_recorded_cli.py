"""What git's words say of a machine: its steps are shown as what they did, never as the bytes that keep them."""

from __future__ import annotations

import pytest

from tests.conftest import CommandLine

APP = '''
from gvstore.machine import ApplicationBuilder, action

@action(reads=["history"], writes=["prompt", "history"])
def prompt(state, prompt):
    return {"prompt": prompt}, state.update(prompt=prompt).append(history=prompt)

@action(reads=["prompt", "history"], writes=["answer", "history"])
def answer(state):
    text = state["prompt"].upper()
    return {"answer": text}, state.update(answer=text).append(history=text)

application = (
    ApplicationBuilder().with_actions(prompt, answer).with_transitions(("prompt", "answer"), ("answer", "prompt"))
    .with_state(history=[f"message {n} " + "long " * 12 for n in range(40)])
    .with_entrypoint("prompt").with_identifiers(app_id="chat").build()
)
'''


@pytest.fixture
def chat(gv: CommandLine) -> CommandLine:
    """A machine with a history of 3 KiB, committed and run once."""
    (gv.folder / "app.py").write_text(APP)
    gv("init")
    gv("commit", "-m", "first")
    gv("run", "app.py:application", "--until", "answer", "--prompt", "hello")
    return gv


def test_parts_of_a_step_are_whole(chat: CommandLine) -> None:
    """A large field that the record only names is handed out as it was; the JSON of a run has its link."""
    read = chat("get", "run/1:1/args/state", "--json").json
    field = chat("show", "run/1:1", "--json").json["calls"][0]["arguments"]["state"]["history"]

    assert 41 == len(read["value"]["history"])
    assert "message 3 " in chat("get", "run/1:1/args").out
    assert "HELLO" == chat("get", "run/1:1/state/answer").out.strip()
    assert ("link", 64) == (field["$type"], len(field["oid"]))
    for words in (("get", "run/1:1/args"), ("show", "run/1"), ("show", "run/1:1"), ("show", "run/1", "--json"), ("blame", "run/1:1")):
        assert "WeakLink" not in chat(*words).out
    assert "there is no" in chat("get", "run/1:1/args/nothing", status=12).err


def test_a_step_is_set_to_what_it_writes(chat: CommandLine) -> None:
    """By field; what it does not write is told, with what it does."""
    told = chat("replay", "--set", '1={"answer": "set"}', "run/1").out

    assert "→ answer: {'answer': 'set'}" in told
    assert "set" == chat("get", "run/2:1/state/answer").out.strip()
    assert "answer='set'" in chat("show", "run/2").out
    for value, why in (('{"other": 1}', "other, which it does not write"), ("7", "a value of type int")):
        failed = chat("replay", "--set", f"1={value}", "run/1", status=2).err
        assert f"the step answer was set to {why}" in failed
        assert """hint: A step is set to what it writes, by field: '{"answer": ..., "history": ...}'.""" in failed


def test_replays_plans_and_checks(chat: CommandLine) -> None:
    """By the action's name or the function's, from a step on, and of an edited action."""
    for words in (("--live", "answer"), ("--live", "app.answer"), ("--from", "1")):
        assert "1 reused, 1 executed" in chat("replay", *words, "run/1").out
    (chat.folder / "app.py").write_text(APP.replace(".upper()", ".title()"))
    assert "answer   history + 'HELLO', answer='HELLO'   run: app.answer changed" in chat("replay", "--plan", "run/1").out
    assert "complete, nothing to do" in chat("replay", "--as-recorded", "run/1").out
    assert "passes" in chat("replay", "--check", "run/1").out


def test_commits_and_what_is_kept(chat: CommandLine) -> None:
    """Actions have a history, bisect finds the edit, an old commit's machine runs, and nothing is damaged or lost."""
    (chat.folder / "app.py").write_text(APP.replace(".upper()", ".title()"))
    chat("commit", "-m", "second")
    assert "second" not in chat("log", "--", "::app.prompt").out
    assert "app.answer   own text" in chat("log", "--", "::app.answer").out
    assert "second   the first bad commit" in chat("bisect", "run/1", "--good", "HEAD~1", "--bad", "HEAD").out
    assert "{'answer': 'HI'}" in chat("run", "HEAD~1::app.application", "--until", "answer", "--prompt", "hi").out
    chat("gc")
    assert "clean" in chat("fsck").out
    chat("checkout", "run/1")
    assert ".upper()" in (chat.folder / "app.py").read_text()
    chat("forget", "--dry-run", "run/1")
