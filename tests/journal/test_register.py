"""What can be registered, how arguments are bound, and that outside a recording all stays plain."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.register import live_of
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note


@gv.register
def shape(a: int, /, b: int = 2, *rest: int, c: int = 3, **named: int) -> tuple[Any, ...]:
    note("shape")
    return a, b, rest, c, named


def only_call(repo: Repository, body: Callable[[], Any]) -> gv.Invocation:
    """Returns the one call that `body` makes, recorded."""

    def root() -> None:
        body()

    (call,) = repo.run(root).invocation.get_children()
    return call


def test_arguments_are_bound_to_the_signature(repo: Repository) -> None:
    """f(1) is f(1, b=2, c=3): the record holds what the parameters were, defaults applied."""
    calls = [
        only_call(repo, lambda: shape(1)),
        only_call(repo, lambda: shape(1, 2)),
        only_call(repo, lambda: shape(1, b=2)),
        only_call(repo, lambda: shape(1, c=3, b=2)),
    ]

    assert {"a": 1, "b": 2, "rest": (), "c": 3, "named": {}} == calls[0].args
    assert 1 == len({call.oid for call in calls})


def test_variable_arguments_are_kept(repo: Repository) -> None:
    """What *rest and **named take is part of the record."""
    call = only_call(repo, lambda: shape(1, 5, 6, 7, d=8))

    assert {"a": 1, "b": 5, "rest": (6, 7), "c": 3, "named": {"d": 8}} == call.args
    assert (1, 5, (6, 7), 3, {"d": 8}) == call.output


def test_wrong_arguments_are_told_as_python_tells_them(repo: Repository) -> None:
    """A call that does not fit is a TypeError with Python's words, and no body runs."""
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'a'"):
        repo.run(lambda: shape())  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        repo.run(shape)

    assert [] == BODIES


def test_arguments_are_recorded_as_they_were_when_called(repo: Repository) -> None:
    """What the body does to a mutable argument does not change the record of what it was given."""

    @gv.register
    def grow(items: list[int]) -> int:
        items.append(9)
        return len(items)

    call = only_call(repo, lambda: grow([1]))

    assert {"items": [1]} == call.args


def test_ignored_arguments_are_left_out(repo: Repository) -> None:
    """Calls that differ in an ignored argument only are one call."""

    @gv.register(ignore=["client"])
    def ask(prompt: str, client: object) -> str:
        return prompt.upper()

    first = only_call(repo, lambda: ask("hi", object()))
    second = only_call(repo, lambda: ask("hi", client=7))

    assert first.oid == second.oid
    assert "<ignored>" == repr(first.args["client"])
    with pytest.raises(TypeError, match="no parameter 'nobody'"):
        gv.register(ignore=("nobody",))(lambda a: a)


class Holder:
    factor = 3

    @gv.register
    @staticmethod
    def still(x: int) -> int:
        return x + 1

    @staticmethod
    @gv.register
    def inner(x: int) -> int:
        return x + 2

    @gv.register
    @classmethod
    def of_class(cls, x: int) -> int:
        return x * cls.factor

    @gv.register
    def method(self, x: int) -> int:
        return x * 10


@pytest.mark.filterwarnings("ignore::gvstore.OpaqueWarning")
def test_methods_of_all_kinds_are_recorded(repo: Repository) -> None:
    """Static, class and plain methods are components, whichever decorator comes first."""

    def root() -> list[int]:
        return [Holder.still(1), Holder().inner(1), Holder.of_class(1), Holder().method(1)]

    run = repo.run(root)

    assert [2, 3, 3, 10] == run.output
    assert ["still", "inner", "of_class", "method"] == [call.name for call in run.invocation.get_children()]
    assert [2, 3, 3, 10] == [Holder.still(1), Holder.inner(1), Holder.of_class(1), Holder().method(1)]


def test_async_functions_are_recorded(repo: Repository) -> None:
    """A coroutine function stays one, and its calls are recorded; at the top it is refused."""

    @gv.register
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    @gv.register
    async def both(x: int) -> int:
        return sum(await asyncio.gather(double(x), double(x + 1)))

    def root() -> int:
        return asyncio.run(both(3))

    run = repo.run(root)

    assert inspect.iscoroutinefunction(double)
    assert 14 == run.output == asyncio.run(both(3))
    (call,) = run.invocation.get_children()
    assert [6, 8] == sorted(child.output for child in call.get_children())
    with pytest.raises(TypeError, match="async"):
        repo.run(both, 3)


def test_generators_are_recorded_by_what_they_yield(repo: Repository) -> None:
    """The program gets its generator, the record its chunks."""

    @gv.register
    def count(n: int) -> Iterator[int]:
        yield from range(n)

    def root() -> list[int]:
        return [*count(2), *count(3)]

    run = repo.run(root)

    assert [0, 1, 0, 1, 2] == run.output
    assert [[0, 1], [0, 1, 2]] == [call.output for call in run.invocation.get_children()]


def test_generators_are_warned_of_once(warned: list[str], repo: Repository) -> None:
    """One warning a type, however many values of it are met."""

    @gv.register
    def make() -> Any:
        return (i for i in range(3))

    def root() -> None:
        for _ in range(5):
            make()

    repo.run(root)
    with pytest.warns(gv.OpaqueWarning, match="cannot be stored"):
        from gvstore.store.store import _warned, warn_opaque

        assert {"builtins:generator"} == _warned
        warn_opaque([("builtins:generator", None), ("my:Thing", "why")])


def test_lambdas_builtins_and_callables_are_accepted(repo: Repository) -> None:
    """What can be called can be registered."""
    square: Callable[[int], int] = gv.register(lambda x: x * x)
    largest = gv.register(max)
    measure = gv.register(len)

    def root() -> tuple[int, ...]:
        return square(3), largest(1, 5), measure("abc")

    assert (9, 5, 3) == repo.run(root).output
    assert 9 == square(3)


def test_wrapped_functions_take_what_their_wrapper_takes(repo: Repository) -> None:
    """A decorator that fills in an argument shows the inner signature; the call is recorded as it was made."""

    def with_client(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> int:
            return function("client", *args, **kwargs)

        return wrapper

    @gv.register
    @with_client
    def ask(client: str, x: int) -> int:
        note((client, x))
        return x

    call = only_call(repo, lambda: ask(5))

    assert {"args": (5,), "kwargs": {}} == call.args
    assert [("client", 5)] == BODIES
    assert 7 == repo.run(ask, 7).rewind(0).replay().output


def test_registering_twice_is_registering_once(repo: Repository) -> None:
    """A call is one call; the latest options hold."""

    @gv.register
    @gv.register(version="1")
    def once(x: int) -> int:
        return x

    pinned = gv.register(version="2")(once)

    @gv.register
    def both() -> int:
        return once(1) + pinned(2)

    assert ["", "2"] == [call.component.version for call in gv.run(both).invocation.get_children()]
    assert 3 == repo.runs.last.calls  # type: ignore[union-attr]
    assert Holder is gv.register(gv.register(Holder))


def test_what_cannot_be_registered_is_refused() -> None:
    """Bound methods are a ValueError; properties, partials and values a TypeError."""
    with pytest.raises(ValueError, match="bound method"):
        gv.register(Holder().method.__get__(Holder()))
    with pytest.raises(TypeError, match="partial"):
        gv.register(functools.partial(shape, 1))
    with pytest.raises(TypeError, match="property"):
        gv.register(property(lambda self: 1))  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        gv.register(3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="effect"):
        gv.register(effect="sometimes")  # type: ignore[call-overload]

    with pytest.raises(TypeError, match="no method `call`"):

        @gv.register
        class Empty(gv.Invokable):
            pass


def test_outside_a_recording_functions_are_plain(repo: Repository) -> None:
    """Nothing is recorded outside of a run; name, docstring and annotations are the function's own."""

    @gv.register
    def told(x: int) -> int:
        """Says so."""
        return x

    assert 3 == told(3)
    assert 0 == len(repo.runs)
    assert ("told", "Says so.") == (told.__name__, told.__doc__)
    assert {"x": "int", "return": "int"} == told.__annotations__
    assert live_of(told) is not None


def test_unregistered_functions_are_no_calls(repo: Repository) -> None:
    """At the top any function may stand; below it only registered ones are recorded."""

    def helper(x: int) -> int:
        return x

    def root(x: int) -> int:
        return helper(x)

    run = repo.run(root, 4)

    assert (4, 0) == (run.output, len(run.invocation))


def test_lambdas_on_one_line_and_products_of_a_factory_are_found_again(repo: Repository) -> None:
    """Calls of each are answered from their own records, whichever was registered last; many products are no burden."""

    def make(n: int) -> Callable[[int], int]:
        @gv.register
        def made(x: int) -> int:
            note("made")
            return x * n

        return made

    one: Callable[[int], int]
    two: Callable[[int], int]
    one, two = gv.register(lambda x: x + 1), gv.register(lambda x: x + 2)
    three, four = make(3), make(4)

    @gv.register
    def root() -> list[int]:
        note("root")
        return [one(1), two(1), three(1), four(1), four(1), three(1)]

    run = repo.run(root)
    BODIES.clear()
    again = run.replay(live="root")

    assert [2, 3, 3, 4, 4, 3] == run.output == again.output
    assert ["root"] == BODIES
    products = [make(n) for n in range(5_000)]
    assert [n * 2 for n in range(5_000)] == [product(2) for product in products]
