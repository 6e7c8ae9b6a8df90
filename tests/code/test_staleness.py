"""compare_code: fresh, stale with its reason, or unknown."""

from __future__ import annotations

from dataclasses import replace

from gvstore.code.definition import read_definition
from gvstore.code.identity import CodeIdentity, identity_of
from gvstore.code.module import ModuleText
from gvstore.code.staleness import Fresh, Reason, Stale, Unknown, compare_code
from gvstore.compare.text import Side


def identity(text: str) -> CodeIdentity:
    module = ModuleText.of(text)
    return identity_of(read_definition(module, module.sites[0]), "story")


OLD = identity('def revise(text):\n    "Improves."\n    return ask("Revise: " + text)\n')


def test_the_same_code_is_fresh() -> None:
    """Also when it was laid out or documented anew, or renamed."""

    assert Fresh() == compare_code(OLD, OLD)
    assert Fresh(rewritten=True) == compare_code(
        OLD, identity("def improve(text):\n  return ask('Revise: ' + text)  # better\n")
    )


def test_changed_code_is_stale_and_shows_the_change() -> None:
    """The reason is its own text, and the diff says which line."""
    verdict = compare_code(OLD, identity('def revise(text):\n    "Improves."\n    return ask("Shorten: " + text)\n'))

    assert isinstance(verdict, Stale)
    assert (Reason.OWN, "story.revise") == (verdict.reason, verdict.name)
    assert "story.revise changed" == str(verdict)
    assert [
        (Side.OLD, '    return ask("Revise: " + text)'),
        (Side.NEW, '    return ask("Shorten: " + text)'),
    ] == [(line.side, line.text) for line in verdict.diff.hunks[0].lines if line.side is not Side.BOTH]


def test_without_source_nothing_is_known() -> None:
    """Neither fresh nor stale is guessed, and it is said on which side the source is missing."""
    gone = replace(OLD, source="", text=b"", own=b"")

    assert Unknown("story.revise", "now") == compare_code(OLD, gone)
    assert Unknown("story.revise", "then") == compare_code(gone, OLD)
    assert "the code of story.revise is not known as it is now" == str(compare_code(OLD, gone))
