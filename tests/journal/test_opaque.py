"""Values without an encoding, and values whose reading raises: the program never notices."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from gvstore.objects.placeholder import Opaque
from tests.journal.bodies import BODIES, note


class Client:
    """What no record can hold."""


@dataclass
class Holder:
    inner: Any


@dataclass
class Moody:
    value: int = 0

    def __getattribute__(self, name: str) -> Any:
        if name == "value":
            raise RuntimeError("not now")
        return super().__getattribute__(name)


class Meta(type):
    def __getattr__(cls, name: str) -> Any:
        raise RuntimeError(name)


class Odd(metaclass=Meta):
    pass


@gv.register
def use(thing: Any) -> str:
    note(type(thing).__name__)
    return type(thing).__name__


@pytest.mark.parametrize("thing", [Client(), Holder(Client()), [Client()], Moody(), Odd(), threading.Lock()], ids=lambda each: type(each).__name__)
def test_opaque_arguments_do_not_disturb(repo: Repository, warned: list[str], thing: Any) -> None:
    """The call is made with the very value; the record holds a marker, and a call answers for another of its type."""

    def root(thing: Any) -> str:
        return use(thing)

    run = repo.run(gv.register(lambda: use(thing)))
    BODIES.clear()

    assert type(thing).__name__ == run.output
    assert run.output == run.replay().output
    assert [] == BODIES


def test_one_warning_a_type(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand opaque values of one type the user hears once, at their own line."""
    from gvstore.store import store

    monkeypatch.setattr(store, "_warned", set())
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        repo.run(lambda: [use(Client()) for _ in range(3)] + [use(Holder(Client()))])

    assert 1 == len(shown)
    assert "test_opaque.Client cannot be stored" in str(shown[0].message)
    assert __file__ == shown[0].filename


def test_a_warning_that_is_an_error_leaves_the_record_whole(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -W error the program hears of it as an exception, and the call that made the value is recorded."""
    from gvstore.store import store

    monkeypatch.setattr(store, "_warned", set())

    @gv.register
    def make() -> Client:
        return Client()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        performed = repo.perform(gv.register(lambda: make()), (), {})

    assert isinstance(performed.error, gv.OpaqueWarning)
    assert performed.run is not None
    (call,) = performed.run.invocation.get_children()
    assert isinstance(call.output, Opaque)


def test_opaque_marks_are_per_thread(repo: Repository, warned: list[str]) -> None:
    """What one thread cannot store does not mark the outputs of another."""
    import contextvars

    @gv.register
    def make(opaque: bool) -> Any:
        return Client() if opaque else {"fine": 1}

    def root() -> None:
        def work(opaque: bool) -> None:
            for _ in range(200):
                make(opaque)

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, each)) for each in (True, False) * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    run = repo.run(root)
    marks = {(call.args["opaque"], call.has_opaque_output()) for call in run.invocation.get_children()}

    assert 800 == len(run.invocation)
    assert {(True, True), (False, False)} == marks


def test_an_opaque_argument_at_the_top_is_told(repo: Repository, warned: list[str]) -> None:
    """A root call whose argument could not be stored cannot be made again."""
    run = repo.run(use, Client())

    with pytest.raises(gv.InvocationError, match="argument thing of use could not be stored"):
        run.rewind(0).replay()
