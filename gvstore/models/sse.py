"""Server-sent events, cut out of bytes as they come.

    data: {"choices": [...]}

    data: [DONE]

Of an event only its data count; comments, names and ids are passed over, and
so is `[DONE]`, with which OpenAI ends a stream.

Source: the HTML standard, section 9.2.6, "Interpreting an event stream".
"""

from __future__ import annotations

from collections.abc import Iterator

DONE = b"[DONE]"


class Events:
    """One stream; `done` is whether its end was told."""

    def __init__(self) -> None:
        self.done = False
        self._rest = bytearray()
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yields the data of each event that is whole with `piece`."""
        looked_at = max(0, len(self._rest) - 1)
        self._rest += piece
        if self._rest.find(b"\n", looked_at) < 0 and self._rest.find(b"\r", looked_at) < 0:
            return
        lines = self._rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        held = b"\r" if self._rest.endswith(b"\r") else b""  # perhaps the first half of a line's end
        if held:
            lines = self._rest[:-1].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        for line in lines:
            yield from self._line(bytes(line))

    def end(self) -> Iterator[bytes]:
        """Yields the last event, if the stream ended without the empty line behind it."""
        if self._rest:
            yield from self._line(bytes(self._rest.rstrip(b"\r")))
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[bytes]:
        if not line:
            data, self._data = b"\n".join(self._data), []
            if data.strip() == DONE:
                self.done = True
            elif data.strip():
                yield data
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
