"""Hooks are told what happens, each in its way, and spoil nothing."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from gvstore.machine import hook, hook_async
from gvstore.machine.lifecycle import (
    HOOKS,
    ExecuteMethod,
    HookFault,
    LifecycleAdapter,
    LifecycleAdapterSet,
    PostRunStepHook,
    PreRunStepHook,
    PreRunStepHookAsync,
)


class Counts(PreRunStepHook, PostRunStepHook):
    """Notes what it is told."""

    def __init__(self, noted: list[str], name: str = "counts") -> None:
        self.noted, self.name = noted, name

    def pre_run_step(self, *, sequence_id: int, **future_kwargs: Any) -> None:
        self.noted.append(f"{self.name} before {sequence_id}")

    def post_run_step(self, *, exception: BaseException | None, **future_kwargs: Any) -> None:
        self.noted.append(f"{self.name} after, {exception}")


class Awaited(PreRunStepHookAsync):
    """The same, awaited."""

    def __init__(self, noted: list[str]) -> None:
        self.noted = noted

    async def pre_run_step(self, *, sequence_id: int, **future_kwargs: Any) -> None:
        await asyncio.sleep(0)
        self.noted.append(f"awaited before {sequence_id}")


class Raises(PreRunStepHook):
    """Raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def pre_run_step(self, **future_kwargs: Any) -> None:
        raise self.error


def given(name: str) -> dict[str, Any]:
    """Returns what a hook is called with, of no use."""
    return {**dict.fromkeys(HOOKS[name]), "sequence_id": 3}


def test_there_is_a_class_for_every_moment_and_a_twin_to_be_awaited() -> None:
    """The eleven hooks; only what is called while an application is built has no twin."""
    kinds = {name for name, kind in vars(hook).items() if isinstance(kind, type) and issubclass(kind, LifecycleAdapter)}
    twins = {name for name, kind in vars(hook_async).items() if isinstance(kind, type) and kind.__module__ == hook_async.__name__}

    assert 11 == len(HOOKS)
    assert {f"{name}Async" for name in kinds - {"LifecycleAdapter", "PostApplicationCreateHook"}} == twins


def test_hooks_and_twins_take_the_same() -> None:
    """The keywords of a hook do not depend on whether it is awaited."""
    for name, kind in vars(hook_async).items():
        if isinstance(kind, type) and kind.__module__ == hook_async.__name__:
            method = next(each for each in HOOKS if each in vars(kind))
            twin = getattr(vars(hook)[name.removesuffix("Async")], method)

            assert inspect.signature(twin) == inspect.signature(vars(kind)[method])
            assert inspect.iscoroutinefunction(vars(kind)[method])


def test_hooks_are_called_in_the_order_they_were_added() -> None:
    """Of a set, and of a set with further ones."""
    noted: list[str] = []
    hooks = LifecycleAdapterSet(Counts(noted, "a")).with_new_adapters(Counts(noted, "b"))
    hooks.call_all_lifecycle_hooks_sync("pre_run_step", **given("pre_run_step"))
    hooks.call_all_lifecycle_hooks_sync("post_end_span", **given("post_end_span"))

    assert ["a before 3", "b before 3"] == noted
    assert 2 == len(hooks.adapters)


def test_awaited_hooks_are_awaited_where_they_can_be() -> None:
    """In their place among the others; a call that awaits nothing leaves them out."""
    noted: list[str] = []
    hooks = LifecycleAdapterSet(Awaited(noted), Counts(noted))
    hooks.call_all_lifecycle_hooks_sync("pre_run_step", **given("pre_run_step"))
    asyncio.run(hooks.call_all_lifecycle_hooks_sync_and_async("pre_run_step", **given("pre_run_step")))
    asyncio.run(hooks.call_all_lifecycle_hooks_async("pre_run_step", **given("pre_run_step")))

    assert ["counts before 3", "awaited before 3", "counts before 3", "awaited before 3"] == noted


def test_what_is_hooked_can_be_asked() -> None:
    """By name, and by whether it is awaited."""
    hooks = LifecycleAdapterSet(Awaited([]))

    assert [True, True, False] == [hooks.does_hook("pre_run_step", each) for each in (None, True, False)]
    assert not hooks.does_hook("post_run_step")
    with pytest.raises(HookFault) as caught:
        hooks.does_hook("pre_run_stp")
    assert "Did you mean pre_run_step?" == caught.value.hint


@pytest.mark.parametrize("is_async", [False, True])
def test_a_hook_that_raises_keeps_no_other_from_being_told(is_async: bool) -> None:
    """Then what the first raised goes on; it says which hook raised it, and what others did."""
    noted: list[str] = []
    hooks = LifecycleAdapterSet(Raises(KeyError("a")), Counts(noted), Raises(OSError("b")))
    with pytest.raises(KeyError) as caught:
        if is_async:
            asyncio.run(hooks.call_all_lifecycle_hooks_sync_and_async("pre_run_step", **given("pre_run_step")))
        else:
            hooks.call_all_lifecycle_hooks_sync("pre_run_step", **given("pre_run_step"))

    assert ["counts before 3"] == noted
    assert ["raised by the hook Raises.pre_run_step; the step itself is kept", "another hook raised OSError: b"] == caught.value.__notes__


def test_an_interrupt_goes_on_at_once() -> None:
    """Ctrl-C is not kept waiting for other hooks."""
    noted: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        LifecycleAdapterSet(Raises(KeyboardInterrupt()), Counts(noted)).call_all_lifecycle_hooks_sync(
            "pre_run_step", **given("pre_run_step")
        )

    assert [] == noted


class Narrow(PreRunStepHook):
    def pre_run_step(self, *, state: Any, action: Any) -> None:  # type: ignore[override]
        """Takes too little."""


class Wide:
    def pre_run_step(self, *, stat: Any, **future_kwargs: Any) -> None:
        """Asks for too much."""


class Positional(PreRunStepHook):
    def pre_run_step(self, state: Any, /, **future_kwargs: Any) -> None:  # type: ignore[override]
        """Wants it by place."""


class NotAwaited(PreRunStepHookAsync):
    def pre_run_step(self, **future_kwargs: Any) -> None:  # type: ignore[override]
        """Is not async."""


class WronglyAwaited(PreRunStepHook):
    async def pre_run_step(self, **future_kwargs: Any) -> None:  # type: ignore[override]
        """Is async."""


class AwaitedAtBuild:
    async def post_application_create(self, **future_kwargs: Any) -> None:
        """Nobody awaits it."""


class Misspelt:
    def pre_run_stp(self, **future_kwargs: Any) -> None:
        """Is never called."""


@pytest.mark.parametrize(
    ("adapter", "what", "hint"),
    [
        (Narrow(), "does not take app_id, partition_key, sequence_id, inputs", "**future_kwargs"),
        (Wide(), "asks for stat, which it is not given", "stat: did you mean state?"),
        (Positional(), "asks for state", "Write `def pre_run_step(self, *, app_id,"),
        (NotAwaited(), "not async", "Write `async def pre_run_step`, or derive from PreRunStepHook."),
        (WronglyAwaited(), "is async", "Write `def pre_run_step`, or derive from PreRunStepHookAsync."),
        (AwaitedAtBuild(), "cannot be awaited", "Write `def`, not `async def`."),
        (Misspelt(), "has no method of a hook, but pre_run_stp", "Did you mean pre_run_step?"),
        (Counts, "Counts is a class", "Give Counts(...)."),
        (3, "int is no hook", "The hooks are pre_run_step,"),
    ],
    ids=["narrow", "wide", "positional", "not awaited", "wrongly awaited", "at build", "misspelt", "class", "number"],
)
def test_mistakes_show_when_a_hook_is_added(adapter: Any, what: str, hint: str) -> None:
    """Not when it is called, in the middle of a run."""
    with pytest.raises(HookFault) as caught:
        LifecycleAdapterSet(adapter)

    assert what in str(caught.value)
    assert hint in caught.value.hint


def test_any_object_with_the_method_will_do() -> None:
    """A hook need not derive from its class."""
    noted: list[int] = []

    class Plain:
        def pre_run_step(self, *, sequence_id: int, **future_kwargs: Any) -> None:
            noted.append(sequence_id)

    plain: Any = Plain()
    LifecycleAdapterSet(plain).call_all_lifecycle_hooks_sync("pre_run_step", **given("pre_run_step"))

    assert [3] == noted


def test_methods_are_told_as_text() -> None:
    """`ExecuteMethod.run` is "run"."""

    assert "run" == ExecuteMethod.run == str(ExecuteMethod.run)
