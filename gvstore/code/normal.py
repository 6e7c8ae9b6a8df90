"""The normal form of a definition: what it does, without how it is written.

Out go comments, positions, docstrings and other constants that stand alone,
`pass`, the definition's own name, the mark that registers it, and annotations:
but for those of class bodies, which make fields, and those of a component's
own signature.  Equal normal forms mean equal behaviour, as long as what the
names reach is equal too (`reach`).

The bytes are the same under Python 3.11 to 3.14: fields come from a table,
empty ones are left out, so that a field which a later Python adds changes
nothing until it is used.  This module imports nothing of the project.

    node      (Type .field value .field value)     empty fields left out
    list      [value value ...]
    text      s <bytes> : <utf-8, surrogates passed>
    none      -
    integer   i <hex>;      constants: see `_constant`

Source: Unison's name-free hashes, www.unison-lang.org/docs/the-big-idea.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable, Iterator
from typing import Final

Mark = Callable[[ast.expr], bool]
DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda

# Fields in an order of our own; `ctx`, `type_comment`, `kind` and positions follow from the rest or mean nothing.
_TABLE: Final = """
    FunctionDef name args body decorator_list returns type_params
    AsyncFunctionDef name args body decorator_list returns type_params
    ClassDef name bases keywords body decorator_list type_params
    Lambda args body
    arguments posonlyargs args vararg kwonlyargs kw_defaults kwarg defaults
    arg arg annotation
    keyword arg value
    alias name asname
    withitem context_expr optional_vars
    comprehension target iter ifs is_async
    ExceptHandler type name body
    match_case pattern guard body
    Return value
    Delete targets
    Assign targets value
    AugAssign target op value
    AnnAssign target annotation value simple
    TypeAlias name type_params value
    For target iter body orelse
    AsyncFor target iter body orelse
    While test body orelse
    If test body orelse
    With items body
    AsyncWith items body
    Match subject cases
    Raise exc cause
    Try body handlers orelse finalbody
    TryStar body handlers orelse finalbody
    Assert test msg
    Import names
    ImportFrom module names level
    Global names
    Nonlocal names
    Expr value
    BoolOp op values
    NamedExpr target value
    BinOp left op right
    UnaryOp op operand
    IfExp test body orelse
    Dict keys values
    Set elts
    ListComp elt generators
    SetComp elt generators
    DictComp key value generators
    GeneratorExp elt generators
    Await value
    Yield value
    YieldFrom value
    Compare left ops comparators
    Call func args keywords
    FormattedValue value conversion format_spec
    Interpolation value conversion format_spec
    JoinedStr values
    TemplateStr values
    Attribute value attr
    Subscript value slice
    Starred value
    Name id
    List elts
    Tuple elts
    Slice lower upper step
    MatchValue value
    MatchSingleton value
    MatchSequence patterns
    MatchMapping keys patterns rest
    MatchClass cls patterns kwd_attrs kwd_patterns
    MatchStar name
    MatchAs pattern name
    MatchOr patterns
    TypeVar name bound default_value
    ParamSpec name default_value
    TypeVarTuple name default_value
    Module body
"""
_FIELDS: Final = {name: tuple(fields) for name, *fields in map(str.split, _TABLE.strip().splitlines())}

_SIGNED_METHODS = frozenset({"call", "__call__", "__init__"})
_TYPING = frozenset({"annotation", "returns", "type_params"})
_BODIES = frozenset({"body", "orelse", "finalbody"})


def normal_form(node: ast.AST, *, component: bool = False, is_mark: Mark = lambda _: False) -> bytes:
    """Returns the bytes that two definitions share when they do the same.

    `component` keeps the annotations of the definition's own signature (for a
    class, of the methods that make or call it).  Decorators for which `is_mark`
    holds are left out wherever they stand.

    The walk has a stack of its own: no tree that Python parses is too deep.
    """
    out: list[bytes] = []
    todo: list[object] = [_Root(node, component)]
    while todo:
        item = todo.pop()
        kind = item.__class__
        plain = _PLAIN.get(kind)
        if kind is bytes:
            out.append(item)  # type: ignore[arg-type]
        elif plain is not None:
            out.append(plain[0])
            todo.append(b")")
            for field, label in plain[1]:
                value = getattr(item, field, None)
                if value is None or (not value and value.__class__ is list):
                    continue
                if value.__class__ is str:
                    todo.append(label + _scalar(value))
                elif value.__class__ is ast.Name:
                    todo.append(label + b"(Name.id " + _scalar(value.id) + b")")
                elif value.__class__ is ast.Constant:
                    todo.append(label + _constant(value.value))
                else:
                    todo += (value, label)
        elif isinstance(item, _Root):
            todo += reversed(list(_node(item.node, is_mark, root=True, signed=item.component, in_class=False)))
        elif isinstance(item, _Member):
            todo += reversed(list(_node(item.node, is_mark, root=False, signed=item.signed, in_class=item.in_class)))
        elif isinstance(item, ast.AST):
            todo += reversed(list(_node(item, is_mark, root=False, signed=False, in_class=False)))
        elif isinstance(item, list):
            todo.append(b"]")
            todo += reversed(item)
            todo.append(b"[")
        else:
            out.append(_scalar(item))
    return b"".join(out)


def _plain() -> dict[type, tuple[bytes, list[tuple[str, bytes]]]]:
    """Returns the types whose nodes are written field by field wherever they stand: how they open, their fields from the last."""
    apart = {"AnnAssign", "Constant", "ImportFrom", "JoinedStr", "arg", "arguments"}
    found: dict[type, tuple[bytes, list[tuple[str, bytes]]]] = {}
    for name, kind in vars(ast).items():
        if not (isinstance(kind, type) and issubclass(kind, ast.AST)) or kind.__name__ != name or name in apart:
            continue
        fields = _FIELDS.get(name, kind._fields)
        if not (_BODIES | _TYPING | {"decorator_list"}).intersection(fields):
            labels = [(field, b"." + field.encode() + b" ") for field in reversed(fields)]
            found[kind] = b"(" + name.encode(), labels
    return found


class _Root:
    """The definition itself, whose name does not count."""

    __slots__ = ("component", "node")

    def __init__(self, node: ast.AST, component: bool) -> None:
        self.node, self.component = node, component


class _Member:
    """A node that has to know where it stands."""

    __slots__ = ("in_class", "node", "signed")

    def __init__(self, node: ast.AST, *, in_class: bool = False, signed: bool = False) -> None:
        self.node, self.in_class, self.signed = node, in_class, signed


def _node(node: ast.AST, is_mark: Mark, *, root: bool, signed: bool, in_class: bool) -> Iterator[object]:
    """Yields the pieces of one node: bytes that are done, and what remains to be walked."""
    if isinstance(node, ast.Constant):
        yield _constant(node.value)
        return
    if isinstance(node, ast.AnnAssign) and not in_class:
        yield from _unannotated(node)
        return
    kind = type(node).__name__
    yield b"(" + kind.encode()
    for field in _FIELDS.get(kind, node._fields):
        value = getattr(node, field, None)
        if field == "name" and root:
            continue
        if field in _TYPING and not (signed or isinstance(node, ast.AnnAssign)):
            continue
        if field == "decorator_list":
            value = [decorator for decorator in value or [] if not is_mark(decorator)]
        elif field in _BODIES and isinstance(value, list):
            value = list(_body(node, value, root and signed, in_class))
        elif field == "values" and isinstance(node, ast.JoinedStr):
            value = list(_merged(node.values))
        elif signed and isinstance(value, ast.arguments):
            value = _Member(value, signed=True)
        elif signed and isinstance(node, ast.arguments):
            value = _signed_arguments(value)
        if value is None or value == [] or (field == "level" and value == 0):
            continue
        yield b"." + field.encode() + b" "
        yield value
    yield b")"


def _unannotated(node: ast.AnnAssign) -> Iterator[object]:
    """Yields `x: int = 1` as `x = 1`; a bare `x: int` still makes x a local name."""
    if node.value is None:
        yield b"(AnnAssign.target "
        yield node.target
        yield b")"
    else:
        yield b"(Assign.targets ["
        yield node.target
        yield b"].value "
        yield node.value
        yield b")"


def _body(owner: ast.AST, statements: list[ast.stmt], signed: bool, in_class: bool) -> Iterator[object]:
    """Yields the statements that do something.

    Conditional statements of a class body stand in the class body too: fields made under an `if` are fields.
    """
    is_class = isinstance(owner, ast.ClassDef)
    inside = is_class or (in_class and not isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))
    for statement in statements:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        if not inside:
            yield statement
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _Member(statement, signed=signed and statement.name in _SIGNED_METHODS)
        else:
            yield _Member(statement, in_class=True)


def _signed_arguments(value: object) -> object:
    if isinstance(value, ast.arg):
        return _Member(value, signed=True)
    if isinstance(value, list):
        return [_Member(item, signed=True) if isinstance(item, ast.arg) else item for item in value]
    return value


def _merged(pieces: list[ast.expr]) -> Iterator[ast.expr]:
    """Yields an f-string's pieces, neighbouring texts joined: Pythons differ in where they cut."""
    text: list[str] = []
    for piece in pieces:
        if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
            text.append(piece.value)
            continue
        if any(text):
            yield ast.Constant("".join(text))
        text = []
        yield piece
    if any(text):
        yield ast.Constant("".join(text))


def _scalar(value: object) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, str):
        return _sized(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, int):
        return b"i%x;" % value if value >= 0 else b"i-%x;" % -value
    return _constant(value)


def _constant(value: object) -> bytes:
    """Returns the bytes of a constant, its type told: 1, 1.0 and True differ, so do 0.0 and -0.0."""
    if isinstance(value, bool):
        return b"cT" if value else b"cF"
    if value is None:
        return b"cN"
    if value is Ellipsis:
        return b"cE"
    if isinstance(value, float):
        return b"cf" + struct.pack(">d", value)
    if isinstance(value, complex):
        return b"cc" + struct.pack(">dd", value.real, value.imag)
    if isinstance(value, bytes):
        return _sized(b"cb", value)
    if isinstance(value, int | str):
        return b"c" + _scalar(value)
    raise TypeError(f"no constant of Python's grammar: {type(value).__name__}")


def _sized(tag: bytes, data: bytes) -> bytes:
    return tag + b"%d:" % len(data) + data


_PLAIN: Final = _plain()
