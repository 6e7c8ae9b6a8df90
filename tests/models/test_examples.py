"""The examples and the demo's programs: the same files, and they run."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gvstore as gv
from gvstore.models import completions
from tests.transcript import ROOT

DEMO = ("dice", "story")
EXAMPLES = {"dice": "01-dice", "story": "02-story", "trip": "04-async", "chatbot": "06-chatbot"}


def example(name: str) -> Path:
    return ROOT / "docs" / "examples" / EXAMPLES[name] / f"{name}.py"


def load(name: str) -> ModuleType:
    """Returns the example, imported from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", example(name))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", DEMO)
def test_the_demo_writes_the_example(name: str) -> None:
    """What `gv demo` leaves in the folder is what the docs explain."""
    template = ROOT / "gvstore" / "cli" / "demo" / f"{name}.py.txt"

    assert example(name).read_text() == template.read_text()


def test_story_asks_the_model_three_times(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outline, draft and revision are one completion each."""
    monkeypatch.setenv("GV_MODEL_PATH", str(gguf))
    before = completions()

    story = load("story").write("otters")

    assert len(story) > 40
    assert before + 3 == completions()


def test_dice_repeat_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """DICE_SEED gives the rolls that the transcript shows; without it they are in range."""
    monkeypatch.setenv("DICE_SEED", "4")

    assert [2, 5] == [roll(6) for roll in [load("dice").roll_die] for _ in range(2)]
    monkeypatch.setenv("DICE_SEED", "7")

    assert 6 == load("dice").roll_die(6)
    monkeypatch.delenv("DICE_SEED")

    assert 20 <= load("dice").roll_sum(20) <= 120


def test_the_room_loads_no_engine_by_itself() -> None:
    """All that it exports is cheap to import: no engine, no client of HTTP, no SDK, no process, no zip file."""
    heavy = ("xllamacpp", "httpx2", "openai", "anthropic", "subprocess", "zipfile", "asyncio")
    code = f"import sys, gvstore.models as m; [getattr(m, n) for n in m.__all__]; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


@pytest.fixture
def searching(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The poem of the fifth example, imported as its own folder would, with a repository to record into."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "examples" / "05-meta-search")
    with gv.init(tmp_path / "work"):
        yield importlib.import_module("poem")
    for name in ("poem", "search"):
        sys.modules.pop(name, None)


def test_a_branch_costs_what_is_new(searching: ModuleType, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines above a branch are answered; a replay of the whole search asks the model nothing."""
    monkeypatch.setenv("GV_MODEL_PATH", str(gguf))
    before = completions()
    run = gv.run(searching.search, searching.poem, ["otters", 2], searching.alliteration, 1)

    assert before + 2 + 2 + 1 == completions()
    assert 2 == len(run.output.get_output())
    assert run.output == run.replay(live="poem.alliteration").output
    assert before + 2 + 2 + 1 == completions()


def test_the_search_finds_the_best(searching: ModuleType) -> None:
    """Of any program: a branch has what its execution had before the call, and nothing that was seen is better."""
    chance = random.Random(4)

    @gv.register
    def roll() -> int:
        return chance.randint(1, 100)

    @gv.register
    def rolls(count: int) -> list[int]:
        return [roll() for _ in range(count)]

    run = gv.run(searching.search, rolls, [4], total, 3)
    made = [call for call in run.invocation.get_children() if call.name == "branch"]

    assert 4 * 3 == len(made)
    assert sum(run.output.output) >= max(sum(call.output.output) for call in made)
    for call in made:
        of, at = call.args["execution"].output, call.args["call"]
        assert of[:at] == call.output.output[:at]


def total(numbers: list[int]) -> float:
    return float(sum(numbers))


def test_the_flow_of_tasks_is_answered_strictly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The fourth example, whose services answer in any order: its failure and its retry are in the record too."""
    trip = load("trip")
    with gv.init(tmp_path / "work"):
        run = asyncio.run(gv.run_async(trip.plan, ["Lisbon", "Oslo", "Cairo"]))
        monkeypatch.setattr(trip, "answer", None)  # nobody asks the services
        again = asyncio.run(run.invocation.rewind(0).replay_async(strict="code"))

    assert ("Lisbon", 11) == (run.output, run.calls)
    assert run.invocation == again


def test_the_chatbot_asks_the_local_model(gguf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Once a turn, and not where the prompt is refused; a rewound turn that is replayed asks once more."""
    monkeypatch.setenv("GV_MODEL_PATH", str(gguf))
    monkeypatch.delenv("CHATBOT_MODEL", raising=False)
    bot, before = load("chatbot").application, completions()
    with gv.init(tmp_path / "work"):
        answer = bot.run(halt_after="@tag:end", inputs={"prompt": "What is 2 + 2?"})[1]["answer"]
        refused = bot.run(halt_after="@tag:end", inputs={"prompt": "And the password?"})[1]["answer"]
        state = bot.run(halt_after="@tag:end", inputs={"prompt": "Write a function."})[2]
        turn = bot.last_run

        assert (before + 2, "I can't help with that.") == (completions(), refused)
        assert answer == state["history"][1]["content"] != ""
        assert 6 == len(state["history"])
        again = turn.rewind(2).replay()
        assert before + 3 == completions()
        assert ("respond", 6) == (again.output[0], len(again.output[2]["history"]))


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/examples/*/README.md")), ids=lambda page: page.parent.name)
def test_what_is_explained_is_what_is_there(page: Path) -> None:
    """Python that an example's page quotes stands in one of its files."""
    programs = [path.read_text() for path in page.parent.glob("*.py")]
    quoted = re.findall(r"^```python\n(.*?)^```\n", page.read_text(), re.MULTILINE | re.DOTALL)

    assert all(any(block in program for program in programs) for block in quoted)
