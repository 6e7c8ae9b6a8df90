"""Actions as functions: `@action(reads=[...], writes=[...])` above `def name(state, ...)`.

    @action(reads=["prompt"], writes=["answer"])
    def answer(state: State, model: str = "local") -> State:
        return state.update(answer=ask(model, state["prompt"]))

The function stays what it was, to be called and tested; what follows the state
in its parameters are inputs.  `answer.bind(model="large")` is the action with
an input given for good.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, Self, TypeVar, cast

from gvstore.machine.action_class import DEFAULT_SCHEMA, Action, ActionSchema, SingleStepAction, is_async, typed
from gvstore.machine.action_fault import ActionFault
from gvstore.machine.action_types import fields_of, optional_of, refined, state_types
from gvstore.machine.attempts import Retry, retry_of, timeout_of
from gvstore.machine.component import note_action
from gvstore.machine.finding import meant
from gvstore.machine.node import MARK
from gvstore.machine.state import State
from gvstore.machine.terms import Declared, Terms, declared, parameters_of

P = ParamSpec("P")
Out = TypeVar("Out", covariant=True)
Returned = State[Any] | tuple[Mapping[str, Any], State[Any]]
R = TypeVar("R", bound="Returned | Coroutine[Any, Any, Returned]")
F = TypeVar("F", bound=Callable[..., Any])


class ActionFunction(Protocol[P, Out]):
    """A decorated function: itself, and the action that it stands for."""

    __name__: str
    action_function: FunctionBasedAction

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Out: ...

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> list[str]: ...

    @property
    def writes(self) -> list[str]: ...

    @property
    def tags(self) -> list[str]: ...

    @property
    def inputs(self) -> tuple[list[str], list[str]]: ...

    def bind(self, /, **kwargs: Any) -> FunctionBasedAction: ...


class FunctionBasedAction(SingleStepAction):
    """The action of a decorated function, with the inputs that were bound.

    It can be called like the function, without what is bound.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reads: Declared,
        writes: Declared,
        bound_params: Mapping[str, Any] | None = None,
        *,
        tags: Sequence[str] | None = None,
        retry: object = None,
        timeout: float | None = None,
        schema: ActionSchema[Any, Any, Any] = DEFAULT_SCHEMA,
        originating_fn: Callable[..., Any] | None = None,
        scope: Mapping[str, Any] | None = None,
    ) -> None:
        """Takes a function, what it reads and writes, and where it was made: the names by which its annotations are resolved.

        Raises:
            ActionFault: it cannot be an action.
        """
        called = getattr(fn, "__name__", None) or type(fn).__name__
        if not callable(fn) or isinstance(fn, type):
            raise ActionFault(f"@action is written above a function, not above {called}", hint="For a class, derive it from Action.")
        self._fn, self._origin = fn, originating_fn or fn
        self._bound: dict[str, Any] = {}
        self._schema = schema
        self._tags = _tags(tags, called)
        self.retry, self.timeout = retry_of(retry), timeout_of(timeout)
        self._taken = parameters_of(fn, called)
        self._async = is_async(fn)
        self._declared = self._terms_of(called, declared(reads, "reads", called), declared(writes, "writes", called), scope)
        self._check_kind(called)
        if bound_params:
            self._bind(bound_params)

    def _check_kind(self, called: str) -> None:
        if inspect.isgeneratorfunction(self._fn) or inspect.isasyncgenfunction(self._fn):
            raise ActionFault(f"action {called} yields", hint="Type @streaming_action(reads=[...], writes=[...]) above it.")

    def _terms_of(self, called: str, reads: dict[str, Any], writes: dict[str, Any], scope: Mapping[str, Any] | None) -> Terms:
        given, returned = state_types(self._fn, self._taken, scope)
        must = frozenset(writes)
        reads = refined(reads, given, "reads", called)
        if returned is not None and returned != given:  # a type of its own declares what it writes
            fields = fields_of(returned)
            must |= fields.keys() - optional_of(returned)
            writes = {**writes, **{name: each for name, each in fields.items() if name not in writes}}
        writes = refined(writes, returned, "writes", called)
        return Terms(
            label=called,
            reads=tuple(reads),
            writes=tuple(writes),
            must=must,
            read_types=typed(reads),
            write_types=typed(writes),
            required=self._taken.required,
            optional=self._taken.optional,
            private=self._taken.private,
            needed=self._taken.needed,
            signature=self._taken.text,
            is_async=self._async,
            typing=given,
            returned=returned,
        )

    @property
    def __name__(self) -> str:
        return str(getattr(self._fn, "__name__", type(self._fn).__name__))

    @property
    def fn(self) -> Callable[..., Any]:
        """The function that is called."""
        return self._fn

    @property
    def originating_fn(self) -> Callable[..., Any]:
        """The function as it was written."""
        return self._origin

    @property
    def subject(self) -> Any:
        """The function as it was written: its source is the action's code."""
        return self._origin

    @property
    def bound(self) -> dict[str, Any]:
        """The inputs that were bound."""
        return dict(self._bound)

    @property
    def bound_params(self) -> dict[str, Any]:
        """The inputs that were bound."""
        return dict(self._bound)

    @property
    def reads(self) -> list[str]:
        """The keys that it reads."""
        return list(self._declared.reads)

    @property
    def writes(self) -> list[str]:
        """The keys that it writes."""
        return list(self._declared.writes)

    @property
    def tags(self) -> list[str]:
        """Words by which several actions can be meant at once."""
        return list(self._tags)

    @property
    def inputs(self) -> tuple[list[str], list[str]]:
        """The inputs that it must be given, and those that it may."""
        terms = self._declared
        return [*terms.required, *terms.needed], [*terms.optional, *(name for name in terms.private if name not in terms.needed)]

    @property
    def schema(self) -> ActionSchema[Any, Any, Any]:
        """The types of its states and of its results."""
        return self._schema

    def is_async(self) -> bool:
        """Returns whether it has to be awaited."""
        return self._async

    def terms(self) -> Terms:
        """Returns what it declares: for the machine's own use."""
        return self._declared

    def with_name(self, name: str) -> Any:
        """Returns a copy under a name.  Raises ValueError: it has another name already."""
        made = super().with_name(name)
        made._declared = self._declared.named(name)
        return made

    def bind(self, /, **kwargs: Any) -> Any:
        """Returns the action with these inputs given for good.

        Raises:
            ActionFault: the function has no such input.
        """
        made = copy.copy(self)
        made._bind(kwargs)
        return made

    def with_params(self, params: Mapping[str, Any]) -> Any:
        """Returns the action with these inputs given for good."""
        return self.bind(**params)

    def _bind(self, values: Mapping[str, Any]) -> None:
        taken, terms = self._taken, self._declared
        for name in values:
            if name not in taken.names and (not taken.is_open or name.startswith("__") or name in (taken.state, "state")):
                remedy = meant(name, taken.names, f"It has: {', '.join(taken.names)}." if taken.names else "It has none.")
                raise ActionFault(f"action {terms.label} has no input {name!r} to bind; its signature: {taken.text}", hint=remedy)
        self._bound = {**self._bound, **values}
        made = terms.named(terms.label)
        made.required = tuple(name for name in taken.required if name not in self._bound)
        made.optional = tuple(name for name in taken.optional if name not in self._bound)
        self._declared = made

    def run_and_update(self, state: State[Any], **run_kwargs: Any) -> Any:
        """Returns what the function returns."""
        if self._bound:
            run_kwargs = {**self._bound, **run_kwargs}
        if self._taken.state is not None:
            return self._fn(**{self._taken.state: state}, **run_kwargs)
        return self._fn(state, **run_kwargs)

    def __call__(self, state: State[Any], **inputs: Any) -> Any:
        return self.run_and_update(state, **inputs)

    def __repr__(self) -> str:
        return f"{self._declared.label}: {', '.join(self.reads) or '-'} -> {', '.join(self.writes) or '-'}"


def mark(function: Any, made: FunctionBasedAction) -> None:
    """Leaves on a function the action that it stands for, and makes known where its code is: a replay asks before the action is in any graph."""
    found = {
        MARK: made,
        "action_function": made,
        "bind": made.bind,
        "name": made.__name__,
        "reads": made.reads,
        "writes": made.writes,
        "tags": made.tags,
        "inputs": made.inputs,
    }
    try:
        for name, value in found.items():
            setattr(function, name, value)
    except AttributeError as e:
        raise ActionFault(f"@action is written above a function, not above {made.__name__}", hint="Decorate the function itself.") from e
    note_action(made.subject, streams=made.streaming)


class Decorator:
    """What a function that is to be an action is declared to read and write."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Finds `@action` written without brackets, and what is left out in them."""
        if len(args) == 1 and not kwargs:
            declared(args[0], "reads", getattr(args[0], "__name__", ""))
        left = [name for name in ("reads", "writes")[len(args) :] if name not in kwargs]
        if left:
            raise ActionFault(f"@{cls.__name__} is written without {' and '.join(left)}", hint=f"Type @{cls.__name__}(reads=[...], writes=[...]); [] is for none.")
        return super().__new__(cls)

    def __init__(
        self,
        reads: Declared,
        writes: Declared,
        tags: Sequence[str] | None = None,
        *,
        retry: Retry | int | None = None,
        timeout: float | None = None,
    ) -> None:
        """Takes what the function reads and writes.

        Raises:
            ActionFault: these are no lists of keys.
        """
        declared(reads, "reads", "")
        declared(writes, "writes", "")
        self.reads, self.writes, self.tags = reads, writes, tags
        self.retry, self.timeout = retry_of(retry), timeout_of(timeout)


class action(Decorator):
    """The decorator of functions that are actions.

    `reads` and `writes` are lists of keys, or dicts of keys and their types.
    `retry` is a Retry or a number of attempts, `timeout` seconds.
    """

    def __call__(self, fn: Callable[P, R]) -> ActionFunction[P, R]:
        """Returns the function, marked as an action.

        Raises:
            ActionFault: it cannot be one.
        """
        scope = sys._getframe(1).f_locals
        made = FunctionBasedAction(fn, self.reads, self.writes, tags=self.tags, retry=self.retry, timeout=self.timeout, scope=scope)
        mark(fn, made)
        return cast("ActionFunction[P, R]", fn)


    @staticmethod
    def pydantic(
        reads: Declared,
        writes: Declared,
        state_input_type: type | None = None,
        state_output_type: type | None = None,
        tags: Sequence[str] | None = None,
        *,
        retry: Retry | int | None = None,
        timeout: float | None = None,
    ) -> Callable[[Callable[P, Out]], ActionFunction[P, Out]]:
        """Returns the decorator of functions from pydantic model to pydantic model; the models are the annotated ones if none are given."""

        def decorate(fn: Callable[P, Out]) -> ActionFunction[P, Out]:
            from gvstore.machine.action_pydantic import decorated

            scope = sys._getframe(1).f_locals
            types = (state_input_type, state_output_type)
            made = decorated(fn, reads, writes, types, scope, tags=tags, retry=retry, timeout=timeout)
            return cast("ActionFunction[P, Out]", made)

        return decorate


pydantic_action = action.pydantic


def bind(self: Any, **kwargs: Any) -> Any:
    """Returns the action of a decorated function with these inputs given for good.  Raises ActionFault."""
    return self.bind(**kwargs)


def derive_inputs_from_fn(bound_params: Mapping[str, Any], fn: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """Returns the inputs that a function must be given, and those that it may, without those that are bound."""
    found = parameters_of(fn, getattr(fn, "__name__", "function"))
    required = [name for name in (*found.required, *found.needed) if name not in bound_params]
    optional = [*found.optional, *(name for name in found.private if name not in found.needed)]
    return required, [name for name in optional if name not in bound_params]


def create_action(action_: object, name: str) -> Action:
    """Returns the action that an object is, or a decorated function stands for, under a name.

    Raises:
        ActionFault: it is neither.
        ValueError: it has another name already.
    """
    found = getattr(action_, MARK, action_)
    if not isinstance(found, Action):
        hint = "Type @action(reads=[...], writes=[...]) above the function, or give an instance of a class derived from Action."
        raise ActionFault(f"{name} is not a valid action: it is {action_!r}", hint=hint)
    return cast("Action", found.with_name(name))


def type_eraser(function: F) -> F:
    """Returns the function: for programs that tell type checkers so that a class's `run` takes what it likes."""
    return function


def _tags(given: Sequence[str] | None, name: str) -> list[str]:
    if isinstance(given, str) or not all(isinstance(each, str) for each in given or ()):
        raise ActionFault(f"tags of action {name} are {given!r}, not a list of words", hint='Type tags=["word"].')
    return list(given or ())
