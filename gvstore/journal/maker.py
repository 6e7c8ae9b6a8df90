"""Objects that only a function makes, as a machine that no variable holds: made again when such a one is replayed.

    def build(): return ApplicationBuilder()...build()      the component factory.build

The function is called.  It may go on to run what it made: it is stopped there,
since what is wanted is the machine and not a further run.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from gvstore.code.identity import module_name
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import NoSuchComponent
from gvstore.journal.held import MADE, HeldComponent, built_by
from gvstore.journal.register import live_of, registered_for
from gvstore.journal.target import told_of
from gvstore.objects.component import Component

_kept: dict[str, LiveComponent] = {}  # by name, the latest


class _Stopped(BaseException):
    """What was to be made is made, and nothing is run."""


def stop_if_making() -> None:
    """Ends a function that is called for what it makes, when it begins to run that."""
    if MADE.get() is not None:
        raise _Stopped


def maker_of(name: str, root: Path | None) -> Callable[..., Any] | None:
    """Returns the function of a loaded module that an object has its name from, or None."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = _loaded(".".join(parts[:end]), root)
        found: Any = module
        for part in parts[end:] if module is not None else ():
            found = getattr(found, part, None)
        if module is not None and callable(found) and live_held(found) is None:
            return found  # type: ignore[no-any-return]
    return None


def live_held(value: Any) -> HeldComponent | None:
    """Returns the component of an object, or None if it is none."""
    live = live_of(value)
    return live if isinstance(live, HeldComponent) else None


def make_again(recorded: Component, root: Path | None, target: str = "") -> None:
    """Has a recorded object made again by the function that built it, if it is nowhere and the function's module is loaded.

    It may have been held by a variable that is not there now, as of a script's
    last lines.  `target`, as `app.py:build`, may name another that calls this one.

    Raises:
        NoSuchComponent: the function takes arguments, or makes it no more; says what to do.
        TargetRaised: the function raised.
    """
    if there := registered_for(recorded, root):  # perhaps by what nothing else refers to any more, and a collection would take
        same = [live for live in there if live.component(root).code == recorded.code]
        _kept[recorded.name] = (same or there)[0]
        return
    file, _, asked = target.rpartition(":")
    names = [recorded.name, built_by(recorded), *([f"{file.removesuffix('.py').replace('/', '.')}.{asked}"] if file else [])]
    functions = [each for each in (maker_of(name, root) for name in names) if each is not None]
    function = next((each for each in functions if not _needed(each)), functions[0] if functions else None)
    if function is None:
        if "<" in recorded.name:
            raise _unheld(recorded, "is made by a function that only exists while another runs")
        return
    needed = _needed(function)
    if needed:
        raise _unheld(recorded, f"is made of {', '.join(needed)}, which a replay does not know", f"{function.__name__}(...)")
    found = _made_by(function, recorded.name)
    place = built_by(recorded)
    named = [live for live in found if recorded.name == live.name(root)] or [live for live in found if place and place == built_by(live.component(root))]
    if not named:
        raise _unheld(recorded, f"is not made by {function.__qualname__}() any more")
    fresh = [live for live in named if live.component(root).code == recorded.code]
    made = (fresh or named)[-1]
    made.take_name(recorded.name, root)
    _kept[recorded.name] = made


def _made_by(function: Callable[..., Any], name: str) -> list[HeldComponent]:
    """Returns what a function made, and what it returned."""
    found: list[HeldComponent] = []
    token = MADE.set(found)
    try:
        returned = function()
        if inspect.iscoroutine(returned):
            returned = asyncio.run(returned)
        if (live := live_held(returned)) is not None:
            found.append(live)
    except _Stopped:
        pass
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        raise told_of(e, f"{name}()") from e
    finally:
        MADE.reset(token)
    return found


def _needed(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each.name for each in parameters if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def _unheld(recorded: Component, why: str, call: str = "...") -> NoSuchComponent:
    """Returns the error that an object cannot be made again."""
    return NoSuchComponent(
        f"the {recorded.flavor} {recorded.name} {why}",
        hint=f"Hold it in a variable of its module, `application = {call}`, and replay with "
        f"`--alias {recorded.name}={recorded.name.partition('.<')[0].rpartition('.')[0]}.application`.",
    )


def _loaded(name: str, root: Path | None) -> ModuleType | None:
    """Returns the loaded module that a project calls by this name."""
    module = sys.modules.get(name)
    if module is not None or root is None:
        return module
    folder = root.resolve()
    for each in list(sys.modules.values()):
        file = getattr(each, "__file__", None)
        if isinstance(file, str) and file.startswith(f"{folder}/") and module_name(Path(file).relative_to(folder)) == name:
            return each
    return None
