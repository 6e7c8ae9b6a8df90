"""YAML with places: every key and value knows its line and column, and what cannot be read is told where it stands."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline.document import MAX_CHARACTERS, Items, Node, Scalar, Table, parse_document, plain_of
from gvstore.pipeline.fault import Faults, PipelineFault


def parse(text: str) -> Node | None:
    """Returns the document of a text in which nothing is wrong."""
    faults = Faults()
    node = parse_document(text, "f.yml", faults)
    assert [] == faults.found
    return node


def faults_of(text: str) -> list[str]:
    """Returns all that is wrong with a text."""
    faults = Faults()
    try:
        parse_document(text, "f.yml", faults)
    except PipelineFault as e:
        return [str(each) for each in e.faults]
    return [str(each) for each in faults.found]


words = st.text("abc xyzäß✓_'\"#:-,[]{}&*!|>%@`\n\t", max_size=12) | st.text(max_size=8).filter(lambda text: text.isprintable())
plain = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | words
data = st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12)


@given(data, st.booleans())
def test_what_was_written_is_read(value: Any, flow: bool) -> None:
    """A document is what PyYAML wrote, types included, in block and in flow style."""
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False, width=1000)
    node = parse(text)

    assert value == (plain_of(node) if node is not None else None)


@given(data)
def test_places_point_at_what_they_name(value: Any) -> None:
    """At the place of a key or plain value its text stands; a quoted one begins there with its quote."""
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=1000)
    lines = text.replace("\x85", "\n").replace("\u2028", "\n").replace("\u2029", "\n").split("\n")
    stack: list[Node] = [node] if (node := parse(text)) is not None else []
    while stack:
        each = stack.pop()
        rest = lines[each.place.line - 1][each.place.column - 1 :]
        match each:
            case Scalar(plain=True):
                assert rest.startswith(each.raw.split("\n")[0])
            case Scalar():
                assert rest[:1] in ("'", '"', "|", ">")
            case Items():
                assert rest[:1] in ("-", "[")
                stack += each.items
            case Table():
                for entry in each.entries:
                    there = lines[entry.place.line - 1][entry.place.column - 1 :]
                    assert there.startswith((entry.key[:1], "'", '"', "?"))
                    stack.append(entry.value)


@given(st.text("ab:- \n\t[]{},&*!|>'\"%@`#?~<0.${}\x00\ufeff", max_size=60))
def test_any_text_is_read_or_told(text: str) -> None:
    """There is no third way."""
    for fault in faults_of(text):
        assert fault.startswith("f.yml:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\t- x\n", "f.yml:2:1: a tab: YAML is indented by spaces"),
        ("a: b: c\n", "f.yml:1:5: a second ': ' on this line: put the value in quotes"),
        ("a: [1, 2\nb: 3\n", "f.yml:2:2: not closed before this, or a value within [ ] or { } that needs quotes"),
        ("a: [1, ${b}]\n", "f.yml:1:9: not closed before this, or a value within [ ] or { } that needs quotes"),
        ("a: [1, 2\n", "f.yml:2:1: the file ends, and a [ or { is still open"),
        ("a: 'x\nb: 1\n", "f.yml:3:1: the file ends, and a quote is still open"),
        ("a: 'it's'\n", "f.yml:1:8: the value has ended before this: put all of it in quotes"),
        ("a: @x\n", "f.yml:1:4: no value begins with this character: put it in quotes"),
        ("a: *bold* text\n", "f.yml:1:9: & and * begin the names of anchors: put the value in quotes"),
        ("a:\n  - b: 1\n  c: 2\n", "f.yml:3:3: this line is indented otherwise than those that it belongs to"),
        ('a: "\\q"\n', "f.yml:1:6: this is no YAML: found unknown escape character 'q' (scanning a double-quoted scalar that begins at line 1, column 4)"),
        ("a: 1\nb: 2\na: 3\n", "f.yml:3:1: the key 'a' stands twice: first at line 1"),
        ("a: *x\n", "f.yml:1:4: *x names no anchor: none of the lines before has &x"),
        ("a: &x [*x]\n", "f.yml:1:8: *x stands inside of what it names: that has no end"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1: a second document begins here: one file holds one pipeline"),
        ("a: !!python/object:os.system x\n", "f.yml:1:4: the tag !!python/object:os.system is not taken here"),
        ("a: !x {b: 1}\n", "f.yml:1:4: the tag !x is not taken here"),
        ("a: 2026-11-20\n", "f.yml:1:4: 2026-11-20 is a date in YAML: put it in quotes"),
        ("a: 12:30\n", "f.yml:1:4: 12:30 is a number to the base of 60 in YAML: put it in quotes"),
        ("a: 010\n", "f.yml:1:4: 010 is an octal number in YAML: put it in quotes, or leave out the leading 0"),
        (f"a: {'9' * 5000}\n", "f.yml:1:4: a number of 5,000 digits: at most 300"),
        ("? [a]\n: b\n", "f.yml:1:3: a key is a word, not a list"),
        ("a: x\x07\n", "f.yml:1:5: the character U+0007 may not stand in YAML"),
        ("<<: 3\na: 1\n", "f.yml:1:5: << takes a mapping, or a list of mappings: `<<: *name`"),
        ("[" * 100_000, "f.yml:1:41: nested too deeply: at most 40 levels"),
        ("x" * (MAX_CHARACTERS + 1), "f.yml:1:1: the file has 1,000,001 characters: at most 1,000,000 are read"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, expected: str) -> None:
    """Where, what, and what to write."""

    assert [expected] == faults_of(text)


def test_aliases_that_explode_are_stopped() -> None:
    """Ten lines that stand for ten thousand million values end with a message, not with the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert ["f.yml:5:45: the file has more than 100,000 values, those that its aliases repeat counted each time"] == faults_of("\n".join(lines))


def test_anchors_and_merge_keys_are_taken() -> None:
    """A table may be shared and partly overridden; an alias stands where it is used."""
    node = parse("base: &b {model: x, temperature: 0}\nmine:\n  <<: *b\n  temperature: 1\nsame: *b\n")

    assert isinstance(node, Table)
    assert {"temperature": 1, "model": "x"} == plain_of(node.entries[1].value)
    assert (5, 7) == (node.entries[2].value.place.line, node.entries[2].value.place.column)


def test_an_empty_file_is_no_document() -> None:
    """Neither is one of comments."""

    assert [None, None, None] == [parse(text) for text in ("", "# nothing\n", "~\n")]
