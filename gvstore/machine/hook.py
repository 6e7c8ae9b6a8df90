"""What a program may be told of its machine: one class a moment, to be derived from; a class may derive from several.

Hooks observe: they alter nothing.  Each is called with keywords; those that a
hook has no use for go into its `**future_kwargs`, and so do those that later
versions add.  Twins that are awaited: `hook_async.py`.  What calls them: `lifecycle.py`.
"""

from __future__ import annotations

import abc
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gvstore.machine.action_class import Action
    from gvstore.machine.application_graph import ApplicationGraph
    from gvstore.machine.pointer import ParentPointer
    from gvstore.machine.span import ActionSpan
    from gvstore.machine.state import State


class ExecuteMethod(StrEnum):
    """The method of an application that was called."""

    step = "step"
    astep = "astep"
    iterate = "iterate"
    aiterate = "aiterate"
    run = "run"
    arun = "arun"
    stream_result = "stream_result"
    astream_result = "astream_result"
    stream_iterate = "stream_iterate"
    astream_iterate = "astream_iterate"


class LifecycleAdapter(abc.ABC):  # noqa: B024 - what is abstract stands in the hooks
    """The root of all hooks."""


class PreRunStepHook(LifecycleAdapter):
    """Told before each step."""

    @abc.abstractmethod
    def pre_run_step(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        state: State[Any],
        action: Action,
        inputs: dict[str, Any],
        **future_kwargs: Any,
    ) -> None:
        """Called before an action runs, with the state that it will see."""


class PostRunStepHook(LifecycleAdapter):
    """Told after each step, failed ones too."""

    @abc.abstractmethod
    def post_run_step(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        state: State[Any],
        action: Action,
        result: dict[str, Any] | None,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Called after an action ran, with the state that it made, or after it raised `exception`, with the state that it had seen."""


class PostApplicationCreateHook(LifecycleAdapter):
    """Told once an application is built."""

    @abc.abstractmethod
    def post_application_create(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        state: State[Any],
        application_graph: ApplicationGraph,
        parent_pointer: ParentPointer | None,
        spawning_parent_pointer: ParentPointer | None,
        **future_kwargs: Any,
    ) -> None:
        """Called when an application was built; `parent_pointer` says what it was forked from, `spawning_parent_pointer` which step started it."""


class PreApplicationExecuteCallHook(LifecycleAdapter):
    """Told before each call of `run`, `step` and the like."""

    @abc.abstractmethod
    def pre_run_execute_call(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        state: State[Any],
        method: ExecuteMethod,
        **future_kwargs: Any,
    ) -> None:
        """Called before the application begins with what `method` says."""


class PostApplicationExecuteCallHook(LifecycleAdapter):
    """Told after each call of `run`, `step` and the like."""

    @abc.abstractmethod
    def post_run_execute_call(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        state: State[Any],
        method: ExecuteMethod,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Called when that call ended, or raised `exception`."""


class PreStartSpanHook(LifecycleAdapter):
    """Told when a span begins."""

    @abc.abstractmethod
    def pre_start_span(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        action: str,
        action_sequence_id: int,
        span: ActionSpan,
        span_dependencies: list[str],
        **future_kwargs: Any,
    ) -> None:
        """Called when a stretch of an action that the program traces begins; `span_dependencies` are names of spans that it needs."""


class PostEndSpanHook(LifecycleAdapter):
    """Told when a span ends."""

    @abc.abstractmethod
    def post_end_span(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        action: str,
        action_sequence_id: int,
        span: ActionSpan,
        span_dependencies: list[str],
        **future_kwargs: Any,
    ) -> None:
        """Called when the span ended, by an exception too."""


class DoLogAttributeHook(LifecycleAdapter):
    """Told what a program logs within a step."""

    @abc.abstractmethod
    def do_log_attributes(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        action: str,
        action_sequence_id: int,
        attributes: dict[str, Any],
        span: ActionSpan | None,
        tags: dict[str, Any],
        **future_kwargs: Any,
    ) -> None:
        """Called when attributes are logged to a span, or, without one, to the step."""


class PreStartStreamHook(LifecycleAdapter):
    """Told before the first item of a streaming action."""

    @abc.abstractmethod
    def pre_start_stream(
        self,
        *,
        action: str,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        **future_kwargs: Any,
    ) -> None:
        """Called when a stream begins."""


class PostStreamItemHook(LifecycleAdapter):
    """Told each item of a streaming action."""

    @abc.abstractmethod
    def post_stream_item(
        self,
        *,
        item: Any,
        item_index: int,
        stream_initialize_time: datetime,
        first_stream_item_start_time: datetime,
        action: str,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        **future_kwargs: Any,
    ) -> None:
        """Called after each item; `item_index` counts from 0, times are aware, in UTC."""


class PostEndStreamHook(LifecycleAdapter):
    """Told after the last item of a streaming action."""

    @abc.abstractmethod
    def post_end_stream(
        self,
        *,
        action: str,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        **future_kwargs: Any,
    ) -> None:
        """Called when a stream ended."""
