"""A call on one line: `roll_sum(num_rolls=2) = 7`.

Arguments that are what the parameter has by default are left out, as whoever
wrote the call would have done; `gv show run/7:0.2` has all of them.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from gvstore.cli.cells import cells
from gvstore.cli.style import COLUMNS, Paint
from gvstore.cli.value_text import MARK, arguments_line, text_line, value_line
from gvstore.journal.fault import RecordedError
from gvstore.journal.invocation import Invocation
from gvstore.objects.exception import text_of

_OUTPUT_WIDTH = 64
_LEAST = 16
_CODES = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_DEFAULT = 200
_MACHINES = frozenset({"action", "machine"})  # flavors of components
_PIPELINES = frozenset({"pipeline", "step"})
_QUESTION = "gvstore.journal.question.RequestInput"


def call_line(call: Invocation, paint: Paint, *, names: bool = True, width: int = COLUMNS) -> str:
    """Returns one call with its arguments and how it ended, about `width` columns; without `names` only the arguments' values.

    Arguments and outcome share the width: what one of them does not need is the other's.
    """
    head, tail = called(call, paint, width, names=names), ending(call, paint, width)
    head_columns, tail_columns = _columns(head), _columns(tail)
    if head_columns + tail_columns <= width:
        return head + tail
    half = width // 2
    wanted = max(half, width - tail_columns)
    if head_columns > wanted:
        spare = len(call.name) + 2
        shared = (wanted - spare) // (1 if call.state is None else 2)
        head = called(call, paint, max(shared, _LEAST), names=names)
    return head + ending(call, paint, max(width - _columns(head) - 3, _LEAST))


def _columns(text: str) -> int:
    return cells(_CODES.sub("", text) if "\x1b" in text else text)


def called(call: Invocation, paint: Paint, width: int, *, names: bool = True) -> str:
    """Returns what was called: `roll_die(sides=6)`, `Die(sides=6)` for an Invokable, `roll(2) on Die(sides=6)` for a method."""
    if call.component.flavor in _MACHINES:
        return _of_machine(call, paint, width)
    if call.component.flavor in _PIPELINES:
        return _of_pipeline(call, paint, width)
    name, state = paint("call", call.name), call.state
    if call.component.name == _QUESTION:
        return _asked(call, state, width, paint)
    arguments = call_arguments(call, width, names=names)
    if state is None:
        return f"{name}({arguments})"
    instance = value_line(state, width)
    if call.component.flavor == "class" and instance.startswith(f"{call.name}("):
        return f"{name}{instance.removeprefix(call.name)}{f'({arguments})' if arguments else ''}"
    return f"{name}({arguments}) on {instance}"


def _of_machine(call: Invocation, paint: Paint, width: int) -> str:
    from gvstore.cli.step_line import ACTION, machine_called, step_called

    return (step_called if call.component.flavor == ACTION else machine_called)(call, paint, width)


def _of_pipeline(call: Invocation, paint: Paint, width: int) -> str:
    from gvstore.cli.pipeline_line import STEP, pipeline_called, step_called

    return step_called(call, paint) if call.component.flavor == STEP else pipeline_called(call, paint, width)


def _asked(call: Invocation, state: object, width: int, paint: Paint) -> str:
    """Returns a question as its program asked it: `request_input(str, for_value=5, context='Reroll?')`."""
    from gvstore.journal.requested import type_text

    about: dict[str, object] = {"for_value": call.args.get("for_value"), "context": getattr(state, "context", None)}
    shown = arguments_line({name: value for name, value in about.items() if value is not None}, width)
    wanted = type_text(getattr(state, "requested_type", object))
    return f"{paint('call', 'request_input')}({wanted}{', ' if shown else ''}{shown})"


def call_arguments(call: Invocation, width: int, *, names: bool = True) -> str:
    """Returns what stands between the brackets; without `names`, values have none as long as it is clear whose they are."""
    given = call.args
    usual = _defaults(call.component.signature)
    shown = {name: value for name, value in given.items() if name not in usual or _spelled(value) != usual[name]}
    bare = 0
    if not names:
        bare = next((i for i, (a, b) in enumerate(zip(given, shown, strict=False)) if a != b), len(shown))
    return arguments_line(shown, width, bare=bare)


def ending(call: Invocation, paint: Paint, width: int = _OUTPUT_WIDTH) -> str:
    """Returns ` = 7`, ` raised ValueError: no`, or what else became of a call; the value has `width` columns."""
    if call.status == "ok":
        if call.component.flavor in _MACHINES:
            from gvstore.cli.step_line import ACTION, machine_ending, step_ending

            return step_ending(call, width) if call.component.flavor == ACTION else machine_ending(call, width)
        if call.component.flavor in _PIPELINES:
            from gvstore.cli.pipeline_line import STEP, step_ending, text_ending

            return step_ending(call, width) if call.component.flavor == STEP else text_ending(call.output, width)
        return f" = {value_line(call.output, width)}"
    if call.status == "raised":
        error = call.get_raised()
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return paint("quiet", " exited")
        return paint("bad", f" raised {raised_line(error, width)}")
    if call.status == "unfinished":
        return paint("quiet", f" {MARK}")
    return paint("changed" if call.status == "waiting" else "quiet", f" {call.status}")


def raised_line(error: BaseException | None, width: int = _OUTPUT_WIDTH) -> str:
    """Returns `ValueError: no` on one line."""
    kind, message = raised_parts(error)
    return f"{kind}: {text_line(message, width)}" if message else kind


def raised_parts(error: BaseException | None) -> tuple[str, str]:
    """Returns the name of an exception's class and its message; of one whose class is not loaded, as recorded."""
    if isinstance(error, RecordedError):
        kind, _, message = str(error).partition(": ")
        return kind, message
    return type(error).__name__, "" if error is None else text_of(error)


@lru_cache(maxsize=1024)
def _defaults(signature: str) -> dict[str, str]:
    """Returns the defaults of a signature, by parameter, as values are shown; `*args` and `**kwargs` are empty by default."""
    try:
        (definition,) = ast.parse(f"def f{signature}: pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    positional = [*arguments.posonlyargs, *arguments.args]
    spelled = [*zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    spelled += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    found = {parameter.arg: _spelling(default) for parameter, default in spelled}
    if arguments.vararg is not None:
        found[arguments.vararg.arg] = "()"
    if arguments.kwarg is not None:
        found[arguments.kwarg.arg] = "{}"
    return found


def _spelling(default: ast.expr) -> str:
    """Returns a default as its value would be shown: `0.80` as `0.8`, `Tone.CALM` as it is."""
    try:
        return _spelled(ast.literal_eval(default)) or ""
    except (ValueError, TypeError, RecursionError, MemoryError):
        return ast.unparse(default)


def _spelled(value: object) -> str | None:
    """Returns a value on one line, or None where that would be too long."""
    line = value_line(value, _LONGEST_DEFAULT)
    return line if len(line) < _LONGEST_DEFAULT else None
