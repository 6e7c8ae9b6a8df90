"""What a machine knows: named values, immutable for real.

A program gets copies and hands in copies, so nothing that it changes in place
reaches a state.  Versions share what they have in common: a change costs what
is changed, also where states are stored one after the other (`cell.py`).

A stored state is the stored dict of its fields, byte for byte, whatever way it
came about, so that any tool that reads, compares or addresses values does so
with states.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, cast

from gvstore.machine.cell import Cell, ListCell, StoredCell, cell_of
from gvstore.machine.change import Stored, encoded, fields_of, read_cells, stored_after
from gvstore.machine.duplicate import duplicate
from gvstore.machine.part import NOWHERE
from gvstore.machine.serde import Serialized, deserialize_field, serialize_field, unpacked
from gvstore.machine.state_fault import MissingField, StateValueError
from gvstore.objects import number
from gvstore.objects.encode import VALUE_BYTE
from gvstore.objects.naming import type_name
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.wire import array, link_bytes, linked, pack
from gvstore.store.registry import Registry
from gvstore.store.resource import TypeWrapper

if TYPE_CHECKING:
    from gvstore.machine.delta import StateDelta
    from gvstore.machine.typing_system import TypingSystem

S = TypeVar("S")
T = TypeVar("T")
D = TypeVar("D")
PRIVATE: Final = "__"  # names that begin so are the machine's own


class State(Mapping[str, Any], Generic[S]):
    """An immutable mapping from field names to values; every change returns a new state.

    What is read is a copy of the reader's own: `history = state["history"];
    history.append(x)` leaves the state as it was, until
    `state.update(history=history)` makes the next.

    Raises:
        TypeError: what is given is no mapping, or a field's name is no text.
    """

    __slots__ = ("_cells", "_known", "_stored", "_typing")

    def __init__(self, initial_values: Mapping[str, Any] | None = None, typing_system: TypingSystem[S] | None = None) -> None:
        if initial_values is None:
            initial_values = {}
        if not isinstance(initial_values, Mapping):
            raise TypeError(f"a state is made of a dict, not of {type(initial_values).__name__}")
        if isinstance(initial_values, State):
            cells = dict(initial_values._cells)
        else:
            cells = {_checked(name): cell_of(value) for name, value in initial_values.items()}
        self._cells: dict[str, Cell] = cells
        self._typing = typing_system
        self._known: tuple[ObjectWriter, bytes] | None = None
        self._stored: Stored | None = None

    def _with(self, cells: dict[str, Cell]) -> State[S]:
        made: State[S] = State.__new__(type(self))
        made._cells, made._typing, made._known, made._stored = cells, self._typing, None, None
        return made

    def __getitem__(self, key: str) -> Any:
        cell = self._cells.get(key)
        if cell is None:
            raise MissingField(key, self._cells)
        return cell.read()

    def peek(self, key: str) -> Any:
        """Returns a field's value itself: to be looked at, as conditions do, and neither changed nor handed on.

        Raises:
            MissingField: there is no such field.
        """
        cell = self._cells.get(key)
        if cell is None:
            raise MissingField(key, self._cells)
        return cell.value

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a copy of a field's value, or `default`."""
        cell = self._cells.get(key)
        return default if cell is None else cell.read()

    def __contains__(self, key: object) -> bool:
        return key in self._cells

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def get_all(self) -> dict[str, Any]:
        """Returns a dict of copies of all fields' values."""
        return {name: cell.read() for name, cell in self._cells.items()}

    def cells(self) -> Iterable[tuple[str, Cell]]:
        """Returns names and cells: for the machine's own use, as what a cell holds is never handed out."""
        return self._cells.items()

    def cell(self, name: str) -> Cell | None:
        """Returns the cell of a field, or None: for the machine's own use."""
        return self._cells.get(name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, State):
            ours, theirs = self._cells, other._cells
            return ours.keys() == theirs.keys() and all(
                cell is theirs[name] or cell.value == theirs[name].value for name, cell in ours.items()
            )
        if isinstance(other, Mapping):
            return {name: cell.value for name, cell in self._cells.items()} == dict(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = {name: cell.value for name, cell in self._cells.items()}
        return f"State({fields})"

    def __setitem__(self, key: str, value: Any) -> NoReturn:
        raise TypeError(f"a state is immutable: write `state = state.update({key}=...)`")

    def __delitem__(self, key: str) -> NoReturn:
        raise TypeError(f"a state is immutable: write `state = state.wipe(delete=[{key!r}])`")

    def __copy__(self) -> State[S]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> State[S]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.get_all(), self._typing)

    def update(self, /, **fields: Any) -> State[S]:
        """Returns a state in which these fields have these values."""
        cells = dict(self._cells)
        for name, value in fields.items():
            cells[name] = cell_of(value, cells.get(name))
        return self._with(cells)

    def append(self, /, **fields: Any) -> State[S]:
        """Returns a state in which each list has one more item; a list that is not there is begun.

        Raises:
            ValueError: a field is no list.
        """
        return self._lengthened({name: [value] for name, value in fields.items()}, "append to", "appendable")

    def extend(self, /, **fields: Iterable[Any]) -> State[S]:
        """Returns a state in which each list goes on with these items; a list that is not there is begun.

        Raises:
            ValueError: a field is no list, or what it is to go on with is text or no iterable.
        """
        given: dict[str, list[Any]] = {}
        for name, values in fields.items():
            if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
                raise ValueError(f"field {name!r} cannot be extended with a {type(values).__name__}: give a list, or append it")
            given[name] = list(values)
        return self._lengthened(given, "extend", "extendable")

    def _lengthened(self, given: dict[str, list[Any]], verb: str, what: str) -> State[S]:
        cells = dict(self._cells)
        wrong = {}
        for name, values in given.items():
            before = cells.get(name)
            if isinstance(before, StoredCell):
                before = before.as_list() or before
            if before is None:
                cells[name] = cell_of(values)
            elif isinstance(before, ListCell):
                cells[name] = before.grown(duplicate(values))
            elif isinstance(value := before.value, list) or (hasattr(value, "append") and hasattr(value, "extend")):
                changed = before.read()
                changed.extend(duplicate(values))
                cells[name] = cell_of(changed)
            else:
                wrong[name] = type(value).__name__
        if wrong:
            raise ValueError(f"Cannot {verb} non-{what} values {wrong}: only lists grow")
        return self._with(cells)

    def increment(self, /, **fields: Any) -> State[S]:
        """Returns a state in which each number is greater by this much; a number that is not there is begun at 0.

        Raises:
            ValueError: a field, or what is to be added, is no number.
        """
        cells = dict(self._cells)
        wrong = {}
        for name, step in fields.items():
            before = cells.get(name)
            value = 0 if before is None else before.value
            try:
                if not (_is_number(value) and _is_number(step)):
                    raise TypeError
                cells[name] = cell_of(step if before is None else value + step)
            except TypeError:  # a Decimal and a float have no sum either
                wrong[name] = f"{type(value).__name__} + {type(step).__name__}"
        if wrong:
            raise ValueError(f"Cannot increment non-integer values {wrong}: only numbers can be added")
        return self._with(cells)

    def wipe(self, delete: Iterable[str] | None = None, keep: Iterable[str] | None = None) -> State[S]:
        """Returns a state without the fields `delete`, or with the fields `keep` alone, or, given neither, without any.

        Raises:
            ValueError: both are given.
        """
        if delete is not None and keep is not None:
            raise ValueError("wipe takes delete= or keep=, not both")
        if delete is not None:
            gone = set(_names(delete, "delete"))
            return self._with({name: cell for name, cell in self._cells.items() if name not in gone})
        kept = set(_names(keep or (), "keep"))
        return self._with({name: cell for name, cell in self._cells.items() if name in kept})

    def merge(self, other: Mapping[str, Any]) -> State[S]:
        """Returns a state with the fields of both; where both have one, `other`'s."""
        if isinstance(other, State):
            return self._with({**self._cells, **other._cells})
        if not isinstance(other, Mapping):
            raise TypeError(f"a state is merged with a state or a dict, not with {type(other).__name__}")
        return self.update(**{_checked(name): value for name, value in other.items()})

    def subset(self, *keys: str | Iterable[str], ignore_missing: bool = True) -> State[S]:
        """Returns a state of these fields alone, given one by one or as a list.

        Raises:
            MissingField: one of them is not there, and that is not to be ignored.
        """
        cells = {}
        for key in keys:
            for name in [key] if isinstance(key, str) else _names(key, "subset"):
                if name in self._cells:
                    cells[name] = self._cells[name]
                elif not ignore_missing:
                    raise MissingField(name, self._cells)
        return self._with(cells)

    def apply_operation(self, operation: StateDelta) -> State[S]:
        """Returns the state that a change, itself a value, makes of this one.

        Raises:
            ValueError: it cannot be made of this state.
        """
        return cast("State[S]", operation.apply(self))

    @property
    def typing_system(self) -> TypingSystem[S]:
        """What says of which type the fields together are; without one they are a dict."""
        if self._typing is None:
            from gvstore.machine.typing_system import DictBasedTypingSystem

            return cast("TypingSystem[S]", DictBasedTypingSystem())
        return self._typing

    @property
    def data(self) -> S:
        """The fields as one value of the state's type.

        Raises:
            StateTypeError: they are not of that type.
        """
        return self.typing_system.construct_data(self)

    def with_typing_system(self, typing_system: TypingSystem[T]) -> State[T]:
        """Returns the same fields, seen as another type."""
        made = cast("State[T]", self._with(self._cells))
        made._typing, made._known, made._stored = typing_system, self._known, self._stored
        return made

    def serialize(self, **kwargs: Any) -> dict[str, Any]:
        """Returns what JSON holds of the state, without loss; keywords go to serializers that take them.

        Raises:
            StateValueError: a field holds what cannot be stored.
        """
        return {name: serialize_field(name, cell.value, kwargs) for name, cell in self._cells.items()}

    @classmethod
    def deserialize(cls, json_dict: Mapping[str, Any], **kwargs: Any) -> State[Any]:
        """Returns the state that `serialize` wrote.

        Raises:
            StateValueError: a field cannot be restored here.
        """
        if not isinstance(json_dict, Mapping):
            raise StateValueError(f"a serialized state is a dict, not a {type(json_dict).__name__}")
        return cls({name: deserialize_field(name, data, kwargs) for name, data in json_dict.items()})

    def encoded(self, writer: ObjectWriter) -> bytes:
        """Returns the encoding of the dict of all fields, all that it links written; only what changed since the last is encoded.

        A writer may have an `encoder(on_opaque)`: the Encoder by which values are written to it.

        Raises:
            StateValueError: a field holds what cannot be stored.
        """
        known = self._known
        if known is None or known[0] is not writer:
            known = self._known = (writer, encoded(self._cells, writer))
        return known[1]

    def name(self) -> ObjectId:
        """Returns the oid of the dict of all fields, by which equal states are known, stored or not.  Raises as `encoded`."""
        return ObjectId.of(VALUE_BYTE + self.encoded(NOWHERE))

    def store(self, writer: ObjectWriter, after: State[Any] | None = None) -> ObjectId:
        """Writes the state; `load` reads it.  As the dict of all fields, or as what changed `after` a state stored there, if that is less.

        Raises:
            StateValueError: a field holds what cannot be stored.
        """
        stored = self._stored
        if stored is None or stored.writer is not writer:
            before = None if after is None else after._stored
            stored = None
            if after is not None and before is not None and before.writer is writer:
                stored = stored_after(after._cells, before, self._cells, writer)
            if stored is None:
                data = self.encoded(writer)
                stored = Stored(writer, linked(data) or writer.write(VALUE_BYTE + data), 0)
            self._stored = stored
        return stored.oid

    @classmethod
    def load(cls, reader: ObjectReader, oid: ObjectId) -> State[Any]:
        """Returns a stored state; a field is read when it is asked for.

        Raises:
            CorruptObject: it is none.
            ObjectMissing: it is not there.
        """
        made: State[Any] = cls()
        made._cells, depth = read_cells(reader, oid)
        made._stored = Stored(reader, oid, depth)
        return made


def is_private(name: str) -> bool:
    """Returns whether a field is the machine's own, not the program's."""
    return name.startswith(PRIVATE)


def _checked(name: Any) -> str:
    if type(name) is not str:
        raise TypeError(f"a state's fields are named by text, not by {name!r} ({type(name).__name__})")
    return name


def _names(given: Iterable[str], what: str) -> list[str]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable):
        raise TypeError(f"{what} takes names of fields, not {given!r}")
    return [_checked(name) for name in given]


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


@Registry.get().register
@dataclass
class StateWrapper(TypeWrapper[State[Any]]):
    """A state among other values, as an argument or inside a list: its fields, without its type.

    A record may link a stored state in place of the fields, so that it costs a link.
    """

    fields: Any

    @classmethod
    def wrapped_type(cls) -> type[State[Any]]:
        """Returns State."""
        return State

    @classmethod
    def wrap(cls, value: State[Any]) -> StateWrapper:
        """Returns the wrapper of a state."""
        return cls({name: _recorded(name, cell) for name, cell in value.cells()})

    def unwrap(self) -> State[Any]:
        """Returns the state."""
        return State({name: unpacked(value) for name, value in fields_of(self.fields).items()})

    @classmethod
    def is_immutable(cls) -> bool:
        """Returns True."""
        return True


def _recorded(name: str, cell: Cell) -> Any:
    """Returns a copy of a field's value, or what a serializer of the program's makes of it."""
    try:
        written = cell.recorded(name)
    except StateValueError:  # there is none: a record marks it as opaque
        return cell.read()
    return written if type(written) is Serialized else cell.read()


def link_part(oid: ObjectId) -> bytes:
    """Returns the encoding, as a part of a record, of the State that is stored as object `oid`: a link in place of its fields."""
    return array([pack(number.WRAPPED), pack(type_name(StateWrapper)), pack("fields"), link_bytes(oid)])
