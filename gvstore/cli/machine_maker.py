"""What is a state machine, and which functions make one: by what they say that they return, or by their code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, Final

from gvstore.errors import GvError, UsageFault
from gvstore.journal.fault import BadTarget
from gvstore.journal.register import live_of
from gvstore.journal.target import told_of

MACHINE: Final = "machine"  # the flavor of a machine's component
_BUILDER: Final = "ApplicationBuilder"
_DEPTH: Final = 4  # functions that return what another returns


def is_machine(subject: object) -> bool:
    """Returns whether a loaded target is a state machine."""
    live = live_of(subject)
    return live is not None and live.flavor == MACHINE


def makes_machine(subject: object) -> bool:
    """Returns whether a loaded target is a function that says that it returns an application, or whose code shows it.

    The code of one without an annotation shows it where it can be called without
    arguments, is no component, and each `return` gives what `.build()` of an
    `ApplicationBuilder` gave, or what another such function of the module returns.
    """
    if not inspect.isfunction(subject):
        return False
    if "return" in subject.__annotations__:
        return _says_machine(subject)
    return live_of(subject) is None and not needed_of(subject) and _shows_machine(subject, _DEPTH)


def needed_of(subject: Callable[..., Any]) -> list[str]:
    """Returns the parameters that a function cannot be called without."""
    parameters = inspect.signature(subject).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def made_machine(subject: Callable[..., Any], target: str) -> Any:
    """Returns the application that a function makes.

    Raises:
        BadTarget: it needs arguments, or makes something else.
        TargetRaised: it raised.
        UsageFault: the machine cannot be built; all that was found is told.
    """
    needed = needed_of(subject)
    if needed:
        raise BadTarget(
            f"{target} makes an application of {', '.join(needed)}, which cannot be given here",
            hint="Let them have defaults, or name a variable that holds an application: FILE.py:application.",
        )
    try:
        made = subject()
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt) or (isinstance(e, GvError) and not isinstance(e, UsageFault)):
            raise
        place, _, name = target.rpartition(":")
        raise told_of(e, place, f"while {name} made an application") from e
    if not is_machine(made):
        raise BadTarget(f"{target} returned {type(made).__name__}, and an application was expected", hint="Return builder.build().")
    return made


def _says_machine(function: Any) -> bool:
    """Returns whether a function's annotation says that it returns an application."""
    said = function.__annotations__.get("return")
    return "Application" in (said if isinstance(said, str) else getattr(said, "__name__", "")) and "Builder" not in str(said)


def _shows_machine(function: Any, depth: int) -> bool:
    """Returns whether all that a function returns is, by its code, an application."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return False
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):  # a function without a source: it may say what it returns
        return False
    if not isinstance(body, ast.FunctionDef):
        return False
    own = list(_own_nodes(body))
    returned = [each.value for each in own if isinstance(each, ast.Return)]
    return bool(returned) and all(each is not None and _is_built(each, function, own, depth) for each in returned)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yields what stands in a function, not what stands in functions and classes within it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def _is_built(value: ast.expr, function: Any, own: list[ast.AST], depth: int) -> bool:
    """Returns whether an expression is what `.build()` gave, a variable of that, or a call of a function of the module that returns it."""
    if isinstance(value, ast.Name):
        given = [pair for each in own for pair in _assigned(each) if pair[0] == value.id]
        return bool(given) and depth > 0 and all(_is_built(each, function, own, depth - 1) for _, each in given)
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    if isinstance(called, ast.Attribute):
        return called.attr == "build" and _names_builder(function)
    other = function.__globals__.get(called.id) if isinstance(called, ast.Name) else None
    if not inspect.isfunction(other) or other is function or depth <= 0 or other.__module__ != function.__module__:
        return False
    return _says_machine(other) or _shows_machine(other, depth - 1)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.NamedExpr) else []
    value = getattr(node, "value", None)
    for each in targets:
        if isinstance(each, ast.Name) and isinstance(value, ast.expr):
            yield each.id, value


def _names_builder(function: Any) -> bool:
    """Returns whether a function's code, or that of one of its module that it calls, names the builder."""
    names = function.__code__.co_names
    if _BUILDER in names:
        return True
    others = (function.__globals__.get(name) for name in names)
    return any(inspect.isfunction(each) and each.__module__ == function.__module__ and _BUILDER in each.__code__.co_names for each in others)
