from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.errors import BadRev
from gvstore.objects.oid import ObjectId
from gvstore.repo import Repository
from gvstore.repo.history import log
from gvstore.repo.path_history import PathHistory
from gvstore.repo.rev_range import is_range_word, list_range, parse_range
from tests.repo.conftest import NOW_US, put
from tests.repo.twin import HISTORIES, NAMES, Shape, Twin, make_twin


@contextmanager
def twins(empty: Path, factory: pytest.TempPathFactory, shape: Shape) -> Iterator[Twin]:
    folder = factory.mktemp("twin")
    with Repository.open(shutil.copytree(empty, folder / "gv")) as repo:
        yield make_twin(repo, folder / "git", shape)
    shutil.rmtree(folder)


WORDS = ["{0}", "^{0}", "{0}..{1}", "{0}...{1}", "..{0}", "{0}..", "{0}^!", "{0}^@", "--not", "--all", "--branches", "{0}~0"]


@settings(max_examples=10, deadline=None)
@given(shape=HISTORIES, data=st.data())
def test_ranges_are_gits(empty: Path, tmp_path_factory: pytest.TempPathFactory, shape: Shape, data: st.DataObject) -> None:
    """Any words of a range name the commits that git's rev-list names, in the same order, lines apart or not."""
    with twins(empty, tmp_path_factory, shape) as twin:
        names = st.integers(0, len(shape) - 1).map(lambda n: f"c{n}")
        for _ in range(2):
            forms = data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
            words = [form.format(data.draw(names), data.draw(names)) for form in ["{0}", *forms]]
            found = parse_range(twin.repo, words, default=None)
            order = [entry.oid for entry in list_range(twin.repo.objects, found)]
            apart = log(twin.repo.objects, found.starts, without=found.without, lines_apart=True)
            first = list_range(twin.repo.objects, found, first_parent=True)

            assert twin.asked("--date-order", *words) == twin.numbers(order), words
            assert twin.asked("--topo-order", *words) == twin.numbers([entry.oid for entry in apart]), words
            assert twin.asked("--first-parent", *words) == twin.numbers([entry.oid for entry in first]), words


@settings(max_examples=10, deadline=None)
@given(shape=HISTORIES, paths=st.lists(st.sampled_from([*NAMES, "d", "d/e", "none"]), min_size=1, max_size=2))
def test_histories_of_paths_are_gits(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, shape: Shape, paths: list[str]
) -> None:
    """The commits that changed a file or folder are those that git finds, side lines that did not touch it passed over."""
    with twins(empty, tmp_path_factory, shape) as twin:
        history = PathHistory(twin.repo.objects, paths, follow=False)
        entries = log(twin.repo.objects, [twin.gv[-1]], parents=history.parents)
        found = [entry.oid for entry in entries if history.changed(entry.oid)]

        assert twin.asked("HEAD", "--", *paths) == twin.numbers(found)


class _Counting:
    """A reader that counts."""

    def __init__(self, repo: Repository) -> None:
        self._reader, self.count = repo.objects, 0

    def read(self, oid: ObjectId) -> bytes:
        self.count += 1
        return self._reader.read(oid)

    def has(self, oid: ObjectId) -> bool:
        return self._reader.has(oid)


def test_a_path_costs_the_trees_on_its_way(repo: Repository) -> None:
    """Trees that do not lie on the way to the path are not read, nor the same tree twice; nothing beyond what is asked for."""
    for n in range(20):
        put(repo, f"other/{n}/x.txt", str(n))
        put(repo, "d/e/f.txt", str(n // 10))
        repo.commit(f"commit {n}", now=NOW_US + n * 10**6)
    reader = _Counting(repo)
    history = PathHistory(reader, ["d/e/f.txt"], follow=False)
    assert repo.head is not None
    found = [entry.oid for entry in log(reader, [repo.head], parents=history.parents) if history.changed(entry.oid)]
    read, reader.count = reader.count, 0

    assert 2 == len(found)
    assert read <= 20 * 3 + 2 * 2, "a commit twice, its root, and each of the two states of the folders"
    assert [repo.head] == [entry.oid for entry in log(reader, [repo.head], limit=1)]
    assert reader.count <= 3


def test_renames_are_followed(repo: Repository) -> None:
    """The history of a single path goes on with the name it had before: a file's, and a folder's."""
    put(repo, "old/a.txt", "a\n" * 20)
    put(repo, "old/b.txt", "b\n" * 20)
    first = repo.commit("first", now=NOW_US)
    (repo.path / "old").rename(repo.path / "new")
    second = repo.commit("second", now=NOW_US + 1)
    put(repo, "new/a.txt", "a\n" * 21)
    third = repo.commit("third", now=NOW_US + 2)

    for path, expected, names in [
        ("new/a.txt", [third, second, first], "old/a.txt"),
        ("new", [third, second, first], "old"),
        ("new/b.txt", [second, first], "old/b.txt"),
    ]:
        history = PathHistory(repo.objects, [path])
        entries = log(repo.objects, [third], parents=history.parents)

        assert expected == [entry.oid for entry in entries if history.changed(entry.oid)]
        assert (names,) == history.names(first)


@pytest.mark.parametrize("word", ["main:a..b", "../x", "..", "...", "main@{2026..}", "main", "main^2", "main~1"])
def test_paths_are_no_ranges(word: str) -> None:
    """Dots in a path, in braces or alone make no range."""

    assert not is_range_word(word)


@pytest.mark.parametrize("words", [["^"], ["main^-2"], ["none..main"], ["main...none"], ["^none"]])
def test_ranges_of_nothing(repo: Repository, words: list[str]) -> None:
    """A range whose end names nothing is told with exit 12."""
    put(repo, "a.txt", "a")
    repo.commit("a")
    with pytest.raises(BadRev) as caught:
        parse_range(repo, words)

    assert 12 == caught.value.exit_code
