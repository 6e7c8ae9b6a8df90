"""Queries over many runs: `gv runs -n 20`, `--where` the first time and the second, beside an empty repository.

    python -m tests.bench.run_queries [RUNS]
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gvstore as gv
from gvstore.cli.main import run as run_cli
from gvstore.journal.repository import Repository
from gvstore.journal.running import RunOptions
from gvstore.objects import run as stored
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, returned
from gvstore.repo import layout

QUERIES = (
    'args.topic == "topic 77777" and tokens > 500',
    "tokens > 1000",
    '"story 9999" in output.title',
    'status == "ok" and args.n % 1000 == 7 and score is None',
)


@gv.register
def write(topic: str, n: int) -> dict[str, object]:
    """One call, whose record the others are made of."""
    return {"title": f"story {n}", "words": n}


def fill(repo: Repository, count: int) -> None:
    """Makes runs that differ in arguments, outputs and tokens, without executing anything."""
    with repo:
        first = repo.perform(write, ("topic 0", 0), {}, RunOptions(target="story.py:write")).run
        assert first is not None
        component, record = first.invocation.call.component, first.record
        oids = []
        for n in range(1, count):
            encoder = Encoder(repo.objects)
            args = encoder.nested((f"topic {n}", n))
            outcome = returned(encoder.nested({"title": f"story {n}", "words": n}))
            root = Call(component, args, outcome).put(repo.objects)
            run = stored.Run(
                root, "ok", record.started_at + n, record.started_at + n + 5, record.target, author=record.author, branch="main",
                code=record.code, counts={"calls": 1, "executed": 1, "prompt_tokens": n % 1200, "completion_tokens": 1},
            )  # fmt: skip
            oids.append((run.put(repo.objects), run))
        repo.objects.sync()
        with repo.refs._writing() as connection:
            for number, (oid, run) in enumerate(oids, 2):
                connection.execute(
                    "INSERT INTO runs (number, journal, target, status, started_at, ended_at) VALUES (?, '', ?, 'ok', ?, ?)",
                    (number, run.target, run.started_at, run.ended_at),
                )
                name = f"refs/runs/{number}"
                connection.execute("INSERT INTO refs (name, folded, value) VALUES (?, ?, ?)", (name, name, oid.hex()))


def timed(work: Callable[[], object]) -> float:
    """Returns how long it takes, in seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def command(folder: Path, *arguments: str) -> float:
    """Returns how long a command of `gv` takes in this process, in seconds."""
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(io.StringIO()):
        return timed(lambda: run_cli(["-C", str(folder), *arguments]))


def main() -> None:
    """Prints a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as place:
        small, large = Path(place, "small"), Path(place, "large")
        with Repository.init(small) as repo:
            fill(repo, 20)
        repo = Repository.init(large)
        print(f"{count:,} runs made in {timed(lambda: fill(repo, count)):.1f} s")
        command(small, "runs")
        for folder, name in ((small, "20 runs"), (large, f"{count:,} runs")):
            best = min(command(folder, "runs", "-n", "20") for _ in range(5))
            print(f"gv runs -n 20, {name:>14}: {best * 1000:8.1f} ms")
        for query in QUERIES:
            layout.run_cache(large / ".gv").unlink(missing_ok=True)
            first, second = (command(large, "runs", "--where", query, "-n", "20") for _ in range(2))
            print(f"--where {query!r} -n 20: {first:6.2f} s, again {second:6.2f} s")
            layout.run_cache(large / ".gv").unlink(missing_ok=True)
            with repo:
                first, second = (timed(lambda q=query: len(repo.runs.where(q))) for _ in range(2))  # type: ignore[misc]
            print(f"    all of them: {first:6.2f} s, again {second:6.2f} s")
        size = layout.run_cache(large / ".gv").stat().st_size
        print(f"the index: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
