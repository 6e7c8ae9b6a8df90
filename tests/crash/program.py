"""Seeded programs: what a user's processes do to a repository, and what they were told is done.

A program is a sequence of acts drawn from a seed. After each act, and inside runs after
each finished call, it tells what the repository has promised from then on: objects that are durable,
the refs as they stand, calls that are recorded. Whoever reads that knows what
must be there, however the program ends.
"""

from __future__ import annotations

import contextlib
import json
import random
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gvstore as gv
from gvstore.errors import GvError
from gvstore.objects.oid import ObjectId
from gvstore.odb import compact, segment
from gvstore.refs import Refs
from gvstore.refs.transaction import ANYTHING
from tests.crash.shim import REAL

ACTS_EACH = 7
Tell = Callable[[dict[str, Any]], None]

_tell: Tell = lambda promise: None  # noqa: E731 - what the recorded functions below tell


@gv.register
def leaf(number: int, text: str) -> dict[str, Any]:
    """Returns something small or, for every fifth number, something that is linked."""
    if number % 7 == 6:
        raise ValueError(f"leaf {number}")
    return {"number": number, "text": text, "more": list(range(number % 5 * 60))}


@gv.register
def branch(first: int, calls: int, depth: int) -> int:
    """Returns how many of the calls below returned."""
    done = 0
    for number in range(first, first + calls):
        try:
            if depth and number % 3 == 0:
                branch(number * 10, 2, depth - 1)
            else:
                leaf(number, "word " * (number % 90))
        except ValueError:
            _tell({"call": number, "raised": True})
            continue
        _tell({"call": number} if not depth or number % 3 else {"branch": number * 10})
        done += 1
    return done


@gv.register
def failing(number: int) -> None:
    """Calls once and raises."""
    leaf(number, "before the end")
    _tell({"call": number})
    raise KeyError(number)


@dataclass(slots=True)
class Promises:
    """What was told, put together."""

    objects: set[str] = field(default_factory=set)
    calls: set[int] = field(default_factory=set)
    raised: set[int] = field(default_factory=set)
    branches: set[int] = field(default_factory=set)
    refs: list[dict[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ended: bool = False

    def take(self, promise: dict[str, Any]) -> None:
        """Adds one."""
        self.objects.update(promise.get("objects", ()))
        if "call" in promise:
            (self.raised if promise.get("raised") else self.calls).add(promise["call"])
        if "branch" in promise:
            self.branches.add(promise["branch"])
        if "refs" in promise:
            self.refs.append(promise["refs"])
        if "fault" in promise:
            self.faults.append(promise["fault"])
        self.ended = self.ended or "ended" in promise

    def add(self, other: Promises) -> None:
        """Takes over what an earlier program was promised; its refs have moved on since."""
        self.objects |= other.objects
        self.calls |= other.calls
        self.raised |= other.raised
        self.branches |= other.branches


def teller(fd: int) -> Tell:
    """Returns what writes a promise to a pipe, by the system's own call."""
    write = REAL["write"]

    def tell(promise: dict[str, Any]) -> None:
        data = json.dumps(promise).encode() + b"\n"
        while data:
            data = data[write(fd, data) :]

    return tell


def all_refs(repo: gv.Repository) -> dict[str, str]:
    """Returns every ref with its value."""
    return repo.refs.list("")


class Program:
    """One seeded sequence of acts on the repository in `root`."""

    def __init__(self, seed: str, root: Path, tell: Tell) -> None:
        global _tell
        self.chance = random.Random(seed)
        self.root, self.tell = root, tell
        self.numbers = 1000 * (1 + random.Random(seed).randrange(10**6))
        _tell = tell
        self._small_files()
        self.repo = gv.Repository.open(root)

    def _small_files(self) -> None:
        """Makes everything happen that large files would bring: sealing, rolling, merging; differently by seed."""
        compact.SMALL_BYTES = self.chance.choice((300, 3000, 128 << 10))
        compact.FEW = self.chance.choice((1, 2, 8))
        compact.FEW_PACKS = self.chance.choice((1, 2, 4))
        segment.SPILL_BYTES = self.chance.choice((200, 2000, 256 << 10))
        segment.ROLL_OBJECTS = self.chance.choice((10, 50, 200_000))

    def weights(self) -> dict[Callable[[], None], int]:
        """Returns every act, with how often it is drawn."""
        return {
            self.put: 2, self.batch: 2, self.commit: 3, self.record: 4, self.record_failing: 1, self.name_value: 2,
            self.make_branch: 1, self.delete_branch: 1, self.move_many: 2, self.replay: 2, self.close: 2, self.repack: 1,
            self.put_large: 1, self.undo_checkout: 1, self.collect: 2,
        }  # fmt: skip

    def acts(self) -> Iterator[Callable[[], None]]:
        """Yields the acts, drawn one by one."""
        acts, weights = zip(*self.weights().items(), strict=True)
        for _ in range(ACTS_EACH):
            yield self.chance.choices(acts, weights)[0]

    def play(self, *, forgiving: bool = False) -> None:
        """Does everything and tells; `forgiving` does an act that was refused once more, in a repository opened anew."""
        for act in self.acts():
            try:
                self._do(act)
            except Exception as e:
                self.tell({"fault": _shown(e)})
                self.close_anyway()
                if not forgiving:
                    return
                self.repo = gv.Repository.open(self.root)
                self._do(act)
        self.close_anyway()
        self.tell({"ended": True})

    def _do(self, act: Callable[[], None]) -> None:
        act()
        self.tell({"refs": all_refs(self.repo)})

    def close_anyway(self) -> None:
        """Closes; that it cannot is no surprise, but it must say so in our words."""
        try:
            self.repo.close()
        except Exception as e:
            self.tell({"fault": _shown(e)})

    def all_acts(self) -> tuple[Callable[[], None], ...]:
        """Returns every act once."""
        return tuple(self.weights())

    def promise(self, *oids: ObjectId) -> None:
        """Tells that objects are there from now on."""
        self.tell({"objects": [oid.hex() for oid in oids]})

    def text(self, size: int) -> str:
        """Returns new text."""
        return " ".join(f"{self.chance.getrandbits(20):x}" for _ in range(size))

    def put(self) -> None:
        """One blob."""
        self.promise(self.repo.objects.put(self.text(30).encode()))

    def batch(self) -> None:
        """Several blobs, some of them there already."""
        blobs = [self.text(self.chance.randint(1, 80)).encode() for _ in range(self.chance.randint(2, 12))]
        with self.repo.objects.batch() as objects:
            oids = [objects.put(blob) for blob in [*blobs, blobs[0], b"the same in every program"]]
        self.promise(*oids)

    def put_large(self) -> None:
        """A blob that is cut into chunks."""
        self.promise(self.repo.objects.put(self.chance.randbytes(100_000)))

    def commit(self) -> None:
        """Some files, committed."""
        for _ in range(self.chance.randint(1, 3)):
            path = self.root / f"file{self.chance.randint(0, 5)}.py"
            path.write_text(f"def function():\n    return {self.text(5)!r}\n")
        self.promise(self.repo.commit(f"change {self.chance.random()}", allow_empty=True))

    def number(self, count: int) -> int:
        """Returns the first of so many numbers that no other call has."""
        self.numbers += count
        return self.numbers - count

    def record(self) -> None:
        """A run with nested calls."""
        first = self.number(20)
        with self.repo:
            run = gv.run(branch, first, self.chance.randint(1, 6), self.chance.randint(0, 1))
        assert run.oid is not None
        self.promise(run.oid)

    def record_failing(self) -> None:
        """A run that raises."""
        first = self.number(1) * 7
        try:
            with self.repo:
                gv.run(failing, first)
        except KeyError:
            return

    def replay(self) -> None:
        """The last run, rewound and replayed."""
        run = self.repo.runs.last
        if run is None or run.record.root is None or not list(run.invocation.get_children()):
            return
        with self.repo:
            rewound = run.rewind(1)
            assert rewound.oid is not None
            self.promise(rewound.oid)
            try:
                rewound.replay(strict=False)
            except (KeyError, ValueError):
                return

    def name_value(self) -> None:
        """A value under a name."""
        value = {"text": self.text(3), "many": list(range(self.chance.randint(0, 400)))}
        ref = self.repo.put(value, name=f"v{self.chance.randint(0, 3)}")
        self.promise(ref.oid)

    def make_branch(self) -> None:
        """A branch, if there is a commit."""
        if self.repo.head is not None:
            self.repo.create_branch(f"b{self.chance.getrandbits(40):x}")

    def delete_branch(self) -> None:
        """One of the branches."""
        names = [each.name for each in self.repo.branches() if each.name.startswith("b")]
        if names:
            self.repo.delete_branch(self.chance.choice(names), force=True)

    def move_many(self) -> None:
        """Several refs in one transaction."""
        oids = [self.repo.objects.put(b"x%d" % self.chance.getrandbits(30)) for _ in range(3)]
        with self.repo.transaction("many") as transaction:
            for at, oid in enumerate(oids):
                transaction.update(f"refs/values/many{at}", oid, expected=ANYTHING)
        self.promise(*oids)

    def undo_checkout(self) -> None:
        """The work tree back to HEAD's first parent, and to the branch again."""
        self.repo.commit("to leave nothing unsaved", allow_empty=True)
        if self.repo.branch != "main":
            self.repo.checkout("main")
        self.repo.commit("to have a parent", allow_empty=True)
        self.repo.commit("to have a child", allow_empty=True)
        self.repo.checkout("main~1")
        self.repo.checkout("main")

    def close(self) -> None:
        """The end of a command and the beginning of the next."""
        self.repo.close()

    def collect(self) -> None:
        """Garbage is condemned, and what was condemned is deleted at once."""
        self.repo.gc(prune="now")

    def repack(self) -> None:
        """All packs into one."""
        self.repo.objects.repack()


def _shown(error: Exception) -> str:
    kind = "" if isinstance(error, GvError) else "untyped "
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name != "shim.py"]
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[:-6:-1])
    return f"{kind}{type(error).__name__}: {str(error)[:200]} ({where})"


@contextlib.contextmanager
def watching_refs(seen: Callable[[Refs], None]) -> Iterator[None]:
    """Calls `seen` after every transaction on refs in the block."""
    real = Refs._writing

    @contextlib.contextmanager
    def writing(self: Refs) -> Iterator[Any]:
        with real(self) as connection:
            yield connection
        seen(self)

    Refs._writing = writing  # type: ignore[method-assign]
    try:
        yield
    finally:
        Refs._writing = real  # type: ignore[method-assign]
