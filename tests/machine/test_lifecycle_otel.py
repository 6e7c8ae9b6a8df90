"""OpenTelemetry hears of calls, steps and spans, where it is installed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from gvstore.errors import UsageFault
from gvstore.machine import ApplicationBuilder, State, TracerFactory, action
from gvstore.machine.lifecycle_otel import OpenTelemetryBridge


@action(reads=[], writes=["n"])
def work(state: State[Any], __tracer: TracerFactory, fails: bool = False) -> State[Any]:
    """Has a span, and logs to it and to the step."""
    __tracer.log_attributes(step=(1, "a"))
    with __tracer("inner") as span:
        span.log_attributes(tokens=3, words=["a", "b"])
        if fails:
            raise ValueError("no")
    return state.update(n=1)


def test_calls_steps_and_spans_nest(monkeypatch: pytest.MonkeyPatch) -> None:
    """With attributes, and with what was raised."""
    trace = pytest.importorskip("opentelemetry.trace")
    noted: list[Any] = []

    class Span(trace.NonRecordingSpan):  # type: ignore[misc, name-defined]
        def __init__(self, name: str, attributes: Any) -> None:
            super().__init__(trace.SpanContext(1, 1, is_remote=False))
            self.name = name
            noted.append((name, getattr(trace.get_current_span(), "name", None), attributes))

        def set_attribute(self, key: str, value: Any) -> None:
            noted.append((self.name, key, value))

        def record_exception(self, exception: BaseException, *args: Any, **kwargs: Any) -> None:
            noted.append((self.name, repr(exception)))

        def end(self, end_time: int | None = None) -> None:
            noted.append(self.name)

    class Tracer:
        def start_span(self, name: str, attributes: Any) -> Span:
            return Span(name, attributes)

    builder = ApplicationBuilder().with_actions(work).with_entrypoint("work").with_identifiers(app_id="app")
    app = builder.with_hooks(OpenTelemetryBridge(tracer=Tracer())).build()
    app.step(inputs={})

    assert [
        ("step", None, {"app_id": "app", "partition_key": ""}), ("work", "step", {"app_id": "app", "sequence_id": 0}),
        ("work", "step", "(1, 'a')"), ("inner", "work", {}), ("inner", "tokens", 3), ("inner", "words", ["a", "b"]),
        "inner", "work", "step",
    ] == noted  # fmt: skip
    noted.clear()
    app.reset_to_entrypoint()
    with pytest.raises(ValueError, match="no"):
        app.step(inputs={"fails": True})
    assert ["inner", "work", "step"] == [each for each in noted if isinstance(each, str)]
    assert ("work", "ValueError('no')") in noted
    assert trace.get_current_span() is trace.INVALID_SPAN
    OpenTelemetryBridge()


def test_a_program_without_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the hook is made."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(UsageFault, match="OpenTelemetry is not installed") as caught:
        OpenTelemetryBridge()

    assert "pip install" in caught.value.hint
