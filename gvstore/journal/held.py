"""Components that are objects and no definitions, as a state machine is: known by the variable that holds them.

    application = ApplicationBuilder()...build()      in app.py: the component app.application

Its code is a text that says what it is, and the functions that it holds.  One
that no variable of its module holds has the name of the function that built it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gvstore.code.identity import identify, module_name
from gvstore.journal.component import LiveComponent
from gvstore.journal.register import note_object
from gvstore.objects.component import Component
from gvstore.objects.oid import ObjectId


class HeldComponent(LiveComponent):
    """An object that can be called as `template` shows; `function` is what is executed, set by who makes it.

    `text` tells what it is, `functions` which functions of the program it holds.  What lies in the package `room` is not where it was built.
    """

    def __init__(
        self, held: Any, template: Callable[..., Any], *, flavor: str, room: str, text: Callable[[], str],
        functions: Callable[[], Iterable[Any]] = tuple,
    ) -> None:  # fmt: skip
        self._module, self._place = _built(room)
        self._variable = ""
        super().__init__(held, template, flavor=flavor)
        self.held, self._text, self._functions = held, text, functions
        note_object(self)

    @property
    def module(self) -> str:
        """The module that it was built in."""
        return self._module

    @module.setter
    def module(self, value: str) -> None: ...

    @property
    def qualname(self) -> str:
        """The variable that holds it, else the function that built it."""
        if not self._variable:
            names = vars(sys.modules[self._module]) if self._module in sys.modules else {}
            self._variable = next((name for name, value in list(names.items()) if value is self.held), "")
        return self._variable or self._place or type(self.held).__name__.lower()

    @qualname.setter
    def qualname(self, value: str) -> None: ...

    def component(self, root: Path | None) -> Component:
        """Returns its stored form."""
        name = self.qualname
        known = self._components.get(root)
        if known is None or not known[1].name.endswith(f".{name}"):
            known = self._components[root] = 0, self._make_named(name, root)
        return known[1]

    def _make_named(self, name: str, root: Path | None) -> Component:
        text = self._text()
        code = text.encode()
        for function in self._functions():
            identity = identify(function, root)
            code += identity.own + identity.reach
        return Component(
            name=f"{self._module_name(root)}.{name}", flavor=self.flavor, signature="(...)", parameters=self.parameters, source=text,
            text=bytes(ObjectId.of(text.encode())), own=bytes(ObjectId.of(code)),
        )  # fmt: skip

    def _module_name(self, root: Path | None) -> str:
        file = getattr(sys.modules.get(self._module), "__file__", None)
        if file and root is not None:
            path, folder = Path(file).resolve(), root.resolve()
            if path.is_relative_to(folder) and "site-packages" not in path.parts:
                return module_name(path.relative_to(folder))
        return Path(file).stem if self._module == "__main__" and file else self._module


def _built(room: str) -> tuple[str, str]:
    """Returns (module, function or "") of the code outside of a package that is running."""
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module not in (room, __name__) and not module.startswith(f"{room}."):
            name = frame.f_code.co_qualname
            return module, "" if name == "<module>" else name
        frame = frame.f_back
    return "__main__", ""
