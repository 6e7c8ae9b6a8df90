"""The state as one action sees it: what it declares, and nothing else.

A view is a State.  Reading a key that is not declared, or writing one, is an
error at the line that does it.  A key that is only written can be appended to
and incremented unseen, and read once the action itself has written it.

`settled` joins what a view became to the whole state.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar, cast

from gvstore.machine.action_fault import MissingWrites, UndeclaredRead, UndeclaredWrite, WrongReturn, shown
from gvstore.machine.cell import Cell
from gvstore.machine.delta import AppendFields, ExtendFields
from gvstore.machine.duplicate import is_same
from gvstore.machine.model_part import partial_model, valid_field
from gvstore.machine.state import State, is_private
from gvstore.machine.state_fault import StateTypeError
from gvstore.machine.terms import Terms
from gvstore.machine.typing_system import DictBasedTypingSystem, PydanticTypingSystem, TypingSystem

if TYPE_CHECKING:
    from gvstore.machine.delta import StateDelta

S = TypeVar("S")
_NOTHING: frozenset[str] = frozenset()


class View(State[S]):
    """The fields that an action declares, of a whole state `base`."""

    __slots__ = ("_base", "_grown", "_peeked", "_readable", "_terms", "_touched", "_wiped")

    _base: State[Any]
    _grown: frozenset[str]  # of those touched: went on with what was there, and were not given anew
    _peeked: set[str]  # seen though only declared as written; one set for all views of a step
    _terms: Terms
    _readable: frozenset[str]
    _touched: frozenset[str]
    _wiped: frozenset[str]

    def _with(self, cells: dict[str, Cell]) -> View[S]:
        made = cast("View[S]", super()._with(cells))
        made._base, made._terms, made._readable = self._base, self._terms, self._readable
        made._touched, made._wiped = self._touched, self._wiped
        made._grown, made._peeked = self._grown, self._peeked
        return made

    def _see(self, key: object) -> None:
        if key in self._terms.readable:
            return
        if key not in self._readable and key not in self._touched:
            raise UndeclaredRead(self._terms.label, str(key), self._terms.reads)
        if key not in self._touched or key in self._grown:
            self._peeked.add(str(key))

    def _after(self, made: State[S], touched: Iterable[str], wiped: Iterable[str] = (), *, grown: Iterable[str] = ()) -> View[S]:
        view = cast("View[S]", made)
        fresh = {name for name in grown if name in self._grown or (name not in self._touched and name not in self._wiped)}
        if fresh or self._grown:
            view._grown = self._grown.difference(touched, wiped) | fresh
        if wiped or self._wiped:
            view._wiped = (self._wiped - frozenset(touched)) | frozenset(wiped)
        view._touched = self._touched.union(touched).difference(wiped)
        return view

    def _may(self, keys: Iterable[str], verb: str = "write to") -> None:
        writable = self._terms.writable
        wrong = [key for key in keys if key not in writable]
        if wrong:
            raise UndeclaredWrite(self._terms.label, wrong, self._terms.writes, verb)

    @property
    def terms(self) -> Terms:
        """What the action declares."""
        return self._terms

    def widened(self) -> View[S]:
        """Returns the view by which a result is joined to the state: of what the action only writes, too."""
        return view_of(self._base, self._terms, whole=True, peeked=self._peeked)

    def seen(self) -> State[S]:
        """Returns what can be read of it, as a state of its own."""
        made: State[S] = State()
        made._cells = {name: cell for name, cell in self._cells.items() if name in self._readable or name in self._touched}
        for name in made._cells:
            self._see(name)
        made._typing = self._typing
        return made

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a state has no attribute {name!r}: its fields are read as state[{name!r}]", name=name, obj=self)

    def __getitem__(self, key: str) -> Any:
        if key not in self._terms.readable:
            self._see(key)
        return super().__getitem__(key)

    def peek(self, key: str) -> Any:
        """Returns a field's value itself, to be looked at.  Raises UndeclaredRead, MissingField."""
        self._see(key)
        return super().peek(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a copy of a field's value, or `default`.  Raises UndeclaredRead."""
        self._see(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._see(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.seen()._cells)

    def __len__(self) -> int:
        return len(self.seen()._cells)

    def get_all(self) -> dict[str, Any]:
        """Returns a dict of copies of what can be read."""
        return self.seen().get_all()

    def __eq__(self, other: object) -> bool:
        return self.seen() == (other.seen() if isinstance(other, View) else other)

    __hash__ = None

    def __repr__(self) -> str:
        return repr(self.seen())

    def __reduce__(self) -> tuple[Any, ...]:
        return self.seen().__reduce__()

    def update(self, /, **fields: Any) -> State[S]:
        """Returns a state in which these fields have these values.  Raises UndeclaredWrite."""
        if not self._terms.writable.issuperset(fields):
            self._may(fields)
        kept = {name: value.seen() if type(value) is View else value for name, value in fields.items()}
        return self._after(super().update(**kept), fields)

    def append(self, /, **fields: Any) -> State[S]:
        """Returns a state in which each list has one more item.  Raises UndeclaredWrite, ValueError."""
        self._may(fields)
        return self._after(super().append(**fields), fields, grown=fields)

    def extend(self, /, **fields: Iterable[Any]) -> State[S]:
        """Returns a state in which each list goes on with these items.  Raises UndeclaredWrite, ValueError."""
        self._may(fields)
        return self._after(super().extend(**fields), fields, grown=fields)

    def increment(self, /, **fields: Any) -> State[S]:
        """Returns a state in which each number is greater by this much.  Raises UndeclaredWrite, ValueError."""
        self._may(fields)
        return self._after(super().increment(**fields), fields)

    def wipe(self, delete: Iterable[str] | None = None, keep: Iterable[str] | None = None) -> State[S]:
        """Returns a state without some fields; all that go must be declared as written.

        Raises:
            UndeclaredWrite: one is not.
            ValueError: both are given.
        """
        if delete is not None and keep is None:
            gone = [delete] if isinstance(delete, str) else list(delete)
            made = super().wipe(delete=gone)
        else:
            made = super().wipe(delete, keep)
            gone = [name for name in self._cells if name not in made._cells]
        self._may(gone, "wipe")
        return self._after(made, (), gone)

    def merge(self, other: Mapping[str, Any]) -> State[S]:
        """Returns a state with the fields of both.  Raises UndeclaredWrite."""
        if isinstance(other, View) and other._base is self._base:
            names: Iterable[str] = other._touched
            view = self._after(super().merge(other.subset([name for name in other._cells if name in names])), names, other._wiped)
            view._grown |= other._grown
            return view
        if isinstance(other, State):
            self._may(other._cells)
            return self._after(super().merge(other), other._cells)
        return super().merge(other)

    def subset(self, *keys: str | Iterable[str], ignore_missing: bool = True) -> State[S]:
        """Returns a state of these fields alone: to be looked at.  What is left out stays as it is in the whole.

        Raises:
            UndeclaredRead: one of them is not declared.
            MissingField: one of them is not there, and that is not to be ignored.
        """
        flat = [name for key in keys for name in ([key] if isinstance(key, str) else key)]
        for name in flat:
            if name not in self._terms.writable:
                self._see(name)
        return super().subset(flat, ignore_missing=ignore_missing)

    def apply_operation(self, operation: StateDelta) -> State[S]:
        """Returns the state that a change makes of this one.  Raises UndeclaredRead, UndeclaredWrite, ValueError."""
        writes, deletes = operation.writes(), operation.deletes()
        self._may(writes)
        self._may(deletes, "wipe")
        grown = writes if isinstance(operation, (AppendFields, ExtendFields)) else ()
        for key in operation.reads():
            if key not in self._terms.writable:
                self._see(key)
            elif key not in grown and key not in deletes and key not in self._terms.readable:
                self._peeked.add(key)
        plain: State[S] = State()
        plain._cells, plain._typing = self._cells, self._typing
        changed = operation.apply(plain)
        return self._after(self._with(dict(changed._cells)), writes, deletes, grown=grown)

    @property
    def data(self) -> S:
        """The fields as one value of the state's type; where the action does not read them all, as a part of one.

        Raises:
            StateTypeError: they are not of that type.
        """
        system, seen = self.typing_system, self.seen()
        names = getattr(system, "fields", None)
        if names is None or isinstance(system, DictBasedTypingSystem) or all(name in self._readable or name in seen for name in names):
            return seen.data
        return _part(system, seen)

    def serialize(self, **kwargs: Any) -> dict[str, Any]:
        """Returns what JSON holds of what can be read."""
        return self.seen().serialize(**kwargs)


def _part(system: TypingSystem[S], seen: State[S]) -> S:
    """Returns a value of the program's type that has the fields which are read, and no others."""
    values = {name: seen[name] for name in system.fields if name in seen}  # type: ignore[attr-defined]
    kind = system.state_type()
    if isinstance(system, PydanticTypingSystem):
        valid: dict[str, Any] = {}
        try:
            for name, value in values.items():
                valid[name] = valid_field(kind, name, value, valid)
        except ValueError as e:
            raise StateTypeError(system.name, system.problems(values, partial=True) or [str(e)]) from e
        return cast("S", partial_model(kind, valid))
    if dataclasses.is_dataclass(kind):
        made = object.__new__(cast("Any", kind))
        for name, value in values.items():
            object.__setattr__(made, name, value)
        return cast("S", made)
    return cast("S", values)


class Extent(NamedTuple):
    """What an action did with fields: gave values to, let go on from where they were, took away; and saw, though it only declares to write them."""

    given: frozenset[str]
    grown: frozenset[str]
    wiped: frozenset[str]
    peeked: frozenset[str]


def view_of(state: State[Any], terms: Terms, *, whole: bool = False, peeked: set[str] | None = None) -> View[Any]:
    """Returns what an action sees of a state; `whole`: also the keys that it only writes, as what joins a result to a state does.

    `peeked` gathers what it sees and declares only as written.

    Raises:
        WrongType: a field that it reads is not of the type declared.
    """
    if terms.read_types:
        terms.check_reads(state)
    view: View[Any] = View.__new__(View)
    cells = state._cells
    view._cells = {name: cell for name, cell in cells.items() if name in terms.visible}  # in the order of the state, which a set has not
    view._typing = terms.typing or state._typing
    view._known = view._stored = None
    view._base, view._terms = state, terms
    view._readable = terms.visible if whole else terms.readable
    view._touched = view._wiped = view._grown = _NOTHING
    view._peeked = set() if peeked is None else peeked
    return view


def settled(terms: Terms, view: View[Any], after: object) -> tuple[State[Any], Extent]:
    """Returns the whole state, with what an action made of its view of it, and how it came about.

    A state that was made anew, and not from the view, counts by its fields.

    Raises:
        WrongReturn: it is no state.
        UndeclaredWrite: it has fields that the action may not write.
        MissingWrites: it lacks some that the action declares.
        WrongType: one is not of the type declared.
    """
    if not isinstance(after, State):
        raise WrongReturn(terms.label, f"must return either a State or (result, State), and returned {shown(after)} for the state")
    cells, base = after._cells, view._base
    if isinstance(after, View) and after._base is base:
        written = {name: cell for name, cell in cells.items() if name in after._touched}
        wiped, grown = after._wiped, after._grown
    else:
        written, wiped, grown = _foreign(terms, base, cells), _NOTHING, _NOTHING
    extent = Extent(frozenset(written) - grown, grown, wiped, frozenset(view._peeked))
    before = base._cells
    missing = [name for name in terms.writes if name in terms.must and name not in written and name not in before and name not in wiped]
    if missing:
        raise MissingWrites(terms.label, missing, written)
    if terms.write_types:
        terms.check_writes(written, base)
    if not written and not wiped:
        return base, extent
    joined = {**before, **written}
    for name in wiped:
        joined.pop(name, None)
    return base._with(joined), extent


def _foreign(terms: Terms, base: State[Any], cells: Mapping[str, Cell]) -> dict[str, Cell]:
    written, wrong = {}, []
    for name, cell in cells.items():
        old = base._cells.get(name)
        if name in terms.writable and not is_private(name):
            written[name] = cell
        elif old is None or (old is not cell and not is_same(old.value, cell.value)):
            wrong.append(name)
    if wrong:
        raise UndeclaredWrite(terms.label, wrong, terms.writes)
    return written
