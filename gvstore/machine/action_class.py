"""Actions as classes: what reads named parts of a state, computes a result, and writes named parts.

    Action                  run(state) -> result, then update(result, state) -> state
    ├── SingleStepAction    run_and_update(state) -> (result, state)
    │   └── SingleStepStreamingAction    (action_stream)
    └── StreamingAction     (action_stream)

An instance that is in a graph has a name; `with_name` makes a copy under one.
Its attributes are its parameters.
"""

from __future__ import annotations

import abc
import copy
import dataclasses
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from gvstore.machine.attempts import Retry, retry_of, timeout_of
from gvstore.machine.component import note_action
from gvstore.machine.state import State
from gvstore.machine.terms import GIVEN, Parameters, Terms, declared, parameters_of

StateInput = TypeVar("StateInput")
StateOutput = TypeVar("StateOutput")
Intermediate = TypeVar("Intermediate")

Inputs = Sequence[str] | tuple[Sequence[str], Sequence[str]]


class ActionSchema(abc.ABC, Generic[StateInput, StateOutput, Intermediate]):
    """Of which types an action's state is before and after it, and what it tells on the way."""

    @abc.abstractmethod
    def state_input_type(self) -> type[StateInput]:
        """Returns the type of the state that it is given."""

    @abc.abstractmethod
    def state_output_type(self) -> type[StateOutput]:
        """Returns the type of the state that it makes."""

    @abc.abstractmethod
    def intermediate_result_type(self) -> type[Intermediate]:
        """Returns the type of its result, and of the items of its stream."""


class DefaultSchema(ActionSchema[State[Any], State[Any], dict[str, Any]]):
    """States without a type; results are dicts."""

    def state_input_type(self) -> type[State[Any]]:
        """Returns State."""
        return State

    def state_output_type(self) -> type[State[Any]]:
        """Returns State."""
        return State

    def intermediate_result_type(self) -> type[dict[str, Any]]:
        """Returns dict."""
        return dict


DEFAULT_SCHEMA = DefaultSchema()


class Function(abc.ABC):
    """What computes a result from a state."""

    @property
    @abc.abstractmethod
    def reads(self) -> Any:
        """The keys that it reads: a list, or a dict of their types."""

    @abc.abstractmethod
    def run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the result, a dict; may be async."""

    @property
    def inputs(self) -> Any:
        """The inputs that it must be given, or these and those that it may, as a pair of lists; here by `run`'s parameters."""
        found = self._parameters()
        return [*found.required, *found.needed], [*found.optional, *(each for each in found.private if each not in found.needed)]

    @property
    def optional_and_required_inputs(self) -> tuple[set[str], set[str]]:
        """The names of the required inputs, then of the optional ones."""
        required, optional = _pair(self.inputs)
        return set(required), set(optional)

    def validate_inputs(self, inputs: Mapping[str, Any] | None) -> None:
        """Looks whether these are inputs that it can be called with.

        Raises:
            MissingInputs: one is missing.
            ActionFault: a name is the machine's own.
        """
        self.terms().given(inputs)

    def is_async(self) -> bool:
        """Returns whether it has to be awaited."""
        return is_async(self._entry())

    def _entry(self) -> Callable[..., Any]:
        """The method that the inputs go to."""
        return self.run

    def _parameters(self) -> Parameters:
        entry = self._entry()
        function = getattr(entry, "__func__", entry)
        known = _PARAMETERS.get(function)
        if known is None:
            known = _PARAMETERS[function] = parameters_of(entry, getattr(entry, "__qualname__", type(self).__name__))
        return known

    def terms(self) -> Terms:
        """Returns what it declares: for the machine's own use."""
        raise NotImplementedError(f"{type(self).__name__} is no Action")


_PARAMETERS: dict[Any, Parameters] = {}


class Reducer(abc.ABC):
    """What writes a result into a state."""

    @property
    @abc.abstractmethod
    def writes(self) -> Any:
        """The keys that it writes: a list, or a dict of their types."""

    @abc.abstractmethod
    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state with the result in it."""


class Action(Function, Reducer, abc.ABC):
    """A step of a machine, in two: `run` computes, `update` writes.

    A subclass has `reads`, `run`, `writes`, `update`.  `run` sees the keys that
    are read; `update` those that are read or written.  `retry` and `timeout`
    (seconds) are attributes of the class or of the instance.
    """

    _name: str | None = None
    retry: Retry | None = None
    timeout: float | None = None
    single_step: ClassVar[bool] = False
    streaming: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Takes `retry = 3` for a number of attempts, finds what is no timeout, and makes known where its code is."""
        super().__init_subclass__(**kwargs)
        for name, read in (("retry", retry_of), ("timeout", timeout_of)):
            given = vars(cls).get(name)
            if given is not None and not hasattr(given, "__get__"):
                setattr(cls, name, read(given))
        note_action(cls, streams=cls.streaming)

    @property
    def name(self) -> str | None:
        """Its name in a graph; None before it is in one."""
        return self._name

    def with_name(self, name: str) -> Any:
        """Returns a copy under a name.

        Raises:
            ValueError: it has another name already.
        """
        if self.name is not None and self.name != name:
            raise ValueError(f"action {self.name} cannot be named {name}: give the graph an instance of its own")
        made = copy.copy(self)
        object.__setattr__(made, "_name", name)
        return made

    @property
    def tags(self) -> list[str]:
        """Words by which several actions can be meant at once."""
        return []

    @property
    def schema(self) -> ActionSchema[Any, Any, Any]:
        """The types of its states and of its results."""
        return DEFAULT_SCHEMA

    @property
    def input_schema(self) -> Any:
        """What describes its inputs; None if nothing does."""
        return None

    @property
    def subject(self) -> Any:
        """The function or class whose source is the action's code."""
        return type(self)

    @property
    def bound(self) -> dict[str, Any]:
        """Its parameters: the attributes of the instance that are not private."""
        fields: list[str] = [each.name for each in dataclasses.fields(self)] if dataclasses.is_dataclass(self) else []
        names = dict.fromkeys([*fields, *vars(self)])
        return {name: getattr(self, name) for name in names if not name.startswith("_") and hasattr(self, name)}

    def get_source(self) -> str:
        """Returns the source of its code, or a line that says that there is none."""
        try:
            return textwrap.dedent(inspect.getsource(self.subject))
        except (OSError, TypeError):
            return "No source available"

    def terms(self) -> Terms:
        """Returns what it declares, worked out anew only if that has changed: for the machine's own use."""
        reads, writes, label = self.reads, self.writes, self.name or type(self).__name__
        known: tuple[Any, Terms] | None = vars(self).get("_terms")
        mark = (label, tuple(reads), tuple(writes))
        if known is None or known[0] != mark:
            known = (mark, self._worked_out(label, reads, writes))
            object.__setattr__(self, "_terms", known)
        return known[1]

    def _worked_out(self, label: str, reads: Any, writes: Any) -> Terms:
        read_types, write_types = declared(reads, "reads", label), declared(writes, "writes", label)
        taken = self._parameters()
        required, optional = _pair(self.inputs)
        private = {name: taken.private.get(name, name) for name in (*required, *optional, *taken.private) if name in GIVEN}
        return Terms(
            label=label,
            reads=tuple(read_types),
            writes=tuple(write_types),
            must=frozenset(write_types),
            read_types=typed(read_types),
            write_types=typed(write_types),
            required=tuple(name for name in required if name not in private),
            optional=tuple(name for name in optional if name not in private),
            private=private,
            needed=taken.needed,
            signature=taken.text,
            is_async=self.is_async(),
        )

    def __repr__(self) -> str:
        return f"{self.name or type(self).__name__}: {', '.join(self.reads) or '-'} -> {', '.join(self.writes) or '-'}"


class SingleStepAction(Action, abc.ABC):
    """An action that computes and writes at once: `run_and_update(state, **inputs) -> (result, state)`."""

    single_step = True

    @abc.abstractmethod
    def run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns (result, state), or the state alone; may be async."""

    def _entry(self) -> Callable[..., Any]:
        return self.run_and_update

    def run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Raises ValueError: it has one step."""
        raise ValueError(f"{self!r} has one step: call run_and_update(state, ...)")

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Raises ValueError: it has one step."""
        raise ValueError(f"{self!r} has one step: call run_and_update(state, ...)")


def is_async(function: Any) -> bool:
    """Returns whether what a function returns has to be awaited, or iterated with `async for`."""
    while True:
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            return True
        inner = getattr(function, "func", None)  # functools.partial
        if inner is None:
            break
        function = inner
    called = getattr(type(function), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called)


def typed(types: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keys that have a type, with it."""
    return {name: each for name, each in types.items() if each is not Any}


def _pair(inputs: Any) -> tuple[list[str], list[str]]:
    both = isinstance(inputs, tuple) and len(inputs) == 2 and not isinstance(inputs[0], str)
    required, optional = inputs if both else (inputs, [])
    return list(required), list(optional)
