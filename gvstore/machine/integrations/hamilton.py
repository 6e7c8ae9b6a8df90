"""Hamilton's graphs of functions as actions.

    from gvstore.machine.integrations.hamilton import Hamilton, from_state, update_state

    generate_image=Hamilton(
        inputs={"prompt_input": from_state("prompt")},
        outputs={"generated_image": update_state("response")},
        driver=driver.Builder().with_modules(images).build(),
    )

What an input names may be an input of the graph or a node of it, which is then
not computed.  The graph's execution is a recorded call below the step, stale
when a function is edited that the outputs need; functions of the graph that
are registered are calls below that.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any, Protocol

from gvstore.errors import UsageFault
from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import ActionFault, shown
from gvstore.machine.attempts import Retry, retry_of, timeout_of
from gvstore.machine.integrations.held_call import HeldCall
from gvstore.machine.integrations.wiring import (
    Output,
    Source,
    Wiring,
    append_state,
    from_input,
    from_state,
    from_value,
    update_state,
)
from gvstore.machine.state import State

__all__ = ["Hamilton", "append_state", "from_input", "from_state", "from_value", "update_state"]


class _Driver(Protocol):
    """What is used of `hamilton.driver.Driver` and `hamilton.async_driver.AsyncDriver`."""

    def list_available_variables(self) -> Iterable[Any]: ...

    def execute(self, final_vars: list[Any], *, overrides: dict[str, Any], inputs: dict[str, Any]) -> Any: ...


class Hamilton(Action):
    """An action that executes a part of a Hamilton graph; async where its driver is."""

    _default: _Driver | None = None

    def __init__(
        self, inputs: Mapping[str, Source], outputs: Mapping[str, Output], driver: Any = None, *,
        tags: Sequence[str] = (), retry: Retry | int | None = None, timeout: float | None = None,
    ) -> None:  # fmt: skip
        """Takes where the graph's inputs come from, where its outputs go, and a driver, or modules to make one of.

        Raises:
            ActionFault: the graph has no such variable, or needs an input that is not given; says which.
            UsageFault: there is no driver, or Hamilton is not installed.
        """
        self._wiring = Wiring("Hamilton", inputs, outputs)
        self._driver = _driver_of(Hamilton._default if driver is None else driver)
        self._tags = list(tags)
        if retry is not None:
            self.retry = retry_of(retry)
        if timeout is not None:
            self.timeout = timeout_of(timeout)
        variables = {each.name: each for each in self._driver.list_available_variables()}
        self._wiring.known("variable of the graph", self._wiring.sources, variables)
        self._wiring.known("variable of the graph", self._wiring.outputs, variables)
        self._external = frozenset(name for name, each in variables.items() if each.is_external_input)
        self._needed = _upstream(self._wiring.outputs, self._wiring.sources, variables)
        self._complain_of_missing(variables)
        awaited = inspect.iscoroutinefunction(self._driver.execute)
        self._awaited = awaited
        self._graph = HeldCall(
            self._driver, _agraph if awaited else _graph, self._execute_async if awaited else self._execute,
            text=lambda: _described(self._driver, self._needed, variables),
            functions=lambda: _functions(variables[name] for name in self._needed),
        )  # fmt: skip

    @staticmethod
    def set_driver(driver: Any) -> None:
        """Makes a driver that of all Hamilton actions that are made without one."""
        Hamilton._default = None if driver is None else _driver_of(driver)

    @property
    def driver(self) -> Any:
        """Hamilton's driver."""
        return self._driver

    @property
    def reads(self) -> list[str]:
        """The fields that inputs come from."""
        return self._wiring.reads

    @property
    def writes(self) -> list[str]:
        """The fields that outputs go to."""
        return self._wiring.writes

    @property
    def inputs(self) -> tuple[list[str], list[str]]:
        """The inputs that `from_input` names."""
        return self._wiring.inputs

    @property
    def tags(self) -> list[str]:
        """Words by which several actions can be meant at once."""
        return list(self._tags)

    @property
    def bound(self) -> dict[str, Any]:
        """What goes in and where what comes out goes."""
        return self._wiring.told

    def is_async(self) -> bool:
        """Returns whether the driver's `execute` has to be awaited."""
        return self._awaited

    def run(self, state: State[Any], **run_kwargs: Any) -> Any:
        """Returns the outputs by their names in the graph; to be awaited where the driver is async."""
        given = self._wiring.values(state, run_kwargs), list(self._wiring.outputs)
        return self._graph.acall(*given) if self._awaited else self._graph.call(*given)

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state with the outputs in it."""
        return self._wiring.written(result, state)

    def visualize_step(self, **kwargs: Any) -> Any:
        """Returns Hamilton's own drawing of what is executed (it needs Graphviz)."""
        driver: Any = self._driver
        given = dict.fromkeys(self._wiring.sources, ...)
        final = list(self._wiring.outputs)
        return driver.visualize_execution(final_vars=final, inputs=given, overrides=given, bypass_validation=True, **kwargs)

    def _apart(self, given: dict[str, Any]) -> dict[str, dict[str, Any]]:
        inputs = {name: value for name, value in given.items() if name in self._external}
        return {"inputs": inputs, "overrides": {name: value for name, value in given.items() if name not in inputs}}

    def _execute(self, given: dict[str, Any], wanted: list[str]) -> Any:
        return self._outputs(self._driver.execute(list(wanted), **self._apart(given)), wanted)

    async def _execute_async(self, given: dict[str, Any], wanted: list[str]) -> Any:
        return self._outputs(await self._driver.execute(list(wanted), **self._apart(given)), wanted)

    def _outputs(self, found: Any, wanted: list[str]) -> dict[str, Any]:
        if not isinstance(found, dict):
            hint = "Build it with driver.Builder(), or give Driver(...) the adapter base.DefaultAdapter()."
            raise ActionFault(f"the driver of {self.name or 'Hamilton'} returned {shown(found)}, and a dict was expected", hint=hint)
        return {name: found[name] for name in wanted}

    def _complain_of_missing(self, variables: Mapping[str, Any]) -> None:
        """Raises ActionFault where the outputs need inputs of the graph that nothing gives."""
        configured = getattr(getattr(self._driver, "graph", None), "config", {}) or {}
        optional = {name for each in self._needed for name in getattr(variables[each], "optional_dependencies", ())}
        given = {*self._wiring.sources, *configured, *optional}
        missing = [name for name in self._needed if name in self._external and name not in given]
        if missing:
            wanted, first = ", ".join(self._wiring.outputs), missing[0]
            raise ActionFault(
                f"Hamilton: {wanted} needs {', '.join(missing)}, which inputs do not give",
                hint=f'Add it: inputs={{"{first}": from_state("{first}"), ...}}.',
            )


def _graph(given: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Shows how a graph is called."""
    return {}


async def _agraph(given: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Shows how an async graph is called."""
    return {}


def _driver_of(given: Any) -> _Driver:
    """Returns a driver, made of modules where these are given.

    Raises:
        UsageFault: it is neither, or Hamilton is not installed.
    """
    several = given if isinstance(given, list | tuple) else [given]
    if several and all(isinstance(each, ModuleType) for each in several):
        try:
            driver = importlib.import_module("hamilton.driver")
        except ImportError as e:
            raise UsageFault("Hamilton is not installed", hint="Type `pip install sf-hamilton`.") from e
        made: _Driver = driver.Builder().with_modules(*several).build()
        return made
    if given is None:
        hint = "Give it one, Hamilton(..., driver=driver), or all of them: Hamilton.set_driver(driver)."
        raise ActionFault("Driver must be set before a Hamilton action is made", hint=hint)
    if not (hasattr(given, "execute") and hasattr(given, "list_available_variables")):
        raise ActionFault(f"driver is {shown(given)}, no driver of Hamilton and no module", hint="Make one: driver.Builder().with_modules(module).build().")
    found: _Driver = given
    return found


def _upstream(wanted: Iterable[str], given: Iterable[str], variables: Mapping[str, Any]) -> list[str]:
    """Returns the variables that have to be known for `wanted`, but for what only those need that are given; sorted."""
    stop, found, rest = set(given), set[str](), list(wanted)
    while rest:
        name = rest.pop()
        if name in found or name not in variables:
            continue
        found.add(name)
        if name not in stop:
            each = variables[name]
            rest += [*getattr(each, "required_dependencies", ()), *getattr(each, "optional_dependencies", ())]
    return sorted(found - stop)


def _functions(variables: Iterable[Any]) -> list[FunctionType]:
    """Returns the functions that compute them, each once; those of the program itself if they are registered."""
    found: dict[FunctionType, None] = {}
    for each in variables:
        if each.is_external_input:
            continue
        for function in each.originating_functions or ():
            plain = inspect.unwrap(function)
            if isinstance(plain, FunctionType):
                found[plain] = None
    return sorted(found, key=lambda function: (function.__module__, function.__qualname__))


def _described(driver: Any, names: Iterable[str], variables: Mapping[str, Any]) -> str:
    """Returns what a part of a graph is, as text that changes where the graph does; what is configured, by its digest."""
    lines = []
    for name in names:
        each = variables[name]
        before = sorted([*getattr(each, "required_dependencies", ()), *getattr(each, "optional_dependencies", ())])
        lines.append(f"{name}: input" if each.is_external_input else f"{name}({', '.join(before)})")
    configured = getattr(getattr(driver, "graph", None), "config", {}) or {}
    lines += [f"config {name}: {hashlib.sha256(repr(value).encode()).hexdigest()[:16]}" for name, value in sorted(configured.items(), key=str)]
    return "\n".join(lines)
