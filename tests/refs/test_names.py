from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.refs.fault import BadRefName
from gvstore.refs.names import branch_ref, check_ref_name, folded, folders, run_ref, short_name


@pytest.mark.parametrize(
    "name", ["main", "feature/a", "v1.0", "ümläut", "a_b-c", "日本", "a@b", "run", "release/2026.11", "x"]
)
def test_good_names(name: str) -> None:
    """What git takes and no rev grammar needs can name a branch."""

    assert f"refs/heads/{name}" == branch_ref(name)
    assert name == short_name(branch_ref(name))


@pytest.mark.parametrize(
    "name",
    [
        *["", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock"],
        *[
            "a.LOCK/b",
            "a.",
            "@",
            "a@{1}",
            "-a",
            "a/-b",
            "a\nb",
            "a\x7f",
            "a\0",
            "\udcff",
            "x" * 300,
            "HEAD",
            "RUN",
            "7",
        ],
        *[
            "007",
            "run/7",
            "ab" * 32,
            "a\u200bb",
            "RUN/12",
            "../x",
            "a/../b",
            "a\u2028b",
            "/".join(["aaaaaaaaaa"] * 100),
        ],
    ],
)
def test_bad_names(name: str) -> None:
    """What would be read as something else, or breaks git's grammar, names no branch."""
    with pytest.raises(BadRefName):
        branch_ref(name)


@pytest.mark.parametrize(
    "name", ["refs/", "refs/foo/x", "heads/main", "refs/heads", "main", "refs/runs/07", "refs/runs/x", "refs/runs/0"]
)
def test_bad_full_names(name: str) -> None:
    """A ref is HEAD, RUN, or stands in a known folder."""
    with pytest.raises(BadRefName):
        check_ref_name(name)


def test_special_names() -> None:
    """HEAD, RUN and runs are refs."""

    assert ["HEAD", "RUN", "refs/runs/12"] == [check_ref_name(n) for n in ("HEAD", "RUN", run_ref(12))]
    assert "run/12" == short_name(run_ref(12))
    assert ["refs/heads/a", "refs/heads", "refs"] == folders("refs/heads/a/b")
    assert folded("Straße") == folded("STRASSE") and folded("e\u0301") == folded("\u00e9")


ALPHABET = st.sampled_from("abAB0./-@{~^:?*[\\ \x01é_")


@given(st.lists(st.text(ALPHABET, max_size=8), min_size=1, max_size=200))
def test_stricter_than_git(names: list[str]) -> None:
    """git takes every name that we take."""
    taken = []
    for name in names:
        try:
            taken.append(branch_ref(name))
        except BadRefName:
            continue
    for ref in taken[:1]:  # a process each
        assert 0 == subprocess.run(["git", "check-ref-format", ref], check=False).returncode
