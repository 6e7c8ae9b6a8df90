"""The disk, the memory twin and a dict agree under any sequence of operations."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.odb import MemoryDatabase, ObjectDatabase, compact, repack


class Stores(RuleBasedStateMachine):
    """Two handles on one folder, one of them opened and closed again and again, beside the twin and a dict."""

    oids: Bundle[ObjectId] = Bundle("oids")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.small, compact.SMALL_BYTES = compact.SMALL_BYTES, 400  # so that all of it happens: sealing, merging
        ObjectDatabase.init(self.root / "objects")
        self.handles = [ObjectDatabase.open(self.root / "objects") for _ in range(2)]
        self.memory = MemoryDatabase()
        self.model: dict[ObjectId, bytes] = {}
        self.flushed: set[ObjectId] = set()
        self.mine: list[set[ObjectId]] = [set(), set()]

    def teardown(self) -> None:
        """Checks all once more, from scratch."""
        for handle in self.handles:
            handle.close()
        with ObjectDatabase.open(self.root / "objects", read_only=True) as last:
            assert set(self.model) == set(last)
            assert [] == list(last.check(full=True))
        compact.SMALL_BYTES = self.small
        shutil.rmtree(self.root)

    @rule(target=oids, which=st.integers(0, 1), data=st.binary(min_size=1, max_size=300), times=st.sampled_from([1, 1, 1, 40]))
    def write(self, which: int, data: bytes, times: int) -> ObjectId:
        """Writes an object, long or short."""
        data *= times
        oid = self.handles[which].write(data)
        assert self.memory.write(data) == oid
        self.model[oid] = data
        self.mine[which].add(oid)
        return oid

    @rule(which=st.integers(0, 1), oid=oids)
    def read(self, which: int, oid: ObjectId) -> None:
        """Whoever wrote it, or anyone after a flush, reads what the dict holds."""
        if oid in self.mine[which] | self.flushed:
            assert self.model[oid] == self.handles[which].read(oid) == self.memory.read(oid)
            assert self.handles[which].has(oid)
            assert oid in self.handles[which].resolve(oid.hex()[:16])

    @rule(which=st.integers(0, 1), data=st.binary(min_size=1, max_size=4))
    def miss(self, which: int, data: bytes) -> None:
        """What was not written is in none of them."""
        oid = ObjectId.of(data)
        if oid not in self.model:
            assert not self.handles[which].has(oid)
            try:
                self.handles[which].read(oid)
            except ObjectMissing:
                return
            raise AssertionError("it was there")

    @rule(which=st.integers(0, 1), how=st.sampled_from(["flush", "sync"]))
    def hand_over(self, which: int, how: str) -> None:
        """Flushes or syncs."""
        getattr(self.handles[which], how)()
        self.flushed |= self.mine[which]

    @rule(which=st.integers(0, 1))
    def close(self, which: int) -> None:
        """Closes a handle, which may go on."""
        self.handles[which].close()
        self.flushed |= self.mine[which]

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        """Closes a handle and opens another."""
        self.close(which)
        self.mine[which] = set()
        self.handles[which] = ObjectDatabase.open(self.root / "objects")

    @rule(batches=st.booleans())
    def merge(self, batches: bool) -> None:
        """Merges all packs there are, as many files as it may be: record by record, or as large ones are, batch by batch."""
        with pytest.MonkeyPatch.context() as patch:
            if batches:
                patch.setattr(repack, "LARGE_BYTES", 0)
            self.handles[0].repack()

    @invariant()
    def iterate(self) -> None:
        """A handle lists its own and all that was flushed, nothing else."""
        listed = list(self.handles[0])
        assert len(listed) == len(set(listed))
        assert self.mine[0] | self.flushed <= set(listed) <= set(self.model)


Stores.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestStores = Stores.TestCase
