"""Everything that can be known before a pipeline runs is told before it runs: file, line, column, what, and what is near."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.models.provider import PROVIDERS as providers
from gvstore.pipeline.check import examine, load_pipeline
from gvstore.pipeline.fault import NoPipeline, PipelineFault
from gvstore.pipeline.given import why_skipped
from gvstore.pipeline.model_config import PROVIDERS
from gvstore.pipeline.step import Does, Retry
from tests.pipeline.writing import START, looked_at, project, seed_pipelines, sound, told, write

CODE = ("code_planner", "engineer", "debugger", "modify_codebase", "create_readme")


@pytest.mark.parametrize(
    ("name", "order", "asking"),
    [
        ("task", ["request", "task_plan", "scrutinized_task_plan", "enhanced_task_plan", "markdown_plan"], ("request",)),
        ("translation", ["request", "translation"], ("request",)),
        ("engineering", ["request", "code_plan", "code", "working_codebase", "modified_codebase", "readme"], ("request",)),
    ],
)
def test_orchestrai_files_are_read_unchanged(tmp_path: Path, name: str, order: list[str], asking: tuple[str, ...]) -> None:
    """The three pipelines of its README, beside a config.yml of its own form; each step with its own model."""
    write(tmp_path, {f"system_prompts/{module}.txt": f"You are {module}." for module in CODE})
    config = "pipeline: 'x'\ndefault_model: gpt-4\ndefault_temperature: 0.7\ndefault_max_tokens: Null\nwandb_enabled: false\n"
    pipeline = sound(tmp_path, seed_pipelines()[name], config_yml=config)

    assert order == list(pipeline.order)
    assert asking == pipeline.asking
    assert (*asking, *(["modified_codebase"] if name == "engineering" else [])) == pipeline.answerable
    assert order[-1] == pipeline.result
    models = [step.work.model_config.model for step in pipeline.steps]
    expected = {"task": ["gpt-4", "gpt-4", "gpt-3.5-turbo", "gpt-4", "gpt-3.5-turbo"], "translation": ["gpt-4", "gpt-3.5-turbo"]}
    assert expected.get(name, ["gpt-4", "gpt-4", "gpt-4", "gpt-3.5-turbo-16k", "gpt-4", "gpt-4"]) == models
    assert {None} == {step.work.model_config.max_tokens for step in pipeline.steps}


def step(text: str) -> str:
    """A pipeline whose second step has these lines; they begin in line 3."""
    return f"pipeline:\n{START}" + "".join(f"{'  - ' if number == 0 else '    '}{line}\n" for number, line in enumerate(text.split("\n")))


PLAN = "module: task_planner\ninputs: [request]\noutput_name: plan\n"

CASES = [
    # the file
    ("", ["1:1: the file is empty: write pipeline: and a list of steps below it"]),
    ("- a\n", ["1:1: a pipeline's file is a mapping with pipeline:, not a list: write pipeline: and a list of steps below it"]),
    ("pipelines: []\n", ["1:1: unknown key 'pipelines' in a pipeline: did you mean pipeline?"]),
    ("params: {}\n", ["1:1: a pipeline needs pipeline: the steps"]),
    ("pipeline: []\n", ["1:11: pipeline takes a list of steps (- module: ...), not an empty list"]),
    ("pipeline: {module: x}\n", ["1:11: pipeline takes a list of steps (- module: ...), not a mapping"]),
    ("pipeline:\n  - start\n", ["2:5: a step is a mapping (module: ...), not text"]),
    # keys: a missing one, a misspelt one (told once), one of another place
    (step("module: task_planner\ninputs: [request]"), ["3:5: a step needs output_name: what the step's result is called"]),
    (step("module: task_planner\noutput_name: x"), ["3:5: a step needs inputs: the output_names that the step is given; [] for none"]),
    (step("inputs: []\noutput_name: x"), ["3:5: a step needs module: (or python:, or pipeline:)"]),
    (step("module: task_planner\ninput: [request]\noutput_name: x"), ["4:5: unknown key 'input' in a step: did you mean inputs?"]),
    (step(PLAN + "temperature: 0"), ["6:5: unknown key 'temperature' in a step: it stands below model_config:"]),
    (step(PLAN + "model_config: {tempurature: 0}"), ["6:20: unknown key 'tempurature' in a model_config: did you mean temperature?"]),
    (step(PLAN + "model: a\nmodel: b"), ["6:5: unknown key 'model' in a step: it stands below model_config:", "7:5: the key 'model' stands twice: first at line 6"]),
    # types and ranges
    (step("module: task_planner\ninputs: request\noutput_name: x"), ["4:13: inputs takes a list, not text: 'request': write [request]"]),
    (step("module: task_planner\ninputs: [1]\noutput_name: x"), ["4:14: an input takes text, not a number: '1': put it in quotes"]),
    (step("module: task_planner\ninputs: []\noutput_name: yes"), ["5:18: output_name takes text, not true or false: 'yes': put it in quotes"]),
    (step("module: task_planner\ninputs: []\noutput_name: a@b"), ["5:18: output_name 'a@b': a name has none of @ $ / \\ : * ? \" < > | { }, begins with none of . -, and ends with no dot or blank"]),
    (step(PLAN + "supplement: 42"), ["6:17: supplement takes text, not a number: '42': put it in quotes"]),
    (step(PLAN + "model_config: gpt-4"), ["6:19: model_config takes a mapping (model: ...), not text: 'gpt-4'"]),
    (step(PLAN + "model_config: {temperature: hot}"), ["6:33: temperature takes a number from 0 to 2, not text: 'hot'"]),
    (step(PLAN + "model_config: {temperature: 1e-3}"), ["6:33: temperature takes a number from 0 to 2, not text: '1e-3': write 0.001"]),
    (step(PLAN + "model_config: {temperature: '0.5'}"), ["6:33: temperature takes a number from 0 to 2, not text: '0.5': write it without quotes"]),
    (step(PLAN + "model_config: {temperature: 2.5}"), ["6:33: temperature takes a number from 0 to 2, not '2.5'"]),
    (step(PLAN + "model_config: {temperature: .nan}"), ["6:33: temperature takes a number from 0 to 2, not '.nan'"]),
    (step(PLAN + "model_config: {top_p: 0}"), ["6:27: top_p takes a number above 0 and at most 1, not '0'"]),
    (step(PLAN + "model_config: {max_tokens: 1.5}"), ["6:32: max_tokens takes a whole number from 1 to 10,000,000, not a number: '1.5'"]),
    (step(PLAN + "model_config: {provider: opnai}"), ["6:30: provider takes one of local, openai, anthropic, command, recorded, not 'opnai': did you mean openai?"]),
    (step(PLAN + "cache: maybe"), ["6:12: cache takes true or false, not text: 'maybe'"]),
    (step(PLAN + "n: 0"), ["6:8: n takes a whole number from 1 to 100, not '0'"]),
    (step(PLAN + "timeout: 0"), ["6:14: timeout takes a number above 0 and at most 604,800, not '0'"]),
    (step(PLAN + "retry: {max: 3, on: [tiemout]}"), ["6:26: retry.on takes one of model, timeout, schema, error, not 'tiemout': did you mean timeout?"]),
    (step(PLAN + "retry: {backoff: 1}"), ["6:12: retry needs max: how many attempts at most, the first one counted"]),
    (step(PLAN + "on_error: ignore"), ["6:15: on_error takes one of fail, skip, not 'ignore': choose one"]),
    (step(PLAN + "on_error: {fallback: {}}"), ["6:26: the fallback is empty: give it a module, a function (python:) or another model_config"]),
    (step(PLAN + "on_error: {fallback: {module: nobody}}"), ["6:35: unknown module 'nobody': there is no system_prompts/nobody.txt, no function of modules.py, and no built-in module of this name"]),
    (step(PLAN + "on_error: {fallback: {module: start_module}}"), ["6:35: a fallback is a prompt or a function, not the built-in module start_module"]),
    # modules
    (step("module: task_planer\ninputs: []\noutput_name: x"), ["3:13: unknown module 'task_planer': did you mean task_planner?"]),
    (step("module: ../../etc/x\ninputs: []\noutput_name: x"), ["3:13: module '../../etc/x': a name has none of @ $ / \\ : * ? \" < > | { }, begins with none of . -, and ends with no dot or blank"]),
    (step("module: engineer\ninputs: []\noutput_name: x"), ["3:13: the module engineer asks a model: write what it is told into system_prompts/engineer.txt"]),
    (step("module: a\npython: b.py:c\ninputs: []\noutput_name: x"), ["4:5: a step has module or python, not both"]),
    (step("python: b.py:c\ninputs: []\noutput_name: x"), ["3:13: python 'b.py:c': there is no file b.py; it is looked for in ROOT"]),
    (step("python: ../b.py:c\ninputs: []\noutput_name: x"), ["3:13: python '../b.py:c': a path stays inside of the project's folder"]),
    (step("python: b.c\ninputs: []\noutput_name: x"), ["3:13: python 'b.c': a function is written as file.py:function"]),
    (step("pipeline: other.yml\ninputs: []\noutput_name: x"), ["3:15: there is no pipeline 'other.yml': looked for in ROOT"]),
    (step("pipeline: pipeline.yml\ninputs: []\noutput_name: x"), ["3:15: the pipeline pipeline.yml runs itself"]),
    (step("module: human_intervention\ninputs: []\noutput_name: x\nn: 2"), ["6:5: n does nothing here: human_intervention is a built-in module"]),
    # names of results
    (step("module: task_planner\ninputs: [requst]\noutput_name: x"), ["4:14: unknown input 'requst': no step has this output_name; did you mean request?"]),
    (step("module: task_planner\ninputs: [request@x]\noutput_name: x"), ["4:14: unknown input 'request@x': no step has this output_name; request has neither foreach nor matrix"]),
    (step("module: task_planner\ninputs: [request]\noutput_name: request"), ["5:18: the output_name 'request' stands twice: first at line 2"]),
    (step("module: task_planner\ninputs: [x]\noutput_name: x"), ["4:14: the step 'x' is given its own result"]),
    (step("module: task_planner\ninputs: [b]\noutput_name: a") + "  - {module: enhancer, inputs: [c], output_name: b}\n  - {module: enhancer, inputs: [a], output_name: c}\n", ["4:14: a cycle: c -> b -> a -> c"]),
    # conditions
    (step(PLAN + "when: len(request"), ["6:11: when 'len(request': it is not an expression: '(' was never closed at column 4."]),
    (step(PLAN + "when: request.strip"), ['6:11: when \'request.strip\': attributes are not read: .strip, at column 1. Parts of a dict are read so: name["strip"].']),
    (step(PLAN + "when: len(requst) > 0"), ["6:11: when: unknown name 'requst': did you mean request?"]),
    (step(PLAN + "when: ${request}"), ["6:11: when is an expression: names stand in it as they are, without ${ }"]),
    (step(PLAN + "when: plan == ''"), ["6:11: the step 'plan' is given its own result"]),
    (step(PLAN + "params: {request: x}\nwhen: request"), ["7:11: when: 'request' is both a result and a parameter: rename one of them"]),
    (step(PLAN + "params: {k: '${env:K}'}\nwhen: k == ''"), ["7:11: when: 'k' holds a variable of the environment, which no condition reads"]),
    # loops
    (step(PLAN + "foreach: []"), ["6:14: foreach takes a list or a mapping with something in it, not an empty list"]),
    (step(PLAN + "foreach: es"), ["6:14: foreach takes a list or a mapping with something in it, not text: 'es'"]),
    (step(PLAN + "foreach: [es, fr, es]\nsupplement: ${item}"), ["6:23: foreach has 'es' twice: each result needs a name of its own"]),
    (step(PLAN + "foreach: [es]\nmatrix: {a: [b]}"), ["7:5: a step has foreach or matrix, not both: write the list as one more row of matrix"]),
    (step(PLAN + "matrix: {a: b}"), ["6:17: matrix.a takes a list with something in it, not text: 'b'"]),
    (step(PLAN + "foreach: [es]") + "  - {module: translator, inputs: ['plan@ex'], output_name: t}\n", ["7:35: unknown input 'plan@ex': no step has this output_name; did you mean plan@es?"]),
    (step(PLAN + "foreach: request\ncache: maybe\nsupplement: ${item.a}"), ["6:14: foreach takes a list or a mapping with something in it, not text: 'request'", "7:12: cache takes true or false, not text: 'maybe'"]),
    (step("Module: task_planner\ninputs: []\noutput_name: x"), ["3:5: unknown key 'Module' in a step: did you mean module?"]),
    (step(PLAN + "on_error: {module: enhancer}"), ["6:15: on_error needs fallback: what runs instead", "6:16: unknown key 'module' in on_error: it stands below fallback:"]),
    (step(PLAN + "model_config: {seed: 3}"), ["6:20: unknown key 'seed' in a model_config: it stands beside model_config:"]),
    (step("module: debugger\ninputs: []\noutput_name: x\nparams: {attempts: 50, memory: 3}"), ["3:13: the module debugger asks a model: write what it is told into system_prompts/debugger.txt", "6:24: attempts takes a whole number from 1 to 20, not '50'", "6:28: nothing uses the parameter 'memory': did you mean memory_mb?"]),
    # schemas, secrets, parameters
    (step(PLAN + "schema: {type: object, properties: {a: {type: strin}}}"), ["6:45: schema.properties.a.type: 'strin' is no type: array, boolean, integer, null, number, object, string"]),
    (step(PLAN + "schema: {tpye: object}"), ["6:14: schema.tpye: 'tpye' is no word of JSON Schema that is known here; did you mean 'type'?"]),
    (step(PLAN + "schema: a.json"), ["6:13: schema: there is no file 'a.json' in ROOT"]),
    (step(PLAN + "model_config: {api_key: sk-123}"), ["6:29: api_key is a secret: write ${env:NAME}, and set NAME in the environment"]),
    (step(PLAN + "model_config: {headers: {X-Api-Key: abc}}"), ["6:41: X-Api-Key is a secret: write ${env:NAME}, and set NAME in the environment"]),
    (step(PLAN + "model_config: {api_key: 'k${env:KEY}'}"), ["6:29: api_key is a secret: write ${env:NAME}, and set NAME in the environment"]),
    (step(PLAN + "model_config: {base_url: 'https://me:pw@host'}"), ["6:30: base_url has a password in it: write ${env:NAME}, and set NAME in the environment"]),
    # models
    (step(PLAN + "model_config: {model: llama}"), ["6:27: unknown model 'llama': write whose it is, openai:llama, or provider: beside it"]),
    (step(PLAN + "model_config: {model: 'opnai:x'}"), ["6:27: unknown model 'opnai:x': did you mean openai?"]),
    (step(PLAN + "on_error: {fallback: {model_config: {model: llama}}}"), ["6:49: unknown model 'llama': write whose it is, openai:llama, or provider: beside it"]),
    (step(PLAN + "model_config: {model: '${env:MODEL}'}"), ["6:27: model takes text: a variable of the environment stands in texts for a model only"]),
    (step(PLAN + "params: {tone: warm}"), ["6:14: nothing uses the parameter 'tone': neither the prompt nor the step has ${tone}"]),
    (step("module: start_module\ninputs: []\noutput_name: x\nparams: {qestion: a}"), ["6:14: nothing uses the parameter 'qestion': did you mean question?"]),
    (step(PLAN + "params: {item: x}\nsupplement: ${item}"), ["6:14: the parameter 'item': this name is taken, by foreach and matrix"]),
    (step(PLAN + "supplement: ${tone}"), ["6:17: unknown parameter 'tone': add it under params:"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[f"{number}" for number in range(len(CASES))])
def test_faults(tmp_path: Path, text: str, expected: list[str]) -> None:
    """One mistake, one message, at the character that is wrong."""
    pipeline, faults = looked_at(tmp_path, text)

    assert [f"pipeline.yml:{each}".replace("ROOT", str(tmp_path)) for each in expected] == faults
    assert pipeline is None


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """A file with many mistakes is corrected in one go."""
    bad = [text for text, _ in CASES if text.startswith("pipeline:\n  - {module: start")][3:30]
    bodies = [text.removeprefix(f"pipeline:\n{START}").replace("output_name: ", f"output_name: n{number}") for number, text in enumerate(bad)]
    _, faults = looked_at(tmp_path, f"pipeline:\n{START}" + "".join(bodies))

    assert len(faults) > 20
    assert faults == sorted(faults, key=lambda line: [int(part) for part in line.split(":")[1:3]])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"system_prompts/enhancer.txt": " \n"}, "system_prompts/enhancer.txt:1:1: the prompt file is empty"),
        ({"system_prompts/enhancer.txt": b"ok\nna\xefve"}, "system_prompts/enhancer.txt:2:3: the byte 0xef is no UTF-8: save the file as UTF-8"),
        ({"system_prompts/enhancer.txt": b"\xff\xfea\0"}, "system_prompts/enhancer.txt:1:1: the file is UTF-16: save it as UTF-8"),
        ({"general_system.txt": b"\xff"}, "general_system.txt:1:1: the byte 0xff is no UTF-8: save the file as UTF-8"),
        ({"config.yml": "default_modle: x\n"}, "config.yml:1:1: unknown key 'default_modle' in config.yml: did you mean default_model?"),
        ({"config.yml": "default_model: llama\n"}, "config.yml:1:16: unknown model 'llama': write whose it is, openai:llama, or provider: beside it"),
        ({"config.yml": "default_model: ${m}\n"}, "config.yml:1:16: unknown parameter 'm': config.yml has no parameters"),
        ({"config.yml": "default_temperature: hot\n"}, "config.yml:1:22: default_temperature takes a number from 0 to 2, not text: 'hot'"),
        ({"config.yml": "a: [\n"}, "config.yml:2:1: this is no YAML: expected the node content, but found the end of the file"),
        ({"config.yml": "[a]\n"}, "config.yml:1:1: config.yml is a mapping (default_model: ...), not a list"),
        ({"config.yml": "tools_enabled: true\n"}, "tools/tool_prompt.txt:1:1: config.yml says tools_enabled, and there is no such file"),
        ({"modules.py": "def f(:\n"}, "modules.py:1:7: this is no Python: invalid syntax"),
    ],
)
def test_faults_of_the_files_around(tmp_path: Path, files: dict[str, str | bytes], expected: str) -> None:
    """They are told with their own places."""
    path = project(tmp_path, "pipeline:\n  - {module: enhancer, inputs: [], output_name: x}\n")
    write(tmp_path, files)
    pipeline, faults = examine(path)

    assert [expected] == told(faults, tmp_path)
    assert pipeline is None


def test_a_pipeline_that_is_not_there(tmp_path: Path) -> None:
    """That is no fault of a file, but a name that names nothing."""
    with pytest.raises(NoPipeline, match="no pipeline at") as caught:
        load_pipeline(tmp_path / "x.yml")
    assert 12 == caught.value.exit_code
    with pytest.raises(PipelineFault) as refused:
        load_pipeline(project(tmp_path, "pipeline: 3\n"))
    assert 2 == refused.value.exit_code


def test_all_that_a_step_can_say(tmp_path: Path) -> None:
    """Every key, read."""
    text = """
params: {lang: Spanish, t: 0.2}
seed: 5
pipeline:
  - {module: start_module, inputs: [], output_name: request, params: {question: "What?"}}
  - module: translator
    inputs: [request]
    output_name: translation
    model_config: {temperature: "${t}", stop: "###", base_url: "https://${env:HOST}/v1", api_key: "${env:KEY}"}
    supplement: to ${lang}
    when: len(request) > 0 and lang != 'English'
    n: 3
    schema: {type: object, properties: {text: {type: string}}}
    tools: [tools.py:search]
    rounds: 4
    retry: {max: 4, backoff: 0.5, on: [timeout]}
    timeout: 30
    on_error: {fallback: {model_config: {model: claude-other}}}
    cache: false
  - {python: tools.py:shorten, inputs: [translation], output_name: short, params: {words: 9}}
  - {module: own, inputs: [short], output_name: last, retry: 2, on_error: skip, seed: 6}
"""
    tools = "def search(query: str) -> str: ...\ndef shorten(prompt, words=3): ...\n"
    pipeline = sound(tmp_path, text, tools_py=tools, modules_py="def own(prompt, model_config=None): ...\n")
    request, translation, short, last = pipeline.steps

    assert {"question": "What?"} == dict(request.options)
    work = translation.work
    assert ("to Spanish", Does.PROMPT, "translator") == (work.supplement, work.does, work.module)
    assert {"temperature": 0.2, "stop": ["###"], "base_url": "https://${env:HOST}/v1", "api_key": "${env:KEY}"} == work.model_config.shown()
    assert (3, 4, 30, False, 5) == (translation.samples, translation.rounds, translation.timeout_s, translation.cache, translation.seed)
    assert (Retry(4, 0.5, ("timeout",)), [0.5, 1.0, 2.0]) == (translation.retry, list(translation.retry.delays_s()))
    assert ["tools.py:search"] == list(map(str, translation.tools))
    assert translation.fallback is not None
    assert ("claude-other", 0.2) == (translation.fallback.model_config.model, translation.fallback.model_config.temperature)
    assert "" == why_skipped(translation, {"request": "hi"})
    assert "when: len(request) > 0 and lang != 'English'" == why_skipped(translation, {"request": ""})
    assert (Does.FUNCTION, {"words": 9}) == (short.work.does, dict(short.options))
    assert ("modules.py:own", Retry(2), True, 6) == (str(last.work.function), last.retry, last.skip_on_error, last.seed)


def test_built_in_modules_win_over_modules_py(tmp_path: Path) -> None:
    """OrchestrAI's own modules.py, which defines them all, is not even looked into for them."""
    text = "pipeline:\n" + START + "  - {module: chameleon_like, inputs: [request], output_name: x}\n"
    pipeline = sound(tmp_path, text, modules_py="import wandb\ndef start_module(prompt): ...\ndef chameleon_like(prompt): ...\n")

    assert [Does.BUILTIN, Does.FUNCTION] == [step.work.does for step in pipeline.steps]


@pytest.mark.parametrize(
    ("source", "params", "expected"),
    [
        ("def f(): ...", "", "f.py:f takes nothing: a module takes the prompt, `def f(prompt):`"),
        ("def f(prompt, words): ...", "", "f.py:f needs 'words': give it below params: of the step"),
        ("def f(prompt): ...", ", params: {words: 3}", "nothing uses the parameter 'words': neither the prompt nor the step has ${words}"),
        ("def g(prompt): ...", "", "python 'f.py:f': f.py defines no f; there are: g"),
    ],
)
def test_functions_are_called_as_they_are_written(tmp_path: Path, source: str, params: str, expected: str) -> None:
    """What a function takes is read, not tried."""
    _, faults = looked_at(tmp_path, f"pipeline:\n  - {{python: 'f.py:f', inputs: [], output_name: x{params}}}\n", f_py=source)

    assert [expected] == [fault.split(": ", 1)[1] for fault in faults]


def test_prompts_of_pipelines_with_parameters_are_templates(tmp_path: Path) -> None:
    """A parameter that nobody gives is told at its place in the prompt file."""
    text = "params: {lang: es}\npipeline:\n  - {module: translator, inputs: [], output_name: x}\n"
    path = project(tmp_path, text)
    write(tmp_path, {"system_prompts/translator.txt": "To\n ${lang}, $${lang}.\n"})
    pipeline = load_pipeline(path)
    write(tmp_path, {"system_prompts/translator.txt": "To\n ${langauge}.\n"})

    assert "\n\n --- TRANSLATOR ---\n\nTo es, ${lang}.\n" == pipeline.steps[0].work.system
    assert ["system_prompts/translator.txt:2:2: unknown parameter 'langauge': did you mean lang?"] == told(examine(path)[1], tmp_path)


def test_one_provider_for_every_model(tmp_path: Path) -> None:
    """With `--provider local` any name is a model's; so it is with provider: beside it, or in config.yml."""
    text = "pipeline:\n  - {module: enhancer, inputs: [], output_name: x, model_config: {model: llama}}\n"
    path = project(tmp_path, text)

    assert "llama" == load_pipeline(path, provider="local").steps[0].work.model_config.model
    write(tmp_path, {"config.yml": "default_provider: openai\n"})
    assert "openai" == load_pipeline(path).steps[0].work.model_config.provider


def test_providers_are_those_that_there_are() -> None:
    """The table of keys names each provider of the models' room."""

    assert tuple(providers) == PROVIDERS


def test_what_orchestrai_did_not_tell(tmp_path: Path) -> None:
    """Each row of its table of errors: told before any call is made, or no error any more."""
    chains = "  - {module: enhancer, inputs: [], output_name: a}\n  - {module: enhancer, inputs: [a], output_name: b}\n"
    two = "  - {module: enhancer, inputs: [], output_name: c}\n  - {module: enhancer, inputs: [c], output_name: d}\n"
    later = "pipeline:\n  - {module: enhancer, inputs: [b], output_name: a}\n  - {module: enhancer, inputs: [], output_name: b}\n"

    assert ("a", "b", "c", "d") == sound(tmp_path, f"pipeline:\n{chains}{two}").order, "independent chains"
    assert ("b", "a") == sound(tmp_path, later).order, "a result that comes later in the file"
    unknown = f"pipeline:\n{chains}{two.replace('enhancer, inputs: [c]', 'nobody, inputs: [e]')}"
    places = [fault.split(": ")[0] for fault in looked_at(tmp_path, unknown)[1]]
    assert ["pipeline.yml:5:14", "pipeline.yml:5:31"] == places, "an unknown module, and an unknown input: no other step runs in its place"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"pipeline:\n  - {module: \xe9, inputs: [], output_name: x}\n", "pipeline.yml:2:14: the byte 0xe9 is no UTF-8: save the file as UTF-8"),
        (b"\xef\xbb\xbfpipeline: 3\r\n", "pipeline.yml:1:11: pipeline takes a list of steps (- module: ...), not a number"),
        (b"pipeline:\r\n  - {module: \xc3\xa9, input: []}\r\n", "pipeline.yml:2:17: unknown key 'input' in a step: did you mean inputs?"),
        (b"pipeline: !%0Ax\n  - a\n", "pipeline.yml:1:11: the tag !\\nx is not taken here"),
        (b'"a\\e[2J": 1\n', "pipeline.yml:1:1: unknown key 'a\\x1b[2J' in a pipeline: there are: pipeline, params, seed"),
    ],
)
def test_bytes(tmp_path: Path, data: bytes, expected: str) -> None:
    """Encodings, line ends, and what would move a terminal's cursor."""
    assert expected in looked_at(tmp_path, data)[1]


@pytest.mark.parametrize(
    ("folder", "typed"),
    [(".", "pipelines/p.yml"), ("pipelines", "p.yml"), (".", "./pipelines/../pipelines/p.yml"), ("other", "../pipelines/p.yml")],
)
def test_files_around_are_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, typed: str) -> None:
    """Wherever a command is typed, the project is the folder above pipelines/; places are told from there."""
    write(tmp_path, {"pipelines/p.yml": "pipeline:\n  - {module: own, inputs: [], output_name: x}\n", "system_prompts/own.txt": ""})
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / folder)
    _, faults = examine(Path(typed))

    (fault,) = faults
    assert (tmp_path / "system_prompts/own.txt").samefile(tmp_path / folder / fault.place.path)


def test_a_message_is_not_without_end(tmp_path: Path) -> None:
    """A hundred faults are told, and how many more there are."""
    text = "pipeline:\n" + "".join(f"  - {{module: enhancer, inputs: [no{number}], output_name: n{number}}}\n" for number in range(150))
    with pytest.raises(PipelineFault) as caught:
        load_pipeline(project(tmp_path, text))

    lines = str(caught.value).splitlines()
    assert (150, 101, "and 50 more") == (len(caught.value.faults), len(lines), lines[-1])
