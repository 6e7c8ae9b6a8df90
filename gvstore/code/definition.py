"""One definition read: its signature, documentation, source, and the two hashes that its text alone determines.

    text   BLAKE3 of "code text 1\\0" and the definition's source, dedented, as UTF-8
    own    BLAKE3 of "code own 1\\0" and its normal form (`normal`); then NUL and those of its docstrings that count (`documented`), if any

The numbers go up when what is hashed changes: every stored hash then counts
as another code.  `reach` (what its names resolve to) is another file's matter.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from gvstore.code.documented import counted
from gvstore.code.mark import dotted_origin, is_register
from gvstore.code.module import ModuleText, Site
from gvstore.code.normal import normal_form
from gvstore.code.walk import children
from gvstore.objects.oid import ObjectId

_TEXT: Final = b"code text 1\0"
_OWN: Final = b"code own 1\0"


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition, as its text tells it."""

    qualname: str
    flavor: str
    signature: str
    parameters: tuple[str, ...]
    doc: str
    source: str
    text: ObjectId
    own: ObjectId


def read_definition(module: ModuleText, site: Site) -> Definition:
    """Returns the definition that stands at `site`, seen as a component: its own signature counts."""
    source = module.segment(site)
    node = site.node
    doc = "" if isinstance(node, ast.Lambda) else ast.get_docstring(node) or ""
    parameters, signature = _signature(module, site)
    return Definition(
        site.qualname,
        flavor_of(node),
        signature,
        parameters,
        doc,
        source,
        text_hash(source),
        own_hash(module, node, component=True),
    )


def text_hash(source: str) -> ObjectId:
    """Returns the hash of a definition's exact source."""
    return ObjectId.of(_TEXT + source.encode("utf-8", "surrogatepass"))


def own_hash(module: ModuleText, node: ast.AST, *, component: bool = False) -> ObjectId:
    """Returns the hash of what a definition does itself, whatever it is called and however it is written."""
    names = module.names
    form = normal_form(node, component=component, is_mark=lambda mark: is_register(mark, names))
    docs = counted(module, node)
    return ObjectId.of(_OWN + form + (b"\0" + docs if docs else b""))


def flavor_of(node: ast.AST) -> str:
    """Returns what a definition makes: `function`, `generator`, `async function`, `async generator` or `class`."""
    if isinstance(node, ast.ClassDef):
        return "class"
    word = "generator" if _yields(node) else "function"
    return f"async {word}" if isinstance(node, ast.AsyncFunctionDef) else word


def _yields(node: ast.AST) -> bool:
    """Returns whether a function's own body yields, functions inside it left aside."""
    todo: list[ast.AST] = list(node.body) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else [node]
    if isinstance(node, ast.Lambda):
        todo = [node.body]
    while todo:
        item = todo.pop()
        if isinstance(item, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo += children(item)
    return False


def _signature(module: ModuleText, site: Site) -> tuple[tuple[str, ...], str]:
    """Returns the parameters' names and the signature as a user reads it.

    Pieces are cut from the source: `ast.unparse` writes differently under different Pythons.
    """
    node = site.node
    if isinstance(node, ast.ClassDef):
        return _class_signature(module, node)
    names, text = _arguments(module, node.args, drop_first=False)
    returns = getattr(node, "returns", None)
    return names, f"({text})" + (f" -> {_line(module.expression(returns))}" if returns is not None else "")


def _class_signature(module: ModuleText, node: ast.ClassDef) -> tuple[tuple[str, ...], str]:
    """Returns what makes an instance: `__init__`'s parameters, else the annotated fields of this class alone."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            names, text = _arguments(module, statement.args, drop_first=True)
            return names, f"({text})"
    names_, parts = [], []
    for statement in node.body:
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and not _is_class_variable(module, statement)
        ):
            names_.append(statement.target.id)
            value = f" = {_line(module.expression(statement.value))}" if statement.value is not None else ""
            parts.append(f"{statement.target.id}: {_line(module.expression(statement.annotation))}{value}")
    return tuple(names_), f"({', '.join(parts)})"


def _is_class_variable(module: ModuleText, field: ast.AnnAssign) -> bool:
    annotation = field.annotation.value if isinstance(field.annotation, ast.Subscript) else field.annotation
    origin = dotted_origin(annotation, module.names) or module.expression(annotation)
    return origin.rpartition(".")[2] in ("ClassVar", "KW_ONLY")


def _arguments(module: ModuleText, arguments: ast.arguments, *, drop_first: bool) -> tuple[tuple[str, ...], str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults += arguments.defaults
    names: list[str] = []
    parts: list[str] = []

    def add(argument: ast.arg, default: ast.expr | None, stars: str = "") -> None:
        names.append(argument.arg)
        annotation = f": {_line(module.expression(argument.annotation))}" if argument.annotation is not None else ""
        equals = " = " if annotation else "="
        parts.append(
            stars
            + argument.arg
            + annotation
            + (equals + _line(module.expression(default)) if default is not None else "")
        )

    for i, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        if i or not drop_first:
            add(argument, default)
        if i + 1 == len(arguments.posonlyargs) and parts:
            parts.append("/")
    if arguments.vararg is not None:
        add(arguments.vararg, None, "*")
    elif arguments.kwonlyargs:
        parts.append("*")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        add(argument, default)
    if arguments.kwarg is not None:
        add(arguments.kwarg, None, "**")
    return tuple(names), ", ".join(parts)


def _line(text: str) -> str:
    """Returns an expression on one line; a comment inside it would swallow what follows, so such stay as written."""
    return (
        " ".join(part.strip() for part in text.split("\n"))
        if "\n" in text and "#" not in text and '"""' not in text
        else text
    )
