"""Objects that are pieces of something, named on the command line."""

from __future__ import annotations

from gvstore.objects.check import holds_calls
from gvstore.objects.oid import ObjectId
from gvstore.repo import Repository
from tests.conftest import CommandLine

PROGRAM = """
import gvstore as gv

@gv.register
def leaf(n: int) -> int:
    return n

@gv.register
def f() -> int:
    return sum(leaf(n) for n in range(6))
"""


def test_a_list_of_calls_is_no_damage(gv: CommandLine) -> None:
    """It stands apart from its run where it is long; it is sound, and what it is gets said."""
    gv("init")
    gv.write("p.py", PROGRAM)
    gv("run", "p.py:f")
    with Repository.open(gv.folder) as repo:
        (oid,) = [ObjectId(oid) for oid in repo.objects if holds_calls(repo.objects.read(oid))]

    assert "clean\n" == gv("fsck", "--full").out
    for command in ("show", "get"):
        told = gv(command, oid.hex(), status=12)
        assert "is a list of calls within a run, no value" in told.err
