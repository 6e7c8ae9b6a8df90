"""The step from an application to its persister: a hook that saves, and gives each persister what it takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gvstore.machine.hook import PostApplicationCreateHook, PostRunStepHook, PreRunStepHook
from gvstore.machine.hook_async import PostRunStepHookAsync
from gvstore.machine.persister import AsyncBaseStateSaver, BaseStateSaver
from gvstore.machine.pointer import ParentPointer

if TYPE_CHECKING:
    from gvstore.machine.node import Node
    from gvstore.machine.state import State

FURTHER: Final = ("inputs", "result", "exception", "parent", "writer")
"""What is kept of a step beyond Burr's protocol, where `save` takes it by name."""


def taken(saver: BaseStateSaver | AsyncBaseStateSaver) -> frozenset[str]:
    """Returns which of FURTHER a persister's `save` takes by name; its **kwargs are for others."""
    try:
        parameters = inspect.signature(saver.save).parameters.values()
    except ValueError:
        return frozenset()
    return frozenset(FURTHER).intersection(each.name for each in parameters)


def arguments(
    takes: frozenset[str],
    *,
    app_id: str,
    partition_key: str | None,
    sequence_id: int,
    state: State[Any],
    action: Node,
    exception: BaseException | None,
    **further: Any,
) -> dict[str, Any]:
    """Returns what `save` is called with after a step; `further` are values of FURTHER."""
    offered: Mapping[str, Any] = {"exception": exception, **further}
    return {
        "partition_key": partition_key,
        "app_id": app_id,
        "sequence_id": sequence_id,
        "position": action.name or "",
        "state": state,
        "status": "completed" if exception is None else "failed",
        **{name: value for name, value in offered.items() if name in takes},
    }


class _Saving(PreRunStepHook, PostApplicationCreateHook):
    """Remembers what a step is given, until it is saved."""

    def __init__(self, takes: frozenset[str], parent: ParentPointer | None) -> None:
        self._takes, self._parent, self._writer = takes, parent, object()
        self._given: dict[tuple[str, int], dict[str, Any]] = {}

    def post_application_create(self, *, parent_pointer: ParentPointer | None, **future_kwargs: Any) -> None:
        """Notes what the application was forked from."""
        self._parent = parent_pointer or self._parent

    def pre_run_step(self, *, app_id: str, sequence_id: int, inputs: dict[str, Any], **future_kwargs: Any) -> None:
        """Notes the inputs."""
        self._given[app_id, sequence_id] = inputs

    def _arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        inputs = self._given.pop((given["app_id"], given["sequence_id"]), None)
        return arguments(self._takes, **given, inputs=inputs, parent=self._parent, writer=self._writer)


class PersisterHook(_Saving, PostRunStepHook):
    """Saves each step of an application, with inputs, result, exception and parent where the persister takes them."""

    def __init__(self, persister: BaseStateSaver, parent: ParentPointer | None = None) -> None:
        super().__init__(taken(persister), parent)
        self.persister = persister

    def post_run_step(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        state: State[Any],
        action: Node,
        result: dict[str, Any] | None,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Saves the step.  Raises as the persister."""
        given = {
            "app_id": app_id, "partition_key": partition_key, "sequence_id": sequence_id, "state": state, "action": action,
            "result": result, "exception": exception,
        }  # fmt: skip
        self.persister.save(**self._arguments(given))


class PersisterHookAsync(_Saving, PostRunStepHookAsync):
    """The same for a persister that is awaited."""

    def __init__(self, persister: AsyncBaseStateSaver, parent: ParentPointer | None = None) -> None:
        super().__init__(taken(persister), parent)
        self.persister = persister

    async def post_run_step(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        sequence_id: int,
        state: State[Any],
        action: Node,
        result: dict[str, Any] | None,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Saves the step.  Raises as the persister."""
        given = {
            "app_id": app_id, "partition_key": partition_key, "sequence_id": sequence_id, "state": state, "action": action,
            "result": result, "exception": exception,
        }  # fmt: skip
        await self.persister.save(**self._arguments(given))
