"""Questions: a call that waits for somebody's answer.

`request_input` is a recorded call.  Where nobody answers at once it raises an
InputRequest, which ends the calls above it, and the run waits.  To answer is
to put the value in the place of that call's outcome and to replay: in this
process or another, today or next week.  Several questions may be open; each
is a call with a path, and is answered by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gvstore.journal.fault import InputRequestOutsideInvocation, InvokableTypeError, NotOpen
from gvstore.journal.invocation import Invocation
from gvstore.journal.invokable import Invokable, InvokableBase, check_type
from gvstore.journal.raised import ExceptionResource
from gvstore.journal.recorder import CURRENT
from gvstore.journal.register import register
from gvstore.journal.requested import annotation_of, describe, fits, type_text
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, asks, call_list, outcome_number, returned
from gvstore.objects.record import NIL
from gvstore.objects.wire import split
from gvstore.store.active import active_store
from gvstore.store.ref import Ref
from gvstore.store.store import Store

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath
    from gvstore.objects.protocol import ObjectStore


@dataclass(eq=False, repr=False)
class InputRequest(ExceptionResource):
    """An open question: what asks, for which value, for an answer of which type, with what to tell who answers."""

    invokable: Any
    for_value: Ref[Any]
    requested_type: Any
    context: Any = None

    def waiting_for(self) -> tuple[Any, Ref[Any], Any]:
        """Returns what a record holds of it."""
        return describe(self.requested_type), self.for_value, self.context

    @property
    def asked_about(self) -> Any:
        """The value in question; None where there is none, as where a call with effect="once" waits."""
        return self.for_value.checkout() if isinstance(self.for_value, Ref) else self.for_value

    def asks_same(self, other: InputRequest) -> bool:
        """Returns whether the other asks the same for the same value."""
        mine, others = self.waiting_for(), other.waiting_for()
        return mine == others

    def check(self, value: Any) -> Any:
        """Returns an answer.

        Raises:
            InvokableTypeError: it is not of the requested type.
        """
        if fits(value, annotation_of(describe(self.requested_type))):
            return value
        wanted = type_text(describe(self.requested_type))
        raise InvokableTypeError(
            f"the question asks for {wanted}, and the answer is {type(value).__name__}: {value!r:.200}"
        )

    def continue_invocation(self, invocation: Invocation, value: Any, strict: Any = True) -> Invocation:
        """Returns the invocation replayed with this question answered.

        Raises:
            NotOpen: it does not ask this.
            InvokableTypeError: the answer is not of the requested type.
        """
        return self._answered(invocation, value).replay(strict=strict)

    async def continue_invocation_async(self, invocation: Invocation, value: Any, strict: Any = True) -> Invocation:
        """Returns the same of what is to be awaited."""
        return await self._answered(invocation, value).replay_async(strict=strict)

    def _answered(self, invocation: Invocation, value: Any) -> Invocation:
        for path, request in open_questions(invocation):
            if self.asks_same(request):
                return answered(invocation, {path: value.checkout() if isinstance(value, Ref) else value})
        raise NotOpen(f"{invocation.name} does not ask this question")

    def __str__(self) -> str:
        about = "" if self.context is None else f": {self.context}"
        return f"{type_text(describe(self.requested_type))}{about}"

    def __repr__(self) -> str:
        return f"InputRequest({type_text(describe(self.requested_type))}, context={self.context!r})"


@register
@dataclass
class RequestInput(Invokable[Any, Any]):
    """Asks for an answer of a type; called with the value in question."""

    requested_type: Any
    context: Any = None

    def call(self, for_value: Any = None) -> Any:
        """Returns the answer, where somebody gives it at once.

        Raises:
            InputRequest: nobody does.
            InputRequestOutsideInvocation: nothing is being recorded.
        """
        frame = CURRENT.get()
        if frame is None:
            raise InputRequestOutsideInvocation("a question was asked where nothing is recorded")
        recording = frame.recording
        store = active_store()
        if store is None or store.objects is not recording.objects:
            store = Store(recording)
        ref: Ref[Any] = Ref(recording.encoder.put(for_value), store=store)
        recording.objects.flush()
        question = InputRequest(self, ref, self.requested_type, self.context)
        if recording.asker is None:
            raise question
        return question.check(recording.asker(question))


def request_input(requested_type: Any, for_value: Any = None, context: Any = None) -> Any:
    """Returns somebody's answer to a question; the program goes on when there is one.

    `requested_type` is a class, or a list, dict, union or Literal of classes;
    `context` tells who answers what is asked.

    Raises:
        InputRequest: there is none yet; what is being recorded waits for it.
        InputRequestOutsideInvocation: nothing is being recorded.
        RequestedTypeUndetermined: no answer could be checked against the type.
    """
    return RequestInput(describe(requested_type), context)(for_value)


def question_of(call: Invocation) -> InputRequest:
    """Returns the question that a waiting call stands for, as it was asked."""
    parts = split(call.call.outcome)
    requested, for_value, context = (decode(part, call.store.objects) for part in parts[1:4])
    if isinstance(for_value, Ref) and for_value.store is None:
        for_value = Ref(for_value.oid, store=call.store)
    return InputRequest(RequestInput(requested, context), for_value, requested, context)


def open_questions(root: Invocation) -> Iterator[tuple[CallPath, InputRequest]]:
    """Yields the open questions of a call and all below it, each with its path; none where a call above it returned."""
    stack: list[tuple[CallPath, Invocation]] = [((), root)]
    while stack:
        path, call = stack.pop()
        outcome = call.call.outcome
        if asks(outcome):
            yield path, question_of(call)
        if outcome_number(outcome) not in (None, number.WAITING, number.RAISED):
            continue
        below = [(at, child) for at, child in enumerate(call.get_children()) if not child.successful()]
        stack.extend(((*path, at), child) for at, child in reversed(below))


def answered(root: Invocation, answers: Mapping[CallPath, Any]) -> Invocation:
    """Returns the invocation, unfinished, with answers in place of open questions; to be replayed.

    Raises:
        NotOpen: a path leads to no open question.
        InvokableTypeError: an answer is not of the requested type.
    """
    root = root.at_home()
    objects = root.store.objects
    tree: dict[CallPath, Any] = {}
    for path, value in answers.items():
        call = _call_at(root, path)
        if not asks(call.call.outcome):
            where = ".".join(map(str, path)) or "the root call"
            raise NotOpen(f"{where} ({call.name}) asks nothing: it is {call.status}")
        tree[path] = question_of(call).check(value)
    changed = _with_outcomes(root.call, (), tree, objects)
    return Invocation.of_oid(root.store, changed.put(objects))


def _call_at(root: Invocation, path: CallPath) -> Invocation:
    call = root
    for index in path:
        if not 0 <= index < len(call):
            where = ".".join(map(str, path))
            raise NotOpen(f"there is no call {where}")
        call = call.get_child(index)
    return call


def _with_outcomes(call: Call, at: CallPath, answers: Mapping[CallPath, Any], objects: ObjectStore) -> Call:
    """Returns the call at `at` with what was answered at or below it; those above an answer still wait."""
    encoder = Encoder(objects)
    if at in answers:
        return replace(call, outcome=returned(encoder.nested(answers[at])))
    below = {path[len(at)] for path in answers if path[: len(at)] == at}
    children = call_list(objects)
    for index, part in enumerate(PartList(call.children, objects)):
        if index in below:
            changed = _with_outcomes(Call.of_part(part, objects), (*at, index), answers, objects)
            part = encoder.place(changed.encode())
        children.add(part)
    kept = call.without_outcome(encoder.place(children.finish()), call.lanes)
    return replace(kept, outcome=call.outcome) if outcome_number(call.outcome) == number.WAITING else kept


def check_override(call: Invocation, error: BaseException | None, value: Any) -> Any:
    """Returns what an `exception_override` answers for a call.

    Raises:
        InvokableTypeError: the question, or the component's own declaration, asks for another type.
    """
    if isinstance(error, InputRequest):
        return error.check(value)
    state = call.state if call.call.state != NIL else None
    if isinstance(state, InvokableBase) and type(state)._types is not None:
        return check_type(value, type(state).get_output_type(), f"the output of {type(state).__qualname__}")
    return value
