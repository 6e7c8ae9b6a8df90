"""Executions step by step: one question after the other.

    generator = gv.InvocationGenerator.from_callable(interview, args=("Ada",))
    for question in generator:
        generator.set_input(ask_somebody(question))
    print(generator.invocation.get_output())

What is to be awaited is stepped with `async for` and `asend`; there several
questions may be open at once.  They are handed out one by one, and the program
goes on when all of them have their answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gvstore.journal.fault import InvocationError
from gvstore.journal.invocation import Invocation
from gvstore.journal.invoke import settle_performed
from gvstore.journal.perform import Performed, Subject, Terms, perform, perform_async, subject_of
from gvstore.journal.question import InputRequest, answered, open_questions
from gvstore.journal.replay import prepared
from gvstore.journal.suspended import Suspended
from gvstore.store.active import current_store
from gvstore.store.ref import Ref

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath
    from gvstore.journal.recorder import Asker
    from gvstore.store.store import Store

_NOTHING: Any = object()


class InvocationGenerator(Iterator[InputRequest], AsyncIterator[InputRequest]):
    """Executes a function or Invokable, or goes on with an execution, and stops at every question.

    `next` or `send(answer)` go on to the next question; so does a `for` loop
    in whose body `set_input(answer)` is called.  At the end StopIteration
    carries the output.
    """

    def __init__(
        self,
        invokable: Callable[..., Any] | None = None,
        input_ref: Ref[Any] | Any = None,
        from_invocation: Invocation | None = None,
        *,
        strict: Any = True,
    ) -> None:
        if (invokable is None) == (from_invocation is None):
            raise ValueError("an InvocationGenerator takes an invokable or an invocation")
        self._strict, self._record = strict, from_invocation
        self._subject: Subject | None = None
        if invokable is not None:
            given = input_ref.checkout() if isinstance(input_ref, Ref) else input_ref
            found = subject_of(invokable, (), {})
            args = (given,) if given is not None or found.live.parameters else ()
            self._subject = subject_of(invokable, args, {})
        self._store: Store = current_store() if from_invocation is None else from_invocation.at_home().store
        self._begun = False
        self._input: Any = _NOTHING
        self._suspended: Suspended | None = None
        self._performed: Performed | None = None
        self._round: deque[tuple[CallPath, InputRequest]] = deque()  # of what is awaited: not handed out yet
        self._asked: tuple[CallPath, InputRequest] | None = None
        self._given: dict[CallPath, Any] = {}

    @classmethod
    def from_callable(
        cls,
        fun: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        strict: Any = True,
    ) -> InvocationGenerator:
        """Returns the generator of a call of `fun`."""
        made = cls(fun, strict=strict)
        made._subject = subject_of(fun, tuple(args), dict(kwargs or {}))
        return made

    @classmethod
    def from_invocation(cls, invocation: Invocation, *, strict: Any = True) -> InvocationGenerator:
        """Returns the generator that goes on with an execution, of whichever process; what is recorded answers."""
        return cls(from_invocation=invocation, strict=strict)

    @property
    def complete(self) -> bool:
        """Whether there are no more questions: it returned, or raised."""
        performed = self._ended()
        return performed is not None and performed.invocation.status != "waiting"

    @property
    def invocation(self) -> Invocation:
        """The execution as it stands.

        Raises:
            InvocationError: it has not begun.
        """
        found = self._suspended.invocation() if self._suspended is not None else None
        if found is None and self._performed is not None:
            found = self._performed.invocation
        found = found or self._record
        if found is None:
            raise InvocationError("the execution has not begun", hint="Call next() first.")
        return found

    @property
    def input_request(self) -> InputRequest | None:
        """The question that is to be answered next, or None."""
        if self._suspended is not None:
            return self._suspended.open[0].request if self._suspended.open else None
        return None if self._asked is None else self._asked[1]

    @property
    def input_requests(self) -> list[InputRequest]:
        """All open questions that have no answer yet."""
        if self._suspended is not None:
            return [pending.request for pending in self._suspended.open]
        asked = [] if self._asked is None else [self._asked]
        return [request for _, request in [*asked, *self._round]]

    def set_input(self, value: Any) -> None:
        """Answers the open question, with a value or a reference; the program goes on at the next step.

        Raises:
            InvokableTypeError: the answer is not of the requested type; the question stays open.
            InvocationError: nothing is asked.
        """
        request = self.input_request
        if request is None:
            raise InvocationError("nothing is asked")
        self._input = request.check(value.checkout() if isinstance(value, Ref) else value)

    def __iter__(self) -> InvocationGenerator:
        return self

    def __next__(self) -> InputRequest:
        if not self._begun:
            self._begin()
        elif self.input_request is not None:
            self._go_on()
        request = self.input_request
        if request is not None:
            return request
        performed = self._ended()
        assert performed is not None
        if self._performed is None:  # raised once
            self._performed = performed
            settle_performed(performed)
        raise StopIteration(performed.invocation.get_output())

    def send(self, value: Any) -> InputRequest:
        """Returns the next question, after answering this one; None at the start, as for any generator."""
        if self._begun or value is not None:
            self.set_input(value)
        return next(self)

    def close(self) -> None:
        """Gives the program up; what it asked stays open in its record."""
        if self._suspended is not None and self._suspended.performed is None:
            self._suspended.give_up()
        if self._suspended is not None:
            self._performed = self._suspended.performed

    def __del__(self) -> None:
        suspended = getattr(self, "_suspended", None)
        if suspended is not None and suspended.performed is None:
            suspended.let_go()  # no waiting: whoever collects garbage may hold what the program needs to end

    def _ended(self) -> Performed | None:
        return self._suspended.performed if self._suspended is not None else self._performed

    def _prepared(self) -> tuple[Subject, Terms]:
        if self._subject is not None:
            return self._subject, Terms(forbids_changes=True)
        assert self._record is not None
        subject, terms = prepared(self._record.at_home(), None, self._strict)
        return subject, terms

    def _begin(self) -> None:
        subject, terms = self._prepared()
        if subject.is_async:
            raise TypeError(f"{subject.live.qualname} is async: use `async for`, or asend")
        store = self._store
        self._begun = True

        def run(asker: Asker) -> Performed:
            return perform(store, subject, _with_asker(terms, asker))

        self._suspended = Suspended(run)
        self._suspended.start()

    def _go_on(self) -> None:
        if self._input is _NOTHING:
            raise InvocationError("the question is open", hint="Call set_input or send with an answer first.")
        assert self._suspended is not None
        value, self._input = self._input, _NOTHING
        self._suspended.answer(self._suspended.open[0], value)

    def __aiter__(self) -> InvocationGenerator:
        return self

    async def __anext__(self) -> InputRequest:
        if not self._begun:
            await self._begin_async()
        elif self._asked is not None:
            if self._input is _NOTHING:
                raise InvocationError("the question is open", hint="Call set_input or asend with an answer first.")
            self._given[self._asked[0]] = self._input
            self._input, self._asked = _NOTHING, None
            if not self._round:
                await self._replay()
        if not self._round:
            raise StopAsyncIteration
        self._asked = self._round.popleft()
        return self._asked[1]

    async def asend(self, value: Any) -> InputRequest:
        """Returns the next question, after answering this one; None at the start."""
        if self._begun or value is not None:
            self.set_input(value)
        return await anext(self)

    async def _begin_async(self) -> None:
        subject, terms = self._prepared()
        if not subject.is_async:
            raise TypeError(f"{subject.live.qualname} is not async: use `for`, or send")
        self._begun = True
        await self._step(subject, terms)

    async def _replay(self) -> None:
        assert self._performed is not None
        record = answered(self._performed.invocation, self._given)
        self._given = {}
        await self._step(*prepared(record, None, self._strict))

    async def _step(self, subject: Subject, terms: Terms) -> None:
        self._performed = await perform_async(self._store, subject, terms)
        settle_performed(self._performed)
        if self._performed.invocation.status == "waiting":
            self._round = deque(open_questions(self._performed.invocation))


def _with_asker(terms: Terms, asker: Asker) -> Terms:
    return Terms(terms.answers, asker, terms.forbids_changes, terms.answer, terms.keeps, terms.options)
