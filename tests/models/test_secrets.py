"""A key in the environment, in a header and in what an endpoint says is in nothing that is kept or shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.models import Settings, chat, using
from gvstore.models.attempts import NO_RETRY
from gvstore.models.fault import ModelFailed
from tests.conftest import CommandLine
from tests.models.conftest import KEY
from tests.models.endpoint import Handler, LoopbackServer, status
from tests.models.endpoint import chat as whole

MODELS = ("openai:gpt-test", "anthropic:claude-test")
SHORT = "k3yZ"  # shorter than what the recorder looks for, and under a name that tells nothing
PASSWORD = "love lace"

PROGRAM = """
import gvstore as gv

@gv.register
def ask(question, model):
    return gv.models.chat(question, model=model)
"""


def echo_as_error(handler: Handler) -> None:
    """Says all that it was sent in an error, as careless gateways do."""
    said = " ".join(f"{name}={value}" for name, value in handler.headers.items())
    status(401, {"error": {"message": f"refused: {handler.path} {said}"}})(handler)


def kept(folder: Path) -> bytes:
    """Returns every byte that is kept: of the store decompressed, and of the files as they are."""
    parts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    with gv.open(folder) as repo:
        parts += [repo.objects.read(oid) for oid in repo.objects]
    return b"\0".join(parts)


@pytest.mark.parametrize("model", MODELS)
def test_a_key_is_in_nothing_that_is_kept_or_shown(
    model: str, server: LoopbackServer, gv: CommandLine, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in an object, the journal, a log, an output or a diff; of a call that failed and of one that did not."""
    caplog.set_level(logging.DEBUG)
    gv("init")
    gv.write("program.py", PROGRAM)
    server.plan(echo_as_error)
    shown = [gv("run", "program.py:ask", question, model, status=20) for question in ("one", "two")]
    shown += [gv("show", "run/1"), gv("show", "run/1:0", "--json"), gv("diff", "run/1", "run/2"), gv("runs")]
    everything = "".join(done.out + done.err for done in shown).encode() + kept(gv.folder) + caplog.text.encode()

    assert KEY in server.asked[0].headers.get("authorization", "") + server.asked[0].headers.get("x-api-key", "")
    assert KEY.encode() not in everything
    assert b"refused: /" in kept(gv.folder)


def test_a_key_that_only_we_know_of_is_kept_out(
    server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short one under another name, and a password in the address, also as they stand encoded in a header."""
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("HOUSE", SHORT)
    monkeypatch.setenv("HOUSE_TOO", "gate-word")
    server.plan(echo_as_error)

    @gv.register
    def ask(model: str) -> str:
        return chat("Hi", model=model)

    told = []
    with_password = server.url.replace("http://", "http://ada_l:love%20lace@")
    addresses: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"{server.url}/v1", {"key_env": "HOUSE"}),
        (f"{with_password}/?code=hush-hush", {}),
        (f"{server.url}/v1", {"headers": {"X-Gate": "gate ${env:HOUSE_TOO}"}, "api_key": "${env:HOUSE}"}),
    )
    with gv.init(tmp_path / "work"):
        for address, more in addresses:
            settings = Settings(options={"openai": {"base_url": address, **more}}, backoff=NO_RETRY)
            with using(settings), pytest.raises(ModelFailed) as caught:
                gv.run(ask, MODELS[0])
            told.append(repr(caught.value) + str(settings_shown(settings)))
    everything = kept(tmp_path / "work") + "".join(told).encode()

    assert [f"Bearer {SHORT}", "Basic YWRhX2w6bG92ZSBsYWNl", f"Bearer {SHORT}"] == [asked.headers["authorization"] for asked in server.asked]
    for secret in (SHORT, PASSWORD, "love%20lace", "YWRhX2w6bG92ZSBsYWNl", "hush-hush", "ada_l", "gate-word"):
        assert secret.encode() not in everything, secret


def settings_shown(settings: Settings) -> str:
    """Returns what an endpoint shows of itself."""
    from gvstore.models.endpoint import endpoint_of
    from gvstore.models.openai import ACCESS

    environment = {"HOUSE": SHORT, "HOUSE_TOO": "gate-word"}
    return repr(endpoint_of(ACCESS, environment, settings.options["openai"])) + repr(settings)


def test_a_key_in_an_answer_is_not_kept_either(server: LoopbackServer, tmp_path: Path) -> None:
    """The program gets it as it came; what is recorded is opaque there, and asked again by a replay."""

    @gv.register
    def ask() -> int:
        return len(chat("Hi", model=MODELS[0]))

    server.plan(whole(f"Your key is {KEY}."))
    with gv.init(tmp_path / "work"):
        run = gv.run(ask)

    assert len(f"Your key is {KEY}.") == run.output
    found = kept(tmp_path / "work")
    assert KEY.encode() not in found and b"Your key is <secret " in found
