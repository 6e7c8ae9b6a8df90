"""Answers from a record for calls that nothing records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Token
from types import TracebackType
from typing import Any, Self

from gvstore.journal.answers import Answers
from gvstore.journal.frame import Frame
from gvstore.journal.invocation import Invocation
from gvstore.journal.recorder import CURRENT, NO_PARENT, Recording
from gvstore.journal.replay import STRICTNESS
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import call_list, part_body
from gvstore.objects.record import NIL
from gvstore.store.active import current_store
from gvstore.store.ref import Ref


class ReplayContext:
    """A block in which registered calls are answered by these recorded ones, as in a replay; what runs is not kept.

    Raises:
        ReplayError: strict, and a call is not the record's.
    """

    def __init__(
        self,
        subinvocations: Iterable[Invocation | Ref[Invocation]] = (),
        exception_override: Callable[[Ref[Any]], Any] | None = None,
        strict: Any = True,
    ) -> None:
        self._calls = [each.checkout() if isinstance(each, Ref) else each for each in subinvocations]
        self._override, self._strict = exception_override, STRICTNESS[strict]
        self._token: Token[Frame | None] | None = None

    def __enter__(self) -> Self:
        from gvstore.journal.overlay import Overlay
        from gvstore.journal.replayer import Replayer

        store = self._calls[0].store if self._calls else current_store()
        objects = Overlay(store.objects)
        encoder, parts = Encoder(objects), call_list(objects)
        for each in self._calls:
            parts.add(encoder.place(bytes(part_body(each.part, each.store.objects))))
        children = encoder.place(parts.finish())
        replayer = Replayer(objects, root=store.root, strict=self._strict, overrides=self._override)
        answers = Answers(replayer, children)
        recording = Recording(objects, root=store.root, answers=answers)
        frame = Frame(recording, None, None, NO_PARENT, b"", NIL, NIL, 0, answers)  # type: ignore[arg-type]
        frame.record = children
        self._token = CURRENT.set(frame)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._token is not None
        CURRENT.reset(self._token)
