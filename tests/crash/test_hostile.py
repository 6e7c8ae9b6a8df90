"""Objects whose bytes would do harm if anybody took them for code, or for as large as they claim."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest
import zstandard

import gvstore as gv
from gvstore.cli.main import run as run_gv
from gvstore.errors import GvError
from gvstore.objects.blob import get_blob
from gvstore.objects.component import Component
from gvstore.objects.decode import get_value
from gvstore.objects.invocation import Call
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.run import Run
from gvstore.objects.wire import pack
from gvstore.odb import format
from gvstore.odb.segment import SUFFIX
from gvstore.repo import layout


def payload(sign: Path) -> bytes:
    """Returns a pickle that would make a file."""
    return b"cos\nsystem\n(S'touch " + os.fsencode(sign) + b"'\ntR."


def laid(repo: gv.Repository, bodies: list[tuple[bytes, int, bytes]]) -> list[ObjectId]:
    """Lays a closed segment with (object, codec, payload) beside the others, as somebody else's program may."""
    out = bytearray(format.header())
    oids = []
    for data, codec, body in bodies:
        oids.append(ObjectId.of(data))
        out += format.tag(codec, len(body), kept=format.KEPT) + oids[-1][: format.NAME_BYTES] + body
    begin = format.HEADER_BYTES
    crc = zlib.crc32(out[begin:])
    out += format.mark_item(len(out), length=len(out) - begin, durable=len(out), crc=crc, seal=True)
    (layout.objects_folder(repo.gv) / "live" / f"{7:016x}{SUFFIX}").write_bytes(out)
    return oids


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command with `-C` changes this process's folder."""
    monkeypatch.chdir(tmp_path)


def told(root: Path, *words: str) -> int:
    """Returns the status of a command; 70 would be a traceback."""
    try:
        return run_gv(["-C", str(root), *words])
    except SystemExit as e:
        return int(e.code or 0)


def test_a_pickle_is_never_executed(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Whatever kind of object it says it is, and whoever reads it."""
    del capsysbinary  # what `cat-file` prints is no text
    sign = tmp_path / "sign"
    pickle = payload(sign)
    bodies = [bytes((kind,)) + data for kind in Kind for data in (pickle, pack(pickle), pack([21, "pickle", "data", pickle]))]
    with gv.Repository.init(tmp_path / "r") as repo:
        oids = laid(repo, [(data, format.RAW, data) for data in bodies])
        for oid in oids:
            assert repo.objects.read(oid) in bodies
            for read in (get_value, get_blob, Run.get, Call.get, Component.get):
                try:
                    read(repo.objects, oid)
                except GvError:
                    continue
        list(repo.fsck(full=True))
    for oid in oids:
        for words in (("cat-file", "-p"), ("show",), ("get",)):
            assert told(tmp_path / "r", *words, oid.hex()) in (0, 2, 12, 14)

    assert not sign.exists()


def test_an_object_that_claims_a_gigabyte_is_refused(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """32 KB that would be 1 GiB, and a frame that only says so: told as damage, and nothing is lost."""
    parameters = zstandard.ZstdCompressionParameters.from_level(19, format=zstandard.FORMAT_ZSTD1_MAGICLESS)
    bomb = zstandard.ZstdCompressor(compression_params=parameters).compress(b"b" + bytes(1 << 28))
    claim = bytes((0xE0,)) + struct.pack("<Q", 1 << 40) + bomb[6:200]
    with gv.Repository.init(tmp_path / "r") as repo:
        kept = repo.objects.put(b"beside it")
        oids = laid(repo, [(b"bbomb", format.PLAIN, bomb), (b"bclaim", format.PLAIN, claim)])
        for oid in oids:
            with pytest.raises(GvError):
                repo.objects.read(oid)
        assert b"beside it" == repo.objects.get(kept)
        assert any(finding.damage for finding in repo.fsck(full=True))
    assert 1 == told(tmp_path / "r", "fsck")
    assert told(tmp_path / "r", "cat-file", "-p", oids[0].hex()) in (12, 14)
    assert b"\0" * 100 not in capsysbinary.readouterr().out
