"""The call of a graph or chain of another library, recorded below the step.

Its code is a text that says what it is made of, and the functions of the
program that it holds: when one of them is edited the call is stale, and with
it the step.  Its name is that of the variable that holds it, `app.chain`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from typing import Any, Final

from gvstore.journal.call import record_async_call, record_call
from gvstore.journal.held import HeldComponent
from gvstore.journal.recorder import CURRENT
from gvstore.journal.stream import record_async_stream, record_stream

_ROOM: Final = __name__.rsplit(".", 2)[0]


class HeldCall:
    """What calls `function` with the arguments that `template` shows, and records it where a recording is going on.

    `function` is of the kind that the action is: sync, async, or a generator.
    """

    def __init__(
        self, held: Any, template: Callable[..., Any], function: Callable[..., Any], *, text: Callable[[], str],
        functions: Callable[[], Iterable[Any]],
    ) -> None:  # fmt: skip
        self._live = HeldComponent(held, template, flavor="function", room=_ROOM, text=text, functions=functions)
        self._live.function = function

    def call(self, *args: Any) -> Any:
        """Returns what it returns."""
        frame = CURRENT.get()
        return self._live.function(*args) if frame is None else record_call(frame, self._live, args, {})

    async def acall(self, *args: Any) -> Any:
        """Returns what it returns, awaited."""
        frame = CURRENT.get()
        return await (self._live.function(*args) if frame is None else record_async_call(frame, self._live, args, {}))

    def stream(self, *args: Any) -> Generator[Any, None, Any]:
        """Yields what it yields."""
        frame = CURRENT.get()
        return (yield from self._live.function(*args) if frame is None else record_stream(frame, self._live, args, {}))

    async def astream(self, *args: Any) -> AsyncGenerator[Any, None]:
        """Yields what it yields, awaited."""
        frame = CURRENT.get()
        source = self._live.function(*args) if frame is None else record_async_stream(frame, self._live, args, {})
        try:
            async for item in source:
                yield item
        finally:
            await source.aclose()
