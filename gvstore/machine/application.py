"""A state machine that runs: a graph, a state, and where in the graph it is.

    action, result, state = application.step(inputs={"prompt": "hi"})
    action, result, state = application.run(halt_after=["answer"])
    state, results = application.run(until="answer")
    for action, result, state in application.iterate(halt_before=["ask"], max_steps=100): ...

Everything that runs has a twin that is awaited: `astep arun aiterate
astream_result astream_iterate`.  How one step goes: `turn.py`, `walk.py`; how a
call goes: `call.py`; where it stops: `halts.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from gvstore.machine import call, call_stream
from gvstore.machine.application_graph import ApplicationGraph
from gvstore.machine.component import machine_component
from gvstore.machine.context import ApplicationContext
from gvstore.machine.execution import function_of
from gvstore.machine.graph import Graph
from gvstore.machine.lifecycle import HOOKS, LifecycleAdapterSet
from gvstore.machine.node import name_of
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.saver import OnEvery, Saver
from gvstore.machine.state import State
from gvstore.machine.stream_result import AsyncStreamingResultContainer, StreamingResultContainer
from gvstore.machine.turn import ERRORS, NEXT, Turn

if TYPE_CHECKING:
    from gvstore.journal.run import Run
    from gvstore.machine.builder import ApplicationBuilder
    from gvstore.machine.execution import Execution
    from gvstore.machine.finding import Finding
    from gvstore.machine.visualize import Drawing

S = TypeVar("S")
Names = str | Iterable[str] | None
Inputs = Mapping[str, Any] | None
PRIOR_STEP = "__PRIOR_STEP"
SEQUENCE_ID = "__SEQUENCE_ID"


class Application(Generic[S]):
    """A machine with its state.  `ApplicationBuilder` makes it.

    In every method `inputs` are given to each step whose action takes them, and
    `max_steps` bounds a call: TooManySteps is raised when it would go on.
    `halt_before`, `halt_after` and `until` take names and "@tag:name"s, one or
    several; `until_all` those that must all have run.

    What its calls raise: what an action raises, unless an error transition takes
    it; UnknownInput, MissingInputs and AsyncAction before anything runs of a
    step; MachineFault for halts that cannot be reached; MissingKeys if the
    state lacks what a condition reads.  The state is always that after the last
    step that went well.
    """

    def __init__(
        self,
        state: State[S] | Mapping[str, Any] | None = None,
        entrypoint: str | None = None,
        partition_key: str | None = None,
        uid: str | None = None,
        sequence_id: int | None = None,
        graph: Graph | None = None,
        state_persister: Any = None,
        state_initializer: Any = None,
        adapter_set: LifecycleAdapterSet | None = None,
        builder: ApplicationBuilder[S] | None = None,
        fork_parent_pointer: ParentPointer | None = None,
        spawning_parent_pointer: ParentPointer | None = None,
        tracker: Any = None,
        parallel_executor_factory: Callable[[], Any] | None = None,
        *,
        on_every: OnEvery = "step",
        position: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        """Takes what a builder gathers; nothing is validated here.

        Raises:
            TypeError: no graph is given.
            UnknownAction: the graph has no such entrypoint or position.
        """
        if graph is None:
            raise TypeError("an application has a graph: ApplicationBuilder().with_actions(...).build() makes both")
        self._graph = ApplicationGraph.of(graph, entrypoint)
        self._state: State[Any] = state if isinstance(state, State) else State(state or {})
        self._position, self._sequence_id = position, sequence_id
        self._partition_key, self._uid, self._is_named = partition_key, uid if uid is not None else str(uuid.uuid4()), uid is not None
        self._state_persister, self._state_initializer = state_persister, state_initializer
        self._saver = None if state_persister is None else Saver(state_persister, on_every)
        self._builder, self._findings = builder, tuple(findings)
        self._parent_pointer, self._spawning_parent_pointer = fork_parent_pointer, spawning_parent_pointer
        self._tracker, self._parallel_executor_factory = tracker, parallel_executor_factory
        self.last_run: Run[Any] | None = None  # what its last call was recorded as
        self._error: BaseException | None = None
        self._failing: tuple[str, int] | None = None  # the action that raised, and the number of its first attempt
        self._checked: set[Any] = set()
        self._turn: Turn | None = None  # the step that is not over
        self._set_hooks(adapter_set if adapter_set is not None else LifecycleAdapterSet())
        self._adopt_private()
        self.__gv__ = machine_component(self, function_of(self))
        if self._position is not None:
            self._graph.get_action(self._position)
        if "post_application_create" in self._hooked:
            self._hooks.call_all_lifecycle_hooks_sync(
                "post_application_create",
                app_id=self._uid,
                partition_key=partition_key,
                state=self._state,
                application_graph=self._graph,
                parent_pointer=fork_parent_pointer,
                spawning_parent_pointer=spawning_parent_pointer,
            )

    def _set_hooks(self, hooks: LifecycleAdapterSet) -> None:
        self._hooks = hooks
        self._hooked = frozenset(name for name in HOOKS if hooks.does_hook(name, False))
        self._ahooked = frozenset(name for name in HOOKS if hooks.does_hook(name, True)) | self._hooked

    def _adopt_private(self) -> None:
        """A state that was written for Burr says itself where it is."""
        state = self._state
        if PRIOR_STEP in state or SEQUENCE_ID in state:
            self._position = self._position or state.get(PRIOR_STEP)
            if self._sequence_id is None:
                self._sequence_id = state.get(SEQUENCE_ID)
            self._state = state.wipe(delete=[PRIOR_STEP, SEQUENCE_ID])

    @property
    def state(self) -> State[S]:
        """The state; fields that begin with two underscores are the machine's own."""
        return self._state

    @property
    def graph(self) -> ApplicationGraph:
        """The graph, with its entrypoint."""
        return self._graph

    @property
    def entrypoint(self) -> str:
        """The name of the action that runs first."""
        return name_of(self._graph.entrypoint)

    @property
    def position(self) -> str | None:
        """The name of the action that ran last, or None."""
        return self._position

    @property
    def sequence_id(self) -> int | None:
        """The number of the last step, failed ones counted; the first is 0, None is before it."""
        return self._sequence_id

    @property
    def uid(self) -> str:
        """The application's id, its `app_id`."""
        return self._uid

    @property
    def is_named(self) -> bool:
        """Whether its id was given to it, and is the same in the next process."""
        return self._is_named

    @property
    def partition_key(self) -> str | None:
        """What parts applications, by user for example."""
        return self._partition_key

    @property
    def parent_pointer(self) -> ParentPointer | None:
        """The step that this application was forked from."""
        return self._parent_pointer

    @property
    def spawning_parent_pointer(self) -> ParentPointer | None:
        """The step that started this application."""
        return self._spawning_parent_pointer

    @property
    def error(self) -> BaseException | None:
        """What the last step raised, if an error transition took it and the next has not run yet."""
        return self._error

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found when it was built, none of it fatal."""
        return self._findings

    @property
    def builder(self) -> ApplicationBuilder[S] | None:
        """The builder that made it, if one did."""
        return self._builder

    @property
    def context(self) -> ApplicationContext:
        """What an action that ran now would be given as `__context`."""
        return ApplicationContext(
            self._uid,
            self._partition_key,
            self._sequence_id,
            self._tracker,
            self._parallel_executor_factory,
            self._state_initializer,
            self._state_persister,
            None,
            self._error,
        )

    def has_next_action(self) -> bool:
        """Returns whether there is a next step."""
        return self.get_next_action() is not None

    def get_next_action(self) -> Any | None:
        """Returns the action that the next step runs, or None at the end."""
        state = self._state
        if NEXT in state:
            return self._graph.get_action(state.peek(NEXT)[0])
        return self._graph.get_next_node(self._position, state, "") if self._position is not None else self._graph.entrypoint

    def reset_to_entrypoint(self) -> None:
        """Makes the entrypoint the next action; the state stays."""
        self._position, self._error, self._failing = None, None, None
        if NEXT in self._state or ERRORS in self._state:
            self._state = self._state.wipe(delete=[NEXT, ERRORS])

    def update_state(self, new_state: State[S] | Mapping[str, Any]) -> None:
        """Replaces the state.  Raises TypeError if it is none, nor a dict."""
        if not isinstance(new_state, Mapping):
            raise TypeError(f"a state is replaced by a state or a dict, not by {new_state!r}: update_state(application.state.update(...))")
        given = new_state if isinstance(new_state, State) else State(new_state)
        self._state = given.with_typing_system(self._state._typing) if self._state._typing is not None else given
        self._adopt_private()

    def fork(
        self,
        state: State[S] | None = None,
        position: str | None = None,
        sequence_id: int | None = None,
        app_id: str | None = None,
        partition_key: str | None = None,
    ) -> Application[S]:
        """Returns an application of the same graph, hooks and type that is somewhere else; no persister is told of it.

        What is not given is as it is here; given a state, position and sequence_id are those given.
        """
        made: Application[S] = Application.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._saver, made._state_persister, made._error, made.last_run = None, None, None, None
        made._turn = None
        if state is not None:
            made._failing = None
            made._state, made._position, made._sequence_id = state, position, sequence_id
            if self._state._typing is not None:
                made._state = state.with_typing_system(self._state._typing)
            made._adopt_private()
        if app_id is not None and app_id != self._uid:
            made._is_named = True
            made._uid, made._parent_pointer = app_id, ParentPointer(self._uid, self._partition_key, self._sequence_id)
        if partition_key is not None:
            made._partition_key = partition_key
        return made

    def step(self, inputs: Inputs = None) -> tuple[Any, Any, State[S]] | None:
        """Runs the next action and returns (action, result, state); None at the end."""
        return call.step(self, call.given(self, "step", inputs=inputs))

    async def astep(self, inputs: Inputs = None) -> tuple[Any, Any, State[S]] | None:
        """Runs the next action, as `step`."""
        return await call.astep(self, call.given(self, "astep", inputs=inputs))

    def iterate(
        self,
        halt_before: Names = None,
        halt_after: Names = None,
        inputs: Inputs = None,
        *,
        until: Names = None,
        until_all: Names = None,
        max_steps: int | None = None,
    ) -> Generator[tuple[Any, Any, State[S]], None, Any]:
        """Yields (action, result, state) of each step; always runs one, if there is one.

        Its value (of StopIteration) is what `run` returns: (action, result, state) of
        the last step, or of the next action with None as its result, if it stops
        before it; with `until`, (state, results of all steps).
        """
        asked = call.given(self, "iterate", halt_before, halt_after, inputs, until, until_all, max_steps)
        return call.iterate(self, asked)

    def aiterate(
        self,
        halt_before: Names = None,
        halt_after: Names = None,
        inputs: Inputs = None,
        *,
        until: Names = None,
        until_all: Names = None,
        max_steps: int | None = None,
    ) -> AsyncGenerator[tuple[Any, Any, State[S]], None]:
        """Yields (action, result, state) of each step, as `iterate`."""
        asked = call.given(self, "aiterate", halt_before, halt_after, inputs, until, until_all, max_steps)
        return call.aiterate(self, asked)

    @overload
    def run(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None,
        *, until: None = None, until_all: None = None, max_steps: int | None = None,
    ) -> tuple[Any, Any, State[S]]: ...  # fmt: skip
    @overload
    def run(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None,
        *, until: str | Iterable[str], until_all: Names = None, max_steps: int | None = None,
    ) -> tuple[State[S], list[Any]]: ...  # fmt: skip
    @overload
    def run(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None,
        *, until: None = None, until_all: str | Iterable[str], max_steps: int | None = None,
    ) -> tuple[State[S], list[Any]]: ...  # fmt: skip
    def run(
        self,
        halt_before: Names = None,
        halt_after: Names = None,
        inputs: Inputs = None,
        *,
        until: Names = None,
        until_all: Names = None,
        max_steps: int | None = None,
    ) -> Any:
        """Runs until it halts or ends; returns (action, result, state), or with `until` (state, results), as `iterate` says."""
        asked = call.given(self, "run", halt_before, halt_after, inputs, until, until_all, max_steps)
        return call.run(self, asked)

    @overload
    async def arun(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None,
        *, until: None = None, until_all: None = None, max_steps: int | None = None,
    ) -> tuple[Any, Any, State[S]]: ...  # fmt: skip
    @overload
    async def arun(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None,
        *, until: str | Iterable[str], until_all: Names = None, max_steps: int | None = None,
    ) -> tuple[State[S], list[Any]]: ...  # fmt: skip
    @overload
    async def arun(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None,
        *, until: None = None, until_all: str | Iterable[str], max_steps: int | None = None,
    ) -> tuple[State[S], list[Any]]: ...  # fmt: skip
    async def arun(
        self,
        halt_before: Names = None,
        halt_after: Names = None,
        inputs: Inputs = None,
        *,
        until: Names = None,
        until_all: Names = None,
        max_steps: int | None = None,
    ) -> Any:
        """Runs until it halts or ends, as `run`."""
        asked = call.given(self, "arun", halt_before, halt_after, inputs, until, until_all, max_steps)
        return await call.arun(self, asked)

    def proceed(
        self,
        halt_before: Names = None,
        halt_after: Names = None,
        inputs: Inputs = None,
        limit: int | None = None,
        *,
        execution: Execution | None = None,
    ) -> Generator[tuple[Any, Any, State[S]], None, Any]:
        """Yields steps as `iterate` does, within an execution that is open, or one of its own: what other calls are made of."""
        asked = call.given(self, "iterate", halt_before, halt_after, inputs, max_steps=limit)
        return call.iterate(self, asked) if execution is None else call.proceed(self, asked, execution)

    def aproceed(
        self,
        halt_before: Names = None,
        halt_after: Names = None,
        inputs: Inputs = None,
        limit: int | None = None,
        *,
        execution: Execution | None = None,
    ) -> AsyncGenerator[tuple[Any, Any, State[S]], None]:
        """Yields steps as `aiterate` does, as `proceed`."""
        asked = call.given(self, "aiterate", halt_before, halt_after, inputs, max_steps=limit)
        return call.aiterate(self, asked) if execution is None else call.aproceed(self, asked, execution)

    def stream_result(
        self, halt_after: Names = None, halt_before: Names = None, inputs: Inputs = None, *, max_steps: int | None = None
    ) -> tuple[Any, StreamingResultContainer]:
        """Runs up to an action of `halt_after`, and returns it with what it streams: the step ends with the stream.

        An action that does not stream has run when it is returned; its container
        holds its result.
        """
        asked = call.given(self, "stream_result", halt_before, halt_after, inputs, max_steps=max_steps)
        return call_stream.stream_result(self, asked)

    async def astream_result(
        self, halt_after: Names = None, halt_before: Names = None, inputs: Inputs = None, *, max_steps: int | None = None
    ) -> tuple[Any, AsyncStreamingResultContainer]:
        """Runs up to an action of `halt_after`, as `stream_result`."""
        asked = call.given(self, "astream_result", halt_before, halt_after, inputs, max_steps=max_steps)
        return await call_stream.astream_result(self, asked)

    def stream_iterate(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None, *, max_steps: int | None = None
    ) -> Generator[tuple[Any, StreamingResultContainer], None, Any]:
        """Yields each action with what it streams; what is left of a stream is run through before the next."""
        asked = call.given(self, "stream_iterate", halt_before, halt_after, inputs, max_steps=max_steps)
        return call_stream.stream_iterate(self, asked)

    def astream_iterate(
        self, halt_before: Names = None, halt_after: Names = None, inputs: Inputs = None, *, max_steps: int | None = None
    ) -> AsyncGenerator[tuple[Any, AsyncStreamingResultContainer], None]:
        """Yields each action with what it streams, as `stream_iterate`."""
        asked = call.given(self, "astream_iterate", halt_before, halt_after, inputs, max_steps=max_steps)
        return call_stream.astream_iterate(self, asked)

    def visualize(
        self,
        output_file_path: Any = None,
        include_conditions: bool = False,
        include_state: bool = False,
        view: bool = False,
        engine: str = "graphviz",
        write_dot: bool = False,
        **engine_kwargs: Any,
    ) -> Drawing:
        """Returns a drawing, and writes it where a path is given, in the form that its suffix says; see `visualize.visualize`."""
        from gvstore.machine.visualize import visualize

        return visualize(
            self._graph,
            output_file_path,
            include_conditions=include_conditions,
            include_state=include_state,
            view=view,
            engine=engine,
            write_dot=write_dot,
            **engine_kwargs,
        )

    def __repr__(self) -> str:
        where = f"after {self._position}" if self._position is not None else f"before {self.entrypoint}"
        return f"<Application {self._uid}: {where}, step {self._sequence_id}>"
