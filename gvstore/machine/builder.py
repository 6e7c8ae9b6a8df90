"""Collects what an application is made of; `build` looks at all of it at once.

    application = (
        ApplicationBuilder()
        .with_actions(ask, answer)
        .with_transitions(("ask", "answer"), ("answer", "ask"))
        .with_state(history=[])
        .build()
    )

Without an entrypoint the first action runs first, without a state it begins empty.
"""

from __future__ import annotations

import inspect
import uuid
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast, overload

from gvstore.errors import UsageFault
from gvstore.machine.application import Application
from gvstore.machine.application_fault import MachineWarning
from gvstore.machine.application_graph import ApplicationGraph
from gvstore.machine.draft import Draft
from gvstore.machine.finding import Finding, near
from gvstore.machine.graph import Graph, GraphBuilder, graph_of
from gvstore.machine.lifecycle import LifecycleAdapterSet
from gvstore.machine.origin import Origin, Start, aload, load, start_of, state_of
from gvstore.machine.persister import NotInitialized
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.saver import OnEvery, Saver, is_awaited, why_none
from gvstore.machine.state import State
from gvstore.machine.state_fault import StateTypeError
from gvstore.machine.typing_system import TypingSystem, typing_of
from gvstore.machine.validate import checked, validate

S = TypeVar("S")
T = TypeVar("T")


class BuilderFault(UsageFault, ValueError):
    """What a builder was told contradicts itself."""


class ApplicationBuilder(Generic[S]):
    """What an application is made of, so far; every `with_` returns the builder itself."""

    def __init__(self: ApplicationBuilder[dict[str, Any]]) -> None:
        self._parts = GraphBuilder()
        self._graph: Graph | None = None
        self._entrypoint: str | None = None
        self._state: State[Any] | None = None
        self._typing: TypingSystem[Any] | None = None
        self._adapters: list[Any] = []
        self._tracker: Any = None
        self._app_id: str | None = None
        self._partition_key: str | None = None
        self._sequence_id: int | None = None
        self._persister: Any = None
        self._on_every: OnEvery = "step"
        self._origin: Origin | None = None
        self._reset = False
        self._spawning_parent: ParentPointer | None = None
        self._executor: Callable[[], Any] | None = None

    def with_actions(self, *actions: object, **named: object) -> ApplicationBuilder[S]:
        """Adds actions, and functions decorated with `@action`, by their own names or by those given."""
        self._parts.with_actions(*actions, **named)
        return self

    def with_transitions(self, *transitions: object) -> ApplicationBuilder[S]:
        """Adds transitions: ("from", "to"), (["from", ...], "to"), ("*", "to", condition)."""
        self._parts.with_transitions(*transitions)
        return self

    def with_graph(self, graph: Graph) -> ApplicationBuilder[S]:
        """Adds all that is in a graph.  Raises TypeError if it is none."""
        self._parts.with_graph(graph)
        return self

    def with_graphs(self, *graphs: Graph) -> ApplicationBuilder[S]:
        """Adds all that is in several graphs."""
        for graph in graphs:
            self._parts.with_graph(graph)
        return self

    def with_entrypoint(self, action: str) -> ApplicationBuilder[S]:
        """Names the action that runs first.

        Raises:
            BuilderFault: no name; or `initialize_from` names it already.
        """
        if not isinstance(action, str):
            called = getattr(action, "name", None) or getattr(action, "__name__", "name")
            raise BuilderFault(f"an entrypoint is the name of an action, not {action!r}", hint=f'Type with_entrypoint("{called}").')
        self._apart("with_entrypoint", "default_entrypoint")
        self._entrypoint = action
        return self

    @overload
    def with_state(self, state: State[Any] | Mapping[str, Any] | None = None, **fields: Any) -> ApplicationBuilder[S]: ...
    @overload
    def with_state(self, state: T, **fields: Any) -> ApplicationBuilder[T]: ...
    def with_state(self, state: Any = None, **fields: Any) -> ApplicationBuilder[Any]:
        """Gives what the state begins with: a state, a dict, an instance of its type, single fields; several add up.

        Raises:
            BuilderFault: `initialize_from` gives it already.
            TypeError: no state can be made of it.
        """
        self._apart("with_state", "default_state")
        given = None if state is None else state_of(state)
        merged = self._state if given is None else given if self._state is None else self._state.merge(given)
        self._state = merged if not fields else (merged if merged is not None else State()).update(**fields)
        if given is not None and given._typing is not None and self._typing is None:
            self._typing = given._typing
        return self

    def with_typing(self, typing_system: TypingSystem[T] | type[T]) -> ApplicationBuilder[T]:
        """Says of which type the state is: a typing system, or a pydantic model, dataclass or TypedDict."""
        self._typing = typing_of(typing_system)
        return cast("ApplicationBuilder[T]", self)

    def with_hooks(self, *adapters: Any) -> ApplicationBuilder[S]:
        """Adds hooks.  Raises HookFault if one of them is none."""
        LifecycleAdapterSet(*adapters)
        self._adapters.extend(adapters)
        return self

    def with_tracker(
        self,
        tracker: Any = "local",
        project: str = "default",
        params: Mapping[str, Any] | None = None,
        use_otel_tracing: bool = False,
    ) -> ApplicationBuilder[S]:
        """Adds a tracker: "local" for the files that Burr's tracker writes, or one that was made."""
        if isinstance(tracker, str):
            if tracker != "local":
                raise BuilderFault(f"there is no tracker {tracker!r}", hint='Type with_tracker("local", project="name").')
            from gvstore.machine.tracking import LocalTrackingClient

            tracker = LocalTrackingClient(project=project, **(params or {}))
        if use_otel_tracing:
            from gvstore.machine.lifecycle_otel import OpenTelemetryBridge

            self._adapters.append(OpenTelemetryBridge())
        LifecycleAdapterSet(tracker)
        self._adapters.append(tracker)
        self._tracker = tracker
        return self

    def with_identifiers(
        self, app_id: str | None = None, partition_key: str | None = None, sequence_id: int | None = None
    ) -> ApplicationBuilder[S]:
        """Names the application; with `initialize_from` a sequence_id says which step it goes on from."""
        for name, value in (("app_id", app_id), ("partition_key", partition_key)):
            if value is not None and not isinstance(value, str):
                raise BuilderFault(f"{name} is text, not {value!r}", hint=f'Type {name}="{value}".')
        if app_id == "":
            raise BuilderFault("app_id is empty", hint="Leave it out: an application without an id is given one.")
        if sequence_id is not None and (isinstance(sequence_id, bool) or not isinstance(sequence_id, int) or sequence_id < 0):
            raise BuilderFault(f"sequence_id is the number of a step, not {sequence_id!r}", hint="The first step is 0.")
        self._app_id = app_id if app_id is not None else self._app_id
        self._partition_key = partition_key if partition_key is not None else self._partition_key
        self._sequence_id = sequence_id if sequence_id is not None else self._sequence_id
        return self

    def with_state_persister(self, persister: Any, on_every: OnEvery = "step") -> ApplicationBuilder[S]:
        """Saves steps: every one, every n-th, or ("run") the last of every call; failed ones always.

        Raises:
            SaverFault: it is no persister, or no such interval.
        """
        Saver(persister, on_every)
        self._persister, self._on_every = persister, on_every
        return self

    def initialize_from(
        self,
        initializer: Any,
        resume_at_next_action: bool = True,
        default_state: Mapping[str, Any] | Any | None = None,
        default_entrypoint: str | None = None,
        fork_from_app_id: str | None = None,
        fork_from_partition_key: str | None = None,
        fork_from_sequence_id: int | None = None,
        override_state_values: Mapping[str, Any] | None = None,
    ) -> ApplicationBuilder[S]:
        """Goes on from what a persister has: see `origin.py`.  Where it has nothing of this id, it begins with the defaults.

        Raises:
            BuilderFault: a state or an entrypoint was given otherwise; it is no loader.
        """
        if self._state is not None or self._entrypoint is not None:
            what = "with_state" if self._state is not None else "with_entrypoint"
            problem = f"Cannot call initialize_from() after {what}(): it gives both state and entrypoint"
            raise BuilderFault(problem, hint="Type default_state=, default_entrypoint=.")
        if isinstance(initializer, type) or not callable(getattr(initializer, "load", None)):
            raise BuilderFault(f"{initializer!r} is no persister: it {why_none(initializer, 'load')}", hint="Give an instance of a BaseStateLoader.")
        if override_state_values is not None and not isinstance(override_state_values, Mapping):
            raise BuilderFault(f"override_state_values= is a dict of fields, not {override_state_values!r}", hint='Type {"name": value}.')
        self._origin = Origin(
            initializer,
            resume_at_next_action,
            default_state,
            default_entrypoint,
            fork_from_app_id,
            fork_from_partition_key,
            fork_from_sequence_id,
            override_state_values,
        )
        return self

    def with_spawning_parent(
        self, app_id: str | None, sequence_id: int | None, partition_key: str | None = None
    ) -> ApplicationBuilder[S]:
        """Says which step of which application starts this one; None, that none does."""
        self._spawning_parent = None if app_id is None else ParentPointer(app_id, partition_key, sequence_id)
        return self

    def with_parallel_executor(self, executor_factory: Callable[[], Any]) -> ApplicationBuilder[S]:
        """Gives what makes executors for parallel actions.  Raises BuilderFault if it cannot be called."""
        if not callable(executor_factory):
            raise BuilderFault(
                f"with_parallel_executor() takes a function that makes an executor, not {executor_factory!r}",
                hint="Type with_parallel_executor(lambda: ThreadPoolExecutor(8)).",
            )
        self._executor = executor_factory
        return self

    def reset_to_entrypoint(self) -> ApplicationBuilder[S]:
        """Begins at the entrypoint, whatever is loaded; the state stays."""
        self._reset = True
        return self

    @property
    def is_async(self) -> bool:
        """Whether a persister is to be awaited: then it is built by `await builder.abuild()`."""
        return any(is_awaited(each) for each in self._loaders())

    @property
    def draft(self) -> Draft:
        """The actions and transitions so far."""
        return self._parts.draft

    def findings(self, **context: Any) -> list[Finding]:
        """Returns all that is wrong with actions and transitions so far; `context` as `validate` takes it."""
        return self._parts.findings(**{"entrypoint": self._entrypoint, **context})

    def build(self) -> Application[S]:
        """Returns the application.

        Raises:
            MachineFault: it can't be one; all findings are told.  Those that are not fatal are MachineWarnings.
            ForkFault: there is nothing to fork from.
            BuilderFault: a persister is to be awaited.
            NotInitialized: a persister is not initialized.
            StateTypeError: the state is not of its type.
        """
        if self.is_async:
            raise BuilderFault("a persister of this application is async: build() cannot await it", hint="Type await builder.abuild().")
        self._check_names()
        for each in self._loaders():
            asked = getattr(each, "is_initialized", None)
            if asked is not None and not asked():
                raise NotInitialized(each)
        origin = self._origin
        if origin is None:
            return self._made(Start(None, None, self._sequence_id, self._entrypoint))
        app_id = self._app_id or str(uuid.uuid4())  # a loader is asked in either case: it may know more than ids
        key = origin.source(app_id, self._partition_key, self._sequence_id)
        return self._made(start_of(origin, load(origin, key), self._fresh_id), app_id)

    async def abuild(self) -> Application[S]:
        """Returns the application, as `build`; persisters may be of either kind."""
        self._check_names()
        for each in self._loaders():
            asked = getattr(each, "is_initialized", None)
            ready = asked() if asked is not None else True
            if not (await ready if inspect.isawaitable(ready) else ready):
                raise NotInitialized(each)
        origin = self._origin
        if origin is None:
            return self._made(Start(None, None, self._sequence_id, self._entrypoint))
        app_id = self._app_id or str(uuid.uuid4())
        key = origin.source(app_id, self._partition_key, self._sequence_id)
        return self._made(start_of(origin, await aload(origin, key), self._fresh_id), app_id)

    @property
    def _fresh_id(self) -> int | None:
        return None if self._origin is not None and self._origin.is_fork else self._sequence_id

    def _loaders(self) -> list[Any]:
        return [each for each in (self._persister, self._origin and self._origin.initializer) if each is not None]

    def _apart(self, method: str, keyword: str) -> None:
        if self._origin is not None:
            raise BuilderFault(f"{method}() after initialize_from(), which gives that", hint=f"Type initialize_from(..., {keyword}=...).")

    def _check_names(self) -> None:
        """Tells what is wrong with names before anything is loaded; where nothing is, all is told later."""
        if self._origin is not None:
            checked(validate(self._parts.draft, entrypoint=self._first))

    @property
    def _first(self) -> str | None:
        return self._entrypoint if self._origin is None else self._origin.default_entrypoint

    def _made(self, start: Start, app_id: str | None = None) -> Application[S]:
        state = start.state if start.state is not None else self._state if self._state is not None else State()
        findings = self._validated(state)
        if self._reset:
            start.position = None
        state, entrypoint = self._typed(state), start.entrypoint
        app: Application[S] = Application(
            state=state,
            entrypoint=entrypoint,
            partition_key=self._partition_key,
            uid=self._app_id or app_id,
            sequence_id=start.sequence_id,
            graph=ApplicationGraph.of(graph_of(self._parts.draft), entrypoint),
            state_persister=self._persister,
            state_initializer=self._origin.initializer if self._origin is not None else None,
            adapter_set=LifecycleAdapterSet(*self._adapters),
            builder=self,
            fork_parent_pointer=start.parent,
            spawning_parent_pointer=self._spawning_parent,
            tracker=self._tracker,
            parallel_executor_factory=self._executor,
            on_every=self._on_every,
            position=self._known(start.position, state),
            findings=findings,
        )
        app._is_named = self._app_id is not None
        if self._reset:
            app.reset_to_entrypoint()
        return app

    def _typed(self, state: State[Any]) -> State[Any]:
        system = self._typing
        if system is None:
            return state
        if problems := system.problems(state, partial=True):
            raise StateTypeError(getattr(system, "name", type(system).__name__), problems)
        return state.with_typing_system(system)

    def _validated(self, state: State[Any]) -> list[Finding]:
        findings = checked(validate(self._parts.draft, entrypoint=self._first, state_keys=list(state)))
        for finding in findings:
            warnings.warn(str(finding), MachineWarning, stacklevel=4)
        return findings

    def _known(self, position: str | None, state: State[Any]) -> str | None:
        """Looks whether the graph still has the action that a loaded application is at."""
        names = [name for name, _ in self._parts.draft.nodes]
        ahead = state.peek("__next")[0] if "__next" in state else None
        for name in (position, ahead):
            if name is not None and name not in names:
                found = near(name, names)
                hint = f"Did you rename it to {' or '.join(found)}? " if found else ""
                raise BuilderFault(
                    f"what was loaded is at action {name}, which is not found in the graph",
                    hint=f"{hint}Add it, or begin anew: reset_to_entrypoint(), or resume_at_next_action=False.",
                )
        return position


