"""Spans and attributes of a step reach the hooks, whatever way it runs."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from typing import Any

import pytest

import gvstore.machine as machine
from gvstore.machine import (
    ApplicationBuilder,
    DoLogAttributeHook,
    DoLogAttributeHookAsync,
    PostEndSpanHook,
    State,
    TracerFactory,
    action,
    trace,
)


@trace()
def look_up(word: str) -> int:
    """A function somewhere below an action."""
    return len(word)


@action(reads=[], writes=["n"])
def plain(state: State[Any]) -> State[Any]:
    """Traced only by what it calls."""
    return state.update(n=look_up("abc"))


@action(reads=[], writes=["n"])
def noted(state: State[Any], __tracer: TracerFactory) -> State[Any]:
    """Traced by itself."""
    with __tracer("ask") as span:
        span.log_attributes(tokens=3)
        return state.update(n=look_up("abc"))


class Watch(PostEndSpanHook, DoLogAttributeHook):
    """Notes spans and attributes."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def post_end_span(self, *, span: Any, action_sequence_id: int, app_id: str, **future_kwargs: Any) -> None:
        self.seen.append((app_id, action_sequence_id, span.name))

    def do_log_attributes(self, *, attributes: Any, **future_kwargs: Any) -> None:
        self.seen.append(attributes)


@pytest.mark.parametrize("method", ["run", "arun"])
def test_spans_reach_the_hooks(method: str) -> None:
    """Those of the tracer that an action is given, and those of traced functions."""
    watch = Watch()
    app = (
        ApplicationBuilder()
        .with_actions(plain, noted)
        .with_transitions(("plain", "noted"))
        .with_identifiers("app")
        .with_hooks(watch)
        .build()
    )
    asyncio.run(app.arun()) if method == "arun" else app.run()

    assert [
        {"word": "abc"},
        {"return": 3},
        ("app", 0, "look_up"),
        {"tokens": 3},
        {"word": "abc"},
        {"return": 3},
        ("app", 1, "look_up"),
        ("app", 1, "ask"),
    ] == watch.seen


def test_a_hook_of_spans_that_raises_loses_no_step() -> None:
    """What it raises is heard after the step is kept."""

    class Bad(PostEndSpanHook):
        def post_end_span(self, **future_kwargs: Any) -> None:
            raise RuntimeError("hook")

    app = ApplicationBuilder().with_actions(noted).with_hooks(Bad()).build()
    with pytest.raises(RuntimeError, match="hook"):
        app.run()
    assert {"n": 3} == app.state


def test_awaited_hooks_of_attributes() -> None:
    """They are told before the step is over."""
    seen: list[Any] = []

    class Awaited(DoLogAttributeHookAsync):
        async def do_log_attributes(self, *, attributes: Any, **future_kwargs: Any) -> None:
            seen.append(attributes)

    asyncio.run(ApplicationBuilder().with_actions(noted).with_hooks(Awaited()).build().arun())

    assert {"tokens": 3} in seen


def test_no_export_is_hidden_by_a_file() -> None:
    """A module that is loaded becomes an attribute of its package: none has the name of an export."""
    files = {each.name for each in pkgutil.iter_modules(machine.__path__)}

    assert set() == files & set(machine.__all__)
    for name in machine.__all__:
        assert getattr(importlib.import_module(f"gvstore.machine.{machine._WHERE[name]}"), name) is getattr(machine, name)
    with pytest.raises(AttributeError, match="no attribute 'actoin'"):
        machine.actoin  # noqa: B018
