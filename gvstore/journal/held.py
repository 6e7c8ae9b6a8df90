"""Components that are objects and no definitions, as a state machine is: known by the variable that holds them.

    application = ApplicationBuilder()...build()      in app.py: the component app.application
    application = build()                             too, wherever `build` is defined

Its code is a text that says what it is, and the functions that it holds.  One
that no variable of a module of the project holds has the name of the function
that built it; `maker.py` calls that again when such a one is replayed.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gvstore.code.identity import identify, module_name
from gvstore.journal.component import LiveComponent
from gvstore.journal.register import note_object
from gvstore.objects.component import Component
from gvstore.objects.oid import ObjectId

MADE: Final[ContextVar[list[HeldComponent] | None]] = ContextVar("made", default=None)  # where those that come to be are gathered
_NAMED = "__gv__"
_MAIN = "__main__"
_BUILT_BY = "Built by "
_DEEP: Final = 200  # frames in which who asked for it is looked for


class HeldComponent(LiveComponent):
    """An object that can be called as `template` shows; `function` is what is executed, set by who makes it.

    `text` tells what it is, `functions` which functions of the program it holds, and bytes that count beside them.  What lies in the package `room` is not where it was built.
    One that is `named`, by its module and what it is there, is not looked for in variables.
    """

    def __init__(
        self, held: Any, template: Callable[..., Any], *, flavor: str, room: str, text: Callable[[], str],
        functions: Callable[[], Iterable[Any]] = tuple, named: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._callers, self.place = _built(room) if named is None else (named[:1], named[1])
        self._is_named = named is not None
        self._module = self._callers[0]
        self._names: dict[Path | None, tuple[str, str]] = {}
        self._missed: dict[Path | None, tuple[tuple[int, ...], tuple[str, str]]] = {}  # what it was called while no variable held it, and what was there then
        super().__init__(held, template, flavor=flavor)
        self.held, self._text, self._functions = held, text, functions
        note_object(self)
        if (made := MADE.get()) is not None and named is None:
            made.append(self)

    @property
    def module(self) -> str:
        """The module that it was built in."""
        return self._module

    @module.setter
    def module(self, value: str) -> None: ...

    @property
    def qualname(self) -> str:
        """The variable of its module that holds it, else the function that built it."""
        return self._unheld if self._is_named else self._variable(sys.modules.get(self._module)) or self._unheld

    @qualname.setter
    def qualname(self, value: str) -> None: ...

    @property
    def _unheld(self) -> str:
        return self.place or type(self.held).__name__.lower()

    def name(self, root: Path | None) -> str:
        """Returns `module.variable`, by the path of the module from the project root."""
        return ".".join(self._named(root))

    @property
    def is_made(self) -> bool:
        """Whether a function made it, and no variable was found that holds it."""
        return self.place != "" and not self._is_named and all(name == self._unheld for _, name in self._names.values())

    def component(self, root: Path | None) -> Component:
        """Returns its stored form; it keeps the name that it has when this is first asked for."""
        known = self._components.get(root)
        if known is None:
            module, name = self._names.setdefault(root, self._named(root))
            known = self._components[root] = 0, self._make_named(f"{module}.{name}", root)
        return known[1]

    def _make_named(self, name: str, root: Path | None) -> Component:
        text = self._text()
        code = text.encode()
        for part in self._functions():
            if isinstance(part, bytes):
                code += part
            else:
                identity = identify(part, root)
                code += identity.own + identity.reach
        return Component(
            name=name, flavor=self.flavor, signature="(...)", parameters=self.parameters, source=text, doc=self._built_by(root),
            text=bytes(ObjectId.of(text.encode())), own=bytes(ObjectId.of(code)),
        )  # fmt: skip

    def _built_by(self, root: Path | None) -> str:
        return f"{_BUILT_BY}{_name_of(self._module, root)}.{self.place}()" if self.place and not self._is_named else ""

    def take_name(self, name: str, root: Path | None) -> None:
        """Lets it stand for one that was recorded under another name."""
        module, _, variable = name.rpartition(".")
        self._names[root] = module, variable
        self._components.pop(root, None)

    def _named(self, root: Path | None) -> tuple[str, str]:
        """Returns (module as the project names it, variable or function); one that a variable holds keeps its name."""
        known = self._names.get(root)
        if known is not None:
            return known
        seen = len(sys.modules), *(len(vars(sys.modules[name])) for name in self._callers if name in sys.modules)
        missed = self._missed.get(root)
        if missed is not None and missed[0] == seen:  # nothing was loaded since, and no variable came where it was built
            return missed[1]
        for module in self._holders(root) if not self._is_named else ():
            if variable := self._variable(module):
                return self._names.setdefault(root, (_name_of(module.__name__, root), variable))
        self._missed[root] = seen, (_name_of(self._module, root), self._unheld)
        return self._missed[root][1]

    def _variable(self, module: ModuleType | None) -> str:
        """Returns the variable of a module that holds it, or a fork of it: of several, the first that is not private; or ""."""
        kind = type(self.held)
        names = [name for name, value in list(vars(module).items()) if type(value) is kind and self._is_held_by(value)] if module else []
        return min(names, key=lambda name: name.startswith("_"), default="")

    def _is_held_by(self, value: Any) -> bool:
        return value is self.held or getattr(value, _NAMED, None) is self

    def _holders(self, root: Path | None) -> Iterator[ModuleType]:
        """Yields where a variable may hold it: where it was built, who called that, all else that is loaded of the project."""
        for name in self._callers:
            if (module := sys.modules.get(name)) is not None and self._may_hold(module):
                yield module
        if root is None:
            return
        below = f"{root.resolve()}/"
        others = [(name, module) for name, module in list(sys.modules.items()) if name not in self._callers]
        for _, module in sorted(others, key=lambda each: each[0] == _MAIN):
            file = getattr(module, "__file__", None)
            if type(module) is ModuleType and isinstance(file, str) and file.startswith(below) and "site-packages" not in file:
                yield module


    def _may_hold(self, module: ModuleType) -> bool:
        """Returns whether a variable of a module gives it a name: one of a prompt that is typed at is there for nobody else."""
        return module.__name__ != _MAIN or self._module == _MAIN or getattr(module, "__file__", None) is not None


def built_by(component: Component) -> str:
    """Returns the name of the function that built what a component is, or ""."""
    return component.doc.removeprefix(_BUILT_BY).removesuffix("()") if component.doc.startswith(_BUILT_BY) else ""


def _name_of(module: str, root: Path | None) -> str:
    """Returns a module's name, by its path from the project root where it is of the project."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file and root is not None:
        path, folder = Path(file).resolve(), root.resolve()
        if path.is_relative_to(folder) and "site-packages" not in path.parts:
            return module_name(path.relative_to(folder))
    return Path(file).stem if module == _MAIN and file else module


def _built(room: str) -> tuple[tuple[str, ...], str]:
    """Returns (modules, function or "") of the code outside of a package that is running: where this was called, and who called that."""
    frame = inspect.currentframe()
    found: dict[str, str] = {}
    for _ in itertools.repeat(None, _DEEP):
        if frame is None:
            break
        module = str(frame.f_globals.get("__name__", ""))
        if module not in (room, __name__) and not module.startswith((f"{room}.", "importlib.")):
            found.setdefault(module, frame.f_code.co_qualname)
        frame = frame.f_back
    place = next(iter(found.values()), "")
    return tuple(found) or (_MAIN,), "" if place == "<module>" else place
