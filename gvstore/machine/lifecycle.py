"""The hooks of one application, and how they are called.

A hook's signature is looked at when it is added, so that a mistake shows then
and not in the middle of a run.  A hook that raises loses nothing: the others
are called too, and its exception goes on afterwards.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gvstore.errors import UsageFault
from gvstore.machine import hook, hook_async
from gvstore.machine.finding import near
from gvstore.machine.hook import (
    DoLogAttributeHook,
    ExecuteMethod,
    LifecycleAdapter,
    PostApplicationCreateHook,
    PostApplicationExecuteCallHook,
    PostEndSpanHook,
    PostEndStreamHook,
    PostRunStepHook,
    PostStreamItemHook,
    PreApplicationExecuteCallHook,
    PreRunStepHook,
    PreStartSpanHook,
    PreStartStreamHook,
)
from gvstore.machine.hook_async import (
    DoLogAttributeHookAsync,
    PostApplicationExecuteCallHookAsync,
    PostEndSpanHookAsync,
    PostEndStreamHookAsync,
    PostRunStepHookAsync,
    PostStreamItemHookAsync,
    PreApplicationExecuteCallHookAsync,
    PreRunStepHookAsync,
    PreStartSpanHookAsync,
    PreStartStreamHookAsync,
)

__all__ = [
    "HOOKS",
    "DoLogAttributeHook",
    "DoLogAttributeHookAsync",
    "ExecuteMethod",
    "HookFault",
    "LifecycleAdapter",
    "LifecycleAdapterSet",
    "PostApplicationCreateHook",
    "PostApplicationExecuteCallHook",
    "PostApplicationExecuteCallHookAsync",
    "PostEndSpanHook",
    "PostEndSpanHookAsync",
    "PostEndStreamHook",
    "PostEndStreamHookAsync",
    "PostRunStepHook",
    "PostRunStepHookAsync",
    "PostStreamItemHook",
    "PostStreamItemHookAsync",
    "PreApplicationExecuteCallHook",
    "PreApplicationExecuteCallHookAsync",
    "PreRunStepHook",
    "PreRunStepHookAsync",
    "PreStartSpanHook",
    "PreStartSpanHookAsync",
    "PreStartStreamHook",
    "PreStartStreamHookAsync",
]

Called = Callable[..., Any]


class HookFault(UsageFault, ValueError):
    """What was given as a hook cannot be called as one."""


def _declared(module: Any) -> dict[str, tuple[type[Any], tuple[str, ...]]]:
    """Returns the hooks of a module by the names of their methods: class, and names of the keywords."""
    found: dict[str, tuple[type[Any], tuple[str, ...]]] = {}
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, LifecycleAdapter) and kind.__module__ == module.__name__:
            for name in kind.__dict__.get("__abstractmethods__", ()):
                parameters = inspect.signature(kind.__dict__[name]).parameters.values()
                found[name] = kind, tuple(each.name for each in parameters if each.kind is each.KEYWORD_ONLY)
    return found


_SYNC: Final = _declared(hook)
_ASYNC: Final = _declared(hook_async)
HOOKS: Final[dict[str, tuple[str, ...]]] = {name: keywords for name, (_, keywords) in _SYNC.items()}
"""The hooks there are, by the names of their methods, with the keywords that each is called with."""


class LifecycleAdapterSet:
    """Hooks, in the order in which they are called.

    Raises:
        HookFault: one of them is no hook, or has a method that cannot be called as its hook is.
    """

    def __init__(self, *adapters: LifecycleAdapter) -> None:
        self._adapters = adapters
        self._sync: dict[str, list[Called]] = {}
        self._both: dict[str, list[tuple[Called, bool]]] = {}
        self._hooked: set[tuple[str, bool | None]] = set()
        for adapter in adapters:
            for name, method, is_async in _methods(adapter):
                self._both.setdefault(name, []).append((method, is_async))
                self._hooked |= {(name, None), (name, is_async)}
                if not is_async:
                    self._sync.setdefault(name, []).append(method)

    @property
    def adapters(self) -> list[LifecycleAdapter]:
        """The hooks."""
        return list(self._adapters)

    def with_new_adapters(self, *adapters: LifecycleAdapter) -> LifecycleAdapterSet:
        """Returns a set of these hooks and further ones.  Raises HookFault."""
        return LifecycleAdapterSet(*self._adapters, *adapters)

    def does_hook(self, hook_name: str, is_async: bool | None = None) -> bool:
        """Returns whether some hook has this method: an awaited one, one that is not, or, by default, either.

        Raises:
            HookFault: there is no such hook.
        """
        found = (hook_name, is_async) in self._hooked
        if not found:
            _known(hook_name)
        return found

    def call_all_lifecycle_hooks_sync(self, hook_name: str, **kwargs: Any) -> None:
        """Calls the hooks that are not awaited, all of them; then raises what the first raised that did.

        Raises:
            HookFault: there is no such hook.
        """
        called = self._sync.get(hook_name)
        if called is None:
            return _known(hook_name)
        errors: list[Exception] = []
        for method in called:
            try:
                method(**kwargs)
            except Exception as e:
                errors.append(_noted(e, method))
        if errors:
            _raise(errors)

    async def call_all_lifecycle_hooks_async(self, hook_name: str, **kwargs: Any) -> None:
        """Awaits the hooks that are to be awaited, one after the other.  Raises as its twins."""
        await self._await([each for each in self._both.get(hook_name, ()) if each[1]], hook_name, kwargs)

    async def call_all_lifecycle_hooks_sync_and_async(self, hook_name: str, **kwargs: Any) -> None:
        """Calls or awaits all hooks, in the order in which they were added.  Raises as its twins."""
        await self._await(self._both.get(hook_name, []), hook_name, kwargs)

    async def _await(self, called: list[tuple[Called, bool]], hook_name: str, kwargs: dict[str, Any]) -> None:
        if not called:
            return _known(hook_name)
        errors: list[Exception] = []
        for method, is_async in called:
            try:
                done = method(**kwargs)
                if is_async or isinstance(done, Awaitable):
                    await done
            except Exception as e:
                errors.append(_noted(e, method))
        if errors:
            _raise(errors)

    def __repr__(self) -> str:
        return f"LifecycleAdapterSet({', '.join(map(repr, self._adapters))})"


def _noted(error: Exception, method: Called) -> Exception:
    error.add_note(f"raised by the hook {_title(method)}; the step itself is kept")
    return error


def _raise(errors: list[Exception]) -> None:
    first = errors[0]
    for other in errors[1:]:
        first.add_note(f"another hook raised {type(other).__name__}: {other}")
    raise first


def _title(method: Called) -> str:
    return getattr(method, "__qualname__", None) or repr(method)


def _known(name: str) -> None:
    if name not in HOOKS:
        found = near(name, HOOKS)
        raise HookFault(f"there is no hook {name!r}", hint=f"Did you mean {' or '.join(found)}?" if found else _listed())


def _listed() -> str:
    return f"The hooks are {', '.join(HOOKS)}."


def _methods(adapter: object) -> list[tuple[str, Called, bool]]:
    """Returns the hooks that an object has: name, method, and whether it is awaited.  Raises HookFault."""
    if isinstance(adapter, type):
        raise HookFault(f"{adapter.__name__} is a class, a hook is an instance", hint=f"Give {adapter.__name__}(...).")
    found = []
    for name in HOOKS:
        method = getattr(adapter, name, None)
        if method is None:
            continue
        if not callable(method):
            raise HookFault(f"{name} of the hook {type(adapter).__name__} is a {type(method).__name__}, not a method")
        is_async = inspect.iscoroutinefunction(method) or inspect.iscoroutinefunction(type(method).__call__)
        _check_kind(adapter, name, is_async)
        _check_signature(name, method, is_async)
        found.append((name, method, is_async))
    if not found:
        raise _no_hook(adapter)
    return found


def _check_kind(adapter: object, name: str, is_async: bool) -> None:
    kind = type(adapter)
    if name == "post_application_create" and is_async:
        raise HookFault(f"{kind.__name__}.{name} is called when an application is built, and cannot be awaited", hint="Write `def`, not `async def`.")
    right, wrong = (_ASYNC, _SYNC) if is_async else (_SYNC, _ASYNC)
    if name in wrong and isinstance(adapter, wrong[name][0]) and not isinstance(adapter, right[name][0]):
        derived, word = wrong[name][0].__name__, "def" if is_async else "async def"
        raise HookFault(f"{kind.__name__} is a {derived}, but its {name} is {'' if is_async else 'not '}async", hint=f"Write `{word} {name}`, or derive from {right[name][0].__name__}.")


def _check_signature(name: str, method: Called, is_async: bool) -> None:
    try:
        signature = inspect.signature(method)
    except ValueError:  # of C: nobody can tell
        return
    keywords = HOOKS[name]
    try:
        signature.bind(**dict.fromkeys(keywords))
        return
    except TypeError:
        pass
    parameters = signature.parameters.values()
    named = {each.name for each in parameters if each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)}
    needed = [each.name for each in parameters if each.default is each.empty and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    unknown = [each for each in needed if each not in keywords or each not in named]
    missing = [each for each in keywords if each not in named]
    why = [f"asks for {', '.join(unknown)}, which it is not given"] if unknown else []
    if missing and not any(each.kind is each.VAR_KEYWORD for each in parameters):
        why.append(f"does not take {', '.join(missing)}")
    near_by = [f"{each}: did you mean {found[0]}?" for each in unknown if (found := near(each, missing))]
    written = f"{'async ' if is_async else ''}def {name}(self, *, {', '.join(keywords)}, **future_kwargs)"
    raise HookFault(f"the hook {_title(method)}{signature} {' and '.join(why)}", hint=" ".join([*near_by, f"Write `{written}`; what it has no use for may be left to **future_kwargs."]))


def _no_hook(adapter: object) -> HookFault:
    kind = type(adapter).__name__
    public = [each for each in dir(adapter) if not each.startswith("_")]
    for each in public:
        if found := near(each, HOOKS, cutoff=0.75):
            return HookFault(f"{kind} has no method of a hook, but {each}", hint=f"Did you mean {' or '.join(found)}?")
    return HookFault(f"{kind} is no hook: it has no method of any", hint=_listed())
