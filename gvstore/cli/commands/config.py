"""gv config: shows and changes settings, of the repository and of the user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault

if TYPE_CHECKING:
    from gvstore.repo.config import Setting, Value


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that are known or set."""

    settings: tuple[Setting, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for setting in self.settings:
            text = f"{setting.key}={text_of(setting.value)}"
            yield paint("quiet", text) if setting.origin == "default" else text


@dataclass(frozen=True, slots=True)
class OneSetting:
    """One setting, and where it was set: "user", "repo" or "default"."""

    key: str
    value: Value
    origin: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield text_of(self.value)


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that was changed: its value now is the answer to `gv config KEY`."""

    key: str
    value: Value
    origin: str

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(())


def text_of(value: Value) -> str:
    """Returns a setting's value as the file has it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@click.command("config", cls=Command)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--user", "of_user", is_flag=True, help="Change the user's settings, not the repository's")
@click.option("--unset", is_flag=True, help="Take KEY out, so that its default counts again")
@pass_context
def command(cx: CommandContext, key: str | None, value: str | None, of_user: bool, unset: bool) -> None:
    """Show or change settings

    Without KEY all settings are listed, without VALUE one is shown.  The repository's settings go before the user's.
    Works outside a repository too.

    \b
    Example:
      gv config user.name "Ada Lovelace" --user
    """
    if key is None:
        if unset:
            raise UsageFault("--unset needs a KEY", hint="`gv config` lists all keys.")
        cx.output.result(Settings(cx.config.items()))
        return
    if unset and value is not None:
        raise UsageFault("--unset takes no VALUE", hint=f"`gv config --unset {key}` takes it out.")
    if unset:
        cx.config.unset(key, scope="user" if of_user else "repo")
    elif value is not None:
        cx.config.set(key, value, scope="user" if of_user else "repo")
    else:
        cx.config.get(key)
    setting = cx.config.setting(key)
    kind = OneSetting if value is None and not unset else Changed
    cx.output.result(kind(setting.key, setting.value, setting.origin))
