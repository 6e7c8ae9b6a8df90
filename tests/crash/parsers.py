"""Every parser of gvstore with what it reads in earnest, for tests/crash/fuzz.py.

A parser answers with None where all is well, and with words where it is not; an error of
ours is an answer too. What one room raises for another to catch (`BadRecord`) counts as an answer of the
parser that raises it.
"""

from __future__ import annotations

import hashlib
import random
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gvstore as gv
from gvstore.errors import GvError
from gvstore.journal.timing import timing_of
from gvstore.journal.wal import recover
from gvstore.objects.blob import get_blob
from gvstore.objects.check import check
from gvstore.objects.commit import Commit
from gvstore.objects.component import Component
from gvstore.objects.decode import get_value
from gvstore.objects.invocation import Call, PartList
from gvstore.objects.kind import Kind
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation
from gvstore.objects.run import Run
from gvstore.objects.tag import Tag
from gvstore.objects.tree import Tree
from gvstore.odb import ObjectDatabase, compact, lease, midx, tombstone
from gvstore.odb.bundle import encode_bundle, open_bundle
from gvstore.odb.dictionary import Dictionaries, plain, shipped
from gvstore.odb.fault import BadRecord
from gvstore.odb.format import HEADER_BYTES, dict_item, header, item_at, mark_item, tag
from gvstore.odb.memory import MemoryDatabase
from gvstore.odb.pack import Pack
from gvstore.odb.packindex import PackIndex
from gvstore.odb.wal import MAGIC, read_records
from gvstore.refs import Refs
from gvstore.refs.names import check_ref_name
from gvstore.refs.value import check_value, value_oid, value_run, value_target
from gvstore.repo.bundle import bundle_refs, write_bundle
from gvstore.repo.config import Config
from gvstore.repo.format import decode_format
from gvstore.repo.moment import parse_moment
from gvstore.repo.rev import parse_call, parse_rev
from gvstore.repo.stat_cache import Look, StatCache
from gvstore.repo.wildmatch import Patterns, parse_patterns
from tests.crash import specimen
from tests.crash.program import Program

Read = Callable[[bytes], str | None]
Finish = Callable[[bytes, random.Random], bytes]

# How many thousand cases the full count has.
TARGETS = {
    "segment": 90, "pack": 90, "index": 70, "midx": 70, "frame": 60, "dictionary": 40, "object": 200, "value": 100, "wal": 60,
    "journal": 60, "refs": 50, "refs-db": 4, "rev": 50, "config": 40, "format": 20, "lease": 20, "tombstone": 20, "ignore": 20,
    "stat-cache": 20, "bundle": 20,
}  # fmt: skip
_TYPED: dict[Kind, Callable[[MemoryDatabase, ObjectId], object]] = {
    Kind.TREE: Tree.get, Kind.COMMIT: Commit.get, Kind.TAG: Tag.get, Kind.COMPONENT: Component.get, Kind.OPERATION: Operation.get,
}  # fmt: skip
_U32 = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Parser:
    """Something that reads bytes; `finish` makes checksums right, perhaps."""

    seeds: list[bytes]
    read: Read
    finish: Finish = lambda data, chance: data


class Parsers:
    """Makes parsers, with a repository in `folder` that has one of everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tempfile.tempdir = str(folder)  # where Refs reads a copy from
        self.own = specimen.make(folder / "specimen")
        self.objects = self.own.root / ".gv" / "objects"
        self.place = folder / "place"
        self.place.mkdir()
        self.dictionaries = Dictionaries(self.objects / "dict")
        self.memory = MemoryDatabase()

    def parser(self, target: str) -> Parser:
        """Returns the parser of this name."""
        made: Parser = getattr(self, target.replace("-", "_"))()
        return made

    def _file(self, name: str) -> bytes:
        return self.own.files[name].read_bytes()

    def _filled(self) -> list[bytes]:
        """Returns many objects of every kind, which `self.memory` has too."""
        with gv.Repository.open(self.own.root, read_only=True) as repo:
            found = [repo.objects.read(oid) for oid in repo.objects]
        root = self.folder / "programs"
        gv.Repository.init(root).close()
        program = Program("fuzz", root, lambda promise: None)
        for act in program.all_acts():
            act()
        target = program.repo.head
        assert target is not None
        Tag(target=target, name="v1", author="Ada", created_at=1, message="a tag").put(program.repo.objects)
        found += [program.repo.objects.read(oid) for oid in program.repo.objects]
        program.repo.close()
        for data in found:
            self.memory.write(data)
        return sorted({data for data in found if len(data) < 20_000})

    def segment(self) -> Parser:
        """A segment or pack that is read from end to end."""
        path = self.place / "0011223344556677.seg"
        seeds = [self._file(name) for name in ("segment", "torn", "pack")]

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            opened = Pack(path, self.dictionaries)
            try:
                return _all_read(opened)
            finally:
                opened.close()

        return Parser(seeds, read, lambda data, chance: _marked(data) if chance.random() < 0.5 else data)

    def pack(self) -> Parser:
        """A pack whose index is right, or was."""
        pack, index = self._file("pack"), self._file("index")
        path = self.place / "0011223344556677.pack"
        path.with_suffix(".idx").write_bytes(index)
        with ObjectDatabase.open(self.objects, read_only=True) as database:
            known = {oid: database.read(oid) for oid in database}

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            opened = Pack(path, self.dictionaries)
            try:
                for oid, whole in known.items():
                    if opened.get(oid) not in (None, whole):
                        return f"{oid.hex()} is another"
                return _all_read(opened) if opened.distrust() else None
            finally:
                opened.close()

        def finish(data: bytes, chance: random.Random) -> bytes:  # of its length, or the index is not looked at
            return data[: len(pack)].ljust(len(pack), b"\0") if chance.random() < 0.8 else data

        return Parser([pack], read, finish)

    def index(self) -> Parser:
        """The index of a pack; half of them with the right checksums."""
        seeds, size = [self._file("index")], self.own.files["pack"].stat().st_size
        path = self.place / "a.idx"

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            try:
                index = PackIndex(path, size)
            except BadRecord:
                return None
            for key in range(0, 256, 5):
                list(index.find(bytes((key,)) * 32))
                list(index.positions(bytes((key,)) * 32))
            for at in index.keys[:20]:
                list(index.find(at.to_bytes(4, "big") + bytes(28)))
            list(index.between(0, 1 << 32))
            list(index.all_offsets())
            index.holds()
            return None

        return Parser(seeds, read, lambda data, chance: _checked(data, 32, 12) if chance.random() < 0.7 else data)

    def midx(self) -> Parser:
        """A layer of the multi-pack index; half of them with the right checksums."""
        folder = self.folder / "many"
        ObjectDatabase.init(folder)
        small, compact.SMALL_BYTES = compact.SMALL_BYTES, 0
        few, compact.FEW_PACKS = compact.FEW_PACKS, 100
        for n in range(2 * midx.FEW):
            with ObjectDatabase.open(folder) as database:
                database.write(b"bobject %d" % n * 9)
        compact.SMALL_BYTES, compact.FEW_PACKS = small, few
        (folder / midx.FOLDER).mkdir(exist_ok=True)
        midx.cover(folder, (folder / "pack").glob("*.pack"))
        seeds = [path.read_bytes() for path in midx.paths(folder)]
        path = self.place / "a.midx"

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            try:
                layer = midx.Layer(path)
            except BadRecord:
                return None
            for key in range(0, 256, 5):
                layer.find(bytes((key,)) * 32)
            for at in layer.keys[:20]:
                layer.find(at.to_bytes(4, "big") + bytes(28))
            layer.holds()
            return None

        return Parser(seeds, read, lambda data, chance: _checked(data, 32, 24) if chance.random() < 0.7 else data)

    def frame(self) -> Parser:
        """A compressed record, without a dictionary and with the shipped one."""
        texts = [b"the answer of the model " * n for n in (1, 20, 3000)] + [bytes(1 << 20), b"x"]
        seeds = [bytes((n,)) + codec.compress(text) for n, codec in enumerate((plain(), shipped())) for text in texts]

        def read(data: bytes) -> str | None:
            if len(data) < 2:
                return None
            try:
                (shipped() if data[0] & 1 else plain()).inflate(data[1:])
            except BadRecord:
                return None
            return None

        return Parser(seeds, read)

    def dictionary(self) -> Parser:
        """The file of a dictionary."""
        seeds = [self._file("dictionary"), self._file("shipped")]
        folder = self.place / "dict"
        folder.mkdir()

        def read(data: bytes) -> str | None:
            name = ObjectId.of(b"v" + data)
            own = Dictionaries(folder)
            own.path(name).write_bytes(data)
            try:
                own.verify(name)
                return "it has another name, and is believed"
            finally:
                own.path(name).unlink()

        return Parser(seeds, read)

    def object(self) -> Parser:
        """An object of any kind, read as what it says it is, as fsck reads it, and by its links."""
        return Parser(self._filled(), self._read_object)

    def _read_object(self, data: bytes) -> str | None:
        if not data:
            return None
        memory = MemoryDatabase()
        memory._objects = {**self.memory._objects}
        oid = memory.write(data)
        found = [_told(check, data), _told(links, data)]
        match data[0]:
            case Kind.BLOB | Kind.NODE:
                found.append(_told(get_blob, memory, oid))
            case Kind.VALUE:
                found.append(_told(get_value, memory, oid))
            case Kind.INVOCATION:
                found.append(_told(lambda: _read_call(memory, oid)))
            case Kind.RUN:
                found.append(_told(lambda: timing_of(Run.get(memory, oid).times, (0, 1), memory)))
            case _ if data[0] in Kind.__members__.values():
                found.append(_told(_TYPED[Kind(data[0])], memory, oid))
        return next(filter(None, found), None)

    def value(self) -> Parser:
        """A value's bytes; where they are taken, they must be what an encoder makes of it."""
        seeds = [data for data in self._filled() if data[0] in (Kind.VALUE, Kind.NODE)]
        return Parser(seeds, self._read_object, lambda data, chance: b"v" + data[1:])

    def wal(self) -> Parser:
        """A journal's frame: records with lengths and checksums."""
        path = self.place / "a.wal"

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            list(read_records(path))
            return None

        return Parser([self._file("journal")], read)

    def journal(self) -> Parser:
        """What a journal's records say, each with the right checksum."""
        path = self.place / "a.wal"
        path.write_bytes(self._file("journal"))
        whole = [payload for payload in read_records(path) if payload]
        self._filled()

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            memory = MemoryDatabase()
            memory._objects = {**self.memory._objects}
            recover(path, memory)
            return None

        def finish(data: bytes, chance: random.Random) -> bytes:
            at = int(chance.random() * len(whole))
            records = [*whole[:at], data[:4000] or b"E", *whole[at + chance.choice((0, 1)) :]]
            return MAGIC + b"".join(struct.pack("<II", len(each), zlib.crc32(each)) + each for each in records)

        return Parser(whole, read, finish)

    def refs(self) -> Parser:
        """Names of refs and their values."""
        seeds = [b"refs/heads/main", b"HEAD", b"ref: refs/heads/topic/a", b"run: 17", b"a" * 64, b"refs/runs/7", b"refs/values/x"]

        def read(data: bytes) -> str | None:
            text = data.decode("utf-8", "surrogateescape")
            value_oid(text), value_run(text), value_target(text)
            try:
                check_value(text)
            except ValueError:
                pass
            check_ref_name(text)
            return None

        return Parser(seeds, read)

    def refs_db(self) -> Parser:
        """refs.db, read whole."""
        specimen.write_back(self.own.files["refs"])
        path = self.place / "refs.db"

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            with Refs.open(path, read_only=True) as refs:
                refs.check()
            specimen.ref_answers(path)
            return None

        return Parser([self._file("refs")], read)

    def rev(self) -> Parser:
        """What a user types for a rev, a call, a moment."""
        seeds = [b"main~2^1", b"HEAD@{1}", b"run/7:0.2/output", b"v1.0::agent.roll", b"a:b/c.py", b":0.2", b"2 days ago",
                 b"llm.chat.3/args/x", b"2026-11-20T10:02:11Z", b"@{yesterday}"]  # fmt: skip

        def read(data: bytes) -> str | None:
            text = data.decode("utf-8", "surrogateescape")
            parse_moment(text, 1795168931_000000)
            return _told(parse_call, text) or _told(parse_rev, text)

        return Parser(seeds, read)

    def config(self) -> Parser:
        """The file of settings."""
        path = self.place / "config"
        seeds = [b'[user]\nname = "Ada"\nemail = \'a@b\'\n[gc]\ngrace = 14\nreflog = 90\n[alias]\nx = "log -n 1"\n[core]\nnetwork = true\n']

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            config = Config(repo=path)
            return _told(config.items) or _told(config.author) or _told(lambda: config.set("gc.grace", 3))

        return Parser(seeds, read)

    def format(self) -> Parser:
        """`.gv/format`."""
        seeds = [self._file("format"), b"gv repository\nversion 1\nfeature x\nmay y\n", b"gv repository\nversion 2\n"]

        def read(data: bytes) -> str | None:
            decode_format(data, "format")
            return None

        return Parser(seeds, read)

    def lease(self) -> Parser:
        """Leases and the epoch."""
        (self.place / lease.FOLDER).mkdir()
        path = self.place / lease.FOLDER / f"{1:016x}.lease"

        def read(data: bytes) -> str | None:
            (self.place / lease.EPOCH).write_bytes(data)
            path.write_bytes(data)
            lease.current_epoch(self.place)
            lease.living(self.place)
            return None

        return Parser([b"epoch 7\nclock 1795168931000000 5 boot\n", b"%016x" % 7], read)

    def tombstone(self) -> Parser:
        """What is left of a forgotten object."""
        oid = ObjectId.of(b"bforgotten")
        (self.place / tombstone.FOLDER).mkdir()
        path = self.place / tombstone.FOLDER / oid.hex()

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            return None if tombstone.read(self.place, oid) else "it is none any more"

        return Parser([b"at 1795168931000000\nby Ada\nwhy a key\n"], read)

    def ignore(self) -> Parser:
        """`.gvignore`."""

        def read(data: bytes) -> str | None:
            patterns = Patterns(parse_patterns(data))
            for path in ("a/b.py", "aaaa/" * 40 + "a"):
                patterns.last_match(path, path.rpartition("/")[2], folder=False)
            return None

        return Parser([b"*.py\n!/a/**/b\n[a-z]?\\*\n#x\ndist/\n", b"**/x/*\n"], read)

    def bundle(self) -> Parser:
        """A bundle, up to its names and objects; its digest is right, or was."""
        path = self.place / "x.gvb"
        with gv.Repository.open(self.own.root, read_only=True) as repo:
            names = [row.number for row in repo.refs.runs()[:3]]
            found = [repo.resolve(f"run/{number}") for number in names]
            seeds = [write_bundle(repo, [each]).data for each in found if each.oid is not None]
        seeds.append(encode_bundle([("ref: refs/heads/main", "HEAD")], [2, 3], [b"bx", b"bxy"]))

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            bundle = open_bundle(path)
            bundle_refs(bundle)
            found = sum(1 for _ in bundle.objects())
            return None if found == bundle.count else "it has other objects than it says"

        def finish(data: bytes, chance: random.Random) -> bytes:
            whole = data[:-32]
            return whole + hashlib.sha256(whole).digest() if chance.random() < 0.9 else data

        return Parser(seeds, read, finish)

    def stat_cache(self) -> Parser:
        """What is known of files by their times."""
        folder = self.place / "cached"
        (folder / "cache").mkdir(parents=True)
        cache = StatCache(folder)
        cache.begin()
        status = (self.own.root / "agent.py").stat()
        for n in range(3):
            cache.put(f"file{n}", Look.of(status), ObjectId.of(b"b%d" % n), flags=n)
        cache.save()
        (path,) = (folder / "cache").iterdir()

        def read(data: bytes) -> str | None:
            path.write_bytes(data)
            StatCache(folder).get("file1", Look.of(status))
            return None

        def finish(data: bytes, chance: random.Random) -> bytes:
            return data[:8] + _U32.pack(zlib.crc32(data[20:])) + data[12:] if chance.random() < 0.7 else data

        return Parser([path.read_bytes()], read, finish)


def _told(read: Callable[..., object], *args: object) -> str | None:
    """Returns None, whether `read` answers or refuses; other errors go through."""
    try:
        read(*args)
    except GvError:
        pass
    return None


def _read_call(memory: MemoryDatabase, oid: ObjectId) -> None:
    call = Call.get(memory, oid)
    for part in list(PartList(call.children, memory).since(0))[:20]:
        _told(Call.of_part, part, memory)
    for part in (call.args, call.outcome, call.state):
        _told(links, b"v" + part)


def _all_read(opened: Pack) -> str | None:
    """Returns what is wrong with any object of a file: none may come under another's name."""
    for at in list(opened.table.all_offsets()):
        try:
            data = opened.open_at(at)
        except (BadRecord, GvError):
            continue
        oid = ObjectId.of(data)
        if opened.get(oid) not in (None, data):
            return f"{oid.hex()} is another"
    return None


def _checked(data: bytes, head: int, columns: int) -> bytes:
    """Returns a file with its two checksums made right: of what lies behind the header, at `columns`, and of the header."""
    if len(data) < head + 4:
        return data
    out = bytearray(data)
    _U32.pack_into(out, columns, zlib.crc32(out[head + 4 :]))
    _U32.pack_into(out, head, zlib.crc32(out[:head]))
    return bytes(out)


def _marked(data: bytes) -> bytes:
    """Returns the items that can be told in a file, behind a right header and before right marks."""
    out = bytearray(header())
    name = shipped().name
    if name is not None:
        out += dict_item(0, name)
    begin, at = len(out), HEADER_BYTES
    while at < len(data):
        try:
            item = item_at(data, at)
        except BadRecord:
            at += 1
            continue
        if item.codec != 15:
            out += tag(item.codec, item.end - item.start) + data[item.start - 8 : item.end]
        at = item.end
    length = len(out) - begin
    out += mark_item(len(out), length=length, durable=len(out), crc=zlib.crc32(out[begin:]), seal=True)
    return bytes(out)
