"""What went into a call and what came out, as enact's two values: a Request and a Response.

An Invocation makes them when it is asked; from them, changed or made by hand,
it is put together again: `call_of`.  Equal parts make equal invocations,
whoever made them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gvstore.errors import GvError
from gvstore.journal.answers import recorded_exception
from gvstore.journal.callargs import CallArgs
from gvstore.journal.fault import InvocationBuildFailure
from gvstore.objects import number
from gvstore.objects.component import Component
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, call_list, outcome_number, raised, returned, waiting
from gvstore.objects.kind import Kind
from gvstore.objects.record import NIL
from gvstore.store.ref import Ref
from gvstore.store.resource import Resource

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation
    from gvstore.store.store import Store


@dataclass
class Method(Resource):
    """A method of an instance, as what was called; it can be called."""

    instance: Any
    name: str

    def bound(self) -> Any:
        """Returns the method."""
        return getattr(self.instance, self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.bound()(*args, **kwargs)


@dataclass
class Request(Resource):
    """What was called, as it was before, and on what."""

    invokable: Ref[Any]
    input: Ref[Any]


@dataclass
class Response(Resource):
    """What became of a call: the state of what was called, what it returned or raised, the calls it made."""

    invokable: Ref[Any]
    output: Ref[Any] | None
    raised: Ref[Any] | None
    raised_here: bool
    children: list[Ref[Invocation]] = field(default_factory=list)

    def is_complete(self) -> bool:
        """Returns whether the call returned or raised."""
        return self.output is not None or self.raised is not None


def _refer(store: Store, value: Any) -> Ref[Any]:
    """Returns a reference to a value, stored, and no longer kept than what it is a part of."""
    ref: Ref[Any] = store.commit_as(store.ref_type, value)
    return ref


def input_of(component: Component, values: dict[str, Any]) -> Any:
    """Returns a recorded call's input: of an Invokable of one argument the value itself, else CallArgs."""
    if component.flavor == "class" and len(values) <= 1 and values.keys() != {"args", "kwargs"}:
        return next(iter(values.values()), None)
    return CallArgs.bound(component, values)


def invokable_of(call: Call, component: Component, store: Store, state: bytes) -> Any:
    """Returns what was called: the instance with its fields as in `state`, else the function, if it is loaded."""
    if state == NIL:
        return find_function(component, store)
    instance = decode(state, store.objects)
    return instance if component.flavor == "class" else Method(instance, component.name.rpartition(".")[2])


def find_function(component: Component, store: Store) -> Any:
    """Returns the registered function of a component, or the component where it is not loaded."""
    from gvstore.journal.register import find_registered

    try:
        live = find_registered(component.name, store.root)
    except GvError:
        return component
    return live.face


def request_of(invocation: Invocation, store: Store) -> Ref[Request]:
    """Returns a reference to the Request of a recorded call, stored in `store`."""
    call, component = invocation.call, invocation.component
    invokable = invokable_of(call, component, store, call.state)
    return _refer(store, Request(_refer(store, invokable), _refer(store, input_of(component, invocation.args))))


def response_of(invocation: Invocation, store: Store) -> Ref[Response]:
    """Returns a reference to the Response of a recorded call, stored in `store` with its children."""
    call, component = invocation.call, invocation.component
    after = call.state if call.after == NIL else call.after
    kind = outcome_number(call.outcome)
    output = _refer(store, invocation.get_output()) if kind == number.RETURNED else None
    error = invocation.get_raised()
    children: list[Ref[Invocation]] = []
    for part in invocation.children:
        child = invocation.of_part(store, part)
        children.append(Ref(child.put(), store=store))
    response = Response(
        _refer(store, invokable_of(call, component, store, after)),
        output,
        None if error is None else _refer(store, error),
        invocation.get_raised_here(),
        children,
    )
    return _refer(store, response)


def call_of(request: Request | None, response: Response | None, store: Store, *, was: Invocation | None = None) -> Call:
    """Returns the call that a Request and a Response make, its parts stored.

    None, and what they still share with the invocation `was` that they were
    taken from, is taken from there: it may hold what cannot be made here.

    Raises:
        InvocationBuildFailure: they make none.
    """
    encoder = Encoder(store.objects)
    try:
        if request is None or (was is not None and was.request.checkout() == request):
            assert was is not None
            begun = was.call
        else:
            begun = _begun(request, store, encoder)
        if response is None:
            return begun if request is None else begun.without_outcome(NIL)
        same = was.response.checkout() if was is not None else None
        kept = same is not None and (same.output, same.raised) == (response.output, response.raised)
        outcome = was.call.outcome if was is not None and kept else _outcome(response, encoder)
        children = _children(response, store, encoder)
        after = NIL if begun.state == NIL else _state(response.invokable.checkout(), encoder)
    except (GvError, TypeError, AttributeError) as e:
        raise InvocationBuildFailure(f"no invocation can be made of these: {e}") from e
    return Call(begun.component, begun.args, outcome, children, begun.state, NIL if after == begun.state else after)


def _state(invokable: Any, encoder: Encoder) -> bytes:
    return encoder.nested(invokable.instance if isinstance(invokable, Method) else invokable)


def _begun(request: Request, store: Store, encoder: Encoder) -> Call:
    from gvstore.journal.perform import subject_of

    invokable, given = request.invokable.checkout(), request.input.checkout()
    call_args = given if isinstance(given, CallArgs) else None
    live = subject_of(invokable, (), {}).live
    if call_args is None:
        call_args = CallArgs([given] if live.parameters else [])
    subject = subject_of(invokable, tuple(call_args.args), dict(call_args.kwargs))
    state = NIL if subject.instance is None else encoder.nested(subject.instance)
    component = live.component(store.root).put(store.objects)
    return Call(component, encoder.nested(live.bind(subject.args, subject.kwargs)), state=state)


def _outcome(response: Response, encoder: Encoder) -> bytes:
    if response.output is not None:
        return returned(encoder.nested(response.output.checkout()))
    if response.raised is None:
        return NIL
    error = recorded_exception(response.raised.checkout())
    asked: Callable[[], tuple[Any, Any, Any]] | None = getattr(error, "waiting_for", None)
    if asked is None:
        return raised(encoder.nested(error), here=response.raised_here)
    requested, for_value, context = map(encoder.nested, asked())
    return waiting(requested, for_value, context, here=response.raised_here)


def _children(response: Response, store: Store, encoder: Encoder) -> bytes:
    if not response.children:
        return NIL
    parts = call_list(store.objects)
    for ref in response.children:
        data = (ref.store or store).objects.read(ref.oid)
        if data[0] != Kind.INVOCATION:
            raise TypeError(f"{ref!r} is no invocation")
        parts.add(encoder.place(data[1:]))
    return encoder.place(parts.finish())
