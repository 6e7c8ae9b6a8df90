"""What the journals of runs link: gc keeps it, for their runs are not stored yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.errors import GvError
from gvstore.journal.recorder import KNOW
from gvstore.journal.running import SUFFIX
from gvstore.objects.decode import decode
from gvstore.objects.oid import OID_BYTES, ObjectId
from gvstore.objects.wire import LINK_HEAD
from gvstore.odb import ObjectDatabase
from gvstore.odb.fault import Unreadable
from gvstore.odb.wal import read_records
from gvstore.repo import layout

if TYPE_CHECKING:
    from gvstore.repo import Repository


def journal_links(repo: Repository) -> Iterator[ObjectId]:
    """Yields the objects that the journals of unfinished runs name, and perhaps some that they do not.

    Raises:
        Unreadable: the system refuses to let a journal be read.
    """
    folder = layout.journal_folder(repo.gv)
    with ObjectDatabase.open(layout.objects_folder(repo.gv), read_only=True) as objects:
        for name in fs.list_folder(folder):
            if name.endswith(SUFFIX):
                yield from _links(folder / name, objects)


def _links(path: Path, objects: ObjectDatabase) -> Iterator[ObjectId]:
    try:
        for payload in read_records(path):
            if payload is None:
                continue
            yield from _linked(payload)
            if payload[:1] == b"K" and len(payload) >= KNOW.size:
                yield ObjectId(KNOW.unpack_from(payload)[2])
            elif payload[:1] == b"R":
                yield from _of_facts(payload[1:], objects)
    except (FileNotFoundError, fs.NotAFile):
        return  # finished meanwhile, or no journal
    except OSError as e:
        raise Unreadable(path, e) from e


def _linked(payload: bytes) -> Iterator[ObjectId]:
    """Yields what stands behind each head of a link, without asking what stands around it."""
    at = payload.find(LINK_HEAD)
    while at >= 0:
        oid = payload[at + len(LINK_HEAD) : at + len(LINK_HEAD) + OID_BYTES]
        if len(oid) == OID_BYTES:
            yield ObjectId(oid)
        at = payload.find(LINK_HEAD, at + 1)


def _of_facts(data: bytes, objects: ObjectDatabase) -> Iterator[ObjectId]:
    """Yields the code's tree and the base, which the first record holds as bytes."""
    try:
        facts = decode(data, objects)
    except (GvError, ValueError, TypeError):
        return
    for each in facts.values() if type(facts) is dict else ():
        if type(each) is bytes and len(each) == OID_BYTES:
            yield ObjectId(each)
