"""A Python function offered to a model: its name, docstring and annotations say all that the model is told.

    @gv.register
    def search(query: str, most: Annotated[int, "how many to find"] = 5) -> list[str]:
        "Finds pages about something."

Each call that the model asks for is a recorded call of the function.  What is
wrong with the model's arguments, and what the function raises, is answered
to the model; questions to a user, and errors of gvstore, go their way.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gvstore.errors import GvError
from gvstore.journal.recorder import question_in
from gvstore.journal.register import live_of, register
from gvstore.models.pieces import spelled
from gvstore.models.protocol import ToolSpec
from gvstore.models.schema import mismatch
from gvstore.models.tool_type import Schema, Unspellable, made_of, schema_of

MOST_CHARACTERS: Final = 100_000  # of an answer
_KINDS = inspect.Parameter


class Tool:
    """One function as a tool; `spec` is what the model is told of it."""

    def __init__(self, function: Callable[..., Any], *, name: str = "") -> None:
        """Takes a function, registered or not.

        Raises:
            TypeError: it is nothing that a model can call; says why.
        """
        self.name = name or str(getattr(function, "__name__", ""))
        if not callable(function) or not self.name.isidentifier():
            raise TypeError(f"{function!r:.200} is no tool: it is no function with a name")
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{self.name} is no tool: it is asynchronous, or yields")
        self._signature = inspect.signature(function)
        self._hints = _hints_of(function)
        self._call = _recorded(function, self.name)
        self.spec = ToolSpec(self.name, inspect.getdoc(function) or "", self._schema())

    def as_dict(self) -> dict[str, Any]:
        """Returns what `complete(tools=...)` takes."""
        return {"name": self.name, "description": self.spec.description, "parameters": dict(self.spec.parameters)}

    def answer(self, arguments: str) -> str:
        """Returns what the function answers to arguments as JSON text; what is wrong with them as `error: ...`."""
        try:
            given = json.loads(arguments or "{}")
        except (ValueError, RecursionError) as e:
            return f"error: the arguments of {self.name} are no JSON: {e}"
        return self.answer_to(given)

    def answer_to(self, given: object) -> str:
        """Returns the same for arguments that were read.

        Raises:
            GvError: the recording, a model or a rule of gvstore says no.
            InputRequest: the function asks the user.
        """
        if why := mismatch(given, self.spec.parameters):
            return f"error: the arguments of {self.name} do not fit: {why.replace('$.', '', 1)}"
        assert isinstance(given, dict)
        try:
            args, kwargs = self._bound(given)
        except (ValueError, TypeError, KeyError) as e:
            return f"error: the arguments of {self.name} do not fit: {e}"
        try:
            return shown(self._call(*args, **kwargs))
        except GvError:
            raise
        except Exception as e:
            if question_in(e) is not None:
                raise
            return f"error: {type(e).__name__}: {spelled(str(e))}"[:MOST_CHARACTERS]

    def _bound(self, given: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        made = {name: made_of(value, self._hints.get(name, Any)) for name, value in given.items()}
        args = []
        for name, parameter in self._signature.parameters.items():
            if parameter.kind is _KINDS.POSITIONAL_ONLY:
                if name not in made:
                    break
                args.append(made.pop(name))
        return args, made

    def _schema(self) -> Schema:
        defs: dict[str, Schema] = {}
        found: Schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
        for name, parameter in self._signature.parameters.items():
            if parameter.kind is _KINDS.VAR_POSITIONAL:
                raise TypeError(f"{self.name} is no tool: a model cannot give *{name}")
            try:
                part = schema_of(self._hints.get(name, Any), defs)
            except Unspellable as e:
                raise TypeError(f"{self.name} is no tool: its parameter {name}: {e}") from e
            if parameter.kind is _KINDS.VAR_KEYWORD:
                found["additionalProperties"] = part or True
                continue
            if parameter.default is _KINDS.empty:
                found["required"].append(name)
            elif parameter.default is None or type(parameter.default) in (str, int, float, bool):
                part = part | {"default": parameter.default}
            found["properties"][name] = part
        return found | ({"$defs": defs} if defs else {})


def shown(value: object) -> str:
    """Returns what a model is told of a value: text as it is, anything else as JSON, or as Python writes it; cut where it is long."""
    text = value if isinstance(value, str) else _as_json(value)
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}\n[cut: {len(text) - MOST_CHARACTERS:,} characters more]"
    return spelled(text)


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)


def tools_of(functions: Sequence[Callable[..., Any] | Tool]) -> dict[str, Tool]:
    """Returns the tools by name.

    Raises:
        TypeError: one is none, or two have one name.
    """
    found: dict[str, Tool] = {}
    for each in functions:
        tool = each if isinstance(each, Tool) else Tool(each)
        if tool.name in found:
            raise TypeError(f"two tools are named {tool.name}")
        found[tool.name] = tool
    return found


def _recorded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Returns the function as a component: as it is, or registered."""
    if live_of(function) is not None:
        return function
    try:
        return register(function)
    except (TypeError, ValueError) as e:
        raise TypeError(f"{name} is no tool: {e}") from e


def _hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError):  # an annotation that names nothing here
        return {}
