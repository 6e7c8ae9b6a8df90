"""What a step is given of the results before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.expression.bound import ExpressionFault
from gvstore.pipeline.given import answers, given, user_prompt, why_skipped
from gvstore.pipeline.pipeline import Pipeline
from tests.pipeline.writing import START, sound, write

TEXT = f"""
params: {{least: 2}}
pipeline:
{START}
  - {{module: translator, inputs: [request], output_name: t, foreach: [es, fr]}}
  - {{module: enhancer, inputs: [request, t, t@fr], output_name: e, supplement: briefly}}
  - {{module: enhancer, inputs: [t], output_name: f, when: len(request) > least and e is None}}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A loop, a join, a condition."""
    return sound(tmp_path, TEXT)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({"request": "r", "t@es": "a", "t@fr": "b"}, "REQUEST: r\nT: a\n\nb\nT@FR: b\n Supplementary Information: briefly"),
        ({"request": "r", "t@es": "a"}, "REQUEST: r\nT: a\n Supplementary Information: briefly"),
        ({"request": "r"}, "REQUEST: r\n Supplementary Information: briefly"),
        ({"request": None, "t@es": {"x": 1}}, 'REQUEST: null\nT: [{"x": 1}]\n Supplementary Information: briefly'),
    ],
)
def test_skipped_results_are_left_out(pipeline: Pipeline, results: dict[str, object], expected: str) -> None:
    """Neither name nor text of them is in the prompt; a list has those that there are."""

    assert expected == user_prompt(pipeline.by_name["e"], results)


@pytest.mark.parametrize(
    ("name", "results", "expected"),
    [
        ("t@es", {"request": "r"}, ""),
        ("t@es", {}, "request: skipped before"),
        ("e", {"t@es": "x"}, ""),
        ("e", {}, "request, t, t@fr: skipped before"),
        ("f", {"request": "long", "t@es": "x"}, ""),
        ("f", {"request": "long", "t@es": "x", "e": "y"}, "when: len(request) > least and e is None"),
        ("f", {"request": "", "t@es": "x"}, "when: len(request) > least and e is None"),
        ("request", {}, ""),
    ],
)
def test_whether_a_step_runs(pipeline: Pipeline, name: str, results: dict[str, object], expected: str) -> None:
    """One input is enough; a condition sees None for what was skipped."""

    assert expected == why_skipped(pipeline.by_name[name], results)


def test_a_condition_that_cannot_be_asked(pipeline: Pipeline) -> None:
    """What it is asked of does not fit."""
    with pytest.raises(ExpressionFault, match="TypeError"):
        why_skipped(pipeline.by_name["f"], {"t@es": "x"})


def test_answers_of_an_inner_pipeline(tmp_path: Path) -> None:
    """By name; one input answers one question."""
    other = "  - {module: human_intervention, inputs: [request], output_name: more}\n"
    write(tmp_path, {"one.yml": f"pipeline:\n{START}", "two.yml": f"pipeline:\n{START}{other}"})
    text = f"""
pipeline:
{START}
  - {{module: human_intervention, inputs: [], output_name: more}}
  - {{pipeline: one.yml, inputs: [more], output_name: a}}
  - {{pipeline: two.yml, inputs: [more], output_name: b}}
"""
    pipeline = sound(tmp_path, text)

    assert [("more", "m")] == given(pipeline.by_name["a"], {"more": "m"})
    assert {"request": "m"} == answers(pipeline.by_name["a"], {"more": "m"})
    assert {"more": "m"} == answers(pipeline.by_name["b"], {"more": "m"})
    assert {} == answers(pipeline.by_name["b"], {})
