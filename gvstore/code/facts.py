"""What the text of a module says, kept without its tree: names, definitions, hashes, what each piece takes from outside.

Whatever is asked is read from the tree the first time and kept as plain data,
so that a `FactStore` can hold it for the next process.  Facts follow from the
text alone: never from other modules, from files, or from what is loaded.

    names      name -> [definitions, by place in `sites`; whether statements bind it; origins of imports; definitions put into it]
    stars      the modules that are imported whole
    sites      [qualified name, kind, mark, bases, names bound in a class body, first, last line]
    links      what a piece of code takes from outside, not looked up yet; see `raw_links`
    codes      a fingerprint of each code object that the text compiles to
    constants  the constants that the module's own level assigns
    docs       of a piece of code: whether it asks for docstrings, and the hash of those in it

Facts are written as JSON under a key that holds the text, the interpreter's
version and VERSION: raise it when what is read from a text changes.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from gvstore.code.bindings import MODULE, Bindings
from gvstore.code.definition import Definition, own_hash, read_definition
from gvstore.code.documented import asks, docstrings
from gvstore.code.match import fingerprint
from gvstore.code.module import READING
from gvstore.code.registries import only_filled
from gvstore.code.scope import bound_names, local_names, outside
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.code.module import ModuleText, Site

VERSION: Final = b"code facts 5\0"
CLASS, FUNCTION, LAMBDA = "class", "function", "lambda"
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

Name = tuple[list[int], bool, list[str], list[int]]
SiteFacts = tuple[str, str, str, list[tuple[str, list[str]]], list[str], int, int]
Link = tuple[Any, ...]


class FactStore(Protocol):
    """Keeps facts from process to process; it may lose any of them at any time."""

    def get(self, key: bytes) -> bytes | None:
        """Returns what is kept under a key, or None."""
        ...

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Keeps these; never raises."""
        ...


class Facts:
    """The facts of one text.

    Raises, from whatever is not known yet: one of UNPARSABLE.
    """

    def __init__(self, text: ModuleText) -> None:
        self._text = text
        self._known: dict[str, Any] = {}
        self._stored = 0  # how many of them the store has
        self._bindings: Bindings | None = None

    @property
    def names(self) -> dict[str, Name]:
        """What the module's own level binds."""
        return self._of("names", lambda: _names(self.bindings))  # type: ignore[no-any-return]

    @property
    def stars(self) -> list[str]:
        """The modules that are imported whole."""
        return self._of("stars", lambda: self.bindings.stars)  # type: ignore[no-any-return]

    @property
    def sites(self) -> list[SiteFacts]:
        """Every definition, in the order of the text."""
        return self._of("sites", lambda: [_site(self.bindings, site) for site in self._text.sites])  # type: ignore[no-any-return]

    def own(self, number: int) -> ObjectId:
        """Returns the hash of a definition, as a helper."""
        return ObjectId.from_hex(self._of(f"own {number}", lambda: own_hash(self._text, self._text.sites[number].node).hex()))

    def links(self, number: int, *, signed: bool = False) -> list[Link]:
        """Returns what a definition takes from outside, its signature's annotations among it if `signed`; a method also asks its instance."""
        name = f"{'signed ' if signed else ''}links {number}"
        return self._of(name, lambda: _site_links(self._text, self._text.sites[number], signed=signed))  # type: ignore[no-any-return]

    def definition(self, number: int) -> Definition:
        """Returns a definition as a component."""
        told = self._of(f"definition {number}", lambda: _told(read_definition(self._text, self._text.sites[number])))
        qualname, flavor, signature, parameters, doc, source, text, own = told
        return Definition(
            qualname, flavor, signature, tuple(parameters), doc, source, ObjectId.from_hex(text), ObjectId.from_hex(own)
        )

    def piece(self, name: str) -> tuple[ObjectId, list[Link]]:
        """Returns the hash and the links of what is no definition: `=LIMIT`, `Agent.=limit`, `make.<locals>.=offset`, the whole module."""
        hex_, links = self._of(name or "module", lambda: self._piece(name))
        return ObjectId.from_hex(hex_), links

    def asks(self, piece: int | str) -> bool:
        """Returns whether a definition, by its number, or another piece of code asks for docstrings."""
        anything: bool = self._of("asking", lambda: asks(self._text, self._text.tree))
        return anything and self._docs(piece)[0]

    def docs(self, piece: int | str) -> str:
        """Returns the hash, in hex, of all docstrings in a definition or another piece of code; an empty text if there are none."""
        return self._docs(piece)[1]

    def _docs(self, piece: int | str) -> tuple[bool, str]:
        return self._of(f"docs {piece}", lambda: self._read_docs(piece))  # type: ignore[no-any-return]

    def _read_docs(self, piece: int | str) -> tuple[bool, str]:
        nodes: list[ast.AST] = [self._text.tree]
        if isinstance(piece, int):
            nodes = [self._text.sites[piece].node]
        elif piece != MODULE:
            nodes = list(self.statements(piece))
        told = b"".join(map(docstrings, nodes))
        return any(asks(self._text, node) for node in nodes), ObjectId.of(told).hex() if told else ""

    @property
    def codes(self) -> dict[str, list[str]]:
        """Fingerprints of the code objects that the text compiles to, by `name:first line`."""
        return self._of("codes", lambda: {  # type: ignore[no-any-return]
            f"{name}:{line}": [fingerprint(code) for code in codes] for (name, line), codes in self._text.codes.items()
        })  # fmt: skip

    @property
    def constants(self) -> list[tuple[str, str]]:
        """(name, repr) of the plain constants that the module's own level assigns."""
        return self._of("constants", lambda: list(_constants(self._text.tree)))  # type: ignore[no-any-return]

    @property
    def bindings(self) -> Bindings:
        """The same from the tree, which is read for it."""
        if self._bindings is None:
            self._bindings = Bindings(self._text)
        return self._bindings

    def statements(self, name: str) -> list[ast.stmt | ast.expr]:
        """Returns what binds a name otherwise than as a definition, `name` as for `piece`."""
        owner, _, local = name.rpartition("=")
        if not owner:
            return self.bindings.names[local].statements
        return list(binding(_owner(self._text, owner), local))

    def _piece(self, name: str) -> tuple[str, list[Link]]:
        if name == MODULE:
            return own_hash(self._text, self._text.tree).hex(), raw_links(self._text, [self._text.tree])
        owner = name.rpartition("=")[0]
        around: list[Site] = []
        if owner:
            site = _owner(self._text, owner)
            around = _enclosing(self._text, site)
            if owner.endswith("<locals>."):
                around = [site, *around]
        statements = self.statements(name)
        owns = b"".join(own_hash(self._text, each) for each in statements)
        return ObjectId.of(owns).hex(), raw_links(self._text, statements, around)

    def _of(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._known:
            with READING:
                self._known[name] = make()
        return self._known[name]

    def let_go(self) -> None:
        """Forgets the tree; what is known of it stays."""
        self._bindings = None

    # -- from process to process

    @property
    def key(self) -> bytes:
        """What the facts follow from, hashed."""
        text = self._text
        added = repr(sorted(text.added.items())) if text.added else ""
        told = (importlib.util.MAGIC_NUMBER, text.package.encode(), added.encode(), text.text.encode("utf-8", "surrogatepass"))
        return bytes(ObjectId.of(VERSION + b"\0".join(told)))

    def load(self, store: FactStore) -> None:
        """Takes over what a store has; a record that makes no sense is none."""
        if self._known:
            return
        data = store.get(self.key)
        if data is None:
            return
        try:
            known = json.loads(data)
        except ValueError:
            return
        if isinstance(known, dict):
            self._known, self._stored = known, len(known)

    def changed(self) -> bytes | None:
        """Returns the facts for a store if there are more than it has, and takes them for stored."""
        if len(self._known) == self._stored:
            return None
        self._stored = len(self._known)
        return json.dumps(self._known, separators=(",", ":")).encode()


def save(texts: Iterable[ModuleText], store: FactStore) -> None:
    """Stores what has been learnt of these texts."""
    grown = {text.facts.key: data for text in texts if (data := text.facts.changed()) is not None}
    if grown:
        store.put(grown)


def _told(read: Definition) -> list[Any]:
    texts = [read.qualname, read.flavor, read.signature, list(read.parameters), read.doc, read.source]
    return [*texts, read.text.hex(), read.own.hex()]


def _names(bindings: Bindings) -> dict[str, Name]:
    numbers = {id(site): number for number, site in enumerate(bindings.text.sites)}
    return {
        name: (
            [numbers[id(site)] for site in each.sites],
            bool(each.statements),
            each.origins,
            [numbers[id(site)] for site in each.held],
        )
        for name, each in bindings.names.items()
    }


def _site(bindings: Bindings, site: Site) -> SiteFacts:
    node = site.node
    bases: list[tuple[str, list[str]]] = []
    bound: list[str] = []
    if isinstance(node, ast.ClassDef):
        bases = [(name, list(chain)) for base in node.bases for name, chain in outside(base).sorted()]
        bound = sorted({name for each in node.body if not isinstance(each, _DEFINITIONS) for name in bound_names(each)})
    kind = CLASS if site.is_class else LAMBDA if isinstance(node, ast.Lambda) else FUNCTION
    return site.qualname, kind, bindings.mark(site), bases, bound, site.first_line, site.last_line


def _constants(tree: ast.Module) -> Iterable[tuple[str, str]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, repr(statement.value.value)


def raw_links(text: ModuleText, nodes: Sequence[ast.AST], around: Sequence[Site] = (), *, signed: bool = False) -> list[Link]:
    """Returns what code inside the functions `around` takes from outside:

        ["name", name, chain, through, fills]      looked up in the module; bases lead through components;
                                                   code that only fills a registry is not led to what is in there
        ["origin", dotted, through]         an import of its own
        ["local", name, [[unit, number of the definition or -1], ...]]   bound by a function around it
        ["self", first parameter, attribute]             asked of the instance
    """
    found: list[Link] = []
    is_held = any(held for *_, held in text.facts.names.values())
    for node in nodes:
        filled = only_filled(node) if is_held else ()
        taken = [(outside(node, package=text.package, bases=False, signed=signed), False)]
        if isinstance(node, ast.ClassDef):
            taken += [(outside(base, package=text.package), True) for base in node.bases]
        for names, through in taken:
            for name, chain in names.sorted():
                owner = next((each for each in around if name in local_names(each.node)), None)
                if owner is None:
                    found.append(("name", name, list(chain), through, name in filled))
                else:
                    found.append(("local", name, _locals(text, owner, name)))
            found += [("origin", origin, through) for origin in sorted(names.origins)]
    return found


def _site_links(text: ModuleText, site: Site, *, signed: bool) -> list[Link]:
    node = site.node
    found = raw_links(text, [node], _enclosing(text, site), signed=signed)
    owner = site.qualname.rpartition(".")[0]
    if not owner or owner.endswith("<locals>") or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return found
    if not node.args.args:
        return found
    me = node.args.args[0].arg
    attributes: set[str] = set()
    calls_super = False
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in (me, "cls"):
            attributes.add(each.attr)
        elif isinstance(each, ast.Name) and each.id == "super":
            calls_super = True
    asked = sorted(attributes) + ([node.name] if calls_super else [])
    return found + [("self", me, attribute) for attribute in asked]


def _owner(text: ModuleText, owner: str) -> Site:
    """Returns the class (`Agent.`) or function (`make.<locals>.`) in which a name is bound; of several the last, as for Python."""
    qualname = owner.removesuffix(".").removesuffix(".<locals>")
    return next(site for site in reversed(text.sites) if site.qualname == qualname)


def _enclosing(text: ModuleText, site: Site) -> list[Site]:
    """Returns the functions around a nested definition, the nearest first."""
    found: list[Site] = []
    prefix = site.qualname
    while "<locals>." in prefix:
        prefix = prefix.rpartition(".<locals>.")[0]
        owner = next((each for each in reversed(text.sites) if each.qualname == prefix), None)
        if owner is not None and not owner.is_class:
            found.append(owner)
    return found


def _locals(text: ModuleText, owner: Site, name: str) -> list[tuple[str, int]]:
    """Returns what binds a local name of a function: a definition in it, other statements; nothing of a parameter."""
    qualname = f"{owner.qualname}.<locals>.{name}"
    found = [(qualname, number) for number, each in enumerate(text.sites) if each.qualname == qualname][-1:]
    if binding(owner, name):
        found.append((f"{owner.qualname}.<locals>.={name}", -1))
    return found


def binding(owner: Site, name: str) -> list[ast.stmt]:
    """Returns the statements of a function's or class's body, definitions aside, that bind a name in it."""
    if isinstance(owner.node, ast.Lambda):
        return []
    return [each for each in owner.node.body if not isinstance(each, _DEFINITIONS) and name in bound_names(each)]
