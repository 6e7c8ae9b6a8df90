"""Tasks of parallel actions: each runs a graph as an application of its own, a branch.

A branch is told its parent, has an id that is the same in every replay, and is
recorded as a run of its machine below the parent's step.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gvstore.machine.action_fault import ActionTimeout
from gvstore.machine.attempts import Retry, with_timeout, with_timeout_async
from gvstore.machine.builder import ApplicationBuilder
from gvstore.machine.component import BranchComponent, described
from gvstore.machine.context import ApplicationContext
from gvstore.machine.graph import Graph
from gvstore.machine.halts import Halts
from gvstore.machine.runnable import RunnableGraph, SubgraphType
from gvstore.machine.state import State, is_private
from gvstore.machine.turn import NEXT
from gvstore.machine.view import View
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.machine.application import Application

_COMPONENTS: WeakKeyDictionary[Graph, dict[tuple[str, str, str], BranchComponent]] = WeakKeyDictionary()


@dataclass
class SubGraphTask:
    """What one branch runs: a graph (or an action), with these inputs, from this state.

    Without a state it begins with what its parallel action reads.  Without an
    `application_id` it has one that follows from the parent's, the step, and
    the task's `key`; without a key that is its number.  `retry` tries a branch
    again from the action that failed, `timeout` (seconds) bounds each attempt.
    """

    graph: SubgraphType
    inputs: dict[str, Any] = field(default_factory=dict)
    state: State[Any] | None = None
    application_id: str | None = None
    tracker: Any = None
    state_persister: Any = None
    state_initializer: Any = None
    key: str | None = None
    retry: Retry | None = None
    timeout: float | None = None
    owner: tuple[str, str, str] | None = field(default=None, repr=False, compare=False)  # its action: module, class, name

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"{self.owner[2] if self.owner else 'task'} (branch {self.key or self.application_id})"

    def run(self, parent_context: ApplicationContext) -> State[Any]:
        """Returns the state that its graph ends with.

        Raises:
            ActionTimeout: it took too long, the last time it was tried.
            what an action of it raises.
        """
        app: Application[Any] | None = None
        for delay in self._delays():
            try:
                if app is None:
                    app = self._named(self._builder(parent_context).build())
                    if self._is_over(app):
                        return app.state
                return with_timeout(self, partial(self._run, app))
            except Exception as e:
                if delay is None or self.retry is None or not self.retry.admits(e):
                    raise
                app = None if self._is_left(e) else app
            time.sleep(delay)
        raise AssertionError

    async def arun(self, parent_context: ApplicationContext) -> State[Any]:
        """Returns the state that its graph ends with, as `run`."""
        app: Application[Any] | None = None
        for delay in self._delays():
            try:
                if app is None:
                    app = self._named(await self._builder(parent_context).abuild())
                    if self._is_over(app):
                        return app.state
                return await with_timeout_async(self, partial(self._arun, app))
            except Exception as e:
                if delay is None or self.retry is None or not self.retry.admits(e):
                    raise
                app = None if self._is_left(e) else app
            await asyncio.sleep(delay)
        raise AssertionError

    def _run(self, app: Application[Any]) -> State[Any]:
        app.run(halt_after=self._graph.halt_after or None, inputs=self._inputs)
        return app.state

    async def _arun(self, app: Application[Any]) -> State[Any]:
        await app.arun(halt_after=self._graph.halt_after or None, inputs=self._inputs)
        return app.state

    def _delays(self) -> Sequence[float | None]:
        return (None,) if self.retry is None else (*self.retry.delays(), None)

    def _is_left(self, error: Exception) -> bool:
        """Returns whether the task's own time was over: what still runs then has the application to itself."""
        return isinstance(error, ActionTimeout) and error.action == self.name

    @property
    def _graph(self) -> RunnableGraph:
        return RunnableGraph.create(self.graph)

    @property
    def _inputs(self) -> dict[str, Any]:
        return {name: value for name, value in self.inputs.items() if not name.startswith("__")}

    def _builder(self, context: ApplicationContext) -> ApplicationBuilder[Any]:
        graph = self._graph
        app_id = self.application_id or branch_id(context, self.key or "0", self.state_initializer is not None)
        builder: ApplicationBuilder[Any] = (
            ApplicationBuilder()
            .with_graph(graph.graph)
            .with_spawning_parent(context.app_id, context.sequence_id or 0, context.partition_key)
            .with_identifiers(app_id=app_id, partition_key=context.partition_key)
        )
        if context.parallel_executor_factory is not None:
            builder.with_parallel_executor(context.parallel_executor_factory)
        if self.tracker is not None:
            builder.with_tracker(self.tracker)
        if self.state_persister is not None:
            builder.with_state_persister(self.state_persister)
        state = plain(self.state)
        if self.state_initializer is None:
            return builder.with_entrypoint(graph.entrypoint).with_state(state)
        return builder.initialize_from(
            self.state_initializer, default_state=state, default_entrypoint=graph.entrypoint, resume_at_next_action=True
        )

    def _named(self, app: Application[Any]) -> Application[Any]:
        if self.owner is not None:
            known = _COMPONENTS.setdefault(self._graph.graph, {})
            key = (*self.owner[:2], app.entrypoint)
            app.__gv__ = known.get(key) or known.setdefault(key, BranchComponent(*self.owner[:2], described(app)))
        return app

    def _is_over(self, app: Application[Any]) -> bool:
        """Returns whether what was loaded has come to where it halts."""
        position = app.position
        if position is None or self.state_initializer is None or NEXT in app.state:
            return False
        return position in Halts(app.graph, (), self._graph.halt_after).after or not app.has_next_action()


def branch_id(context: ApplicationContext, key: str, resumes: bool = False) -> str:
    """Returns the id of a branch: the same whenever the same step of the same application has a task of this key.

    A step that failed and is tried again has another number; a branch that
    `resumes` has the id of the first attempt, to go on from where it was then.
    """
    step = context.first_attempt if resumes and context.first_attempt is not None else context.sequence_id
    return ObjectId.of(f"{context.app_id}\0{step or 0}\0{key}".encode()).hex()


def plain(state: State[Any] | Mapping[str, Any] | None) -> State[Any]:
    """Returns the fields of a state that are not the machine's own, without a type: what a branch begins with."""
    if state is None:
        return State()
    given: State[Any] = State(state.seen() if isinstance(state, View) else state)
    own = [name for name in given if is_private(name)]
    return given.wipe(delete=own) if own else given
