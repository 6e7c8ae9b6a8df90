"""Bytes that nobody wrote, for every parser: a value or an error of ours, soon, in little memory.

A unit is `TARGET:BLOCK`, a thousand cases, or `TARGET:BLOCK:CASE`. A case takes something
that the parser reads in earnest and changes it in a few places; where a checksum would keep the
parser from looking further, half of the cases get the right one (parsers.py).
"""

from __future__ import annotations

import contextlib
import gc
import random
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from gvstore.errors import GvError
from tests.crash.kind import Failure, Kind, Outcome, shown
from tests.crash.parsers import TARGETS, Parser, Parsers

BLOCK = 1000
LIMIT_S = 1.0
LIMIT_BYTES = 256 << 20
MOST_BYTES = 300_000
LINK_BYTES = 34
# Lengths at the edges, heads of MessagePack's longest things, links, zstd's frame heads.
TOKENS = (
    b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80",
    b"\xff" * 8, b"\0" * 8, b"\xdd\xff\xff\xff\xff", b"\xdd\x00\x10\x00\x00", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
    b"\xdb\x7f\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\xdc\xff\xff", b"\x91" * 40, b"\x81" * 40, b"\xc0", b"\xc1",
    b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\0" * 7, b"\xcb\x7f\xf8" + b"\0" * 6, b"\xc7\x20\x01", b"\xc7\x20\x02", b"\xa0",
    b"\x90", b"\x80", b"\xe0\xff\xff\xff\xff", b"\xa0\xff\xff\xff\x7f", b"[" * 3000, b"{" * 100, b".", b"..", b"~", b"^",
    b"@{", b"\n", b"\r", b" ", b"99999999999999999999", "é\u0301\u202e".encode(), b"\xed\xa0\x80", b"refs/", b"'''", b'"""',
)  # fmt: skip


class Hang(BaseException):
    """A case took more than its second."""


def changed(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Returns `data` changed in one to four places; `other` may lend a piece."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        _CHANGES[int(chance.random() * len(_CHANGES))](out, other, chance)
    return bytes(out[:MOST_BYTES])


def _place(out: bytearray, chance: random.Random) -> int:
    return int(chance.random() * len(out)) if out else 0


def _span(out: bytes | bytearray, chance: random.Random) -> slice:
    first = int(chance.random() * len(out)) if out else 0
    return slice(first, first + 1 + int(chance.random() ** 3 * len(out)))


def _flip(out: bytearray, other: bytes, chance: random.Random) -> None:
    if out:
        out[_place(out, chance)] ^= 1 << int(chance.random() * 8)


def _set(out: bytearray, other: bytes, chance: random.Random) -> None:
    if out:
        out[_place(out, chance)] = int(chance.random() * 256)


def _overwrite(out: bytearray, other: bytes, chance: random.Random) -> None:
    at, token = _place(out, chance), chance.choice(TOKENS)
    out[at : at + len(token)] = token


def _insert(out: bytearray, other: bytes, chance: random.Random) -> None:
    at = _place(out, chance)
    out[at:at] = chance.choice(TOKENS)


def _delete(out: bytearray, other: bytes, chance: random.Random) -> None:
    del out[_span(out, chance)]


def _double(out: bytearray, other: bytes, chance: random.Random) -> None:
    at = _place(out, chance)
    out[at:at] = out[_span(out, chance)]


def _splice(out: bytearray, other: bytes, chance: random.Random) -> None:
    out[_span(out, chance)] = other[_span(other, chance)]


def _cut(out: bytearray, other: bytes, chance: random.Random) -> None:
    del out[_place(out, chance) :]


def _noise(out: bytearray, other: bytes, chance: random.Random) -> None:
    out[_span(out, chance)] = chance.randbytes(int(chance.random() ** 2 * 64))


_CHANGES: tuple[Callable[[bytearray, bytes, random.Random], None], ...] = (
    _flip, _flip, _set, _overwrite, _overwrite, _insert, _delete, _double, _splice, _cut, _noise,
)  # fmt: skip


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Lets this process have so much more memory than it has now, and no more, in the block."""
    gc.collect()
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    if taken:
        resource.setrlimit(resource.RLIMIT_AS, (taken + LIMIT_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextlib.contextmanager
def hurried() -> Iterator[Callable[[], object]]:
    """Gives what to call before each case: who then takes longer than a second of the processor gets `Hang`."""

    def late(*_: object) -> None:
        raise Hang(f"more than {LIMIT_S} s")

    before = signal.signal(signal.SIGPROF, late)
    try:
        yield lambda: signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def case_of(parser: Parser, name: str) -> bytes:
    """Returns the input of a case."""
    chance = random.Random(name)
    seeds = parser.seeds
    seed, other = seeds[int(chance.random() * len(seeds))], seeds[int(chance.random() * len(seeds))]
    return parser.finish(changed(seed, other, chance), chance)


def run(unit: str, seed: int, folder: Path) -> Outcome:
    """Tries a block of cases on a parser, or one case."""
    target, block, *only = unit.split(":")
    parser = Parsers(folder).parser(target)
    outcome = Outcome()
    with limited(), hurried() as begin:
        for case in [int(only[0])] if only else range(BLOCK):
            data = case_of(parser, f"{seed} {target} {block} {case}")
            begin()
            try:
                why = parser.read(data)
            except GvError:
                why = None
                outcome.note("refused")
            except MemoryError:
                why = f"more than {LIMIT_BYTES >> 20} MB"
            except (Exception, Hang) as e:
                why = shown(e)
            outcome.cases += 1
            if why:
                outcome.failures.append(Failure("fuzz", f"{target}:{block}:{case}", why))
    return outcome


def units(scale: float) -> Iterable[str]:
    """Returns the blocks of all parsers."""
    for target, blocks in TARGETS.items():
        for block in range(max(1, round(blocks * scale))):
            yield f"{target}:{block}"


FUZZ = Kind("fuzz", "changed bytes for every parser", units, run)
