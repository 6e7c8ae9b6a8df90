"""Contexts: the innermost open one of a class, each thread and task its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gvstore.store import contexts
from gvstore.store.active import active_store
from gvstore.store.store import InMemoryStore, Store


@contexts.register
class Depth(contexts.Context):
    permissive = True

    @classmethod
    def permissive_initialization(cls) -> bool:
        return cls.permissive

    def __init__(self) -> None:
        self.depth = 0

    def enter(self) -> None:
        outer = Depth.get_current()
        self.depth = 1 if outer is None else outer.depth + 1

    def exit(self) -> None:
        self.depth = 0


@contexts.register
class AsyncDepth(contexts.AsyncContext):
    def __init__(self) -> None:
        self.depth = 0

    async def aenter(self) -> None:
        outer = AsyncDepth.get_current()
        self.depth = 1 if outer is None else outer.depth + 1


@contexts.register_to_superclass(Depth)
class Left(Depth):
    pass


@contexts.register_to_superclass(Depth)
class Right(Depth):
    pass


class Unknown(Depth):
    pass


def in_thread(function: Callable[[], Any]) -> Any:
    """Returns what a function returns or raises in a new thread."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(function())
        except Exception as e:
            found.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def depth_within() -> int:
    with Depth() as inner:
        return inner.depth


def test_the_innermost_is_current() -> None:
    """Blocks nest, `top_level` hides them, and leaving one brings the outer back."""
    assert None is Depth.get_current()
    with Depth() as outer:
        with Depth() as inner:
            assert (inner, 2) == (Depth.current(), inner.depth)
        assert outer is Depth.current()
        with Depth.top_level():
            assert None is Depth.get_current()
            with pytest.raises(contexts.NoActiveContext):
                Depth.current()
        assert outer is Depth.current()
    with outer, outer:
        assert outer is Depth.current()
    assert None is Depth.get_current()


def test_only_registered_classes_have_one() -> None:
    """A class says where its open contexts are kept: with its own, or with its superclass's."""
    with pytest.raises(contexts.ContextError, match="not registered"):
        Unknown.get_current()
    with pytest.raises(contexts.ContextError, match="not registered"), Unknown():
        pass
    with Left() as left:
        assert left is Depth.current() is Left.current()
        with pytest.raises(contexts.ContextError, match="not of type"):
            Right.get_current()


def test_registering_wrongly_is_told() -> None:
    """Twice, to a class that is not registered, to one that is no superclass."""
    with pytest.raises(AssertionError, match="already registered"):
        contexts.register(Depth)
    with pytest.raises(AssertionError, match="already registered"):
        contexts.register_to_superclass(Depth)(Left)
    with pytest.raises(AssertionError, match=r"Superclass .* not registered"):
        contexts.register_to_superclass(Unknown)(type("New", (Unknown,), {}))
    with pytest.raises(AssertionError, match="must be a subclass"):
        contexts.register_to_superclass(Depth)(type("New", (contexts.Context,), {}))


def test_a_thread_starts_afresh_unless_told() -> None:
    """With the current contexts, with none, or, where a class wants to be asked, an error."""
    with Depth():
        assert 1 == in_thread(depth_within)
        assert 2 == in_thread(contexts.with_current_contexts(depth_within))
        assert 1 == in_thread(contexts.with_new_contexts(depth_within))
        Depth.permissive = False
        try:
            assert contexts.ContextError is type(in_thread(depth_within))
            assert 1 == in_thread(contexts.with_new_contexts(depth_within))
        finally:
            Depth.permissive = True


def test_the_store_goes_along() -> None:
    """A function bound to the current contexts finds the active store in its thread."""
    with InMemoryStore() as store:
        assert None is in_thread(active_store)
        assert store is in_thread(contexts.with_current_contexts(active_store))
        assert None is contexts.with_new_contexts(active_store)()
        assert store is Store.current() is Store.get_current()
        with Store.top_level():
            assert None is Store.get_current()
            with pytest.raises(contexts.NoActiveContext):
                Store.current()


def test_tasks_have_their_own() -> None:
    """Two tasks that interleave see each its own blocks."""

    async def nest(levels: int) -> int:
        if not levels:
            return AsyncDepth.current().depth
        async with AsyncDepth():
            await asyncio.sleep(0)
            return await nest(levels - 1)

    async def both() -> list[int]:
        return list(await asyncio.gather(nest(3), nest(5)))

    assert [3, 5] == asyncio.run(both())
