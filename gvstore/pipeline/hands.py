"""What the built-in modules do beside asking models, each a recorded call below its step: read and write files, run a program.

Neither call's arguments name a folder: the code is told by its digest, so that a record holds anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from gvstore import host
from gvstore.journal.register import register
from gvstore.pipeline.conduct import current_conduct
from gvstore.pipeline.debug_loop import Program, Taken
from gvstore.pipeline.environment import Environment
from gvstore.pipeline.extract import Fault, extract
from gvstore.pipeline.generated import Files, GeneratedCode, codebase_digest
from gvstore.pipeline.refusal import PathsRefused, Refusal
from gvstore.pipeline.sandbox import Limits
from gvstore.pipeline.working_folder import Change

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation

WRITES = "gvstore.pipeline.hands.write_files"


_at_work: ContextVar[tuple[GeneratedCode, Files]] = ContextVar("gvstore.pipeline.at_work")
"""Which code the recorded calls work on, and what it is: no arguments, since a record holds neither folders nor all files twice."""


@contextmanager
def _working_on(code: GeneratedCode, files: Files) -> Iterator[None]:
    token = _at_work.set((code, files))
    try:
        yield
    finally:
        _at_work.reset(token)


def read(code: GeneratedCode) -> dict[str, bytes]:
    """Returns the codebase that a step begins with; where the record answers the folder is brought back to it.

    Raises:
        PathsRefused: one of its files has become something else, or it is too large.
    """
    with _working_on(code, {}):
        files = _files(read_files())
    if files != code.files():
        code.put(files)
    return files


@register
def read_files() -> dict[str, Any]:
    """Returns the codebase as it is in the working folder (`files`: text, or bytes where it is none)."""
    code, _ = _at_work.get()
    return {"files": {path: _text(content) for path, content in code.files().items()}}


def write(code: GeneratedCode, answer: str, before: Files, *, strict: bool, name: str = "") -> tuple[dict[str, bytes], Taken]:
    """Writes an answer's files over the codebase `before`; returns (the codebase now, what became of the answer).

    With a `name` the answer is the content of that file.  The files are there
    afterwards also where the record answers.

    Raises:
        PathsRefused: `strict`, and a path may not be written; then none was.
        AnswerRefused: the answer is too large.
    """
    with _working_on(code, before):
        done = write_files(answer, codebase_digest(before), strict=strict, name=name)
    files = _files(done)
    code.put(files)
    return files, Taken(
        changes=tuple(Change(path, before.get(path), files[path]) for path in done["written"]),
        refusals=tuple(Refusal(*each) for each in done["refused"]),
        faults=tuple(Fault(*each) for each in done["unread"]),
    )


@register
def write_files(answer: str, codebase: str, *, strict: bool, name: str) -> dict[str, Any]:
    """Writes the files of a model's answer over the codebase of this digest.

    Returns the whole codebase as it is then (`files`: text, or bytes where it is none), the paths that were
    `written`, those that were `refused` (path, kind, why), and what could not be read (`unread`: kind, line, path, message).
    """
    code, before = _at_work.get()
    if name:
        found = {name: answer.encode(errors="replace")}
        faults: tuple[Fault, ...] = ()
    else:
        extracted = extract(answer)
        found = {each.path: each.content.encode(errors="replace") for each in extracted.files}
        faults = extracted.faults
    refusals = code.folder.check(list(found.items()))
    if refusals and strict:
        raise PathsRefused(refusals)
    bad = {each.path for each in refusals}
    files = dict(sorted({**before, **{path: content for path, content in found.items() if path not in bad}}.items()))
    code.put(files)
    changed = [path for path in files if files[path] != before.get(path)]
    return {
        "files": {path: _text(content) for path, content in files.items()},
        "written": changed,
        "refused": [[each.path, each.kind, each.why] for each in refusals],
        "unread": [[each.kind, each.line, each.path, each.message] for each in faults],
    }


def try_program(code: GeneratedCode, files: Files, entry: str, limits: Mapping[str, float]) -> dict[str, Any]:
    """Runs a program of the codebase, from just these files; see `run_code`."""
    code.put(files)
    with _working_on(code, files):
        return run_code(codebase_digest(files), entry, dict(limits))


@register
def run_code(codebase: str, program: str, limits: dict[str, float]) -> dict[str, Any]:
    """Runs a program of the working folder within limits.

    Returns whether it `works` (it ended with status 0), at which `stage` it ended ("missing", "install", "run"), how,
    with what `code`, the beginning and end of what it wrote, and `error`: what a model is told.
    """
    code, _ = _at_work.get()
    environment = None
    if current_conduct().install:
        folder = code.folder.path
        environment = Environment(folder.with_name(f"{folder.name}.environment"), settings=host.environment())
    runner = Program(code.folder, entry=program, limits=limits_of(limits), environment=environment)
    trial = runner.trial()
    code.note()
    ended = trial.ended
    return {
        "works": trial.works, "stage": trial.stage, "how": ended.how, "code": ended.code,
        "stdout": runner.anywhere(ended.stdout.text), "stderr": runner.anywhere(ended.stderr.text), "error": trial.error,
    }  # fmt: skip


def limits_of(options: Mapping[str, Any]) -> Limits:
    """Returns the limits that a step's `params:` name: seconds, memory_mb, output_kb."""
    made: dict[str, Any] = {}
    if "seconds" in options:
        made |= {"wall_s": float(options["seconds"]), "cpu_s": float(options["seconds"])}
    if "memory_mb" in options:
        made["memory_bytes"] = int(options["memory_mb"]) << 20
    if "output_kb" in options:
        made["output_bytes"] = int(options["output_kb"]) * 1000
    return Limits(**made)


def restore_files(code: GeneratedCode, recorded: Invocation) -> tuple[str, ...] | None:
    """Brings the codebase back as a recorded step left it; returns the paths that changed, None if the step wrote nothing."""
    last = None
    for each in _writes(recorded):
        last = each
    return None if last is None else code.put(_files(last.output))


def _writes(recorded: Invocation) -> Iterator[Invocation]:
    for each in recorded.get_children():
        if each.component.name == WRITES:
            if each.status == "ok":
                yield each
        else:
            yield from _writes(each)


def _files(done: Mapping[str, Any]) -> dict[str, bytes]:
    return {path: content.encode() if isinstance(content, str) else content for path, content in done["files"].items()}


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
