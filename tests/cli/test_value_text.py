"""Values on one line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli.value_text import MARK, WHOLE, arguments_line, value_block, value_line
from gvstore.objects.number import FUNCTION
from gvstore.objects.placeholder import Opaque, Unresolved

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_short_values_read_as_python(value: object) -> None:
    """What fits is Python's own spelling."""
    expected = repr(value)
    if len(expected) <= 400:
        assert expected == value_line(value, 400)


@given(PLAIN, st.integers(8, 100))
def test_long_values_are_cut(value: object, width: int) -> None:
    """A line never exceeds its width."""

    assert len(value_line(value, width)) <= width


@dataclass
class Topic:
    """A record whose repr must not be called."""

    name: str

    def __repr__(self) -> str:
        raise AssertionError("never called")


def test_records_show_their_fields() -> None:
    """Read, not asked."""

    assert "Topic(name='otters')" == value_line(Topic("otters"))
    assert "Topic(name='otters')" == value_line(Unresolved(8, "story:Topic", ("name", "otters")))
    assert "<opaque socket.socket>" == value_line(Opaque("socket.socket"))
    assert "[1.50, ValueError('no')]" == value_line([Decimal("1.50"), ValueError("no")])
    assert "frozenset({1})" == value_line(frozenset({1}))


def test_long_bytes_are_folded() -> None:
    """How many they are is what a reader wants to know; whole they are where all is asked for."""
    image = b"\x89PNG" + bytes(5000)

    assert "b'\\x89PNG\\x00\\x00\\x00\\x00…' (5.0 kB)" == value_line(image)
    assert ["[b'\\x89PNG\\x00\\x00\\x00\\x00…' (5.0 kB), 1]"] == list(value_block([image, 1]))
    assert repr(image) == value_line(image, WHOLE)
    assert repr(image) in "".join(value_block([image, 1], full=True))


def test_functions_and_types_are_named() -> None:
    """Also those of a program that is not loaded."""

    assert "<function os.path.join>" == value_line(Unresolved(FUNCTION, "os.path:join", ()))
    assert "<function tests.cli.test_value_text.test_functions_and_types_are_named>" == value_line(
        test_functions_and_types_are_named, 100
    )


def test_arguments_share_the_width() -> None:
    """Long arguments are cut, the short ones stay."""

    assert "n=3, topic='otters'" == arguments_line({"n": 3, "topic": "otters"})
    assert "3, topic='otters'" == arguments_line({"n": 3, "topic": "otters"}, bare=1)
    assert "a='xxxxxxxxxxxxxxxxxxxxxx…, n=3" == arguments_line({"a": "x" * 500, "n": 3}, 31)
    assert 64 == len(arguments_line({"a": "x" * 500, "n": 3, "b": "y" * 500, "stop": ()}, 64))
    assert "a='xxxxxxxxxxxxxx…, b='yyyyyyyyyyyyyy…" == arguments_line({"a": "x" * 500, "b": "y" * 500}, 24)


def test_nothing_moves_the_cursor() -> None:
    """An escape sequence in a name or a text stays text."""

    assert "\x1b" not in value_line(Unresolved(16, "m:\x1b[2J", ()))


def test_blocks_are_whole() -> None:
    """A text is itself; what is too long for a line is taken apart; nothing is cut."""
    long = "x" * 5000

    assert ["one", "two", ""] == list(value_block("one\ntwo\n"))
    assert ["[1, 2]"] == list(value_block([1, 2]))
    assert ["{", "    'a': [", f"        '{long}',", "        2,", "    ],", "}"] == list(value_block({"a": [long, 2]}))
    assert ["Topic(", f"    name='{long}',", ")"] == list(value_block(Topic(long)))


def test_deep_values_are_no_event() -> None:
    """Depth ends in a mark, not in a RecursionError."""
    value: list[object] = ["x" * 200]
    for _ in range(900):
        value = [value]

    assert MARK in "".join(value_block(value))
    assert MARK in value_line(value)
