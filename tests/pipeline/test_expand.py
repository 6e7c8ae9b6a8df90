"""`foreach`, `matrix`, and pipelines in pipelines: one entry of a file, several steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.pipeline.step import Does, Input
from tests.pipeline.writing import START, looked_at, sound, write


def test_each_item_is_a_step(tmp_path: Path) -> None:
    """A step is named by its item; who asks for the whole gets a list, who asks for one gets it."""
    text = f"""
params: {{langs: [es, pt br]}}
pipeline:
{START}
  - {{module: translator, inputs: [request], output_name: t, foreach: "${{langs}}", supplement: "to ${{item}}"}}
  - {{module: enhancer, inputs: ["t@${{item}}"], output_name: u, foreach: "${{langs}}"}}
  - {{module: enhancer, inputs: [u, t@es], output_name: v}}
"""
    pipeline = sound(tmp_path, text)

    assert ("request", "t@es", "t@pt br", "u@es", "u@pt br", "v") == pipeline.order
    assert ["to es", "to pt br"] == [step.work.supplement for step in pipeline.steps[1:3]]
    assert (Input("t@pt br", ("t@pt br",), False),) == pipeline.by_name["u@pt br"].inputs
    assert (Input("u", ("u@es", "u@pt br"), True), Input("t@es", ("t@es",), False)) == pipeline.by_name["v"].inputs
    assert ("t@es", "t@pt br") == pipeline.groups["t"]
    assert {"langs": ["es", "pt br"], "item": "es"} == dict(pipeline.by_name["t@es"].scope)


@pytest.mark.parametrize(
    ("loop", "supplement", "expected"),
    [
        ("foreach: [a, b]", "${item}", {"x@a": "a", "x@b": "b"}),
        ("foreach: [{l: a}, {l: b}]", "${item.l}", {"x@0": "a", "x@1": "b"}),
        ("foreach: {one: a, two: b}", "${key} ${item}", {"x@one": "one a", "x@two": "two b"}),
        ("foreach: ['a/b', '']", "-${item}", {"x@0": "-a/b", "x@1": "-"}),
        ("foreach: [1, 2.50]", "${item}", {"x@1": "1", "x@2.50": "2.50"}),
        (
            "matrix: {l: [a, b], t: [hot, {c: 1}]}",
            "${item.l}",
            {"x@a-hot": "a", "x@a-t1": "a", "x@b-hot": "b", "x@b-t1": "b"},
        ),
    ],
)
def test_labels(tmp_path: Path, loop: str, supplement: str, expected: dict[str, str]) -> None:
    """The item itself where it is short and plain, else its number; keys; values joined."""
    text = f"pipeline:\n  - module: translator\n    inputs: []\n    output_name: x\n    {loop}\n    supplement: '{supplement}'\n"

    assert expected == {step.name: step.work.supplement for step in sound(tmp_path, text).steps}


def test_a_module_may_be_the_item(tmp_path: Path) -> None:
    """Two prompts are compared by one entry."""
    text = "pipeline:\n  - {module: '${item}', inputs: [], output_name: x, foreach: [enhancer, translator]}\n"

    assert ["enhancer", "translator"] == [step.work.module for step in sound(tmp_path, text).steps]


def test_a_steps_own_parameters(tmp_path: Path) -> None:
    """They come before those of the file, may be made of them, and are nobody else's."""
    text = """
params: {lang: es, tone: warm}
pipeline:
  - {module: translator, inputs: [], output_name: x, params: {lang: "${lang}-mx", both: "${lang} ${tone}"}, supplement: "${both}"}
  - {module: translator, inputs: [], output_name: y, supplement: "${lang}"}
"""
    pipeline = sound(tmp_path, text)

    assert ["es-mx warm", "es"] == [step.work.supplement for step in pipeline.steps]
    assert {"lang": "es-mx", "tone": "warm", "both": "es-mx warm"} == dict(pipeline.steps[0].scope)


def test_faults_of_a_loop_are_told_once(tmp_path: Path) -> None:
    """Not once for each item; and who uses a result of a faulty loop is not faulty for that."""
    text = (
        "pipeline:\n  - {module: nobody, inputs: [y], output_name: x, foreach: [a, b]}\n"
        "  - {module: enhancer, inputs: [], output_name: z, foreach: []}\n  - {module: enhancer, inputs: [z, 'z@q'], output_name: w}\n"
    )

    assert [
        "pipeline.yml:2:14: unknown module 'nobody': there is no system_prompts/nobody.txt, no function of modules.py, and no built-in module of this name",
        "pipeline.yml:2:31: unknown input 'y': no step has this output_name; there are: x, z, w",
        "pipeline.yml:3:61: foreach takes a list or a mapping with something in it, not an empty list",
    ] == looked_at(tmp_path, text)[1]


def test_loops_that_explode_are_stopped(tmp_path: Path) -> None:
    """Before the steps are made."""
    rows = ", ".join(f"a{row}: [{', '.join(str(number) for number in range(10))}]" for row in range(6))
    text = f"pipeline:\n  - {{module: enhancer, inputs: [], output_name: x, matrix: {{{rows}}}}}\n"

    assert ["pipeline.yml:2:52: matrix makes 100,000 steps or more: at most 10,000"] == looked_at(tmp_path, text)[1]


INNER = f"""
params: {{tone: plain}}
pipeline:
{START}
  - {{module: enhancer, inputs: [request], output_name: better, supplement: "${{tone}}"}}
"""


def test_a_pipeline_in_a_pipeline(tmp_path: Path) -> None:
    """It is looked at with the other, with the parameters that the step gives it."""
    write(tmp_path, {"pipelines/inner.yml": INNER})
    step = "  - {pipeline: pipelines/inner.yml, inputs: [request], output_name: x, params: {tone: warm}}\n"
    pipeline = sound(tmp_path, f"pipeline:\n{START}{step}")
    inner = pipeline.steps[1].work.pipeline

    assert Does.PIPELINE is pipeline.steps[1].work.does
    assert inner is not None
    assert (("request",), "better", "warm") == (inner.asking, inner.result, inner.steps[1].work.supplement)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("inputs: [request], params: {tome: x}", "pipeline.yml:3:71: the pipeline pipelines/inner.yml takes no parameter 'tome': did you mean tone?"),
        ("inputs: [], supplement: x", "pipeline.yml:3:49: supplement does nothing here: the step runs a pipeline"),
        ("inputs: [request, other]", "pipeline.yml:3:55: the pipeline pipelines/inner.yml does not ask for 'other': it asks for request"),
    ],
)
def test_faults_of_a_pipeline_in_a_pipeline(tmp_path: Path, step: str, expected: str) -> None:
    """What is given and not asked for is a fault."""
    write(tmp_path, {"pipelines/inner.yml": INNER})
    other = "  - {module: enhancer, inputs: [], output_name: other}\n"
    _, faults = looked_at(tmp_path, f"pipeline:\n{START}  - {{pipeline: pipelines/inner.yml, {step}, output_name: x}}\n{other}")

    assert [expected] == [fault.replace(f"{tmp_path}/", "") for fault in faults]


def test_pipelines_that_run_each_other(tmp_path: Path) -> None:
    """Round and round is told where it closes; faults of the inner file with the inner file's places."""
    write(tmp_path, {"a.yml": "pipeline:\n  - {pipeline: pipeline.yml, inputs: [], output_name: x}\n  - {module: no, inputs: [], output_name: y}\n"})
    _, faults = looked_at(tmp_path, "pipeline:\n  - {pipeline: a.yml, inputs: [], output_name: x}\n")

    assert ["a.yml:2:16: the pipeline pipeline.yml runs itself", "a.yml:3:14"] == [faults[0], faults[1][:10]]


def test_pipelines_that_explode_are_stopped(tmp_path: Path) -> None:
    """Nine levels of ten pipelines each are not all looked at."""
    loop = "pipeline:\n  - {{pipeline: p{}.yml, inputs: [], output_name: x, foreach: [a, b, c, d, e, f, g, h, i, j]}}\n"
    write(tmp_path, {f"p{level}.yml": loop.format(level + 1) for level in range(8)})
    write(tmp_path, {"p8.yml": "pipeline:\n  - {module: enhancer, inputs: [], output_name: x}\n"})
    _, faults = looked_at(tmp_path, loop.format(0))

    assert ["more than 1,000 steps run pipelines, all loops counted"] == [fault.partition(": ")[2] for fault in faults]
