"""What comes from the environment, and is in no record."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Status
from tests.pipeline.writing import START, write

SECRET = "swordfish-4711-of-the-test"
SHORT = "zqx"


def everything(folder: Path) -> bytes:
    """All objects of a repository, and all other bytes of its files."""
    with Repository.discover(folder) as repo:
        objects = b"".join(bytes(repo.objects.get(oid)) for oid in repo.objects)
    return objects + b"".join(path.read_bytes() for path in folder.glob(".gv/**/*") if path.is_file())


def test_variables_of_the_environment_are_in_no_record(gv: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sent, in prompts; the record holds their names, also where the endpoint says them again."""
    monkeypatch.setenv("HOUSE_WORD", SECRET)
    monkeypatch.setenv("LITTLE", SHORT)
    step = '  - {module: a, inputs: [request], output_name: out, supplement: "${env:HOUSE_WORD} ${env:LITTLE}", on_error: skip}\n'
    write(gv.folder, {"system_prompts/a.txt": "a\n", "p.yml": f"pipeline:\n{START}{step}", "config.yml": "default_model: gpt-4\n"})
    gv("init")
    chat.answer = lambda question: f"you said {SECRET}"
    gv("run", "p.yml", "--input", "request=x")
    chat.answer = lambda question: Status(400, {"error": {"message": f"what is {SECRET}?"}})
    told = gv("run", "p.yml", "--input", "request=y")
    data = everything(gv.folder)

    assert f"REQUEST: x\n Supplementary Information: {SECRET} {SHORT}" == chat.asked[0].user
    assert "${env:HOUSE_WORD} ${env:LITTLE}" in gv("show", "run/1:1.0").out
    assert SECRET.encode() not in data
    assert SHORT.encode() not in data
    assert SECRET not in told.err


def test_a_variable_that_is_not_set_is_named(gv: CommandLine, chat: ChatServer) -> None:
    """Status 2, and nothing is asked."""
    step = '  - {module: a, inputs: [request], output_name: out, supplement: "${env:HOUSE_WORD}"}\n'
    write(gv.folder, {"system_prompts/a.txt": "a\n", "p.yml": f"pipeline:\n{START}{step}", "config.yml": "default_model: gpt-4\n"})
    gv("init")

    assert "the environment has no variable HOUSE_WORD" in gv("run", "p.yml", "--input", "request=x", status=2).err
    assert [] == chat.asked


def test_a_step_that_gives_a_secret_back_runs_each_time_and_another_whatever_the_value_is(
    gv: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record has neither value: the first is told by a warning, the second runs again with `--force`."""
    step = '- {module: a, inputs: [], output_name: out, supplement: "${env:TOWN}"}\n'
    write(gv.folder, {"system_prompts/a.txt": "a\n", "p.yml": f"pipeline:\n{step}", "config.yml": "default_model: gpt-4\n"})
    gv("init")
    chat.answer = lambda question: question.user if SECRET in question.user else "sunny"
    monkeypatch.setenv("TOWN", SECRET)
    told = gv("run", "p.yml").err + gv("run", "p.yml").err
    assert 2 == told.count("the record holds <secret TOWN> in place of the value; a call that gives it back runs each time")
    assert 2 == len(chat.asked)

    monkeypatch.setenv("TOWN", "Oslo")
    gv("run", "p.yml")
    monkeypatch.setenv("TOWN", "Rome")
    gv("run", "p.yml")
    assert 3 == len(chat.asked)
    gv("run", "p.yml", "--force", "out")
    assert chat.asked[-1].user.endswith("Rome")
