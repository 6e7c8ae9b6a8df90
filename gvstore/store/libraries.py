"""Values of libraries: which adapter in `library/` knows which types.

An adapter is loaded when a value of its library is first stored, or read
where the program has loaded the library; gvstore itself imports none.  An
adapter is a module with `classify(type) -> Expander | None` and
`build(raw array, type name, elements) -> value`; it may raise in `build`, then
a placeholder stands for the value.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final, Protocol

from gvstore.objects import number
from gvstore.objects.build import register_builder, unresolved
from gvstore.objects.expand import Expander, register_classifier
from gvstore.objects.naming import module_of


class Adapter(Protocol):
    """What a file of `library/` offers."""

    @staticmethod
    def classify(type_: type) -> Expander | None:
        """Returns the expander of a type of its library, or None."""
        ...

    @staticmethod
    def build(of: int, name: str, parts: list[Any]) -> Any:
        """Returns the value of a type number, type name and elements."""
        ...


# Top module of a type or of one of its bases -> adapter.
_ADAPTERS: Final = {
    "numpy": "numpy_values", "pandas": "pandas_values", "polars": "polars_values", "pyarrow": "pyarrow_values",
    "PIL": "pillow_values", "pydantic": "pydantic_values", "torch": "torch_values", "openai": "client_values",
    "anthropic": "client_values", "logging": "logging_values", "_thread": "lock_values", "threading": "lock_values",
    "asyncio": "lock_values", "random": "random_values",
}  # fmt: skip
_ATTRS: Final = "attrs_values"  # its classes derive from nothing
_BY_NUMBER: Final = {number.MODEL: "pydantic_values", number.ATTRS: _ATTRS}
_OF_LIBRARIES: Final = range(number.ARRAY, number.OPTIONS + 1)


def _load(adapter: str) -> Adapter:
    return importlib.import_module(f"gvstore.store.library.{adapter}")  # type: ignore[return-value]


def _classify(type_: type) -> Expander | None:
    if issubclass(type_, BaseException | type):
        return None
    for base in type_.__mro__:
        adapter = _ADAPTERS.get(str(getattr(base, "__module__", "")).partition(".")[0])
        found = _load(adapter).classify(type_) if adapter is not None else None
        if found is not None:
            return found
    return _load(_ATTRS).classify(type_) if "__attrs_attrs__" in dir(type_) else None


def _build(raw: list[Any]) -> Any:
    stands_for = unresolved(raw)
    module = stands_for.type_name.partition(":")[0]
    adapter = _BY_NUMBER.get(raw[0]) or _ADAPTERS.get(module.partition(".")[0])
    if adapter is None or (module_of(module) is None and module.partition(".")[0] not in sys.modules):
        return stands_for
    try:
        return _load(adapter).build(raw[0], stands_for.type_name, list(stands_for.parts))
    except Exception:  # another version of the library, or a value that no version makes
        return stands_for


for each in _OF_LIBRARIES:
    register_builder(each, _build)
register_classifier(_classify)
