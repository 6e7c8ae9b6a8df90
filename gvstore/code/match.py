"""Whether a text is the one that loaded code was made from, and where in it the definition stands."""

from __future__ import annotations
import __future__

import ast
import functools
import types
from collections.abc import Iterator
from types import CodeType, FunctionType

from gvstore.code.module import ModuleText, Site
from gvstore.objects.oid import ObjectId


def function_site(code: CodeType, module: ModuleText, *, line: int, exact: bool) -> Site | None:
    """Returns the definition from which `code` was made, or None if the text does not hold it.

    `line` is where a decorator was applied, 0 if unknown: when `code` is that of
    a wrapper which a decorator without `functools.wraps` returned, the
    definition below that line is meant.  `exact` asks that the text compiles to
    the very same code.
    """
    if line and "<locals>" in code.co_qualname:
        hidden = _decorated_at(module, line)
        if hidden is not None and (hidden.code_line, hidden.name) != (code.co_firstlineno, code.co_name):
            return hidden
    if exact and not any(same_code(code, other) for other in module.codes.get((code.co_name, code.co_firstlineno), [])):
        return None
    sites = [
        s for s in module.sites if s.code_line == code.co_firstlineno and s.name == code.co_name and not s.is_class
    ]
    if len(sites) > 1:
        sites = _by_position(code, sites) or sites
    if len(sites) > 1:
        sites = _by_compiling(code, sites) or sites
    if not exact:
        sites = [site for site in sites if _parameters(site) == _code_parameters(code)]
    return sites[0] if sites else None


def class_site(cls: type, module: ModuleText, *, line: int, exact: bool, seen: bool) -> Site | None:
    """Returns the definition from which a class was made, or None if the text does not hold it.

    Its methods must have been made from it.  A class without methods has no
    code to compare: what its body binds must be there, unless the text was
    `seen` while the class was made.
    """
    sites = [site for site in module.sites if site.is_class and site.qualname == cls.__qualname__]
    decorated = [site for site in sites if line and site.first_line <= line <= site.node.lineno]
    first = vars(cls).get("__firstlineno__")
    if isinstance(first, int):
        decorated = [site for site in sites if site.code_line == first] or decorated
        if not decorated and exact:
            return None
    candidates = decorated or list(reversed(sites))
    return next((site for site in candidates if _made_class(cls, site, module, exact=exact, seen=seen)), None)


def same_code(one: CodeType, other: CodeType) -> bool:
    """Returns whether two code objects do the same on the same lines.

    Equality proper also compares columns, which an interpreter may have been told to leave out.
    """
    if one == other:
        return True
    if len(one.co_consts) != len(other.co_consts):
        return False
    if (one.co_flags ^ other.co_flags) & ~_INHERITED:
        return False
    return all(getattr(one, part) == getattr(other, part) for part in _PARTS) and all(
        same_code(a, b)
        if isinstance(a, CodeType) and isinstance(b, CodeType)
        else type(a) is type(b) and repr(a) == repr(b)
        for a, b in zip(one.co_consts, other.co_consts, strict=True)
    )


def fingerprint(code: CodeType) -> str:
    """Returns what code objects share that `same_code` holds for, as short hex; another one under another Python."""
    told = [code.co_flags & ~_INHERITED, [getattr(code, part) for part in _PARTS], [_constant(each) for each in code.co_consts]]
    return ObjectId.of(repr(told).encode("utf-8", "surrogatepass")).hex()[:32]


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return fingerprint(value)
    if isinstance(value, frozenset):  # its order is another in each process
        return ["frozenset", *sorted(map(repr, value))]
    return type(value).__name__, repr(value)


def written_function(member: object) -> FunctionType | None:
    """Returns the function behind a method's wrappers, or None for what is no method."""
    for _ in range(100):
        if isinstance(member, staticmethod | classmethod | types.MethodType):
            member = member.__func__
        elif isinstance(member, property):
            member = member.fget
        elif isinstance(member, functools.cached_property | functools.partialmethod):
            member = member.func
        elif isinstance(inner := getattr(member, "__wrapped__", None), FunctionType):
            member = inner
        else:
            break
    return member if isinstance(member, FunctionType) else None


_PARTS = (
    "co_name",
    "co_firstlineno",
    "co_code",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
)
# What a text that `exec` ran took over from the module around it: it tells nothing of the text.
_INHERITED = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})


def _decorated_at(module: ModuleText, line: int) -> Site | None:
    """Returns the function whose decorators stand on `line`; a call of `register` on any other line decorates nothing."""
    for site in module.sites:
        if isinstance(site.node, ast.FunctionDef | ast.AsyncFunctionDef) and site.node.decorator_list:
            last = max(decorator.end_lineno or decorator.lineno for decorator in site.node.decorator_list)
            if site.first_line <= line <= last:
                return site
    return None


def _by_position(code: CodeType, sites: list[Site]) -> list[Site]:
    """Returns the lambda whose body holds every position of the code, the innermost: two may stand on one line."""
    spans = [span for span in code.co_positions() if None not in span and span[2:] != (0, 0)]
    if not spans:
        return []
    first = min((line, column) for line, _, column, _ in spans if line is not None and column is not None)
    last = max((line, column) for _, line, _, column in spans if line is not None and column is not None)
    holding = []
    for site in sites:
        body = site.node.body if isinstance(site.node, ast.Lambda) else site.node
        if isinstance(body, ast.AST) and _start(body) <= first and last <= _end(body):
            holding.append((_start(body), site))
    return [max(holding, key=lambda pair: pair[0])[1]] if holding else []


def _by_compiling(code: CodeType, sites: list[Site]) -> list[Site]:
    """Returns the lambdas that compile to this code on their own, for interpreters without columns."""
    found = []
    for site in sites:
        if isinstance(site.node, ast.Lambda):
            made = compile(ast.Expression(site.node), "<lambda>", "eval", dont_inherit=True).co_consts[0]
            if isinstance(made, CodeType) and (made.co_code, made.co_consts, made.co_names) == (
                code.co_code,
                code.co_consts,
                code.co_names,
            ):
                found.append(site)
    return found


def _start(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)


def _parameters(site: Site) -> tuple[str, ...]:
    arguments = (
        site.node.args if not isinstance(site.node, ast.ClassDef) else ast.arguments([], [], None, [], [], None, [])
    )
    single = [arguments.vararg, arguments.kwarg]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *(a for a in single if a is not None)]
    return tuple(argument.arg for argument in every)


def _code_parameters(code: CodeType) -> tuple[str, ...]:
    stars = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]


def _made_class(cls: type, site: Site, module: ModuleText, *, exact: bool, seen: bool) -> bool:
    """Returns whether the methods of a live class come from this definition."""
    methods = [f.__code__ for f in _own_functions(cls, site, module.filename)]
    inside = [code for code in methods if site.first_line <= code.co_firstlineno <= site.last_line]
    if not exact:
        return not methods or bool(inside)
    if methods:
        return len(inside) == len(methods) and all(
            any(same_code(code, other) for other in module.codes.get((code.co_name, code.co_firstlineno), []))
            for code in methods
        )
    return seen or {name for name in _bound_names(site) if not name.startswith("__")} <= {
        *vars(cls),
        *_annotations(cls),
    }


def _own_functions(cls: type, site: Site, filename: str) -> Iterator[FunctionType]:
    """Yields the functions that a class body wrote itself: not what a decorator or a base put there.

    `dataclass` makes its methods in "<string>", as `exec` does: there only names that the body binds are taken.
    """
    bound = _bound_names(site)
    for name, member in vars(cls).items():
        inner = written_function(member)
        if (
            inner is None
            or inner.__code__.co_filename != filename
            or not inner.__qualname__.startswith(f"{cls.__qualname__}.")
        ):
            continue
        if name in bound or not filename.startswith("<"):
            yield inner


def _annotations(cls: type) -> list[str]:
    found = vars(cls).get("__annotations__", {})
    return list(found) if isinstance(found, dict) else []


def _bound_names(site: Site) -> set[str]:
    """Returns the names that a class body surely binds: its plain assignments, fields and methods."""
    assert isinstance(site.node, ast.ClassDef)
    names: set[str] = set()
    for statement in site.node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
        elif isinstance(statement, ast.Assign):
            names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
    return names
