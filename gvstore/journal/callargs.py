"""The arguments of a call as one value: what went in by position, then what only has a name."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gvstore.objects.component import Component
from gvstore.store.resource import Resource


@dataclass
class CallArgs(Resource):
    """Arguments in their bound form: defaults applied, positionals first, so that `f(1)` and `f(x=1)` are equal."""

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_call(cls, *args: Any, **kwargs: Any) -> CallArgs:
        """Returns these arguments, as they come."""
        return cls(list(args), kwargs)

    @classmethod
    def bound(cls, component: Component, values: Mapping[str, Any]) -> CallArgs:
        """Returns recorded arguments, by parameter, as the recorded signature takes them; nothing is imported."""
        if values.keys() == {"args", "kwargs"} != set(component.parameters):
            return cls(list(values["args"]), dict(values["kwargs"]))
        named, rest, others = _kinds(component.signature)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, value in values.items():
            if name == rest:
                args += value
            elif name == others:
                kwargs.update(value)
            elif name in named:
                kwargs[name] = value
            else:
                args.append(value)
        return cls(args, kwargs)


def _kinds(signature: str) -> tuple[frozenset[str], str, str]:
    """Returns of a signature's text the parameters that have only a name, that of the rest, and that of all others."""
    try:
        (found,) = ast.parse(f"def _{signature}: ...").body
    except (SyntaxError, ValueError):  # `(...)`: nothing is known
        return frozenset(), "", ""
    assert isinstance(found, ast.FunctionDef)
    known = found.args
    return (
        frozenset(each.arg for each in known.kwonlyargs),
        known.vararg.arg if known.vararg else "",
        known.kwarg.arg if known.kwarg else "",
    )
