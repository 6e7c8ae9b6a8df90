"""Trains a dictionary on what is being written, when enough is written that it pays.

The shipped dictionary knows what gvstore's objects look like in general.  A
bulk of one's own records compresses up to half as large again with one of its
own; training takes 40 ms for 4,000 samples, less than writing them.
"""

from __future__ import annotations

from gvstore.objects.kind import Kind
from gvstore.odb.dictionary import DICTIONARY_LIMIT, Codec, train

SAMPLES_BYTES = 1 << 20  # of small objects, the first of a segment; enough for a dictionary of
MOST_BYTES = 4 << 20  # collected while others are at it
DICTIONARY_BYTES = 48 << 10
HELD_OUT = 16  # Every 16th sample is kept to measure on.
GAIN = 0.92  # A dictionary is taken if what it packs is smaller by this.


def teaches(data: bytes, stored: int) -> bool:
    """Returns whether an object is a sample: one of a file that does not compress, noise, is none.

    Nodes of links do not compress either, but the same links come again in other nodes.
    """
    return stored < len(data) or data[0] != Kind.BLOB


class Trainer:
    """Collects the first objects of a segment; not thread-safe."""

    def __init__(self) -> None:
        self._samples: list[bytes] = []
        self._sampled = 0
        self._wanted = SAMPLES_BYTES

    def enough(self, data: bytes, stored: int) -> bool:
        """Takes note of an object that was written, `stored` bytes long; returns whether it is time to train."""
        size = len(data)
        if size <= DICTIONARY_LIMIT and teaches(data, stored):
            self._samples.append(data)
            self._sampled += size
        return self._sampled >= self._wanted

    def wait(self) -> bool:
        """Puts the training off until a quarter more is written; returns False if that was done too often."""
        self._wanted += SAMPLES_BYTES // 4
        return self._wanted <= MOST_BYTES

    def better(self, codec: Codec, other: Codec) -> Codec | None:
        """Returns a dictionary that packs the samples clearly better than `codec`: `other` if that does, else a new one, or None."""
        samples = self._samples
        held = samples[::HELD_OUT]
        old = sum(len(codec.compress(s)) for s in held)
        if other.name != codec.name and sum(len(other.compress(s)) for s in held) < GAIN * old:
            return other
        trained = train([s for i, s in enumerate(samples) if i % HELD_OUT], size=DICTIONARY_BYTES)
        if trained is None:
            return None
        new = sum(len(trained.compress(s)) for s in held)
        return trained if new < GAIN * old else None
