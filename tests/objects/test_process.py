"""The same values have the same oids in every process: whatever its hash seed, whatever its Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.transcript import ROOT
from tests.vectors.test_objects import EXPECTED

WHEELS = ["blake3", "msgspec", "pyfastcdc", "hypothesis"]
TELL = """
import json
from tests.objects.store import Objects
from tests.vectors.sample import samples
print(json.dumps({name: put(Objects()).hex() for name, put in samples()}))
"""


def told(python: Path | str, seed: str) -> dict[str, str]:
    """Returns the oids of all samples, by another process."""
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-c", TELL], cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr
    return dict(json.loads(done.stdout))


def expected() -> dict[str, str]:
    return {name: entry["oid"] for name, entry in EXPECTED.items()}


@pytest.mark.parametrize("seed", ["0", "12345"])
def test_the_hash_seed_does_not_matter(seed: str) -> None:
    """The order of sets and the hashes of strings leave no trace in an oid."""
    assert expected() == told(sys.executable, seed)


def installed(version: str) -> str | None:
    """Returns a Python of this version on this machine."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python{version}"))
    for candidate in [*map(str, found), shutil.which(f"python{version}")]:
        if candidate and subprocess.run([candidate, "-V"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def environment(python: str, folder: Path) -> Path:
    """Returns the interpreter of a virtual environment with the needed wheels; skips where there is no way to get them."""
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        install = [str(inside), "-m", "pip", "install", "-q", "--only-binary=:all:", "--disable-pip-version-check"]
        commands: list[list[str]] = [[python, "-m", "venv", "--clear", str(folder)], [*install, "--retries=0", *WHEELS]]
        for command in commands:
            try:
                subprocess.run(command, capture_output=True, check=True, timeout=60)
            except (subprocess.SubprocessError, OSError) as e:
                pytest.skip(f"no environment for {python}: {e}")
        ready.touch()
    return inside


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_the_version_of_python_does_not_matter(version: str, pytestconfig: Any) -> None:
    """Every supported Python gives the oids of the vectors."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip("this is what runs the tests")
    python = installed(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    folder = pytestconfig.cache.mkdir(f"python{version}")

    assert expected() == told(environment(python, folder), "1")
