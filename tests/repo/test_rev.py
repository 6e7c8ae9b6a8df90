from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.errors import BadRev
from gvstore.repo.moment import parse_moment
from gvstore.repo.rev import (
    Base,
    BaseKind,
    Call,
    MalformedRev,
    Rev,
    Step,
    format_call,
    format_rev,
    parse_call,
    parse_rev,
)
from tests.repo.conftest import NOW_US


@pytest.mark.parametrize(
    ("text", "rev"),
    [
        ("HEAD", Rev(Base(BaseKind.HEAD, "HEAD"))),
        ("@", Rev(Base(BaseKind.HEAD, "@"))),
        ("@~1", Rev(Base(BaseKind.HEAD, "@"), (Step("~", 1),))),
        ("main~2^", Rev(Base(BaseKind.NAME, "main"), (Step("~", 2), Step("^", 1)))),
        ("v1.0^0", Rev(Base(BaseKind.NAME, "v1.0"), (Step("^", 0),))),
        ("main@{1}", Rev(Base(BaseKind.NAME, "main"), (Step("@", 1),))),
        ("@{1}", Rev(Base(BaseKind.CURRENT, ""), (Step("@", 1),))),
        ("@{-2}~1", Rev(Base(BaseKind.CURRENT, ""), (Step("@", -2), Step("~", 1)))),
        ("main@{10:02:11}:a", Rev(Base(BaseKind.NAME, "main"), (Step("@", 0, "10:02:11"),), ":", "a")),
        ("v1^{}~1", Rev(Base(BaseKind.NAME, "v1"), (Step("{", 0, ""), Step("~", 1)))),
        ("v1^{commit}", Rev(Base(BaseKind.NAME, "v1"), (Step("{", 0, "commit"),))),
        ("@^{/a: b}^2", Rev(Base(BaseKind.HEAD, "@"), (Step("{", 0, "/a: b"), Step("^", 2)))),
        (":/fix the", Rev(Base(BaseKind.RUN, ""), (), ":", "/fix the")),
        ("7", Rev(Base(BaseKind.NUMBER, "7", 7))),
        ("run/7", Rev(Base(BaseKind.NUMBER, "run/7", 7))),
        ("run/7:", Rev(Base(BaseKind.NUMBER, "run/7", 7), (), ":", "")),
        ("RUN~1:0.2/output", Rev(Base(BaseKind.RUN, "RUN"), (Step("~", 1),), ":", "0.2/output")),
        (":0.2", Rev(Base(BaseKind.RUN, ""), (), ":", "0.2")),
        ("RUN@{yesterday}", Rev(Base(BaseKind.RUN, "RUN"), (Step("@", 0, "yesterday"),))),
        ("HEAD:a:b", Rev(Base(BaseKind.HEAD, "HEAD"), (), ":", "a:b")),
        ("main::agent.f", Rev(Base(BaseKind.NAME, "main"), (), "::", "agent.f")),
        ("::f", Rev(Base(BaseKind.HEAD, ""), (), "::", "f")),
        ("feature/a-b@{0}", Rev(Base(BaseKind.NAME, "feature/a-b"), (Step("@", 0),))),
        ("9f31c2ab", Rev(Base(BaseKind.NAME, "9f31c2ab"))),
    ],
)
def test_revs_of_the_design(text: str, rev: Rev) -> None:
    """Each form is taken apart as meant; formatting puts it together again."""

    assert rev == parse_rev(text)
    assert rev == parse_rev(format_rev(rev))


@pytest.mark.parametrize(
    "text",
    ["", " ", "~1", "^", "main~x", "main@{}", "main@{1", "a b", "-x", "a\nb", "main^{commit}x", "a*", "x" * 9000, "\0"],
)
def test_no_revs(text: str) -> None:
    """What is no rev is told with exit 12."""
    with pytest.raises(MalformedRev) as caught:
        parse_rev(text)

    assert 12 == caught.value.exit_code


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("", Call()),
        ("0", Call((0,))),
        ("0.2", Call((0, 2))),
        ("llm.chat.3", Call((), "llm.chat", 3)),
        ("roll", Call((), "roll")),
        ("0.2/output", Call((0, 2), part=("output",))),
        ("/args/topic", Call(part=("args", "topic"))),
        ("roll.0/state/history", Call((), "roll", 0, ("state", "history"))),
        ("<notebook>.f.1/raised", Call((), "<notebook>.f", 1, ("raised",))),
    ],
)
def test_calls_of_the_design(text: str, call: Call) -> None:
    """Index paths, components with their count, and parts."""

    assert call == parse_call(text)
    assert text == format_call(call)


@pytest.mark.parametrize("text", ["0..2", ".", "a//b", "0.2//", "a."])
def test_no_calls(text: str) -> None:
    """What is no call is told."""
    with pytest.raises(MalformedRev):
        parse_call(text)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_/.-]{0,12}", fullmatch=True).filter(lambda name: name not in ("HEAD", "RUN"))
BASES = st.one_of(
    st.builds(lambda text: parse_rev(text).base, NAMES),
    st.sampled_from([Base(BaseKind.HEAD, "HEAD"), Base(BaseKind.HEAD, "@"), Base(BaseKind.RUN, "RUN")]),
    st.integers(0, 10**18).map(lambda n: Base(BaseKind.NUMBER, f"run/{n}", n)),
    st.integers(0, 10**18).map(lambda n: Base(BaseKind.NUMBER, str(n), n)),
)
SIGNS = st.sampled_from(["~", "^"])
BACK: Literal["@"] = "@"
STEPS = st.lists(
    st.one_of(
        st.builds(Step, SIGNS, st.integers(0, 99)),
        st.builds(lambda n: Step(BACK, n), st.integers(-9, 99)),
        st.sampled_from(["yesterday", "2 hours ago", "2026-11-20T10:02:11Z"]).map(lambda when: Step(BACK, 0, when)),
        st.sampled_from(["", "commit", "tree", "/fix it"]).map(lambda wanted: Step("{", 0, wanted)),
    ),
    max_size=4,
).map(tuple)
TAILS = st.one_of(
    st.just(("", "")),
    st.tuples(st.just(":"), st.text(max_size=9).filter(lambda t: not t.startswith(":") and "\0" not in t)),
    st.tuples(st.just("::"), st.text(max_size=9).filter(lambda t: "\0" not in t)),
)


@given(BASES, STEPS, TAILS)
def test_round_trip(base: Base, steps: tuple[Step, ...], tail: tuple[Literal["", ":", "::"], str]) -> None:
    """parse(format(rev)) == rev."""
    rev = Rev(base, steps, *tail)

    assert rev == parse_rev(format_rev(rev))


CALLS = st.one_of(
    st.lists(st.integers(0, 10**6), max_size=4).map(lambda path: Call(tuple(path))),
    st.builds(
        lambda name, nth: Call((), name, nth),
        st.from_regex(r"[a-z_]+(\.[a-z_]+){0,2}", fullmatch=True),
        st.none() | st.integers(0, 99),
    ),
)
PARTS = st.lists(st.text(st.characters(exclude_characters="/"), min_size=1, max_size=5), max_size=3).map(tuple)


@given(CALLS, PARTS)
def test_call_round_trip(call: Call, part: tuple[str, ...]) -> None:
    """parse(format(call)) == call."""
    call = Call(call.path, call.name, call.nth, part)

    assert call == parse_call(format_call(call))


@given(st.text(st.sampled_from("ab~^@{}:/.0179-HEADRUN \n"), max_size=12))
def test_any_text_is_a_rev_or_a_bad_rev(text: str) -> None:
    """Whatever is typed, no other exception comes."""
    try:
        rev = parse_rev(text)
    except BadRev:
        return
    assert rev == parse_rev(format_rev(rev))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", 0),
        ("yesterday", 86400),
        ("2 hours ago", 7200),
        ("1 day", 86400),
        ("3.weeks.ago", 1814400),
        ("90 minutes ago", 5400),
    ],
)
def test_moments(text: str, seconds: int) -> None:
    """Times as people say them, seen from now."""

    assert NOW_US - seconds * 10**6 == parse_moment(text, NOW_US)
    assert NOW_US == parse_moment("2026-11-20T10:02:11Z", 0) == parse_moment("2026-11-20 10:02:11", 0)
    assert parse_moment("soon", 0) is None
