"""All that is wrong with a machine is told at once: what, where, and what to type."""

from __future__ import annotations

from typing import Any

import pytest

from gvstore.machine.condition import expr, on_error, when
from gvstore.machine.finding import Finding, MachineFault
from gvstore.machine.graph import GraphBuilder
from tests.machine.act import Act, acting


def kinds(findings: list[Finding]) -> list[tuple[str, bool]]:
    """What was found, and whether it is fatal."""
    return [(finding.kind, finding.fatal) for finding in findings]


def small(**actions: Act) -> GraphBuilder:
    """a and b, and more."""
    return GraphBuilder().with_actions(a=Act(writes=("x",)), b=Act(reads=("x",)), **actions)


def test_the_cow_as_it_was_written() -> None:
    """The first program of the seed: every undeclared name is told, once for a transition, with the near ones."""
    say = Act(writes=("cow_said",))
    builder = (
        GraphBuilder()
        .with_actions(cow_should_speak=Act(writes=("cow_should_speak",)), cow_says_nothing=say, cow_says_hello=say)
        .with_transitions(
            ("cow_should_speak", "cow_say_hello", when(cow_should_speak=True)),
            ("cow_should_speak", "cow_say", when(cow_should_speak=False)),
            (["cow_say_hello", "cow_silent"], "cow_should_speak"),
        )
    )

    with pytest.raises(MachineFault) as caught:
        builder.build()
    told = [f for f in caught.value.findings if f.fatal]
    assert ["unknown-action"] * 4 == [f.kind for f in told]
    assert ["cow_say_hello", "cow_say", "cow_say_hello", "cow_silent"] == [f.what.split()[2] for f in told]
    assert "Did you mean cow_says_hello?" == told[0].remedy
    assert "Add it: with_actions(cow_silent=...), or did you mean cow_says_nothing?" == told[3].remedy
    assert 'transition 1: ("cow_should_speak", "cow_say_hello", when(cow_should_speak=True))' == told[0].where
    assert "cow_says_" in told[1].remedy
    assert "findings in this machine:\n  1. the target cow_say_hello is not found among the actions" in str(caught.value)


def test_a_sound_machine_has_no_findings() -> None:
    """Nothing is said of what is well."""
    builder = small().with_transitions(("a", "b", expr("x > 1")), ("a", "a", on_error(OSError, max=3)), ("a", "a"))

    assert [] == builder.findings(state_keys=(), halts=["b", "a"])


CASES: list[tuple[Any, dict[str, Any], list[tuple[str, bool]], str]] = [
    (lambda: small().with_transitions(("a", "c")), {}, [("unknown-action", True), ("unreachable-action", False)], "c is not found"),
    (lambda: small().with_actions(Act("a")).with_transitions(("a", "b")), {}, [("duplicate-action", True)], "a is duplicated"),
    (lambda: small().with_transitions(("a", "b"), ("a", "a")), {}, [("two-defaults", True)], "redundant"),
    (lambda: small().with_transitions(("a", "b"), ("a", "a", when(x=1))), {}, [("dead-transition", True)], "unreachable: transition 1"),
    (lambda: small().with_transitions(("a", "b"), (["a", "b"], "a", when(x=1))), {}, [("dead-transition", True)], "unreachable"),
    (lambda: small().with_transitions(("a", "b"), ("a", "a", on_error(OSError))), {}, [], ""),
    (
        lambda: small().with_transitions(("a", "b"), ("a", "a", on_error(OSError)), ("a", "b", on_error(TimeoutError))),
        {},
        [("dead-transition", True)],
        "unreachable: transition 2",
    ),
    (lambda: small(), {}, [("unreachable-action", False)], "nothing leads from a to b"),
    (lambda: small().with_transitions(("b", "a")), {"entrypoint": "b"}, [], ""),
    (lambda: small().with_transitions(("a", "b")), {"entrypoint": "bb"}, [("unknown-action", True), ("unreachable-action", False)], "the entrypoint bb"),
    (lambda: small(c=Act(reads=("y",))).with_transitions(("a", "b"), ("b", "c")), {"state_keys": ()}, [("unwritten-read", True)], "c reads y, which nobody writes"),
    (lambda: small(c=Act(reads=("y",))).with_transitions(("a", "b"), ("b", "c")), {"state_keys": ["y"]}, [], ""),
    (lambda: small(c=Act(reads=("y",))).with_transitions(("a", "b"), ("b", "c")), {}, [], ""),
    (lambda: small().with_transitions(("a", "b", when(z=1))), {"state_keys": ()}, [("unwritten-read", True)], "the condition z=1 reads z"),
    (lambda: small().with_transitions(("b", "a")), {"entrypoint": "b", "state_keys": ()}, [("early-read", False)], "when b is first come to"),
    (lambda: small().with_transitions(("a", "b", on_error(OSError))), {"state_keys": ()}, [("early-read", False)], "when b is first come to"),
    (
        lambda: small(c=Act(writes=("z",))).with_transitions(("a", "b", when(z=1)), ("a", "c")),
        {"state_keys": ()},
        [("early-read", False)],
        "the condition z=1 reads z, which is not there when it is first asked",
    ),
    (lambda: small().with_transitions(("a", "b")), {"halts": ["bb"]}, [("unknown-halt", True)], "action bb not found"),
    (lambda: small().with_transitions(("a", "b")), {"halts": ["@tag:t"]}, [("unknown-halt", True)], "tag t not found"),
    (lambda: small(), {"halts": ["b"]}, [("unreachable-action", False), ("unreachable-halt", True)], "nothing leads"),
    (lambda: small(), {"halts": ["b", "a"]}, [("unreachable-action", False), ("unreachable-halt", False)], "nothing leads"),
    (lambda: small().with_transitions(("a", "b"), "ab"), {}, [("no-transition", True)], "not a transition"),
    (lambda: small().with_transitions(("a", "b"), ("a",)), {}, [("no-transition", True)], "not a transition"),
    (lambda: small().with_transitions(("a", "b"), ([], "a")), {}, [("no-transition", True)], "without a source"),
    (lambda: small().with_transitions(("a", "b", "x > 1"), ("a", "b")), {}, [("no-condition", True)], "Type expr('x > 1')"),
    (lambda: small().with_transitions(("a", "b", {"x": 1}), ("a", "b")), {}, [("no-condition", True)], "Type when(x=1)"),
    (lambda: small().with_transitions(("a", "b", OSError), ("a", "b")), {}, [("no-condition", True)], "Type on_error(OSError)"),
    (lambda: small().with_transitions(("a", "b", True), ("a", "b")), {}, [("no-condition", True)], "Leave it out"),
    (lambda: small().with_transitions(("a", "b", print), ("a", "b")), {}, [("no-condition", True)], "Condition.lmda(print, "),
    (lambda: small().with_transitions(("a", "b"), (print, "a")), {}, [("no-name", True)], 'Type its name: "print"'),
    (lambda: small().with_transitions(("a", "b"), ("b", "*")), {}, [("no-name", True)], "is no target"),
    (lambda: small().with_actions(print).with_transitions(("a", "b")), {}, [("no-action", True)], "print is not a valid action"),
    (lambda: small().with_actions(c=Act).with_transitions(("a", "b"), ("b", "c")), {}, [("no-action", True)], "Type with_actions(c=Act(...))"),
    (lambda: small().with_actions(c=lambda s: s).with_transitions(("a", "b")), {}, [("no-action", True)], "it is a lambda"),
    (lambda: small().with_actions(c=3).with_transitions(("a", "b")), {}, [("no-action", True)], "it is int: 3"),
    (lambda: small().with_actions(Act()).with_transitions(("a", "b")), {}, [("unnamed-action", True)], "has no name"),
    (lambda: small().with_actions(d=Act("c")).with_transitions(("a", "b")), {}, [("renamed-action", True)], "d has another name already"),
    (lambda: GraphBuilder(), {}, [("no-action", True)], "at least one action"),
]


@pytest.mark.parametrize(("make", "context", "expected", "told"), CASES)
def test_what_is_found(make: Any, context: dict[str, Any], expected: list[tuple[str, bool]], told: str) -> None:
    """One mistake, one finding; with its remedy."""
    findings = make().findings(**context)

    assert expected == kinds(findings)
    assert told in "\n".join(map(str, findings))
    assert all(f.what and f.remedy for f in findings)


def test_everything_at_once() -> None:
    """Faults of all kinds in one machine are told together."""

    @acting(reads=("missing",))
    def lonely() -> None: ...

    builder = small().with_actions(lonely, max, a=Act()).with_transitions(("a", "bee"), ("a", "b", "x"), ("a", "b"), ("a", "b"), 3)
    with pytest.raises(MachineFault) as caught:
        builder.build()

    assert {
        "no-action",
        "no-condition",
        "no-transition",
        "duplicate-action",
        "unknown-action",
        "two-defaults",
    } <= {finding.kind for finding in caught.value.findings}
    assert isinstance(caught.value, ValueError)
    assert 2 == caught.value.exit_code
