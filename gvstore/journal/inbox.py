"""The inbox: open questions of a repository's runs, and their answers.

A run waits until a run that was derived from it has taken its questions over:
answered, asked again, or failed since.  One that was only rewound leaves them
open.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gvstore.journal.address import CallPath, format_path
from gvstore.journal.arguments import convert, read_word
from gvstore.journal.fault import InvokableTypeError, NotOpen
from gvstore.journal.perform import Performed
from gvstore.journal.question import InputRequest, answered, open_questions
from gvstore.journal.replay import perform_replay
from gvstore.journal.requested import annotation_of, describe, example_of, type_text
from gvstore.journal.running import RunOptions
from gvstore.journal.timing import timing_of
from gvstore.objects import run as stored
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.invocation import asks
from gvstore.objects.record import NIL

if TYPE_CHECKING:
    from gvstore.journal.recorder import Asker
    from gvstore.journal.repository import Repository
    from gvstore.journal.run import Run

WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question of a waiting run, at the call that asks; `asked_at` in microseconds UTC."""

    run: Run[Any]
    path: CallPath
    request: InputRequest
    asked_at: int

    @property
    def name(self) -> str:
        """How to type it: `run/9:3`."""
        return f"{self.run.name}:{format_path(self.path)}"

    @property
    def wanted(self) -> str:
        """The requested type, as a program writes it."""
        return type_text(describe(self.request.requested_type))


def questions_of(run: Run[Any]) -> list[OpenQuestion]:
    """Returns what a run waits for, in the order of its calls."""
    if run.status != WAITING:
        return []
    record, objects = run.record, run.store.objects
    found = []
    for path, request in open_questions(run.invocation):
        since = 0 if record.times == NIL else timing_of(record.times, path, objects).started_us
        found.append(OpenQuestion(run, path, request, record.started_at + since))
    return found


def open_runs(repo: Repository) -> Iterator[Run[Any]]:
    """Yields the runs that wait for an answer, the oldest first."""
    rows = list(repo.refs.runs())
    waiting = [row for row in rows if row.status == WAITING and row.oid is not None]
    if not waiting:
        return
    first = min(row.number for row in waiting)
    followed = set()
    for row in rows:
        if row.number > first and row.oid is not None and row.status != "rewound":
            try:
                followed.add(stored.Run.get(repo.objects, row.oid).parent)
            except ObjectMissing:
                continue
    for row in reversed(waiting):
        if row.oid not in followed:
            yield repo.runs[row.number]


def question_at(run: Run[Any], path: CallPath) -> OpenQuestion:
    """Returns the open question at the call, or the only one below it; the root's path is empty.

    Raises:
        NotOpen: it asks nothing, or several questions.
    """
    asked = [each for each in questions_of(run) if each.path[: len(path)] == path]
    if len(asked) == 1:
        return asked[0]
    call = run.invocation
    for index in path:
        call = call.get_child(index)
    name = f"{run.name}:{format_path(path)}" if path else run.name
    if asked:
        names = ", ".join(each.name for each in asked[:5])
        raise NotOpen(f"{name} asks {len(asked)} questions", hint=f"Name one of {names}.")
    if asks(call.call.outcome):
        raise NotOpen(f"{name} asked a question, and {run.name} went on without an answer")
    raise NotOpen(f"{name} ({call.name}) asks nothing: it is {call.status}")


def answer_run(
    repo: Repository, run: Run[Any], answers: Mapping[CallPath, Any], *, options: RunOptions | None = None,
    asker: Asker | None = None,
) -> Performed:  # fmt: skip
    """Replays a waiting run, as a new one, with answers to its questions.

    Raises:
        NotOpen: it does not ask one of them.
        InvokableTypeError: an answer is not of the requested type.
    """
    run = repo.settled(run)
    repo.load_root(run)
    record = answered(run.invocation, answers)
    options = options or RunOptions(target=run.record.target, parent=run.oid, command="answer")
    return perform_replay(record, options=options, asker=asker, history=lambda: repo.history_of(run))


def read_answer(text: str, request: InputRequest, folder: Path) -> Any:
    """Returns the answer that a word spells, as the requested type asks; `@FILE` is what a file says.

    Raises:
        InvokableTypeError: it spells none of that type.
        BadArguments: the file cannot be read.
    """
    annotation = annotation_of(describe(request.requested_type))
    try:
        return _read(text, request, annotation, folder)
    except InvokableTypeError as e:
        example = example_of(annotation)
        if example[:1] in ("[", "{"):
            e.hint = f"{e.hint + '; t' if e.hint else 'T'}ype it as {shlex.quote(example)}, or write it into a file and give @FILE."
        raise


def _read(text: str, request: InputRequest, annotation: Any, folder: Path) -> Any:
    if text.startswith("@") and len(text) > 1:
        said = read_word(text, folder)
        if not isinstance(said, str) or annotation in (str, Any) or text.endswith(".json"):
            if annotation is bytes and isinstance(said, str):
                said = said.encode()
            return request.check(_made(said, annotation))
        text = said.strip()
    try:
        value = convert(text, annotation)
    except ValueError as e:
        wanted = type_text(describe(request.requested_type))
        raise InvokableTypeError(f"the question asks for {wanted}, and {text!r:.200} is none", hint=str(e)) from e
    return request.check(_made(value, annotation))


def _made(value: Any, annotation: Any) -> Any:
    """Returns a dataclass made of a JSON object, where one is asked for; anything else as it is."""
    if isinstance(value, dict) and isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        try:
            return annotation(**value)
        except TypeError as e:
            raise InvokableTypeError(f"no {annotation.__qualname__} can be made of this: {e}") from e
    return value
