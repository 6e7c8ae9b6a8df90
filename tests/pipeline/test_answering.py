"""What `--input` answers: steps that are not to run themselves, and questions of pipelines that steps run."""

from __future__ import annotations

import pytest

from gvstore.journal.repository import Repository
from tests.conftest import CommandLine
from tests.pipeline.writing import START, write

LINE = ("--provider", "command:tail -n 1")
CHAIN = f"pipeline:\n{START}" + "".join(
    f"  - {{module: {module}, inputs: [{given}], output_name: {name}}}\n" for module, given, name in (("planner", "request", "plan"), ("judge", "plan", "verdict"))
)
INNER = """\
pipeline:
  - {module: start_module, inputs: [], output_name: topic}
  - {module: human_intervention, inputs: [topic], output_name: sure, params: {question: "Sure?"}}
  - {module: judge, inputs: [sure], output_name: j}
"""
OUTER = """\
pipeline:
  - {module: planner, inputs: [], supplement: p, output_name: topic}
  - {pipeline: inner.yml, inputs: [topic], output_name: s}
"""
LOOP = f"""\
{OUTER.replace("output_name: s}", "output_name: s, foreach: [es, fr]}")}\
  - {{pipeline: outer.yml, inputs: [], output_name: deep}}
"""


@pytest.fixture
def project(gv: CommandLine) -> CommandLine:
    """The command line in a repository with a chain, and with pipelines that run pipelines."""
    write(gv.folder, {f"system_prompts/{name}.txt": f"You are a {name}.\n" for name in ("planner", "judge")})
    write(gv.folder, {"chain.yml": CHAIN, "inner.yml": INNER, "outer.yml": OUTER, "loop.yml": LOOP})
    gv("init")
    return gv


@pytest.mark.parametrize(("option", "steps"), [(("--only", "plan"), ["request", "plan"]), (("--from", "plan"), None)])
def test_an_answer_goes_before_the_earlier_one(project: CommandLine, option: tuple[str, str], steps: list[str] | None) -> None:
    """Of a step that is not chosen itself: what is asked, planned and recorded is with the answer that was typed."""
    project("run", "chain.yml", *LINE, "--input", "request=old")
    planned = project("pipeline", "plan", "chain.yml", *LINE, *option, "--input", "request=new").out
    project("run", "chain.yml", *LINE, *option, "--input", "request=new")
    project("run", "chain.yml", *LINE, *option)
    with Repository.discover(project.folder) as repo:
        new, earlier = (repo.runs[number].invocation for number in (2, 3))

    assert "request  given  --input\nplan     run    request changed" in planned
    assert ({"request": ["new"]}, steps, {}) == (new.args["inputs"], new.args["chosen"], new.args["given"])
    assert "REQUEST: new" == list(new.get_children())[1].output
    assert ({}, {"request": "new"}) == (earlier.args["inputs"], earlier.args["given"])


def test_an_answer_that_nothing_is_given_is_refused(project: CommandLine) -> None:
    """It would stand in the record, and would not be what the results come from."""
    project("run", "chain.yml", *LINE, "--input", "request=old")
    for command in (("run",), ("pipeline", "plan")):
        told = project(*command, "chain.yml", *LINE, "--only", "verdict", "--input", "request=new", status=2).err

        assert "--input 'request': request is not to run, and no step that is to run is given its result" in told
        assert "`--from request`" in told


def test_questions_of_inner_pipelines_are_answered_by_name(project: CommandLine) -> None:
    """The step's name, a dot, the name in there; its progress is told by the same names."""
    done = project("run", "outer.yml", *LINE, "--input", "s.sure=yes")
    planned = project("pipeline", "plan", "outer.yml", *LINE, "--input", "s.sure=no").out

    assert done.err.rstrip().endswith("SURE: TOPIC:  Supplementary Information: pyes")
    assert ["topic", "s.topic", "s.sure", "s.j", "s"] == [line.split()[0] for line in done.err.splitlines()[:5]]
    assert "s      run    answers changed" in planned
    assert "nothing to do" in project("replay", "run/1").out


def test_answers_of_loops_and_deeper_pipelines(project: CommandLine) -> None:
    """One for all of a loop, or for one of it, which goes before; through as many pipelines as there are, by several threads too."""
    answers = ("--input", "s@fr.sure=one", "--input", "s.sure=all", "--input", "deep.s.sure=far")
    said = project("run", "loop.yml", *LINE, *answers, "-j", "3").err
    lines = {line.split()[0]: line.rpartition(" ")[2] for line in said.splitlines() if ".sure " in line}

    assert {"s@es.sure": "pall", "s@fr.sure": "pone", "deep.s.sure": "pfar"} == lines


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("sure=yes", "did you mean s.sure?"),
        ("s.topic=yes", "there are: s.sure"),  # the step's input answers it
        ("s=yes", "there are: s.sure"),
        ("s.sure.sure=yes", "did you mean s.sure?"),
    ],
)
def test_names_that_ask_nothing(project: CommandLine, typed: str, why: str) -> None:
    """With what can be answered."""

    assert f"no step of this name asks a person; {why}" in project("run", "outer.yml", *LINE, "--input", typed, status=2).err
