"""A VIRTUAL ENVIRONMENT of a program's own, for what its requirements.txt asks for.

Made only where the user allows it: installing runs code of strangers.  pip runs
within limits as the program does, with nothing of our environment but the settings
it needs to reach an index, those with a name and password in them left out.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

from gvstore import fs
from gvstore.pipeline.sandbox import Ended, Limits, run_program

INSTALL_LIMITS = Limits(wall_s=900, cpu_s=900, memory_bytes=4 << 30, file_bytes=8 << 30, output_bytes=50_000_000, threads=2000)
_SETTINGS = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_PROXY",
    "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
_STAMP = "gv-installed"


class Environment:
    """The virtual environment in `folder`, made when something is first installed; the folder is nobody else's."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None, limits: Limits = INSTALL_LIMITS) -> None:
        self.folder, self.limits = folder.absolute(), limits
        self.settings = index_settings(settings or {})

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    def has(self, requirements: bytes) -> bool:
        """Returns whether just this was installed last."""
        try:
            return self.python.exists() and fs.read_bytes(self.folder / _STAMP) == _digest(requirements)
        except OSError:
            return False

    def install(self, requirements: bytes, *, cwd: Path, name: str = "requirements.txt") -> Ended:
        """Installs what the file `name` in `cwd`, which holds `requirements`, asks for; returns how that ended."""
        with_pip = importlib.util.find_spec("pip") is None
        if not self.python.exists():
            # pip can install into another environment: one without its own is made in a tenth of the time.
            options = [] if with_pip else ["--without-pip"]
            self.folder.mkdir(parents=True, exist_ok=True)
            fs.write_atomic(self.folder / ".gitignore", b"*\n", durable=False)  # nobody's to commit
            made = run_program([sys.executable, "-I", "-m", "venv", *options, str(self.folder)], cwd=self.folder, limits=self.limits)
            if not made.works:
                return made
        fs.remove(self.folder / _STAMP)
        # Isolated: `cwd` holds a stranger's files, and a `random.py` of theirs is not what pip means to import.
        pip = [str(self.python), "-I", "-m", "pip"]
        if not with_pip:
            pip = [sys.executable, "-I", "-m", "pip", "--python", str(self.python)]
        options = ["--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar=off", "--no-warn-script-location"]
        done = run_program([*pip, "install", *options, "-r", name], cwd=cwd, limits=self.limits, env=self.settings, writable=[self.folder])
        if done.works:
            fs.write_atomic(self.folder / _STAMP, _digest(requirements), durable=False)
        return done


def index_settings(source: Mapping[str, str]) -> dict[str, str]:
    """Returns what pip needs of an environment to reach an index; nothing that has a name and password in it."""
    return {name: source[name] for name in _SETTINGS if name in source and "@" not in source[name]}


def _digest(requirements: bytes) -> bytes:
    return hashlib.sha256(requirements).hexdigest().encode() + b"\n"
