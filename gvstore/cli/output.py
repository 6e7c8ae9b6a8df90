"""The way out of a command: answers on stdout, everything else on stderr.

A command hands over a result, a frozen dataclass that knows its own lines;
here it becomes text, or under `--json` one document built from its fields.
So every command has `--json`, and none has a branch for it.
"""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from gvstore.cli.style import COLUMNS, ROLES, Paint

HIDDEN = {"json": False}  # field(metadata=HIDDEN): for the text only


class Result(Protocol):
    """What a command answers: a dataclass whose fields are the JSON document."""

    def lines(self, paint: Paint) -> Iterable[str]:
        """Returns the answer as text, line by line, without line ends."""
        ...


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Shows that `done` of `total` units are through; both count from the start."""
        ...


class Output:
    """Writes to this process's stdout and stderr as its options say."""

    def __init__(
        self,
        *,
        json: bool = False,
        quiet: bool = False,
        colour: bool = False,
        colour_of_status: bool = False,
        pager: str = "",
        bars: bool = False,
        width: int = COLUMNS,
        guarded: bool = False,
        roles: dict[str, str] = ROLES,
    ) -> None:
        """With `guarded` the answer goes to a terminal, now or later: no control character of a text reaches it."""
        self.json, self.quiet = json, quiet
        self.paint = Paint(colour, width, roles)
        self.status_paint = Paint(colour_of_status, width, roles)
        self._pager, self._bars, self._guarded = pager, bars, guarded

    # -- the answer

    def result(self, result: Result, *, paged: bool = False) -> None:
        """Writes one answer: its lines, or one JSON document."""
        self.stream([result], paged=paged)

    def stream(self, results: Iterable[Result], *, paged: bool = False) -> None:
        """Writes answers one by one, as they come: under `--json` each is a document on a line of its own."""
        lines = self._documents(results) if self.json else self._texts(results)
        if paged and self._pager:
            from gvstore.cli.pager import page

            page(lines, self._pager)
        else:
            for line in lines:
                sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def raw(self, chunks: Iterable[bytes]) -> None:
        """Writes bytes as they are: `gv get` of a file; to a terminal, what it can show of them."""
        sys.stdout.flush()
        if self._guarded and sys.stdout.isatty():
            from gvstore.cli.guard import guarded_pieces

            sys.stdout.writelines(guarded_pieces(chunks))
            sys.stdout.flush()
            return
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    def _documents(self, results: Iterable[Result]) -> Iterator[str]:
        from gvstore.cli.json_form import dump

        ascii_only = sys.stdout.encoding.lower() not in ("utf-8", "utf8")
        documents = (dump(result, ascii_only=ascii_only) for result in results)
        if not self._guarded:
            return documents

        from gvstore.cli.guard import guarded_json

        return map(guarded_json, documents)

    def _texts(self, results: Iterable[Result]) -> Iterator[str]:
        lines = (line for result in results for line in result.lines(self.paint))
        if not self._guarded:
            return lines

        from gvstore.cli.guard import guarded

        return (guarded(line, self.paint.roles) for line in lines)

    def exact(self) -> None:
        """Lets bytes of files that are no UTF-8 through as they are, from now on, unless a terminal would get them: patches are applied."""
        if self._guarded or not isinstance(sys.stdout, io.TextIOWrapper):
            return
        codecs.register_error("gv.exact", _exactly)
        sys.stdout.reconfigure(errors="gv.exact")

    # -- everything else

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees on a terminal what `status` says, when it is said."""
        return self._bars and not self.quiet and not self.json

    def status(self, text: str) -> None:
        """Says what is going on; `-q` and `--json` silence it."""
        if not self.quiet and not self.json:
            self._say(text)

    def warning(self, text: str) -> None:
        """Says what the user should know although the command goes on."""
        self._say(self.status_paint("warning", "warning:") + " " + text)

    def detail(self, text: str) -> None:
        """Says a line of what belongs to an error that follows: a traceback of the user's program."""
        if not self.json:
            self._say(text)

    def error(self, text: str) -> None:
        """Says why the command ends."""
        self._say(self.status_paint("error", "error:") + " " + text)

    def question(self, text: str) -> None:
        """Says what a run waits for: it ends the command, and is no error."""
        self._say(text)

    def hint(self, text: str) -> None:
        """Says what to type next."""
        self._say(self.status_paint("hint", "hint:") + " " + text)

    def _say(self, text: str) -> None:
        # The answer so far goes first, so that on a terminal the two stand in the order in which they were said.
        sys.stdout.flush()
        if not text.isprintable():
            from gvstore.cli.guard import guarded

            text = guarded(text, self.status_paint.roles)
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def spoken(self, piece: str) -> None:
        """Writes a piece of what a model says, as it comes, to stderr."""
        if not piece.isprintable():
            from gvstore.cli.guard import guarded

            piece = guarded(piece)
        sys.stderr.write(piece)
        sys.stderr.flush()

    @contextmanager
    def progress(self, title: str, *, size_bytes: bool = False) -> Iterator[Advance]:
        """Yields what moves a bar on a terminal's stderr; elsewhere it moves nothing."""
        if not self._bars:
            yield _no_bar
            return

        from gvstore.cli.bar import bar

        with bar(title, size_bytes=size_bytes) as advance:
            yield advance

    @contextmanager
    def working(self, title: str) -> Iterator[None]:
        """Shows on a terminal's stderr how far work on the object database has come in the block."""
        if not self._bars:
            yield
            return

        from gvstore.cli.bar import bar
        from gvstore.odb.progress import listening

        with bar(title, size_bytes=False, share=True) as advance, listening(advance):
            yield


    def watch_files(self) -> Callable[[], None]:
        """Shows a bar for each large file that is read or written, from now until what is returned is called."""
        if not self._bars:
            return _nothing

        from contextlib import ExitStack

        from gvstore.repo.progress import Progress, listening

        bars = ExitStack()
        shown: dict[tuple[str, str], Advance] = {}

        def show(at: Progress) -> None:
            key = (at.path, at.step)
            if key not in shown:
                bars.close()
                shown.clear()
                shown[key] = bars.enter_context(self.progress(f"{at.step} {at.path}", size_bytes=True))
            shown[key](at.done_bytes, at.total_bytes)
            if at.done_bytes == at.total_bytes:
                bars.close()
                shown.clear()

        watching = ExitStack()
        watching.push(bars)
        watching.enter_context(listening(show))
        return watching.close


def _exactly(error: UnicodeError) -> tuple[str | bytes, int]:
    """Returns what stands for characters that cannot be encoded: the bytes that they were read from, else their numbers."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= c <= "\udcff" for c in text):
        return text.encode("ascii", "surrogateescape"), error.end
    return text.encode("ascii", "backslashreplace").decode(), error.end


def _nothing() -> None:
    """Closes nothing."""


def _no_bar(done: int, total: int | None = None) -> None:
    """Moves nothing."""
