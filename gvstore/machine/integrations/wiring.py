"""Between the state and what another library computes: where its inputs come from, and where its outputs go.

    inputs={"prompt_input": from_state("prompt"), "size": from_value(256), "style": from_input("style", "plain")}
    outputs={"generated_image": update_state("response"), "note": append_state("notes")}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from gvstore.machine.action_fault import ActionFault, shown
from gvstore.machine.finding import meant
from gvstore.machine.state import State

Missing = Literal["error", "drop"]
ONE: Final = ""  # the name of the one input or output of what takes or gives no dict
_SOURCES: Final = 'There are from_state("field"), from_value(value) and from_input("name").'
_TARGETS: Final = 'There are update_state("field") and append_state("field").'


@dataclass(frozen=True, slots=True)
class StateSource:
    """A field of the state."""

    key: str
    missing: Missing = "error"


@dataclass(frozen=True, slots=True)
class ValueSource:
    """A value that is always the same."""

    value: Any


@dataclass(frozen=True, slots=True)
class InputSource:
    """An input of the step, given with the run; `default` stands where it is not, unless it is `required`."""

    name: str
    required: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class Output:
    """A field of the state that an output is written to, or appended to."""

    key: str
    mode: Literal["update", "append"] = "update"


Source = StateSource | ValueSource | InputSource


def from_state(key: str, missing: Missing = "error") -> StateSource:
    """Returns what takes an input from a field of the state; where the state lacks it, "drop" leaves the input out.

    Raises:
        ActionFault: it is no name of a field.
    """
    if missing not in ("error", "drop"):
        raise ActionFault(f"from_state({key!r}, missing={missing!r}): missing is 'error' or 'drop'")
    return StateSource(_named(key, "from_state"), missing)


def from_value(value: Any) -> ValueSource:
    """Returns what gives an input this value."""
    return ValueSource(value)


def from_input(name: str, *default: Any) -> InputSource:
    """Returns what takes an input from an input of the step, or the default where there is one.

    Raises:
        ActionFault: it is no name of an input.
    """
    if len(default) > 1:
        raise ActionFault(f"from_input({name!r}) takes a name and a default, not {len(default) + 1} arguments")
    return InputSource(_named(name, "from_input"), not default, *default)


def update_state(key: str) -> Output:
    """Returns what writes an output to a field of the state.  Raises ActionFault: it is no name of one."""
    return Output(_named(key, "update_state"))


def append_state(key: str) -> Output:
    """Returns what appends an output to a list in the state.  Raises ActionFault: it is no name of a field."""
    return Output(_named(key, "append_state"), "append")


def _named(key: Any, what: str) -> str:
    if not isinstance(key, str) or not key:
        raise ActionFault(f"{what} takes a name, not {shown(key)}", hint=f'Type {what}("name").')
    if key.startswith("__"):
        raise ActionFault(f"{what}({key!r}): names that begin with a double underscore are the machine's own")
    return key


class Wiring:
    """The inputs and outputs of one action; with `ONE` as the only name where no dict goes in or comes out."""

    def __init__(self, label: str, inputs: Any, outputs: Any) -> None:
        """Takes dicts of sources and of outputs.

        Raises:
            ActionFault: one is none, or two outputs go to one field.
        """
        self.label = label
        self.sources: dict[str, Source] = _checked(label, "inputs", inputs, (StateSource, ValueSource, InputSource), _SOURCES)
        self.outputs: dict[str, Output] = _checked(label, "outputs", outputs, (Output,), _TARGETS)
        if not self.outputs:
            raise ActionFault(f"{label} has no outputs", hint=_TARGETS)
        taken: dict[str, str] = {}
        for name, output in self.outputs.items():
            if output.key in taken:
                raise ActionFault(f"{label}: outputs {taken[output.key]} and {name} both go to the field {output.key!r}", hint="Give each a field of its own.")
            taken[output.key] = name

    @property
    def reads(self) -> list[str]:
        """The fields that inputs come from."""
        return list(dict.fromkeys(each.key for each in self.sources.values() if isinstance(each, StateSource)))

    @property
    def writes(self) -> list[str]:
        """The fields that outputs go to."""
        return [each.key for each in self.outputs.values()]

    @property
    def inputs(self) -> tuple[list[str], list[str]]:
        """The inputs of the step that are required, and those that are not."""
        found = [each for each in self.sources.values() if isinstance(each, InputSource)]
        required = list(dict.fromkeys(each.name for each in found if each.required))
        return required, list(dict.fromkeys(each.name for each in found if each.name not in required))

    @property
    def told(self) -> dict[str, Any]:
        """The same as plain data, for the record: `{"inputs": {"prompt_input": "state.prompt"}, ...}`."""
        inputs = {name: _told(each) for name, each in self.sources.items() if not isinstance(each, ValueSource)}
        values = {name: each.value for name, each in self.sources.items() if isinstance(each, ValueSource)}
        outputs = {name: f"state.{each.key}" + (" +" if each.mode == "append" else "") for name, each in self.outputs.items()}
        found = {"inputs": inputs, "values": values, "outputs": outputs}
        return {name: each.get(ONE, each) if set(each) == {ONE} else each for name, each in found.items() if each}

    def values(self, state: State[Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the inputs by name.

        Raises:
            MissingField: the state lacks one.
        """
        found: dict[str, Any] = {}
        for name, source in self.sources.items():
            if isinstance(source, ValueSource):
                found[name] = source.value
            elif isinstance(source, InputSource):
                found[name] = given.get(source.name, source.default)
            elif source.missing == "error" or source.key in state:
                found[name] = state[source.key]
        return found

    def written(self, result: Mapping[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state with the outputs in it."""
        for name, output in self.outputs.items():
            value = {output.key: result[output.key if name == ONE else name]}
            state = state.update(**value) if output.mode == "update" else state.append(**value)
        return state

    def known(self, what: str, names: Iterable[str], known: Iterable[str]) -> None:
        """Looks whether names are known.  Raises ActionFault: one is not; tells what is near."""
        there = list(known)
        for name in names:
            if name not in there:
                hint = meant(name, there, f"There are {', '.join(there) or 'none'}.")
                raise ActionFault(f"{self.label}: there is no {what} {name!r}", hint=hint)


def _told(source: Source) -> str:
    if isinstance(source, StateSource):
        return f"state.{source.key}" + ("" if source.missing == "error" else "?")
    assert isinstance(source, InputSource)
    return f"input.{source.name}" + ("" if source.required else f" or {source.default!r}")


def _checked(label: str, what: str, given: Any, kinds: tuple[type, ...], hint: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ActionFault(f"{what} of {label} are {shown(given)}, and a dict was expected", hint=hint)
    for name, each in given.items():
        if not isinstance(name, str):
            raise ActionFault(f"{what} of {label} hold {name!r}: a name is text", hint=hint)
        if not isinstance(each, kinds):
            where = f"{what}[{name!r}]" if name != ONE else what
            raise ActionFault(f"{where} of {label} is {shown(each)}", hint=hint)
    return dict(given)
