"""How models are asked: names, prices, limits, the configuration's part `[models]`."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gvstore as gv
from gvstore.models import Settings, chat, complete, using
from gvstore.models.attempts import Backoff
from gvstore.models.fault import BadModelSetting, UnknownModel
from gvstore.models.limit import Bucket, Limit, Limiter, limits_of
from gvstore.models.price import Price, PriceTable, prices_of
from gvstore.models.protocol import Options
from gvstore.models.provider import make_model, resolve_model
from gvstore.models.settings import settings_of
from tests.models.endpoint import LoopbackServer
from tests.models.endpoint import chat as whole

LAW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@pytest.mark.parametrize(
    ("name", "provider", "default", "full"),
    [
        ("local", "", "", "local"),
        ("local:anything", "", "", "local"),
        ("gpt-4o-mini", "", "", "openai:gpt-4o-mini"),
        ("o3-mini", "", "", "openai:o3-mini"),
        ("claude-sonnet-5", "", "openai", "anthropic:claude-sonnet-5"),
        ("openai:llama3:8b", "", "", "openai:llama3:8b"),
        ("llama3:8b", "", "openai", "openai:llama3:8b"),
        ("llama3:8b", "openai", "", "openai:llama3:8b"),
        ("gpt-4", "local", "", "local"),
        ("anthropic:claude-x", "local", "", "local"),
        ("openai:gpt-4", "openai", "", "openai:gpt-4"),
        ("gpt-4", "command:./ask.sh --fast", "", "command:./ask.sh --fast"),
        ("gpt-4", "recorded:run/7", "", "recorded:run/7"),
        ("command:./ask.sh", "", "", "command:./ask.sh"),
    ],
)  # fmt: skip
def test_names_are_resolved(name: str, provider: str, default: str, full: str) -> None:
    """To whose they are; once resolved they stay as they are."""

    assert full == resolve_model(name, provider, default=default) == resolve_model(full)


@pytest.mark.parametrize(("name", "provider"), [("gpt", ""), ("", ""), ("llama3:8b", ""), ("openai:", ""), ("x", "azure"), ("x", "localhost")])
def test_names_that_tell_nothing_are_refused(name: str, provider: str) -> None:
    """With what is known."""
    with pytest.raises(UnknownModel, match="known: local"):
        resolve_model(name, provider)


def test_only_resolved_names_make_a_model() -> None:
    """And only with settings that their provider knows."""
    for name in ("gpt-4", "openai:", "azure:x"):
        with pytest.raises(UnknownModel):
            make_model(name)
    with pytest.raises(BadModelSetting, match=r"models\.openai\.shell is no setting; known: base_url, api_key, key_env, headers, timeout_s"):
        make_model("openai:x", {"shell": True})


def test_every_name_means_the_provider_of_the_block(tmp_path: Path) -> None:
    """And it is that which is recorded."""
    (tmp_path / "a.jsonl").write_text('{"text": "Hi"}\n')

    @gv.register
    def ask() -> str:
        return chat("?", model="gpt-4")

    with gv.init(tmp_path / "work"), using(Settings(provider=f"recorded:{tmp_path / 'a.jsonl'}")):
        run = gv.run(ask)

    [call] = run.invocation.get_children()
    assert {"messages": "?", "model": f"recorded:{tmp_path / 'a.jsonl'}", "options": {}} == call.args


@pytest.mark.parametrize(
    ("model", "answered", "cost"),
    [
        ("openai:cheap", "", 2),
        ("openai:cheap", "cheap-2026-01-01", 2),
        ("openai:alias", "cheap-20260101", 2),
        ("openai:dear", "", 30_000),
        ("openai:cheaper", "", None),
        ("openai:cheap-mini", "", None),
        ("local", "SmolLM2", None),
    ],
)
def test_costs(model: str, answered: str, cost: int | None) -> None:
    """Dollars a million tokens are millionths of a dollar a token; rounded up; by the name or a dated version of it."""
    prices = PriceTable({"cheap": Price(0.1, 0.2), "openai:dear": Price(1000, 2000)})

    assert cost == prices.cost_microusd(10, 2 if cost == 2 else 10, model, answered)


@LAW
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_cost_is_what_it_comes_to(asked: int, answered: int, a: float, b: float) -> None:
    """To the millionth of a dollar."""
    exact = asked * a + answered * b

    assert math.isclose(exact, PriceTable({"m": Price(a, b)}).cost_microusd(asked, answered, "m") or 0, abs_tol=1.01, rel_tol=1e-9)


@pytest.fixture
def repo(tmp_path: Path) -> gv.Repository:
    return gv.init(tmp_path / "work")


@gv.register
def ask_once(model: str) -> int | None:
    return complete("Hi", model=model).cost_microusd


def test_the_configuration_says_how_models_are_asked(server: LoopbackServer, repo: gv.Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where, and what it costs; the cost is in the completion and among the run's counts, once."""
    monkeypatch.delenv("OPENAI_BASE_URL")
    config = repo.gv / "config.toml"
    config.write_text(f"""
[models.openai]
base_url = "{server.url}/house"
[models.prices."gpt-test"]
input = 1000
output = 2
[models.limits.openai]
requests = 60_000
tokens = 1_000_000
[models.retry]
attempts = 1
""")
    server.plan(whole("Hi"))
    with repo:
        run = gv.run(ask_once, "openai:gpt-test")
        again = run.replay()

        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/elsewhere")
        gv.run(ask_once, "openai:gpt-test")

    assert (12_010, 12_010, None) == (run.output, run.record.counts["cost_microusd"], again.record.counts.get("cost_microusd"))
    assert ["/house/chat/completions", "/elsewhere/chat/completions"] == [asked.path for asked in server.asked]


def test_threads_of_a_recording_ask_in_the_same_way(tmp_path: Path) -> None:
    """Those that are begun in the block."""
    (tmp_path / "a.jsonl").write_text('{"messages": "Hi", "text": "there"}\n')

    @gv.register
    def ask_four() -> list[str]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(chat, ["Hi"] * 4))

    with gv.init(tmp_path / "work"), using(Settings(provider=f"recorded:{tmp_path / 'a.jsonl'}")):
        assert ["there"] * 4 == gv.run(ask_four).output


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a key": ({"openai": {"api_key": "sk-123"}}, r"models\.openai\.api_key is a secret, and does not stand in a file"),
    "not its own": ({"command": {"base_url": "x"}}, r"models\.command\.base_url is no setting; known: form, shell"),
    "none at all": ({"local": {"x": 1}}, r"models\.local\.x is no setting; there are none"),
    "unknown": ({"pries": {}}, r"models\.pries is no setting; known: prices, limits, retry, local, openai"),
    "no table": ({"prices": 3}, r"models\.prices is a table"),
    "no row": ({"prices": {"m": 3}}, r'models\.prices\."m" is a table of input and output'),
    "no price": ({"prices": {"m": {"input": "free"}}}, r'prices\."m"\.input is dollars a million tokens'),
    "negative price": ({"prices": {"m": {"output": -1}}}, "is dollars"),
    "no limit": ({"limits": {"m": {"requests": 0}}}, r'limits\."m"\.requests is a number above 0'),
    "unknown limit": ({"limits": {"m": {"request": 1}}}, "is a table of requests and tokens"),
    "unknown word": ({"retry": {"attemps": 1}}, r"models\.retry\.attemps is no setting; known: attempts"),
    "no attempts": ({"retry": {"attempts": 0}}, r"retry\.attempts is a number"),
    "half an attempt": ({"retry": {"attempts": 1.5}}, r"retry\.attempts is a number"),
    "no wait": ({"retry": {"first_s": True}}, r"retry\.first_s is a number"),
}


@pytest.mark.parametrize("way", BAD)
def test_settings_that_cannot_be_meant(way: str) -> None:
    """Are told by their names."""
    table, says = BAD[way]
    with pytest.raises(BadModelSetting, match=says):
        settings_of(table)


def test_settings_are_read() -> None:
    """Numbers may be whole."""
    found = settings_of({"retry": {"attempts": 2, "first_s": 1}, "limits": {"a": {"tokens": 5}}, "openai": {"timeout_s": 3}})

    assert (Backoff(2, 1), {"a": Limit(0, 5)}, {"openai": {"timeout_s": 3}}) == (found.backoff, found.limits, found.options)
    assert ("a", Limit(0, 5)) == found.limit("openai", "a")
    assert found.limit("openai", "b") is None
    assert Price(1.0, 0.0) == prices_of({"m": {"input": 1}}).price("m")
    assert {} == limits_of({})


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds


def test_requests_wait_for_their_turn() -> None:
    """A minute's worth at once, then one after the other as they come in."""
    clock = Clock()
    limiter = Limiter(Limit(requests=2), clock=clock, sleep=clock.sleep)
    for _ in range(4):
        limiter.enter(1000)

    assert [30.0, 30.0] == clock.waits


def test_tokens_are_settled_afterwards() -> None:
    """What was estimated too high is given back; a debt is waited off; more than a minute's worth waits for a full bucket."""
    clock = Clock()
    limiter = Limiter(Limit(tokens=600), clock=clock, sleep=clock.sleep)
    limiter.enter(600)
    limiter.settle(600, 100)
    limiter.enter(500)

    assert [] == clock.waits
    limiter.settle(500, 800)
    limiter.enter(10)

    assert [31.0] == clock.waits
    limiter.enter(10_000)

    assert [31.0, 60.0] == clock.waits


@LAW
@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 50)), max_size=40))
def test_no_minute_gets_more_than_its_share(steps: list[tuple[float, int]]) -> None:
    """Of whole requests: in any time t at most a minute's worth and the share of t."""
    clock = Clock()
    bucket = Bucket(60, clock=clock)
    taken: list[tuple[float, int]] = []
    for pause, amount in steps:
        clock.now += pause
        clock.now += bucket.wait_s(amount) + 1e-9
        bucket.take(amount)
        taken.append((clock.now, amount))

    for first in range(len(taken)):
        for last in range(first, len(taken)):
            span = taken[last][0] - taken[first][0]
            assert sum(amount for _, amount in taken[first : last + 1]) <= 60 + span + 1e-3


def test_threads_share_a_limit() -> None:
    """Each request is counted once."""
    clock = Clock()
    limiter = Limiter(Limit(requests=1000), clock=clock, sleep=clock.sleep)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(limiter.enter, [1] * 1000))

    assert [] == clock.waits
    limiter.enter(1)

    assert [0.06] == clock.waits


@pytest.mark.parametrize(
    "options",
    [{"n": 0}, {"n": 129}, {"frequency_penalty": 3.0}, {"presence_penalty": float("nan")}],
    ids=str,
)
def test_options_that_no_model_takes(options: dict[str, Any]) -> None:
    """ValueError that names the option."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Options(0, **options)


@pytest.mark.parametrize("options", [{"n": True}, {"max_tokens": "9"}, {"stop": "END"}, {"sedd": 1}], ids=str)
def test_options_of_another_type(options: dict[str, Any]) -> None:
    """TypeError, before anything is asked or recorded."""
    with pytest.raises(TypeError):
        complete("Hi", **options)
