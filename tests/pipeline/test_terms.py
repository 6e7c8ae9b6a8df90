"""What a step's result depends on is told completely, as plain data, and holds no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gvstore.pipeline.check import load_pipeline
from gvstore.pipeline.terms import terms
from tests.pipeline.writing import START, project, sound, write

TEXT = f"""
params: {{lang: Spanish, key: "${{env:KEY}}"}}
pipeline:
{START}
  - module: translator
    inputs: [request]
    output_name: t
    model_config: {{model: gpt-4, temperature: 0.2, headers: {{Token: "${{key}}"}}}}
    supplement: to ${{lang}}, ${{key}}
    seed: 3
    n: 2
    tools: [tools.py:search]
    timeout: 3
    on_error: {{fallback: {{module: enhancer}}}}
  - {{pipeline: inner.yml, inputs: [t], output_name: u}}
"""
FILES = {"tools.py": "def search(q): ...\n", "inner.yml": f"pipeline:\n{START}  - {{module: enhancer, inputs: [request], output_name: e}}\n"}


def test_terms(tmp_path: Path) -> None:
    """Everything that is sent or chosen, and not how often it is tried."""
    write(tmp_path, dict(FILES))
    first, second, third = map(terms, sound(tmp_path, TEXT).steps)

    assert {"does": "builtin", "module": "start_module"} == first
    assert {
        "does": "prompt",
        "module": "translator",
        "system": "\n\n --- TRANSLATOR ---\n\nYou are a translator.Be brief.\n",
        "model_config": {"model": "gpt-4", "temperature": 0.2, "headers": {"Token": "${env:KEY}"}},
        "supplement": "to Spanish, ${env:KEY}",
        "inputs": ["request"],
        "n": 2,
        "seed": 3,
        "tools": ["tools.py:search"],
        "rounds": 8,
    } == {name: value for name, value in second.items() if name != "fallback"}
    assert ("enhancer", "to Spanish, ${env:KEY}") == (second["fallback"]["module"], second["fallback"]["supplement"])
    assert ["request", "e"] == list(third["pipeline"])
    assert [first, second, third] == json.loads(json.dumps([first, second, third]))


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("temperature: 0.2", "temperature: 0.3", {"t"}),
        ("to ${lang}", "in ${lang}", {"t"}),
        ("lang: Spanish", "lang: French", {"t"}),
        ("seed: 3", "seed: 4", {"t"}),
        ("timeout: 3", "timeout: 4", set()),
        ("inputs: [t]", "inputs: [request]", {"u"}),
        ("env:KEY", "env:OTHER", {"t"}),
    ],
)
def test_an_edit_changes_the_terms_of_its_step(tmp_path: Path, old: str, new: str, changed: set[str]) -> None:
    """And of no other."""
    write(tmp_path, dict(FILES))
    before = {step.name: terms(step) for step in sound(tmp_path, TEXT).steps}
    after = {step.name: terms(step) for step in sound(tmp_path, TEXT.replace(old, new)).steps}

    assert changed == {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "changed"), [("system_prompts/enhancer.txt", {"t", "u"}), ("general_system.txt", {"t", "u"}), ("config.yml", {"t", "u"})]
)
def test_an_edit_of_a_file_around(tmp_path: Path, file: str, changed: set[str]) -> None:
    """A prompt changes the steps that are sent it, also as a fallback or in a pipeline.

    config.yml changes those that ask a model and leave something open, and not those that ask a person.
    """
    write(tmp_path, dict(FILES))
    path = project(tmp_path, TEXT)
    before = load_pipeline(path)
    write(tmp_path, {file: "default_top_p: 0.5\n" if file == "config.yml" else "Other.\n"})
    after = load_pipeline(path)

    assert changed == {step.name for step in before.steps if terms(step) != terms(after.by_name[step.name])}
    assert tmp_path / file in after.files
    assert {tmp_path / "pipeline.yml", tmp_path / "inner.yml", tmp_path / "tools.py", tmp_path / "system_prompts/translator.txt"} <= set(after.files)
