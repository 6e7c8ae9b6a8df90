"""Queries give the runs that hold to them, whatever the index knows, has lost, or had damaged."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import UsageFault
from gvstore.expression.query import Query, QueryRefused
from gvstore.journal.repository import Repository
from gvstore.journal.run_facts import Facts, facts_of, plain
from gvstore.journal.run_index import RunIndex
from gvstore.journal.run_row import COLUMNS
from gvstore.journal.running import RunOptions
from gvstore.repo import layout
from gvstore.repo.tag import create_tag


@dataclasses.dataclass
class Story:
    title: str
    words: int


@gv.register
def write(topic: str, n: int = 1) -> Story:
    gv.report_usage(prompt_tokens=100 * n, completion_tokens=n, cost_microusd=2_000_000 * n)
    if topic == "sharks":
        raise ValueError("no sharks")
    return Story(f"Of {topic}", n)


@gv.register
def count(n: int) -> int:
    return n


@pytest.fixture
def runs(repo: Repository) -> Repository:
    """Six runs: 1 otters, 2 sharks, 3 beavers, 4 to 6 counts, 5 in a group; notes, scores, a tag."""
    for topic, n in (("otters", 1), ("sharks", 2), ("beavers", 5)):
        repo.perform(write, (topic,), {"n": n})
    for n in range(3):
        repo.perform(count, (n,), {}, RunOptions(group="tries" if n == 1 else "", message=f"try {n}"))
    repo.runs[1].note("a fine one")
    repo.runs[1].score(0.5)
    repo.runs[3].score(0.25, tone=2)
    oid = repo.runs[3].oid
    assert oid is not None
    create_tag(repo, "best/story", oid, author="Ada", now=1)
    return repo


QUERIES = [
    ('args.topic == "otters"', [1]),
    ('args.topic == "otters" and tokens > 500', []),
    ("tokens > 500", [3]),
    ("202 <= tokens < 505 or score == 0.5", [2, 1]),
    ('status == "raised"', [2]),
    ('"sharks" in raised', [2]),
    ('output.title == "Of beavers"', [3]),
    ('"otter" in output.title', [1]),
    ("output == 2", [6]),
    ("output in (0, 1)", [5, 4]),
    ('component == "tests.journal.test_run_query.count" or cost > 3', [6, 5, 4, 3, 2]),
    ('"best/story" in tags', [3]),
    ("scores.tone > 1", [3]),
    ("score is None and number > 4", [6, 5]),
    ('matches(note, "fin.")', [1]),
    ('group == "tries"', [5]),
    ('startswith(message, "try") and not message == "try 0"', [6, 5]),
    ("age < hours(1) and number < 3", [2, 1]),
    ("seconds >= 0 and calls == 1", [6, 5, 4, 3, 2, 1]),
    ("nothing_like_it == 1", None),
    ('started > "2020" and parent is None and branch == "main"', [6, 5, 4, 3, 2, 1]),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_what_is_found(runs: Repository, query: str, expected: list[int] | None) -> None:
    """The same the first time, out of the objects, and the second, out of the index."""
    if expected is None:
        with pytest.raises(QueryRefused):
            runs.runs.where(query)
        return
    for _ in range(2):
        assert expected == runs.runs.where(query).numbers
        assert expected[:1] == runs.runs.where(query).limit(1).numbers


def test_columns_by_name(runs: Repository) -> None:
    """Keywords are columns; some are patterns; steps narrow what is found."""
    query = runs.runs.where

    assert [2] == query(status="raised").numbers
    assert [3, 1] == query(status=["ok", "waiting"], component="write").numbers
    assert [6, 5, 4] == query(component="*.count").numbers
    assert [3] == query(tag="best/*").numbers
    assert [5] == query(group="tries").numbers
    assert [3] == query(output="beavers").numbers
    assert [3, 1] == query(output="*Of *").numbers
    assert [5] == query(message="try 1").numbers
    assert [3] == query("tokens > 150").where(status="ok").limit(5).numbers
    assert 3 == len(query(component="count"))
    first = query(component="count").first
    assert first is not None
    assert ("run/6", 2) == (first.name, first.output)
    with pytest.raises(UsageFault, match="no run has the status 'okay'"):
        query(status="okay")
    with pytest.raises(TypeError):
        query(colour="red")


def test_order_and_time(runs: Repository) -> None:
    """Sorted by any column, what has none last; times as people say them."""
    every = runs.runs.where()

    assert [1, 2, 3, 4, 5, 6] == every.reverse().numbers == every.sort("number").numbers
    assert [3, 2, 1] == every.sort("-tokens").limit(3).numbers
    assert [1, 3] == every.sort("score", reverse=True).limit(2).numbers
    assert [4, 5, 6] == [n for n in every.sort("args.n").numbers if n > 3]
    assert [] == runs.runs.since(datetime.now(UTC) + timedelta(days=1)).numbers
    assert 6 == len(runs.runs.since("1 hour ago"))
    assert [] == runs.runs.until("1 hour ago").numbers
    with pytest.raises(UsageFault, match="is no time"):
        runs.runs.since("soonish")
    with pytest.raises(UsageFault, match="runs have no column 'tokns'"):
        every.sort("tokns")


def test_the_index_narrows_and_changes_nothing(runs: Repository) -> None:
    """What texts rule out without being read is what the query rules out: of pairs of conditions in any form, each finds the same rows."""
    atoms = [query for query, expected in QUERIES if expected is not None]
    runs.runs.where("age > 0").numbers  # noqa: B018 - fills the index
    rows = list(runs.runs.where().rows())
    for one, other in itertools.combinations(atoms, 2):
        for query in (f"({one}) and ({other})", f"({one}) or ({other})", f"{one} and not ({other})"):
            plain_query = Query(query, COLUMNS)
            wanted = [row.row.number for row in rows if plain_query.holds(row.__getitem__)]
            assert wanted == runs.runs.where(query).numbers, query


def test_how_a_run_came_about(repo: Repository) -> None:
    """By rewinding, replaying, or with a picked call; None where it came from none."""
    run = repo.run(count, 1)
    repo.run(count, 2)
    run.rewind(0).replay()

    assert [None, None, "rewind", "replay"] == [row["by"] for row in repo.runs.where().reverse().rows()]
    assert [3] == repo.runs.where(by="rewind").numbers
    assert [4] == repo.runs.where("by == 'replay' and parent == 3").numbers


@pytest.mark.parametrize("damage", ["gone", "garbage", "cut", "flipped", "folder"])
def test_the_index_may_be_lost_or_damaged(runs: Repository, damage: str) -> None:
    """It is made again, and no answer is another."""
    expected = runs.runs.where("tokens > 100").numbers
    path = layout.run_cache(runs.gv)
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "gone":
        at = data.index(b"otters")
        other = {"garbage": b"x" * 8192, "cut": data[:5000], "flipped": data[:at] + b"sharks" + data[at + 6 :]}
        path.write_bytes(other[damage])

    assert [3, 2, 1] == expected[:0] + runs.runs.where("tokens > 100").numbers
    assert [1] == runs.runs.where('args.topic == "otters"').numbers
    assert [2] == runs.runs.where('args.topic == "sharks"').numbers


def test_facts_survive_their_encoding(runs: Repository) -> None:
    """What is read out of the index is what was found in the objects."""
    run = runs.runs[1]
    facts = facts_of(run.record, run.store)

    assert facts == Facts.decode(facts.encode())
    assert {"topic": "otters", "n": 1} == facts.args
    assert {"title": "Of otters", "words": 1} == facts.output
    assert run.oid is not None
    with RunIndex(layout.run_cache(runs.gv)) as index:
        index.add({run.oid: facts})
        assert {run.oid: facts} == index.get([run.oid])
        large = dataclasses.replace(facts, message="x" * 100_000)
        index.add({run.oid: large})
        assert {} == index.get([run.oid])
        assert {bytes(run.oid)} == index.with_texts(["nowhere"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": (1, 2.5), 3: {None}}, {"a": [1, 2.5], "3": [None]}),
        (float("nan"), "nan"),
        (Story("x", 1), {"title": "x", "words": 1}),
        (b"\0\xff", "00ff"),
        (datetime(2026, 11, 20, tzinfo=UTC), "2026-11-20T00:00:00+00:00"),
        (object, "type"),
        ("\udcff", "?"),
    ],
)
def test_values_are_plain(value: Any, expected: Any) -> None:
    """Any value has a form that JSON has."""

    assert expected == plain(value)


def test_a_run_that_goes_on_is_found(repo: Repository) -> None:
    """Its facts are read from its journal, and not kept."""
    found: list[list[int]] = []

    def looking(n: int) -> int:
        found.append(repo.runs.where(status="running").numbers)
        return n

    repo.run(looking, 1)

    assert [[1]] == found
    assert [] == repo.runs.where(status="running").numbers


def test_tables(runs: Repository) -> None:
    """Arguments and fields of outputs are columns; types hold; every library gets the same."""
    stories = runs.runs.where(component="write").sort("number")

    rows = stories.to_dicts(["number", "args.topic", "output.title", "score"])

    assert {"number": 1, "args.topic": "otters", "output.title": "Of otters", "score": 0.5} == rows[0]
    frame = stories.to_pandas()
    assert ["otters", "sharks", "beavers"] == list(frame["args.topic"])
    assert [101, 202, 505] == list(frame["tokens"])
    assert "datetime64" in str(frame["started"].dtype)
    arrow = stories.to_arrow()
    assert [0.5, None, 0.25] == arrow["score"].to_pylist()
    assert [[], [], ["best/story"]] == arrow["tags"].to_pylist()
    polars = stories.to_polars(["number", "output.words"])
    assert [(1, 1), (2, None), (3, 5)] == polars.rows()
    assert [] == runs.runs.where("number > 100").to_arrow(["number"]).to_pylist()
    with pytest.raises(UsageFault):
        stories.to_dicts(["colour"])
