"""Every single bit of every file flipped; every file cut at every length.

A unit is `FILE:FIRST-END`, some bytes of one of the specimen's files, or
`FILE:BYTE:BIT` (of a cut: `FILE:LENGTH`). Never a wrong answer; a flip is found
by a full check, or nothing in what the repository answers has changed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from gvstore.errors import GvError
from gvstore.repo.format import decode_format
from tests.crash import specimen
from tests.crash.kind import Failure, Kind, Outcome, shown
from tests.crash.specimen import Answers

OBJECTS = ("pack", "index", "segment", "torn", "dictionary", "current")
ALL = (*OBJECTS, "shipped", "journal", "refs", "refs-wal", "format")
SQLITES = ("refs", "refs-wal")  # large, and another's format: one bit of each byte
CHUNK = 512
LOST_AT_MOST = {"index": 0, "current": 0}  # of others one, and all that a dictionary is needed for
SIZES = {"pack": 800, "index": 200, "segment": 2100, "torn": 1300, "dictionary": 200, "shipped": 12_000, "current": 65,
         "journal": 1000, "refs": 37_000, "refs-wal": 62_000, "format": 24}  # fmt: skip


class _Case:
    """One file changed in one way, in a copy that is changed back."""

    def __init__(self, what: str, folder: Path) -> None:
        tempfile.tempdir = str(folder)  # where Refs reads a copy from
        self.own = specimen.make(folder / "specimen")
        if what == "refs":
            specimen.write_back(self.own.files["refs"])  # else the WAL has what matters
        self.objects = self.own.root / ".gv" / "objects"
        self.known: Answers = specimen.object_answers(self.objects)
        self.refs = specimen.ref_answers(self.own.files["refs"])
        self.runs = specimen.run_answers(self.own.root)
        if told := specimen.found_by_fsck(self.own.root):
            raise AssertionError(f"the specimen is not sound: {told}")

    def judge(self, what: str, data: bytes, whole: bytes, *, cut: bool) -> tuple[list[str], str]:
        """Returns what does not hold while the file is `data`, and how it went: found, or harmless."""
        path = self.own.files[what]
        _overwrite(path, data, cut=cut)
        try:
            return self._judged(what, cut=cut)
        except Exception as e:
            return [shown(e)], "failed"
        finally:
            _overwrite(path, whole, cut=cut)

    def _judged(self, what: str, *, cut: bool) -> tuple[list[str], str]:
        if what == "format":
            return _judge_format(self.own.files[what])
        if what == "shipped" and not cut:  # sound: its content is what its name says, whatever the frame around it
            return [], "harmless" if specimen.is_dictionary_sound(self.own.files[what]) else "found"
        if what in (*OBJECTS, "shipped"):
            return self._judge_objects(what, cut=cut)
        if what == "journal":
            return self._judge_journal(cut=cut)
        return self._judge_refs(cut=cut)

    def _judge_objects(self, what: str, *, cut: bool) -> tuple[list[str], str]:
        wrong, lost = specimen.object_faults(self.objects, self.known)
        if cut and what not in ("pack", "index"):
            return wrong, "found" if lost else "harmless"
        told = specimen.found_in_objects(self.objects)
        if lost and not told:  # a torn tail is no damage by itself: what leads to it tells
            told = specimen.found_by_fsck(self.own.root)
        if not told and (lost or what in ("pack", "index", "segment")):
            wrong.append(f"the change was not found, though {len(lost)} objects are lost")
        if not cut and len(lost) > LOST_AT_MOST.get(what, len(self.known) if what == "dictionary" else 1):
            wrong.append(f"{len(lost)} objects are lost with one bit")
        return wrong, "found" if told else "harmless"

    def _judge_journal(self, *, cut: bool) -> tuple[list[str], str]:
        runs = specimen.run_answers(self.own.root)
        told = specimen.found_by_fsck(self.own.root)
        wrong = [f"{name} has calls that nobody made" for name in runs if not _is_part(runs[name][1], self.runs[name][1])]
        if runs != self.runs and not told and not cut:
            wrong.append("calls are lost, and nobody says so")
        return wrong, "found" if told else "harmless"

    def _judge_refs(self, *, cut: bool) -> tuple[list[str], str]:
        try:
            same = specimen.ref_answers(self.own.files["refs"]) == self.refs
        except GvError:
            same = False
        if same:
            return [], "harmless"
        told = specimen.found_by_fsck(self.own.root)
        return ([] if told else ["refs.db answers otherwise, and fsck finds nothing"]), "found"


def _is_part(calls: list[Any], whole: list[Any]) -> bool:
    """Returns whether every call that is told to have ended is one that was recorded so."""
    known = [call[1:] for call in whole]  # without their places: where one is lost, the others move up
    return all(call[1:] in known for call in calls if call[3] in ("ok", "raised"))


def _judge_format(path: Path) -> tuple[list[str], str]:
    try:
        form = decode_format(path.read_bytes(), "format")
    except GvError:
        return [], "found"
    return ([] if form.version == 1 and not form.features else ["another format is believed"]), "harmless"


def _overwrite(path: Path, data: bytes, *, cut: bool) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(fd, data, 0)
        if cut:
            os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def _units(scale: float) -> Iterator[str]:
    """Yields stretches of all files; of a smaller scale some, evenly."""
    wanted = 0.0
    for what in ALL:
        for first in range(0, SIZES[what], CHUNK):
            wanted += min(1.0, scale)
            if wanted >= 1:
                wanted -= 1
                yield f"{what}:{first}-{first + CHUNK}"


def _run(kind: str, cases: Callable[[str, bytes, int, int], Iterable[tuple[str, bytes]]]) -> Callable[[str, int, Path], Outcome]:
    def run(unit: str, seed: int, folder: Path) -> Outcome:
        what, where, *bit = unit.split(":")
        case = _Case(what, folder)
        whole = case.own.files[what].read_bytes()
        first, _, end = where.partition("-")
        span = range(len(whole))[int(first) : int(end) if end else int(first) + 1]
        outcome = Outcome()
        for name, data in cases(what, whole, span.start, span.stop):
            if bit and name != unit:
                continue
            wrong, how = case.judge(what, data, whole, cut=kind == "cut")
            outcome.cases += 1
            outcome.note(how)
            outcome.failures += [Failure(kind, name, why) for why in wrong]
        return outcome

    return run


def _flipped(what: str, whole: bytes, first: int, end: int) -> Iterator[tuple[str, bytes]]:
    for place in range(first, end):
        for bit in range(8) if what not in SQLITES else (place % 8,):
            data = bytearray(whole)
            data[place] ^= 1 << bit
            yield f"{what}:{place}:{bit}", bytes(data)


def _cut(what: str, whole: bytes, first: int, end: int) -> Iterator[tuple[str, bytes]]:
    for length in range(first, end):
        yield f"{what}:{length}", whole[:length]


FLIP = Kind("flip", "each bit of each file flipped, of refs.db and its WAL one of each byte", _units, _run("flip", _flipped))
CUT = Kind("cut", "each file cut at each length", _units, _run("cut", _cut))

