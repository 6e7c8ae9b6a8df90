"""The first way through, with the real local model: its own count of completions says what ran."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gvstore.models.local import completions
from gvstore.models.pull import pull

if TYPE_CHECKING:
    from tests.conftest import CommandLine

STORY = Path(__file__).parents[2] / "docs" / "examples" / "02-story" / "story.py"


@pytest.fixture(scope="module")
def weights() -> Path:
    """The real weights, fetched with the developer's own pip set-up before any test hides it."""
    return pull()


@pytest.fixture
def story(gv: CommandLine, weights: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A repository with a story written in run/1: three completions."""
    monkeypatch.setenv("GV_MODEL_PATH", str(weights))
    monkeypatch.delenv("GV_NOW")
    gv.write("story.py", STORY.read_text())
    gv("init")
    before = completions()
    gv("run", "story.py:write", "--topic", "otters")

    assert 3 == completions() - before
    return gv


def edit(gv: CommandLine) -> None:
    path = gv.folder / "story.py"
    text = path.read_text()

    assert "ends happily" in text
    path.write_text(text.replace("ends happily", "ends at sea"))


def test_after_a_rewind_only_the_edited_step_runs(story: CommandLine) -> None:
    """Rewind to just before the revision, edit its prompt, replay: outline and draft are answered."""
    story("rewind", "run/1:2")
    edit(story)
    before = completions()
    done = story("replay")

    assert 1 == completions() - before
    assert "4 reused, 2 executed" in done.out
    same = [call for call in story("show", "--json", "run/3").json["calls"] if call["reused"]]
    assert ["0", "0.0", "1", "1.0"] == [call["path"] for call in same]


def test_without_a_rewind_the_edited_call_is_stale(story: CommandLine) -> None:
    """The same, because the code of the edited call is another; the run says why."""
    edit(story)
    before = completions()
    done = story("replay")

    assert 1 == completions() - before
    assert "4 reused, 2 executed" in done.out
    assert "stale: story.revise changed" in done.err


def test_nothing_changed_nothing_runs(story: CommandLine) -> None:
    """A complete and fresh run is not run again."""
    before = completions()
    done = story("replay")

    assert 0 == completions() - before
    assert "nothing to do" in done.out
    assert ["run/1"] == [run["run"] for run in story("runs", "--json").jsons]


def test_diff_shows_just_the_edited_step(story: CommandLine) -> None:
    """Between the two runs outline and draft are equal; the revision's code changed, and its model call's prompt."""
    edit(story)
    story("replay")
    done = story("diff", "run/1", "run/2")

    assert "outline" not in done.out and "draft" not in done.out
    assert "revise" in done.out and "code changed" in done.out


def test_a_helper_two_modules_away_and_a_prompt_file(story: CommandLine) -> None:
    """An edit of either runs the step that it belongs to and what depends on it, nothing else; plan and replay say why."""
    story.write("texts/marks.py", "ENDINGS = '.!?'\n\n\ndef ends(text):\n    return text.rstrip().endswith(tuple(ENDINGS))\n")
    story.write("texts/clean.py", "from texts.marks import ends\n\n\ndef whole(text):\n    return text if ends(text) else text + '.'\n")
    story.write("prompts/revise.txt", "Rewrite this story so that it is shorter and ends happily:\n\n")
    program = STORY.read_text().replace("import gvstore as gv\n", "from pathlib import Path\n\nimport gvstore as gv\nfrom texts.clean import whole\n", 1)
    prompt = 'f"Rewrite this story so that it is shorter and ends happily:\\n\\n{text}"'
    assert prompt in program
    program = program.replace(prompt, "Path('prompts/revise.txt').read_text() + text").replace("from this plan: {plan}", "from this plan: {whole(plan)}")
    story.write("story.py", program)
    story("run", "story.py:write", "--topic", "otters")
    assert "nothing to do" in story("replay").out

    story.write("texts/marks.py", "ENDINGS = '.!?'\n\n\ndef ends(text):\n    return text.strip().endswith(tuple(ENDINGS))\n")
    plan = story("replay", "--plan").out
    assert "run: story.draft: helper texts.marks.ends(), 2 levels down, changed" in plan
    assert "+    return text.strip().endswith" in plan
    before = completions()
    done = story("replay")
    assert "stale: story.draft: helper texts.marks.ends(), 2 levels down, changed" in done.err
    assert 0 == completions() - before  # the step runs, and asks the model what it had asked

    story.write("prompts/revise.txt", "Rewrite this story so that it is shorter and ends at sea:\n\n")
    plan = story("replay", "--plan").out
    assert "run: story.revise: file prompts/revise.txt changed" in plan
    before = completions()
    done = story("replay")
    assert 1 == completions() - before
    assert "stale: story.revise: file prompts/revise.txt changed" in done.err
    assert "4 reused, 2 executed" in done.out
