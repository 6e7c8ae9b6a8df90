"""Replays in processes of their own, as users make them: nothing of an earlier command lives on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.transcript import ROOT


def replayed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Returns what `gv replay WORDS` printed in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "gvstore", "replay", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
