"""Actions that run tasks in parallel, and reduce what they come to into one state.

    class Ask(TaskBasedParallelAction):
        limit, fail = 8, "all"
        def tasks(self, state, context, inputs): yield SubGraphTask(graph=..., state=..., key=...)
        def reduce(self, state, states): return state.update(answers=[each["answer"] for each in states])

Each task is an application of its own: what a branch does reaches the step's
state through `reduce` alone, and a branch that fails leaves no trace in it.
"""

from __future__ import annotations

import abc
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from gvstore.machine.action_class import SingleStepAction, is_async
from gvstore.machine.action_fault import AsyncAction, WrongReturn, shown
from gvstore.machine.application_graph import ApplicationGraph
from gvstore.machine.attempts import retry_of, timeout_of
from gvstore.machine.component import BranchComponent
from gvstore.machine.context import ApplicationContext
from gvstore.machine.fan import FAILS, Results, arun_all, run_all
from gvstore.machine.finding import meant
from gvstore.machine.parallel_fault import TaskFault
from gvstore.machine.runnable import RunnableGraph
from gvstore.machine.state import State
from gvstore.machine.task import SubGraphTask, branch_id, plain
from gvstore.machine.terms import Terms
from gvstore.machine.view import View

CONTEXT: Final = "__context"
_BY_PLACE: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_YIELD: Final = "Type `yield SubGraphTask(graph=action, inputs=inputs, state=state)` in tasks()."


class TaskBasedParallelAction(SingleStepAction, abc.ABC):
    """An action that runs the tasks which `tasks` yields, and reduces their states into one.

    `limit` is how many run at once.  `fail` says what a branch's failure is:
    "fast" begins no other and raises the first, "all" lets all end and raises
    BranchesFailed, "keep" hands it to `reduce`, a BranchFailure in the place of
    a state.  `task_retry` and `task_timeout` are those of tasks that have none
    of their own; `retry` and `timeout` are the whole step's.  `least` is how
    few tasks there may be.
    """

    limit: int | None = None
    fail: str = "fast"
    task_retry: Any = None
    task_timeout: float | None = None
    least: int = 1
    _branches: ClassVar[BranchComponent]

    def __init__(self) -> None:
        super().__init__()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._branches = BranchComponent(cls.__module__, cls.__qualname__)

    @abc.abstractmethod
    def tasks(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Yields the tasks; `async def` where it has something to await."""

    @abc.abstractmethod
    def reduce(self, state: State[Any], states: Any) -> Any:
        """Returns the step's state, of the states that the tasks ended with, in their order."""

    @property
    def inputs(self) -> Any:
        """The inputs that it must be given, or these and those that it may, as a pair of lists."""
        return [CONTEXT]

    def is_async(self) -> bool:
        """Returns whether it has to be awaited: here, if one of its methods has; override it where branches are async and no method is."""
        return any(is_async(each) for each in self._methods())

    def _methods(self) -> Iterable[Callable[..., Any]]:
        return (self.tasks, self.reduce)

    def _worked_out(self, label: str, reads: Any, writes: Any) -> Terms:
        _check_rules(self, label)
        terms = super()._worked_out(label, reads, writes)
        return terms if CONTEXT in terms.private else replace(terms, private={**terms.private, CONTEXT: CONTEXT})

    def run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns ({}, state); something to await, if it is async.

        Raises:
            TaskFault: its tasks cannot be meant.
            WrongReturn: `reduce` returns no state.
            what a branch raises, as `fail` says.
        """
        return self._arun(state, run_kwargs) if self.is_async() else self._run(state, run_kwargs)

    def _run(self, state: State[Any], inputs: dict[str, Any]) -> tuple[dict[str, Any], State[Any]]:
        context, begun = self._begun(state, inputs)
        tasks = self._prepared(listed(called(self.tasks, begun, context, inputs), self._label, "tasks"), context, begun, inputs)
        for task in tasks:
            self._check_sync(task)
        results = run_all(tasks, context, self._label, self.fail, self.limit)
        return {}, self._reduced(self.reduce(state, Results(results)))

    async def _arun(self, state: State[Any], inputs: dict[str, Any]) -> tuple[dict[str, Any], State[Any]]:
        context, begun = self._begun(state, inputs)
        given = await alisted(called(self.tasks, begun, context, inputs), self._label, "tasks")
        tasks = self._prepared(given, context, begun, inputs)
        results = await arun_all(tasks, context, self._label, self.fail, self.limit)
        made = self.reduce(state, Results(results))
        return {}, self._reduced(await made if inspect.isawaitable(made) else made)

    @property
    def _label(self) -> str:
        return self.name or type(self).__name__

    def _begun(self, state: State[Any], inputs: Mapping[str, Any]) -> tuple[ApplicationContext, State[Any]]:
        context = inputs.get(CONTEXT)
        if context is None:
            raise TaskFault(f"action {self._label} runs its branches below an application, and is in none", hint="Put it into one: ApplicationBuilder().with_actions(...).")
        return context, state.seen() if isinstance(state, View) else state

    def _reduced(self, made: Any) -> State[Any]:
        if isinstance(made, State):
            return made
        if inspect.iscoroutine(made):
            made.close()
        returned = "something to await: the action is not async" if inspect.isawaitable(made) else shown(made)
        raise WrongReturn(self._label, f"must return a State from reduce, and returned {returned}", "reduce(state, states) returns state.update(key=...).")

    def _prepared(self, given: Sequence[Any], context: ApplicationContext, state: State[Any], inputs: Mapping[str, Any]) -> list[SubGraphTask]:
        """Returns the tasks with all that they need, each known by its own id.

        Raises:
            TaskFault: one is no task, two are the same, or there are too few.
        """
        label, own = self._label, self.terms()
        if len(given) < self.least:
            raise TaskFault(f"action {label} has {len(given)} tasks, and at least {self.least} is expected", hint="`least = 0` in the class lets reduce() be called without any.")
        owner = (*self._owner, label)
        taken = {*own.required, *own.optional}
        tasks: list[SubGraphTask] = []
        seen: dict[str, int] = {}
        graphs: dict[int, RunnableGraph] = {}
        for at, each in enumerate(given):
            if not isinstance(each, SubGraphTask):
                raise TaskFault(f"task {at} of action {label} is no SubGraphTask: it is {shown(each)}", hint=_YIELD)
            key = str(at) if each.key is None else str(each.key)
            app_id = each.application_id
            if app_id is None:
                app_id = branch_id(context, key, each.state_initializer is not None)
            if app_id in seen:
                what = f"key {key!r}" if each.key is not None else f"application_id {app_id!r}"
                raise TaskFault(f"tasks {seen[app_id]} and {at} of action {label} have the same {what}", hint="Give each its own, or none: then it is known by its number.")
            seen[app_id] = at
            graph = graphs.get(id(each.graph)) or graphs.setdefault(id(each.graph), RunnableGraph.create(each.graph))
            tasks.append(replace(
                each, graph=graph, key=key, application_id=app_id, owner=owner,
                inputs=_inputs(each.inputs, graph, taken, f"task {at} of action {label}"),
                state=_state(each.state, state, f"task {at} of action {label}"),
                retry=retry_of(self.task_retry if each.retry is None else each.retry),
                timeout=timeout_of(self.task_timeout if each.timeout is None else each.timeout),
            ))  # fmt: skip
        return tasks

    @property
    def _owner(self) -> tuple[str, str]:
        return type(self).__module__, type(self).__qualname__

    def _check_sync(self, task: SubGraphTask) -> None:
        for action in RunnableGraph.create(task.graph).graph.actions:
            terms = action.terms()  # type: ignore[attr-defined]
            if terms.is_async:
                raise AsyncAction(
                    self._label, f"runs {terms.label}, which is async, in branch {task.key}, and is itself not",
                    "Type `def is_async(self): return True` in its class, and run the application with arun().",
                )  # fmt: skip


def _check_rules(action: TaskBasedParallelAction, label: str) -> None:
    if action.fail not in FAILS:
        hint = meant(str(action.fail), FAILS, f"There are: {', '.join(FAILS)}.")
        raise TaskFault(f"fail={action.fail!r} of action {label} is no way to fail", hint=hint)
    for name, fewest in (("limit", 1), ("least", 0)):
        value = getattr(action, name)
        if (value is None and name == "limit") or (isinstance(value, int) and not isinstance(value, bool) and value >= fewest):
            continue
        raise TaskFault(f"{name}={value!r} of action {label}: it is a whole number, at least {fewest}", hint="Leave it out for no limit." if fewest else "Type least = 0.")
    retry_of(action.task_retry)
    timeout_of(action.task_timeout)


def _inputs(given: Any, graph: RunnableGraph, taken: set[str], where: str) -> dict[str, Any]:
    """Returns a branch's inputs: of those that the parallel action takes itself only what the branch takes."""
    if not isinstance(given, Mapping):
        raise TaskFault(f"inputs of {where} are {shown(given)}, and no dict of names and values", hint='Type inputs={"name": value}.')
    takers = ApplicationGraph.of(graph.graph).takers
    return {name: value for name, value in given.items() if not name.startswith("__") and (name in takers or name not in taken)}


def _state(given: Any, default: State[Any], where: str) -> State[Any]:
    if given is None:
        return plain(default)
    if not isinstance(given, State | Mapping):
        raise TaskFault(f"the state of {where} is {shown(given)}, and no State", hint="Type state=state.update(key=value).")
    return plain(given)


def called(method: Callable[..., Any], state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
    """Returns what a program's method answers, which takes the state and, by name or in this order, context and inputs."""
    try:
        found = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return method(state, context, inputs)
    given = {"context": context, "inputs": inputs}
    named = {each.name: given[each.name] for each in found if each.name in given and each.kind is not inspect.Parameter.POSITIONAL_ONLY}
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in found):
        return method(state, **named) if named else method(state, context, inputs)
    count = sum(each.kind in _BY_PLACE and each.name not in named for each in found)
    return method(*(state, context, inputs)[: min(count, 1) if named else count], **named)


def listed(given: Any, action: str, what: str) -> list[Any]:
    """Returns what a program's method yielded or returned, as a list; one alone is one.

    Raises:
        TaskFault: it is nothing.
        AsyncAction: it is to be awaited.
    """
    if inspect.iscoroutine(given):
        given.close()
    if inspect.isawaitable(given) or isinstance(given, AsyncIterable):
        hint = "Type `def is_async(self): return True` in its class, and run the application with arun()."
        raise AsyncAction(action, f"has async {what}, and is itself not", hint)
    return _list(given, action, what)


async def alisted(given: Any, action: str, what: str) -> list[Any]:
    """Returns what a program's method yielded or returned, as `listed`; it may be async."""
    if inspect.isawaitable(given):
        given = await given
    return [each async for each in given] if isinstance(given, AsyncIterable) else _list(given, action, what)


def _list(given: Any, action: str, what: str) -> list[Any]:
    if given is None:
        raise TaskFault(f"{what}() of action {action} returned None: is there a `yield`?", hint=_YIELD if what == "tasks" else "Yield each, or return a list.")
    alone = isinstance(given, State | SubGraphTask | str | bytes | Mapping) or not isinstance(given, Iterable)
    return [given] if alone else list(given)
