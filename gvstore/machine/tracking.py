"""A tracker that writes the files of Burr's, for its viewers and for those who resume from them.

    PROJECT/APP_ID/
        log.jsonl       a line an event: begin_entry, end_entry, begin_span, end_span, attribute, begin_stream,
                        first_item_stream, end_stream
        graph.json      actions with their code, transitions, entrypoint; what it was before the code changed is
                        graph.1.json, graph.2.json, ...
        metadata.json   partition, and what the application was forked from or started by
        children.jsonl  what was forked from it, or started by it

Each line is one write, and a torn line loses only itself.  As those viewers
expect it, a line at a step's end holds the whole state, so that a long chat
costs the square of its length: a persister (`persister_sqlite.py`), or a
repository, keeps what changed.
"""

from __future__ import annotations

import json
import re
import threading
import traceback
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from gvstore import fs, host
from gvstore.machine.hook import (
    DoLogAttributeHook,
    PostApplicationCreateHook,
    PostEndSpanHook,
    PostEndStreamHook,
    PostRunStepHook,
    PostStreamItemHook,
    PreRunStepHook,
    PreStartSpanHook,
    PreStartStreamHook,
)
from gvstore.machine.node import inputs_of, name_of
from gvstore.machine.persister import (
    BaseStateLoader,
    CorruptPersister,
    PersistedStateData,
    PersisterFault,
    is_text,
    legible,
    partition_of,
    text_of_instant,
)
from gvstore.machine.persister_rows import json_of, kept_json
from gvstore.machine.serde import deserialize, deserialize_field
from gvstore.machine.state import State
from gvstore.objects.placeholder import Opaque

if TYPE_CHECKING:
    from gvstore.machine.graph import Graph
    from gvstore.machine.node import Node
    from gvstore.machine.pointer import ParentPointer
    from gvstore.machine.span import ActionSpan

DEFAULT_STORAGE: Final = "~/.burr"
LOG: Final = "log.jsonl"
GRAPH: Final = "graph.json"
METADATA: Final = "metadata.json"
CHILDREN: Final = "children.jsonl"


class SyncTrackingClient(
    PostApplicationCreateHook,
    PreRunStepHook,
    PostRunStepHook,
    PreStartSpanHook,
    PostEndSpanHook,
    DoLogAttributeHook,
    PreStartStreamHook,
    PostStreamItemHook,
    PostEndStreamHook,
):
    """What a tracker is told; to be derived from."""


class LocalTrackingClient(SyncTrackingClient, BaseStateLoader):
    """Writes what an application does to files below `storage_dir`, a folder a project, and loads it again.

    `serde_kwargs` go to serializers that take them.  What cannot be stored
    stands by its type, and keeps no step from being written.

    Raises:
        PersisterFault: `project` is no name of a folder.
    """

    DEFAULT_STORAGE_DIR: ClassVar[str] = DEFAULT_STORAGE
    LOG_FILENAME: ClassVar[str] = LOG
    GRAPH_FILENAME: ClassVar[str] = GRAPH
    METADATA_FILENAME: ClassVar[str] = METADATA
    CHILDREN_FILENAME: ClassVar[str] = CHILDREN

    def __init__(self, project: str, storage_dir: str | Path = DEFAULT_STORAGE, serde_kwargs: dict[str, Any] | None = None) -> None:
        self.project, self.given_dir = _folder(project, "project"), storage_dir
        self.storage_dir = _expanded(storage_dir) / self.project
        self.serde_kwargs = serde_kwargs or {}
        self._lock = threading.Lock()
        self._folders: dict[str, Path] = {}  # that are there
        self._known: dict[str, int] = {}  # the numbers of applications' graphs
        self._items: dict[tuple[str, int], int] = {}

    @property
    def project_id(self) -> str:
        """The project's name, as its folder has it."""
        return self.project

    def copy(self) -> Self:
        """Returns a tracker of the same project."""
        return type(self)(self.project, self.given_dir, self.serde_kwargs)

    def folder(self, app_id: str) -> Path:
        """Returns the folder of an application.  Raises PersisterFault where its name is none."""
        return self.storage_dir / _folder(app_id, "app_id")

    def app_log_exists(self, app_id: str) -> bool:
        """Returns whether an application has written anything."""
        return (self.folder(app_id) / LOG).is_file()

    # What it is told.

    def post_application_create(
        self,
        *,
        app_id: str,
        partition_key: str | None,
        application_graph: Graph,
        parent_pointer: ParentPointer | None,
        spawning_parent_pointer: ParentPointer | None,
        **future_kwargs: Any,
    ) -> None:
        """Writes graph and metadata, and the link from the parent.

        Raises:
            PersisterFault: the application is one of another partition, or the folder cannot be made.
        """
        folder = self._ready(app_id)
        known = _json_file(folder / METADATA)
        if known is not None and partition_of(known.get("partition_key")) != partition_of(partition_key):
            raise PersisterFault(
                f"application {app_id!r} of project {self.project!r} is in partition {known.get('partition_key')!r} already",
                hint="Give it another app_id, or the tracker another project.",
            )
        metadata = {
            "type": "application_metadata",
            "partition_key": partition_key,
            "parent_pointer": _pointer(parent_pointer),
            "spawning_parent_pointer": _pointer(spawning_parent_pointer),
        }
        if known is None:
            fs.write_atomic(folder / METADATA, json_of(METADATA, metadata).encode(), durable=False)
        self._known[app_id] = _write_graph(folder, _graph(application_graph))
        for pointer, kind in ((parent_pointer, "fork"), (spawning_parent_pointer, "spawn_start")):
            if pointer is not None:
                self._append(pointer.app_id, CHILDREN, {
                    "type": "child_application_data",
                    "child": {"type": "pointer_data", "app_id": app_id, "sequence_id": None, "partition_key": partition_key},
                    "event_time": _now(),
                    "event_type": kind,
                    "sequence_id": pointer.sequence_id,
                })  # fmt: skip

    def pre_run_step(self, *, app_id: str, sequence_id: int, action: Node, inputs: dict[str, Any], **future_kwargs: Any) -> None:
        """Writes a begin_entry; `graph` is the number of the graph's version."""
        given = {name: each for name, each in inputs.items() if not name.startswith("__")}
        entry = {"type": "begin_entry", "start_time": _now(), "action": name_of(action), "sequence_id": sequence_id}
        self._append(app_id, LOG, {**entry, "graph": self._known.get(app_id, 1)}, inputs=kept_json("inputs", given, self.serde_kwargs))

    def post_run_step(
        self,
        *,
        app_id: str,
        sequence_id: int,
        state: State[Any],
        action: Node,
        result: Any,
        exception: BaseException | None,
        **future_kwargs: Any,
    ) -> None:
        """Writes an end_entry; the result is a dict, or, of an action that streams models, a model."""
        raised = None if exception is None else legible("".join(traceback.format_exception(exception)))
        entry = {"type": "end_entry", "end_time": _now(), "action": name_of(action), "sequence_id": sequence_id, "exception": raised}
        self._append(
            app_id,
            LOG,
            entry,
            result=kept_json("result", result, self.serde_kwargs) or "null",
            state=kept_json("state", state.get_all(), self.serde_kwargs, are_fields=True),
        )

    def pre_start_span(
        self, *, app_id: str, action_sequence_id: int, span: ActionSpan, span_dependencies: list[str], **future_kwargs: Any
    ) -> None:
        """Writes a begin_span."""
        self._append(app_id, LOG, {
            "type": "begin_span",
            "start_time": _now(),
            "action_sequence_id": action_sequence_id,
            "span_id": span.uid,
            "span_name": span.name,
            "parent_span_id": None if span.parent is None else span.parent.uid,
            "span_dependencies": span_dependencies,
        })  # fmt: skip

    def post_end_span(self, *, app_id: str, action_sequence_id: int, span: ActionSpan, **future_kwargs: Any) -> None:
        """Writes an end_span."""
        entry = {"type": "end_span", "end_time": _now(), "action_sequence_id": action_sequence_id, "span_id": span.uid}
        self._append(app_id, LOG, entry)

    def do_log_attributes(
        self,
        *,
        app_id: str,
        action_sequence_id: int,
        attributes: dict[str, Any],
        span: ActionSpan | None,
        tags: dict[str, Any],
        **future_kwargs: Any,
    ) -> None:
        """Writes an attribute for each."""
        for key, value in attributes.items():
            entry = {
                "type": "attribute",
                "key": key,
                "action_sequence_id": action_sequence_id,
                "span_id": None if span is None else span.uid,
                "tags": {name: str(each) for name, each in tags.items()},
                "time_logged": _now(),
            }
            kept = kept_json("attribute", {"value": value}, self.serde_kwargs) or "{}"
            self._append(app_id, LOG, entry, value=kept[len('{"value":') : -1])

    def pre_start_stream(self, *, app_id: str, sequence_id: int, **future_kwargs: Any) -> None:
        """Writes a begin_stream."""
        self._items[app_id, sequence_id] = 0
        self._append(app_id, LOG, _stream("begin_stream", sequence_id, "stream_init_time"))

    def post_stream_item(self, *, app_id: str, sequence_id: int, item_index: int, **future_kwargs: Any) -> None:
        """Counts; writes a first_item_stream."""
        self._items[app_id, sequence_id] = self._items.get((app_id, sequence_id), 0) + 1
        if item_index == 0:
            self._append(app_id, LOG, _stream("first_item_stream", sequence_id, "first_item_time"))

    def post_end_stream(self, *, app_id: str, sequence_id: int, **future_kwargs: Any) -> None:
        """Writes an end_stream."""
        count = self._items.pop((app_id, sequence_id), 0)
        self._append(app_id, LOG, {**_stream("end_stream", sequence_id, "end_time"), "items_streamed": count})

    def _ready(self, app_id: str) -> Path:
        """Returns an application's folder; what a dead process left torn in its log is closed by a line's end."""
        if app_id in self._folders:
            return self._folders[app_id]
        folder = self.folder(app_id)
        with self._lock:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as e:
                raise PersisterFault(f"the tracker's folder {folder} cannot be made: {e.strerror}", hint="Give another storage_dir.") from e
            for name in (LOG, CHILDREN):
                if _is_torn(folder / name):
                    fs.append(folder / name, b"\n")
            self._known[app_id] = 1 + len(_old_graphs(folder))
            self._folders[app_id] = folder
        return folder

    def _append(self, app_id: str, name: str, entry: dict[str, Any], **texts: str | None) -> None:
        """Appends a line: plain data, and what is JSON already."""
        folder = self._ready(app_id)
        more = "".join(f',"{key}":{text}' for key, text in texts.items())
        data = f"{json_of(name, entry)[:-1]}{more}}}\n".encode()
        fs.append(folder / name, data)

    # What it hands out.

    def entries(self, app_id: str) -> Iterator[dict[str, Any]]:
        """Yields what an application's log holds, as JSON says it; lines that are torn or damaged are left out."""
        return _lines(self.folder(app_id) / LOG)

    def children(self, app_id: str) -> list[dict[str, Any]]:
        """Returns what was forked from an application or started by it."""
        return list(_lines(self.folder(app_id) / CHILDREN))

    def metadata(self, app_id: str) -> dict[str, Any] | None:
        """Returns what metadata.json says; None if there is no such application."""
        return _json_file(self.folder(app_id) / METADATA)

    def graph(self, app_id: str, sequence_id: int | None = None) -> dict[str, Any] | None:
        """Returns the graph of an application: the last, or the one that ran a step; None if there is none."""
        folder = self.folder(app_id)
        if sequence_id is not None:
            found = [each for each in self.entries(app_id) if each.get("type") == "begin_entry" and each.get("sequence_id") == sequence_id]
            old = folder / f"graph.{found[-1].get('graph')}.json" if found else folder / GRAPH
            if old.is_file():
                return _json_file(old)
        return _json_file(folder / GRAPH)

    def load(
        self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any
    ) -> PersistedStateData | None:
        """Returns a step of an application, by default its last, or None if there is none; of a step that ran twice the later.

        Raises:
            CorruptPersister: the log has damaged lines and no step.
            StateValueError: a field cannot be restored here.
            PersisterFault: a field was not stored.
        """
        partition = partition_of(partition_key)
        if app_id is None:
            app_id = next(iter(self.list_app_ids(partition)), None)
        if app_id is None or not self.app_log_exists(app_id) or partition_of((self.metadata(app_id) or {}).get("partition_key")) != partition:
            return None
        found = _last_step(self.folder(app_id) / LOG, sequence_id)
        if found is None:
            return None
        result = found.get("result")
        return {
            "partition_key": partition,
            "app_id": app_id,
            "sequence_id": found["sequence_id"],
            "position": found["action"],
            "state": State({name: self._field(name, each) for name, each in _fields(found.get("state")).items()}),
            "created_at": found["end_time"],
            "status": "completed" if found.get("exception") is None else "failed",
            "result": None if result is None else deserialize(result, **self.serde_kwargs),
            "exception": found.get("exception"),
        }

    def _field(self, name: str, data: Any) -> Any:
        value = deserialize_field(name, data, self.serde_kwargs)
        if type(value) is Opaque:
            raise PersisterFault(f"state field {name!r} was not stored: it held a {value.type_name}", hint="Say how it is stored: register_field_serde.")
        return value

    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the last event first."""
        partition = partition_of(partition_key)
        found = []
        for name in fs.list_folder(self.storage_dir):
            log = self.storage_dir / name / LOG
            if log.is_file() and partition_of((_json_file(self.storage_dir / name / METADATA) or {}).get("partition_key")) == partition:
                found.append((log.stat().st_mtime_ns, name))
        return [name for _, name in sorted(found, reverse=True)]


def _expanded(path: str | Path) -> Path:
    text = str(path)
    if text == "~" or text.startswith("~/"):
        home = host.home()
        if home is None:
            raise PersisterFault(f"storage_dir {text!r}: this user has no home folder", hint="Give storage_dir=.")
        return home / text[2:]
    return Path(path)


def _folder(name: object, what: str) -> str:
    if type(name) is not str or not name or name in (".", "..") or any(each in name for each in "/\\\0") or not is_text(name):
        raise PersisterFault(f"{what} {name!r} is no name of a folder", hint="Take a name without slashes.")
    return name


def _now() -> str:
    return text_of_instant(host.now_us())


def _stream(kind: str, sequence_id: int, what: str) -> dict[str, Any]:
    return {"type": kind, "action_sequence_id": sequence_id, "span_id": None, what: _now()}


def _pointer(pointer: ParentPointer | None) -> dict[str, Any] | None:
    if pointer is None:
        return None
    known = {"app_id": pointer.app_id, "sequence_id": pointer.sequence_id, "partition_key": pointer.partition_key}
    return {"type": "pointer_data", **known}


def _graph(graph: Any) -> dict[str, Any]:
    entrypoint = getattr(graph, "entrypoint", None)
    return {
        "type": "application",
        "entrypoint": getattr(entrypoint, "name", entrypoint),
        "actions": [_action(each) for each in graph.actions],
        "transitions": [
            {"type": "transition", "from_": name_of(each.from_), "to": name_of(each.to), "condition": each.condition.name}
            for each in graph.transitions
        ],
    }


def _action(action: Any) -> dict[str, Any]:
    required, optional = inputs_of(action)
    try:
        code = action.get_source()
    except (AttributeError, OSError, TypeError):  # made at run time
        code = ""
    return {
        "type": "action",
        "name": action.name,
        "reads": list(action.reads),
        "writes": list(action.writes),
        "code": code,
        "inputs": required,
        "optional_inputs": optional,
    }


def _old_graphs(folder: Path) -> list[str]:
    return [name for name in fs.list_folder(folder) if name.startswith("graph.") and name != GRAPH and name.endswith(".json")]


def _write_graph(folder: Path, graph: dict[str, Any]) -> int:
    """Writes the graph, what it was before under a number of its own; returns the number of this version."""
    before = _json_file(folder / GRAPH)
    number = 1 + len(_old_graphs(folder))
    if before == graph:
        return number
    if before is not None:
        fs.rename(folder / GRAPH, folder / f"graph.{number}.json")
        number += 1
    fs.write_atomic(folder / GRAPH, json_of(GRAPH, graph).encode(), durable=False)
    return number


def _json_file(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as e:
        raise CorruptPersister(f"{path} is damaged: {e}") from e
    if type(found) is not dict:
        raise CorruptPersister(f"{path} is damaged: an object was expected")
    return found


def _is_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            if not file.tell():
                return False
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for line in file:
                found = _parsed(line)
                if found is not None:
                    yield found
    except FileNotFoundError:
        return


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if type(found) is dict else None


def _last_step(path: Path, sequence_id: int | None) -> dict[str, Any] | None:
    """Returns the last end_entry, or that of a step, read from the end of the log; lines of other kinds are not parsed."""
    damaged = False
    asked = None if sequence_id is None else re.compile(rb'"sequence_id":\s*%d\s*[,}]' % sequence_id)
    for line in _backwards(path):
        if b'"end_entry"' not in line:
            damaged = damaged or (bool(line.strip()) and _parsed(line) is None)
            continue
        if asked is not None and not asked.search(line):
            continue
        found = _parsed(line)
        if found is None:
            damaged = True
        elif found.get("type") == "end_entry" and _is_step(found, sequence_id):
            _checked(path, found)
            return found
    if damaged and sequence_id is None:
        raise CorruptPersister(f"{path} is damaged: it has no step that can be read")
    return None


def _is_step(entry: dict[str, Any], sequence_id: int | None) -> bool:
    number = entry.get("sequence_id")
    return type(number) is int and sequence_id in (None, number)


def _backwards(path: Path, size: int = 1 << 16) -> Iterator[bytes]:
    """Yields the lines of a file, the last first."""
    with path.open("rb") as file:
        at = file.seek(0, 2)
        rest: list[bytes] = []  # pieces of a line whose begin is not read yet, the last first
        while at:
            begin = max(0, at - size)
            file.seek(begin)
            head, *lines = file.read(at - begin).split(b"\n")
            at = begin
            if lines:
                yield lines[-1] + b"".join(reversed(rest))
                yield from reversed(lines[:-1])
                rest = []
            rest.append(head)
        yield b"".join(reversed(rest))


def _checked(path: Path, entry: dict[str, Any]) -> None:
    try:
        datetime.fromisoformat(entry["end_time"])
        if type(entry["action"]) is str:
            return
    except (KeyError, TypeError, ValueError):
        pass
    raise CorruptPersister(f"{path} is damaged: step {entry['sequence_id']} lacks its action or its time")


def _fields(state: Any) -> dict[str, Any]:
    """Returns a state's fields as they were written; a dict whose names JSON does not hold is marked."""
    found = state if type(state) is dict else {}
    parts = found.get("parts")
    if found.get("__gv_serde__") == "dict" and type(parts) is list and len(found) == 2:
        return {deserialize(name): each for name, each in zip(parts[::2], parts[1::2], strict=False)}
    return found
