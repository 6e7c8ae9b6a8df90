"""Steps that fail: tried again, passed over, replaced; what may be done at once and what waits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question, Status
from tests.pipeline.writing import START, write
from tests.transcript import ROOT

FAULT = Status(400, {"error": {"message": "no"}})


def made(gv: CommandLine, steps: str, **files: str) -> None:
    """A pipeline with a request and these steps, and prompts a, b, c."""
    write(gv.folder, {f"system_prompts/{name}.txt": f"{name}\n" for name in "abc"})
    write(gv.folder, {"p.yml": f"pipeline:\n{START}{steps}", "config.yml": "default_model: gpt-4\n", **files})
    gv("init")


def run(gv: CommandLine, *words: str, status: int = 0) -> str:
    return gv("run", "p.yml", "--input", "request=x", *words, status=status).err


def test_a_step_is_tried_again_and_every_attempt_is_a_call(gv: CommandLine, chat: ChatServer) -> None:
    """`retry`: the attempts are calls of the step; a replay answers those that failed too."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, retry: {max: 3, backoff: 0}}\n")
    chat.answer = lambda question: FAULT if len(chat.asked) < 3 else "well"
    run(gv)
    calls = [each for each in gv("show", "run/1", "--json").json["calls"] if each["component"] == "p.out"]

    assert ["raised", "raised", "ok"] == [each["status"] for each in calls]
    assert "nothing to do" in gv("replay").out
    assert "request  ran" in run(gv)
    assert 3 == len(chat.asked)


RETRIED = """\
  - {module: a, inputs: [request], output_name: m, retry: {max: 2, backoff: 0, on: [model]}}
  - {module: b, inputs: [request], output_name: s, retry: {max: 2, backoff: 0, on: [schema]}, schema: {type: object, required: [n]}}
  - {module: slow, inputs: [request], output_name: t, retry: {max: 2, backoff: 0, on: [timeout]}, timeout: 1}
  - {module: wrong, inputs: [request], output_name: e, retry: {max: 2, backoff: 0, on: [error]}}
"""
FLAKY = """\
import os, time

def slow(prompt):
    if not os.path.exists("slow"):
        os.mkdir("slow")
        time.sleep(60)
    return prompt

def wrong(prompt):
    if not os.path.exists("wrong"):
        os.mkdir("wrong")
        raise ValueError("no")
    return prompt
"""


def test_a_step_that_worked_at_the_second_attempt_is_answered_whatever_failed_first(gv: CommandLine, chat: ChatServer) -> None:
    """A model, a schema, a timeout, any other error; in new processes, which have not loaded the failures' classes; also without `retry`."""
    made(gv, RETRIED, **{"modules.py": FLAKY})
    chat.answer = lambda question: FAULT if len(chat.asked) == 1 else "{}" if len(chat.asked) == 3 else '{"n": 1}'
    run(gv)
    assert 4 == len(chat.asked)

    again = gv_process(gv, "run", "p.yml", "--input", "request=x")
    assert all(f"{name}        reused" in again for name in "mste"), again
    gv_process(gv, "replay", "run/1")
    gv.write("p.yml", re.sub(r", retry: {.*?}", "", (gv.folder / "p.yml").read_text()))
    gv_process(gv, "run", "p.yml", "--input", "request=x")
    assert 4 == len(chat.asked)


def gv_process(gv: CommandLine, *words: str) -> str:
    """What `gv WORDS` says on standard error, run by a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "gvstore", *words], cwd=gv.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert 0 == done.returncode, done.stderr
    return done.stderr


def test_a_step_that_asked_a_model_ran(gv: CommandLine, chat: ChatServer) -> None:
    """Its fallback may have been answered: the model that failed is asked again each time, and the line says so."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, on_error: {fallback: {module: b}}}\n")
    chat.answer = lambda question: FAULT if question.module == "a" else question.module
    run(gv)

    assert "out      ran" in run(gv)
    assert ["a", "b", "a"] == chat.modules


def test_only_what_on_names_is_tried_again(gv: CommandLine, chat: ChatServer) -> None:
    """`on: [timeout]`: a model that refuses is not asked again."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, retry: {max: 3, backoff: 0, on: [timeout]}}\n")
    chat.answer = lambda question: FAULT
    run(gv, status=20)

    assert 1 == len(chat.asked)


def test_a_step_that_may_fail_is_skipped(gv: CommandLine, chat: ChatServer) -> None:
    """`on_error: skip`: those who are given its result do without."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, on_error: skip}\n  - {module: b, inputs: [request, out], output_name: end}\n")
    chat.answer = lambda question: FAULT if question.module == "a" else question.module
    told = run(gv)

    assert "out      skipped" in told
    assert "REQUEST: x" == chat.asked[-1].user


def test_a_fallback_answers_instead(gv: CommandLine, chat: ChatServer) -> None:
    """`on_error: {fallback: ...}`: another module, with its own prompt."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, on_error: {fallback: {module: b}}}\n")
    chat.answer = lambda question: FAULT if question.module == "a" else question.module
    run(gv)

    assert "b" == gv("get", "run/1:/output").out.strip()


def test_a_step_that_takes_too_long_has_failed(gv: CommandLine, chat: ChatServer) -> None:
    """`timeout`: of Python functions too."""
    made(
        gv, "  - {module: slow, inputs: [request], output_name: out, timeout: 0.05}\n",
        **{"modules.py": "import time\n\ndef slow(prompt):\n    time.sleep(5)\n    return prompt\n"},
    )  # fmt: skip

    assert "out took longer than 0.05 s" in run(gv, status=20)


def test_a_question_does_not_hold_up_what_does_not_wait_for_it(gv: CommandLine, chat: ChatServer) -> None:
    """All that can be done is done; all questions are open at once."""
    made(gv, "  - {module: human_intervention, inputs: [], output_name: other}\n  - {module: a, inputs: [request], output_name: out}\n")
    gv("run", "p.yml", "--input", "request=x", status=21)

    assert ["a"] == chat.modules
    gv("answer", "run/1", "y")


def test_without_keep_going_nothing_begins_after_a_failure(gv: CommandLine, chat: ChatServer) -> None:
    """With it, all runs that does not depend on what failed; the run has failed all the same."""
    made(gv, "".join(f"  - {{module: {name}, inputs: [request], output_name: {name}}}\n" for name in "abc"))
    chat.answer = lambda question: FAULT if question.module == "a" else question.module
    run(gv, status=20)
    assert ["a"] == chat.modules

    run(gv, "--keep-going", status=20)
    assert ["a", "a", "b", "c"] == chat.modules


def test_cache_false_runs_each_time(gv: CommandLine, chat: ChatServer) -> None:
    """Whatever the record says; what depends on it runs if it answers otherwise."""
    made(gv, "  - {module: a, inputs: [request], output_name: out, cache: false}\n  - {module: b, inputs: [out], output_name: end}\n")
    chat.answer = lambda question: question.module
    run(gv)
    run(gv)
    gv("replay")

    assert ["a", "b", "a", "a"] == chat.modules


def test_forced_steps_run(gv: CommandLine, chat: ChatServer) -> None:
    """`--force`."""
    made(gv, "  - {module: a, inputs: [request], output_name: out}\n  - {module: b, inputs: [out], output_name: end}\n")
    chat.answer = lambda question: question.module
    run(gv)
    run(gv, "--force", "out")

    assert ["a", "b", "a"] == chat.modules


def test_a_part_of_a_pipeline_takes_earlier_results(gv: CommandLine, chat: ChatServer) -> None:
    """`--only`, `--from`; without an earlier result it says what to do, and asks nothing."""
    made(gv, "  - {module: a, inputs: [request], output_name: out}\n  - {module: b, inputs: [out], output_name: end}\n")
    assert "out is not to run, and no earlier run has its result" in gv("run", "p.yml", "--only", "end", status=2).err

    run(gv)
    gv("run", "p.yml", "--from", "end", "--force", "end")
    assert ["a", "b", "b"] == chat.modules
    assert chat.asked[1].user == chat.asked[2].user


def test_independent_steps_are_asked_at_once(gv: CommandLine, chat: ChatServer) -> None:
    """`-j 3`: the endpoint has three requests at a time."""
    made(gv, "".join(f"  - {{module: {name}, inputs: [request], output_name: {name}}}\n" for name in "abc"))

    def answer(question: Question) -> str:
        until = time.monotonic() + 30
        while len(chat.asked) < 3 and time.monotonic() < until:
            time.sleep(0.001)
        return str(len(chat.asked))

    chat.answer = answer
    run(gv, "-j", "3")

    assert "3" == gv("get", "run/1:/output").out.strip()
