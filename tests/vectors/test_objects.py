"""Golden bytes and oids: every version of gvstore writes and reads them alike, for ever.

`objects.json` maps a sample's name to its oid, the bytes of its object, and the
number of objects below with a hash over their names.  `pytest --accept` adds
samples that are new; it never changes one that is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gvstore.objects.check import check
from gvstore.objects.decode import get_value
from gvstore.objects.oid import ObjectId
from gvstore.objects.value import put_value
from tests.objects.store import Objects
from tests.vectors.sample import OID, OTHER, Put, samples

FILE = Path(__file__).with_name("objects.json")
SAMPLES = dict(samples())
EXPECTED: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}


def described(put: Put) -> dict[str, Any]:
    """Returns what the file holds of a sample."""
    store = Objects()
    oid = put(store)
    names = b"".join(sorted(store))
    data = store.get(oid)
    return {
        "oid": oid.hex(),
        "bytes": None if data is None else data.hex() if len(data) <= 700 else f"{len(data)} bytes",
        "objects": len(store),
        "all": ObjectId.of(names).hex()[:16],
    }


def test_every_sample_is_written_down(accept: bool) -> None:
    """Names are distinct, and the file holds just them."""
    known = EXPECTED
    if accept:
        known |= {name: described(put) for name, put in SAMPLES.items() if name not in known}
        FILE.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in known.items()) + "\n}\n")

    assert len(SAMPLES) == sum(1 for _ in samples())
    assert list(SAMPLES) == list(known)


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_are_what_they_were(name: str) -> None:
    """A sample has the bytes and the name that the file holds."""
    assert EXPECTED[name] == described(SAMPLES[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_are_read(name: str) -> None:
    """Every object of a sample is canonical, and what is read from it is written alike."""
    store = Objects()
    oid = SAMPLES[name](store)
    for data in store.values():
        check(data)
    if store.get(oid, b"v")[:1] == b"v":
        store |= {OID: b"c\x91\x33", OTHER: b"c\x91\x33"}  # what the samples of links lead to
        assert oid == put_value(store, get_value(store, oid))
