"""Actions that are declared wrongly: one error at once, with what to type."""


from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gvstore.machine.action_fault import (
    ActionFault,
)
from gvstore.machine.action_function import (
    action,
    create_action,
)
from gvstore.machine.builtin_actions import Input, Result
from gvstore.machine.state import State


def plain(state: State[Any]) -> State[Any]:
    return state


DECLARED: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: action(plain), "@action is written without what", "Type @action(reads="),  # type: ignore[arg-type, call-arg]
    (lambda: action(), "@action is written without reads and writes", "Type @action(reads="),  # type: ignore[call-arg]
    (lambda: action(reads=["a"]), "@action is written without writes", "[] is for none"),  # type: ignore[call-arg]
    (lambda: action(reads="a", writes=[]), "reads of action .* is text", 'Type reads=["a"]'),
    (lambda: action(reads=[], writes=3), "writes of action .* is 3, not a list", "Type writes="),  # type: ignore[arg-type]
    (lambda: action(reads=[1], writes=[]), "holds 1: a key is text", "Type reads="),  # type: ignore[list-item]
    (lambda: action(reads=["__x"], writes=[]), "double underscore", ""),
    (lambda: action([], [])(lambda: State()), "takes no state", "first parameter"),
    (lambda: action([], [])(lambda state, x, /: State()), "cannot be given by name", "signature"),
    (lambda: action([], [])(State), "above a function, not above State", "derive it from Action"),
    (lambda: action([], [], tags="a")(lambda state: state), "tags of action", 'tags=["word"]'),
    (lambda: action([], [])(lambda state, __contxt: state), "double underscore", "Did you mean __context?"),
    (lambda: action([], [], timeout=0), "timeout=0", "timeout=30"),
    (lambda: action([], [], timeout="3"), "timeout='3'", "timeout=30"),  # type: ignore[arg-type]
    (lambda: action([], [], retry=0), "max_attempts=0", "tries once"),
    (lambda: action([], [], retry="3"), "retry='3'", "Retry(max_attempts=3"),  # type: ignore[arg-type]
    (lambda: action([], [])([].append), "above a function|no function|takes no state|not above append", ""),
    (lambda: create_action(plain, "x"), "x is not a valid action", "Type @action"),
    (lambda: Result(3), "Result takes names of fields, not 3", ""),  # type: ignore[arg-type]
    (lambda: Input("__x"), "double underscore", ""),
]


@pytest.mark.parametrize(("declare", "what", "hint"), DECLARED)
def test_wrong_declarations_are_errors_at_once(declare: Callable[[], Any], what: str, hint: str) -> None:
    """With what to type instead."""
    with pytest.raises(ActionFault, match=what) as found:
        declare()
    assert hint in found.value.hint


def test_an_action_that_yields_is_told_which_decorator() -> None:
    """A generator is no action, but a streaming one."""
    with pytest.raises(ActionFault, match="action stream yields") as found:

        @action(reads=[], writes=[])
        def stream(state: State[Any]) -> Any:
            yield {}, None

    assert "@streaming_action" in found.value.hint
