"""The hooks of `hook.py` that are awaited: an application's async methods call both kinds, its other methods none of these."""

from __future__ import annotations

import abc
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gvstore.machine.hook import LifecycleAdapter

if TYPE_CHECKING:
    from gvstore.machine.action_class import Action
    from gvstore.machine.hook import ExecuteMethod
    from gvstore.machine.span import ActionSpan
    from gvstore.machine.state import State


class PreRunStepHookAsync(LifecycleAdapter):
    """Told before each step."""

    @abc.abstractmethod
    async def pre_run_step(
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


class PostRunStepHookAsync(LifecycleAdapter):
    """Told after each step, failed ones too."""

    @abc.abstractmethod
    async def post_run_step(
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


class PreApplicationExecuteCallHookAsync(LifecycleAdapter):
    """Told before each call of `run`, `step` and the like."""

    @abc.abstractmethod
    async def pre_run_execute_call(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        state: State[Any],
        method: ExecuteMethod,
        **future_kwargs: Any,
    ) -> None:
        """Called before the application begins with what `method` says."""


class PostApplicationExecuteCallHookAsync(LifecycleAdapter):
    """Told after each call of `run`, `step` and the like."""

    @abc.abstractmethod
    async def post_run_execute_call(
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


class PreStartSpanHookAsync(LifecycleAdapter):
    """Told when a span begins."""

    @abc.abstractmethod
    async def pre_start_span(
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


class PostEndSpanHookAsync(LifecycleAdapter):
    """Told when a span ends."""

    @abc.abstractmethod
    async def post_end_span(
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


class DoLogAttributeHookAsync(LifecycleAdapter):
    """Told what a program logs within a step."""

    @abc.abstractmethod
    async def do_log_attributes(
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


class PreStartStreamHookAsync(LifecycleAdapter):
    """Told before the first item of a streaming action."""

    @abc.abstractmethod
    async def pre_start_stream(
        self,
        *,
        action: str,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        **future_kwargs: Any,
    ) -> None:
        """Called when a stream begins."""


class PostStreamItemHookAsync(LifecycleAdapter):
    """Told each item of a streaming action."""

    @abc.abstractmethod
    async def post_stream_item(
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


class PostEndStreamHookAsync(LifecycleAdapter):
    """Told after the last item of a streaming action."""

    @abc.abstractmethod
    async def post_end_stream(
        self,
        *,
        action: str,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        **future_kwargs: Any,
    ) -> None:
        """Called when a stream ended."""
