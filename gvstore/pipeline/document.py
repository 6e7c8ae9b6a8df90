"""A YAML file as nodes that know where they stand.

Over the events of PyYAML's parser, with a stack of our own: nothing is built
that the file asks for by a tag, and the bounds hold while it is read.  Anchors,
aliases and merge keys (`<<`) are taken; an alias is copied where it stands, and
all copies count against `MAX_NODES`, so that a few lines cannot become millions.

What can be wrong with the text itself ends the reading, with one fault; keys that
stand twice, tags and odd scalars are collected, and all else can still be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import yaml

from gvstore.pipeline.fault import Fault, Faults, PipelineFault, quoted
from gvstore.pipeline.place import Place
from gvstore.pipeline.scalar import BadScalar, Plain, value_of
from gvstore.pipeline.template import Text

MAX_CHARACTERS = 1_000_000
MAX_NODES = 100_000
MAX_DEPTH = 40
TOKENS = {"'<stream end>'": "the end of the file", "<block end>": "the end of a block", "'<": "'", ">'": "'"}  # of PyYAML's words
WORDS = (  # what PyYAML says of the usual mistakes, and what a person has to know
    (r"'\\t'", "a tab: YAML is indented by spaces"),
    ("mapping values are not allowed", "a second ': ' on this line: put the value in quotes"),
    ("found character .* that cannot start any token", "no value begins with this character: put it in quotes"),
    ("scanning an (alias|anchor)", "& and * begin the names of anchors: put the value in quotes"),
    ("expected <block end>, but found '<scalar>'", "the value has ended before this: put all of it in quotes"),
    ("expected <block end>, but found", "this line is indented otherwise than those that it belongs to"),
    ("parsing a flow (sequence|mapping): expected ',' or .*, but got '<stream end>'", "the file ends, and a [ or { is still open"),
    ("parsing a flow (sequence|mapping)", "not closed before this, or a value within [ ] or { } that needs quotes"),
    ("scanning a quoted scalar: found unexpected end of stream", "the file ends, and a quote is still open"),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: `raw` as it was typed, without its quotes.

    `value` is a `Text` where variables of the environment are to be filled in.
    """

    place: Place
    raw: str
    value: Plain | Text
    plain: bool = True  # not in quotes, no block
    filled: bool = False  # a parameter was filled in


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value; `place` is that of the key."""

    key: str
    place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order of the file; every key stands once."""

    place: Place
    entries: tuple[Entry, ...]

    def get(self, key: str) -> Node | None:
        """Returns the value of a key; None if it is not there, or has none (`key:` and nothing)."""
        entry = self.entry(key)
        return None if entry is None or is_none(entry.value) else entry.value

    def entry(self, key: str) -> Entry | None:
        """Returns the entry of a key, if there is one."""
        return next((each for each in self.entries if each.key == key), None)


Node: TypeAlias = Scalar | Items | Table


def is_none(node: Node) -> bool:
    """Returns whether nothing stands there: `null`, `~`, or no value at all."""
    return isinstance(node, Scalar) and node.value is None


def plain_of(node: Node) -> Any:
    """Returns the node as plain data: lists and dicts of what its scalars mean, a `Text` where one is."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain_of(each) for each in node.items]
        case Table():
            return {entry.key: plain_of(entry.value) for entry in node.entries}


def kind_of(node: Node) -> str:
    """Returns what a node is, for a message: `a list`, `a number`."""
    match node:
        case Items():
            return "a list"
        case Table():
            return "a mapping"
        case Scalar(value=bool()):
            return "true or false"
        case Scalar(value=int() | float()):
            return "a number"
        case Scalar(value=None):
            return "nothing"
    return "text"


def parse_document(text: str, path: str, faults: Faults) -> Node | None:
    """Returns the one document of a file, None if the file is empty; what is collected goes to `faults`.

    Raises:
        PipelineFault: the text is no YAML, or breaks a bound.
    """
    if len(text) > MAX_CHARACTERS:
        raise PipelineFault([Fault(Place(path), f"the file has {len(text):,} characters: at most {MAX_CHARACTERS:,} are read")])
    return _Builder(path, faults).document(text)


@dataclass(slots=True)
class _Open:
    """A container whose end has not come yet."""

    place: Place
    anchor: str | None
    table: bool
    items: list[tuple[Node, bool]]  # with whether it is a plain `<<`


class _Builder:
    """Reads the events of one file."""

    def __init__(self, path: str, faults: Faults) -> None:
        self.path, self.faults = path, faults
        self.anchors: dict[str, tuple[Node, int] | None] = {}  # with how many nodes it is; None: it is being read
        self.count = 0

    def document(self, text: str) -> Node | None:
        try:
            return self._read(yaml.parse(text, Loader=yaml.SafeLoader))
        except PipelineFault:
            raise
        except yaml.reader.ReaderError as e:
            before = text[: e.position].split("\n")
            place = Place(self.path, len(before), len(before[-1]) + 1)
            raise PipelineFault([Fault(place, f"the character U+{_code(e.character):04X} may not stand in YAML")]) from None
        except yaml.MarkedYAMLError as e:
            raise PipelineFault([self._told(e)]) from None
        except (RecursionError, ValueError) as e:
            raise PipelineFault([Fault(Place(self.path), f"the file cannot be read as YAML: {e}")]) from None

    def _told(self, error: yaml.MarkedYAMLError) -> Fault:
        mark, start = error.problem_mark or error.context_mark, error.context_mark
        problem = error.problem or "it cannot be read"
        for pattern, words in WORDS:
            if re.search(pattern, f"{error.context}: {problem}"):
                return Fault(self._place(mark), words)
        for token, words in TOKENS.items():
            problem = problem.replace(token, words)
        if error.context and start and mark and (start.line, start.column) != (mark.line, mark.column):
            problem += f" ({error.context.removeprefix('while ')} that begins at line {start.line + 1}, column {start.column + 1})"
        return Fault(self._place(mark), f"this is no YAML: {problem}")

    def _place(self, mark: Any) -> Place:
        return Place(self.path, mark.line + 1, mark.column + 1) if mark is not None else Place(self.path)

    def _stop(self, place: Place, what: str) -> PipelineFault:
        return PipelineFault([*self.faults.found, Fault(place, what)])

    def _counted(self, place: Place, nodes: int) -> None:
        self.count += nodes
        if self.count > MAX_NODES:
            raise self._stop(place, f"the file has more than {MAX_NODES:,} values, those that its aliases repeat counted each time")

    def _read(self, events: Iterator[Any]) -> Node | None:
        stack: list[_Open] = []
        root: Node | None = None
        seen = False
        for event in events:
            place = self._place(event.start_mark)
            match event:
                case yaml.DocumentStartEvent():
                    if seen:
                        raise self._stop(place, "a second document begins here: one file holds one pipeline")
                    seen = True
                    continue
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event, place, stack)
                    continue
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    node, merges = self._end(stack.pop()), False
                case yaml.ScalarEvent():
                    node, merges = self._scalar(event, place), event.value == "<<" and event.implicit[0] and event.style is None
                case yaml.AliasEvent():
                    node, merges = self._alias(event, place), False
                case _:
                    continue
            if stack:
                stack[-1].items.append((node, merges))
            else:
                root = node
        return None if root is not None and is_none(root) else root

    def _begin(self, event: Any, place: Place, stack: list[_Open]) -> None:
        self._counted(place, 1)
        if len(stack) >= MAX_DEPTH:
            raise self._stop(place, f"nested too deeply: at most {MAX_DEPTH} levels")
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self.faults.add(place, f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not taken here")
        if event.anchor:
            self.anchors[event.anchor] = None
        stack.append(_Open(place, event.anchor, isinstance(event, yaml.MappingStartEvent), []))

    def _end(self, done: _Open) -> Node:
        node: Node = self._table(done) if done.table else Items(done.place, tuple(item for item, _ in done.items))
        self._keep(done.anchor, node)
        return node

    def _keep(self, anchor: str | None, node: Node) -> None:
        if anchor:
            self.anchors[anchor] = node, size_of(node)

    def _scalar(self, event: Any, place: Place) -> Node:
        self._counted(place, 1)
        plain = bool(event.implicit[0]) and event.style is None
        value: Plain
        if plain and event.value == "<<":
            value = event.value
        else:
            try:
                value = value_of(event.value, plain=event.style is None, tag=event.tag)
            except BadScalar as e:
                self.faults.add(place, str(e))
                value = event.value
        node = Scalar(place, event.value, value, event.style is None)
        self._keep(event.anchor, node)
        return node

    def _alias(self, event: Any, place: Place) -> Node:
        known = self.anchors.get(event.anchor, ...)
        if known is ...:
            raise self._stop(place, f"*{event.anchor} names no anchor: none of the lines before has &{event.anchor}")
        if known is None:
            raise self._stop(place, f"*{event.anchor} stands inside of what it names: that has no end")
        node, size = known
        self._counted(place, size)
        return replace(node, place=place)

    def _table(self, done: _Open) -> Table:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for (key, merges), (value, _) in zip(done.items[::2], done.items[1::2], strict=True):
            if merges:
                for each in self._merged(value):
                    for entry in each.entries:
                        self._counted(key.place, size_of(entry.value))
                        merged.setdefault(entry.key, entry)
                continue
            name = self._key(key)
            if name is None:
                continue
            if name in own:
                self.faults.add(key.place, f"the key {quoted(name)} stands twice: first at line {own[name].place.line}")
                continue
            own[name] = Entry(name, key.place, value)
        kept = [entry for name, entry in merged.items() if name not in own]
        return Table(done.place, (*own.values(), *kept))

    def _merged(self, value: Node) -> list[Table]:
        tables = value.items if isinstance(value, Items) else (value,)
        if not all(isinstance(each, Table) for each in tables):
            self.faults.add(value.place, "<< takes a mapping, or a list of mappings: `<<: *name`")
        return [each for each in tables if isinstance(each, Table)]

    def _key(self, key: Node) -> str | None:
        if not isinstance(key, Scalar):
            self.faults.add(key.place, f"a key is a word, not {kind_of(key)}")
            return None
        return key.raw


def size_of(node: Node) -> int:
    """Returns how many values a node is, itself counted."""
    total, stack = 0, [node]
    while stack:
        each = stack.pop()
        total += 1
        if isinstance(each, Items):
            stack.extend(each.items)
        elif isinstance(each, Table):
            stack.extend(entry.value for entry in each.entries)
    return total


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(character)


