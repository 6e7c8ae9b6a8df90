"""What a model is sent is what OrchestrAI sent, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline.check import load_pipeline
from gvstore.pipeline.given import user_prompt
from gvstore.pipeline.prompt import compressed_tools, filled, messages, module_input, one_line, system_prompt, text_of
from gvstore.pipeline.template import Env, MissingVariable, Text
from tests.pipeline.writing import seed_pipelines, sound, write

names = st.text("abc_ ß", min_size=1, max_size=8)


def reference_input(names: list[str], data: dict[str, str], supplement: str) -> str:
    """The user's prompt, as it is specified."""
    module_input = "\n".join(name.upper() + ": " + data[name] for name in names)
    if supplement:
        module_input += "\n Supplementary Information: " + supplement
    return module_input


@given(st.dictionaries(names, st.text(), max_size=4), st.text())
def test_the_users_prompt(data: dict[str, str], supplement: str) -> None:
    """Names in capitals, one input a line, then the supplement."""

    assert reference_input(list(data), data, supplement) == module_input(data.items(), supplement)


@given(st.text(), st.text(), st.text())
def test_the_system_prompt(general: str, tools: str, module: str) -> None:
    """Line ends of the files are removed, those between the parts stay."""
    plain, plain_general = module.replace("\n", ""), general.replace("\n", "")

    assert f"{plain_general}\n\n --- TASK_PLANNER ---\n\n{plain}\n" == system_prompt(
        "task_planner", one_line(module), general=one_line(general)
    )
    assert f"{plain_general}\n\n{tools}\n\n\n --- X ---\n\n{plain}\n" == system_prompt(
        "x", one_line(module), general=one_line(general), tools=tools
    )


def test_the_tool_prompt_has_its_tags_at_the_end() -> None:
    """What models are to copy stays as it is."""

    assert 'Use one: and end.<@ {"a": 1} @><@ {"b":2} @>' == compressed_tools('Use one: \n<@ {"a": 1} @>\nand <@ {"b":\n2} @>end.')


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is\n", "as it is\n"),
        (["one", "two"], "one\n\ntwo"),
        (("one",), "one"),
        (None, "null"),
        ({"größe": 1}, '{"größe": 1}'),
        ([1, "x"], '[1, "x"]'),
        (3, "3"),
        ([], "[]"),
    ],
)
def test_results_in_a_prompt(value: object, text: str) -> None:
    """Texts stand as they are, several answers with a blank line between, data as JSON."""

    assert text == text_of(value)


def test_files_become_prompts(tmp_path: Path) -> None:
    """CR LF counts as a line end; a pipeline without parameters has its files untouched, `${x}` in them included."""
    text = "pipeline:\n  - {module: task_planner, inputs: [], output_name: plan}\n"
    pipeline = sound(tmp_path, text, general_system_txt=b"Be\r\nkind.\r\n")
    (tmp_path / "system_prompts/task_planner.txt").write_text("Plan ${this} $${x}\n\n now\n")
    again = load_pipeline(tmp_path / "pipeline.yml")

    assert "Bekind.\n\n --- TASK_PLANNER ---\n\nYou are a task_planner.Be brief.\n" == pipeline.steps[0].work.system
    assert "Bekind.\n\n --- TASK_PLANNER ---\n\nPlan ${this} $${x} now\n" == again.steps[0].work.system


@pytest.mark.parametrize("name", seed_pipelines())
def test_the_messages_of_orchestrai(tmp_path: Path, name: str) -> None:
    """Each step of its three pipelines is sent what a plain reading of the same files, as it is specified, gives."""
    modules = {each["module"]: None for each in yaml.safe_load(seed_pipelines()[name])["pipeline"] if each["module"] != "start_module"}
    prompts = {f"system_prompts/{module}.txt": f"You are {module}.\r\n  Think:\n\n- ${{x}} – \tof all\n" for module in modules}
    write(tmp_path, {**prompts, "general_system.txt": "Be kind.\n\nAlways.\n", "tools/tool_prompt.txt": 'Say <@ {"a":\n1} @> for\na.\n'})
    pipeline = sound(tmp_path, seed_pipelines()[name], config_yml="tools_enabled: true\n")

    def read(path: str) -> str:
        with (tmp_path / path).open() as file:
            return file.read().replace("\n", "")

    results: dict[str, str] = {}
    for operation in yaml.safe_load(seed_pipelines()[name])["pipeline"]:
        step = pipeline.by_name[operation["output_name"]]
        module = operation["module"]
        assert reference_input(operation["inputs"], results, operation.get("supplement", "")) == user_prompt(step, results)
        if module in modules:
            general = read("general_system.txt") + "\n\n" + 'Say  fora.<@ {"a":1} @>' + "\n"
            assert general + f"\n\n --- {module.upper()} ---\n\n" + read(f"system_prompts/{module}.txt") + "\n" == step.work.system
        results[step.name] = f"{step.name}: ${{env:HOME}}\n"


def test_secrets_are_filled_in_last() -> None:
    """A prompt with a variable shows its name, and takes its value from the environment that the call is made with."""
    prompt = module_input([("request", "${env:KEY} is not looked at")], Text(("key ", Env("KEY"))))

    assert "REQUEST: ${env:KEY} is not looked at\n Supplementary Information: key ${env:KEY}" == str(prompt)
    assert "REQUEST: ${env:KEY} is not looked at\n Supplementary Information: key ${x}" == filled(prompt, {"KEY": "${x}"})
    with pytest.raises(MissingVariable, match=r"\$\{env:KEY\}: the environment has no variable KEY"):
        filled(prompt, {})
    assert [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}] == messages("s", "u")
