"""What is noted within a step reaches the hooks and the step's record."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from gvstore.machine.lifecycle import (
    DoLogAttributeHook,
    DoLogAttributeHookAsync,
    LifecycleAdapterSet,
    PostEndSpanHook,
    PostEndSpanHookAsync,
    PreStartSpanHook,
)
from gvstore.machine.span import ActionSpan
from gvstore.machine.tracing import TracerFactory, TracingFault, current_tracer, trace


class Notes(PreStartSpanHook, PostEndSpanHook, DoLogAttributeHook):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.noted: list[Any] = []

    def pre_start_span(self, *, span: ActionSpan, span_dependencies: list[str], **future_kwargs: Any) -> None:
        self.noted.append(("start", span.uid, span.name, *span_dependencies))

    def post_end_span(self, *, span: ActionSpan, **future_kwargs: Any) -> None:
        self.noted.append(("end", span.uid))

    def do_log_attributes(self, *, attributes: dict[str, Any], span: ActionSpan | None, **future_kwargs: Any) -> None:
        self.noted.append((span and span.uid, attributes))


class Awaited(PostEndSpanHookAsync, DoLogAttributeHookAsync):
    """The same, awaited."""

    def __init__(self) -> None:
        self.noted: list[Any] = []

    async def post_end_span(self, *, span: ActionSpan, **future_kwargs: Any) -> None:
        self.noted.append(("end", span.name))

    async def do_log_attributes(self, *, attributes: dict[str, Any], **future_kwargs: Any) -> None:
        self.noted.append(attributes)


def tracer_of(*hooks: Any) -> TracerFactory:
    """Returns the tracer of step 4."""
    return TracerFactory("answer", 4, LifecycleAdapterSet(*hooks), "app", "p")


def told(tracer: TracerFactory) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Returns the spans of the record, but for times."""
    return [(name, parent, attributes) for name, parent, attributes, _, _ in tracer.spans.to_list()]


def test_spans_nest_and_are_told_and_kept() -> None:
    """Each with its name in the step, its parent, and what was logged to it."""
    hook = Notes()
    tracer = tracer_of(hook)
    with tracer("a") as a:
        a.log_attributes(x=1)
        with tracer("b", span_dependencies=["a"]) as b:
            b.log_attribute("y", [2])
        tracer.log_attributes(z=3)
    with tracer("c"):
        pass
    tracer.log_attributes(last=True)

    assert [("a", None, {"x": 1, "z": 3}), ("b", 0, {"y": [2]}), ("c", None, {})] == told(tracer)
    assert {"last": True} == tracer.spans.attributes
    assert all(each.ended_us is not None and each.started_us <= each.ended_us for each in tracer.spans)
    assert [
        ("start", "4:0", "a"), ("4:0", {"x": 1}), ("start", "4:0.0", "b", "a"), ("4:0.0", {"y": [2]}), ("end", "4:0.0"),
        ("4:0", {"z": 3}), ("end", "4:0"), ("start", "4:1", "c"), ("end", "4:1"), (None, {"last": True}),
    ] == hook.noted  # fmt: skip


def test_a_span_that_an_exception_ends_says_so() -> None:
    """And the exception goes on."""
    tracer = tracer_of()
    with pytest.raises(ValueError, match="no"), tracer("a"), tracer("b"):
        raise ValueError("no")

    assert ["ValueError: no"] * 2 == [each.error for each in tracer.spans]
    assert tracer.open_span() is None


def test_what_was_logged_cannot_be_spoilt() -> None:
    """The record holds a copy."""
    tracer = tracer_of()
    given = [1]
    with tracer("a") as a:
        a.log_attributes(given=given)
    given.append(2)

    assert [("a", None, {"given": [1]})] == told(tracer)


def test_spans_nest_in_threads_that_inherit_the_context() -> None:
    """Two threads at once, both below the span that started them."""
    tracer = tracer_of()

    def work(name: str) -> None:
        with tracer(name):
            pass

    with tracer("parent"):
        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, name)) for name in ("one", "two")
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert [("one", 0), ("parent", None), ("two", 0)] == sorted((name, parent) for name, parent, _ in told(tracer))


def test_a_step_within_a_step_has_spans_of_its_own() -> None:
    """A span of one tracer is no parent of another's."""
    outer, inner = tracer_of(), tracer_of()
    with outer("a"), inner("b"):
        pass

    assert [("b", None, {})] == told(inner)


def test_async_spans_await_hooks() -> None:
    """Those told of attributes at the latest when the span ends, in order."""
    hook = Awaited()
    tracer = tracer_of(hook)

    async def step() -> None:
        async with tracer("a") as a:
            a.log_attributes(x=1)
            async with tracer("b"):
                pass
        tracer.log_attributes(y=2)
        await tracer.flush()

    asyncio.run(step())

    assert [{"x": 1}, ("end", "b"), ("end", "a"), {"y": 2}] == hook.noted
    assert [("a", None, {"x": 1}), ("b", 0, {})] == told(tracer)


def test_a_hook_that_raises_does_not_fail_the_action() -> None:
    """Its exception is kept until the step is."""

    class Raises(PreStartSpanHook):
        def pre_start_span(self, **future_kwargs: Any) -> None:
            raise OSError("full")

    tracer = tracer_of(Raises())
    with tracer("a"):
        pass

    assert [("a", None, {})] == told(tracer)
    with pytest.raises(OSError, match="full"):
        tracer.raise_errors()
    tracer.raise_errors()


@trace()
def add(x: int, y: int = 2) -> int:
    """A function as any other."""
    return inner(x) + y


@trace(capture_inputs=False, capture_outputs=False, span_name="within")
def inner(x: int) -> int:
    return x


def test_traced_functions_are_spans_within_a_step() -> None:
    """With arguments and result; outside of a step they are as they were."""
    tracer = tracer_of()

    assert 3 == add(1)
    with tracer.active():
        assert tracer is current_tracer()
        assert 5 == add(1, y=4)

    assert current_tracer() is None
    assert [("add", None, {"x": 1, "y": 4, "return": 5}), ("within", 0, {})] == told(tracer)
    assert ("add", "A function as any other.") == (add.__name__, add.__doc__)


def test_what_is_not_to_be_noted_is_left_out() -> None:
    """Arguments, and keys of a dict that is returned."""

    @trace(input_filterlist=["key"], output_filterlist=["secret"])
    def login(user: str, key: str) -> dict[str, str]:
        return {"user": user, "secret": key}

    tracer = tracer_of()
    with tracer.active():
        login("a", key="b")

    assert [("login", None, {"user": "a", "return": {"user": "a"}})] == told(tracer)


def test_functions_of_every_kind_are_traced() -> None:
    """Async ones; generators, whose bodies alone run below their spans; decorated without brackets."""

    @trace
    async def fetch(x: int) -> int:
        await asyncio.sleep(0)
        return inner(x)

    @trace()
    def count(n: int) -> Iterator[int]:
        for at in range(n):
            yield inner(at)

    @trace()
    async def stream(n: int) -> AsyncIterator[int]:
        for at in range(n):
            yield await fetch(at)

    async def main() -> None:
        assert 3 == await fetch(3)
        assert [0] == [each async for each in stream(1)]

    tracer = tracer_of()
    with tracer.active():
        asyncio.run(main())
        for _ in count(1):
            inner(9)

    assert [
        ("fetch", None), ("within", 0), ("stream", None), ("fetch", 2), ("within", 3), ("count", None), ("within", 5), ("within", None),
    ] == [(name, parent) for name, parent, _ in told(tracer)]  # fmt: skip
    assert all(each.ended_us is not None for each in tracer.spans)


def test_a_wrong_call_fails_as_it_would_untraced() -> None:
    """With Python's own words."""
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'z'"), tracer_of().active():
        add(z=3)  # type: ignore[call-arg]


def test_what_is_no_span_is_refused() -> None:
    """No name; entered twice; no function."""
    tracer = tracer_of()
    name: Any = 3
    with pytest.raises(TracingFault, match="named by text, not by 3"):
        tracer(name)
    with tracer("a") as a, pytest.raises(TracingFault, match="'a' was entered before"), a:
        pass
    with pytest.raises(TracingFault, match="above a function, not a int"):
        trace(name)
