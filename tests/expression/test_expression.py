"""Expressions give what Python gives, and nothing that somebody else writes does harm."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.expression.bound import ExpressionFault, ExpressionRefused, ExpressionStopped
from gvstore.expression.expression import Expression

STATE: dict[str, Any] = {
    "epochs": 120,
    "loss": 0.25,
    "name": "Ada Lovelace",
    "history": [{"role": "user", "content": "hi"}, {"role": "bot", "content": "hello"}],
    "scores": [3, 1, 2],
    "table": {"a": 1, "b": [2, 3]},
    "pair": (1, "x"),
    "seen": {1, 2, 3},
    "nothing": None,
    "done": False,
    "len": 5,
}


@pytest.mark.parametrize(
    "source",
    [
        "epochs > 100 and len(history) < 5",
        "0 < loss <= 0.5 < epochs",
        "history[-1]['role'] == 'bot'",
        "'Ada' in name and name.lower().startswith('ada')",
        "[s for s in scores if s > 1] + sorted(scores, reverse=True)",
        "{k: len(str(k)) for k in table}",
        "{m['role'] for m in history}",
        "any(m['content'] == 'hi' for m in history)",
        "all(1 / s > 0.1 for s in [3, 0] if s)",
        "any(1 / s < 1 for s in [3, 0])",
        "max(scores) - min(scores, default=0) + sum(scores, 10)",
        "max((x for x in []), default='none')",
        "', '.join(m['content'] for m in history).replace('h', 'H').split(', ')",
        "[(x, y) for x in scores for y in range(x) if x != y]",
        "[x for scores in [[1], [2]] for x in scores]",
        "[[y * x for y in scores] for x in scores]",
        "sum(v for k, v in [('a', 1), ('b', 2)])",
        "table.get('c', 7) if not done else nothing",
        "nothing is None and done is not True",
        "f'{name}: {epochs} {loss} {nothing}'",
        "scores[1:] + scores[::-1] + scores[:-1]",
        "-epochs % 7 // 2 ** 2 << 3 >> 1 | 5 & 3 ^ 1",
        "seen | {9} - {1} & seen, seen <= {1, 2, 3, 4}",
        "table | {'c': 3}",
        "pair * 2 + (True,), 'ab' * 3, 3 * [0]",
        "round(loss, 1), round(loss), abs(-epochs), int('12'), float('1.5'), str(None), bool([])",
        "len",
        "[len(x) for x in ['a', 'bb']]",
        "nothing if done else list(table.items())",
        "list(range(10, 0, -3)), tuple(range(0)), set([1, 1])",
    ],
)
def test_the_value_is_pythons(source: str) -> None:
    """What Python's eval gives, in value and type."""
    # As globals: comprehensions do not see the locals of eval.
    expected = eval(source, {key: value for key, value in STATE.items() if key != "len" or source == "len"})
    got = Expression(source).evaluate(STATE)

    assert (repr(expected), type(expected)) == (repr(got), type(got))


NUMBERS = st.sampled_from(["0", "1", "2", "-3", "7", "2.5", "True", "epochs", "loss", "scores[0]", "len(name)"])
TEXTS = st.sampled_from(["''", "'a'", "'Ada'", "name", "history[0]['content']", "pair[1]"])
LISTS = st.sampled_from(["[]", "scores", "[1, 2]", "list(table)", "table['b']", "[m['role'] for m in history]", "range(3)", "pair"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draws expressions made of smaller ones."""
    two = st.tuples(inner, inner)
    operators = st.sampled_from("+ - * / // % & | ^ << >> == != < <= > >= and or in is".split())  # noqa: SIM905
    functions = st.sampled_from("abs all any bool float int len list max min round set sorted str sum tuple".split())  # noqa: SIM905
    methods = st.sampled_from("lower upper strip split title isdigit splitlines keys values items".split())  # noqa: SIM905
    searched = st.sampled_from("count find startswith endswith split removeprefix partition get join index".split())  # noqa: SIM905
    return st.one_of(
        st.builds("({0[0]} {1} {0[1]})".format, two, operators),
        st.builds("({0[0]} ** (({0[1]}) % 3))".format, two),
        st.builds("{0}({1})".format, functions, inner),
        st.builds("({0}).{1}()".format, inner, methods),
        st.builds("({0[0]}).{1}({0[1]})".format, two, searched),
        st.builds("({0[0]})[{0[1]}]".format, two),
        st.builds("({0[0]})[{0[1]}:]".format, two),
        st.builds("[{0[1]} for epochs in {0[0]}]".format, two),
        st.builds("any(x == {0[1]} for x in {0[0]} if x)".format, two),
        st.builds("{{x: {0[1]} for x in {0[0]}}}".format, two),
        st.builds("({0[0]} if {0[1]} else {0[0]})".format, two),
        st.builds("(not {0})".format, inner),
        st.builds("f'{{{0}}}!'".format, NUMBERS.filter(lambda s: "'" not in s)),
        st.builds("[{0[0]}, {0[1]}]".format, two),
        st.builds("({0[0]} < {0[1]} <= {0[0]})".format, two),
    )


@given(st.recursive(NUMBERS | TEXTS | LISTS, larger, max_leaves=6))
@pytest.mark.filterwarnings("ignore")
def test_random_expressions_are_pythons(source: str) -> None:
    """Any expression of the grammar gives what Python gives, and fails where Python fails."""
    state = {k: v for k, v in STATE.items() if k != "len"}
    try:
        expected = repr(eval(source, dict(state)))
    except Exception:
        with pytest.raises(ExpressionFault):
            Expression(source).evaluate(state)
        return
    try:
        got = repr(Expression(source).evaluate(state))
    except ExpressionFault as e:
        # What is narrower than Python on purpose: bounds, and operators and functions of plain values only.
        assert isinstance(e, ExpressionStopped | ExpressionRefused) or isinstance(e.__cause__, TypeError), source
    else:
        assert expected == got


ESCAPES = [
    "__import__('os').system('true')",
    "__import__('os').getpid() > 0",
    "__builtins__",
    "__builtins__['eval']('1')",
    "().__class__.__bases__[0].__subclasses__()",
    "''.__class__.__mro__[1]",
    "name.__class__",
    "[].__class__.__base__",
    "(lambda: 1)()",
    "(lambda f: f(f))(lambda f: f(f))",
    "(x := 9)",
    "[y := 1 for x in scores]",
    "'{0.__class__}'.format(1)",
    "'{x.__class__}'.format_map(table)",
    "f'{name.__class__}'",
    "f'{name!r:>1000000000}'",
    "f'{epochs:>1000000000}'",
    "f'{name:{epochs}}'",
    "'%1000000000d' % 1",
    "('%' + '1000000000d') % 1",
    "name % 1",
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd').read()",
    "getattr(name, 'upper')()",
    "globals()",
    "vars()",
    "type(name)",
    "compile('1', '', 'eval')",
    "breakpoint()",
    "input()",
    "dir()",
    "[c for c in ().__class__.__bases__]",
    "[x.__class__ for x in scores]",
    "[len for len in [eval]][0]('1')",
    "any(len(x) for len in scores for x in scores)",
    "(x for x in scores).gi_frame",
    "(x for x in scores)",
    "[x for x in scores].append",
    "scores.append(4)",
    "table.update(a=2)",
    "table.pop('a')",
    "table.setdefault('a', 2)",
    "history.clear()",
    "name.encode()",
    "name.translate({65: 'x' * 1000})",
    "name.ljust(10 ** 9)",
    "name.zfill(10 ** 9)",
    "name.center(10 ** 9)",
    "name.expandtabs(10 ** 9)",
    "max(scores, key=print)",
    "sorted(scores, key=lambda x: x)",
    "scores[0](1)",
    "table['a']()",
    "len(*[scores])",
    "len(**{'x': 1})",
    "[*scores]",
    "{**table}",
    "await name",
    "(yield 1)",
    "[x async for x in scores]",
    "import os",
    "epochs = 3",
    "scores[0:1, 2]",
    "...",
    "",
    "epochs >",
    "1; 2",
    "\0",
    "a" * 5_000,
    "(" * 300 + "1" + ")" * 300,
    "-" * 3_000 + "1",
    "not " * 900 + "1",
    "1+" * 1_500 + "1",
    "9" * 3_900,
    "self.__dict__",
    "epochs.real",
    "epochs @ epochs",
    "print('x')",
    "[a.b for a.b in scores]",
    "[x for x[0] in scores]",
    "[x for __x in scores]",
]
BOMBS = [
    "9 ** 9 ** 9 ** 9",
    "2 ** 10 ** 10",
    "(-2) ** 10 ** 10 > 0",
    "10 ** 4000 * 10 ** 4000",
    "1 << 10 ** 10",
    "'x' * 10 ** 9",
    "10 ** 9 * b'x'",
    "[0] * 10 ** 10",
    "(0,) * 10 ** 10",
    "range(10 ** 12)",
    "range(10 ** 30)",
    "[x for x in range(10 ** 5) for y in range(10 ** 5)]",
    "any(x < 0 for x in range(10 ** 5) for y in range(10 ** 5))",
    "sum([1] * 10 ** 6)",
    "len(['x' * 10 ** 6 for x in range(10 ** 4)])",
    "len([[0] * 10 ** 5 for x in range(10 ** 4)])",
    "('x' * 10 ** 6).replace('x', 'y' * 10 ** 6)",
    "('x' * 10 ** 6).replace('', 'y' * 10 ** 6)",
    "('y' * 10 ** 6).join(['x'] * 10 ** 4)",
    "('y' * 10 ** 6).join('x' * 10 ** 4)",
    "('x ' * 10 ** 6).split()",
    "('x' * 10 ** 6).split('x')",
    "list('x' * 10 ** 6)",
    "sorted('yx' * 10 ** 6)",
    "int('9' * 10 ** 6)",
    "int('9' * 4000)",
    "int(1e300) ** 40",
    "round(5, -10 ** 9)",
    "round(5.5, 10 ** 9)",
    "{x: y for x in range(1000) for y in range(1000)}",
    "f'{\"x\" * 10 ** 9}'",
    "[s == s + '' for s in ['x' * 10 ** 6] for i in range(1000)]",
    "[s in s + 'x' for s in ['x' * 10 ** 6] for i in range(1000)]",
    "[s.lower() for s in ['x' * 10 ** 6] for i in range(1000)]",
    "len({x * (2 ** 61 - 1) for x in range(20000)}) > 0",
    "len({(x * (2 ** 61 - 1), 1): x for x in range(20000)}) > 0",
    "len(set([x * (1j - 1000003) for x in range(20000)])) > 0",
    "[s | t for s in [{x * (2 ** 61 - 1) for x in range(1000)}] for t in [{1}] for x in range(1000)]",
    "[s == t for s in [{x * (2 ** 61 - 1) for x in range(1000)}] for t in [s | {1}] for x in range(9000)]",
    "[0 in s for s in [{x * (2 ** 61 - 1) for x in range(1500)}] for y in range(9000) if (y + 9) * (2 ** 61 - 1) in s]",
    "[0.5 in range(10 ** 5) for x in range(20000)]",
    "[s.rfind('b' + 'a' * 50000) for s in ['a' * 10 ** 5] for x in range(20000)]",
    "[s.strip('b' * 10 ** 5) for s in ['a' * 10 ** 5] for x in range(20000)]",
    "[s.rsplit('b' + 'a' * 50000) for s in ['a' * 10 ** 5] for x in range(20000)]",
    "[d.keys() == d.keys() for d in [{x: 1 for x in range(10000)}] for x in range(9000)]",
    "max([9 ** 999 for i in range(20000)]) > 0",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_escapes_are_refused(source: str) -> None:
    """Refused when built; what only values show is an error when evaluated, and nothing was called."""
    with pytest.raises(ExpressionFault) as caught:
        Expression(source).evaluate(STATE)

    assert type(caught.value) is ExpressionRefused or source in ("('%' + '1000000000d') % 1", "name % 1"), caught.value
    assert 2 == caught.value.exit_code
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("source", BOMBS)
def test_bombs_are_stopped(source: str) -> None:
    """What would take all memory or time is stopped before it is made."""
    with pytest.raises(ExpressionStopped, match="stopped: "):
        Expression(source).evaluate(STATE)


@pytest.mark.parametrize("kind", ["tuple", "list"])
def test_shared_parts_count_each_time(kind: str) -> None:
    """A value of sixty levels whose two halves are one takes 2**60 steps to compare or hash: it is stopped."""
    value: Any = 1
    for _ in range(60):
        value = (value, value) if kind == "tuple" else [value, value]
    other = (value[0], value[0]) if kind == "tuple" else [value[0], value[0]]
    for source in ["v == w", "v in [w]", "[w].count(v)", "[v, w] == [w, v]", "max(v, w)", "sorted([v, w])"]:
        with pytest.raises(ExpressionStopped):
            Expression(source).evaluate({"v": value, "w": other})
    if kind == "tuple":
        for source in ["{v: 1}", "{v}", "{1: 2}.get(v)", "{1: 2}[v]", "v in {1}", "set([v])", "{x for x in [v]}"]:
            with pytest.raises(ExpressionStopped):
                Expression(source).evaluate({"v": value})


def test_which_keys_it_reads_is_known() -> None:
    """Names but loop variables and functions that are called; in order, each once."""

    assert ("epochs", "history", "len") == Expression("epochs > 1 and len(history) < len and epochs").keys
    assert ("xs", "limit") == Expression("[x for x in xs if x > limit]").keys
    assert ("x",) == Expression("[x for x in x]").keys
    assert ("ys", "z", "w") == Expression("{k: v for k, v in ys for q in [z] if any(k == v == w for _ in q)}").keys
    assert () == Expression("1 + 1").keys


class Mood(enum.Enum):
    GLAD = 1


def test_values_of_the_program_are_compared_and_counted_only() -> None:
    """Its own types are asked for equality, order and length; nothing of them is reached."""
    state = {"mood": Mood.GLAD, "same": Mood.GLAD, "odd": [object()]}

    assert True is Expression("mood == same and mood is same and len(odd) == 1 and mood in [same]").evaluate(state)
    for source in ["mood + 1", "mood[0]", "[x for x in mood]", "1 in mood", "-mood", "mood.upper()", "str(mood)", "f'{mood}'"]:
        with pytest.raises(ExpressionFault, match="Mood"):
            Expression(source).evaluate(state)


def test_a_loop_variable_is_bound_before_it_is_read() -> None:
    """As in Python, a comprehension's variable is its own everywhere but in its first source."""
    with pytest.raises(ExpressionFault, match="scores has no value yet"):
        Expression("[1 for x in [1] for scores in scores]").evaluate(STATE)


def test_errors_say_what_and_where() -> None:
    """The text, the reason, the column; and what to type instead."""
    with pytest.raises(ExpressionRefused) as refused:
        Expression("epochs > lenn(history)")
    with pytest.raises(ExpressionFault) as missing:
        Expression("epoch > 3").evaluate(STATE)
    with pytest.raises(ExpressionFault) as failed:
        Expression("epochs / 0").evaluate(STATE)
    with pytest.raises(TypeError, match="an expression is text"):
        Expression(3)  # type: ignore[arg-type]

    assert "expr('epochs > lenn(history)'): lenn() may not be called, at column 10" == str(refused.value)
    assert "Did you mean len()?" == refused.value.hint
    assert "expr('epoch > 3'): there is no 'epoch'" == str(missing.value)
    assert "expr('epochs / 0'): ZeroDivisionError: division by zero" == str(failed.value)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_an_error_is_never_long() -> None:
    """Not even about a key of a million letters, or one whose parts are shared."""
    value: Any = 1
    for _ in range(12):
        value = (value, value)
    for source in ["{}['x' * 10 ** 6]", "{}[v]", "[].index(v)", "float('x' * 10 ** 5)", "{}[1]"]:
        with pytest.raises(ExpressionFault) as caught:
            Expression(source).evaluate({"v": value})
        assert len(str(caught.value)) < 400


def test_nothing_in_the_state_changes() -> None:
    """Evaluating reads."""
    before = repr(STATE)
    Expression("sorted(scores) + [history] * 2 + [seen | {4}, table | {'a': 5}]").evaluate(STATE)

    assert before == repr(STATE)
