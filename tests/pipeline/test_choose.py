"""Which steps run, what is changed for one run, and how a pipeline looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gvstore.pipeline.choose import NothingChosen, UnknownStep, choose
from gvstore.pipeline.drawing import draw_pipeline, sketch_of
from gvstore.pipeline.fault import BadSetting, NoPipeline, PipelineFault
from gvstore.pipeline.find import find_pipeline
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.published import PUBLISHED, json_schema
from gvstore.pipeline.setting import parse_setting
from tests.pipeline.writing import START, looked_at, seed_pipelines, sound, write
from tests.transcript import ROOT

DIAMOND = f"""
params: {{mode: fast}}
pipeline:
{START}
  - {{module: translator, inputs: [request], output_name: t, foreach: [es, fr]}}
  - {{module: enhancer, inputs: [request], output_name: e, when: mode == 'fast'}}
  - {{module: scrutinizer, inputs: [t, e], output_name: s, when: "len(request) > 3"}}
  - {{module: enhancer, inputs: [], output_name: alone}}
"""


@pytest.fixture
def diamond(tmp_path: Path) -> Pipeline:
    """Branches that meet, and a step that stands alone."""
    return sound(tmp_path, DIAMOND)


@pytest.mark.parametrize(
    ("only", "start", "until", "run", "given"),
    [
        ([], [], [], "request t@es t@fr e s alone", ""),
        (["s"], [], [], "s", "request t@es t@fr e"),
        (["t@fr", "e"], [], [], "t@fr e", "request"),
        ([], ["t"], [], "t@es t@fr s", "request e"),
        ([], ["e", "alone"], [], "e s alone", "request t@es t@fr"),
        ([], [], ["t@es"], "request t@es", ""),
        ([], ["t@es"], ["s"], "t@es s", "request t@fr e"),
        (["alone", "e"], ["request"], [], "e", "request"),
    ],
)
def test_choices(diamond: Pipeline, only: list[str], start: list[str], until: list[str], run: str, given: str) -> None:
    """`--only`, `--from`, `--until`: in the pipeline's order, with what must be known already."""
    choice = choose(diamond, only=only, start=start, until=until)

    assert (tuple(run.split()), tuple(given.split())) == (choice.run, choice.given)


def test_choices_that_cannot_be_meant(diamond: Pipeline) -> None:
    """A name that nothing has, with what is near; options that leave nothing."""
    with pytest.raises(UnknownStep, match="--from 't@ez': the pipeline has no such step") as caught:
        choose(diamond, start=["t@ez"])
    assert "Did you mean t@es?" == caught.value.hint
    with pytest.raises(NothingChosen, match="--from alone --until e: no step is left to run"):
        choose(diamond, start=["alone"], until=["e"])


def test_drawings(diamond: Pipeline) -> None:
    """One box for each entry; dashed where only a condition reads."""
    text = """\
▶ request   start_module
         → t
         → e
    when → s
  t   translator   for es, fr
    → s
  e   enhancer   when mode == 'fast'
    → s
■ s   scrutinizer   when len(request) > 3
▶ alone   enhancer
"""

    assert text == draw_pipeline(diamond)
    assert draw_pipeline(diamond, "dot").startswith("digraph pipeline {")
    assert draw_pipeline(diamond, "mermaid").startswith("flowchart TD\n")
    assert draw_pipeline(diamond, "svg").startswith("<svg")
    assert 5 == len(sketch_of(diamond).boxes)
    with pytest.raises(ValueError, match="no form 'pdf' to draw in"):
        draw_pipeline(diamond, "pdf")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("mode=slow", lambda p: p.by_name["e"].scope["mode"]),
        ("params.mode=slow", lambda p: p.by_name["e"].scope["mode"]),
        ("e.supplement=slow", lambda p: p.by_name["e"].work.supplement),
        ("e.model_config.stop=slow", lambda p: p.by_name["e"].work.model_config.stop[0]),
        ("default_model=openai:slow", lambda p: p.by_name["alone"].work.model_config.model.partition(":")[2]),
        ("t.foreach=[slow]", lambda p: p.by_name["t@slow"].scope["item"]),
    ],
)
def test_settings(tmp_path: Path, typed: str, read: object) -> None:
    """A value for one run: parameters, keys of steps, keys of config.yml."""
    assert callable(read)

    assert "slow" == read(sound(tmp_path, DIAMOND, parse_setting(typed)))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("mood=x", "--set mood:1:1: nothing has the name 'mood': did you mean mode?"),
        ("e=x", "--set e:1:1: a step's key is needed, e.<key>: model_config, supplement, python, ..."),
        ("e.model_config.temperature=hot", "--set e.model_config.temperature:1:1: temperature takes a number from 0 to 2, not text: 'hot'"),
        ("e.cash=false", "--set e.cash:1:1: unknown key 'cash' in a step: did you mean cache?"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, typed: str, expected: str) -> None:
    """They are told as faults of a file are, at the option."""

    assert [expected] == looked_at(tmp_path, DIAMOND, parse_setting(typed))[1]


@pytest.mark.parametrize("typed", ["mode", "=x", "a..b=x", "a=[1", "a={x: 1}}"])
def test_settings_that_are_none(typed: str) -> None:
    """A name, `=`, a value."""
    with pytest.raises(BadSetting):
        parse_setting(typed)


def test_values_of_settings_are_what_they_look_like() -> None:
    """Numbers, flags, lists; what would surprise as YAML is text."""
    values = {"a=1": 1, "a=0.5": 0.5, "a=true": True, "a=": None, "a=x: y": "x: y", "a=12:30": "12:30", "a=@x": "@x", "a='1'": "1", "a=b=c": "b=c"}

    assert values == {typed: getattr(parse_setting(typed).node, "value", None) for typed in values}


def test_which_file_is_meant(tmp_path: Path) -> None:
    """A file itself; of a folder the one that config.yml names, else its pipeline.yml, else its only one."""
    write(tmp_path, {f"pipelines/{name}.yml": text for name, text in seed_pipelines().items()})
    with pytest.raises(NoPipeline) as caught:
        find_pipeline(tmp_path)
    assert caught.value.hint.startswith("Name one of pipelines/engineering.yml, pipelines/task.yml")
    write(tmp_path, {"pipeline.yml": "x"})
    assert tmp_path / "pipeline.yml" == find_pipeline(tmp_path)
    write(tmp_path, {"config.yml": "pipeline: 'task'\n"})
    assert tmp_path / "pipelines/task.yml" == find_pipeline(tmp_path)
    assert tmp_path / "any.yml" == find_pipeline(tmp_path / "any.yml")
    write(tmp_path, {"config.yml": "wandb_enabled: false\npipeline: 'taks'\n"})
    with pytest.raises(PipelineFault, match=r"config.yml:2:11: unknown pipeline 'taks': did you mean task\?"):
        find_pipeline(tmp_path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schemas_are_those_of_the_table(name: str, accept: bool) -> None:
    """docs/*.schema.json; `pytest --accept` rewrites them."""
    path = ROOT / "docs" / f"{name}.schema.json"
    text = json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"
    if accept:
        path.write_text(text)

    assert text == path.read_text()
