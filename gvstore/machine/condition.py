"""Conditions: whether a transition is taken, as seen from the state.

    when(mood="glad", turns__gt=3)     all of these hold of the state
    expr("turns > 3 and not done")     the expression is true (see `expression`)
    default                            always
    on_error(TimeoutError, max=3)      the action raised this; `error(...)` is the same

`~ & |` combine the first three.  A key that the state does not have is an error,
never false: a typing mistake would look like a condition that does not hold.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gvstore.errors import UsageFault
from gvstore.expression.evaluation import looking_at
from gvstore.expression.expression import Expression
from gvstore.machine.condition_fault import ConditionFault, MissingKeys

State = Mapping[str, Any]
Resolver = Callable[[Any], object]

Comparison = tuple[str, Callable[[Any, Any], object]]
COMPARISONS: dict[str, Comparison] = {  # how it is shown, and what it does
    "eq": ("==", operator.eq),
    "ne": ("!=", operator.ne),
    "lt": ("<", operator.lt),
    "lte": ("<=", operator.le),
    "gt": (">", operator.gt),
    "gte": (">=", operator.ge),
    "in": (" in ", lambda have, wanted: have in wanted),
    "notin": (" not in ", lambda have, wanted: have not in wanted),
    "contains": (" contains ", operator.contains),
    "is": (" is ", operator.is_),
    "isnot": (" is not ", operator.is_not),
}
_EQUAL: Comparison = ("=", operator.eq)
SHOWN = 60  # characters of a value in a name


class Condition:
    """A named question to the state.  Immutable; `reads` are the keys it needs."""

    KEY: ClassVar[str] = "PROCEED"
    default: ClassVar[Condition]

    def __init__(
        self, keys: Sequence[str], resolver: Resolver, name: str | None = None, *, optional_keys: Sequence[str] | None = None
    ) -> None:
        """Takes the keys that must be there, and what decides, given the state.

        Raises:
            TypeError: the keys are one text, or the resolver can't be called.
        """
        if isinstance(keys, str) or not all(isinstance(key, str) for key in keys):
            raise TypeError(f"the keys of a condition are a list of names, not {keys!r}")
        if not callable(resolver):
            raise TypeError(f"what decides a condition is a function of the state, not {resolver!r}")
        self._keys = tuple(dict.fromkeys(keys))
        self._optional = tuple(dict.fromkeys(optional_keys or ()))
        self._resolver = resolver
        self._name = name if name is not None else getattr(resolver, "__name__", "condition")
        self._typed = self._name
        self._joined = ""  # by what its name is joined: & | , or the operators of an expression

    @property
    def name(self) -> str:
        """The printed form: `mood=glad & ~done=True`."""
        return self._name

    @property
    def typed(self) -> str:
        """As it could be typed: `when(mood="glad") & ~when(done=True)`."""
        return self._typed

    @property
    def reads(self) -> list[str]:
        """The keys that the state must have."""
        return list(self._keys)

    @property
    def inputs(self) -> list[str]:
        """None: conditions see the state only."""
        return []

    @property
    def resolver(self) -> Resolver:
        """What decides."""
        return self._resolver

    @property
    def is_default(self) -> bool:
        """Whether this is `default`, which always holds."""
        return self._name == "default" and not self._keys

    def run(self, state: State, **inputs: object) -> dict[str, bool]:
        """Returns {"PROCEED": whether it holds}.

        Raises:
            MissingKeys: the state lacks keys; all of them are named.
            ConditionFault: the comparison itself failed.
            ExpressionFault: so did an expression.
        """
        missing = [key for key in self._keys if key not in state]
        if missing:
            raise MissingKeys(self._name, missing, state)
        try:
            return {self.KEY: bool(self._resolver(state))}
        except UsageFault:
            raise
        except Exception as e:
            raise ConditionFault(self._name, e) from e

    @staticmethod
    def expr(source: str) -> Condition:
        """Returns the condition that an expression is true; it may come from anybody's file.

        Raises:
            ExpressionRefused: the text asks for what expressions may not do.
        """
        expression = Expression(source)
        made = Condition(expression.keys, expression.holds, expression.source)
        made._joined = "" if expression.source.isidentifier() else "expr"
        made._typed = f"expr({expression.source!r})"
        return made

    safe_expr = expr

    @staticmethod
    def when(**wanted: Any) -> Condition:
        """Returns the condition that all of these hold: `key=value`, or `key__gt=value`.

        Suffixes: eq ne lt lte gt gte in notin contains is isnot.  Two underscores
        followed by anything else are part of the key.

        Raises:
            ValueError: there is a suffix and no key.
        """
        tests = [(*_comparison(typed), value) for typed, value in wanted.items()]

        def holds(state: State) -> bool:
            read = looking_at(state)
            return all(compare(read(key), value) for key, (_, compare), value in tests)

        shown = {typed: f"{key}{sign}{_shown(value, sign)}" for typed, (key, (sign, _), value) in zip(wanted, tests, strict=True)}
        made = Condition([key for key, _, _ in tests], holds, ", ".join(shown[typed] for typed in sorted(shown)))
        made._joined = "," if len(tests) > 1 else "" if tests and tests[0][1] is _EQUAL else "expr"
        made._typed = f"when({', '.join(f'{key}={_cut(repr(value))}' for key, value in wanted.items())})"
        return made

    @staticmethod
    def lmda(resolver: Resolver, state_keys: Sequence[str]) -> Condition:
        """Returns the condition that a function of the state decides."""
        called = getattr(resolver, "__name__", "function")
        made = Condition(state_keys, resolver, f"lmda_{called}_")
        made._typed = f"Condition.lmda({called}, {list(state_keys)})"
        return made

    def _combined(self, other: object, sign: str) -> Condition:
        if not isinstance(other, Condition):
            raise ValueError(f"{sign} joins conditions, not a condition and {other!r}: write when(...), expr(...) or default")
        if isinstance(other, ErrorCondition):
            raise _uncombined(sign)
        left, right = self._resolver, other._resolver
        either = sign == "|"

        def both(state: State) -> bool:
            first = bool(left(state))
            return first if first is either else bool(right(state))

        made = Condition(
            (*self._keys, *other._keys),
            both,
            f"{_within(self, sign)} {sign} {_within(other, sign)}",
            optional_keys=(*self._optional, *other._optional),
        )
        made._joined = sign
        made._typed = f"{_typed(self, sign)} {sign} {_typed(other, sign)}"
        return made

    def __and__(self, other: object) -> Condition:
        return self._combined(other, "&")

    def __or__(self, other: object) -> Condition:
        return self._combined(other, "|")

    def __invert__(self) -> Condition:
        made = Condition(self._keys, lambda state: not self._resolver(state), f"~{_within(self, '~')}", optional_keys=self._optional)
        made._typed = f"~{_typed(self, '~')}"
        return made

    def __bool__(self) -> bool:
        raise TypeError(f"condition {self._name} is asked of a state, with .run(state); join conditions with & | ~, not with and, or, not")

    def __repr__(self) -> str:
        return f"condition: {self._name}"


class ErrorCondition(Condition):
    """Holds when the action raised one of `exceptions`; of a step that went well it never holds.

    `max` is how often in a row this edge may be taken; None is without end.
    The application counts, in the state, and asks `admits`.
    """

    def __init__(self, *exceptions: type[BaseException] | tuple[type[BaseException], ...], max: int | None = None) -> None:
        """Takes the types (Exception if there is none) and the number of visits.

        Raises:
            TypeError: something else than exception types, or no whole number.
            ValueError: a maximum below 1.
        """
        kinds = [kind for each in exceptions or (Exception,) for kind in (each if isinstance(each, tuple) else (each,))]
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TypeError(f"on_error() takes types of exceptions: on_error(TimeoutError, max=3), not {kind!r}")
        if max is not None and (isinstance(max, bool) or not isinstance(max, int)):
            raise TypeError(f"max= is a whole number of visits, not {max!r}")
        if max is not None and max < 1:
            raise ValueError(f"max= is at least 1, not {max}: leave the transition out")
        limit = [] if max is None else [f"max={max}"]
        super().__init__((), lambda state: False, f"on_error({', '.join([*(kind.__name__ for kind in kinds), *limit])})")
        self.exceptions, self.max = tuple(kinds), max

    def admits(self, error: BaseException, visits: int = 0) -> bool:
        """Returns whether this edge is taken for `error`, after `visits` of it in a row."""
        return isinstance(error, self.exceptions) and (self.max is None or visits < self.max)

    def covers(self, other: ErrorCondition) -> bool:
        """Returns whether nothing is left for `other` where this one comes first."""
        return self.max is None and all(issubclass(kind, self.exceptions) for kind in other.exceptions)

    def _combined(self, other: object, sign: str) -> Condition:
        raise _uncombined(sign)

    def __invert__(self) -> Condition:
        raise _uncombined("~")


def _uncombined(sign: str) -> ValueError:
    return ValueError(f"an error condition is not joined by {sign}: write on_error(A, B) for several types, a transition for each condition")


def _comparison(typed: str) -> tuple[str, Comparison]:
    key, underscores, suffix = typed.rpartition("__")
    if not underscores or suffix not in COMPARISONS:
        return typed, _EQUAL
    if not key:
        raise ValueError(f"when({typed}=...) has no state key before {typed}: write the field's name there, as in when(turns{typed}=...)")
    return key, COMPARISONS[suffix]


def _shown(value: object, sign: str) -> str:
    return _cut(str(value) if sign == "=" else repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _within(condition: Condition, sign: str) -> str:
    """A name as part of another: in brackets if it is joined otherwise than by `sign`."""
    return condition.name if condition._joined in ("", sign) else f"({condition.name})"


def _typed(condition: Condition, sign: str) -> str:
    return f"({condition.typed})" if condition._joined in "&|" and condition._joined not in ("", sign) else condition.typed


Condition.default = default = Condition([], lambda state: True, "default")
when = Condition.when
expr = safe_expr = Condition.expr
lmda = Condition.lmda
on_error = error = ErrorCondition
