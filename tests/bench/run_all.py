"""Runs the benchmarks one after the other and writes docs/benchmarks.md.

    python -m tests.bench.run_all [NAME...]       all, or just to print some

Takes about twelve minutes.  Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.measure import ROOT, machine

NAMES = (
    "record_calls", "chat_growth", "prompt_growth",
    "store_small", "store_order", "store_again", "store_writers", "store_large", "store_messages", "store_opening", "store_streams",
    "compare_runs", "run_queries", "code_identity", "startup", "large_repository", "machine_state", "machine_run",
)  # fmt: skip
BUSY = 0.5  # load above which other programs disturb
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `python -m tests.bench.run_all`; edit the scripts in `tests/bench/`, not this page. Stores and journals stand
on a disk, not in memory. What takes turns runs interleaved, so that a slow moment of the machine meets all of them; compare
within a table rather than across.
"""


def document(name: str) -> tuple[str, str]:
    """Returns the title of a benchmark and what it says of itself."""
    text = ast.get_docstring(ast.parse((Path(__file__).parent / f"{name}.py").read_text())) or ""
    title, _, body = text.partition("\n\n")
    return title.removesuffix("."), body.partition("\n\n    python")[0].replace(".  ", ". ")


def run(name: str) -> str:
    """Returns what a benchmark prints; what it complains about goes to the terminal."""
    command = [sys.executable, "-m", f"tests.bench.{name}"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Prints the benchmarks that were named, or writes the page of all."""
    if named := sys.argv[1:]:
        for name in named:
            print(f"{name}\n\n{run(name)}")
        return
    page = [HEAD, "| | |\n| --- | --- |", *(f"| {name} | {value} |" for name, value in machine())]
    if os.getloadavg()[0] > BUSY:
        page.append("\nOther programs were running meanwhile: times are noisy, ratios and bytes less so.")
    for name in NAMES:
        print(f"{name} ...", flush=True)
        title, body = document(name)
        page.append(f"\n## {title}\n\n{body}\n\n```text\n{run(name).rstrip()}\n```")
    PAGE.write_text("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
