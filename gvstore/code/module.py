"""One text of one module: its tree, the definitions in it, and the code it compiles to.

All is made on demand: taking a text costs nothing, parsing it a few
milliseconds for a thousand lines.  Trees are large, so when something has been
looked up (`reading`) only those of the texts that were parsed last are kept;
the others are parsed again when they are asked for.  What has to fit together
is read while READING is held.  Lines end in "\\n" and count from 1; columns
are, as in `ast` and in code objects, offsets into the line's UTF-8.

The text decides; nothing here looks at a file or imports anything.
"""

from __future__ import annotations

import ast
import gc
import importlib.util
import io
import threading
import tokenize
import warnings
import weakref
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, Final

from gvstore.code.mark import imported_names
from gvstore.code.normal import DefinitionNode
from gvstore.code.walk import children, statements

if TYPE_CHECKING:
    from gvstore.code.facts import Facts

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What `ast.parse` and `compile` raise at texts that are no Python, or too deep a one."""


SOURCES: Final = "src"
"""The folder below the root that modules are imported from, unless it is a package itself."""

READING = threading.RLock()
_TREES_KEPT = 32
_parsed: deque[weakref.ref[ModuleText]] = deque()
_readers: list[None] = []  # one for each block of `reading` that is open, in whatever thread


@contextmanager
def reading() -> Iterator[None]:
    """Reads many texts in the block: Python's collector, which would find nothing in all these trees, waits until it is done."""
    collects = gc.isenabled()
    gc.disable()
    _readers.append(None)
    try:
        yield
    finally:
        _readers.pop()
        while not _readers and len(_parsed) > _TREES_KEPT:
            old = _parsed.popleft()()
            if old is not None:
                old.let_go()
        if collects:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Site:
    """Where a definition stands.

    `first_line` is that of its first decorator's `@`, `code_line` the one that
    Python writes into the code object (the decorator's expression, which may
    stand a line further down).
    """

    node: DefinitionNode
    qualname: str
    first_line: int
    code_line: int
    last_line: int

    @property
    def name(self) -> str:
        """The name in the code object: `<lambda>` for a lambda."""
        return "<lambda>" if isinstance(self.node, ast.Lambda) else self.node.name

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)


def import_base(path: str, is_package: bool) -> str:
    """Returns the beginning of a file's path that is no part of the name it is imported by; `is_package`: `src` is one."""
    return f"{SOURCES}/" if path.startswith(f"{SOURCES}/") and not is_package else ""


def decode_source(data: bytes) -> str:
    """Returns the text of a source file, its encoding declared as PEP 263 has it.

    Raises:
        SyntaxError: the declared encoding is unknown.
        UnicodeDecodeError: the bytes are not of that encoding (a ValueError).
    """
    return importlib.util.decode_source(data)


class ModuleText:
    """A module as it was written at one moment.

    Raises, from whatever needs the tree: one of UNPARSABLE.
    """

    def __init__(self, lines: Sequence[str], *, filename: str = "", package: str = "") -> None:
        self.lines = lines
        self.filename = filename
        self.package = package
        self.added: dict[str, str] = {}  # imports that are known and do not stand in it

    @classmethod
    def of(cls, text: str, *, filename: str = "", package: str = "") -> ModuleText:
        """Returns the module that `text` spells, its line ends made "\\n"."""
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if text and not text.endswith("\n"):
            text += "\n"
        return cls([line + "\n" for line in text.split("\n")[:-1]], filename=filename, package=package)

    @cached_property
    def text(self) -> str:
        return "".join(self.lines)

    @cached_property
    def tree(self) -> ast.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(self.text)
        _parsed.append(weakref.ref(self))
        return tree

    def let_go(self) -> None:
        """Forgets the tree and what holds it; what is known of it stays."""
        with READING:
            for name in ("tree", "statements", "sites", "codes"):
                vars(self).pop(name, None)
            if "facts" in vars(self):
                self.facts.let_go()

    @cached_property
    def facts(self) -> Facts:
        """What it says, as plain data that can be kept (`facts`)."""
        from gvstore.code.facts import Facts

        return Facts(self)

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """Every statement, those inside others too (`walk.statements`)."""
        return statements(self.tree)

    @cached_property
    def names(self) -> dict[str, str]:
        """What its imports bind (`mark.imported_names`)."""
        return imported_names(self.tree.body, self.statements, self.package)

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every definition, nested ones and lambdas included, in the order of the text."""
        return tuple(self._sites())

    @cached_property
    def codes(self) -> dict[tuple[str, int], list[CodeType]]:
        """Every code object that the text compiles to, by name and first line; none if it does not compile."""
        found: dict[tuple[str, int], list[CodeType]] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                todo = [compile(self.tree, self.filename or "<text>", "exec", dont_inherit=True)]
        except UNPARSABLE:
            return found
        while todo:
            code = todo.pop()
            found.setdefault((code.co_name, code.co_firstlineno), []).append(code)
            todo += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        return found

    def with_names(self, names: dict[str, str]) -> ModuleText:
        """Returns this text with more imports known than stand in it."""
        other = ModuleText(self.lines, filename=self.filename, package=self.package)
        vars(other).update(vars(self) | {"names": names | self.names, "added": {**self.added, **names}})
        vars(other).pop("facts", None)
        return other

    def segment(self, site: Site) -> str:
        """Returns the text of a definition, dedented; of a lambda, its expression alone.

        Lines that continue a string are left as they are: they are content.
        """
        node = site.node
        if isinstance(node, ast.Lambda):
            return self.expression(node)
        lines = list(self.lines[site.first_line - 1 : site.last_line])
        indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        if indent:
            content = _string_lines(lines)
            lines = [line if i in content else line.removeprefix(indent) for i, line in enumerate(lines)]
        return "".join(lines)

    def expression(self, node: ast.expr | ast.arg) -> str:
        """Returns the text of an expression, as it is written."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        lines = [line.encode("utf-8", "surrogatepass") for line in self.lines[node.lineno - 1 : node.end_lineno]]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode("utf-8", "surrogatepass")

    def _sites(self) -> Iterator[Site]:
        """Yields the definitions by a walk with a stack of its own, qualified names as Python makes them.

        `<listcomp>` and its like stand in no name here: Python 3.12 took them out.
        """
        lambdas = [number for number, line in enumerate(self.lines, 1) if "lambda" in line]
        todo: list[tuple[ast.AST, str]] = [(self.tree, "")]
        while todo:
            node, prefix = todo.pop()
            if isinstance(node, ast.expr) and not _any_between(lambdas, node.lineno, node.end_lineno):
                continue  # nothing is defined in it
            inner = prefix
            if isinstance(node, DefinitionNode):
                name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
                yield self._site(node, prefix + name)
                inner = prefix + name + ("." if isinstance(node, ast.ClassDef) else ".<locals>.")
            elif isinstance(node, ast.GeneratorExp):
                inner = prefix + "<genexpr>.<locals>."
            if isinstance(node, DefinitionNode) and not isinstance(node, ast.Lambda):
                body: list[tuple[ast.AST, str]] = [(child, inner) for child in node.body]
                rest: list[tuple[ast.AST, str]] = [
                    (child, prefix) for child in children(node) if not isinstance(child, ast.stmt)
                ]
                todo += reversed(rest + body)
            else:
                todo += reversed([(child, inner) for child in children(node)])

    def _site(self, node: DefinitionNode, qualname: str) -> Site:
        assert node.end_lineno is not None
        code_line = first = node.lineno
        if not isinstance(node, ast.Lambda) and node.decorator_list:
            code_line = first = node.decorator_list[0].lineno
            while first > 1 and not self.lines[first - 1].lstrip().startswith("@"):
                first -= 1
        return Site(node, qualname, first, code_line, node.end_lineno)


def _any_between(numbers: list[int], first: int, last: int | None) -> bool:
    at = bisect_left(numbers, first)
    return at < len(numbers) and (last is None or numbers[at] <= last)


def _string_lines(lines: list[str]) -> set[int]:
    """Returns the indexes of lines that begin inside a string.

    An indented definition is put under an `if`, so that it can be read as it stands.
    """
    text = "".join(lines)
    if '"""' not in text and "'''" not in text and "\\\n" not in text:
        return set()
    found: set[int] = set()
    opened: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("if 1:\n" + text).readline):
            kind = tokenize.tok_name[token.type]
            if kind in ("FSTRING_START", "TSTRING_START"):
                opened.append(token.start[0])
            elif kind in ("FSTRING_END", "TSTRING_END"):
                found.update(range(opened.pop() - 1, token.end[0] - 1))
            elif kind == "STRING":
                found.update(range(token.start[0] - 1, token.end[0] - 1))
    except (tokenize.TokenError, SyntaxError):
        return set()
    return found
