"""The chunks of a stream as they come, and of a recorded one as they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import PartList, call_list, streamed, streaming
from gvstore.objects.record import NIL
from gvstore.objects.wire import split, unpack

if TYPE_CHECKING:
    from gvstore.journal.answers import Answer
    from gvstore.objects.protocol import ObjectStore
    from gvstore.objects.sequence import ItemList


class Chunks:
    """What a stream has yielded so far, and what it was sent."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._chunks: ItemList = call_list(objects)
        self._sent: ItemList | None = None
        self.last_sent: tuple[int, bytes] | None = None
        self.idle = False  # it waits to be asked for more
        self.altered = False  # a part of it could not be stored

    @property
    def count(self) -> int:
        """How many there are."""
        return self._chunks.count

    def add(self, chunk: bytes) -> None:
        """Appends a chunk, encoded."""
        self._chunks.add(chunk)

    def ask(self, sent: bytes) -> None:
        """Notes what was sent or thrown: `[1, number of chunks before it, value, was it thrown]`."""
        if self._sent is None:
            self._sent = call_list(self._objects)
        self._sent.add(sent)
        self.last_sent = self.count, sent

    def finish(self) -> bytes:
        """Returns the list of the chunks, encoded."""
        return self._chunks.finish()

    def outcome(self, place: Callable[[bytes], bytes], value: bytes, *, closed: bool) -> bytes:
        """Returns the outcome of the stream, as it has ended."""
        sent = NIL if self._sent is None else place(self._sent.finish())
        return streamed(place(self.finish()), value, sent, closed=closed, altered=self.altered)

    def unfinished(self, place: Callable[[bytes], bytes]) -> bytes:
        """Returns the outcome of the stream as far as it came; nil if it yielded nothing."""
        return streaming(place(self.finish())) if self.count else NIL


class Told:
    """A recorded stream that is told again."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.outcome = answer.elements[3]
        parts = [*split(self.outcome), NIL, NIL]
        reader = answer.replayer.reader
        self.chunks = answer.chunks
        self._value: Any = None
        self.closed_early = False
        self._sent: dict[int, bytes] = {}
        if answer.kind == number.STREAMED:
            self._value, self.closed_early = decode(parts[2], reader), parts[3] == b"\xc3"
            self._sent = {unpack(split(part)[1]): part for part in PartList(parts[4], reader)}

    def agrees(self, so_far: Chunks) -> bool:
        """Returns whether the last chunk was followed by what followed it in the record."""
        last = so_far.last_sent
        sent = last[1] if last is not None and last[0] == so_far.count else None
        return self._sent.get(so_far.count) == sent

    def end(self) -> Any:
        """Returns, or raises, what it ended with."""
        if self._answer.kind == number.STREAMED:
            return self._value
        raise self._answer.exception
