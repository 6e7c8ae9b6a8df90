"""What an object of another library is made of, as text that changes when it does, and the functions of the program in it.

Of pydantic models, dataclasses and collections all is told, of functions where
they stand and what they have closed over, of any other object its class: so
neither clients nor what they hold, keys above all, come into the text.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import Any, Final

_DEEPEST: Final = 16
_SCALARS: Final = (bool, int, float, str, type(None))
_SECRET: Final = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)
_ASIDE: Final = frozenset({"callbacks", "callback_manager", "cache", "verbose", "tags", "metadata"})  # who listens is not what is computed


class Description:
    """The text of one object, and the functions and classes that its code is."""

    def __init__(self, described: Any) -> None:
        self.functions: list[Any] = []
        self._above: list[int] = []
        self.text = json.dumps(self._tell(described), indent=1, ensure_ascii=False, sort_keys=True, default=str)

    def _tell(self, value: Any) -> Any:
        if isinstance(value, _SCALARS):
            return value
        if id(value) in self._above or len(self._above) >= _DEEPEST:
            return f"<{_kind(value)}>"
        self._above.append(id(value))
        try:
            return self._inside(value)
        finally:
            self._above.pop()

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(name): self._tell(each) for name, each in value.items() if not _SECRET.search(str(name))}
        if isinstance(value, list | tuple):
            return [self._tell(each) for each in value]
        if isinstance(value, set | frozenset):
            return sorted(json.dumps(self._tell(each), sort_keys=True) for each in value)
        if isinstance(value, MethodType):
            return {"method": self._tell(value.__func__), "of": _kind(value.__self__)}
        if isinstance(value, functools.partial):
            return {"partial": self._tell(value.func), "args": self._tell(value.args), "keywords": self._tell(value.keywords)}
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, type):
            self.functions.append(value)
            return f"<class {value.__module__}.{value.__qualname__}>"
        self.functions.append(type(value))
        return {"class": _kind(value), **self._fields(value)}

    def _function(self, function: FunctionType) -> Any:
        live = getattr(function, "__gv__", None)
        if live is None:
            self.functions.append(function)
        where = f"{function.__module__}.{function.__qualname__}"
        closed = [] if live is not None else [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        return {"function": where, "holds": self._tell(closed)} if closed else {"function": where}

    def _fields(self, value: Any) -> dict[str, Any]:
        """Returns what its fields hold; of an object that does not say which these are, what is plain in it."""
        declared = getattr(type(value), "model_fields", None)
        if isinstance(declared, Mapping):
            names, plain = list(declared), False
        elif dataclasses.is_dataclass(value):
            names, plain = [each.name for each in dataclasses.fields(value)], False
        elif type(value).__module__.partition(".")[0].startswith("langchain"):
            names, plain = list(vars(value)) if hasattr(value, "__dict__") else [], False
        else:
            names, plain = list(vars(value)) if hasattr(value, "__dict__") else [], True
        found = {}
        for name in names:
            if name in _ASIDE or _SECRET.search(name) or name.startswith("__"):
                continue
            each = getattr(value, name, None)
            if each is not None and (not plain or isinstance(each, _SCALARS)):
                found[name] = self._tell(each)
        return found


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asking is what raises
    except ValueError:
        return False
    return True
