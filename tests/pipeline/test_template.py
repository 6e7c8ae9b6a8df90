"""`${param}`, `${env:NAME}` and `$${`: what is filled in, when, and what never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline.document import Node, Table, parse_document, plain_of
from gvstore.pipeline.fault import Faults, PipelineFault
from gvstore.pipeline.fill import Filler
from gvstore.pipeline.template import BadTemplate, Env, Param, Text, made_text, parse_template


def table(text: str) -> Table:
    """Returns the mapping that a text is."""
    node = parse_document(text, "f.yml", Faults())
    assert isinstance(node, Table)
    return node


def filled(params: str, text: str) -> tuple[object, list[str]]:
    """Returns what becomes of a document, and the faults."""
    faults = Faults()
    filler = Filler(faults)
    scope = filler.params(table(params), {})
    node: Node = filler.fill(table(text), scope)
    return plain_of(node), [str(fault) for fault in faults.found]


@given(st.text("ab${} \n"))
def test_escaped_text_comes_back(text: str) -> None:
    """Every text can be written: `${` as `$${`."""
    escaped = text.replace("${", "$${")

    assert ((text,) if text else ()) == parse_template(escaped)


@given(st.lists(st.text("ab${}:env", max_size=5) | st.sampled_from([Env("A"), Env("B")]), max_size=6))
def test_texts_are_never_looked_through_again(parts: list[str | Env]) -> None:
    """What a value holds, be it `${env:B}`, is text."""
    made = made_text(parts)
    env = {"A": "${env:B}", "B": "${env:A}"}

    expected = "".join(env[part.name] if isinstance(part, Env) else part for part in parts)
    assert expected == (made.filled(env) if isinstance(made, Text) else made)


def test_a_template_has_parts() -> None:
    """Text, parameters with their parts, variables."""

    assert ("a ", Param(("b", "c-d"), 2), Env("E"), " ${f}") == parse_template("a ${b.c-d}${env:E} $${f}")


@pytest.mark.parametrize("text", ["${", "${a", "${a b}", "${}", "${env:}", "${env:a-b}", "${a.}", "${1}", "${x:y}", "${a\n}"])
def test_what_is_no_name_is_told(text: str) -> None:
    """With how a plain `${` is written."""
    with pytest.raises(BadTemplate, match=r"for a plain \$\{ type \$\$\{"):
        parse_template(text)


def test_parameters_keep_their_types() -> None:
    """Alone a parameter is what it is; within a text it is what was typed."""
    params = "{t: 0.10, langs: [es, fr], who: {name: Ada}, both: '${who.name} ${t}', key: '${env:KEY}', odd: '$${t}'}"
    text = "{a: '${t}', b: 'at ${t}', c: '${langs}', d: '${both}', e: 'k=${key}', f: '${odd}', g: 'is ${odd}'}"

    assert (
        {"a": 0.1, "b": "at 0.10", "c": ["es", "fr"], "d": "Ada 0.10", "e": Text(("k=", Env("KEY"))), "f": "${t}", "g": "is ${t}"},
        [],
    ) == filled(params, text)


@pytest.mark.parametrize(
    ("params", "text", "expected"),
    [
        ("{language: x}", "{a: '${langauge}'}", "f.yml:1:5: unknown parameter 'langauge': did you mean language?"),
        ("{}", "{a: '${x}'}", "f.yml:1:5: unknown parameter 'x': add it under params:"),
        ("{w: {name: x}}", "{a: '${w.nmae}'}", "f.yml:1:5: ${w.nmae}: there is no 'nmae'; did you mean name?"),
        ("{w: x}", "{a: '${w.y}'}", "f.yml:1:5: ${w.y}: text has no parts"),
        ("{w: [x]}", "{a: 'is ${w}'}", "f.yml:1:5: ${w} is a list: it cannot stand inside of a text"),
        ("{w: }", "{a: 'is ${w}'}", "f.yml:1:5: ${w} is nothing: it cannot stand inside of a text"),
        ("{w: '${v}', v: '${w}'}", "{a: x}", "f.yml:1:2: the parameter 'w' needs itself: w -> v -> w"),
        ("{w: '${w}'}", "{a: x}", "f.yml:1:2: the parameter 'w' needs itself: w -> w"),
    ],
)
def test_what_cannot_be_filled_in_is_told(params: str, text: str, expected: str) -> None:
    """At the place that asks for it."""

    assert [expected] == filled(params, text)[1]


def test_parameters_that_explode_are_stopped() -> None:
    """Thirty lines of doubling end with a message."""
    params = "a0: xxxxxxxxxx\n" + "".join(f"a{n}: '${{a{n - 1}}}${{a{n - 1}}}'\n" for n in range(1, 60))
    with pytest.raises(PipelineFault, match="the parameters make more than 4,000,000 characters"):
        Filler(Faults()).params(table(params), {})
