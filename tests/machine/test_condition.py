"""Conditions hold of a state, say what they need, and are named as they would be typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.expression.bound import ExpressionFault, ExpressionRefused
from gvstore.expression.expression import Expression
from gvstore.machine.condition import Condition, ErrorCondition, default, error, expr, on_error, when
from gvstore.machine.condition_fault import ConditionFault, MissingKeys
from gvstore.machine.state import State

STATE: dict[str, Any] = {"a": 1, "l": 2, "mood": "glad", "tags": ["x", "y"], "nothing": None, "__PRIOR_STEP": "x", "my__key": 5}


def holds(condition: Condition, state: Mapping[str, Any] | None = None) -> bool:
    """Whether a condition lets a transition proceed."""
    return condition.run(STATE if state is None else state)["PROCEED"]


@pytest.mark.parametrize(
    ("condition", "expected", "name"),
    [
        (when(a=1), True, "a=1"),
        (when(l=2, a=1), True, "a=1, l=2"),
        (when(l=2, a=2), False, "a=2, l=2"),
        (when(a__eq=1), True, "a==1"),
        (when(a__ne=1), False, "a!=1"),
        (when(a__lt=2), True, "a<2"),
        (when(a__lte=1), True, "a<=1"),
        (when(a__gt=1), False, "a>1"),
        (when(a__gte=1), True, "a>=1"),
        (when(a__in=[1, 2]), True, "a in [1, 2]"),
        (when(a__notin=[1, 2]), False, "a not in [1, 2]"),
        (when(tags__contains="x"), True, "tags contains 'x'"),
        (when(nothing__is=None), True, "nothing is None"),
        (when(nothing__isnot=None), False, "nothing is not None"),
        (when(my__key=5), True, "my__key=5"),
        (when(my__key__gt=5), False, "my__key>5"),
        (when(a__gt=0, a__lt=2), True, "a>0, a<2"),
        (when(), True, ""),
        (when(mood="x" * 100), False, f"mood={'x' * 57}..."),
        (expr("a + l == 3"), True, "a + l == 3"),
        (default, True, "default"),
        (Condition.default, True, "default"),
        (Condition.lmda(lambda s: s["a"] > 1, ["a"]), False, "lmda_<lambda>_"),
        (Condition(["a"], lambda s: s["a"], "mine"), True, "mine"),
        (when(a=1) & when(l=2), True, "a=1 & l=2"),
        (when(a=1) | when(l=3), True, "a=1 | l=3"),
        (~when(a=1), False, "~a=1"),
        (~(when(a=1) & when(l=2)), False, "~(a=1 & l=2)"),
        (~~when(a=1), True, "~~a=1"),
        (when(a=1) & when(l=2) & when(a=2), False, "a=1 & l=2 & a=2"),
        (when(a=1) & (when(l=3) | expr("a > 5")), False, "a=1 & (l=3 | (a > 5))"),
        (expr("a") | when(a=2, l=2), True, "a | (a=2, l=2)"),
    ],
    ids=lambda value: value.name if isinstance(value, Condition) else None,
)
def test_conditions(condition: Condition, expected: bool, name: str) -> None:
    """What holds, and the printed form."""

    assert expected is holds(condition)
    assert name == condition.name
    assert f"condition: {name}" == repr(condition)


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3))
def test_combined_as_booleans_are(x: int, y: int, limit: int) -> None:
    """~ & | are not, and, or."""
    a, b = when(x__gt=limit), expr(f"y > {limit}")
    state = {"x": x, "y": y}

    assert ((x > limit) and (y > limit)) is holds(a & b, state)
    assert ((x > limit) or (y > limit)) is holds(a | b, state)
    assert holds(~(a & b), state) is holds(~a | ~b, state)
    assert ["x", "y"] == (a & b & a).reads


def test_a_missing_key_is_an_error() -> None:
    """All of them are named, with the near ones; never false."""
    with pytest.raises(MissingKeys, match="Missing keys in state required by condition: mod=glad & b=1: mod, b; the state has a, l, mood") as caught:
        holds(when(mod="glad") & when(b=1))

    assert ("mod", "b") == caught.value.keys
    assert "Did you mean mood?" == caught.value.hint
    assert isinstance(caught.value, ValueError)
    assert "__PRIOR_STEP" not in str(caught.value)


def test_both_sides_need_their_keys() -> None:
    """Also where the first would decide."""
    with pytest.raises(MissingKeys):
        holds(when(a=1) | when(b=1))


def test_what_fails_is_told_with_the_condition() -> None:
    """A comparison of things that have no order, a function that raises, an expression."""
    with pytest.raises(ConditionFault, match="condition mood>3: TypeError: '>' not supported") as caught:
        holds(when(mood__gt=3))
    with pytest.raises(ConditionFault, match="condition lmda_<lambda>_: KeyError: 'zz'"):
        holds(Condition.lmda(lambda s: s["zz"], ["a"]))
    with pytest.raises(ExpressionFault, match="expr\\('a / 0'\\): ZeroDivisionError"):
        holds(~expr("a / 0"))
    with pytest.raises(ExpressionRefused):
        expr("__import__('os').getpid() > 0")

    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: when(a=1) & True,
        lambda: when(a=1) | "a > 1",
        lambda: when(a=1) and when(l=2),
        lambda: not when(a=1),
        lambda: Condition("a", lambda s: True),
        lambda: Condition(["a"], True),  # type: ignore[arg-type]
        lambda: on_error(3),  # type: ignore[arg-type]
        lambda: on_error("TimeoutError"),  # type: ignore[arg-type]
        lambda: on_error(ValueError, max=0),
        lambda: on_error(ValueError, max=True),
        lambda: on_error(ValueError, max=2.5),  # type: ignore[arg-type]
        lambda: on_error(ValueError) & when(a=1),
        lambda: when(a=1) | on_error(ValueError),
        lambda: ~on_error(ValueError),
    ],
)
def test_mistakes_are_told(mistake: Any) -> None:
    """ValueError or TypeError that says what to write."""
    with pytest.raises((ValueError, TypeError)) as caught:
        mistake()

    assert len(str(caught.value)) > 30


def test_errors_as_conditions() -> None:
    """By type, for so many visits in a row; never of a step that went well."""
    condition = on_error(TimeoutError, (KeyError, IndexError), max=3)

    assert "on_error(TimeoutError, KeyError, IndexError, max=3)" == condition.name
    assert [True, True, True, False] == [condition.admits(TimeoutError(), visits) for visits in range(4)]
    assert not condition.admits(ValueError())
    assert not holds(condition)
    assert error is on_error
    assert "on_error(Exception)" == error().name
    assert on_error(OSError).covers(on_error(TimeoutError, max=3))
    assert not on_error(OSError, max=1).covers(on_error(OSError))
    assert isinstance(error(OSError), ErrorCondition)


def test_conditions_look_at_a_state_in_place() -> None:
    """Nothing is copied to be compared, and nothing of the state gets out or changes; its missing keys are told alike."""
    state: State[Any] = State({"history": [{"role": "user"}] * 3, "tags": ["x"]})
    copied: list[object] = []

    class Watched:
        def __deepcopy__(self, memo: object) -> Watched:
            copied.append(self)
            return self

        def __eq__(self, other: object) -> bool:
            return False

        __hash__ = None  # type: ignore[assignment]

    watched = state.update(seen=[Watched()])
    copied.clear()
    for condition in (expr("len(seen) == 1 and 3 not in seen"), when(seen__ne=[]), ~when(seen__contains=3)):
        assert holds(condition, watched)
    expression = Expression("history + [1]")
    expression.evaluate(state)[0]["role"] = "bot"

    assert [] == copied
    assert "user" == state["history"][0]["role"]
    with pytest.raises(MissingKeys, match="the state has history, tags"):
        holds(when(histry=3), state)


@pytest.mark.parametrize(
    "typed",
    [
        "when(mood='glad', turns__gt=3)",
        "expr('turns > 3')",
        "~when(a=1)",
        "when(a=1) & when(b='x') & ~expr('c')",
        "when(a=1) & (when(b=1) | expr('c > 3'))",
        "~(when(a=1) | when(b=1))",
        "default",
    ],
)
def test_a_condition_can_be_typed_again(typed: str) -> None:
    """What is shown as typed makes the same condition."""
    made = eval(typed, {"when": when, "expr": expr, "default": default})

    assert typed == made.typed
