"""Blame: which call first wrote a text, however it came to where it is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

import gvstore as gv
from gvstore.compare.passage import plain
from gvstore.journal.address import walk
from gvstore.journal.blame import Blamed, NotInRun
from gvstore.journal.fault import NoSuchCall
from gvstore.journal.repository import Repository

PHRASES = (
    "a lantern of green glass", "the heron kept its counsel", "seven salt-white stairs", "her brother's brass compass",
    "a door that opens inland", "the tide table of 1911", "no gull would land there", "ink the colour of rust",
    "what the surveyor left out", "bread for the lighthouse dog",
)  # fmt: skip


@gv.register
def chat(messages: list[dict[str, str]]) -> str:
    """Says the phrase of its turn."""
    return f"Well, {PHRASES[len(messages) - 1]}, as they say."


@gv.register
def polish(text: str, tone: str = "plain") -> str:
    return text.replace("Well, ", "").replace(", as they say.", ".").upper() if tone == "loud" else f"  *{text}*\n"


@gv.register
def section(messages: list[dict[str, str]]) -> str:
    said = chat(messages)
    messages.append({"role": "assistant", "content": said})
    return polish(said)


@gv.register
def report(topic: str) -> dict[str, object]:
    """Ten turns of a growing chat, each polished, some joined, one shouted."""
    messages = [{"role": "user", "content": f"Tell me of {topic}."}]
    parts = [section(messages) for _ in range(9)]
    parts.append(polish(chat(messages), tone="loud"))
    return {"title": f"On {topic}", "body": "\n\n".join(parts), "count": len(parts)}


@gv.register
def number(n: int) -> int:
    return n * 7


@gv.register
def fails(topic: str) -> str:
    raise ValueError(f"no word of {topic} was found")


@gv.register
def recovers(topic: str) -> str:
    try:
        return fails(topic)
    except ValueError as e:
        return f"Sorry: {e}."


@gv.register
def pieces(n: int) -> Iterator[str]:
    yield from ("the wi", "nd rose ", "at noon")


@gv.register
def streamed(n: int) -> str:
    return "So " + "".join(pieces(n)) + "."


BOARD: list[str] = []


@gv.register
def pin(text: str) -> None:
    BOARD.append(note(text))


@gv.register
def note(text: str) -> str:
    return f"{text}, said the keeper of the wall"


@gv.register
def by_the_wall() -> str:
    BOARD.clear()
    pin("hello")
    return BOARD[0]


def only(run: gv.Run[Any], text: str, *, of: str = "") -> Blamed:
    (piece,) = run.blame(text, of=of).pieces
    return piece


def test_each_of_ten_planted_phrases_is_traced_to_the_call_that_wrote_it(repo: Repository) -> None:
    """Through an argument that was changed, a polish, capitals and a join."""
    run = repo.run(report, "lighthouses")
    found = [only(run, phrase) for phrase in PHRASES]

    assert [(i, 0) for i in range(9)] + [(9,)] == [each.path for each in found]
    assert {"test_blame.chat"} == {each.component.removeprefix("tests.journal.") for each in found}
    way = [((0, 0), "output"), ((0, 1), "text"), ((0, 1), "output"), ((0,), "output"), ((), "output")]
    assert way == [(step.path, step.part) for step in found[0].steps]
    assert way == [(step.path, step.part) for step in only(run, "a LANTERN of\n green  glass").steps]


def test_what_came_in_and_what_code_wrote(repo: Repository) -> None:
    """An argument of the root is no call's work, and neither is a template."""
    run = repo.run(report, "lighthouses")
    topic, template = only(run, "lighthouses"), only(run, "Tell me of", of="0.0/args/messages")

    assert ("argument", (), "topic") == (topic.origin.value, topic.path, topic.steps[0].part)
    assert ("code", ()) == (template.origin.value, template.path)
    assert "its code" == template.stands


def test_a_part_is_followed_where_code_put_texts_together(repo: Repository) -> None:
    """Of what was joined to something else, so many characters came from there."""
    run = repo.run(report, "lighthouses")
    found = only(run, "Title: the heron kept its counsel")

    assert ((1, 0), 26, 33) == (found.path, found.characters, found.size)


def test_values_are_blamed_piece_by_piece(repo: Repository) -> None:
    """Without a text every line and number has its origin."""
    run = repo.run(report, "lighthouses")
    found = run.blame().pieces

    assert ["['title']", *["['body']"] * 10, "['count']"] == [each.at for each in found]
    assert [(), *[(i, 0) for i in range(9)], (9,), ()] == [each.path for each in found]
    (product,) = repo.run(number, 6).blame().pieces
    assert (42, "call", ()) == (product.value, product.origin.value, product.path)


def test_exceptions_streams_and_unrecorded_ways(repo: Repository) -> None:
    """What a call raised or yielded is its work; a way past arguments and outputs is followed to the first that had it."""
    assert (0,) == only(repo.run(recovers, "rain"), "was found").path
    assert (0,) == only(repo.run(streamed, 1), "the wind rose at noon").path
    assert (0, 0) == only(repo.run(by_the_wall), "said the keeper of the wall").path


DICE = random.Random()
PLANTED: list[str] = []
WORDS = ["sea", "boat", "lamp", "gull", "tide", "rust", "salt", "stair", "door", "brass", "glass", "heron", "light", "stone", "north", "wind", "rain", "bell", "rope", "fog"]


@gv.register
def writes(prompt: str, turn: int) -> str:
    phrase = " ".join([*DICE.choices(WORDS, k=3), f"q{len(PLANTED)}x", *DICE.choices(WORDS, k=2)])
    PLANTED.append(phrase)
    return " ".join([*DICE.choices(WORDS, k=DICE.randrange(5)), phrase + ".", *DICE.choices(WORDS, k=DICE.randrange(5))])


@gv.register
def changes(text: str, how: int) -> str | list[dict[str, str]]:
    if how == 0:
        return [{"role": "user", "content": text}]
    return [text.upper(), f"# Draft\n\n> {text}\n", "  ".join(text.split()), text.replace(" ", "\n"), text][how - 1]


@gv.register
def stage(inputs: list[str], depth: int) -> str:
    """Writes, changes, joins and passes on, as the dice fall."""
    made = list(inputs)
    for turn in range(DICE.randrange(1, 5)):
        drawn = DICE.random()
        if drawn < 0.4 or not made:
            made.append(writes(DICE.choice([*made, "go on"]), turn))
        elif drawn < 0.7:
            changed = changes(DICE.choice(made), DICE.randrange(6))
            made.append(changed if isinstance(changed, str) else changed[0]["content"])
        elif depth:
            made.append(stage(DICE.sample(made, DICE.randrange(len(made) + 1)), depth - 1))
        else:
            made.append(" and ".join(DICE.sample(made, 1 + DICE.randrange(len(made)))))
    return DICE.choice(["\n", " / "]).join(DICE.sample(made, DICE.randrange(1, len(made) + 1)))


@pytest.mark.parametrize("seed", range(12))
def test_what_a_random_program_wrote_is_traced(repo: Repository, seed: int) -> None:
    """Each phrase that came through is that of the call which wrote it, however it is asked for."""
    DICE.seed(seed)
    PLANTED.clear()
    run = repo.run(stage, [], 3)
    writers = [path for path, call in walk(run.invocation) if call.name == "writes"]
    came = [at for at, phrase in enumerate(PLANTED) if plain(phrase) in plain(run.output)]
    for at in came:
        for text in (PLANTED[at], PLANTED[at].upper(), PLANTED[at].replace(" ", "\n")):
            assert (writers[at], "call") == ((found := only(run, text)).path, found.origin.value)

    assert came
    assert run.blame().pieces


@gv.register
async def makes(n: int) -> str:
    return f"parcel {n} of the late post"


@gv.register
async def opens(parcel: str) -> str:
    return f"opened: {parcel}"


@gv.register
async def post_office() -> str:
    """The one that takes is begun before the one that gives."""
    post: asyncio.Queue[str] = asyncio.Queue()

    async def taker() -> str:
        return await opens(await post.get())

    async def giver() -> None:
        await post.put(await makes(7))

    return (await asyncio.gather(taker(), giver()))[0]


@gv.register
async def extended(text: str) -> str:
    return f"{text}, and on"


@gv.register
async def walkers() -> list[str]:
    """Each task goes on with what it has; no task has anything of another."""

    async def walk(n: int) -> str:
        text = await makes(n)
        for _ in range(3):
            text = await extended(text)
        return text

    return list(await asyncio.gather(*map(walk, range(3))))


def test_tasks_that_go_their_own_ways_are_kept_apart(repo: Repository) -> None:
    """What comes later in the same task was not there yet."""
    with repo:
        run = asyncio.run(gv.run_async(walkers))
    for n in range(3):
        found = only(run, f"parcel {n} of the late post")
        way = [step.path[0] for step in found.steps if step.path]

        assert ("makes", way) == (found.component.rpartition(".")[2], sorted(way))


def test_tasks_hand_texts_to_each_other(repo: Repository) -> None:
    """A call may have been given something by one that was begun after it, in another task."""
    with repo:
        run = asyncio.run(gv.run_async(post_office))
    found = only(run, "parcel 7 of the late post")

    assert "makes" == found.component.rpartition(".")[2]
    assert ["output", "parcel", "output", "output"] == [step.part for step in found.steps]


def test_a_text_that_is_not_there_is_told_with_what_is_near(repo: Repository) -> None:
    """Nearest words, another place in the run, or nothing."""
    run = repo.run(report, "lighthouses")

    with pytest.raises(NotInRun, match=r"nowhere in this run; the nearest there is 'the heron'"):
        run.blame("the heron slept badly that winter")
    with pytest.raises(NotInRun) as elsewhere:
        run.blame("the heron kept its counsel", of="0")
    assert "It stands in run/1:/output, which is what " in elsewhere.value.hint
    with pytest.raises(NotInRun) as given:
        repo.run(streamed, 1).blame("1911")
    assert "'1911' stands nowhere in this run" == str(given.value)
    with pytest.raises(ValueError, match="empty"):
        run.blame("  ")
    with pytest.raises(NoSuchCall):
        run.blame("x", of="77")
