"""Clients, loggers, locks and generators are stored by what they are made from; never by a key."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from typing import Any

import pytest

from gvstore.objects.placeholder import Opaque, Unresolved
from gvstore.objects.value import get_value, put_value
from gvstore.odb import MemoryDatabase
from gvstore.store.store import InMemoryStore
from tests.store.library.trip import same_name, there_and_back

KEY = "sk-" + "a1B2" * 12


def clients() -> list[tuple[Any, str]]:
    """Returns the client classes of the libraries that are installed."""
    openai: Any = pytest.importorskip("openai")
    anthropic: Any = pytest.importorskip("anthropic")
    return [
        (openai.OpenAI, "openai"),
        (openai.AsyncOpenAI, "openai"),
        (anthropic.Anthropic, ""),
        (anthropic.AsyncAnthropic, ""),
    ]


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "OPENAI_BASE_URL",
        "ANTHROPIC_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)


def test_clients_come_back_with_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, timeout, retries and harmless headers; the key is the environment's of today."""
    for make, library in clients():
        made = make(
            api_key=KEY, base_url="http://user:hush@localhost:8080/v1", timeout=7.5, max_retries=9,
            default_headers={"X-Team": "blue", "Authorization": "Bearer hush", "X-Api-Key": "hush"},
        )  # fmt: skip
        back = there_and_back(made)

        assert type(made) is type(back)
        assert ("http://localhost:8080/v1/", 7.5, 9) == (str(back.base_url), back.timeout, back.max_retries)
        assert "blue" == back.default_headers["X-Team"]
        assert KEY != back.api_key
        if library:
            monkeypatch.setenv("OPENAI_API_KEY", "of-today")
            assert "of-today" == there_and_back(made).api_key
            monkeypatch.delenv("OPENAI_API_KEY")


def test_no_key_is_ever_stored() -> None:
    """Not as an option, a header, a query parameter or a part of an address; it does not even change the name."""
    for make, _ in clients():
        objects = MemoryDatabase()
        options: dict[str, Any] = {
            "base_url": "http://user:hush@localhost/v1",
            "default_headers": {"api-key": "hush", "Cookie": "hush"},
        }
        put_value(objects, make(api_key=KEY, default_query={"token": "hush"}, **options))
        everything = b"".join(objects.read(oid) for oid in objects)

        assert KEY.encode() not in everything
        assert b"hush" not in everything
        assert same_name(make(api_key=KEY), make(api_key="another"))
        assert not same_name(make(api_key=KEY), make(api_key=KEY, base_url="http://localhost"))


def test_loggers_are_their_names() -> None:
    """A logger comes back as the one of that name."""
    for logger in (logging.getLogger("a.b"), logging.getLogger()):
        assert logger is there_and_back(logger)


def test_locks_are_new_and_open() -> None:
    """Whether one is held is not part of it; what is nothing but its state is opaque."""
    held = threading.Lock()
    with held:
        assert not there_and_back(held).locked()
        assert same_name(held, threading.Lock())
    for lock in (threading.Lock(), threading.RLock(), asyncio.Lock()):
        assert type(lock) is type(there_and_back(lock))
    assert not same_name(threading.Lock(), threading.RLock())
    with pytest.warns(UserWarning, match="Semaphore"):
        back: Any = InMemoryStore().commit(threading.Semaphore(3)).checkout()
    assert Opaque is type(back)


def test_a_generator_goes_on_where_it_was() -> None:
    """The standard library's too."""
    made = random.Random(3)
    made.gauss(0, 1)
    back = there_and_back(made)

    assert [made.gauss(0, 1) for _ in range(5)] == [back.gauss(0, 1) for _ in range(5)]


def test_nothing_else_is_made_from_options() -> None:
    """A name that no adapter knows is a placeholder, whatever library it names."""
    objects = MemoryDatabase()
    for name in (
        "logging:Handler",
        "threading:Thread",
        "random:SystemRandom",
        "openai:Stream",
        "os:system",
        "asyncio:Task",
    ):
        back = get_value(objects, put_value(objects, Unresolved(46, name, ("name", "x"))))

        assert Unresolved is type(back) or isinstance(back, logging.Logger)
