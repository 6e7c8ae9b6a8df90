"""What an action declares, resolved once: keys, their types, inputs; and what a call of it is given.

Nothing here is looked up again while a machine runs: a step asks for names in
sets, and for types only of fields that changed since they were last looked at.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gvstore.machine.action_fault import ActionFault, MissingInputs, WrongType
from gvstore.machine.annotation import annotation_text, misfit
from gvstore.machine.cell import Cell, ListCell
from gvstore.machine.finding import meant
from gvstore.machine.state import State
from gvstore.machine.typing_system import PydanticTypingSystem, TypingSystem

GIVEN: Final = ("__context", "__tracer")  # parameters that the machine fills, not the user
Declared = Sequence[str] | Set[str] | Mapping[str, Any]
_FUNCTION: Final = "Type @action(reads=[...], writes=[...]) above `def name(state, ...)`."


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of an action's function, without the state's.

    `private` maps "__context" and "__tracer" to how the function calls them: in
    a class Python changes the name.
    """

    state: str | None  # None: it is the first, whatever its name
    required: tuple[str, ...]
    optional: tuple[str, ...]
    private: Mapping[str, str]
    needed: tuple[str, ...]  # those of `private` without a default
    text: str
    is_open: bool = False  # it has **keywords

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be bound."""
        return (*self.required, *self.optional)


def parameters_of(function: Callable[..., Any], name: str) -> Parameters:
    """Returns what a function takes: the state first, then inputs.

    Raises:
        ActionFault: it takes no state, or an input that cannot be given by name.
    """
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as e:
        raise ActionFault(f"{name} is no function whose parameters are known: {e}", hint=_FUNCTION) from e
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    state = next((each for each in found if each.name == "state"), None) or next((each for each in found if each.kind in positional), None)
    text = f"{name}({', '.join(map(_shown, found))})"
    if state is None and not any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in found):
        raise ActionFault(f"action {text} takes no state", hint="Its first parameter is the state: def name(state, ...).")
    required: list[str] = []
    optional: list[str] = []
    needed: list[str] = []
    private: dict[str, str] = {}
    for each in found:
        if each is state or each.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        if each.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise ActionFault(f"input {each.name} of action {text} cannot be given by name", hint='Take the "/" out of the signature.')
        public = _public(each.name)
        if public is not None:
            private[public] = each.name
            if each.default is each.empty:
                needed.append(public)
        elif each.name.startswith("__"):
            remedy = meant(each.name, GIVEN, f"There are {' and '.join(GIVEN)}.")
            raise ActionFault(f"input {each.name} of action {text}: names that begin with a double underscore are the machine's own", hint=remedy)
        else:
            (required if each.default is each.empty else optional).append(each.name)
    is_open = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in found)
    by_name = state is not None and (state is not found[0] or state.kind is inspect.Parameter.KEYWORD_ONLY)
    return Parameters(state.name if state is not None and by_name else None, tuple(required), tuple(optional), private, tuple(needed), text, is_open)


def _public(name: str) -> str | None:
    return next((each for each in GIVEN if name == each or (name.startswith("_") and not name.startswith("__") and name.endswith(each))), None)


def _shown(parameter: inspect.Parameter) -> str:
    star = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    said, default = parameter.annotation, parameter.default
    what = "" if said is parameter.empty or parameter.name == "state" else f": {said if isinstance(said, str) else annotation_text(said)}"
    return f"{star}{parameter.name}{what}" + ("" if default is parameter.empty else f" = {default!r}" if what else f"={default!r}")


@dataclass(slots=True, eq=False)
class Terms:
    """All that is known of an action before it runs.

    `must` are the keys that have to be there afterwards; `visible` those that a
    step hands over, `typing` what the state is as one value, `returned` what it is
    afterwards.
    """

    label: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    must: frozenset[str]
    read_types: Mapping[str, Any]
    write_types: Mapping[str, Any]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    private: Mapping[str, str]
    needed: tuple[str, ...]
    signature: str
    is_async: bool
    typing: TypingSystem[Any] | None = None
    returned: TypingSystem[Any] | None = None
    readable: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()
    visible: frozenset[str] = frozenset()
    any_result: bool = False  # results need not be dicts
    checked: dict[str, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.readable, self.writable = frozenset(self.reads), frozenset(self.writes)
        self.visible = self.readable | self.writable

    def named(self, label: str) -> Terms:
        """Returns the same under another name."""
        return replace(self, label=label, checked={})

    def given(self, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns the keywords of a call: the inputs that the action takes.

        Raises:
            MissingInputs: it needs one that is not there.
            ActionFault: an input's name is the machine's own.
        """
        if not inputs:
            if self.required or self.needed:
                raise MissingInputs(self.label, (*self.required, *self.needed), (), self.signature)
            return {}
        missing = [name for name in (*self.required, *self.needed) if name not in inputs]
        if missing:
            raise MissingInputs(self.label, missing, inputs, self.signature)
        taken = {}
        for name, value in inputs.items():
            if name in self.required or name in self.optional:
                taken[name] = value
            elif name in self.private:
                taken[self.private[name]] = value
            elif name.startswith("__") and name not in GIVEN:
                raise ActionFault(f"input {name}: inputs cannot start with a double underscore", hint="Give it another name.")
        return taken

    def check_reads(self, state: State[Any]) -> None:
        """Looks whether the fields that are read are of the types declared; what was looked at last time is not again.

        Raises:
            WrongType: one is not.
        """
        for key, annotation in self.read_types.items():
            cell, before = state.cell(key), self.checked.get(key)
            if cell is None or cell is before:
                continue
            problem = _problem(cell, before, annotation, f"action {self.label} reads {key!r}")
            if problem is not None and not _is_taken(self.typing, key, cell):
                raise WrongType(problem, reads=True)
            self.checked[key] = cell

    def check_writes(self, written: Mapping[str, Cell], before: State[Any]) -> None:
        """Looks whether the fields that were written are of the types declared; of a list that grew, at its new items.

        Raises:
            WrongType: one is not.
        """
        for key, annotation in self.write_types.items():
            cell = written.get(key)
            if cell is not None:
                problem = _problem(cell, before.cell(key), annotation, f"action {self.label} writes {key!r}")
                if problem is not None and not _is_taken(self.returned, key, cell):
                    raise WrongType(problem, reads=False)


def _is_taken(system: TypingSystem[Any] | None, key: str, cell: Cell) -> bool:
    """Returns whether a pydantic model takes what does not fit its annotation: a dict for a model, text for a number."""
    return isinstance(system, PydanticTypingSystem) and key in system.fields and not system.problems({key: cell.value}, partial=True)


def _problem(cell: Cell, before: Cell | None, annotation: Any, where: str) -> str | None:
    if isinstance(cell, ListCell) and typing.get_origin(annotation) is list:
        begin = cell.grew_from(before)
        if begin is not None:
            [inside] = typing.get_args(annotation)
            lines = (misfit(each, inside, f"{where}[{at}]") for at, each in enumerate(cell.read_from(begin), begin))
            return next((line for line in lines if line is not None), None)
    return misfit(cell.value, annotation, where)


def declared(given: Declared, what: str, name: str) -> dict[str, Any]:
    """Returns keys and their types (Any where none is declared) of what was given as `reads` or `writes`.

    Raises:
        ActionFault: it is no list of names and no dict of names and types.
    """
    if callable(given):
        raise ActionFault(f"@action is written without what {name} reads and writes", hint=_FUNCTION)
    example = f'{what}=["key", ...] or {what}={{"key": int, ...}}'
    if isinstance(given, str):
        raise ActionFault(f"{what} of action {name} is text, {given!r}, not a list of keys", hint=f'Type {what}=["{given}"].')
    if not isinstance(given, Iterable):
        raise ActionFault(f"{what} of action {name} is {given!r}, not a list of keys", hint=f"Type {example}.")
    if isinstance(given, set | frozenset):  # in an order that is the same next time
        given = sorted(given, key=repr)
    types = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, Any)
    for key in types:
        if not isinstance(key, str):
            raise ActionFault(f"{what} of action {name} holds {key!r}: a key is text", hint=f"Type {example}.")
        if key.startswith("__"):
            raise ActionFault(f"{what} of action {name} holds {key!r}: names that begin with a double underscore are the machine's own")
    return types
