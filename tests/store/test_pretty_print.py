"""Values for people to read."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from gvstore.store.pretty_print import PPrinter, PPValue, pformat, pprint
from gvstore.store.ref import Ref
from gvstore.store.store import InMemoryStore
from tests.store.program import Bare, Counter, Plan


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (3.14, "3.14"),
        (b"hello", "<5 bytes>"),
        ("hello", "'hello'"),
        ([], "[]"),
        ([1], "[1]"),
        ([1, 2, 3], "[\n  1\n  2\n  3]"),
        ({"a": 1, "b": 2}, "{\n  a: 1\n  b: 2}"),
        ({1: "x", "a:": None}, "{\n  1: 'x'\n  'a:': None}"),
        ((1, 2), "TupleWrapper:\n  value:\n    [\n      1\n      2]"),
        (Plan(1), "Plan(topic=1, steps=None)"),
        (Plan([1, 2], b"x"), "Plan:\n  topic:\n    [\n      1\n      2]\n  steps: <1 bytes>"),
        (Counter(3), "CounterWrapper(count=3)"),
        (Plan, "Plan"),
        (datetime.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
    ],
)
def test_values(value: Any, text: str) -> None:
    """One line where it is short, else one line a part."""
    assert text == pformat(value)


def chain() -> tuple[Ref[Any], list[str]]:
    """Returns a list of three nodes by reference, and the short digests from the top."""
    store = InMemoryStore()
    bottom = store.commit(Plan(3))
    middle = store.commit(Plan(2, bottom))
    top = store.commit(Plan(1, middle))
    return top, [each.digest[:6] for each in (top, middle, bottom)]


def test_references_show_what_they_lead_to(capsys: pytest.CaptureFixture[str]) -> None:
    """Type, short digest, and the value below; as deep as is asked for."""
    top, (a, b, c) = chain()
    whole = f"-> Plan#{a}:\n  topic: 1\n  steps:\n    -> Plan#{b}:\n      topic: 2\n      steps: -> Plan(topic=3, steps=None)#{c}"

    assert whole == pformat(top)
    assert f"-> Plan#{a}:\n  topic: 1\n  steps: -> Plan#{b}" == pformat(top, max_ref_depth=1)
    assert f"-> Plan#{a}" == pformat(top, max_ref_depth=0)
    pprint(top)
    assert whole + "\n" == capsys.readouterr().out


def test_references_met_before_can_be_skipped() -> None:
    """They are named again, not shown again."""
    ref = InMemoryStore().commit(Plan([1, 2]))
    text = pformat([ref, ref], skip_repeated_refs=True)

    assert 1 == text.count("topic")
    assert text.endswith(f"-> Plan#{ref.digest[:6]}]")
    assert 2 == pformat([ref, ref]).count("topic")


def test_what_leads_nowhere_is_named() -> None:
    """No store, no value, no encoding: text all the same, also of what holds itself."""
    cycle: list[Any] = []
    cycle.append(cycle)

    assert "-> #123456" == pformat(Ref("1234567890"))
    assert "Bare object" in pformat([Bare()])
    assert "..." in pformat(cycle)


def test_a_program_formats_its_own_types() -> None:
    """The formatter registered last is asked first."""
    printer = PPrinter(offset=1)
    printer.register(Counter, lambda value, depth: PPValue(f"{value.hidden[0]} at {depth}"))
    printer.register(int, lambda value, depth: PPValue(hex(value)))

    assert "[\n 0x10\n 3 at 1]" == printer.pformat([16, Counter(3)])
