"""What has changed between the code that a record was made with and that of this process, as far as recorded calls ask.

    of_component    its own code, what it reaches, what its modules read while they were imported, its libraries
    of_call         the files that this very call read, and the project's classes and functions in its arguments

A reason is one line; `edits` holds for those that are changes of a text what it was and what it is.
"""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gvstore.code.identity import reached
from gvstore.code.libraries import differs, distributions_of
from gvstore.code.project import Project
from gvstore.code.reach import Reached
from gvstore.code.source import module_text
from gvstore.code.staleness import Reason, Stale, change_of_reach, compare_code
from gvstore.errors import Corrupt
from gvstore.journal.given import ANSWERS, ARGUMENTS, GivenNames, definition_change
from gvstore.journal.project_files import ProjectFiles
from gvstore.journal.reached import project_in_tree, reached_in
from gvstore.journal.used import UsedCode, environment
from gvstore.objects.blob import blob_oid, get_blob
from gvstore.objects.component import Component
from gvstore.objects.decode import decode
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.repo.files import Files, read_files

if TYPE_CHECKING:
    from gvstore.journal.component import LiveComponent

_SHOWN_BYTES: Final = 1 << 18  # of a file whose change is shown


class Edit(NamedTuple):
    """A text as it was recorded, and as it is."""

    old: str
    new: str


class Drift:
    """One comparison of then and now; what it has found out it keeps."""

    def __init__(self, reader: ObjectReader, root: Path | None, used: UsedCode, libraries: str = "major") -> None:
        self._reader, self._root, self._used, self._policy = reader, root, used, libraries
        self._files = None if root is None else ProjectFiles(root)
        self.edits: dict[str, Edit] = {}
        self._definitions: dict[tuple[str, str], str] = {}
        self._names = GivenNames(reader)

    @cached_property
    def any(self) -> bool:
        """Whether anything can differ that equal components do not show: then each call is looked at."""
        return self._sources_changed or self._libraries_changed or self._imports_changed

    # -- components

    def of_component(self, recorded: Component, live: LiveComponent) -> str:
        """Returns why answers of the recorded component no longer hold, or an empty text."""
        now = live.component(self._root)
        if now.code != recorded.code:
            return self._of_code(recorded, live, now)
        if recorded.version or recorded.library or self._root is None:
            return ""
        if not (self._imports_changed or self._libraries_changed):
            return ""
        found = reached(live.subject, self._root)
        return self._of_imports(recorded.name, found) or self._of_libraries(recorded.name, found)

    def _of_code(self, recorded: Component, live: LiveComponent, now: Component) -> str:
        verdict = compare_code(recorded, now)
        if isinstance(verdict, Stale) and verdict.reason is Reason.REACH and self._root is not None:
            reaches = reached(live.subject, self._root)
            reached_then = None if self._tree is None else reached_in(self._tree, recorded.name)
            if reaches is not None and reached_then is not None:
                reason, old, new = change_of_reach(recorded.name, reached_then, reaches)
                return self._told(reason, old, new)
            return str(verdict)
        if recorded.version != now.version and recorded.own == now.own:
            return f"{recorded.name}: version {recorded.version or 'none'} → {now.version or 'none'}"
        return self._told(f"{recorded.name} changed", recorded.source, now.source)

    def _of_imports(self, name: str, found: Reached | None) -> str:
        if self._used.imports is None or found is None:
            return ""
        for key in sorted(import_keys(name, found)):
            module = key.partition(":")[0]
            then, now = self._used.imports.get(key, {}), self._imports.get(key, {})
            for path in sorted({*then, *now}):
                old = then.get(path)
                new = now[path] if path in now else self._oid_now(path)
                if path not in then:
                    return f"{name}: file {path}, which {module} reads when it is imported, was not read"
                if old != new:
                    what = f"file {path}, read when {module} is imported,"
                    return self._told_file(f"{name}: {what} {_change(old, new)}", path, old)
        return ""

    def _of_libraries(self, name: str, found: Reached | None) -> str:
        then = self._used.libraries
        if then is None or found is None or self._policy == "ignore":
            return ""
        for library in found.libraries:
            for each in distributions_of(library, {**then, **self._libraries}):
                old, new = then.get(each, ""), self._libraries.get(each, "")
                if old and differs(old, new, self._policy):
                    return f"{name}: library {each} {old} → {new or 'not installed'}"
        return ""

    # -- calls

    def of_call(self, name: str, elements: list[bytes]) -> str:
        """Returns why the answer of a recorded call no longer holds although its component does, or an empty text."""
        reads = elements[9] if len(elements) > 9 else NIL
        if reads != NIL and (why := self._of_reads(name, reads)):
            return why
        return self._of_given(name, elements) if self._sources_changed else ""

    def _of_reads(self, name: str, reads: bytes) -> str:
        if self._files is None:
            return ""
        for path, old in decode(reads, self._reader).items():
            new = self._oid_now(path)
            if old != new:
                return self._told_file(f"{name}: file {path} {_change(old, new)}", path, old)
        return ""

    def _of_given(self, name: str, elements: list[bytes]) -> str:
        """Returns which class or function of the project has changed that occurs in the arguments, or in what a call below answered."""
        children = elements[4] if len(elements) > 4 else NIL
        answers = self._names.answered(children)
        for where, names in ((ARGUMENTS, self._names.of(elements[2], *elements[5:6])), (ANSWERS, answers)):
            for each in sorted(names):
                if why := self._of_definition(each, where):
                    return f"{name}: {why}"
        return ""

    def _of_definition(self, name: str, where: str) -> str:
        """Returns `class shapes.Policy, in its arguments: helper tools.cut() changed`, or an empty text."""
        known = self._definitions.get((name, where))
        if known is None:
            known = self._definitions[name, where] = self._compare_definition(name, where)
        return known

    def _compare_definition(self, name: str, where: str) -> str:
        from gvstore.code.loaded import loaded_project

        if self._tree is None or self._root is None:
            return ""
        change = definition_change(self._tree, loaded_project(str(self._root)), name, where)
        if change is None:
            return ""
        return self._told(change.why, change.old, change.new) if change.old != change.new else change.why

    # -- then and now

    @cached_property
    def _tree(self) -> Project | None:
        return None if self._used.tree is None else project_in_tree(self._reader, self._used.tree)

    @cached_property
    def _tree_files(self) -> Files:
        try:
            return read_files(self._reader, self._used.tree)
        except Corrupt:
            return {}

    @cached_property
    def _imports(self) -> dict[str, dict[str, bytes | None]]:
        return {} if self._files is None else self._files.imports()

    @cached_property
    def _libraries(self) -> dict[str, str]:
        return environment()

    @cached_property
    def _libraries_changed(self) -> bool:
        return self._used.libraries is not None and self._policy != "ignore" and self._used.libraries != self._libraries

    @cached_property
    def _imports_changed(self) -> bool:
        then = self._used.imports
        if then is None:
            return False
        now = self._imports
        return any(then.get(each) != now.get(each) for each in now) or any(
            self._oid_now(path) != oid for each in then if each not in now for path, oid in then[each].items()
        )

    @cached_property
    def _sources_changed(self) -> bool:
        """Whether the text of a module that is loaded, or was, is another."""
        if self._files is None or self._used.tree is None:
            return False
        then = {path: entry.oid for path, entry in self._tree_files.items() if path.endswith(".py")}
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if type(file) is not str or not file.startswith(self._files.prefixes):
                continue
            path = self._files.relative(file)
            text = module_text(module) if path is not None and path.endswith(".py") else None
            if text is not None and then.get(path or "") != blob_oid(text.text.encode("utf-8", "surrogatepass")):
                return True
        return False

    def _oid_now(self, path: str) -> bytes | None:
        return None if self._files is None else self._files.oid(path)

    def _told(self, reason: str, old: str, new: str) -> str:
        self.edits.setdefault(reason, Edit(old, new))
        return reason

    def _told_file(self, reason: str, path: str, old: bytes | None) -> str:
        """Notes what was in a file and what is, where both are texts of moderate size."""
        assert self._root is not None
        try:
            then = b"" if old is None else get_blob(self._reader, ObjectId(old))
            file = self._root / path
            now = file.read_bytes() if file.is_file() and file.stat().st_size <= _SHOWN_BYTES else b""
            if len(then) <= _SHOWN_BYTES:
                self._told(reason, then.decode(), now.decode())
        except (Corrupt, OSError, ValueError):  # not kept, or no text: the reason stands alone
            pass
        return reason


def import_keys(name: str, found: Reached) -> set[str]:
    """Returns under which keys stands what a component's modules read while they were imported: `tables`, `tables:NAMES`."""
    keys: set[str] = set()
    for unit in found.units:
        module, at = unit.key.module.name, unit.key.name.partition(".")[0].removeprefix("=")
        keys |= {module, f"{module}:{at}"}
    while name:
        name, _, last = name.rpartition(".")
        keys |= {name, f"{name}:{last}"}
    return keys


def _change(old: bytes | None, new: bytes | None) -> str:
    return "is gone" if new is None else "is there now" if old is None else "changed"

