"""What is wrong with a pipeline: all of it at once, each as `file:line:col: message`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from gvstore.errors import BadRev, UsageFault
from gvstore.machine.finding import near
from gvstore.pipeline.place import Place

SHOWN = 60  # characters of a name in a message
LISTED = 12  # names
TOLD = 100  # faults in one message; all of them are in `faults`
COMPARED = 100  # names that an unknown one is compared with: a comparison takes some 15 µs


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; one that is not `fatal` is told, and the pipeline runs."""

    place: Place
    what: str
    fatal: bool = True

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.what if self.fatal else 'warning: ' + self.what}")


class PipelineFault(UsageFault, ValueError):
    """A pipeline cannot run; `faults` holds all that was found, in the order of the files, warnings included; the message has none of these."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = arranged(faults)
        fatal = [each for each in self.faults if each.fatal]
        more = [f"and {len(fatal) - TOLD:,} more"] if len(fatal) > TOLD else []
        super().__init__("\n".join([*map(str, fatal[:TOLD]), *more]))


class NoPipeline(BadRev):
    """There is no pipeline's file at a path."""

    def __init__(self, path: str, *, hint: str) -> None:
        self.path = path
        super().__init__(f"no pipeline at {quoted(path)}", hint=hint)


class BadSetting(UsageFault):
    """What stands after `--set` cannot be meant."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"--set {quoted(text)}: {why}", hint="Write --set name=value, --set step.model_config.temperature=0.")


@dataclass(slots=True)
class Faults:
    """Collects what is found while a file is looked at."""

    found: list[Fault] = field(default_factory=list)

    def add(self, place: Place, what: str, *, fatal: bool = True) -> None:
        """Notes a fault."""
        self.found.append(Fault(place, what, fatal))

    @property
    def fatal(self) -> bool:
        """Whether one of them stops a run."""
        return any(fault.fatal for fault in self.found)

    def raise_fatal(self) -> None:
        """Raises PipelineFault with all that was found, if one of them is fatal."""
        if self.fatal:
            raise PipelineFault(self.found)


def arranged(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Returns the faults without repetitions, file by file, by their places."""
    unique = list(dict.fromkeys(faults))
    files = {path: number for number, path in enumerate(dict.fromkeys(fault.place.path for fault in unique))}
    return tuple(sorted(unique, key=lambda fault: (files[fault.place.path], fault.place.line, fault.place.column)))


def quoted(name: object) -> str:
    """Returns a name as a message shows it: in quotes, on one line, not too long."""
    text = repr(name) if isinstance(name, str) else f"'{name}'"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 4]}...'"


def listed(names: Iterable[str]) -> str:
    """Returns names for a message, so many as can be read."""
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - LISTED} more" if len(every) > LISTED else ""
    return (", ".join(every[:LISTED]) or "none") + more


def printable(text: str) -> str:
    """Returns a text as one line of a terminal: what is unseen, or moves its cursor, is spelt out."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@lru_cache(maxsize=2_000)
def _near(name: str, known: tuple[str, ...]) -> list[str]:
    if len(known) > COMPARED:  # first those that begin, or end, as it does
        alike = [each for each in known if abs(len(each) - len(name)) < 4 and (each[:2] == name[:2] or each[-2:] == name[-2:])]
        known = tuple(alike or known)[:COMPARED]
    return near(name, known)


def or_meant(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """Returns how a message about an unknown name ends: what is near, else `otherwise`, else what there is."""
    every = list(dict.fromkeys(known))
    found = _near(name[:SHOWN], tuple(every))
    if found:
        return f"did you mean {' or '.join(found)}?"
    return otherwise if otherwise is not None else f"there are: {listed(every)}"
