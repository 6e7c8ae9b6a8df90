"""How a call ends: its outcome is encoded, written to the journal, and given to its parent."""

from __future__ import annotations

import sys
from typing import Any, Final

from gvstore.journal.fault import is_stop
from gvstore.journal.frame import Frame
from gvstore.journal.recorder import END, question_in
from gvstore.journal.rotation import rotate
from gvstore.journal.state import state_of
from gvstore.objects.invocation import CANCELLED, RETURNED_HEAD, encode_call, raised, raised_in_stream, waiting
from gvstore.objects.record import NIL
from gvstore.objects.wire import LINK_BYTES, has_link
from gvstore.store.store import warn_opaque

_FRAMES_TO_WRITE: Final = 200


def end_returned(frame: Frame, value: Any, instance: Any = None, changed: bytes = NIL) -> None:
    """Ends a call with what it returned; `changed` are its changed arguments, encoded."""
    recording = frame.recording
    if frame.answers is not None:
        frame.answers.end(frame.live.qualname)
        if not frame.begun:
            frame.answers.spend(value)
    outcome = RETURNED_HEAD + recording.encode(value)
    opaque: list[tuple[str, str | None]] = []
    if recording.unstored and (altered := recording.altered()) is not None:
        outcome = b"\x93" + outcome[1:] + b"\xc3"
        opaque = altered
    close(frame, outcome, NIL if instance is None else state_after(frame, instance), changed)
    if opaque or recording.unstored:
        warn_opaque(opaque + (recording.altered() or []))


def end_raised(
    frame: Frame, error: BaseException, instance: Any = None, changed: bytes = NIL, chunks: bytes = NIL
) -> None:
    """Ends a call with what it raised, after it had yielded `chunks`; an interrupt leaves it without an outcome."""
    recording = frame.recording
    here = frame.raised is not error
    if frame.parent is not None:
        frame.parent.raised = error
    limit = sys.getrecursionlimit() if isinstance(error, RecursionError) else 0
    if limit:  # the stack ends here, and to write that down takes a few frames more
        sys.setrecursionlimit(limit + _FRAMES_TO_WRITE)
    try:
        if isinstance(error, KeyboardInterrupt) or is_stop(error):
            outcome = NIL
        elif is_cancellation(error):
            outcome = CANCELLED
        elif (question := question_in(error)) is not None:
            outcome = _waiting(frame, question.waiting_for())
        elif chunks != NIL:
            outcome = raised_in_stream(recording.encode(error), chunks, here=here)
        else:
            outcome = raised(recording.encode(error), here=here)
    finally:
        if limit:
            sys.setrecursionlimit(limit)
    close(frame, outcome, NIL if instance is None else state_after(frame, instance), changed)
    if recording.unstored:
        warn_opaque(recording.altered() or [])


def is_cancellation(error: BaseException) -> bool:
    """Returns whether a call that ends so was told to stop, by whatever library runs its tasks."""
    return isinstance(error, GeneratorExit) or (
        not isinstance(error, Exception) and type(error).__name__ in ("CancelledError", "Cancelled")
    )


def _waiting(frame: Frame, asked: tuple[Any, Any, Any]) -> bytes:
    """Returns the outcome of a call that a question ends; those above it are told."""
    if frame.parent is not None:
        frame.parent.asked_below = True
    requested, for_value, context = map(frame.recording.encode, asked)
    return waiting(requested, for_value, context, here=not frame.asked_below)


def state_after(frame: Frame, instance: Any) -> bytes:
    """Returns the encoded instance if it is another than before the call, else nil."""
    if instance is None:
        return NIL
    after = frame.recording.encode(state_of(instance))
    return NIL if after == frame.state else after


def close(frame: Frame, outcome: bytes, after: bytes = NIL, changed: bytes = NIL) -> None:
    """Writes the end, and hands the call to its parent; nothing after the end of the recording, or of the parent."""
    recording = frame.recording
    if recording.closed or frame.folded:
        frame.folded = True
        return
    duration = (recording.clock() - recording.zero_ns) // 1000 - frame.start
    files = frame.files
    if files is not None and outcome != NIL:
        frame.reads = frame.reads if frame.reads is not NIL else recording.encoder.nested(dict(sorted(files.items())))
    with recording.lock:
        if recording.wal is not None:
            if files is None and after is NIL and changed is NIL:
                body = b"\x91" + outcome
            elif files is None:
                body = b"\x92" + outcome + after if changed == NIL else b"\x93" + outcome + after + changed
            else:
                body = b"\x94" + outcome + after + changed + frame.reads
            if len(body) >= LINK_BYTES and has_link(body):
                recording.objects.flush()
            recording.wal.append_held(END.pack(b"E", frame.number, frame.start + duration) + body)
        frame.fold(outcome, after, duration, changed)
    if frame.answer is not None and frame.told:
        recording.reused += frame.answer.calls
    elif outcome != NIL:
        recording.executed += 1
    if recording.rotation_due and recording.wal is not None:
        with recording.lock:
            rotate(recording, recording.wal)
    if recording.on_call is not None and frame.parent is not None and frame.parent is recording.top:
        recording.on_call(encode_call(frame.link, frame.args, outcome, NIL, frame.state, after, changed), duration)
