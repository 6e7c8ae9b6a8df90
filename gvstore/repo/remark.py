"""What people say of runs: notes, and scores by name.

They stand beside the run, not in it: `refs/notes/7` leads to a value that holds
all notes and scores of run/7, so that a run may be spoken of while it is recorded and its oid
stays what it is.  Every change is one operation; what was said before is in the ref's reflog.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gvstore.errors import UsageFault
from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId
from gvstore.refs.fault import RefMoved
from gvstore.refs.names import NOTES, notes_ref
from gvstore.refs.value import value_oid

if TYPE_CHECKING:
    from gvstore.objects.protocol import ObjectReader, ObjectWriter
    from gvstore.repo.repository import Repository

SCORE = "score"  # what a score is called that was given no name
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", re.ASCII)
_TRIES = 20


class BadScore(UsageFault):
    """A score that is no number, or has a name that none can have."""

    hint = "Scores are numbers: `gv score run/7 0.8`, `gv score run/7 accuracy=0.9`."


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote; `at` in microseconds UTC."""

    text: str
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class Score:
    """A number that somebody gave; `at` in microseconds UTC."""

    value: int | float
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class Remarks:
    """All notes and scores of one run, the oldest first; the last score of a name counts."""

    notes: tuple[Note, ...] = ()
    scores: dict[str, tuple[Score, ...]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, int | float]:
        """The score that counts of each name."""
        return {name: given[-1].value for name, given in self.scores.items()}

    @property
    def score(self) -> int | float | None:
        """The score that was given without a name, or else the only one."""
        values = self.values
        return values.get(SCORE, next(iter(values.values())) if len(values) == 1 else None)

    @property
    def text(self) -> str:
        """All notes, a line end between them."""
        return "\n".join(note.text for note in self.notes)

    def noted(self, text: str, author: str, at: int) -> Remarks:
        """Returns these with one note more."""
        return Remarks((*self.notes, Note(text, author, at)), self.scores)

    def scored(self, values: dict[str, int | float], author: str, at: int) -> Remarks:
        """Returns these with one score more of each name.

        Raises:
            BadScore: a value is no number, or a name is none.
        """
        scores = dict(self.scores)
        for name, value in values.items():
            given = Score(checked_score(name, value), author, at)
            scores[name] = (*scores.get(name, ()), given)
        return Remarks(self.notes, scores)

    def put(self, writer: ObjectWriter) -> ObjectId | None:
        """Returns the oid of the value that holds these, stored; None if there are none."""
        if not self.notes and not self.scores:
            return None
        notes = [{"text": each.text, "author": each.author, "at": each.at} for each in self.notes]
        scores = {
            name: [{"value": each.value, "author": each.author, "at": each.at} for each in given]
            for name, given in self.scores.items()
        }
        return Encoder(writer).put({"notes": notes, "scores": scores})

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Remarks:
        """Returns what the value holds; what does not look like a note or score is left out."""
        value = get_value(reader, oid)
        if not isinstance(value, dict):
            return cls()
        notes = tuple(
            Note(each["text"], str(each.get("author", "")), _moment(each))
            for each in _dicts(value.get("notes"))
            if isinstance(each.get("text"), str)
        )
        listed = value.get("scores")
        scores = {}
        for name, given in listed.items() if isinstance(listed, dict) else ():
            found = tuple(Score(each["value"], str(each.get("author", "")), _moment(each)) for each in _dicts(given) if _is_number(each.get("value")))
            if found and isinstance(name, str):
                scores[name] = found
        return cls(notes, scores)


def checked_score(name: str, value: object) -> int | float:
    """Returns the value, a finite number under a name that a score can have.

    Raises:
        BadScore: it is none.
    """
    if not _NAME.fullmatch(name):
        raise BadScore(f"{name[:80]!r} cannot name a score")
    if not _is_number(value):
        raise BadScore(f"a score is a number, not {str(value)[:80]!r}")
    assert isinstance(value, int | float)
    return value


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _dicts(value: object) -> list[dict[Any, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _moment(each: dict[Any, Any]) -> int:
    at = each.get("at")
    return at if type(at) is int else 0


def read_remarks(repo: Repository, number: int) -> Remarks:
    """Returns what is said of run `number`."""
    oid = repo.refs.resolve(notes_ref(number))
    return Remarks() if oid is None else Remarks.get(repo.objects, oid)


def remarked(repo: Repository) -> dict[int, ObjectId]:
    """Returns the runs of which something is said, with the oids of what."""
    found = ((int(ref[len(NOTES) :]), value_oid(value)) for ref, value in repo.refs.list(NOTES).items())
    return {number: oid for number, oid in found if oid is not None}


def change_remarks(
    repo: Repository, numbers: Sequence[int], change: Callable[[Remarks], Remarks], command: str, *, author: str, now: int
) -> list[Remarks]:
    """Changes what is said of these runs, in one operation, and returns it as it is now; begins again if somebody was faster."""
    for attempt in range(_TRIES):
        before = {number: repo.refs.resolve(notes_ref(number)) for number in dict.fromkeys(numbers)}
        after = [change(Remarks() if oid is None else Remarks.get(repo.objects, oid)) for oid in before.values()]
        try:
            with repo.transaction(command, author=author, now=now) as transaction:
                for (number, old), remarks in zip(before.items(), after, strict=True):
                    new = remarks.put(repo.objects)
                    if new is not None:
                        transaction.update(notes_ref(number), new, expected=old)
                    elif old is not None:
                        transaction.delete(notes_ref(number), expected=old)
            return after
        except RefMoved:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError
