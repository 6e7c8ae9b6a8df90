"""Queries read rows as Python would read their columns, refuse what names no column, and forgive what a row lacks."""

from __future__ import annotations

from typing import Any

import pytest

from gvstore.errors import GvError
from gvstore.expression.query import Query, QueryRefused, QueryStopped

ROW: dict[str, Any] = {
    "number": 7,
    "status": "ok",
    "args": {"topic": "otters", "n": 3, "style": {"tone": "calm"}},
    "output": {"title": "Of otters", "tags": ["sea", "fur"]},
    "tokens": 510,
    "score": None,
    "tags": ["best"],
    "age": 7_000.0,
}


def holds(source: str) -> bool:
    return Query(source, ROW).holds(ROW.__getitem__)


@pytest.mark.parametrize(
    "source",
    [
        'args.topic == "otters" and tokens > 500',
        "args['topic'] == 'otters'",
        "500 < tokens <= 510 < number * 100",
        "status in ('ok', 'raised') and not status == 'raised'",
        "'best' in tags and len(tags) == 1",
        "args.style.tone == 'calm'",
        "output.title.lower().startswith('of')",
        "startswith(output.title, 'Of') and endswith(output.title, 's') and lower(output.title) == 'of otters'",
        "contains(output.title, 'otter') and matches(output.title, '^Of +o')",
        "any(tag == 'fur' for tag in output.tags)",
        "'otters' in text(output) and upper(status) == 'OK'",
        "hours(1) < age < days(1) and age > minutes(5)",
    ],
)
def test_true_of_the_row(source: str) -> None:
    """What Python would say, with attributes for keys."""

    assert holds(source)


@pytest.mark.parametrize(
    "source",
    [
        "score > 0.5",
        "score <= 0.5",
        "args.nothing == 'x'",
        "args.nothing.deeper > 3",
        "args.topic > 3",
        "'x' in score",
        "score + 1 > 0",
        "len(score) > 0",
        "output.tags[9] == 'fur'",
        "tokens / 0 > 1",
        "matches(tokens, '5')",
        "lower(score) == 'x'",
        "max([]) == 1",
    ],
)
def test_what_is_missing_does_not_hold(source: str) -> None:
    """A field that is not there, or of another type, fails its comparison and not the query."""

    assert not holds(source)
    assert holds(f"({source}) or number == 7")


def test_nothing_is_in_what_is_missing() -> None:
    """`not in` is the opposite of `in`, also where there is nothing to look into."""

    assert holds("'x' not in score")
    assert holds("score is None and args.nothing is None and args.nothing != 'x'")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("tokns > 5", "there is no column tokns, at column 1"),
        ("tokens > 5 and stats == 'ok'", "there is no column stats, at column 16"),
        ("status == ok", "there is no column ok, at column 11"),
        ("status = 'ok'", "it is not an expression: invalid syntax"),
        ("", "it is not an expression"),
        ("lenn(output) > 5", "lenn() may not be called, at column 1"),
        ("matches(output.title, '(')", "is no regular expression"),
        ("output.__class__ == 1", "names that begin with two underscores"),
        ("(lambda: 1)()", "what is called is a function"),
        ("__import__('os')", "names that begin with two underscores"),
        ("lower(status, status)", "takes 1 arguments here, not 2"),
    ],
)
def test_faults_are_told_with_their_place(source: str, said: str) -> None:
    """A query that cannot be meant is refused before any row is looked at."""
    with pytest.raises(QueryRefused) as caught:
        Query(source, ROW)

    assert said in str(caught.value)
    assert 2 == caught.value.exit_code


@pytest.mark.parametrize(
    ("source", "hint"),
    [("tokns > 5", "Did you mean tokens?"), ("status == ok", 'Text stands in quotes: "ok"'), ("score == null", "Did you mean None?")],
)
def test_hints(source: str, hint: str) -> None:
    """The hint says what to type."""
    with pytest.raises(GvError) as caught:
        Query(source, ROW)

    assert caught.value.hint.startswith(hint)


def test_bombs_are_stopped() -> None:
    """The bounds are those of expressions."""
    with pytest.raises(QueryStopped):
        holds("len([x for x in range(99999) for y in range(99999)]) > 1")


def test_what_a_query_reads_and_what_must_stand_there() -> None:
    """Columns in order of their use, and texts without which it cannot hold."""
    query = Query("status == 'ok' and 'a' in args.x and args.y['z'] == 'b' and tokens > 3 and contains(output, 'c') and 'd' in tags", ROW)

    assert ("status", "args", "tokens", "output", "tags") == query.keys
    assert ["ok", "a", "b", "c"] == query.texts({"status", "args", "output"})
    assert ["ok"] == Query("'ok' == status", ROW).texts({"status"})
    for source in ("status == 'ok' or number == 7", "lower(status) == 'ok'", "status != 'ok'", "'ok' not in status", "not status == 'ok'"):
        assert [] == Query(source, ROW).texts({"status"})
