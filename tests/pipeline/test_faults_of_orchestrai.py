"""What OrchestrAI gets wrong, row by row of what is known of it: told at its place before any call is made, or no fault any more."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Status
from tests.pipeline.writing import START, write

A = "  - {module: a, inputs: [request], output_name: x}\n"
B = "  - {module: b, inputs: [x], output_name: y}\n"
MODULES = ("a", "b", "engineer", "debugger", "modify_codebase", "create_readme")
Sound = Callable[[CommandLine, ChatServer], None]


@pytest.fixture
def work(gv: CommandLine, chat: ChatServer) -> CommandLine:
    """The command line in a repository with prompts, one run in the record, and a file that was generated."""
    write(gv.folder, {f"system_prompts/{name}.txt": f"You are {name}." for name in MODULES})
    write(gv.folder, {"config.yml": "default_model: gpt-4\n", "p.yml": f"pipeline:\n{START}"})
    write(gv.folder, {"generated_outputs/code/kept.txt": "kept\n"})
    gv("init")
    gv("run", "p.yml", "--input", "request=before")
    return gv


def run(work: CommandLine, steps: str, *words: str, status: int = 0) -> str:
    """Runs START and these steps; returns what was told."""
    work.write("p.yml", f"pipeline:\n{START}{steps}")
    return work("run", "p.yml", "--input", "request=hi", *words, status=status).err


def output(work: CommandLine) -> str:
    return work("get", "RUN:/output").out.rstrip("\n")


def generated(work: CommandLine) -> dict[str, str]:
    root = work.folder / "generated_outputs/code"
    return {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def attempts(work: CommandLine, most: int) -> None:
    """Has a model asked so often, without a wait, before it has failed."""
    with (work.folder / ".gv/config.toml").open("a") as config:
        config.write(f"\n[models.retry]\nattempts = {most}\nfirst_s = 0.0\n")


def block(path: str, text: str) -> str:
    return f"{path}\n```python\n{text}\n```\n"


START_ = f"pipeline:\n{START}"  # the first two lines
REFUSED = {
    "no pipeline: KeyError 'pipeline'": ("steps: []\n", "p.yml:1:1: unknown key 'steps' in a pipeline"),
    "other keys at the top are ignored": (f"{START_}{A}pipline_name: x\n", "p.yml:4:1: unknown key 'pipline_name' in a pipeline"),
    "inputs missing: error text 'inputs'": (f"{START_}  - {{module: a, output_name: x}}\n", "p.yml:3:5: a step needs inputs"),
    "module missing: KeyError 'module'": (f"{START_}  - {{inputs: [], output_name: x}}\n", "p.yml:3:5: a step needs module"),
    "output_name missing: error text 'output_name'": (f"{START_}  - {{module: a, inputs: []}}\n", "p.yml:3:5: a step needs output_name"),
    "a mistyped key is ignored": (
        f"{START_}  - {{module: a, input: [request], output_name: x}}\n", "p.yml:3:17: unknown key 'input' in a step: did you mean inputs?",
    ),
    "a mistyped key of model_config is ignored": (
        f"{START_}{A.replace('x}', 'x, model_config: {temprature: 0}}')}", "p.yml:3:67: unknown key 'temprature' in a model_config: did you mean temperature?",
    ),
    "an output_name twice: the second is dropped silently": (
        f"{START_}{A}{A.replace('module: a', 'module: b')}", "p.yml:4:49: the output_name 'x' stands twice: first at line 3",
    ),
    "a cycle: a red message": (
        f"pipeline:\n  - {{module: a, inputs: [y], output_name: x}}\n{B}", "p.yml:2:26: a cycle: y -> x -> y",
    ),
    "an empty list: NetworkXPointlessConcept": ("pipeline: []\n", "p.yml:1:11: pipeline takes a list of steps"),
    "an unknown input: list index out of range": (
        f"{START_}{A.replace('[request]', '[requst]')}", "p.yml:3:26: unknown input 'requst': no step has this output_name; did you mean request?",
    ),
    "an unknown module, first operation: UnboundLocalError": (
        f"pipeline:\n{START.replace('start_module', 'start_modul')}{A}", "p.yml:2:14: unknown module 'start_modul': did you mean start_module?",
    ),
    "an unknown module, later operation: the previous one runs again": (
        f"{START_}{A.replace('module: a', 'module: create_redme')}", "p.yml:3:14: unknown module 'create_redme': did you mean create_readme?",
    ),
    "inputs is no list": (f"{START_}{A.replace('[request]', 'request')}", "p.yml:3:25: inputs takes a list, not text: 'request': write [request]"),
    "no YAML": ("pipeline:\n\t- a\n", "p.yml:2:1: "),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_told_before_any_call(case: str, work: CommandLine, chat: ChatServer) -> None:
    """`gv run`, `check` and `plan` say the same, with file, line and column, status 2; nobody is asked, and nothing is recorded or lost."""
    text, told = REFUSED[case]
    work.write("p.yml", text)
    runs = work("runs", "--json").out
    for words in (("run", "p.yml", "--input", "request=hi"), ("pipeline", "check", "p.yml"), ("pipeline", "plan", "p.yml")):
        assert told in work(*words, status=2).err, words

    assert [] == chat.asked
    assert runs == work("runs", "--json").out
    assert {"kept.txt": "kept\n"} == generated(work)


CONFIG = {
    "the pipeline that config.yml names is not there": ("pipeline: nothing\n", "config.yml:1:11: unknown pipeline 'nothing'"),
    "default_model of nobody": ("default_model: llama\n", "config.yml:1:16: unknown model 'llama'"),
    "a key is mistyped": ("default_temprature: 1\n", "config.yml:1:1: unknown key 'default_temprature' in config.yml: did you mean default_temperature?"),
    "tools_enabled without tools/tool_prompt.txt": ("tools_enabled: true\n", "tools/tool_prompt.txt:1:1: config.yml says tools_enabled"),
    "the code's folder leads out": ("working_codebase_dirname: ../..\n", "config.yml:1:27: working_codebase_dirname"),
}


@pytest.mark.parametrize("case", CONFIG)
def test_config_is_looked_at_before_any_call(case: str, work: CommandLine, chat: ChatServer) -> None:
    """A fault of config.yml has its place too."""
    text, told = CONFIG[case]
    write(work.folder, {"config.yml": text, "pipelines/q.yml": f"{START_}{A}"})
    for words in (("pipeline", "run", "--input", "request=hi"), ("pipeline", "check")):
        assert told in work(*words, status=2).err

    assert [] == chat.asked


REFUSING = {
    "LLM call fails, 429: the pipeline goes on with empty input": (Status(429, {"error": {"message": "slow down"}}), "slow down", 2),
    "LLM call fails, auth: the pipeline goes on with empty input": (Status(401, {"error": {"message": "no such key"}}), "no such key", 1),
    "LLM call fails, nonsense: the pipeline goes on with empty input": (Status(200, {"hm": 1}), "", 2),
}


@pytest.mark.parametrize("case", REFUSING)
def test_a_model_that_fails_fails_the_run(case: str, work: CommandLine, chat: ChatServer) -> None:
    """Status 20; no step after it is asked, what was done stays, and a replay goes on there."""
    status, told, most = REFUSING[case]
    attempts(work, 2)
    chat.answer = lambda question: "first" if question.module == "a" else status
    done = run(work, A + B + B.replace("[x], output_name: y", "[y], output_name: z"), status=20)
    assert told in done
    assert {"a", "b"} == set(chat.modules) and len(chat.asked) <= 1 + most
    assert "first" in work("show", "RUN").out
    chat.asked.clear()
    chat.answer = lambda question: "then"
    work("replay")

    assert ["b", "b"] == chat.modules
    assert "then" == output(work)


def test_an_endpoint_that_is_not_there_fails_the_run(work: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """LLM call fails, network: the pipeline goes on with empty input."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    attempts(work, 1)
    told = run(work, A + B, status=20)

    assert f"127.0.0.1:{port}" in told
    assert "y" not in [line.split()[0] for line in told.splitlines() if line]


def an_exception_fails_the_run(work: CommandLine, chat: ChatServer) -> None:
    work.write("modules.py", "def own(prompt):\n    return 1 / 0\n")
    told = run(work, A + B.replace("module: b", "module: own"), status=20)
    assert "ZeroDivisionError" in told and "modules.py" in told
    assert "a of REQUEST: hi" in work("show", "RUN").out


def each_module_has_its_model(work: CommandLine, chat: ChatServer) -> None:
    run(work, A.replace("x}", "x, model_config: {model: gpt-1, temperature: 0.1}}") + B.replace("y}", "y, model_config: {model: gpt-2, temperature: 0.9}}"))
    assert [("gpt-1", 0.1), ("gpt-2", 0.9)] == [(each.body["model"], each.body["temperature"]) for each in chat.asked]


def chains_may_be_independent(work: CommandLine, chat: ChatServer) -> None:
    run(work, "  - {module: a, inputs: [], output_name: x}\n" + B)
    assert ["a", "b"] == chat.modules


def branches_run_at_once(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: question.module
    run(work, A + A.replace("module: a", "module: b").replace("x}", "y}"), "-j", "2")
    assert {"a", "b"} == set(chat.modules)
    assert "b" == output(work)


def results_are_kept(work: CommandLine, chat: ChatServer) -> None:
    run(work, A + B)
    run(work, A + B)
    work("replay")
    assert ["a", "b"] == chat.modules
    assert "b of X: a of REQUEST: hi" == output(work)


def create_readme_gives_text(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: "# Read\n" if question.module == "create_readme" else f"<{question.user}>"
    run(work, A.replace("module: a", "module: create_readme") + B)
    assert "<X: # Read\n>" == chat.answer(chat.asked[1])
    assert "# Read\n" == generated(work)["README.md"]


def what_is_skipped_is_left_out(work: CommandLine, chat: ChatServer) -> None:
    run(work, A.replace("x}", "x, when: request == 'no'}") + B.replace("[x]", "[request, x]"))
    assert ["REQUEST: hi"] == [each.user for each in chat.asked]


def there_are_all_the_options(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: Status(400, {"error": {"message": "no"}}) if len(chat.asked) == 1 else question.module
    steps = A.replace("x}", "x, retry: {max: 2, backoff: 0}, timeout: 60, foreach: [1, 2], supplement: '${item}'}")
    run(work, steps)
    assert ["1", "1", "2"] == [each.user[-1] for each in chat.asked]
    assert "reuse" in work("pipeline", "plan", "p.yml", "--input", "request=hi").out
    assert 3 == len(chat.asked)


def every_key_of_config_may_be_left_out(work: CommandLine, chat: ChatServer) -> None:
    (work.folder / "config.yml").unlink()
    run(work, A.replace("x}", "x, model_config: {model: gpt-4}}"))
    assert ["gpt-4"] == [each.body["model"] for each in chat.asked]


def no_key_stands_in_a_file(work: CommandLine, chat: ChatServer) -> None:
    work.write("config.yml", "openai_api_key: sk-of-the-test-4711\ndefault_model: gpt-4\n")
    told = run(work, A)
    assert "config.yml:1:1: openai_api_key is not read: set OPENAI_API_KEY" in told
    assert "sk-of-the-test-4711" not in told + json.dumps([each.headers for each in chat.asked])


def a_log_names_model_and_settings(work: CommandLine, chat: ChatServer) -> None:
    run(work, A)
    run(work, A.replace("x}", "x, model_config: {model: gpt-1}}"))
    first, second = (json.loads(work("pipeline", "export", each).out)["actions"] for each in ("RUN~1", "RUN"))
    assert ("openai:gpt-4", "openai:gpt-1") == (first[1]["output"]["model"], second[1]["output"]["model"])
    assert first[1]["output"]["status_message"] is None


def questions_are_answered_from_the_command_line(work: CommandLine, chat: ChatServer) -> None:
    steps = "  - {module: human_intervention, inputs: [request], output_name: said}\n" + A.replace("[request]", "[request, said]")
    run(work, steps, status=21)
    assert [] == chat.asked
    work("answer", "RUN", "well")
    assert ["REQUEST: hi\nSAID: REQUEST: hiwell"] == [each.user for each in chat.asked]  # as OrchestrAI: what it is given, then what is said


ENGINEER = "  - {module: engineer, inputs: [request], output_name: code}\n"
DEBUGGER = "  - {module: debugger, inputs: [code], output_name: working, params: {attempts: 2, seconds: 20}}\n"


def a_path_stays_in_the_folder(path: str) -> Sound:
    def refused(work: CommandLine, chat: ChatServer) -> None:
        chat.answer = lambda question: block("main.py", "print(1)") + block(path, "x = 1")
        assert "refused to write" in run(work, ENGINEER, status=13)
        assert {"kept.txt": "kept\n"} == generated(work)
        assert not Path("/tmp/abs-of-the-test.txt").exists()
        assert ["engineer"] == chat.modules and "engineer" in work("show", "RUN").out

    return refused


def a_word_before_a_block_is_no_path(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("main.py", "print(1)") + "\nYou start it here\n```\npython main.py\n```\n"
    run(work, ENGINEER)
    assert ["kept.txt", "main.py"] == sorted(generated(work))


def a_path_has_no_marks_around_it(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("The file `a/b.py`:", "x = 1")
    run(work, ENGINEER)
    assert ["a/b.py", "kept.txt"] == sorted(generated(work))


def a_codebase_keeps_its_indentation(work: CommandLine, chat: ChatServer) -> None:
    program = "if True:\n    for n in range(2):\n        print(n)"
    chat.answer = lambda question: block("main.py", program) if question.module == "engineer" else question.user
    run(work, ENGINEER + B.replace("[x]", "[code]"))
    assert program in chat.asked[1].user


def a_mended_program_is_run_anew(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("main.py", "1 / 0" if question.module == "engineer" else "print('well')")
    run(work, ENGINEER + DEBUGGER)
    assert ["engineer", "debugger"] == chat.modules
    assert "ZeroDivisionError" in chat.asked[1].user
    assert "print('well')" in output(work)


def what_cannot_be_mended_ends_after_its_attempts(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("main.py", f"raise SystemExit({len(chat.asked)})")
    run(work, ENGINEER + DEBUGGER)
    assert ["engineer", "debugger", "debugger"] == chat.modules


def a_program_reads_nothing(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("main.py", "import sys\nprint(sys.stdin.read() + 'end')")
    run(work, ENGINEER + DEBUGGER)
    assert ["engineer"] == chat.modules


def nothing_is_installed_unasked(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("requirements.txt", "nothing-of-this-name") + block("main.py", "import nothing_of_this_name")
    run(work, ENGINEER + DEBUGGER.replace("attempts: 2", "attempts: 1"))
    assert "requirements.txt is not installed" in chat.asked[1].user
    assert not (work.folder / "generated_outputs/code.environment").exists()


def a_change_is_debugged_by_the_steps_model(work: CommandLine, chat: ChatServer) -> None:
    chat.answer = lambda question: block("main.py", "1 / 0" if question.module == "modify_codebase" else "print(2)")
    change = "  - {module: modify_codebase, inputs: [code], output_name: changed, model_config: {model: gpt-7}, params: {seconds: 20}}\n"
    run(work, ENGINEER + change, "--input", "changed=y", "--input", "changed=Two", "--input", "changed=n")
    assert [("engineer", "gpt-4"), ("modify_codebase", "gpt-7"), ("debugger", "gpt-7")] == [(each.module, each.body["model"]) for each in chat.asked]
    assert chat.asked[1].user.endswith("\n -- User Instructions --Two")
    assert "print(2)" in generated(work)["main.py"]


def a_tool_in_orchestrais_form_is_called(work: CommandLine, chat: ChatServer) -> None:
    told = '<@ {"tool_name": "GENERATE_IMAGE", "filename": "a.svg", "prompt": "a garden"} @>'
    write(work.folder, {"config.yml": "default_model: gpt-4\ntools_enabled: true\n", "tools/tool_prompt.txt": f"Say:\n{told}\n"})
    work.write("tools.py", "def GENERATE_IMAGE(filename: str, prompt: str) -> str:\n    return f'{prompt} is in {filename}'\n")
    chat.answer = lambda question: f"One moment. {told}" if len(chat.asked) == 1 else question.user
    run(work, A.replace("x}", "x, tools: [tools.py:GENERATE_IMAGE]}"))
    assert told in chat.asked[0].body["messages"][0]["content"]
    assert "a garden is in a.svg" in output(work)
    assert "tools.GENERATE_IMAGE" in [each["component"] for each in work("show", "RUN", "--json").json["calls"]]


def a_function_of_modules_py_takes_what_it_takes(work: CommandLine, chat: ChatServer) -> None:
    work.write("modules.py", "def own(prompt):\n    return prompt.lower()\n\ndef other(prompt, model_config=None):\n    return prompt + model_config['model']\n")
    run(work, A.replace("module: a", "module: own") + B.replace("module: b", "module: other"))
    assert "X: request: higpt-4" == output(work)
    assert [] == chat.asked


MENDED: dict[str, Sound] = {
    "any other exception: exit code 0": an_exception_fails_the_run,
    "model_config of the last operation counts for all": each_module_has_its_model,
    "not weakly connected: exit 1": chains_may_be_independent,
    "strictly sequential": branches_run_at_once,
    "results only in RAM": results_are_kept,
    "create_readme in the middle returns a dict": create_readme_gives_text,
    "a missing input is an empty string": what_is_skipped_is_left_out,
    "no retry, timeout, loops, dry run": there_are_all_the_options,
    "no inputs except stdin": questions_are_answered_from_the_command_line,
    "config.yml: a missing key is a KeyError": every_key_of_config_may_be_left_out,
    "the API key stands in a file": no_key_stands_in_a_file,
    "the log has no model, and [null]": a_log_names_model_and_settings,
    "../../../../etc/evil.py is accepted": a_path_stays_in_the_folder("../../../../etc/evil.py"),
    "/tmp/abs.txt is accepted": a_path_stays_in_the_folder("/tmp/abs-of-the-test.txt"),
    "a fence without a name takes the word before it": a_word_before_a_block_is_no_path,
    "`a/b.py`: keeps its marks": a_path_has_no_marks_around_it,
    "compress_codebase destroys indentation": a_codebase_keeps_its_indentation,
    "debugger: a stale exit code is looked at again": a_mended_program_is_run_anew,
    "debugger: a menu when attempts are over": what_cannot_be_mended_ends_after_its_attempts,
    "debugger: stdin is attached": a_program_reads_nothing,
    "debugger: pip3 install unasked": nothing_is_installed_unasked,
    "modify_codebase: its debugger has no model_config": a_change_is_debugged_by_the_steps_model,
    "tools: one, of an API that is gone": a_tool_in_orchestrais_form_is_called,
    "custom modules: prompt, or prompt and model_config": a_function_of_modules_py_takes_what_it_takes,
}


@pytest.mark.parametrize("case", MENDED)
def test_mended(case: str, work: CommandLine, chat: ChatServer) -> None:
    """What OrchestrAI does wrong at run time is right here, and what was there before is there after."""
    MENDED[case](work, chat)

    assert "kept\n" == generated(work)["kept.txt"]
    assert "before" == work("get", "run/1:/output").out.strip()
