"""Keys, headers and words of the environment: sent, and in nothing that is kept or shown, whatever an endpoint or a model makes of them."""

from __future__ import annotations

import logging

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question, Status
from tests.pipeline.test_secrets import everything
from tests.pipeline.writing import START, write

KEY, TOKEN, WORD = "kestrel-90210-of-the-test", "marmot-7731-of-the-test", "plover-4455-of-the-test"
SECRETS = (KEY, TOKEN, WORD)
CONFIG = """\
    model_config: {model: gpt-4, api_key: "${env:HOUSE}", headers: {X-Team: "${env:TEAM}"}}
    supplement: "say ${env:WORD}"
"""
PIPELINE = f"""\
pipeline:
{START}  - module: engineer
    inputs: [request]
    output_name: code
{CONFIG}  - module: debugger
    inputs: [request, code]
    output_name: working
    params: {{attempts: 1}}
{CONFIG}  - module: teller
    inputs: [request]
    output_name: told
{CONFIG}"""


@pytest.fixture
def house(gv: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line in a repository whose pipeline has secrets in a key, a header and a prompt."""
    for name, value in zip(("HOUSE", "TEAM", "WORD"), SECRETS, strict=True):
        monkeypatch.setenv(name, value)
    write(gv.folder, {f"system_prompts/{name}.txt": f"You are a {name}.\n" for name in ("engineer", "debugger", "teller")})
    write(gv.folder, {"p.yml": PIPELINE})
    gv("init")
    return gv


def echo(question: Question) -> Status:
    """Says all that it was sent in an error, as careless gateways do."""
    return Status(400, {"error": {"message": f"refused: {question.headers} {question.user}"}})


def careless(question: Question) -> str:
    """Writes a program with all that it was sent in it, which fails with that in its message."""
    text = f"{KEY} {TOKEN} {WORD} {question.headers} {question.user[-60:]}".replace("\n", " ")
    return f"{text}\nmain.py\n```python\nraise SystemExit({text!r})\n```\n"


@pytest.mark.parametrize("answer", [echo, careless])
def test_secrets_are_sent_and_kept_nowhere(answer: object, house: CommandLine, chat: ChatServer, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an object, the journal, a log, a diff or an export; of runs that fail, and of those that go on."""
    caplog.set_level(logging.DEBUG)
    chat.answer = answer  # type: ignore[assignment]
    status = 20 if answer is echo else 0
    shown = [house("run", "p.yml", "--input", f"request={each}", status=status) for each in ("one", "two")]
    shown += [house("show", "run/1"), house("show", "run/1", "--json"), house("diff", "run/1", "run/2"), house("diff", "run/1", "run/2", "--full")]
    shown += [house("show", f"run/1:{path}") for path in ("1", "1.0")]
    shown += [house("pipeline", "export", "run/1"), house("pipeline", "export", "--format", "jsonl", "run/1")]
    shown += [house("pipeline", "plan", "p.yml", "--input", "request=two"), house("replay", "run/1", "--plan")]
    said = "".join(each.out + each.err for each in shown).encode() + caplog.text.encode() + everything(house.folder)

    assert f"Bearer {KEY}" == chat.asked[0].headers["authorization"]
    assert TOKEN == chat.asked[0].headers["x-team"]
    assert f"say {WORD}" in chat.asked[0].user
    assert [] == [secret for secret in SECRETS if secret.encode() in said]
