"""What is kept of code from process to process never changes a result, and may be lost at any time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gvstore.code.definition import own_hash
from gvstore.code.discover import Discovery, discover_project
from gvstore.code.fact_file import FactFile
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.tree import TreeModules
from tests.code.test_reach import EDITS, FILES

KEY = b"k" * 32


class Told:
    """A store that tells what it was asked and given."""

    def __init__(self, store: FactFile) -> None:
        self.store = store
        self.found: list[bool] = []
        self.given = 0

    def get(self, key: bytes) -> bytes | None:
        data = self.store.get(key)
        self.found.append(data is not None)
        return data

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        self.given += len(entries)
        self.store.put(entries)


def reach(files: dict[str, str], name: str, store: Told | None = None) -> Reached:
    """Returns what a definition of steps.py reaches."""
    project = Project(TreeModules(files.get), store)
    module = project.module("steps")
    assert module is not None
    number = module.number(name)
    assert number is not None
    found = trace(project, module, number)
    project.keep()
    return found


def told(found: Reached) -> tuple[object, ...]:
    """Returns all that a reach tells, for comparison."""
    units = [(str(each.key), bytes(each.own), each.is_callable, each.level, each.source) for each in found.units]
    return units, found.libraries, found.opaque, found.hash


def edited() -> Iterator[dict[str, str]]:
    """Yields the files of the project, as they are and after each edit."""
    yield FILES
    for _, path, before, after, _, _ in EDITS:
        yield FILES | {path: FILES[path].replace(before, after, 1)}


def test_what_was_kept_changes_no_result(tmp_path: Path) -> None:
    """Over every edit, with a store that has seen all that came before: same units, texts and hashes; asked twice, nothing is read."""
    path = tmp_path / "code"
    for files in edited():
        for name in ("revise", "Talker.act", "make.<locals>.made"):
            expected = told(reach(files, name))
            first, second = Told(FactFile(path)), Told(FactFile(path))

            assert expected == told(reach(files, name, first))
            assert expected == told(reach(files, name, second))
            assert all(second.found)
            assert 0 == second.given


def test_what_was_kept_changes_no_component(tmp_path: Path) -> None:
    """The components of a project are the same with a store that has seen other states of it."""
    store = FactFile(tmp_path / "code")
    for files in edited():
        assert discover(files) == discover(files, store) == discover(files, FactFile(tmp_path / "code"))


def discover(files: dict[str, str], store: FactFile | None = None) -> Discovery:
    found = discover_project(files.items(), store)
    assert {"steps.revise", "steps.other", "steps.Agent.act"} <= set(found.named())
    return found


def test_a_helper_counts_as_a_helper_and_a_component_as_one(tmp_path: Path) -> None:
    """What is kept of one definition in both parts is kept apart: a signature's annotation counts for a component alone."""
    files = {"steps.py": "import gvstore as gv\nimport tools\n\n@gv.register\ndef revise(x: int):\n    return tools.f(x)\n",
             "tools.py": "def f(x: int):\n    return x\n"}  # fmt: skip
    other = {name: text.replace("x: int", "x: str") for name, text in files.items()}
    store = FactFile(tmp_path / "code")
    one, two = (discover_project(each.items(), store).components[0].identity for each in (files, other))

    assert one.own != two.own
    assert one.reach == two.reach


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, seed: int) -> None:
    """Flipped, cut or lengthened anywhere: what is read is right or nothing, and the next write mends the file."""
    path = tmp_path / "code"
    entries = {bytes([n]) * 32: b"data %d " % n * 50 for n in range(10)}
    FactFile(path).put(entries)
    draw = random.Random(seed)
    data = bytearray(path.read_bytes())
    if seed % 3 == 0:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif seed % 3 == 1:
        del data[draw.randrange(len(data)) :]
    else:
        data += draw.randbytes(draw.randrange(1, 200))
    path.write_bytes(data)
    damaged = FactFile(path)

    assert all(damaged.get(key) in (None, value) for key, value in entries.items())
    damaged.put({KEY: b"new"})
    mended = FactFile(path)
    assert b"new" == mended.get(KEY)
    assert all(mended.get(key) in (None, value) for key, value in entries.items())


def test_two_that_write_at_once_both_keep(tmp_path: Path) -> None:
    """Each appends; a third one finds what both gave."""
    one, two = FactFile(tmp_path / "code"), FactFile(tmp_path / "code")
    assert (one.get(KEY), two.get(KEY)) == (None, None)

    one.put({KEY: b"one"})
    two.put({b"2" * 32: b"two"})
    third = FactFile(tmp_path / "code")
    assert (b"one", b"two") == (third.get(KEY), third.get(b"2" * 32))


def test_the_file_is_bounded_and_keeps_what_is_used(tmp_path: Path) -> None:
    """However much comes, the file stays below its bound, and what this process asks for outlives what it does not."""
    path = tmp_path / "code"
    draw = random.Random(1)
    FactFile(path, max_bytes=20_000).put({KEY: draw.randbytes(500)})
    store = FactFile(path, max_bytes=20_000)
    for n in range(200):
        assert store.get(KEY) is not None
        store.put({n.to_bytes(32, "big"): draw.randbytes(500)})
        assert path.stat().st_size <= 20_000

    assert FactFile(path).get(KEY) is not None
    assert FactFile(path).get((199).to_bytes(32, "big")) is not None
    assert FactFile(path).get((0).to_bytes(32, "big")) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    """A folder that is gone, a folder in the file's place, a store for reading: no error, and nothing is made."""
    FactFile(tmp_path / "gone" / "cache" / "code").put({KEY: b"x"})
    (tmp_path / "code").mkdir()
    FactFile(tmp_path / "code").put({KEY: b"x"})
    FactFile(tmp_path / "other", read_only=True).put({KEY: b"x"})

    assert ["code"] == [each.name for each in tmp_path.iterdir()]


def test_facts_are_of_one_text() -> None:
    """The same text in another package, or with imports of other cells, has facts of its own."""
    from gvstore.code.module import ModuleText

    text = ModuleText.of("@register\ndef f():\n    pass\n")
    known = text.with_names({"register": "gvstore.register"})

    assert text.facts.key != ModuleText.of(text.text, package="pkg").facts.key != known.facts.key
    assert ("", "registered") == (text.facts.sites[0][2], known.facts.sites[0][2])
    assert own_hash(known, known.sites[0].node) == known.facts.own(0)


def test_what_was_superseded_does_not_pile_up(tmp_path: Path) -> None:
    """One record written again and again: the file stays near what it holds."""
    path = tmp_path / "code"
    draw = random.Random(1)
    store = FactFile(path)
    for _ in range(100):
        data = draw.randbytes(100_000)
        store.put({KEY: data})

    assert path.stat().st_size < 1_500_000
    assert data == FactFile(path).get(KEY)
