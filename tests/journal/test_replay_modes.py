"""Replays against the record: live and set calls, from a call on, with a limit, and what has effects."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.cli.planned import plan_line
from gvstore.journal.fault import CallLimitReached, InvocationError, NoSuchCall, NoSuchComponent
from gvstore.journal.repository import Repository
from gvstore.journal.run import Run
from tests.journal.bodies import BODIES, note
from tests.journal.process import NOTE, Project

SENT: list[str] = []
FAILS: set[str] = set()


@pytest.fixture(autouse=True)
def _reset() -> None:
    SENT.clear()
    FAILS.clear()


@gv.register
def word(name: str) -> str:
    note(name)
    return name.upper()


@gv.register
def pair(one: str, two: str) -> str:
    note("pair")
    return word(one) + word(two)


@gv.register
def story(names: tuple[str, ...]) -> list[str]:
    note("story")
    return [pair(name, name * 2) for name in names]


@gv.register(effect="repeat")
def fill(text: str) -> str:
    note(f"fill {text}")
    return text


@gv.register
def filling(text: str) -> str:
    note("filling")
    return fill(word(text))


@gv.register
def above(text: str) -> str:
    note("above")
    return filling(text)


@gv.register(effect="once")
def send(text: str) -> str:
    SENT.append(text)
    if text in FAILS:
        raise ConnectionError(text)
    return f"sent {text}"


@gv.register
def mailing(text: str) -> str:
    note("mailing")
    return send(word(text)) + "."


def recorded(repo: Repository) -> Run[list[str]]:
    """A run of three pairs: ten calls, three levels."""
    run = repo.run(story, ("a", "b", "c"))
    BODIES.clear()
    return run


def test_live_calls_run_and_all_above_them(repo: Repository) -> None:
    """A live component runs wherever it was called, its ancestors too, and nothing else; complete runs are no exception."""
    run = recorded(repo)

    assert ["a", "aa", "b", "bb", "c", "cc"] == [
        each for each in _ran(run, live="word") if each not in ("story", "pair")
    ]
    assert ["story", "pair", "pair", "pair"] == _ran(run, live=["pa*"])


def _ran(run: Any, **words: Any) -> list[object]:
    BODIES.clear()
    again = run.replay(**words)

    assert again.record.counts["executed"] == len(BODIES)
    return list(BODIES)


@pytest.mark.parametrize("pattern", ["pair", "p?ir", "*.pair", f"{__name__}.pair"])
def test_a_pattern_is_a_name_its_end_or_a_glob(repo: Repository, pattern: str) -> None:
    """The last part of a name is enough."""
    assert ["story", "pair", "pair", "pair"] == _ran(recorded(repo), live=(pattern,))


def test_a_pattern_that_matches_nothing_is_refused(repo: Repository) -> None:
    """A typing error does not look like a replay in which nothing had to run."""
    with pytest.raises(NoSuchComponent, match="no call of pear"):
        recorded(repo).replay(live="pear")


def test_set_calls_answer_and_all_above_them_run(repo: Repository) -> None:
    """At any depth, by path or by name; calls beside it are answered."""
    run = recorded(repo)
    BODIES.clear()

    by_path = run.replay(set={"1.0": "X"})
    by_name = run.replay(set={"word.2": "X"})

    assert ["AAA", "XBB", "CCC"] == by_path.output == by_name.output
    assert ["story", "pair"] * 2 == BODIES
    assert {"calls": 10, "executed": 2, "reused": 8} == by_path.record.counts
    assert "X" == by_path.invocation.get_child(1).get_child(0).output


def test_a_set_value_may_be_anything(repo: Repository) -> None:
    """A reference is its value; what was set stays set in the replays that follow."""
    run = recorded(repo)
    with repo:
        again = run.replay(set={(0,): gv.commit("Y")})

    assert ["Y", "BBB", "CCC"] == again.output
    assert ["Y", "BBB", "CCC"] == again.replay(live="story").output


@pytest.mark.parametrize(
    ("words", "fault", "said"),
    [
        ({"set": {"7": 1}}, NoSuchCall, "no call 7"),
        ({"set": {"": 1}}, InvocationError, "root call"),
        ({"set": {"1": 1, "1.0": 2}}, InvocationError, "1.0 lies in 1"),
        ({"set": {"2": 1}, "from_call": "1"}, InvocationError, "call 2 is not before"),
        ({"set": {"count.0": 1}}, NoSuchCall, "no call of count"),
        ({"from_call": "9"}, NoSuchCall, "no call 9"),
        ({"max_calls": -1}, ValueError, "max_calls"),
        ({"lively": 1}, TypeError, "lively"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(
    repo: Repository, words: Any, fault: type[Exception], said: str
) -> None:
    """Nothing is executed and no run is made."""
    run = recorded(repo)

    with pytest.raises(fault, match=said):
        run.replay(**words)

    assert ([], 1) == (BODIES, len(repo.runs))


@gv.register
def count(to: int) -> Any:
    yield from range(to)


@gv.register
def total(to: int) -> int:
    return sum(count(to))


def test_a_stream_cannot_be_set(repo: Repository) -> None:
    """Its chunks have their times between what the consumer does."""
    run = repo.run(total, 3)

    with pytest.raises(InvocationError, match="call 0 is a stream"):
        run.replay(set={"0": 1})

    assert 3 == run.replay(live="count").output


def test_from_a_call_on(repo: Repository) -> None:
    """The call and all after it run, in one run whose parent is the original; what came before is answered."""
    run = recorded(repo)
    plan = run.plan(from_call="1.1")
    again = run.replay(from_call="1.1")

    assert ["story", "pair", "bb", "pair", "c", "cc"] == BODIES
    assert again.parent is not None and run.name == again.parent.name
    assert 2 == len(repo.runs)
    assert (plan.run, plan.reuse) == (again.record.counts["executed"] - 1, again.record.counts["reused"])
    assert run.invocation == again.invocation


def test_a_limit_stops_before_one_more(repo: Repository) -> None:
    """N calls are executed and no more, at any depth; the run is kept, interrupted, and carried on by the next replay."""
    run = recorded(repo)

    with pytest.raises(CallLimitReached, match="more than 2 calls"):
        run.rewind(3).replay(max_calls=2)

    assert ["story", "pair", "a"] == BODIES
    stopped = repo.runs.last
    assert stopped is not None and "interrupted" == stopped.status
    BODIES.clear()
    assert run.output == stopped.replay(max_calls=8).output
    assert "a" not in BODIES


def test_a_limit_ends_a_program_that_swallows(repo: Repository) -> None:
    """`except Exception` does not go on past the limit; whoever catches everything gets no further call."""

    @gv.register
    def stubborn() -> list[str]:
        found = []
        for name in "abc":
            try:
                found.append(word(name))
            except BaseException:
                found.append("-")
        return found

    run = repo.run(stubborn)
    BODIES.clear()

    with pytest.raises(CallLimitReached):
        run.rewind(3).replay(max_calls=1)

    assert ["a"] == BODIES


@pytest.mark.parametrize("grouped", [False, True])
def test_a_limit_ends_what_is_awaited(repo: Repository, grouped: bool) -> None:
    """No further task is let in; those that run are given up with the event loop."""
    run = asyncio.run(repo.run_async(gathering, grouped))
    BODIES.clear()

    with pytest.raises(CallLimitReached):
        run.rewind(3).replay(max_calls=2)

    assert not {"c"} & {*BODIES}
    stopped = repo.runs.last
    assert stopped is not None and "interrupted" == stopped.status
    assert ["a", "b", "c"] == stopped.replay().output


@gv.register
async def later(name: str) -> str:
    await asyncio.sleep(0)
    note(name)
    return name


@gv.register
async def gathering(grouped: bool) -> list[str]:
    if not grouped:
        return await asyncio.gather(*map(later, "abc"))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(later(each)) for each in "abc"]
    return [task.result() for task in tasks]


POOL = (
    NOTE
    + """
import concurrent.futures, gvstore as gv

@gv.register
def leaf(n):
    note(f"leaf{n}")
    return n

@gv.register
def middle(n):
    note(f"middle{n}")
    return leaf(n) + 1

@gv.register
def root():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return list(pool.map(middle, range(3)))

def ran():
    text = open("ran").read()
    open("ran", "w").close()
    return sorted(text.split())

if __name__ == "__main__":
    with gv.open('.') as repo:
        run = gv.run(root)
        ran()
        print(run.replay(live="middle").output, ran())
        again = run.replay(set={"1.0": 10})
        print(again.output, ran(), again.record.notes)
        print(run.replay(from_call="2.0").output, ran())
"""
)


def test_other_processes_replay_on_the_same_terms(tmp_path: Path) -> None:
    """What is live, set or rewound is so in the processes of a pool, and a value that was used there counts as used."""
    Repository.init(tmp_path).close()
    said = Project(tmp_path).run(POOL).splitlines()

    assert "[1, 2, 3] ['middle0', 'middle1', 'middle2']" == said[0]
    assert "[1, 11, 3] ['middle1'] ()" == said[1]
    assert "[1, 2, 3] ['leaf2', 'middle2']" == said[2]


def test_a_plan_is_shown_in_short(repo: Repository) -> None:
    """Neither a plan nor its calls show the bytes of what was recorded."""
    run = repo.run(above, "x")
    plan = run.plan(live="fill")

    assert repr(plan).startswith("<Plan: reuse ")
    assert "\\x" not in repr(plan.calls)


def test_repeated_effects_run_wherever_they_are(repo: Repository) -> None:
    """A call with effect="repeat" runs at every replay, though all around it is fresh; such a run is never complete."""
    run = repo.run(above, "x")
    plan = run.plan()

    assert ["above", "filling", "fill X"] == _ran(run)
    assert not plan.complete
    assert {'effect="repeat"'} == {each.reason for each in plan.calls if each.component.endswith(".fill")}
    BODIES.clear()
    assert run.invocation == run.invocation.replay()
    assert "fill X" in BODIES


def test_an_effect_happens_once(repo: Repository) -> None:
    """While its record answers, nothing is asked; a call that would be executed a second time becomes a question."""
    run = repo.run(mailing, "hi")

    assert "sent HI." == run.rewind(0).replay().output
    waiting = run.replay(live="send")

    assert "waiting" == waiting.status
    assert ["HI"] == SENT
    assert "send must not be executed twice" in str(waiting.invocation.get_raised())
    assert 1 == run.plan(live="send").asks
    assert "by hand." == waiting.answer("by hand").output
    assert ["HI"] == SENT


def test_an_effect_that_failed_is_not_tried_again_unasked(repo: Repository) -> None:
    """What raised may have had its effect; `effects=True` executes it."""
    FAILS.add("HI")
    performed = repo.perform(mailing, ("hi",), {})
    assert performed.run is not None
    FAILS.clear()

    assert "waiting" == performed.run.replay().status
    assert ["HI"] == SENT
    assert "sent HI." == performed.run.replay(effects=True).output
    assert ["HI", "HI"] == SENT


@gv.register(effect="once")
def careful(text: str) -> str:
    if gv.request_input(bool, text, "send it?"):
        SENT.append(text)
    return "done"


@gv.register
def asking(text: str) -> str:
    return careful(text)


def test_a_question_before_the_effect_can_be_answered(repo: Repository) -> None:
    """A call that waits for the answer to its own question has not done its work: it goes on."""
    for subject in (asking, careful):
        run = repo.run(subject, "x")

        assert ([], "waiting") == (SENT, run.status)
        assert "done" == run.answer(True).output
        assert ["x"] == SENT
        SENT.clear()


def test_an_effect_at_the_root(repo: Repository) -> None:
    """A root is what a replay executes: it says what to pass."""
    run = repo.run(send, "x")

    with pytest.raises(InvocationError, match='effect="once"'):
        run.replay()

    assert "sent x" == run.replay(effects=True).output


def test_rewinding_does_not_take_an_effect_back(repo: Repository) -> None:
    """What was executed in the run that this one is derived from is not executed again; a call that is new is."""
    run = repo.run(mailing, "hi")

    for again in (run.rewind(1).replay(), run.replay(from_call="1"), run.rewind(2).replay()):
        assert "waiting" == again.status
        assert "waiting" == again.replay().status
    assert ["HI"] == SENT
    assert 1 == run.plan(from_call="1").asks
    assert "sent HI." == run.rewind(1).replay(effects=True).output
    assert ["HI", "HI"] == SENT


def test_a_new_call_with_an_effect_runs(repo: Repository) -> None:
    """Equal calls are counted: one more than there were is new, another argument is too."""

    @gv.register
    def twice() -> list[str]:
        return [send(each) for each in ASKED["mails"]]

    ASKED["mails"] = ["a"]
    run = repo.run(twice)
    ASKED["mails"] = ["a", "a", "b"]

    assert ["sent a", "sent a", "sent b"] == run.replay().output
    assert ["a", "a", "b"] == SENT


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"live": "word"},
        {"live": "pair"},
        {"set": {"1": "X"}},
        {"set": {"2.1": "X"}},
        {"from_call": "2"},
        {"from_call": "0.1"},
    ],
)
def test_the_plan_is_what_happens(repo: Repository, words: Any) -> None:
    """Of calls that are asked the same again the plan's counts are the run's, and planning runs nothing."""
    run = recorded(repo)
    plan = run.plan(**words)

    assert [] == BODIES
    again = run.replay(**words)
    counts = again.record.counts
    assert plan.complete == (not words)
    assert (plan.reuse + plan.unsure, plan.run) == (counts["reused"], counts["executed"] - 1)


def test_a_plan_says_why(repo: Repository) -> None:
    """Every call that would run has its reason, and its ancestors theirs."""
    run = recorded(repo)
    plan = run.plan(set={"0": "X"}, live="word")

    told = {".".join(map(str, each.path)): (each.action, each.reason) for each in plan.calls}
    assert ("run", "a call below it runs") == told[""]
    assert ("set", "set") == told["0"]
    assert ("run", "live") == told["1.1"]
    assert not any(path.startswith("0.") for path in told)


@dataclass
class Completed:
    text: str
    prompt_tokens: int
    completion_tokens: int


@gv.register
def complete(prompt: str) -> Completed:
    time.sleep(0.002)
    return Completed(prompt * 100, len(prompt), 100)


@gv.register
def chat(prompt: str) -> Completed:
    return complete(prompt)


@gv.register
def chats() -> int:
    return len([chat("a"), chat("bb"), chat("ccc")])


def test_a_plan_estimates_tokens_and_time(repo: Repository) -> None:
    """From what the calls that would run had cost: once each, though outputs are passed on; reused ones cost nothing."""
    run = repo.run(chats)

    plan = run.plan(from_call="1")
    assert (1, 4) == (plan.reuse - 1, plan.run)
    assert 102 + 103 == plan.tokens
    assert 4_000 <= plan.duration_us < plan_of_all(run)
    assert (0, 0) == (run.plan().tokens, run.plan().duration_us)
    assert plan_line(plan).startswith("reuse 2, run 4 (~205 tokens, ")
    assert "(up to 205 tokens, " in plan_line(run.plan(set={"0": None}))


def plan_of_all(run: Run[int]) -> int:
    """What the plan tells of running everything."""
    plan = run.plan(live="c*")

    assert (306, 6) == (plan.tokens, plan.run)
    return plan.duration_us


def test_rewinding_by_what_a_call_is(repo: Repository) -> None:
    """A function finds the call, at any depth; so do names and paths."""
    run = recorded(repo)

    def asks_bb(call: gv.Invocation) -> bool:
        return call.name == "word" and call.args == {"name": "bb"}

    kept = run.rewind_before(asks_bb)

    assert kept.invocation == run.rewind_before("1.1").invocation == run.rewind_before((1, 1)).invocation
    assert kept.invocation == run.invocation.rewind_before("word.3")
    kept.replay()
    assert ["story", "pair", "bb", "pair", "c", "cc"] == BODIES
    with pytest.raises(NoSuchCall, match="no call of story"):
        run.rewind_before(lambda call: False)


@gv.register
def ask(prompt: str, options: dict[str, Any]) -> str:
    return prompt


@gv.register
def conversation() -> str:
    return ask(*ASKED["with"])


ASKED: dict[str, Any] = {}


def test_a_mismatch_tells_the_difference(repo: Repository) -> None:
    """Long texts by their words, values inside values by where they stand."""
    ASKED["with"] = "a calm sea on a summer day with little wind", {"temperature": 0.5, "stop": ["."]}
    run = repo.run(conversation)
    ASKED["with"] = "a wild sea on a summer day with little wind", {"temperature": 0.7, "stop": ["."]}

    with pytest.raises(gv.ReplayError) as caught:
        run.replay(strict=True)

    (line,) = str(caught.value).splitlines()
    head, _, differences = line.partition(" but ask was called with other arguments: ")
    prompt, options = differences.split("; ")
    assert head.startswith("the record goes on with call 0, ask(prompt='a calm sea")
    assert re.fullmatch(r"prompt '.*\[-calm-\]\{\+wild\+\} sea.*'", prompt)
    assert "options['temperature'] 0.5 → 0.7" == options


def test_another_component_is_named(repo: Repository) -> None:
    """What came is said too."""

    @gv.register
    def either(flag: bool = True) -> str:
        return word("a") if not BODIES else ask("b", {})

    run = repo.run(either)

    with pytest.raises(
        gv.ReplayError, match=r"call 0, word\(name='a'\), but ask\(prompt='b', options=\{\}\) was called"
    ):
        run.replay(strict=True)
