"""Makes docs/images/story.svg from what `gv show`, `gv replay` and `gv diff` really print.

    python -m tests.picture

Runs docs/examples/02-story with the local model, edits the prompt of the
revision, and replays.  Every time another story: the picture is made by hand,
not by the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from tests.bench.measure import scratch
from tests.transcript import ROOT

TARGET = ROOT / "docs" / "images" / "story.svg"
COLUMNS = 100
QUIETLY = ["gv init", "gv run story.py:write --topic otters"]
SHOWN = [
    "gv show --depth 1 run/1",
    "sed -i 's/ends happily/ends at sea/' story.py",
    "gv replay",
    "gv diff run/1 run/2",
]


def outputs() -> list[tuple[str, str]]:
    """Returns what is shown: each command, and what it prints to both streams, in colour."""
    shown = []
    with scratch() as folder:
        shutil.copy(ROOT / "docs" / "examples" / "02-story" / "story.py", folder)
        tools = folder / "bin"
        tools.mkdir()
        gv = tools / "gv"
        gv.write_text(f'#!/bin/sh\nexec {sys.executable} -m gvstore --color always "$@"\n')
        gv.chmod(0o755)
        path = f"{tools}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": str(COLUMNS)}
        for command in [*QUIETLY, *SHOWN]:
            done = subprocess.run(
                ["bash", "-c", command], cwd=folder, env=environment, check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            if command in SHOWN:
                shown.append((command, done.stdout))
    return shown


def main() -> None:
    """Writes the picture."""
    text = Text()
    for command, printed in outputs():
        text.append("$ ", "dim").append(command, "bold").append("\n").append(Text.from_ansi(printed.rstrip())).append(
            "\n" * (2 if printed else 1)
        )
    text.rstrip()
    width = max(map(len, text.plain.splitlines()))
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=width, file=nowhere, force_terminal=True)
        console.print(text)
    # No fonts from elsewhere: what shows pictures in a page does not load them.
    style = re.sub(r"@font-face \{\{.*?\n\s*\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    style = style.replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas")
    console.save_svg(str(TARGET), title="gv", code_format=style, unique_id="gv")


if __name__ == "__main__":
    main()
