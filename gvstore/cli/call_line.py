"""A call on one line: `roll_sum(num_rolls=2) = 7`.

Arguments that are what the parameter has by default are left out, as whoever
wrote the call would have done; `gv show run/7:0.2` has all of them.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from gvstore.cli.style import Paint
from gvstore.cli.value_text import MARK, arguments_line, text_line, value_line
from gvstore.journal.fault import RecordedError
from gvstore.journal.invocation import Invocation

_ARGUMENTS_WIDTH = 64
_OUTPUT_WIDTH = 64


def call_line(call: Invocation, paint: Paint, *, names: bool = True) -> str:
    """Returns one call with its arguments and how it ended; without `names` only the arguments' values."""
    arguments = call_arguments(call, _ARGUMENTS_WIDTH, names=names)
    receiver = "" if call.state is None else f" on {value_line(call.state, _ARGUMENTS_WIDTH)}"
    return f"{paint('call', call.name)}({arguments}){receiver}{ending(call, paint)}"


def call_arguments(call: Invocation, width: int, *, names: bool = True) -> str:
    """Returns what stands between the brackets; without `names`, values have none as long as it is clear whose they are."""
    given = call.args
    usual = _defaults(call.component.signature)
    shown = {n: v for n, v in given.items() if n not in usual or type(v) is not type(usual[n]) or v != usual[n]}
    bare = 0
    if not names:
        bare = next((i for i, (a, b) in enumerate(zip(given, shown, strict=False)) if a != b), len(shown))
    return arguments_line(shown, width, bare=bare)


def ending(call: Invocation, paint: Paint) -> str:
    """Returns ` = 7`, ` raised ValueError: no`, or what else became of a call."""
    if call.status == "ok":
        return f" = {value_line(call.output, _OUTPUT_WIDTH)}"
    if call.status == "raised":
        return paint("bad", f" raised {raised_line(call.get_raised())}")
    if call.status == "unfinished":
        return paint("quiet", f" {MARK}")
    return paint("quiet", f" {call.status}")


def raised_line(error: BaseException | None) -> str:
    """Returns `ValueError: no` on one line."""
    kind, message = raised_parts(error)
    return f"{kind}: {text_line(message, _OUTPUT_WIDTH)}" if message else kind


def raised_parts(error: BaseException | None) -> tuple[str, str]:
    """Returns the name of an exception's class and its message; of one whose class is not loaded, as recorded."""
    if isinstance(error, RecordedError):
        kind, _, message = str(error).partition(": ")
        return kind, message
    return type(error).__name__, str(error)


@lru_cache(maxsize=1024)
def _defaults(signature: str) -> dict[str, object]:
    """Returns the defaults that a signature spells as literals, by parameter; `*args` and `**kwargs` are empty by default."""
    try:
        (definition,) = ast.parse(f"def f{signature}: pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    positional = [*arguments.posonlyargs, *arguments.args]
    spelled = [*zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    spelled += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    found: dict[str, object] = {}
    for parameter, default in spelled:
        try:
            found[parameter.arg] = ast.literal_eval(default)
        except (ValueError, TypeError, RecursionError, MemoryError):
            continue
    if arguments.vararg is not None:
        found[arguments.vararg.arg] = ()
    if arguments.kwarg is not None:
        found[arguments.kwarg.arg] = {}
    return found
