"""`record`: what happens in a block is a run, or inside a recorded call a call of it.

    with gv.record("request", question=text) as request:
        request.output = answer(text)
    request.run.calls

A block cannot be skipped, so no replay answers it; the calls in it are
answered, where the block is below a call that is replayed.
"""

from __future__ import annotations

import inspect
from contextvars import Token
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gvstore.errors import GvError
from gvstore.journal.component import LiveComponent
from gvstore.journal.ending import end_raised, end_returned
from gvstore.journal.fault import InvocationError
from gvstore.journal.frame import Frame, lane_below, open_ancestor
from gvstore.journal.invocation import Invocation
from gvstore.journal.perform import Execution, Subject, Terms
from gvstore.journal.recorder import CURRENT
from gvstore.journal.running import RunOptions
from gvstore.objects.component import BLOCK, Component
from gvstore.objects.record import NIL
from gvstore.store.active import activate, current_store, deactivate
from gvstore.store.store import Store, warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.run import Run


def _block(**values: Any) -> None:
    """Stands for the block: what it does stands in the program."""


class BlockComponent(LiveComponent):
    """A block by its name; it has no code of its own."""

    def __init__(self, name: str, parameters: tuple[str, ...]) -> None:
        super().__init__(_block, _block, flavor=BLOCK)
        self.qualname, self.parameters = name, parameters
        kinds = inspect.Parameter
        self.signature = inspect.Signature([kinds(each, kinds.KEYWORD_ONLY) for each in parameters])

    def component(self, root: Path | None) -> Component:
        """Returns its stored form."""
        return Component(name=self.qualname, flavor=BLOCK, parameters=self.parameters)


class record:
    """A block that is recorded under a name, with what was given to it as arguments.

    Set `output` to what came of it.  At the top, `run` is the run afterwards,
    or `invocation` where the active store is no repository.

    Raises:
        NoActiveStore: no store is active.
    """

    def __init__(self, name: str, /, *, message: str = "", group: str = "", **arguments: Any) -> None:
        self.name = name
        self.output: Any = None
        self._run: Run[Any] | None = None
        self._invocation: Invocation | None = None
        self._arguments = arguments
        self._options = RunOptions(target=name, message=message, group=group)
        self._execution: Execution | None = None
        self._frame: Frame | None = None
        self._token: Token[Frame | None] | None = None
        self._store: Store | None = None

    @property
    def run(self) -> Run[Any]:
        """The run that the block was.

        Raises:
            InvocationError: it has not ended, or is no run: it stood inside a recording.
        """
        if self._run is None:
            raise InvocationError(f"the block {self.name} is no run, or has not ended")
        return self._run

    @property
    def invocation(self) -> Invocation:
        """What was recorded.

        Raises:
            InvocationError: it has not ended, or is a call of the recording that it stood in.
        """
        if self._invocation is None:
            raise InvocationError(f"the block {self.name} is part of another recording, or has not ended")
        return self._invocation

    def __enter__(self) -> Self:
        live = BlockComponent(self.name, tuple(self._arguments))
        current = CURRENT.get()
        above = None if current is None else open_ancestor(current)
        if above is not None:
            self._frame = _begin(above, live, self._arguments)
        else:
            store = current_store()
            self._execution = Execution(store, Subject(live, None, (), self._arguments), Terms(options=self._options))
            self._frame = self._execution.begin()
            self._store = store
            activate(store)
        self._token = CURRENT.set(self._frame)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        frame, execution = self._frame, self._execution
        assert frame is not None and self._token is not None
        CURRENT.reset(self._token)
        frame.ended = True
        if error is None:
            end_returned(frame, self.output)
        else:
            end_raised(frame, error)
        if execution is None:
            return
        assert self._store is not None
        deactivate(self._store)
        performed = execution.end(error)
        self._run, self._invocation = performed.run, performed.invocation
        if error is None and isinstance(performed.error, GvError):
            raise performed.error

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def _begin(parent: Frame, live: BlockComponent, arguments: dict[str, Any]) -> Frame:
    """Returns the frame of a block inside a recorded call, with its recorded calls for answers."""
    recording = parent.recording
    data = recording.encode(live.bind((), arguments))
    if recording.unstored:
        warn_opaque(recording.altered() or [])
    answers = None
    if parent.answers is not None:
        lane = lane_below(parent) if parent.spawned else parent
        answer = parent.answers.take(live, data, NIL, lane.path)
        answers = parent.answers.unrecorded() if answer is None else answer.below()
    return recording.begin(live, parent, data, NIL, answers)
