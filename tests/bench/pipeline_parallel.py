"""A pipeline of 10 steps, 4 independent branches of 2 between the first and the last, whose model takes 1 s an answer.

The critical path is 4 answers: 4 s.  `python -m tests.bench.pipeline_parallel`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.pipeline.chat_server import chatting
from tests.pipeline.writing import write
from tests.transcript import ROOT

DELAY_S = 1.0
BRANCHES = "abcd"


def pipeline() -> str:
    """Returns the file: begin, four branches of two, end."""
    steps = ["- {module: m, inputs: [], output_name: begin}"]
    for each in BRANCHES:
        steps.append(f"- {{module: m, inputs: [begin], output_name: {each}1}}")
        steps.append(f"- {{module: m, inputs: [{each}1], output_name: {each}2}}")
    steps.append(f"- {{module: m, inputs: [{', '.join(f'{each}2' for each in BRANCHES)}], output_name: end}}")
    return "pipeline:\n" + "\n".join(steps) + "\n"


def measured(folder: Path, jobs: int, url: str) -> tuple[float, float]:
    """Returns (seconds of the run as it is recorded, seconds of the whole command)."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENAI_BASE_URL": url}
    words = [sys.executable, "-m", "gvstore", "pipeline", "run", "p.yml", "--no-cache", "-j", str(jobs), "--json"]
    begun = time.perf_counter()
    done = subprocess.run(words, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    whole = time.perf_counter() - begun
    return json.loads(done.stdout)["duration_us"] / 1e6, whole


def main() -> None:
    """Prints a table."""
    with tempfile.TemporaryDirectory() as temporary, chatting() as server:
        folder = Path(temporary)
        server.delay_s = DELAY_S
        write(folder, {"system_prompts/m.txt": "m\n", "p.yml": pipeline(), "config.yml": "default_model: gpt-4\n"})
        subprocess.run([sys.executable, "-m", "gvstore", "init"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
        critical = 4 * DELAY_S
        print(f"critical path {critical:.1f} s")
        for jobs in (1, 4):
            run_s, whole_s = measured(folder, jobs, server.url)
            print(f"-j {jobs}   run {run_s:5.2f} s = {run_s / critical:.3f}x   command {whole_s:5.2f} s = {whole_s / critical:.3f}x")


if __name__ == "__main__":
    main()
