"""Steps and spans for OpenTelemetry, where the program has it installed: the machine itself needs nothing of it.

    ApplicationBuilder().with_hooks(OpenTelemetryBridge())

Each call of an application, each step and each span of it is a span there,
current while it goes on, so that what other libraries trace nests below.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gvstore.errors import UsageFault
from gvstore.machine.hook import (
    DoLogAttributeHook,
    PostApplicationExecuteCallHook,
    PostEndSpanHook,
    PostRunStepHook,
    PreApplicationExecuteCallHook,
    PreRunStepHook,
    PreStartSpanHook,
)
from gvstore.machine.node import name_of

if TYPE_CHECKING:
    from gvstore.machine.action_class import Action
    from gvstore.machine.hook import ExecuteMethod
    from gvstore.machine.span import ActionSpan

_MISSING = "OpenTelemetry is not installed"


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as e:
        raise UsageFault(_MISSING, hint="Type `pip install opentelemetry-api opentelemetry-sdk`.") from e


class OpenTelemetryBridge(
    PreApplicationExecuteCallHook,
    PostApplicationExecuteCallHook,
    PreRunStepHook,
    PostRunStepHook,
    PreStartSpanHook,
    PostEndSpanHook,
    DoLogAttributeHook,
):
    """Tells an OpenTelemetry tracer: the one that is given, or the program's own under `tracer_name`.

    Raises:
        UsageFault: OpenTelemetry is not installed.
    """

    def __init__(self, tracer_name: str = "gvstore", tracer: Any = None) -> None:
        self._trace, self._context = _module("opentelemetry.trace"), _module("opentelemetry.context")
        self._tracer = self._trace.get_tracer(tracer_name) if tracer is None else tracer
        self._open: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}

    def _begin(self, key: tuple[Any, ...], name: str, attributes: dict[str, Any]) -> None:
        span = self._tracer.start_span(name, attributes={each: _plain(value) for each, value in attributes.items()})
        token = self._context.attach(self._trace.set_span_in_context(span))
        self._open.setdefault(key, []).append((span, token))

    def _end(self, key: tuple[Any, ...], exception: BaseException | None = None) -> None:
        begun = self._open.get(key)
        if not begun:
            return
        span, token = begun.pop()
        if not begun:
            del self._open[key]
        if exception is not None:
            span.record_exception(exception)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, str(exception)))
        self._context.detach(token)
        span.end()

    def pre_run_execute_call(self, *, app_id: str, partition_key: str | None, method: ExecuteMethod, **future_kwargs: Any) -> None:
        """Begins a span named after the method."""
        self._begin((app_id, str(method)), str(method), {"app_id": app_id, "partition_key": partition_key or ""})

    def post_run_execute_call(self, *, app_id: str, method: ExecuteMethod, exception: BaseException | None, **future_kwargs: Any) -> None:
        """Ends it."""
        self._end((app_id, str(method)), exception)

    def pre_run_step(self, *, app_id: str, sequence_id: int, action: Action, **future_kwargs: Any) -> None:
        """Begins a span named after the action."""
        self._begin((app_id, sequence_id), name_of(action), {"app_id": app_id, "sequence_id": sequence_id})

    def post_run_step(self, *, app_id: str, sequence_id: int, exception: BaseException | None, **future_kwargs: Any) -> None:
        """Ends it."""
        self._end((app_id, sequence_id), exception)

    def pre_start_span(self, *, app_id: str, span: ActionSpan, **future_kwargs: Any) -> None:
        """Begins a span."""
        self._begin((app_id, span.uid), span.name, {})

    def post_end_span(self, *, app_id: str, span: ActionSpan, **future_kwargs: Any) -> None:
        """Ends it."""
        self._end((app_id, span.uid))

    def do_log_attributes(
        self, *, app_id: str, action_sequence_id: int, attributes: dict[str, Any], span: ActionSpan | None, **future_kwargs: Any
    ) -> None:
        """Sets attributes of the span, or of the step's."""
        begun = self._open.get((app_id, action_sequence_id) if span is None else (app_id, span.uid))
        if begun:
            for name, value in attributes.items():
                begun[-1][0].set_attribute(name, _plain(value))


def _plain(value: Any) -> Any:
    """Returns a value as OpenTelemetry takes it: text, numbers, lists of one of these; anything else as Python shows it."""
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple) and value and isinstance(value[0], str | bool | int | float):
        return list(value) if all(type(each) is type(value[0]) for each in value) else repr(value)
    return repr(value)
