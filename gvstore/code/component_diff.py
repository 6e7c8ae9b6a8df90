"""How the components of two states of a project differ: what changed of each, and through which helper.

    own         what it does itself
    fields      of a class, what its instances are made from; `own` too if the rest of it changed
    reach       a helper, constant or class that it leads to, or the libraries, components and unexplained names that it uses
    text        comments, documentation or layout alone: the same code
    appeared, gone, and renamed: gone under one name, and the same code under another; or moved under its own last name, where
                what it reaches may have changed meanwhile
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gvstore.code.module import UNPARSABLE, ModuleText
from gvstore.code.normal import normal_form
from gvstore.code.reach import Reached
from gvstore.code.staleness import Code, changed_docs
from gvstore.code.unit import Unit


class StoredCode(Code, Protocol):
    """A component as it is stored."""

    @property
    def flavor(self) -> str: ...


APPEARED, GONE, RENAMED = "appeared", "gone", "renamed"
OWN, FIELDS, REACH, TEXT = "own", "fields", "reach", "text"


@dataclass(frozen=True, slots=True)
class ReachChange:
    """One thing that a component reaches, and what became of it: `change` is changed, added or removed, `level` how far down it stands."""

    name: str
    kind: str
    level: int
    change: str

    def __str__(self) -> str:
        shown = self.name + ("()" if self.kind == "function" else "")
        down = "" if self.level < 2 else f", {self.level} levels down,"
        what = {"added": "is reached now", "removed": "is reached no more"}.get(self.change, self.change)
        word = {"function": "helper ", "value": "", "class": "", "module": "module ", "docstring": "docstring of "}.get(self.kind, f"{self.kind} ")
        return f"{word}{shown}{down} {what}"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a class: as it is written before and after, null where it is not."""

    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"+{self.new}"
        return f"-{self.old}" if self.new is None else f"{self.old} → {self.new}"


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """A component that differs: what of it, and the details; `old_name` of one that was renamed or moved."""

    name: str
    old_name: str | None
    changes: tuple[str, ...]
    fields: tuple[FieldChange, ...] = ()
    reach: tuple[ReachChange, ...] = ()


Reaching = Callable[[str], "Reached | None"]


def compare_components(
    old: Mapping[str, StoredCode], new: Mapping[str, StoredCode], *, reached_then: Reaching, reached_now: Reaching
) -> tuple[ComponentChange, ...]:
    """Returns how components by name differ, sorted by name; `reached_...` tells of a name what it reaches on that side.

    What is equal on both sides may be left out of both.
    """
    renamed = renames({k: v for k, v in old.items() if k not in new}, {k: v for k, v in new.items() if k not in old})
    found = [renamed_change(old[then], new[now], renamed, reached_then, reached_now) for then, now in renamed.items()]
    taken = {*renamed, *renamed.values()}
    for name in sorted({*old, *new} - taken):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            found.append(ComponentChange(name, None, (APPEARED if before is None else GONE,)))
        elif (change := compare_component(before, after, reached_then, reached_now)) is not None:
            found.append(change)
    return tuple(sorted(found, key=lambda each: each.name))


def renames(gone: Mapping[str, StoredCode], appeared: Mapping[str, StoredCode]) -> dict[str, str]:
    """Returns new names by old ones, of components whose code is the same.

    Those with the same last name come first; at the end those which have it
    and do the same themselves, whatever they reach: what they call may have moved with them.
    """
    found: dict[str, str] = {}
    for same_last, whole in ((True, True), (False, True), (True, False)):
        free: dict[tuple[str | bytes, ...], list[str]] = {}
        for name in sorted({*appeared} - {*found.values()}):
            free.setdefault(_code(appeared[name], whole=whole), []).append(name)
        for name in sorted({*gone} - {*found}):
            names = free.get(_code(gone[name], whole=whole), []) if gone[name].own else []
            fitting = [each for each in names if not same_last or _last(each) == _last(name)]
            if fitting:
                found[name] = fitting[0]
                names.remove(fitting[0])
    return found


def renamed_change(
    old: StoredCode, new: StoredCode, renamed: Mapping[str, str], reached_then: Reaching, reached_now: Reaching
) -> ComponentChange:
    """Returns what became of a component that was renamed; that those it calls were renamed, too, is no change of it."""
    change = compare_component(old, new, reached_then, reached_now)
    reach = () if change is None else change.reach
    moved = {*renamed, *renamed.values()}
    left = tuple(each for each in reach if each.kind != "component" or each.name not in moved)
    return ComponentChange(new.name, old.name, (RENAMED, *([REACH] if left else [])), (), left)


def compare_component(
    old: StoredCode, new: StoredCode, reached_then: Reaching, reached_now: Reaching
) -> ComponentChange | None:
    """Returns what differs between two versions of a component, or None."""
    changes: list[str] = []
    fields: tuple[FieldChange, ...] = ()
    reach: tuple[ReachChange, ...] = ()
    if old.own != new.own:
        fields, is_all = _fields(old, new)
        changes += [OWN] * (not is_all) + [FIELDS] * bool(fields)
    if old.reach != new.reach:
        then, now = reached_then(old.name), reached_now(new.name)
        reach = () if then is None or now is None else tuple(reach_changes(then, now))
        changes.append(REACH)
    if not changes:
        if old.text == new.text:
            return None
        changes.append(TEXT)
    return ComponentChange(new.name, old.name if old.name != new.name else None, tuple(changes), fields, reach)


def reach_changes(then: Reached, now: Reached) -> list[ReachChange]:
    """Returns what differs of what a definition reached and reaches, the nearest first; what changed before what came and went."""
    before = {str(unit.key): unit for unit in then.units}
    after = {str(unit.key): unit for unit in now.units}
    found = []
    for name in {**after, **before}:
        old, new = before.get(name), after.get(name)
        unit = new or old
        assert unit is not None
        if old is None or new is None or old.own != new.own:
            change = "added" if old is None else "removed" if new is None else "changed"
            found.append(ReachChange(shown_name(unit), kind_of(unit), unit.level, change))
    for old, new in changed_docs(then, now) if not found else ():
        unit = new or old
        assert unit is not None
        found.append(ReachChange(shown_name(unit), "docstring", unit.level, "changed"))
    for kind, was, is_ in (
        ("library", then.libraries, now.libraries),
        ("component", then.components, now.components),
        ("unexplained name", then.opaque, now.opaque),
    ):
        found += [ReachChange(name, kind, 0, "removed") for name in was if name not in is_]
        found += [ReachChange(name, kind, 0, "added") for name in is_ if name not in was]
    return sorted(found, key=lambda each: (each.change != "changed", each.level, each.name))


def shown_name(unit: Unit) -> str:
    """Returns the name of what is reached, as people read it: `settings.LIMIT`, `steps.make.offset`."""
    return str(unit.key).replace("=", "").replace(".<locals>.", ".")


def kind_of(unit: Unit) -> str:
    """Returns function, class, value or module."""
    name = unit.key.name
    if not name:
        return "module"
    return "function" if unit.is_callable else "value" if "=" in name else "class"


def _code(component: StoredCode, *, whole: bool) -> tuple[str | bytes, ...]:
    return (component.flavor, component.own, *([component.reach] if whole else []))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _fields(old: StoredCode, new: StoredCode) -> tuple[tuple[FieldChange, ...], bool]:
    """Returns how the fields of two versions of a class differ, and whether that is all that does."""
    before, after = _class(old), _class(new)
    if before is None or after is None:
        return (), False
    was, rest_was = before
    now, rest_now = after
    found = [
        FieldChange(name, was.get(name), now.get(name))
        for name in {**was, **now}
        if was.get(name) != now.get(name)
    ]  # fmt: skip
    moved = not found and list(was) != list(now)
    if moved:
        found = [FieldChange(name, was[name], now[name]) for name in now]
    return tuple(found), bool(found) and rest_was == rest_now


def _class(component: StoredCode) -> tuple[dict[str, str], bytes] | None:
    """Returns the annotated fields of a class as they are written, and the normal form of the rest."""
    if component.flavor != "class" or not component.source:
        return None
    text = ModuleText.of(component.source)
    try:
        node = text.tree.body[0]
    except (*UNPARSABLE, IndexError):
        return None
    if not isinstance(node, ast.ClassDef):
        return None
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    told = {each.target.id: _written(text, each) for each in fields if isinstance(each.target, ast.Name)}
    node.body = [each for each in node.body if each not in fields]
    return told, normal_form(node, component=True)


def _written(text: ModuleText, field: ast.AnnAssign) -> str:
    assert isinstance(field.target, ast.Name)
    value = "" if field.value is None else f" = {' '.join(text.expression(field.value).split())}"
    return f"{field.target.id}: {' '.join(text.expression(field.annotation).split())}{value}"
