"""What a program notes within a step: spans in each other, and attributes.

    @action(reads=["prompt"], writes=["answer"])
    def answer(state, __tracer: TracerFactory):
        with __tracer("ask the model") as span:
            text = ask(state["prompt"])
            span.log_attributes(tokens=len(text))

`@trace()` makes a span of each call of a function, wherever it stands below an
action.  Spans nest by context, in threads that inherit it too.  Hooks are told
at once; `Spans` has all of it, and where the step is recorded, each span is a call below it (`span_block.py`).  What a hook raises does
not fail the action: it is kept in `errors`, for when the step is recorded.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast, overload

from gvstore import host
from gvstore.errors import UsageFault
from gvstore.machine.duplicate import duplicate
from gvstore.machine.lifecycle import LifecycleAdapterSet
from gvstore.machine.span import ActionSpan
from gvstore.machine.span_block import closed_block, opened_block, record_attributes

F = TypeVar("F", bound=Callable[..., Any])
RETURN: Final = "return"  # the attribute that holds what a traced function returned


class TracingFault(UsageFault, ValueError):
    """A span or an attribute cannot be what was asked for."""


@dataclass(slots=True)
class SpanRecord:
    """A span as it is kept: `parent` is its parent's place in the list; times are microseconds since 1970 UTC.

    `ended_us` is None while it goes on.  `error` is the type and text of what ended it, if that was an exception.
    """

    name: str
    parent: int | None
    attributes: dict[str, Any]
    started_us: int
    ended_us: int | None = None
    error: str | None = None
    dependencies: list[str] = field(default_factory=list)


class Spans:
    """All that was noted within one step: the spans in the order in which they began, and attributes of the step itself."""

    def __init__(self) -> None:
        self.items: list[SpanRecord] = []
        self.attributes: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self.items or self.attributes)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[SpanRecord]:
        return iter(self.items)

    def add(self, record: SpanRecord) -> int:
        """Returns the place of a span that begins."""
        with self._lock:
            self.items.append(record)
            return len(self.items) - 1

    def to_list(self) -> list[tuple[str, int | None, dict[str, Any], int, int | None]]:
        """Returns (name, parent, attributes, started, ended) of each span: plain data, times in microseconds."""
        return [(each.name, each.parent, each.attributes, each.started_us, each.ended_us) for each in self.items]


_SPAN: ContextVar[ActionSpanTracer | None] = ContextVar("gvstore_span", default=None)
_TRACER: ContextVar[TracerFactory | None] = ContextVar("gvstore_tracer", default=None)


class TracerFactory:
    """Makes the spans of one step: what an action gets as `__tracer`."""

    def __init__(
        self,
        action: str,
        sequence_id: int,
        lifecycle_adapters: LifecycleAdapterSet | None = None,
        app_id: str = "",
        partition_key: str | None = None,
        spans: Spans | None = None,
    ) -> None:
        self.action, self.sequence_id, self.app_id, self.partition_key = action, sequence_id, app_id, partition_key
        self.lifecycle_adapters = LifecycleAdapterSet() if lifecycle_adapters is None else lifecycle_adapters
        self.spans = Spans() if spans is None else spans
        self.errors: list[Exception] = []
        self._roots = 0
        self._waiting: list[dict[str, Any]] = []  # attributes that awaited hooks are still to be told

    @property
    def action_sequence_id(self) -> int:
        """The number of the step."""
        return self.sequence_id

    @property
    def top_level_span_count(self) -> int:
        """How many spans of the step, below no other, have begun."""
        return self._roots

    def __call__(self, span_name: str, span_dependencies: Sequence[str] | None = None) -> ActionSpanTracer:
        """Returns a span to be entered by `with` or `async with`.

        Raises:
            TracingFault: its name is no text.
        """
        if not isinstance(span_name, str) or not span_name:
            raise TracingFault(f"a span is named by text, not by {span_name!r}", hint='Write `with __tracer("name") as span:`.')
        return ActionSpanTracer(self, span_name, [span_dependencies] if isinstance(span_dependencies, str) else list(span_dependencies or ()))

    def log_attributes(self, **attributes: Any) -> None:
        """Notes attributes of the span that is open here, or of the step."""
        span = self.open_span()
        if span is not None:
            span.log_attributes(**attributes)
        else:
            self.spans.attributes.update(duplicate(attributes))
            record_attributes(attributes)
            self.tell_attributes(attributes, None)

    def log_attribute(self, key: str, value: Any) -> None:
        """Notes one attribute."""
        self.log_attributes(**{key: value})

    def open_span(self) -> ActionSpanTracer | None:
        """Returns the innermost span of this step that is open in this context."""
        span = _SPAN.get()
        return span if span is not None and span.tracer is self else None

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Makes `@trace()` functions that are called within make their spans here."""
        tracer, span = _TRACER.set(self), _SPAN.set(None)
        try:
            yield
        finally:
            _SPAN.reset(span)
            _TRACER.reset(tracer)

    def made(self, name: str, parent: ActionSpan | None) -> ActionSpan:
        """Returns a new span of the step, below another or at its root."""
        if parent is not None:
            return parent.spawn(name)
        self._roots += 1
        return ActionSpan(self.action, self.sequence_id, name, None, self._roots - 1)

    def tell(self, hook: str, **given: Any) -> None:
        """Calls the hooks that are not awaited; what they raise is kept in `errors`."""
        try:
            self.lifecycle_adapters.call_all_lifecycle_hooks_sync(hook, **self._known(), **given)
        except Exception as e:
            self.errors.append(e)

    async def tell_awaited(self, hook: str, **given: Any) -> None:
        """Calls and awaits all hooks; what they raise is kept in `errors`."""
        try:
            await self.lifecycle_adapters.call_all_lifecycle_hooks_sync_and_async(hook, **self._known(), **given)
        except Exception as e:
            self.errors.append(e)

    def tell_attributes(self, attributes: dict[str, Any], span: ActionSpan | None) -> None:
        """Tells hooks of attributes: those to be awaited when `flush` is."""
        given = {"attributes": attributes, "span": span, "tags": {}}
        self.tell("do_log_attributes", **given)
        if self.lifecycle_adapters.does_hook("do_log_attributes", is_async=True):
            self._waiting.append(given)

    async def flush(self) -> None:
        """Awaits the hooks that are still to be told of attributes; an async span does so at its end, an async step at its own."""
        waiting, self._waiting = self._waiting, []
        for given in waiting:
            try:
                await self.lifecycle_adapters.call_all_lifecycle_hooks_async("do_log_attributes", **self._known(), **given)
            except Exception as e:
                self.errors.append(e)

    def _known(self) -> dict[str, Any]:
        return {
            "app_id": self.app_id,
            "partition_key": self.partition_key,
            "action": self.action,
            "action_sequence_id": self.sequence_id,
        }

    def raise_errors(self) -> None:
        """Raises the first of what hooks raised, if any did: for when the step is kept."""
        if self.errors:
            errors, self.errors = self.errors, []
            raise errors[0]


class ActionSpanTracer:
    """One span: it begins when it is entered."""

    def __init__(self, tracer: TracerFactory, name: str, dependencies: list[str]) -> None:
        self.tracer, self.name, self.dependencies = tracer, name, dependencies
        self.span: ActionSpan | None = None
        self.place = -1
        self._early: dict[str, Any] = {}
        self._token: Any = None
        self._block: Any = None  # of the record

    @property
    def span_name(self) -> str:
        """The name it was made with."""
        return self.name

    @property
    def top_level_span_count(self) -> int:
        """How many spans of its step, below no other, have begun."""
        return self.tracer.top_level_span_count

    def log_attributes(self, **attributes: Any) -> None:
        """Notes attributes of the span; of one name the last stands."""
        if self.span is None:
            self._early.update(attributes)
            return
        self.tracer.spans.items[self.place].attributes.update(duplicate(attributes))
        self.tracer.tell_attributes(attributes, self.span)

    def log_attribute(self, key: str, value: Any) -> None:
        """Notes one attribute."""
        self.log_attributes(**{key: value})

    def begin(self) -> dict[str, Any]:
        """Begins the span; returns what hooks are told.

        Raises:
            TracingFault: it was entered before.
        """
        if self.span is not None:
            raise TracingFault(f"span {self.name!r} was entered before", hint="Make a new one: `with __tracer(...)`.")
        parent = self.tracer.open_span()
        self.span = self.tracer.made(self.name, None if parent is None else parent.span)
        record = SpanRecord(self.name, None if parent is None else parent.place, {}, host.now_us(), dependencies=self.dependencies)
        self.place = self.tracer.spans.add(record)
        return {"span": self.span, "span_dependencies": self.dependencies}

    def end(self, error: BaseException | None) -> dict[str, Any]:
        """Ends the span; returns what hooks are told."""
        record = self.tracer.spans.items[self.place]
        record.ended_us = max(record.started_us, host.now_us())
        if error is not None:
            record.error = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return {"span": self.span, "span_dependencies": self.dependencies}

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        """Makes it the parent of spans that begin within: a generator's body enters and leaves at every item."""
        token = _SPAN.set(self)
        try:
            yield
        finally:
            _SPAN.reset(token)

    def _entered(self) -> Self:
        self._token = _SPAN.set(self)
        self._block = opened_block(self.name)
        if self._early:
            early, self._early = self._early, {}
            self.log_attributes(**early)
        return self

    def _left(self, error: BaseException | None = None) -> None:
        block, self._block = self._block, None
        if block is not None:
            closed_block(block, self.tracer.spans.items[self.place].attributes, error)
        if self._token is not None:
            with contextlib.suppress(ValueError):  # left in another context than it was entered in
                _SPAN.reset(self._token)
            self._token = None

    def __enter__(self) -> Self:
        self.tracer.tell("pre_start_span", **self.begin())
        return self._entered()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._left(error)
        self.tracer.tell("post_end_span", **self.end(error))

    async def __aenter__(self) -> Self:
        await self.tracer.tell_awaited("pre_start_span", **self.begin())
        return self._entered()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left(error)
        given = self.end(error)
        await self.tracer.flush()
        await self.tracer.tell_awaited("post_end_span", **given)


def current_tracer() -> TracerFactory | None:
    """Returns the tracer of the step that runs in this context."""
    return _TRACER.get()


@dataclass(frozen=True, slots=True)
class _Traced:
    """How a function is traced."""

    signature: inspect.Signature | None
    name: str
    inputs: bool
    outputs: bool
    left_out: frozenset[str]

    def span(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ActionSpanTracer | None:
        """Returns the span of a call, its arguments noted; None outside of a step."""
        tracer = _TRACER.get()
        if tracer is None:
            return None
        span = tracer(self.name)
        if self.inputs and self.signature is not None:
            try:
                bound = self.signature.bind(*args, **kwargs)
            except TypeError:  # the call itself will say so
                return span
            span.log_attributes(**{name: value for name, value in bound.arguments.items() if name not in self.left_out})
        return span

    def note(self, span: ActionSpanTracer, value: Any) -> None:
        """Notes what was returned, of a dict what is not left out."""
        if self.outputs and RETURN not in self.left_out:
            kept = value
            if type(value) is dict:
                kept = {name: each for name, each in value.items() if name not in self.left_out}
            span.log_attributes(**{RETURN: kept})


@overload
def trace(function: F, /) -> F: ...
@overload
def trace(
    *,
    capture_inputs: bool = True,
    capture_outputs: bool = True,
    input_filterlist: Sequence[str] = (),
    output_filterlist: Sequence[str] = (),
    span_name: str | None = None,
) -> Callable[[F], F]: ...
def trace(
    function: Any = None,
    /,
    *,
    capture_inputs: bool = True,
    capture_outputs: bool = True,
    input_filterlist: Sequence[str] = (),
    output_filterlist: Sequence[str] = (),
    span_name: str | None = None,
) -> Any:
    """Makes each call of a function within a step a span, named after the function, with arguments and result as attributes.

    `input_filterlist` names arguments that are left out; `output_filterlist`
    keys of a dict that is returned.  Outside of a step the function is as it was.
    """

    def decorate(traced: F) -> F:
        if not callable(traced):
            raise TracingFault(f"@trace() goes above a function, not a {type(traced).__name__}")
        try:
            signature = inspect.signature(traced)
        except ValueError:
            signature = None
        name = str(span_name or getattr(traced, "__name__", type(traced).__name__))
        before = _Traced(signature, name, capture_inputs, False, frozenset(input_filterlist))
        after = _Traced(None, name, False, capture_outputs, frozenset(output_filterlist))
        return cast("F", _wrapped(traced, before, after))

    return decorate if function is None else decorate(function)


def _wrapped(function: Any, before: _Traced, after: _Traced) -> Any:
    if inspect.isasyncgenfunction(function):
        return _wrapped_async_generator(function, before)
    if inspect.isgeneratorfunction(function):
        return _wrapped_generator(function, before)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            span = before.span(args, kwargs)
            if span is None:
                return await function(*args, **kwargs)
            async with span:
                value = await function(*args, **kwargs)
                after.note(span, value)
                return value

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        span = before.span(args, kwargs)
        if span is None:
            return function(*args, **kwargs)
        with span:
            value = function(*args, **kwargs)
            after.note(span, value)
            return value

    return called


@contextlib.contextmanager
def _spanning(span: ActionSpanTracer) -> Iterator[None]:
    """A span that is nobody's parent by itself, as a generator's context is its caller's."""
    with span:
        span._left()
        yield


def _wrapped_generator(function: Any, before: _Traced) -> Any:
    @functools.wraps(function)
    def generated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        span = before.span(args, kwargs)
        if span is None:
            return (yield from function(*args, **kwargs))
        with _spanning(span), contextlib.closing(function(*args, **kwargs)) as items:
            sent = None
            while True:
                with span.within():
                    try:
                        item = items.send(sent)
                    except StopIteration as e:
                        return e.value
                sent = yield item

    return generated


def _wrapped_async_generator(function: Any, before: _Traced) -> Any:
    @functools.wraps(function)
    async def generated(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        span = before.span(args, kwargs)
        items = function(*args, **kwargs)
        if span is None:
            async for item in items:
                yield item
            return
        async with span, contextlib.aclosing(items):
            span._left()
            while True:
                with span.within():
                    try:
                        item = await anext(items)
                    except StopAsyncIteration:
                        return
                yield item

    return generated
