"""What a command says where something is in the way: what is wrong, and what to type."""

from __future__ import annotations

import json

from gvstore.objects.oid import ObjectId
from tests.conftest import CommandLine


def damage(gv: CommandLine, oid: ObjectId) -> None:
    """Changes a byte of an object on disk."""
    for path in (gv.folder / ".gv/objects").glob("*/*"):
        data = path.read_bytes()
        at = data.find(oid[:8])
        if at >= 0 and path.suffix in (".seg", ".pack"):
            path.write_bytes(data[: at + 60] + bytes([data[at + 60] ^ 255]) + data[at + 61 :])


def test_a_damaged_run_does_not_end_the_list(gv: CommandLine) -> None:
    """`gv runs` tells of the others, and which one is damaged."""
    gv("init")
    gv.write("p.py", "def f(n: int) -> int:\n    return n\n")
    oids = [ObjectId.from_hex(json.loads(gv("run", "--json", "p.py:f", str(n)).out)["oid"]) for n in range(3)]
    damage(gv, oids[1])
    listed = [json.loads(line) for line in gv("runs", "--json").out.splitlines()]

    assert [("run/3", "ok"), ("run/2", "damaged"), ("run/1", "ok")] == [(r["run"], r["status"]) for r in listed]
    assert "run/2   damaged" in gv("runs").out
    assert "run/3" in gv("status").out
