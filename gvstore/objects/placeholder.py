"""What stands for a value that has no Python object here.

Stored data can be read without the program that made it: what cannot be built
is one of these, and encodes to the same bytes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
    """A stored value whose class is not loaded, or no longer fits.

    `number` is its type number, `type_name` its class's name, `parts` what
    follows.  Fields of records are attributes, and items of `fields`.
    """

    __slots__ = ("number", "parts", "type_name")

    def __init__(self, number: int, type_name: str, parts: tuple[Any, ...]) -> None:
        self.number, self.type_name, self.parts = number, type_name, parts

    @property
    def fields(self) -> dict[str, Any]:
        """Field names and values, of records and named tuples."""
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
        return hash((self.number, self.type_name))

    def __repr__(self) -> str:
        name = self.type_name.rpartition(":")[2]
        if self.fields and len(self.fields) * 2 == len(self.parts):
            return f"{name}({', '.join(f'{k}={v!r}' for k, v in self.fields.items())})"
        return f"<{name} {', '.join(map(repr, self.parts))}>" if self.parts else f"<{name}>"
