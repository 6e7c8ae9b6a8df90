"""What a command stands on: its options, the surroundings, the repository, the output.

The only file of this room that reads clock, environment and working folder.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gvstore.cli.output import Output
from gvstore.cli.style import COLUMNS, ROLES
from gvstore.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gvstore.cli.settings import Settings
    from gvstore.journal.repository import Repository
    from gvstore.repo import Repository as BareRepository
    from gvstore.repo.config import Config

    Opened = TypeVar("Opened", bound=BareRepository)


class FolderGone(Conflict):
    """There is no folder to work in."""

    hint = "Run `cd` to a folder that exists, or give one with -C."

    def __init__(self) -> None:
        super().__init__("the folder that this shell is in was deleted")


class CommandContext:
    """The surroundings of one `gv` command; everything in it is made when first asked for."""

    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self.color = ""
        self.pager = True
        self.arguments: list[str] = []
        self.bundle: Path | None = None  # read in place of a repository
        self._closers: list[Callable[[], None]] = []

    @property
    def folder(self) -> Path:
        """The folder the command works in: the shell's, or that of `-C`.

        Raises:
            FolderGone: it was deleted.
        """
        try:
            return Path.cwd()
        except FileNotFoundError as e:
            raise FolderGone from e

    @cached_property
    def repository(self) -> BareRepository:
        """The repository around the folder, or the one that GV_DIR names; for commands that need no runs.

        Raises:
            NotARepository: there is none.
        """
        from gvstore.repo import Repository as BareRepository

        return self._discovered(BareRepository)

    @cached_property
    def journal(self) -> Repository:
        """The same with its runs, for commands that record or read executions; it takes longer to load.

        Raises:
            NotARepository: there is none.
        """
        from gvstore.journal.repository import Repository

        return self._discovered(Repository)

    @cached_property
    def config(self) -> Config:
        """The settings: the repository's and the user's, or outside a repository the user's alone."""
        from gvstore import host
        from gvstore.repo.config import Config
        from gvstore.repo.fault import NotARepository
        from gvstore.repo.layout import CONFIG

        if self.bundle is not None:
            return Config(user=host.config_dir() / CONFIG)
        try:
            return self.repository.config
        except NotARepository:
            return Config(user=host.config_dir() / CONFIG)

    @property
    def behind_dashes(self) -> list[str]:
        """The arguments that stand behind `--`, which click takes away."""
        return self.arguments[self.arguments.index("--") + 1 :] if "--" in self.arguments else []

    def shown(self, path: Path) -> str:
        """Returns a path as people write it: below the home folder with `~`."""
        home = self.variable("HOME")
        return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)

    def shown_in(self, text: str) -> str:
        """Returns a text with the paths in it as `shown` writes them."""
        home = self.variable("HOME").rstrip("/")
        return re.sub(re.escape(home) + r"(?=/|\s|$)", "~", text) if home else text

    def variable(self, name: str) -> str:
        """Returns an environment variable, or an empty text."""
        return os.environ.get(name, "")

    @cached_property
    def output(self) -> Output:
        """The way out: answers, status, warnings."""
        colour, colour_of_status = self._colour_on(sys.stdout.isatty()), self._colour_on(sys.stderr.isatty())
        roles, faults = ROLES, list[str]()
        if (colour or colour_of_status) and (wanted := self.settings.roles()):
            from gvstore.cli.colours import styles

            roles, faults = styles(wanted)
        output = Output(
            json=self.json,
            quiet=self.quiet,
            colour=colour,
            colour_of_status=colour_of_status,
            pager=self._pager(),
            bars=sys.stderr.isatty() and not self.json and not self.quiet,
            guarded=colour or sys.stdout.isatty(),
            width=max(self._columns(), 40),
            roles=roles,
        )
        for fault in faults:
            output.warning(f"{fault}: it is not heeded")
        return output

    @cached_property
    def settings(self) -> Settings:
        """The settings that shape every command: colours, pager, aliases."""
        from gvstore import host
        from gvstore.cli import settings

        try:
            folder = self.folder
        except FolderGone:
            return settings.Settings(())
        return settings.Settings(settings.paths(folder, self.variable("GV_DIR"), host.config_dir()))

    def on_close(self, close: Callable[[], None]) -> None:
        """Has `close` called at the end of the command, before what was given earlier."""
        self._closers.append(close)

    @property
    def on_terminal(self) -> bool:
        """Whether the answer goes to a terminal."""
        return sys.stdout.isatty()

    def close(self) -> None:
        """Releases what the command held: the repository's segment, lease and database."""
        while self._closers:
            self._closers.pop()()

    def _discovered(self, kind: type[Opened]) -> Opened:
        if self.bundle is not None:
            from gvstore.cli.bundled import laid_out

            return laid_out(self, kind, self.bundle)
        repository = kind.discover(self.folder, gv_dir=self.variable("GV_DIR") or None)
        self._closers.append(repository.close)
        self._closers.append(self.output.watch_files())
        return repository

    def _colour_on(self, terminal: bool) -> bool:
        asked = self.color or self.settings.text("color.ui")
        if asked in ("always", "never"):
            return asked == "always"
        return terminal and not self.variable("NO_COLOR") and self.variable("TERM") != "dumb"

    def _columns(self) -> int:
        """Returns how wide the terminal is: as COLUMNS says, else as it says itself, else as wide as usual."""
        told = self.variable("COLUMNS")
        if told.isdecimal() and int(told) > 0:
            return int(told)
        try:
            return os.get_terminal_size(sys.__stdout__.fileno()).columns or COLUMNS  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError):  # none there, closed, or no terminal
            return COLUMNS

    def _pager(self) -> str:
        """Returns the pager's command line, or nothing where answers go straight out."""
        if not self.pager or self.json or not sys.stdout.isatty():
            return ""
        configured = self.settings.text("core.pager") or None
        for given in (os.environ.get("GV_PAGER"), configured, os.environ.get("PAGER")):
            if given is not None:
                return "" if given in ("", "cat") else given
        import shutil  # it takes a while, for the archives that it knows

        return "less -FRX" if shutil.which("less") else ""
