"""Why the code of two recorded calls is not the same: its own text, a helper, a file that it or its module read, a version,
a class in its arguments, a library.

Read from the code snapshots of the two runs; nothing is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gvstore.code.libraries import differs, distributions_of
from gvstore.code.staleness import change_of_reach
from gvstore.errors import Corrupt
from gvstore.journal.drift import import_keys
from gvstore.journal.given import ANSWERS, ARGUMENTS, GivenNames, definition_change
from gvstore.journal.reached import project_in_tree, reached_in
from gvstore.journal.used import UsedCode
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.decode import decode
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.code.project import Project
    from gvstore.code.reach import Reached
    from gvstore.journal.invocation import Invocation
    from gvstore.objects.protocol import ObjectReader

_SHOWN_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class CodeChange:
    """What changed, in words, and its text on either side; equal texts where none can be shown."""

    why: str
    old: str = ""
    new: str = ""


class CodeChanges:
    """The changes of code between two runs; what was found out of a component is kept."""

    def __init__(self, old: RunOf | None, new: RunOf | None) -> None:
        self._old, self._new = old, new
        self._found: dict[tuple[bytes, ...], CodeChange] = {}
        self._beyond: dict[tuple[bytes, bytes], CodeChange | None] = {}
        self._definitions: dict[tuple[str, str], CodeChange | None] = {}

    def differs(self, old: Invocation, new: Invocation) -> bool:
        """Returns whether two calls of equal components stood on other files, classes or libraries, as a replay would say."""
        return self._beyond_text(old, new) is not None

    def of(self, old: Invocation, new: Invocation) -> CodeChange:
        """Returns why the code of a call is not what it was."""
        if old.component.code == new.component.code and old.component.name == new.component.name and old.call.reads == new.call.reads:
            return self._beyond_text(old, new) or CodeChange("its code changed")
        key = (old.call.component, new.call.component, old.call.reads, new.call.reads)
        if key not in self._found:
            self._found[key] = self._compare(old, new)
        return self._found[key]

    def _compare(self, old: Invocation, new: Invocation) -> CodeChange:
        before, after = old.component, new.component
        if before.name != after.name:
            return CodeChange(f"it was {before.name}", before.source, after.source)
        if before.code == after.code:
            return self._of_reads(old, new)
        if before.own != after.own:
            return CodeChange("its code changed", before.source, after.source)
        if before.reach != after.reach:
            return self._of_reach(after.name) or CodeChange("what it reaches, or closes over, changed")
        if before.version != after.version:
            return CodeChange(f"its version changed: {before.version or 'none'} → {after.version or 'none'}")
        return CodeChange("its code changed", before.source, after.source)

    def _of_reach(self, name: str) -> CodeChange | None:
        then, now = self._projects
        before = None if then is None else reached_in(then, name)
        after = None if now is None else reached_in(now, name)
        if before is None or after is None:
            return None
        why, old, new = change_of_reach(name, before, after)
        return CodeChange(why.removeprefix(f"{name}: ").replace(f"what {name} reaches", "what it reaches"), old, new)

    def _of_reads(self, old: Invocation, new: Invocation) -> CodeChange:
        """Returns which file that the call read was another; the first by its path."""
        before, after = _reads(old), _reads(new)
        for path in sorted({*before, *after}):
            then, now = before.get(path), after.get(path)
            if then != now:
                what = "was not read before" if path not in before else "is not read now" if path not in after else "changed"
                return CodeChange(f"file {path} {what}", _text(old.store.objects, then), _text(new.store.objects, now))
        return CodeChange("its code changed")

    def _beyond_text(self, old: Invocation, new: Invocation) -> CodeChange | None:
        """Returns what a call stood on besides its component's code and the files that it read itself, where that differs."""
        if self._old is None or self._new is None:
            return None
        key = (old.call.component, new.call.component)
        if key not in self._beyond:
            self._beyond[key] = self._of_component(new)
        return self._beyond[key] or self._of_given(old, new)

    def _of_component(self, call: Invocation) -> CodeChange | None:
        component, (then, now) = call.component, self._used
        project = self._projects[1]
        if component.version or component.library or project is None or not (self._imports_differ or self._libraries_differ):
            return None
        found = reached_in(project, component.name)
        if found is None:
            return None
        for key in sorted(import_keys(component.name, found)):
            module = key.partition(":")[0]
            before, after = ((side.imports or {}).get(key, {}) for side in (then, now))
            if not before or not after:  # imported on one side only, or it read nothing: then its text differs
                continue
            for path in sorted({*before, *after}):
                if before.get(path) != after.get(path):
                    texts = (_text(call.store.objects, side.get(path)) for side in (before, after))
                    return CodeChange(f"file {path}, read when {module} is imported, changed", *texts)
        return self._of_libraries(found) if self._libraries_differ else None

    def _of_libraries(self, found: Reached) -> CodeChange | None:
        then, now = (side.libraries or {} for side in self._used)
        for library in found.libraries:
            for each in distributions_of(library, {**then, **now}):
                old, new = then.get(each, ""), now.get(each, "")
                if old and differs(old, new, self._policy):
                    return CodeChange(f"library {each} {old} → {new or 'not installed'}")
        return None

    def _of_given(self, old: Invocation, new: Invocation) -> CodeChange | None:
        then, now = self._projects
        if then is None or now is None or self._used[0].tree == self._used[1].tree:
            return None
        names = GivenNames(new.store.objects)
        before, after = (names.of(each.call.args, each.call.state) for each in (old, new))
        got, gets = (names.answered(each.call.children) for each in (old, new))
        for where, both in ((ARGUMENTS, before & after), (ANSWERS, got & gets)):
            for name in sorted(both):
                key = (name, where)
                if key not in self._definitions:
                    change = definition_change(then, now, name, where)
                    self._definitions[key] = None if change is None else CodeChange(*change)
                if found := self._definitions[key]:
                    return found
        return None

    @cached_property
    def _projects(self) -> tuple[Project | None, Project | None]:
        return _project(self._old), _project(self._new)

    @cached_property
    def _used(self) -> tuple[UsedCode, UsedCode]:
        return _used(self._old), _used(self._new)

    @cached_property
    def _imports_differ(self) -> bool:
        then, now = self._used
        return then.imports is not None and now.imports is not None and then.imports != now.imports

    @cached_property
    def _libraries_differ(self) -> bool:
        then, now = self._used
        return self._policy != "ignore" and then.libraries is not None and now.libraries is not None and then.libraries != now.libraries

    @cached_property
    def _policy(self) -> str:
        return "major" if self._new is None else self._new.repo.config.text("replay.libraries")

    def of_imports(self) -> list[str]:
        """Returns a line for each file that modules of the project read when they were imported, and that is another."""
        old, new = (side.imports for side in self._used)
        if old is None or new is None:
            return []
        found = []
        for key in sorted({*old, *new}):
            before, after = old.get(key, {}), new.get(key, {})
            for path in sorted({*before, *after}):
                if key in old and key in new and before.get(path) != after.get(path):
                    found.append(f"file {path}, read when {key.partition(':')[0]} is imported, changed")
        return list(dict.fromkeys(found))


def _used(run: RunOf | None) -> UsedCode:
    return UsedCode() if run is None else UsedCode.of(run.record, run.store.objects)


def _project(run: RunOf | None) -> Project | None:
    if run is None or run.record.code is None:
        return None
    return project_in_tree(run.store.objects, run.record.code)


def _reads(call: Invocation) -> dict[str, bytes | None]:
    """Returns the files that a call read: path to the blob's name, None for one that was not there."""
    data = call.call.reads
    found = decode(data, call.store.objects) if data != NIL else {}
    return dict(found) if isinstance(found, dict) else {}


def _text(reader: ObjectReader, name: object) -> str:
    """Returns the content of a file that was read, if it is stored and a short text."""
    try:
        if not isinstance(name, bytes):
            return ""
        oid = ObjectId(name)
        if not reader.has(oid) or blob_size(reader, oid) > _SHOWN_BYTES:
            return ""
        data = get_blob(reader, oid)
    except (Corrupt, ValueError):
        return ""
    return "" if b"\0" in data else data.decode("utf-8", "replace")
