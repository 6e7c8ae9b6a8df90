"""Secrets do not get into a record: not as arguments, inside values, in errors, in outputs, nor in pieces."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gvstore as gv
from gvstore import fs
from gvstore.journal.redact import fill_holes, has_holes, is_key_name, redactor_of
from gvstore.journal.repository import Repository
from gvstore.journal.running import RunOptions
from gvstore.repo import layout
from tests.journal.bodies import BODIES, note

KEY = "Zq7-Wm3xK9_pL2vB8n"  # no provider's: told by its variable alone
TOKEN = "sk-ant-" + "api03-Hj5TgR2wQx8ZbN4mKd9"  # told by its looks
NAME = "STORY_API_KEY"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, KEY)


@dataclass
class Settings:
    key: str
    names: dict[str, Any]


class Text(str):
    """A text of the program's own type."""

    def __new__(cls, value: str) -> Text:
        return super().__new__(cls, value)


@gv.register
def use(value: Any) -> int:
    note("use")
    return 1


@gv.register
def give(value: Any) -> Any:
    note("give")
    return secret_value(value)


@gv.register
def fail(value: Any) -> Any:
    note("fail")
    raise PermissionError(f"bad key {secret_value(value)!r}")


def secret_value(kind: str) -> Any:
    """Returns a value with secrets, made where no argument names it."""
    return SHAPES[kind]()


def everything(repo: Repository) -> Iterator[tuple[str, bytes]]:
    """Yields all bytes below .gv: objects unpacked, files raw."""
    for oid in repo.objects:
        yield f"object {oid.hex()[:8]}", repo.objects.read(oid)
    for path in sorted(repo.gv.rglob("*")):
        if path.is_file():
            yield str(path), fs.read_bytes(path)


def traces(repo: Repository, *secrets: str) -> list[str]:
    """Returns where a secret, or half of it, is found."""
    halves = [half.encode() for each in secrets for half in (each[: len(each) // 2 + 1], each[len(each) // 2 - 1 :])]
    return [where for where, data in everything(repo) if any(half in data for half in halves)]


SHAPES: dict[str, Callable[[], Any]] = {
    "bare": lambda: KEY,
    "bytes": lambda: KEY.encode(),
    "token": lambda: TOKEN,
    "in a text": lambda: f"Authorization: Bearer {KEY}, or {TOKEN}.",
    "nested": lambda: {"a": [(1, {"key": KEY})], TOKEN: None},
    "fields": lambda: Settings(KEY, {"x": [TOKEN] * 3}),
    "set": lambda: {KEY, "other"},
    "subclass": lambda: Text(KEY),
    "path": lambda: Path("/data") / KEY / "x",
    "array": lambda: bytearray(KEY.encode()),
    "surrogates": lambda: "\udc80 " + KEY,
    "long list": lambda: [f"{i} {KEY}" for i in range(300)],
    "long text": lambda: "".join(f"{i} word " * 9 + KEY for i in range(400)),
    "long bytes": lambda: b"".join(b"%d word " % i * 9 + TOKEN.encode() + b" " for i in range(400)),
    "deep": lambda: _deep(60),
    "exception": lambda: KeyError(KEY, {"token": TOKEN}),
}


def _deep(levels: int) -> Any:
    value: Any = KEY
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("kind", SHAPES)
def test_no_secret_is_found_below_gv(repo: Repository, kind: str) -> None:
    """As argument, in an output, in an exception, in whatever shape: nothing of it is stored, nor of half of it."""

    def root() -> None:
        use(secret_value(kind))
        give(kind)
        with pytest.raises(PermissionError):
            fail(kind)

    run = repo.run(root)
    repo.objects.sync()

    assert [] == traces(repo, KEY, TOKEN)
    used, given, _ = run.invocation.get_children()
    assert (1, True) == (used.output, given.has_opaque_output())
    assert any("in place of the value" in each for each in run.record.notes)


@pytest.mark.parametrize("kind", ["bare", "long text", "long list"])
def test_no_secret_is_in_the_journal(repo: Repository, kind: str) -> None:
    """While a run is recorded its journal holds no secret either."""
    seen: list[list[str]] = []

    @gv.register
    def root(value: Any) -> str:
        use(value)
        give(kind)
        seen.append(traces(repo, KEY, TOKEN))
        raise ValueError(value)

    options = RunOptions(target=f"x:{KEY}", message=TOKEN, group=KEY, argv=("x", f"--key={KEY}"))
    performed = repo.perform(root, (secret_value(kind),), {}, options)

    assert performed.run is not None
    assert [[]] == seen
    assert [] == traces(repo, KEY, TOKEN)
    assert ("x", f"--key=<secret {NAME}>") == performed.run.record.argv
    assert str(secret_value(kind)) == str(performed.error)


def test_the_program_gets_its_own_values(repo: Repository) -> None:
    """What is recorded is altered; what the program handles is not."""
    run = repo.run(gv.register(lambda: [give("bare"), give("token")] == [KEY, TOKEN]))

    assert run.output is True


def test_an_altered_output_is_executed_again(repo: Repository) -> None:
    """The record cannot answer with a secret it does not hold; calls that took one can."""

    @gv.register
    def root() -> int:
        use(KEY)
        return len(give("bare"))

    run = repo.run(root)
    BODIES.clear()
    again = run.replay()

    assert ["give"] == BODIES
    assert len(KEY) == run.output == again.output


def test_a_changed_key_answers_to_its_name(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The placeholder names the variable: with another key in it the recorded calls still match."""

    @gv.register
    def root(key: str) -> int:
        return use({"key": key})

    run = repo.run(root, KEY)
    monkeypatch.setenv(NAME, "another-key-4711")
    BODIES.clear()
    run.replay()

    assert [] == BODIES
    assert {"key": f"<secret {NAME}>"} == run.invocation.args
    monkeypatch.delenv(NAME)
    with pytest.raises(gv.InvocationError, match="argument key of root held a secret"):
        run.replay()


@gv.register
@dataclass
class Client(gv.Invokable):
    key: str
    asked: int = 0

    def call(self, text: str) -> str:
        note(text)
        self.asked += 1
        return f"{text}!"


def test_the_state_of_a_client_keeps_its_key(repo: Repository) -> None:
    """An instance that is brought to its recorded state keeps the key it was made with."""

    @gv.register
    def root() -> tuple[str, int, bool]:
        client = Client(KEY)
        return client("hi") + client("ho"), client.asked, client.key == KEY

    run = repo.run(root)
    BODIES.clear()

    assert ("hi!ho!", 2, True) == run.replay().output
    assert [] == BODIES
    assert [] == traces(repo, KEY)


def test_sources_hold_no_secret(tmp_path: Path) -> None:
    """A key in a component's source is left out of it, and of the code snapshot."""
    from tests.journal.process import Project

    project = Project(tmp_path)
    project.write("agent.py", f"import gvstore as gv\n@gv.register\ndef ask(key={TOKEN!r}):\n    '''{KEY}'''\n    return '{KEY}'\n")
    project.run("import gvstore as gv, agent\nwith gv.init('.'): gv.run(agent.ask)", key=(NAME, KEY))

    with Repository.open(tmp_path) as repo:
        assert [] == traces(repo, KEY, TOKEN)
        assert f"<secret {NAME}>" in repo.runs[1].invocation.component.source
        assert any(each.startswith("agent.py holds") for each in repo.runs[1].record.notes)


def test_memory_holds_no_secret() -> None:
    """A store that is no repository leaves secrets out too."""
    with gv.InMemoryStore() as store:
        invocation = gv.invoke(give, ("bare",))

        assert f"<secret {NAME}>" == invocation.output
        assert invocation.has_opaque_output()
        assert not any(KEY.encode() in store.objects.read(oid) for oid in store.objects)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    ["OPENAI_API_KEY", "APIKEY", "GITHUB_TOKEN", "PGPASSWORD", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "my_secret", "DB_CREDENTIALS"],
)
def test_names_of_keys(name: str) -> None:
    """Variables named like keys hold keys."""
    assert is_key_name(name, "x" * 12)


@pytest.mark.parametrize("name", ["PATH", "PWD", "OLDPWD", "HOME", "KEYBOARD", "SSH_AUTH_SOCK", "TOKENIZERS_PARALLELISM"])
def test_names_of_other_things(name: str) -> None:
    """Others do not, nor does one that says where a key lies."""
    assert not is_key_name(name, "x" * 12)
    assert not is_key_name("GOOGLE_APPLICATION_CREDENTIALS", "/home/ada/key.json")


@given(st.text(), st.text())
def test_suspicion_is_never_wrongly_quiet(before: str, after: str) -> None:
    """Whatever stands around a secret, it is suspected, and nothing of it is left."""
    redactor = redactor_of({NAME: KEY, "OTHER_TOKEN": "short"})
    for secret in (KEY, TOKEN):
        text = f"{before} {secret} {after}"

        assert redactor.suspect(text.encode("utf-8", "surrogatepass"))
        assert secret not in redactor.clean_text(text)
        assert f"{before} <secret " in redactor.clean_text(text)


def test_every_provider_is_suspected() -> None:
    """What `key_spans` finds is never passed over by the quick look."""
    redactor = redactor_of({})
    tail = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2zA4bC6dE8fG0hJ2kL4mN6pQ8"
    examples = [
        f"sk-ant-{tail}", f"sk-proj-{tail}", f"sk-{tail}", f"ghp_{tail}", f"github_pat_{tail}", f"glpat-{tail}",
        f"xoxb-{tail}", f"xapp-{tail}", f"hf_{tail}", f"sk_live_{tail}", f"rk_live_{tail}", f"pypi-AgEI{tail}",
        f"GOCSPX-{tail}", f"AIza{tail[:35]}", "AKIA" + tail[:16].upper(), "ASIA" + tail[:16].upper(),
        f"https://hooks.slack.com/services/T{tail[:9]}/B{tail[:9]}/{tail[:24]}",
        f"aws_secret_access_key = {tail[:40]}", f"AWS_SECRET_ACCESS_KEY={tail[:40]}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{tail}\n{tail}\n-----END RSA PRIVATE KEY-----",
    ]  # fmt: skip

    for example in examples:
        text = f"see {example} here"
        assert redactor.suspect(text.encode()), example
        assert tail[20:40] not in redactor.clean_text(text), example
        assert redactor.clean_text(text).endswith(" here"), example


def test_holes_are_filled_from_the_environment() -> None:
    """fill_holes puts today's values back wherever a plain container holds a placeholder."""
    value = {"a": [f"x <secret {NAME}> y", ("<secret an OpenAI key>", 1)], "b": Settings(f"<secret {NAME}>", {})}

    filled = fill_holes(value, {NAME: "now"})

    assert ["x now y", ("<secret an OpenAI key>", 1)] == filled["a"]
    assert "now" == filled["b"].key
    assert has_holes(filled) and not has_holes([1, {"a": "b <secret"}, io.StringIO()])


def test_the_layout_is_searched(repo: Repository) -> None:
    """The search of these tests sees objects and files: what is put on purpose is found."""
    gv.put(KEY)
    (layout.journal_folder(repo.gv) / "note").write_text(TOKEN)

    assert 2 <= len(traces(repo, KEY, TOKEN))
