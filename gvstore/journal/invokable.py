"""Invokables: components with fields.

    @gv.register
    @dataclass
    class RollDie(gv.Invokable):
        sides: int

        def call(self) -> int: ...

Calling an instance is a recorded call; its field values before, and where
they differ after, are part of the record.
"""

from __future__ import annotations

from typing import Any

from gvstore.journal.component import LiveComponent
from gvstore.journal.recorder import CURRENT, record_call


class Invokable:
    """Base of components with fields; the subclass is a registered dataclass with a method `call`."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the component does; to be written by the subclass."""
        raise NotImplementedError(f"{type(self).__qualname__}.call")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        frame = CURRENT.get()
        live = getattr(type(self), "__gv__", None)
        if frame is None or not isinstance(live, LiveComponent):
            return self.call(*args, **kwargs)
        return record_call(frame, live, args, kwargs, self)
