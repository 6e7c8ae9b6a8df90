"""What git calls the commits that ours note: asked of one `git cat-file --batch`, which only reads."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_SHA_LENGTHS = (40, 64)


class GitSubjects:
    """Asks git for the first lines of its commits' messages; where there is no git, or it has no such commit, there is none.

    The process starts with the first question and ends with the block.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False
        self._known: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            assert self._process.stdin is not None and self._process.stdout is not None
            with suppress(OSError):  # git may have ended before it was asked all
                self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()

    def subject(self, note: str) -> str | None:
        """Returns the subject of the commit that a note, `<sha> dirty`, begins with."""
        sha = note.partition(" ")[0]
        if len(sha) not in _SHA_LENGTHS:
            return None
        if sha not in self._known:
            self._known[sha] = self._ask(sha)
        return self._known[sha]

    def _ask(self, sha: str) -> str | None:
        process = self._started()
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(sha.encode() + b"\n")
            process.stdin.flush()
            head = process.stdout.readline().split()
            if len(head) != 3:
                return None
            data = process.stdout.read(int(head[2]) + 1)[:-1]
        except (OSError, ValueError):
            return None
        if head[1] != b"commit":
            return None
        return data.partition(b"\n\n")[2].decode("utf-8", "replace").strip().partition("\n")[0]

    def _started(self) -> subprocess.Popen[bytes] | None:
        if not self._asked:
            self._asked = True
            git = shutil.which("git")
            if git is not None:
                self._process = subprocess.Popen(
                    [git, "--no-optional-locks", "cat-file", "--batch"], cwd=self._folder,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                )  # fmt: skip
        return self._process
