"""Lines that match in what a run's calls were given and gave out: arguments, state, outputs, exceptions, each by its place.

Values are searched as they are stored: one that many calls hold, of whatever run, is taken apart once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gvstore.compare.values import Field, Index, Key
from gvstore.errors import Corrupt
from gvstore.journal.address import CallPath, walk
from gvstore.journal.contents import leaves
from gvstore.journal.fault import RecordedError
from gvstore.journal.invocation import Invocation
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import outcome_number
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split, unpack
from gvstore.repo.grep import Line, Search

_WORDS = {number.RETURNED: "output", number.STREAMED: "output", number.RAISED: "raised"}
_TUPLE = bytes((number.TUPLE,))
_Places = tuple[tuple[str, tuple[Line, ...]], ...]


class Hit(NamedTuple):
    """The wanted lines of one text: of the call at `path`, in `part`: `args/topic`, `output/title`, `raised`."""

    path: CallPath
    part: str
    lines: tuple[Line, ...]


class RunSearch:
    """Searches runs; remembers the values that it has seen."""

    def __init__(self, search: Search, reader: ObjectReader) -> None:
        self._search, self._reader = search, reader
        self._known: dict[bytes, _Places] = {}

    def hits(self, root: Invocation) -> Iterator[Hit]:
        """Yields what is found in a run, call by call, depth first."""
        for path, call in walk(root):
            for part, encoded in self._parts(call):
                for place, lines in self._found(encoded):
                    yield Hit(path, part + place, lines)

    def _parts(self, call: Invocation) -> Iterator[tuple[str, bytes]]:
        stored = call.call
        above = linked(stored.args)
        args = split(stored.args if above is None else memoryview(self._reader.read(above))[1:])
        if args and args[0] == _TUPLE:
            if len(args) > 1:
                for name, encoded in zip(call.component.parameters, args[1:], strict=False):
                    yield f"args/{name}", encoded
        else:
            yield "args", stored.args
        if stored.state != NIL:
            yield "state", stored.state
        word = _WORDS.get(outcome_number(stored.outcome) or -1)
        if word == "raised":
            if call.get_raised_here():
                yield word, split(stored.outcome)[1]
        elif word is not None:
            yield word, split(stored.outcome)[1]

    def _found(self, encoded: bytes) -> _Places:
        found = self._known.get(encoded)
        if found is None:
            found = self._known[encoded] = tuple(self._searched(encoded))
        return found

    def _searched(self, encoded: bytes) -> Iterator[tuple[str, tuple[Line, ...]]]:
        try:
            value = unpack(encoded) if encoded[0] < 0x80 or 0xA0 <= encoded[0] <= 0xBF else decode(encoded, self._reader)
            if isinstance(value, BaseException):
                value = str(value) if isinstance(value, RecordedError) else f"{type(value).__name__}: {value}"
            for path, leaf in leaves(value):
                if isinstance(leaf, bool | int | float | str) and (lines := self._search.lines(leaf if type(leaf) is str else str(leaf))):
                    yield "".join(f"/{_step(step)}" for step in path), tuple(lines)
        except Corrupt:  # forgotten, or damaged: fsck tells
            return


def _step(step: object) -> str:
    if isinstance(step, Index):
        return str(step.new)
    return str(step.key if isinstance(step, Key) else step.name if isinstance(step, Field) else step)
