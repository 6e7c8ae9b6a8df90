"""Fixtures: objects in memory, and a refs.db in an empty folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.refs import Refs

AUTHOR = "Ada <ada@example.org>"
MAIN = "refs/heads/main"


class Objects(dict[ObjectId, bytes]):
    """The least that refs ask of an object database."""

    def write(self, data: bytes) -> ObjectId:
        oid = ObjectId.of(data)
        self[oid] = bytes(data)
        return oid

    def read(self, oid: ObjectId) -> bytes:
        return self[oid]

    def has(self, oid: ObjectId) -> bool:
        return oid in self

    def flush(self) -> None:
        """Nothing is buffered."""

    def sync(self) -> None:
        """Nothing is on a disk."""


def oid(n: int) -> ObjectId:
    """The n-th of some oids."""
    return ObjectId.of(n.to_bytes(4, "big"))


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "refs.db"
    Refs.create(path)
    return path


@pytest.fixture
def refs(path: Path, objects: Objects) -> Iterator[Refs]:
    with Refs.open(path, objects) as refs:
        with refs.transaction("init", author=AUTHOR, now=0) as transaction:
            transaction.set_symbolic("HEAD", MAIN, expected=None)
        yield refs
