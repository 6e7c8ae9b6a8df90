"""Files out of a model's answer: the forms that are read, and what is told of the rest."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline.extract import Extraction, collect, extract
from gvstore.pipeline.refusal import AnswerRefused

BODY = "print(1)\n"


def files(answer: str) -> dict[str, str]:
    """Returns path -> content of what an answer holds."""
    return {file.path: file.content for file in extract(answer).files}


def kinds(extraction: Extraction) -> list[tuple[str, int]]:
    """Returns (kind, line) of its faults."""
    return [(fault.kind, fault.line) for fault in extraction.faults]


@pytest.mark.parametrize(
    "before",
    [
        "main.py",
        "main.py\n",
        "main.py\n\n  \n",
        "`main.py`",
        "`main.py`:",
        "**main.py**",
        "**main.py:**",
        "**`main.py`**",
        "### main.py",
        "#### File: `main.py` (new)",
        "**File:** main.py",
        "File: main.py",
        "1. main.py:",
        "1. **Create `main.py`**",
        "- main.py",
        "[main.py]",
        "<main.py>",
        "[main.py](https://example.org/x)",
        "./main.py",
        "Here is the whole of main.py:",
        "main.py (changed)",
        "First `pip install x`, then main.py",
        "Here is `main.py`, as you asked:",
    ],
)
def test_a_path_before_the_block(before: str) -> None:
    """OrchestrAI's form, and how models vary it."""
    assert {"main.py": BODY} == files(f"Some words.\n\n{before}\n```python\n{BODY}```\nMore.\n")


@pytest.mark.parametrize(
    "info",
    ["python main.py", "main.py", "python:main.py", 'python title="main.py"', "python filename=main.py", "{.python file=main.py}"],
)
def test_a_path_in_the_fence(info: str) -> None:
    """It goes before one in front of the block."""
    assert {"main.py": BODY} == files(f"As said in notes.md\n```{info}\n{BODY}```\n")


@pytest.mark.parametrize("comment", ["# main.py", "// src/a.js", "# file: main.py", "<!-- index.html -->", "/* style.css */"])
def test_a_path_in_the_first_comment(comment: str) -> None:
    """It is part of the content too."""
    content = f"{comment}\n{BODY}"
    path = next(word for word in comment.split() if "." in word)

    assert {path: content} == files(f"Here it is:\n```\n{content}```\n")


@pytest.mark.parametrize(
    ("before", "info"),
    [
        ("Write it here:", "python"),
        ("", "dockerfile"),
        ("", "{.python .numberLines}"),
        ("Example", 'python title="Example"'),
        ("Run `python main.py`:", "bash"),
        ("Run `python main.py`:", ""),
        ("Run it with python main.py", "bash"),
        ("See https://example.org/main.py", ""),
        ("for example, e.g.", ""),
        ("It needs Python 3.11", ""),
        ("x" * 5000 + " main.py", ""),
    ],
)
def test_no_path_is_no_file(before: str, info: str) -> None:
    """OrchestrAI wrote a file named `here`; and a command to run main.py over main.py."""
    found = extract(f"{before}\n```{info}\npython main.py\n```\n")

    assert () == found.files
    assert [("no_path", 2)] == kinds(found)
    assert str(found.faults[0]).startswith("line 2 of the answer: ")


@pytest.mark.parametrize(
    "path",
    ["a/b.py", "Makefile", "src/Makefile", ".gitignore", ".env", "__init__.py", "pkg/__init__.py", "a-b.test.ts", "x.c++",
     "../../x", "/etc/passwd", "/tmp/abs.txt", "C:\\x", "C:\\a\\b.py", "a\\b.py", "..\\x.py", "été.py"],
)  # fmt: skip
def test_paths_stand_as_they_are(path: str) -> None:
    """Also those that nobody will write: who writes refuses them by name."""
    assert {path: BODY} == files(f"{path}\n```\n{BODY}```\n") == files(f"`{path}`:\n```\n{BODY}```\n")


def test_several_files_in_their_order() -> None:
    """Blocks may follow one another, with tildes, in lists, with any line ends."""
    answer = (
        "b.py\n```python\nb\n```\na.py\n~~~\na\n~~~\n\n10. c/d.py:\n\n    ```python\n    def c():\n        pass\n    ```\n"
        "e.py\r\n```\r\ne\r\n```\r\n"
    )

    assert [("b.py", "b\n"), ("a.py", "a\n"), ("c/d.py", "def c():\n    pass\n"), ("e.py", "e\r\n")] == list(files(answer).items())


def test_lines_and_languages() -> None:
    """Of the opening fence."""
    found = extract("one\n\nmain.py\n```Python\nx\n```\n\nb.py\n\n```\ny\n```\n")

    assert [(4, "python"), (10, "")] == [(file.line, file.language) for file in found.files]


def test_empty_files() -> None:
    """A package's __init__.py often is."""
    assert {"pkg/__init__.py": ""} == files("pkg/__init__.py\n```python\n```\n")


README = "# Title\n\n```bash\npip install x\n```\n\n```python\nimport x\n```\nEnd.\n"


@pytest.mark.parametrize("mark", ["```", "````", "~~~"])
def test_blocks_in_blocks(mark: str) -> None:
    """A fence with a language inside a block opens a nested one; a longer fence, or tildes, hide all."""
    answer = f"README.md\n{mark}markdown\n{README}{mark}\nmain.py\n```\n{BODY}```\n"

    assert {"README.md": README, "main.py": BODY} == files(answer)


def test_fences_in_docstrings() -> None:
    """They stand further right than a closing fence may."""
    content = 'def f():\n    """Does.\n\n    ```\n    f()\n    ```\n    """\n'

    assert {"main.py": content} == files(f"main.py\n```python\n{content}```\n")


def test_code_spans_of_three_backticks() -> None:
    """They are no fences."""
    assert {"main.py": BODY} == files(f"```not a fence```\nmain.py\n```\n{BODY}```\n")


def test_duplicates() -> None:
    """The last counts, as it did in OrchestrAI; equal ones are one."""
    found = extract("a.py\n```\n1\n```\n./a.py\n```\n2\n```\nb.py\n```\n3\n```\nb.py\n```\n3\n```\n")

    assert [("a.py", "2\n"), ("b.py", "3\n")] == [(file.path, file.content) for file in found.files]
    assert [("duplicate", 6)] == kinds(found)


@pytest.mark.parametrize("tail", ["", "\n", "\nprint(1", "\nx\n``", "\nx\n~~~"])
def test_unfinished(tail: str) -> None:
    """An answer that was cut off leaves no half file."""
    found = extract(f"a.py\n```\n1\n```\nb.py\n```python{tail}")

    assert ["a.py"] == [file.path for file in found.files]
    assert [("unfinished", 6)] == kinds(found)
    assert "b.py" == found.faults[0].path


def test_a_fence_behind_the_last_line() -> None:
    """OrchestrAI took it for the end wherever it stood; a code span is none, and a fence of its own goes before."""
    assert {"a.py": "print(1)", "b.py": "2\n"} == files("a.py\n```python\nprint(1)```\nb.py\n```python\n2\n```\n")
    assert {"a.py": "x = '```\n"} == files("a.py\n```python\nx = '```\n```\n")
    assert [("unfinished", 2)] == kinds(extract("a.md\n```md\nUse ```x```\nand more"))


def test_an_answer_without_end_is_not_held() -> None:
    """The stream is left where the bound is passed; a text that is there is refused by its length."""
    asked = 0

    def stream() -> Iterator[str]:
        nonlocal asked
        while True:
            asked += 1
            yield "x" * 1_000_000

    with pytest.raises(AnswerRefused, match="16,000,000 characters"):
        collect(stream())
    assert 17 == asked

    answer = "a.py\n```\n" + "x" * 50_000_000 + "\n```\n"
    tracemalloc.start()
    try:
        with pytest.raises(AnswerRefused):
            extract(answer)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "answer",
    ["```\n" * 200_000, "a.py\n```x\n" * 200_000, "\n" * 1_000_000 + "```\n", " " * 1_000_000 + "```", "`" * 1_000_000,
     "a.py\n```\nx\n```\n" * 100_000, "```\n" + "  ```x\n" * 200_000, "[" * 900 + "\n```\n", "a.b " * 300_000 + "\n```\n```",
     ("[" * 390 + "\n```" + "[" * 390 + "\n# a" + " " * 400 + "x\n```\n") * 3000, "```" + "file=" * 1_000_000,
     "a.py\n```x\nfoo```\n" * 50_000, "a.py\n```x\n" + "x" * 2_000_000 + "\n" + " " * 2_000_000],
)  # fmt: skip
def test_hostile_answers_are_read_once(answer: str) -> None:
    """Nothing is quadratic in them: each comes back within the test's patience, or is refused."""
    try:
        assert extract(answer).faults is not None
    except AnswerRefused as e:
        assert "10,000 fenced blocks" in str(e)


NAMES = st.from_regex(r"[a-z_]{1,8}(/[a-z_]{1,8}){0,2}\.(py|md|txt)", fullmatch=True)
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="`~\n"), max_size=20)


@given(st.dictionaries(NAMES, st.lists(LINES, max_size=5), max_size=4))
def test_what_was_written_is_read(written: dict[str, list[str]]) -> None:
    """Any files, in OrchestrAI's form, come back as they were."""
    contents = {path: "".join(line + "\n" for line in lines) for path, lines in written.items()}
    answer = "".join(f"{path}\n```python\n{content}```\n\n" for path, content in contents.items())

    assert contents == files(answer)


@given(st.text(alphabet="`~ \nab./:#*[]()\\", max_size=200))
def test_any_text_gives_files_or_faults(answer: str) -> None:
    """Never an exception; every opening fence is told of, and contents are parts of the answer."""
    found = extract(answer)

    for file in found.files:
        assert file.path and all(line.lstrip() in answer for line in file.content.split("\n"))
    assert bool(re.search(r"^[ \t]*(```[^`\n]*|~~~.*)$", answer, re.MULTILINE)) <= bool(found.files or found.faults)
