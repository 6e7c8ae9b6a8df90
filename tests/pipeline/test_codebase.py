"""A codebase as text: sorted, condensed, in bounds and in chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline.codebase import chunks, condense, debug_input, modify_input, readme_input, readme_of, text_of

FILES = {
    "main.py": b"import b\n\n\n\nif b.x:  \n    print('yes')\r\n",
    "b.py": b"x = 1\n",
    "a/z.txt": "é\n".encode(),
    "logo.png": b"\x89PNG\0\1",
    "old.txt": b"\xff\xfe",
    "empty/__init__.py": b"",
}


def test_condensed() -> None:
    """Sorted by path; lines and indentation stay, what is no text is told."""
    assert (
        "----a/z.txt----\né\n"
        "----b.py----\nx = 1\n"
        "----empty/__init__.py----\n\n"
        "----logo.png----\n[6 bytes that are no text]\n"
        "----main.py----\nimport b\n\nif b.x:\n    print('yes')\n"
        "----old.txt----\n[2 bytes that are no text]\n"
    ) == condense(FILES)
    assert "" == condense({})


def test_a_file_that_was_cut_within_a_character() -> None:
    """It is text up to there."""
    assert "é" == text_of("éé".encode()[:3])


def test_condensed_within_a_limit() -> None:
    """The longest files give first."""
    files = {"long.py": b"x = 1\n" * 1000, "short.py": b"y = 2\n"}
    text = condense(files, limit=500)

    assert 400 < len(text) <= 500
    assert "more characters]" in text and text.endswith("----short.py----\ny = 2\n")
    assert condense(files) == condense(files, limit=10_000)
    with pytest.raises(ValueError, match="10 characters"):
        condense(files, limit=10)


NAMES = st.from_regex(r"[a-z]{1,12}\.py", fullmatch=True)
CONTENTS = st.one_of(st.text(alphabet="ab \n", max_size=400).map(str.encode), st.binary(max_size=30))


@given(st.dictionaries(NAMES, CONTENTS, max_size=30), st.integers(100, 2000))
def test_a_limit_is_kept(files: dict[str, bytes], limit: int) -> None:
    """Whatever the files; each that is not named is counted."""
    text = condense(files, limit=limit)

    assert len(text) <= limit
    named = sum(f"----{path}----\n" in text for path in files)
    counted = len(files) - named
    assert not counted or f"[{counted} more files]" in text or f"[{counted} files]" in text


@given(st.dictionaries(NAMES, CONTENTS, max_size=8), st.integers(80, 600))
def test_chunks(files: dict[str, bytes], limit: int) -> None:
    """Each within the limit; together they say what the condensed codebase says."""
    found = chunks(files, limit)

    assert all(0 < len(chunk) <= limit for chunk in found)
    bare = "".join(line for chunk in found for line in chunk.split("\n") if not line.startswith("----"))
    assert "".join(text_of(files[path]) for path in sorted(files)).replace("\n", "") == bare
    whole = condense(files)
    assert len(whole) > limit or whole == "".join(found)


def test_chunks_of_one_file() -> None:
    """Cut at lines, parts are numbered."""
    found = chunks({"main.py": b"".join(b"line %d\n" % n for n in range(20))}, 100)

    assert found[0].startswith("----main.py (part 1 of 3)----\nline 0\n")
    assert all(chunk.split("\n")[1].startswith("line") for chunk in found)
    with pytest.raises(ValueError, match="no room"):
        chunks({"x" * 90: b"y" * 100}, 100)


def test_inputs() -> None:
    """OrchestrAI's words, where it had some."""
    assert "CODE: x\n -- User Instructions --add y" == modify_input("CODE: x", "add y")
    assert "CODE: x\n -- Codebase --\nc\n -- Error --\ne" == debug_input("CODE: x", "c", "e")
    assert "CODE: x" == readme_input("CODE: x", FILES, limit=200)
    assert condense(FILES, limit=200) == readme_input("x" * 201, FILES, limit=200)


@pytest.mark.parametrize(
    "answer",
    ["# T\n\n```sh\nx\n```\nEnd.", "```markdown\n# T\n\n```sh\nx\n```\nEnd.\n```", "Here:\n\nREADME.md\n```\n# T\n\n```sh\nx\n```\nEnd.\n```\nDone."],
)
def test_a_readme_in_an_answer(answer: str) -> None:
    """All of it, or what is in the fence around it, or the file of that name."""
    assert "# T\n\n```sh\nx\n```\nEnd.\n" == readme_of(answer)


def test_an_empty_answer_is_an_empty_readme() -> None:
    """Not a line."""
    assert "" == readme_of(" \n")
