"""Code is compared apart from calls: what changed is executed, what did not is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journal.process import NOTE, Project

STORY = NOTE + """
import gvstore as gv

@gv.register
def outline(topic: str) -> str:
    note("outline")
    return f"outline of {topic}"

@gv.register
def draft(text: str) -> str:
    note("draft")
    return f"draft of {text}"

@gv.register
def revise(text: str) -> str:
    note("revise")
    return f"revised {text}"  # how

@gv.register
def write(topic: str) -> str:
    note("write")
    return revise(draft(outline(topic)))
"""

RECORD = "import gvstore as gv, story\nwith gv.init('.'): print(gv.run(story.write, 'otters').output)"
REPLAY = """
import sys, gvstore as gv, story
with gv.open('.') as repo:
    run = repo.runs.last.replay(strict={'': False, 'True': True, 'code': 'code'}[sys.argv[1]])
    print(run.output, run.record.counts['reused'], run.record.counts['executed'])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A story writer, recorded once."""
    project = Project(tmp_path)
    project.write("story.py", STORY)
    project.run(RECORD)
    project.ran()
    return project


def test_unchanged_code_answers_in_another_process(project: Project) -> None:
    """Fresh calls are answered from the record, however often it is read."""
    assert "revised draft of outline of otters 3 1\n" == project.run(REPLAY, "")
    assert ["write"] == project.ran()


def test_changed_code_is_executed(project: Project) -> None:
    """The call whose own text changed runs, those before it do not."""
    project.write("story.py", STORY.replace("revised {text}", "REVISED {text}"))

    assert "REVISED draft of outline of otters 2 2\n" == project.run(REPLAY, "")
    assert ["write", "revise"] == project.ran()


def test_a_changed_comment_changes_nothing(project: Project) -> None:
    """What does not change what code does does not make it stale."""
    project.write("story.py", STORY.replace("# how", "# why, and how").replace('"otters"', "'otters'"))

    assert "revised draft of outline of otters 3 1\n" == project.run(REPLAY, "code")
    assert ["write"] == project.ran()


def test_a_stale_call_makes_its_ancestors_run(tmp_path: Path) -> None:
    """A finished call above a stale one is executed; its fresh children answer."""
    project = Project(tmp_path)
    nested = STORY + """
@gv.register
def book(topic: str) -> list[str]:
    note("book")
    return [write(topic), write(topic + "s")]
"""
    project.write("story.py", nested)
    project.run(RECORD.replace("story.write", "story.book"))
    project.ran()
    project.write("story.py", nested.replace("draft of {text}", "DRAFT of {text}"))

    project.run(REPLAY, "")

    assert ["book", "write", "draft", "revise", "write", "draft", "revise"] == project.ran()


def test_strict_calls_execute_what_is_stale(project: Project) -> None:
    """strict=True is about calls: a stale one is executed, and its new output makes the next call another one."""
    project.write("story.py", STORY.replace("revised {text}", "REVISED {text}"))

    assert "REVISED draft of outline of otters 2 2\n" == project.run(REPLAY, "True")


def test_strict_code_refuses_what_is_stale(project: Project) -> None:
    """strict="code" names the call and the component that changed."""
    project.write("story.py", STORY.replace("revised {text}", "REVISED {text}"))
    script = REPLAY.replace("run = repo", "import gvstore\n    try: run = repo").replace(
        "    print(", "    except gv.ReplayError as e: print(e); sys.exit(9)\n    print("
    )

    assert "call 2 is stale: story.revise changed\n" == project.run(script, "code", status=9)
    assert ["write"] == project.ran()


def test_a_component_that_is_gone_is_told(project: Project) -> None:
    """A recorded call of a component that no longer exists is stale for that reason; one with its code is named."""
    script = "import gvstore as gv, story\nwith gv.open('.') as repo:\n    "
    script += "from gvstore.journal.plan import plan_replay; print(plan_replay(repo.runs.last.invocation).reasons)"
    project.write("story.py", STORY.replace("def revise", "def polish").replace("revise(draft", "polish(draft"))

    told = project.run(script)
    assert "'story.write changed', 'story.revise is gone; story.polish has the same code: " in told
    assert "`gv replay --alias story.revise=story.polish`" in told


def test_a_version_pins_the_code(tmp_path: Path) -> None:
    """While `version` stays, edits do not count; another one makes calls stale."""
    project = Project(tmp_path)
    pinned = STORY.replace("@gv.register\ndef revise", "@gv.register(version='1')\ndef revise")
    project.write("story.py", pinned)
    project.run(RECORD)
    project.ran()

    project.write("story.py", pinned.replace("revised {text}", "REVISED {text}"))
    assert "revised draft of outline of otters 3 1\n" == project.run(REPLAY, "code")
    project.write("story.py", pinned.replace("version='1'", "version='2'"))
    assert "revised draft of outline of otters 2 2\n" == project.run(REPLAY, "")
    assert ["write", "write", "revise"] == project.ran()


def test_a_changed_signature_is_told(project: Project) -> None:
    """The root call cannot be made again with other parameters: the error says both signatures."""
    project.write("story.py", STORY.replace("def write(topic: str)", "def write(about: str)").replace("(topic)))", "(about)))"))
    script = REPLAY.replace("run = repo", "try: run = repo").replace(
        "    print(", "    except gv.InvocationError as e: print(e); sys.exit(9)\n    print("
    )

    out = project.run(script, "", status=9)

    assert "(topic: str) -> str" in out and "(about: str)" in out
