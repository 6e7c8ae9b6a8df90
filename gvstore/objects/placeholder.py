"""What stands for a value that has no Python object here.

Stored data can be read without the program that made it: what cannot be built
is one of these, and encodes to the same bytes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gvstore.objects import number

# Arrays whose first element is a name; of the others an Unresolved holds all elements as `parts`.
NAMED: Final = frozenset({
    number.RECORD, number.ENUM, number.NAMED_TUPLE, number.EXCEPTION, number.TYPE, number.FUNCTION, number.SUBCLASS,
    number.MODULE, number.ZONE, number.WRAPPED, *range(number.ARRAY, number.OPTIONS + 2),
})  # fmt: skip
_WITH_FIELDS: Final = frozenset({
    number.RECORD, number.NAMED_TUPLE, number.WRAPPED, number.ATTRS, number.OPTIONS,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that could not be stored: its type, and why if it is known.

    Two opaque values of one type are equal in a record.
    """

    type_name: str
    detail: str | None = None

    def __repr__(self) -> str:
        return f"<opaque {self.type_name}{': ' + self.detail if self.detail else ''}>"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An argument that the component's registration leaves out."""

    def __repr__(self) -> str:
        return "<ignored>"


class Unresolved:
    """A stored value that cannot be made here: its class is not loaded or no longer fits, or two of its keys are equal.

    `number` is its type number, `type_name` its class's name (of a container:
    the word for it), `parts` what follows.  Fields of records are attributes,
    and items of `fields`.
    """

    __slots__ = ("number", "parts", "type_name")

    def __init__(self, number: int, type_name: str, parts: tuple[Any, ...]) -> None:
        self.number, self.type_name, self.parts = number, type_name, parts

    @property
    def fields(self) -> dict[str, Any]:
        """Field names and values, of records and named tuples."""
        if self.number not in _WITH_FIELDS:
            return {}
        return {
            name: value for name, value in zip(self.parts[::2], self.parts[1::2], strict=False) if type(name) is str
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"{self.type_name} has no stored field {name!r}") from None

    def __eq__(self, other: object) -> bool:
        return type(other) is Unresolved and (self.number, self.type_name, self.parts) == (
            other.number,
            other.type_name,
            other.parts,
        )

    def __hash__(self) -> int:
        return hash((self.number, self.type_name, *map(_hash, self.parts)))

    def __repr__(self) -> str:
        name = self.type_name.rpartition(":")[2]
        if self.number in _WITH_FIELDS and len(self.fields) * 2 == len(self.parts):
            return f"{name}({', '.join(f'{k}={v!r}' for k, v in self.fields.items())})"
        return f"<{name} {', '.join(map(repr, self.parts))}>" if self.parts else f"<{name}>"


def _hash(part: Any) -> int:
    try:
        return hash(part)
    except Exception:  # a list, or what a program's own __hash__ raises
        return len(part) if type(part) in (list, dict, set, bytearray) else 0


def elements_of(value: Unresolved) -> tuple[Any, ...]:
    """Returns what follows the type number in its array."""
    return (value.type_name, *value.parts) if value.number in NAMED else value.parts


def exception_text(value: Unresolved) -> str:
    """Returns what an exception that cannot be made here says, its class's name first."""
    name = value.type_name.rpartition(":")[2]
    if value.number != number.EXCEPTION or len(value.parts) < 2:
        return repr(value)
    args, text = value.parts[:2]
    if text is None and type(args) is tuple:
        text = str(args[0]) if len(args) == 1 else ", ".join(map(str, args))
    return f"{name}: {text}" if text else name


class StoredException(Exception):
    """Stands, as a cause or a member of a group, for a stored exception that cannot be made here.

    `stands_for` is the placeholder itself.
    """

    def __init__(self, stands_for: Unresolved | Opaque) -> None:
        self.stands_for = stands_for
        super().__init__(stands_for)

    def __str__(self) -> str:
        return exception_text(self.stands_for) if isinstance(self.stands_for, Unresolved) else repr(self.stands_for)
