"""Actions over pydantic models: the function is given a model of what it reads, changes it, and returns it.

    @action.pydantic(reads=["prompt"], writes=["answer"])
    def answer(state: Chat) -> Chat:
        state.answer = ask(state.prompt)
        return state

The model is an instance of the program's own class that has the fields which
are read, validated one by one; the others are not there until they are set.
What is written is validated too.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, get_args, get_type_hints

from gvstore.machine.action_class import ActionSchema
from gvstore.machine.action_fault import (
    YIELDS,
    ActionFault,
    UndeclaredRead,
    UndeclaredWrite,
    WrongReturn,
    WrongType,
    shown,
)
from gvstore.machine.action_function import FunctionBasedAction, mark
from gvstore.machine.action_stream import FunctionBasedStreamingAction
from gvstore.machine.annotation import annotation_text
from gvstore.machine.finding import meant
from gvstore.machine.model_part import is_model, partial_model, valid_field
from gvstore.machine.state import State
from gvstore.machine.terms import Declared, declared
from gvstore.machine.view import View


class PydanticSchema(ActionSchema[Any, Any, Any]):
    """The models of an action's state, and of the items of its stream."""

    def __init__(self, before: type, after: type, item: Any) -> None:
        self._types = (before, after, item)

    def state_input_type(self) -> Any:
        """Returns the model that the function is given."""
        return self._types[0]

    def state_output_type(self) -> Any:
        """Returns the model that it returns."""
        return self._types[1]

    def intermediate_result_type(self) -> Any:
        """Returns the type of the items of its stream; dict where it has none."""
        return self._types[2]


PydanticActionSchema = PydanticSchema


class _Form:
    """How a state and the models of one action become each other."""

    def __init__(self, before: Any, after: Any, reads: Sequence[str], writes: Sequence[str], label: str) -> None:
        self.before, self.after, self.reads, self.writes, self.label = before, after, tuple(reads), tuple(writes), label
        for kind, keys, what in ((before, reads, "reads"), (after, writes, "writes")):
            if kind.model_config.get("extra") == "allow":
                continue
            for key in keys:
                if key not in kind.model_fields:
                    remedy = meant(key, kind.model_fields, f"{kind.__name__} has: {', '.join(kind.model_fields) or 'none'}.")
                    problem = f"action {label} {what} fields that are not present in the model {kind.__name__}: {key!r}"
                    raise ActionFault(problem, hint=remedy)

    def _valid(self, kind: Any, key: str, value: Any, verb: str, beside: Mapping[str, Any]) -> Any:
        """Returns a field's value as pydantic takes it; `beside` are the fields that its validators may look at."""
        try:
            return valid_field(kind, key, value, beside)
        except sys.modules["pydantic"].ValidationError as e:
            first = e.errors()[0]
            inside = "".join(f"[{each!r}]" for each in first["loc"][1:])
            wanted = f"expected {annotation_text(kind.model_fields[key].annotation)}, " if not inside else ""
            problem = f"action {self.label} {verb} {key!r}{inside}: {wanted}got {shown(first['input'])}: {first['msg']}"
            raise WrongType(problem, reads=verb == "reads") from e

    def model(self, state: State[Any]) -> Any:
        """Returns the model that the function is given."""
        values: dict[str, Any] = {}
        for key in self.reads:
            field = self.before.model_fields.get(key)
            if key in state:
                values[key] = self._valid(self.before, key, state[key], "reads", values)
            elif field is not None and not field.is_required():
                values[key] = field.get_default(call_default_factory=True, validated_data={})
            else:
                state[key]  # raises what tells that it is missing
        return partial_model(self.before, values)

    def state(self, state: State[Any], made: Any) -> State[Any]:
        """Returns the state with what the function set in the model that it returned."""
        if not isinstance(made, self.after):
            hint = f"Change the model and return it, or return a {self.after.__name__}."
            raise WrongReturn(self.label, f"must return a {self.after.__name__}, and returned {shown(made)}", hint)
        values = {**vars(made), **(made.model_extra or {})}
        base = state._base if isinstance(state, View) else state
        wrong = [
            key
            for key in values
            if key not in self.writes and (key in made.model_fields_set or key in (made.model_extra or {})) and not self._as_before(base, key, values[key])
        ]
        if wrong:
            raise UndeclaredWrite(self.label, wrong, self.writes)
        return state.update(**{key: self._valid(self.after, key, values[key], "writes", values) for key in self.writes if key in values})

    def _as_before(self, base: State[Any], key: str, value: Any) -> bool:
        cell = base.cell(key)
        if cell is None:
            field = self.before.model_fields.get(key)
            default = key in self.reads and field is not None and not field.is_required()
            return default and bool(value == field.get_default(call_default_factory=True, validated_data={}))
        if bool(value == cell.value):
            return True
        return key in self.reads and bool(value == self._valid(self.before, key, cell.read(), "reads", self._beside(base)))

    def _beside(self, base: State[Any]) -> dict[str, Any]:
        return {key: base[key] for key in self.reads if key in base}

    @contextmanager
    def told(self) -> Generator[None, None, None]:
        """Tells, in the block, of fields that are looked at and not declared."""
        try:
            yield
        except AttributeError as e:
            if e.name is not None and e.name in self.before.model_fields and isinstance(e.obj, self.before) and e.name not in self.reads:
                raise UndeclaredRead(self.label, e.name, self.reads) from e
            raise


class PydanticAction(FunctionBasedAction):
    """The action of a function from model to model."""

    _form: _Form

    def with_name(self, name: str) -> Any:
        """Returns a copy under a name.  Raises ValueError: it has another name already."""
        return _renamed(super().with_name(name), self._form, name)

    def run_and_update(self, state: State[Any], **run_kwargs: Any) -> Any:
        """Returns (result, state), or the state alone; to be awaited, if the function is async."""
        form = self._form
        with form.told():
            output = super().run_and_update(form.model(state), **run_kwargs)
        if inspect.isawaitable(output):
            return self._awaited(state, output)
        return self._joined(state, output)

    async def _awaited(self, state: State[Any], output: Any) -> Any:
        with self._form.told():
            output = await output
        return self._joined(state, output)

    def _joined(self, state: State[Any], output: Any) -> Any:
        if isinstance(output, tuple) and len(output) == 2:
            return output[0], self._form.state(state, output[1])
        return self._form.state(state, output)


class PydanticStreamingAction(FunctionBasedStreamingAction):
    """The action of a generator function that yields (item, None), and at the end (item, model)."""

    _form: _Form

    def with_name(self, name: str) -> Any:
        """Returns a copy under a name.  Raises ValueError: it has another name already."""
        return _renamed(super().with_name(name), self._form, name)

    def stream_run_and_update(self, state: State[Any], **run_kwargs: Any) -> Any:
        """Returns a generator of (item, None), and at the end (item, state)."""
        stream = super().stream_run_and_update(self._form.model(state), **run_kwargs)
        return self._astream(state, stream) if hasattr(stream, "__aiter__") else self._stream(state, stream)

    def _stream(self, state: State[Any], stream: Any) -> Generator[Any, None, None]:
        try:
            with self._form.told():
                for item in stream:
                    yield self._turned(state, item)
        finally:
            stream.close()

    async def _astream(self, state: State[Any], stream: Any) -> AsyncGenerator[Any, None]:
        try:
            with self._form.told():
                async for item in stream:
                    yield self._turned(state, item)
        finally:
            await stream.aclose()

    def _turned(self, state: State[Any], item: Any) -> Any:
        if not isinstance(item, tuple) or len(item) != 2:
            raise WrongReturn(self._form.label, f"must yield (item, None) or (item, model), and yielded {shown(item)}", YIELDS)
        told, model = item
        kinds = self._schema.intermediate_result_type()
        if told is not None and isinstance(kinds, type | tuple) and not isinstance(told, kinds):
            hint = f"Yield ({annotation_text(kinds)}(...), None), or declare stream_type={type(told).__name__}."
            raise WrongReturn(self._form.label, f"must yield {annotation_text(kinds)}, and yielded {shown(told)}", hint)
        return told, None if model is None else self._form.state(state, model)


def _renamed(made: Any, form: _Form, name: str) -> Any:
    made._form = _Form(form.before, form.after, form.reads, form.writes, name)
    return made


def decorated(
    fn: Any,
    reads: Declared,
    writes: Declared,
    types: tuple[Any, Any],
    scope: Mapping[str, Any],
    *,
    stream_type: Any = None,
    streaming: bool = False,
    **options: Any,
) -> Any:
    """Returns a function, marked as an action over models.

    Raises:
        ActionFault: it cannot be one, or no model is known.
    """
    label = getattr(fn, "__name__", type(fn).__name__)
    before, after = _models(fn, types, scope, label)
    item = stream_type if stream_type is not None else dict
    kind = PydanticStreamingAction if streaming else PydanticAction
    made: Any = kind(fn, reads, writes, schema=PydanticSchema(before, after, item), scope=scope, **options)
    made._form = _Form(before, after, list(declared(reads, "reads", label)), list(declared(writes, "writes", label)), label)
    made._declared.any_result = streaming
    mark(fn, made)
    return fn


def _models(fn: Callable[..., Any], types: tuple[Any, Any], scope: Mapping[str, Any], label: str) -> tuple[Any, Any]:
    before, after = types
    try:
        hints = get_type_hints(fn, localns=dict(scope))
    except Exception:  # a name that exists for type checkers alone
        hints = {}
    first = next((name for name in ("state", *inspect.signature(fn).parameters) if name in hints), "state")
    before = before or hints.get(first)
    after = after or _model_in(hints.get("return")) or before
    for kind, what in ((before, "state_input_type"), (after, "state_output_type")):
        if not is_model(kind):
            said = "nothing says which model" if kind is None else f"{annotation_text(kind)} is no pydantic model"
            raise ActionFault(f"action {label}: {said} its state is", hint=f"Annotate the state, def {label}(state: Model), or give {what}=Model.")
    return before, after


def _model_in(annotation: Any) -> Any:
    """The last model that a return annotation mentions: that of Generator[tuple[Item, Model | None], None, None] is Model."""
    if is_model(annotation):
        return annotation
    found = [each for each in map(_model_in, get_args(annotation)) if each is not None]
    return found[-1] if found else None
