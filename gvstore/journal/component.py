"""Live components: what `register` knows of a function or class while the program runs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

from gvstore import reads
from gvstore.code.identity import CodeIdentity, identify
from gvstore.journal.cells import cells_of, with_cells
from gvstore.objects.component import Component
from gvstore.objects.placeholder import Ignored
from gvstore.version import __version__

_KINDS = inspect.Parameter
_INSTALLED: Final = ("site-packages", "dist-packages")
IGNORED: Final = Ignored()


class LiveComponent:
    """A registered function, method or Invokable class.

    `function` is what a recorded call executes.  The stored form is made when
    a call of it is first recorded, for the project the recording belongs to.
    """

    __slots__ = (
        "__weakref__",
        "_cells",
        "_components",
        "_defaults",
        "_simple",
        "effect",
        "face",
        "flavor",
        "function",
        "ignore",
        "module",
        "parameters",
        "plain",
        "qualname",
        "signature",
        "streams",
        "subject",
        "takes_instance",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        subject: Any,
        function: Callable[..., Any],
        *,
        flavor: str,
        ignore: tuple[str, ...] = (),
        version: str = "",
        effect: str = "",
    ) -> None:
        self.subject, self.function, self.flavor = subject, function, flavor
        self.face: Any = subject  # what the program calls
        self.module = str(getattr(subject, "__module__", None) or "__main__")
        self.qualname = str(getattr(subject, "__qualname__", None) or getattr(subject, "__name__", "?"))
        self.version, self.effect = version, effect
        self.takes_instance = flavor in ("class", "method")
        self.streams = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        self.plain = not effect and not self.streams  # a recorded outcome is all there is to it
        self.signature = _signature(function, skip_first=self.takes_instance)
        self.parameters = tuple(self.signature.parameters)
        self.ignore = frozenset(ignore)
        if unknown := self.ignore - set(self.parameters):
            raise TypeError(f"{self.qualname} has no parameter {sorted(unknown)[0]!r} to ignore")
        kinds = {p.kind for p in self.signature.parameters.values()}
        self._simple = not self.ignore and kinds <= {_KINDS.POSITIONAL_OR_KEYWORD, _KINDS.POSITIONAL_ONLY}
        self._defaults = {n: p.default for n, p in self.signature.parameters.items() if p.default is not _KINDS.empty}
        self._components: dict[Path | None, tuple[int, Component]] = {}  # with the number of sources loaded by then
        self._cells = cells_of(function)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        """Returns the arguments in the order of the parameters, defaults applied: `f(1)` is `f(x=1)`.

        For what takes an instance, an Invokable or a method, by name.

        A function that another wraps may show the signature of the inner one
        and take other arguments: these are given as they came.

        Raises:
            TypeError: they do not fit, as calling the function would.
        """
        if self._simple and not kwargs and len(args) == len(self.parameters):
            return dict(zip(self.parameters, args, strict=True)) if self.takes_instance else args
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            if type(self.function) is FunctionType and not _disguised(self.function):
                raise
            return {"args": args, "kwargs": kwargs}
        bound.apply_defaults()
        if self.ignore:
            bound.arguments.update(dict.fromkeys(self.ignore, IGNORED))
        if self.takes_instance:  # its stored parameters are those of the constructor, or begin with `self`
            return bound.arguments
        return tuple(bound.arguments.values())

    def spread(self, values: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Returns (args, kwargs) that call the function with values bound before.

        Raises:
            KeyError: a parameter has neither a value nor a default.
        """
        if values.keys() == {"args", "kwargs"} != set(self.parameters):
            return tuple(values["args"]), dict(values["kwargs"])
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, parameter in self.signature.parameters.items():
            value: Any = values.get(name, IGNORED) if name not in self.ignore else IGNORED
            if type(value) is Ignored:
                value = (
                    self._defaults[name] if parameter.kind not in (_KINDS.VAR_POSITIONAL, _KINDS.VAR_KEYWORD) else ()
                )
            if parameter.kind is _KINDS.VAR_POSITIONAL:
                args += value
            elif parameter.kind is _KINDS.VAR_KEYWORD:
                kwargs.update(value)
            elif parameter.kind is _KINDS.KEYWORD_ONLY:
                kwargs[name] = value
            else:
                args.append(value)
        return tuple(args), kwargs

    @property
    def is_made(self) -> bool:
        """Whether it is an object that a function makes, and no definition."""
        return False

    @property
    def written(self) -> Any:
        """What tells by its place whether it is of the project or of a library."""
        return self.function

    @property
    def code(self) -> CodeType | None:
        """What was compiled of its function, if it was written in Python."""
        code = getattr(self.function, "__code__", None)
        return code if isinstance(code, CodeType) else None

    def name(self, root: Path | None) -> str:
        """Returns its path from the project root, dotted."""
        return self.component(root).name

    def component(self, root: Path | None) -> Component:
        """Returns its stored form, as the project at `root` names it."""
        known = self._components.get(root)
        if known is None or known[0] != reads.loads:
            loads = reads.loads
            try:
                made = self._make(root)
            except (OSError, ValueError, LookupError, AttributeError, TypeError, SyntaxError):
                made = self._unread()  # code that cannot be read is code that cannot be told, not the program's end
            known = self._components[root] = loads, made
        return known[1]

    def _unread(self) -> Component:
        return Component(
            name=f"{self.module}.{self.qualname}", flavor=self.flavor, parameters=self.parameters, version=self.version
        )

    def _make(self, root: Path | None) -> Component:
        identity = identify(self.subject, root)
        path = _source_path(self)
        library = library_of(self.module) if path is not None and _is_installed(path, root) else ""
        parameters = identity.parameters or (self.parameters if self.flavor == "function" else ())
        reach = with_cells(identity.reach, self._cells)
        return replace(
            stored_component(identity), parameters=parameters, reach=reach, library=library, version=self.version
        )


def stored_component(identity: CodeIdentity) -> Component:
    """Returns a component of the project as it is stored, the same for what was found and what was run."""
    return Component(
        name=identity.name, flavor=identity.flavor, signature=identity.signature, parameters=identity.parameters,
        doc=identity.doc, source=identity.source, text=identity.text, own=identity.own,
        reach=identity.reach,
    )  # fmt: skip


def _signature(function: Callable[..., Any], *, skip_first: bool) -> inspect.Signature:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # builtins without one
        any_args = [_KINDS("args", _KINDS.VAR_POSITIONAL), _KINDS("kwargs", _KINDS.VAR_KEYWORD)]
        return inspect.Signature(any_args)
    if skip_first:
        return signature.replace(parameters=list(signature.parameters.values())[1:])
    return signature


def _disguised(function: FunctionType) -> bool:
    """Returns whether `inspect.signature` tells another signature than the function's own."""
    return hasattr(function, "__wrapped__") or hasattr(function, "__signature__")


def _source_path(live: LiveComponent) -> Path | None:
    file: str | None = None
    code = getattr(inspect.unwrap(live.written), "__code__", None)
    if code is not None and not code.co_filename.startswith("<"):
        file = code.co_filename
    else:
        file = getattr(sys.modules.get(live.module), "__file__", None)
    if not file:
        return None
    try:
        return Path(file).resolve()
    except OSError:
        return None


def _is_installed(path: Path, root: Path | None) -> bool:
    if any(part in _INSTALLED for part in path.parts):
        return True
    own = Path(__file__).resolve().parent.parent
    if path.is_relative_to(own):
        return True
    return path.is_relative_to(Path(sys.base_prefix).resolve()) and (root is None or not path.is_relative_to(root))


def library_of(module: str) -> str:
    """Returns `distribution==major` of the installed package a module belongs to."""
    top = module.partition(".")[0]
    if top == "gvstore":
        return f"gvstore=={__version__.partition('.')[0]}"
    from importlib import metadata

    try:
        return f"{top}=={metadata.version(top).partition('.')[0]}"
    except metadata.PackageNotFoundError:
        pass
    names = metadata.packages_distributions().get(top)
    if names:
        return f"{names[0]}=={metadata.version(names[0]).partition('.')[0]}"
    return f"{top}=={sys.version_info.major}.{sys.version_info.minor}" if top in sys.stdlib_module_names else top
