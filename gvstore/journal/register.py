"""`register`: makes a function or Invokable class a component.

Outside a recording a registered function costs one look at a context variable
and is otherwise plain Python.  Inside, a call of it is recorded, or answered
from the record that is replayed.
"""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, Literal, TypeVar, overload

from gvstore.code.source import snapshot
from gvstore.journal.call import record_async_call, record_call
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import NoSuchComponent
from gvstore.journal.recorder import CURRENT
from gvstore.objects import number
from gvstore.objects.build import BUILDERS, register_builder
from gvstore.objects.component import Component
from gvstore.objects.expand import EXPANDERS, Expansion, register_expander
from gvstore.objects.naming import name_of
from gvstore.objects.placeholder import Unresolved
from gvstore.reads import watch
from gvstore.store.resource import ResourceBase

F = TypeVar("F", bound=Callable[..., Any])

watch()
Effect = Literal["", "once", "repeat"]
EFFECTS: tuple[Effect, ...] = ("", "once", "repeat")
_registered: dict[tuple[str, str], LiveComponent] = {}
_OTHERS_KEPT = 100  # of one name: who makes more functions than these in a loop finds the latest
_others: dict[tuple[str, str], weakref.WeakSet[LiveComponent]] = {}  # of one name: lambdas, and what a function makes
_written: dict[str, list[LiveComponent]] = {}  # by name: steps of pipelines
_objects: weakref.WeakKeyDictionary[LiveComponent, None] = weakref.WeakKeyDictionary()  # in the order in which they were made
OBJECTS = frozenset({"machine"})  # flavors of those


@overload
def register(subject: F, /) -> F: ...


@overload
def register(
    *, ignore: tuple[str, ...] | list[str] = (), version: str = "", effect: Effect = ""
) -> Callable[[F], F]: ...


def register(
    subject: Any = None, /, *, ignore: tuple[str, ...] | list[str] = (), version: str = "", effect: Effect = ""
) -> Any:
    """Returns the function or class, registered as a component; also with options, as a decorator.

    `ignore` names parameters that are left out of the record.  `version` pins
    the component's code: while it stays, edits do not make calls stale.
    `effect` is "once" (never executed a second time by a replay) or "repeat"
    (executed at every replay).

    Raises:
        TypeError: it is nothing that can be called, or a bound method or property.
    """
    if effect not in EFFECTS:
        raise ValueError(f"effect is 'once' or 'repeat', not {effect!r}")
    options: dict[str, Any] = {"ignore": tuple(ignore), "version": version, "effect": effect}
    if subject is None:
        return lambda each: _register(each, options, sys._getframe(1))
    return _register(subject, options, sys._getframe(1))


def _register(subject: Any, options: dict[str, Any], place: FrameType) -> Any:
    known = live_of(subject)
    if known is not None and known.face is subject and not isinstance(subject, type):  # once more, with other options perhaps
        subject = known.function
    if isinstance(subject, staticmethod | classmethod):
        return type(subject)(_register(subject.__func__, options, place))
    if isinstance(subject, type):
        return _register_class(subject, options, place)
    if inspect.ismethod(subject):
        raise ValueError("a bound method cannot be registered; register the function in its class")
    if isinstance(subject, property) or not callable(subject):
        raise TypeError(f"{subject!r} cannot be registered: it is no function and no class")
    if isinstance(subject, functools.partial):
        raise TypeError("a partial cannot be registered; register the function it wraps")
    called = getattr(type(subject), "__call__", None)  # noqa: B004 - the function itself is wanted
    if type(called) is FunctionType:  # an object that can be called: its calls are those of a method
        return MethodType(_register_function(called, options, place), subject)
    return _register_function(subject, options, place)


def _register_class(cls: type, options: dict[str, Any], place: FrameType) -> type:
    from gvstore.journal.invokable import InvokableBase

    snapshot(cls, place)
    if issubclass(cls, InvokableBase):
        live = LiveComponent(cls, cls.checked_call(), flavor="class", **options)
        cls.__gv__ = live
        note_component(live)
    if issubclass(cls, ResourceBase):
        from gvstore.store.registry import Registry

        Registry.get().register(cls)
    return cls


def _register_function(function: Callable[..., Any], options: dict[str, Any], place: FrameType) -> Callable[..., Any]:
    snapshot(function, place)
    method = _is_method(function)
    live = LiveComponent(function, function, flavor="method" if method else "function", **options)
    current = CURRENT.get
    wrapper: Callable[..., Any]

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            frame = current()
            if frame is None:
                return await function(*args, **kwargs)
            if method and args:
                return await record_async_call(frame, live, args[1:], kwargs, args[0])
            return await record_async_call(frame, live, args, kwargs)

    elif live.streams:
        wrapper = _stream_wrapper(function, live, method=method)

    elif method:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            frame = current()
            if frame is None or not args:
                return function(*args, **kwargs)
            return record_call(frame, live, args[1:], kwargs, args[0])

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            frame = current()
            if frame is None:
                return function(*args, **kwargs)
            return record_call(frame, live, args, kwargs)

    wrapper.__gv__ = live  # type: ignore[attr-defined]
    live.face = wrapper
    note_component(live)
    return wrapper


def note_component(live: LiveComponent) -> None:
    """Makes a component known; one of its name that stands elsewhere, or that the same code made, stays known while it lives."""
    key = live.module, live.qualname
    earlier = _registered.get(key)
    if earlier is not None and "<" in live.qualname:
        others = _others.setdefault(key, weakref.WeakSet())
        if len(others) < _OTHERS_KEPT:
            others.add(earlier)
        if live.code is not earlier.code:
            for each in [each for each in others if _replaces(live, each)]:
                others.discard(each)
    _registered[key] = live


def note_object(live: LiveComponent) -> None:
    """Makes a component known, while it lives, that is an object and no definition: its name is the variable's that holds it."""
    _objects[live] = None


def note_written(live: LiveComponent) -> None:
    """Makes a component known that no Python defines, by its name: there may be thousands of them."""
    _written.setdefault(live.qualname, []).append(live)


def forget_written(live: LiveComponent) -> None:
    """Takes a component out that `note_written` made known: another stands in its place."""
    named = [each for each in _written.pop(live.qualname, []) if each is not live]
    if named:
        _written[live.qualname] = named


def _replaces(live: LiveComponent, earlier: LiveComponent) -> bool:
    """Returns whether a component is another version of one: made at the same place of its file by other code, as a reload does."""
    new, old = live.code, earlier.code
    if new is old or new is None or old is None:
        return new is None
    return new.co_filename == old.co_filename and _begins(new) == _begins(old)


def _begins(code: CodeType) -> tuple[int | None, int | None]:
    """Returns the line and column of the first thing that code does; two lambdas may stand on one line."""
    return next(((line, column) for line, _, column, end in code.co_positions() if end), (code.co_firstlineno, None))


def _stream_wrapper(function: Callable[..., Any], live: LiveComponent, *, method: bool) -> Callable[..., Any]:
    """Returns what stands in place of a generator function: one too, of the same kind."""
    from gvstore.journal.stream import NEXT, Asked, async_step, record_async_stream, record_stream, thrown

    current = CURRENT.get
    wrapper: Callable[..., Any]

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            frame = current()
            if frame is None:
                source = function(*args, **kwargs)
            elif method and args:
                source = record_async_stream(frame, live, args[1:], kwargs, args[0])
            else:
                source = record_async_stream(frame, live, args, kwargs)
            asked = NEXT
            while True:
                try:
                    chunk = await async_step(source, asked)
                except StopAsyncIteration:
                    return
                if asked.closes:
                    return
                try:
                    asked = Asked((yield chunk))
                except BaseException as e:
                    asked = thrown(e)

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            frame = current()
            if frame is None:
                return (yield from function(*args, **kwargs))
            if method and args:
                return (yield from record_stream(frame, live, args[1:], kwargs, args[0]))
            return (yield from record_stream(frame, live, args, kwargs))

    return wrapper


def _is_method(function: Callable[..., Any]) -> bool:
    """Returns whether a function is defined in a class and takes its instance, by its name and first parameter."""
    above = str(getattr(function, "__qualname__", "")).rpartition(".")[0].rpartition(".")[2]
    code = getattr(function, "__code__", None)
    return above.isidentifier() and code is not None and code.co_argcount > 0 and code.co_varnames[0] == "self"


def live_of(subject: Any) -> LiveComponent | None:
    """Returns what `register` knows of a function, class, or instance of an Invokable; None if it is not registered."""
    live = getattr(subject, "__gv__", None)
    if not isinstance(live, LiveComponent):
        return None
    if isinstance(live.subject, type) and live.subject is not subject and live.subject is not type(subject):
        return None  # a subclass that was not registered itself
    return live


def registered() -> list[LiveComponent]:
    """Returns the components that the running program has registered."""
    made = (live for key, others in _others.items() if key in _registered for live in others)
    return [*_registered.values(), *made, *_latest_objects(), *(live for named in _written.values() for live in named)]


def _latest_objects() -> list[LiveComponent]:
    return [*_objects][::-1]


def registered_as(name: str, root: Any = None) -> list[LiveComponent]:
    """Returns the registered components of this name: several only of lambdas and of what a function makes."""
    made = (live for key, others in _others.items() if key in _registered for live in others)
    defined = [live for live in (*_registered.values(), *made, *_latest_objects()) if _may_be(live, name) and live.name(root) == name]
    return [*defined, *(live for live in _written.get(name, ()) if live.name(root) == name)]


def registered_for(recorded: Component, root: Any = None, name: str = "") -> list[LiveComponent]:
    """Returns the registered components that a recorded one may be, by its name or by `name`.

    Of an object's an object: a machine that no variable holds has the name of
    the function that built it, which may be a component itself.
    """
    is_object = recorded.flavor in OBJECTS
    return [live for live in registered_as(name or recorded.name, root) if (live.flavor in OBJECTS) is is_object]


def _may_be(live: LiveComponent, name: str) -> bool:
    """Returns whether a component can have a name at all; what a decorator made may have that of the function it hides."""
    return live.flavor in OBJECTS or live.qualname.rpartition(".")[2] == name.rpartition(".")[2] or "<locals>" in live.qualname


@contextmanager
def apart(modules: Iterable[str]) -> Iterator[None]:
    """Takes what these modules have registered out of sight in the block; afterwards what modules did that are unloaded by then."""
    before, others, hidden = dict(_registered), dict(_others), set(modules)
    for key in [key for key in before if key[0] in hidden]:
        del _registered[key]
        _others.pop(key, None)
    objects = [*_objects]
    for live in objects:
        if live.module in hidden:
            del _objects[live]
    known = dict(_registered)
    try:
        yield
    finally:
        libraries = {
            key: live for key, live in _registered.items() if key not in known | before and key[0] in sys.modules
        }
        _registered.clear()
        _registered.update(before | libraries)
        _others.clear()
        _others.update(others)
        made = [live for live in _objects if live.module not in hidden and live.module in sys.modules]
        _objects.clear()
        _objects.update(dict.fromkeys([*objects, *made]))


def find_registered(name: str, root: Any = None, recorded: Component | None = None) -> LiveComponent:
    """Returns the registered component of this name, that may be the `recorded` one.

    Raises:
        NoSuchComponent: there is none; names the near ones.
    """
    import difflib

    found = registered_as(name, root) if recorded is None else registered_for(recorded, root, name)
    if found:
        return found[0]
    names = [live.name(root) for live in registered()]
    near = difflib.get_close_matches(name, names, 3, 0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else "Import the module that registers it first."
    raise NoSuchComponent(f"no component {name} is registered", hint=hint)


_expand_function = EXPANDERS[FunctionType]
_build_function = BUILDERS[number.FUNCTION]


def _expand_registered(function: Any) -> Expansion:
    """Expands a function; one that is registered has a name even where it stands in no module."""
    live = live_of(function)
    if live is not None and live.face is function and _registered.get((live.module, live.qualname)) is live:
        return number.FUNCTION, (name_of(function),)
    return _expand_function(function)


def _build_registered(raw: list[Any]) -> Any:
    found = _build_function(raw)
    if type(found) is not Unresolved:
        return found
    return next((live.face for live in registered() if name_of(live.face) == found.type_name), found)


register_expander(FunctionType, _expand_registered)
register_builder(number.FUNCTION, _build_registered)
