"""Values for people to read: resources field by field, references with what they lead to.

    -> LinkedList#0b182f:
      value: 1
      next: -> LinkedList(value=2, next=None)#dd2ab0

A value becomes a tree of `PPValue`s, and the tree lines of text.  `pprint` is
the one function outside the command line that prints: it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gvstore.errors import GvError
from gvstore.store.ref import Ref
from gvstore.store.registry import to_field_value
from gvstore.store.resource import ResourceBase

_PRIMITIVES: Final = frozenset({type(None), bool, int, float, str, bytes})
_SHORT: Final = 6  # digits of a reference
_DEPTH: Final = 100  # of values in values


@dataclass
class PPValue:
    """A text with the texts that stand below it, indented; `open` and `close` enclose them."""

    value: str
    contents: list[PPValue] = field(default_factory=list)
    open: str = ""
    close: str = ""


Formatter = Callable[[Any, int], PPValue]


class PPrinter:
    """Formats values; `offset` is the width of an indent.

    References are followed `max_ref_depth` deep, or all the way; those met
    before are only named if `skip_repeated_refs`.
    """

    def __init__(self, offset: int = 2, max_ref_depth: int | None = None, skip_repeated_refs: bool = False) -> None:
        self.offset, self.max_ref_depth, self.skip_repeated_refs = offset, max_ref_depth, skip_repeated_refs
        self._formatters: list[tuple[type, Formatter]] = [
            (Ref, self._ref), (ResourceBase, self._resource), (dict, self._dict), (list, self._list), (type, self._type),
        ]  # fmt: skip
        self._seen: set[str] = set()
        self._followed = 0

    def register(self, type_: type, formatter: Formatter) -> None:
        """Formats values of a type and its subclasses by `formatter(value, depth)` from now on."""
        self._formatters.insert(0, (type_, formatter))

    def pvalue(self, value: Any, depth: int = 0) -> PPValue:
        """Returns the tree of a value that stands `depth` levels down."""
        if depth > _DEPTH:
            return PPValue("...")
        found = self._formatter(value)
        if found is not None:
            return found(value, depth)
        try:
            shown = value if isinstance(value, list | dict | type) else to_field_value(value)
        except GvError:  # it has no encoding
            shown = value
        found = self._formatter(shown)
        return PPValue(_primitive(shown)) if found is None else found(shown, depth)

    def _formatter(self, value: Any) -> Formatter | None:
        return next((formatter for type_, formatter in self._formatters if isinstance(value, type_)), None)

    def pformat(self, value: Any) -> str:
        """Returns the text of a value."""
        self._seen.clear()
        return "\n".join(" " * (self.offset * indent) + line for indent, line in _lines(self.pvalue(value)))

    def pprint(self, value: Any) -> None:
        """Prints the text of a value."""
        print(self.pformat(value))

    def _list(self, value: list[Any], depth: int) -> PPValue:
        return PPValue("", [self.pvalue(each, depth + 1) for each in value], "[", "]")

    def _dict(self, value: dict[Any, Any], depth: int) -> PPValue:
        return PPValue("", [self._named(_key(key), each, depth) for key, each in value.items()], "{", "}")

    def _named(self, name: str, value: Any, depth: int) -> PPValue:
        return PPValue(name, [self.pvalue(value, depth + 1)], ":")

    def _resource(self, value: ResourceBase, depth: int) -> PPValue:
        items = list(value.field_items())
        name = type(value).__name__
        if all(type(each) in _PRIMITIVES for _, each in items):
            return PPValue(f"{name}({', '.join(f'{key}={_primitive(each)}' for key, each in items)})")
        return PPValue(name, [self._named(key, each, depth) for key, each in items], ":")

    def _ref(self, ref: Ref[Any], depth: int) -> PPValue:
        name = f"#{ref.digest[:_SHORT]}"
        try:
            value = ref.checkout()
        except GvError:  # it is nowhere, or no store is active
            return PPValue(f"-> {name}")
        deep = self.max_ref_depth is not None and self._followed >= self.max_ref_depth
        if deep or (self.skip_repeated_refs and ref.digest in self._seen):
            return PPValue(f"-> {type(value).__name__}{name}")
        self._seen.add(ref.digest)
        self._followed += 1
        shown = self.pvalue(value, depth + 1)
        self._followed -= 1
        shown.value = f"-> {shown.value}{name}"
        return shown

    def _type(self, value: type, depth: int) -> PPValue:
        return PPValue(value.__name__)


def _primitive(value: Any) -> str:
    return f"<{len(value)} bytes>" if type(value) is bytes else repr(value)


def _key(key: Any) -> str:
    return key if type(key) is str and key.isprintable() and ":" not in key and key.strip() == key else repr(key)


def _lines(value: PPValue) -> Iterator[tuple[int, str]]:
    """Yields (indent, text) of each line; one thing alone stands on the line of what encloses it."""
    head = value.value + value.open
    below = [(indent + 1, line) for each in value.contents for indent, line in _lines(each)]
    if below:
        below[-1] = (below[-1][0], below[-1][1] + value.close)
    else:
        head += value.close
    if len(below) == 1:
        gap = " " if head.endswith(":") else ""
        yield 0, head + gap + below[0][1]
    else:
        yield 0, head
        yield from below


def pformat(value: Any, max_ref_depth: int | None = None, skip_repeated_refs: bool = False) -> str:
    """Returns the text of a value, its references followed `max_ref_depth` deep."""
    return PPrinter(max_ref_depth=max_ref_depth, skip_repeated_refs=skip_repeated_refs).pformat(value)


def pprint(value: Any, max_ref_depth: int | None = None, skip_repeated_refs: bool = False) -> None:
    """Prints a value, its references followed `max_ref_depth` deep."""
    PPrinter(max_ref_depth=max_ref_depth, skip_repeated_refs=skip_repeated_refs).pprint(value)
