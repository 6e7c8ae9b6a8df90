"""OrchestrAI's own pipelines, run unchanged: what each model is sent, to the byte."""

from __future__ import annotations

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer
from tests.pipeline.writing import PROMPTS, seed_pipelines, write


def system(module: str) -> str:
    return f"Be kind.Be clear.\n\n --- {module.upper()} ---\n\nYou are a {module}.Be brief.\n"


def test_the_task_pipeline_is_sent_what_orchestrai_sends(task: CommandLine, chat: ChatServer) -> None:
    """System prompts lose their line ends; inputs stand by their names, in capitals."""
    task.write("general_system.txt", "Be kind.\nBe clear.\n")
    chat.answer = lambda question: f"<{question.module}>"
    task("run", "task.yml", "--input", "request=a\ngarden")
    plan, scrutinized, enhanced = "<task_planner>", "<scrutinizer>", "<enhancer>"

    assert [
        (system("task_planner"), "REQUEST: a\ngarden"),
        (system("scrutinizer"), f"REQUEST: a\ngarden\nTASK_PLAN: {plan}"),
        (system("enhancer"), f"REQUEST: a\ngarden\nSCRUTINIZED_TASK_PLAN: {scrutinized}\nTASK_PLAN: {plan}"),
        (system("markdown_converter"), f"ENHANCED_TASK_PLAN: {enhanced}"),
    ] == [tuple(each["content"] for each in question.body["messages"]) for question in chat.asked]


def test_the_translation_pipeline_has_a_supplement(gv: CommandLine, chat: ChatServer) -> None:
    """It stands behind the inputs; the pipeline that config.yml names is the folder's."""
    write(gv.folder, {f"system_prompts/{name}.txt": f"You are a {name}.\nBe brief.\n" for name in PROMPTS})
    write(gv.folder, {"pipelines/translation.yml": seed_pipelines()["translation"], "config.yml": "pipeline: translation\n"})
    gv("init")
    gv("pipeline", "run", "--input", "request=hello")
    (asked,) = chat.asked

    assert "REQUEST: hello\n Supplementary Information: Spanish" == asked.user
    assert ("gpt-3.5-turbo", 0.2) == (asked.body["model"], asked.body["temperature"])
    assert "pipelines.translation" == gv("show", "run/1", "--json").json["calls"][0]["component"]
