"""One component of a commit, ready to print: where it stands, what it reaches, its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.subject import Subject
    from gvstore.journal.components import CodeSide
    from gvstore.journal.repository import Repository
    from gvstore.objects.component import Component


@dataclass(frozen=True, slots=True)
class ReachedShown:
    """One thing that a component reaches, `level` steps from it: a function, class, value or module of the project."""

    name: str
    kind: str
    level: int


@dataclass(frozen=True, slots=True)
class ComponentShown:
    """A component; `value` is its source.

    `path` and lines are null, and what it reaches is empty, where it is not of
    a commit or its file cannot be read.  `own` and `reach_hash` name its code.
    """

    rev: str
    oid: ObjectId
    value: str
    name: str
    flavor: str
    signature: str
    path: str | None
    first_line: int | None
    last_line: int | None
    reaches: tuple[ReachedShown, ...]
    components: tuple[str, ...]
    libraries: tuple[str, ...]
    opaque: tuple[str, ...]
    own: str | None
    reach_hash: str | None

    def lines(self, paint: Paint) -> Iterator[str]:
        place = f"   {self.path}:{self.first_line}-{self.last_line}" if self.path else ""
        yield f"{paint('title', self.name)}{self.signature}   {self.flavor}{place}"
        width = max((len(_written(each)) for each in self.reaches), default=0)
        for number, each in enumerate(self.reaches):
            head = "reaches" if number == 0 else ""
            yield f"{head:11}{_written(each).ljust(width)}   {each.level} down"
        for label, names in (("calls", self.components), ("libraries", self.libraries), ("not known", self.opaque)):
            if names:
                yield f"{label:11}{', '.join(names)}"
        yield ""
        yield from self.value.rstrip("\n").split("\n")


def _written(each: ReachedShown) -> str:
    return each.name + ("()" if each.kind == "function" else "")


def component_of_run(repo: Repository, rev: str) -> ComponentShown | None:
    """Returns the component that `run/8::prog.late` or `git:main::prog.late` names, as that code has it; None where the rev is no such.

    Raises:
        BadRev: the run has no code, or the code no such component.
    """
    from gvstore.errors import BadRev
    from gvstore.journal.code_root import find_code
    from gvstore.journal.components import CodeSide
    from gvstore.journal.target import no_component
    from gvstore.repo.resolve import Found

    above, is_named, name = rev.partition("::")
    if not is_named:
        return None
    try:
        found = repo.resolve(above, wanted=frozenset({Found.COMMIT, Found.RUN}))
        if found.found is not Found.RUN and not found.ref.startswith("git:"):
            return None
    except BadRev:
        return None
    side = CodeSide(repo, find_code(repo, above).tree)
    if name not in side.oids:
        raise no_component(name, above, side.oids)
    return _shown(rev, side.oids[name], side.component(name), side)


def show_component(repo: Repository, subject: Subject) -> ComponentShown:
    """Returns the component that a rev names."""
    from gvstore.journal.components import CodeSide
    from gvstore.objects.component import Component

    oid, commit = subject.resolved.oid, subject.resolved.commit
    assert oid is not None
    stored = Component.get(repo.objects, oid)
    side = None if commit is None else CodeSide.of_commit(repo, commit)
    return _shown(subject.name, oid, stored, side)


def _shown(rev: str, oid: ObjectId, stored: Component, side: CodeSide | None) -> ComponentShown:
    from gvstore.code.component_diff import kind_of, shown_name

    place = None if side is None else side.place(stored.name)
    found = None if side is None else side.reached(stored.name)
    return ComponentShown(
        rev=rev, oid=oid, value=stored.source, name=stored.name, flavor=stored.flavor, signature=stored.signature,
        path=place.path if place else None, first_line=place.first_line if place else None,
        last_line=place.last_line if place else None,
        reaches=tuple(ReachedShown(shown_name(each), kind_of(each), each.level) for each in found.units) if found else (),
        components=found.components if found else (), libraries=found.libraries if found else (),
        opaque=found.opaque if found else (),
        own=stored.own.hex() or None, reach_hash=stored.reach.hex() or None,
    )  # fmt: skip
