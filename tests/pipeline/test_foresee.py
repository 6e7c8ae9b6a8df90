"""What a check tells of the machine, and how a condition fails."""

from __future__ import annotations

import pytest

from tests.conftest import CommandLine
from tests.pipeline.writing import START, write

STEP = '  - {module: planner, inputs: [request], output_name: a, model_config: {model: "command:cat", api_key: "${env:NO_SUCH_KEY}"}}\n'


@pytest.fixture
def project(gv: CommandLine) -> CommandLine:
    """The command line in a repository with a prompt."""
    write(gv.folder, {"system_prompts/planner.txt": "You plan.\n"})
    gv("init")
    return gv


def test_a_check_warns_of_variables_that_are_not_set(project: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the step's place; the pipeline is sound all the same."""
    write(project.folder, {"p.yml": f"pipeline:\n{START}{STEP}"})
    done = project("pipeline", "check", "p.yml")

    assert ("p.yml  2 steps, no fault\n", "warning: p.yml:3:5: a: the environment has no variable NO_SUCH_KEY\n") == (done.out, done.err)
    monkeypatch.setenv("NO_SUCH_KEY", "x")
    assert "" == project("pipeline", "check", "p.yml").err


@pytest.mark.parametrize("value", ["sk-1234", "${env:OPENAI_API_KEY}"])
def test_a_key_in_the_configuration_is_a_warning(project: CommandLine, value: str) -> None:
    """Whatever stands there; of a pipeline with a fault it is not told as an error."""
    write(project.folder, {"p.yml": f"pipeline:\n{START}", "q.yml": "pipeline: []\n", "config.yml": f"openai_api_key: {value}\n"})
    told = project("pipeline", "check", "p.yml").err

    assert told.startswith("warning: config.yml:1:1: openai_api_key is not read")
    assert "openai_api_key" not in project("pipeline", "check", "q.yml", status=2).err


def test_a_condition_that_fails_is_told_with_its_place(project: CommandLine) -> None:
    """And with what results are."""
    step = '  - {module: planner, inputs: [request], output_name: a, when: "request > 3"}\n'
    write(project.folder, {"p.yml": f"pipeline:\n{START}{step}"})
    told = project("run", "p.yml", "--provider", "command:cat", "--input", "request=x", status=2).err

    assert "p.yml:3:5: when of a: expr('request > 3'): TypeError" in told
    assert "hint: Results are texts" in told


def test_what_a_failure_keeps_from_running_is_told(project: CommandLine) -> None:
    """With `--keep-going`: each step that depends on it, and on which step that is; all others run."""
    names = (("a", "request"), ("b", "a"), ("c", "b"), ("d", "request"))
    steps = [f"  - {{module: planner, inputs: [{given}], output_name: {name}, model_config: {{model: \"command:{'false' if name == 'a' else 'cat'}\"}}}}\n" for name, given in names]
    write(project.folder, {"p.yml": f"pipeline:\n{START}{''.join(steps)}"})
    told = project("run", "p.yml", "--keep-going", "--input", "request=x", status=20).err

    assert ["request", "a", "d", "b", "c"] == [line.split()[0] for line in told.splitlines()[:5]]
    assert ["b        not run          it waits for a", "c        not run          it waits for b"] == told.splitlines()[3:5]
