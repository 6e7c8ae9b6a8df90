"""Why the code of two recorded calls is not the same: its own text, a helper, a file that it read, a version.

Read from the code snapshots of the two runs; nothing is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gvstore.code.staleness import change_of_reach
from gvstore.errors import Corrupt
from gvstore.journal.reached import project_in_tree, reached_in
from gvstore.journal.used import UsedCode
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.decode import decode
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.code.project import Project
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

    def of(self, old: Invocation, new: Invocation) -> CodeChange:
        """Returns why the code of a call is not what it was."""
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

    @cached_property
    def _projects(self) -> tuple[Project | None, Project | None]:
        return _project(self._old), _project(self._new)


    def of_imports(self) -> list[str]:
        """Returns a line for each file that modules of the project read when they were imported, and that is another."""
        old, new = (None if run is None else UsedCode.of(run.record, run.store.objects).imports for run in (self._old, self._new))
        if old is None or new is None:
            return []
        found = []
        for module in sorted({*old, *new}):
            before, after = old.get(module, {}), new.get(module, {})
            for path in sorted({*before, *after}):
                if module in old and module in new and before.get(path) != after.get(path):
                    found.append(f"file {path}, read when {module} is imported, changed")
        return found


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
