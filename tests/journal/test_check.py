"""A check answers what was asked from the record, executes today's bodies of the rest, and asks nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.check import Check
from gvstore.journal.fault import InvocationError
from gvstore.journal.repository import Repository
from gvstore.journal.target import load_file

BEFORE = """
import gvstore as gv

ASKED = []


@gv.register
def ask(prompt: str) -> str:
    ASKED.append(prompt)
    if prompt == "no":
        raise ValueError("no")
    return prompt.upper()


@gv.register(effect="once")
def send(text: str) -> int:
    ASKED.append(text)
    return len(text)


@gv.register
def outline(topic: str) -> str:
    return ask("outline " + topic)


@gv.register
def stream(topic: str):
    ASKED.append(topic)
    yield topic
    yield topic.upper()


@gv.register
def write(topic: str) -> str:
    words = outline(topic).split()
    for word in stream(topic):
        words.append(word)
    try:
        ask("no")
    except ValueError as e:
        words.append(f"not {e}")
    words.append(str(send("sent")))
    return " ".join(ask(word) for word in words)
"""
WRITE = BEFORE[BEFORE.index("@gv.register\ndef write") :]


class Codes:
    """A project whose code is exchanged: what is loaded, each time anew, is the code that was given last."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo

    @contextmanager
    def loaded(self, text: str) -> Iterator[Any]:
        (self.repo.path / "agent.py").write_text(text)
        self.repo.commit("code", allow_empty=True)
        with self.repo.code_of("main") as code:
            yield load_file(code.path / "agent.py", code.path)

    def check(self, text: str, number: int = 1) -> Check:
        """Returns what a check of a run comes to by some code, of which no leaf may be executed."""
        before = len(self.repo.runs), self.repo.refs.current_run()
        with self.loaded(text) as agent:
            check = self.repo.runs[number].check()
            assert [] == agent.ASKED
        assert before == (len(self.repo.runs), self.repo.refs.current_run())
        return check


@pytest.fixture
def codes(tmp_path: Path) -> Iterator[Codes]:
    repo = Repository.init(tmp_path)
    with repo:
        codes = Codes(repo)
        with codes.loaded(BEFORE) as agent:
            gv.run(agent.write, "sea")
        yield codes


def edited(old: str, new: str, text: str = BEFORE) -> str:
    assert old in text
    return text.replace(old, new)


def test_the_same_code_passes_at_once(codes: Codes) -> None:
    """Nothing is executed where nothing changed, nor where only leaves did: those are listed."""
    check = codes.check(BEFORE)
    assert (True, 0, 0, ()) == (check.ok, check.answered, check.executed, check.stale)
    check = codes.check(edited("return prompt.upper()", "return prompt.lower()"))
    assert (True, 0) == (check.ok, check.executed)
    assert {"agent.ask changed"} == {each.reason for each in check.stale}
    assert len(check.stale) == len([c for c in calls(codes.repo.runs[1].invocation) if c.component.name == "agent.ask"])


def calls(root: gv.Invocation) -> Iterator[gv.Invocation]:
    yield root
    for child in root.get_children():
        yield from calls(child)


REFACTORED = {
    "the body of the root": edited('return " ".join(', 'extra = 1\n    return " ".join('),
    "a helper comes in": edited(
        "    words = outline(topic).split()", "    words = parted(outline(topic))", BEFORE
    ) + "\n\ndef parted(text):\n    return text.split()\n",
    "a step goes": edited("words = outline(topic).split()", 'words = ask("outline " + topic).split()'),
    "a step comes in": edited(
        'return " ".join(ask(word) for word in words)', "return joined(words)"
    ) + "\n\n@gv.register\ndef joined(words: list) -> str:\n    return ' '.join(ask(word) for word in words)\n",
    "a step has another name": edited("outline(topic)", "plan(topic)").replace("def outline", "def plan"),
    "another order": edited(
        '" ".join(ask(word) for word in words)', '" ".join(reversed([ask(word) for word in reversed(words)]))'
    ),
    "leaves make calls of their own": edited("    return prompt.upper()", "    return helper(prompt)").replace(
        "def ask", "def helper(x: str) -> str:\n    1 / 0\n\n\n@gv.register\ndef ask", 1
    ).replace('    words = outline', '    words = []\n    words = outline'),
    "in a block": edited("    words = outline(topic).split()", '    with gv.record("part"):\n        words = outline(topic).split()'),
    "a step that changed": edited('return ask("outline " + topic)', 'text = "outline " + topic\n    return ask(text)'),
}  # fmt: skip


@pytest.mark.parametrize("text", REFACTORED.values(), ids=REFACTORED)
def test_a_refactor_passes(codes: Codes, text: str) -> None:
    """The same leaf calls and the same output: by whatever bodies, helpers, steps and order."""
    check = codes.check(text)

    assert check.ok, check
    assert check.executed
    assert () == check.unasked


def test_a_new_question_is_named(codes: Codes) -> None:
    """It is told with its arguments, why nothing answers it, and what nearest was recorded."""
    check = codes.check(edited('ask("outline " + topic)', 'ask("outline of " + topic)'))
    assert check.question is not None
    assert not check.ok
    assert ("agent.ask", "ask(prompt='outline of sea')") == (check.question.component, check.question.called)
    assert (0, 0) == check.question.nearest
    assert "'outline sea' → 'outline of sea'" in check.question.difference

    check = codes.check(edited("for word in words)", "for word in [*words, words[0]])"))
    assert check.question is not None
    assert "more often than on record, where it is asked once" in check.question.why

    more = "\n\n@gv.register\ndef embed(text: str) -> int:\n    ASKED.append(text)\n    return 1\n"
    check = codes.check(edited("    words = outline", "    embed(topic)\n    words = outline") + more)
    assert check.question is not None
    assert ("embed(text='sea')", "no call of agent.embed is on record") == (check.question.called, check.question.why)

    check = codes.check(edited('send("sent")', 'send("sent again")'))
    assert check.question is not None
    assert "send(text='sent again')" == check.question.called


SWALLOWED = {
    "except Exception": '    try:\n        ask("new")\n    except Exception:\n        pass\n',
    "except BaseException": '    try:\n        ask("new")\n    except BaseException:\n        pass\n',
    "finally": '    try:\n        ask("new")\n    finally:\n        ask("newer")\n',
}


@pytest.mark.parametrize("lines", SWALLOWED.values(), ids=SWALLOWED)
def test_a_new_question_cannot_be_swallowed(codes: Codes, lines: str) -> None:
    """Whatever the program makes of it, the check fails, and names the first."""
    check = codes.check(edited("    words = outline", lines + "    words = outline"))
    assert check.question is not None
    assert (False, "ask(prompt='new')") == (check.ok, check.question.called)


def test_another_output_is_told(codes: Codes) -> None:
    """It says what was and is, and which calls are not asked for any more; an exception is an end as well."""
    check = codes.check(edited('" ".join(ask', '"-".join(ask'))
    assert check.was is not None
    assert check.now is not None
    assert (False, "OUTLINE SEA SEA SEA NOT NO 4") == (check.ok, check.was.output)
    assert "OUTLINE-SEA-SEA-SEA-NOT NO-4" == check.now.output

    check = codes.check(edited("for word in words)", "for word in words[1:])"))
    assert (False, 1) == (check.ok, len(check.unasked))

    check = codes.check(edited("    words = outline", "    raise KeyError(topic)\n    words = outline"))
    assert check.now is not None
    assert not check.ok
    assert isinstance(check.now.get_raised(), KeyError)


def test_the_end_of_a_run_that_raised(codes: Codes) -> None:
    """A run that raised is held to its exception."""
    raising = edited('return " ".join(ask(word) for word in words)', "raise KeyError(words[0])")
    with codes.loaded(raising) as agent, pytest.raises(KeyError):
        gv.run(agent.write, "sea")
    assert codes.check(raising.replace("words = outline", "words = []\n    words = outline"), 2).ok
    assert not codes.check(raising.replace("KeyError(words[0])", "KeyError(words[1])"), 2).ok
    assert not codes.check(BEFORE, 2).ok


def test_a_stream_is_not_asked_for_more(codes: Codes) -> None:
    """A recorded stream is told again; wanting more than the record has is a new question."""
    stopping = edited("        words.append(word)\n", "        words.append(word)\n        break\n")
    with codes.loaded(stopping) as agent:
        gv.run(agent.write, "sea")
    assert codes.check(stopping.replace("words = outline", "words = []\n    words = outline"), 2).ok
    check = codes.check(BEFORE, 2)
    assert "stream is asked for more than it had yielded" in check.fault


def test_the_code_is_checked_without_executing(codes: Codes) -> None:
    """`check("code")` fails at anything stale, says what and why, and calls nothing."""
    with codes.loaded(BEFORE):
        assert codes.repo.runs[1].check("code").ok
    with codes.loaded(edited("return prompt.upper()", "return prompt.lower()")) as agent:
        check = codes.repo.runs[1].check("code")
        assert [] == agent.ASKED
    assert not check.ok
    assert ((0, 0), "agent.ask", "agent.ask changed") == (
        check.stale[0].path, check.stale[0].component, check.stale[0].reason,
    )  # fmt: skip


def test_what_cannot_be_checked(codes: Codes) -> None:
    """A run that has not ended, a root that must not run twice, arguments that do not fit, another word than calls or code."""
    run = codes.repo.runs[1]
    with codes.loaded(BEFORE) as agent:
        with pytest.raises(ValueError, match="'calls' or of 'code'"):
            run.check("all")  # type: ignore[arg-type]
        with pytest.raises(InvocationError, match="is rewound: only a run that has ended"):
            run.rewind(1).check()
        sent = gv.run(agent.send, "x")
        assert sent.check().ok
    once = edited("def outline", "def outline", edited(WRITE, WRITE.replace("@gv.register", '@gv.register(effect="once")')))
    check = codes.check(once.replace("words = outline", "words = []\n    words = outline"))
    assert "its body is not executed" in check.fault
    renamed = edited("def write(topic: str)", "def write(subject: str)").replace("(topic)", "(subject)")
    with codes.loaded(renamed), pytest.raises(InvocationError, match="signature"):
        run.check()


def test_threads_and_tasks_are_followed(codes: Codes) -> None:
    """What threads ask is answered as well; other processes are refused."""
    threads = edited(
        'return " ".join(ask(word) for word in words)',
        'from concurrent.futures import ThreadPoolExecutor\n    with ThreadPoolExecutor(3) as pool:\n'
        '        return " ".join(pool.map(ask, words))',
    )
    assert codes.check(threads).ok
    processes = threads.replace("ThreadPoolExecutor", "ProcessPoolExecutor")
    assert "other processes" in codes.check(processes).fault


def test_a_renamed_component_has_an_alias(codes: Codes) -> None:
    """A leaf that has another name today is asked for under that name."""
    renamed = BEFORE.replace("ask(", "llm(").replace("def llm", "def llm", 1)
    assert codes.check(renamed).question is not None
    with codes.loaded(renamed) as agent:
        check = codes.repo.runs[1].check(alias={"agent.ask": "agent.llm"})
        assert [] == agent.ASKED
    assert (True, 2) == (check.ok, check.executed)


def test_an_edited_prompt_asks_anew(codes: Codes) -> None:
    """A file that a body reads is its code: the check names the call that is asked otherwise, and shows the words."""
    reading = edited('ask("outline " + topic)', 'ask(open_prompt() + topic)') + (
        "\n\ndef open_prompt() -> str:\n    with open('prompt.txt') as file:\n        return file.read()\n"
    )
    prompt = codes.repo.path / "prompt.txt"
    prompt.write_text("Outline a calm ")
    with codes.loaded(reading) as agent:
        gv.run(agent.write, "sea")
    assert (True, 0) == ((check := codes.check(reading, 2)).ok, check.executed)
    prompt.write_text("Outline a wild ")
    question = codes.check(reading, 2).question
    assert question is not None
    assert ("ask(prompt='Outline a wild sea')", (0, 0)) == (question.called, question.nearest)
    assert "prompt 'Outline a calm sea' → 'Outline a wild sea'" == question.difference
    prompt.unlink()
    assert not codes.check(reading, 2).ok
