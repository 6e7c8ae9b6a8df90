"""Blame: which call first wrote a text, however it came to where it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import gvstore as gv
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


def only(run: gv.Run[object], text: str, *, of: str = "") -> Blamed:
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


def test_a_text_that_is_not_there_is_told_with_what_is_near(repo: Repository) -> None:
    """Nearest words, another place in the run, or nothing."""
    run = repo.run(report, "lighthouses")

    with pytest.raises(NotInRun, match=r"nowhere in this run; the nearest there is 'the heron'"):
        run.blame("the heron slept badly that winter")
    with pytest.raises(NotInRun) as elsewhere:
        run.blame("the heron kept its counsel", of="0")
    assert "It stands in :/output, which is what " in elsewhere.value.hint
    with pytest.raises(NotInRun) as given:
        repo.run(streamed, 1).blame("1911")
    assert "'1911' stands nowhere in this run" == str(given.value)
    with pytest.raises(ValueError, match="empty"):
        run.blame("  ")
    with pytest.raises(NoSuchCall):
        run.blame("x", of="77")
