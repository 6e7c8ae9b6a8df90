"""Python functions as modules and as tools."""

from __future__ import annotations

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer
from tests.pipeline.writing import write

MODULES = """\
from gvstore.pipeline import AI, log_action

def shorten(prompt, model_config=None, words=2):
    answer = AI("shortener", model_config).generate_response(prompt)["response_text"]
    log_action({"module": "shorten", "input": prompt, "output": answer})
    return " ".join(answer.split()[:words])
"""
PIPELINE = """\
pipeline:
- {module: start_module, inputs: [], output_name: request}
- {module: shorten, inputs: [request], output_name: short, model_config: {model: gpt-4, temperature: 0}, params: {words: 3}}
"""


def made(gv: CommandLine) -> None:
    write(gv.folder, {"modules.py": MODULES, "p.yml": PIPELINE, "system_prompts/shortener.txt": "You shorten.\n"})
    gv("init")
    gv("run", "p.yml", "--input", "request=one")


def test_a_function_asks_as_its_step_says(gv: CommandLine, chat: ChatServer) -> None:
    """`AI` has the prompt file of its module, and the step's model_config; params of the step are arguments."""
    made(gv)
    (asked,) = chat.asked

    assert ("gpt-4", 0, "shortener") == (asked.body["model"], asked.body["temperature"], asked.module)
    assert "REQUEST: one" == asked.user
    assert "shortener of REQUEST:" == gv("get", "run/1:/output").out.strip()


def test_an_edited_function_runs_and_its_model_answers_from_the_record(gv: CommandLine, chat: ChatServer) -> None:
    """The function's code counts for the step; what it asks is asked the same."""
    made(gv)
    write(gv.folder, {"modules.py": MODULES.replace("[:words]", "[: words - 1]")})
    plan = gv("replay", "--plan", "--json").json
    gv("replay")

    assert ["modules.shorten changed"] == plan["stale"]
    assert "shortener of" == gv("get", "run/2:/output").out.strip()
    assert 1 == len(chat.asked)


def test_the_prompt_file_that_ai_reads_counts(gv: CommandLine, chat: ChatServer) -> None:
    """It is a file that the function depends on."""
    made(gv)
    write(gv.folder, {"system_prompts/shortener.txt": "You shorten well.\n"})
    gv("replay")

    assert 2 == len(chat.asked)


def test_a_function_that_raises_fails_the_run(gv: CommandLine, chat: ChatServer) -> None:
    """Status 20, with its traceback."""
    write(gv.folder, {"modules.py": "def shorten(prompt, words):\n    raise ValueError('no')\n", "p.yml": PIPELINE})
    gv("init")
    done = gv("run", "p.yml", "--input", "request=one", status=20)

    assert "ValueError: no" in done.err
    assert "modules.py" in done.err


PLAIN = """\
from gvstore.pipeline import AI
import helper

def words(prompt):
    return len(prompt.split())

def asks(prompt):
    return AI("shortener").generate_response(prompt)["response_text"]

def asks_by_another(prompt):
    return helper.ask(prompt)
"""


def test_a_function_that_asks_no_model_does_not_depend_on_how_models_are_asked(gv: CommandLine, chat: ChatServer) -> None:
    """Another model, another provider; what asks one without having a parameter `model_config` runs."""
    steps = "".join(f"- {{module: {name}, inputs: [], supplement: one two, output_name: {name}}}\n" for name in ("words", "asks", "asks_by_another"))
    helper = "from gvstore.pipeline import AI\n\ndef ask(prompt):\n    return AI('shortener').generate_response(prompt)['response_text']\n"
    write(gv.folder, {"modules.py": PLAIN, "helper.py": helper, "p.yml": f"pipeline:\n{steps}", "system_prompts/shortener.txt": "You shorten.\n"})
    write(gv.folder, {"config.yml": "default_model: gpt-4\n"})
    gv("init")
    gv("run", "p.yml")
    for words in ("--set", "default_temperature=0.3"), ("--provider", "command:cat"):
        told = gv("run", "p.yml", *words).err
        assert ["reused", "ran", "ran"] == [line.split()[1] for line in told.splitlines()[:3]], told
