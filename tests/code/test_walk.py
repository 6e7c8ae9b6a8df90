"""What stands below a node."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing

import pytest

from gvstore.code.module import ModuleText
from gvstore.code.normal import normal_form
from gvstore.code.scope import outside
from gvstore.code.walk import children, statements

_LEFT_OUT = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.alias)

MATCH = """
def f(x, *, key=None, **rest):
    global Y
    match x:
        case {"a": [1, *others], **more} if more:
            return {**more, "b": (z := 3)}
        case Point(x=0) | None | True:
            del Y
        case _:
            raise ValueError(f"{x!r:>{10}}") from None
"""


@pytest.mark.parametrize("source", [MATCH, inspect.getsource(dataclasses), inspect.getsource(typing)])
def test_children_are_those_of_ast(source: str) -> None:
    """Nothing is lost but operators, contexts and the names of imports, and the order is that of the text."""
    for node in ast.walk(ast.parse(source)):
        expected = [each for each in ast.iter_child_nodes(node) if not isinstance(each, _LEFT_OUT)]

        assert expected == children(node)


@pytest.mark.parametrize("source", [MATCH, inspect.getsource(dataclasses)])
def test_statements_are_those_of_ast(source: str) -> None:
    """Every statement, those outside first."""
    tree = ast.parse(source)

    assert [each for each in ast.walk(tree) if isinstance(each, ast.stmt)] == statements(tree)


def test_no_text_is_too_deep() -> None:
    """A sum of more parts than Python calls nest is read as any other: nothing recurses."""
    text = ModuleText.of(textwrap.dedent("""
        def f(x):
            return %s
    """) % " + ".join(["y"] * 1_200))

    assert ["y"] == list(outside(text.sites[0].node).names)
    assert 1_200 == normal_form(text.sites[0].node).count(b"(Name.id s1:y)")
