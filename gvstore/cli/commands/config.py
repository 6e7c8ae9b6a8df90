"""gv config: shows and changes settings, of the repository and of the user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault

if TYPE_CHECKING:
    from gvstore.repo.config import Scope, Value


@dataclass(frozen=True, slots=True)
class SettingListed:
    """A key with its value, where it was set ("user", "repo" or "default"), and in which file."""

    key: str
    value: Value
    origin: str
    path: str | None
    shown: str = field(metadata=HIDDEN)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that are known or set."""

    settings: tuple[SettingListed, ...]
    with_origin: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        for setting in self.settings:
            text = f"{setting.key}={text_of(setting.value)}"
            if self.with_origin:
                text = f"{setting.shown or setting.origin}\t{text}"
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


@dataclass(frozen=True, slots=True)
class Edited:
    """A file of settings that was edited by hand."""

    path: str

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(())


def text_of(value: Value) -> str:
    """Returns a setting's value as the file has it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@click.command("config", cls=Command)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--user", "--global", "of_user", is_flag=True, help="Change the user's settings, not the repository's")
@click.option("--unset", is_flag=True, help="Take KEY out, so that its default counts again")
@click.option("-l", "--list", "listed", is_flag=True, help="List only what is set, not the defaults")
@click.option("--show-origin", is_flag=True, help="Say in the list which file each comes from")
@click.option("--get", is_flag=True, hidden=True, expose_value=False, help="A habit of git's: what KEY alone does")
@click.option("-e", "--edit", is_flag=True, help="Open the file in the editor (core.editor)")
@pass_context
def command(
    cx: CommandContext,
    key: str | None,
    value: str | None,
    of_user: bool,
    unset: bool,
    listed: bool,
    show_origin: bool,
    edit: bool,
) -> int:
    """Show or change settings

    Without KEY all settings are listed, without VALUE one is shown.  The repository's settings go before the user's.
    Works outside a repository too.  `alias.NAME` makes a command of your own, `color.ROLE` a colour: see `gv help config`.

    \b
    Example:
      gv config user.name "Ada Lovelace" --user
      gv config --user alias.last "log -n 1 --stat"
    """
    scope: Scope = "user" if of_user else "repo"
    if edit + listed + unset > 1 or (key is not None and (edit or listed)):
        raise UsageFault("--edit, --list and --unset stand alone", hint="`gv config --help` has examples.")
    if edit:
        _edit(cx, scope)
    elif key is None:
        if unset:
            raise UsageFault("--unset needs a KEY", hint="`gv config` lists all keys.")
        cx.output.result(_settings(cx, set_only=listed, with_origin=show_origin))
    else:
        return _one(cx, key, value, unset=unset, scope=scope)
    return 0


def _one(cx: CommandContext, key: str, value: str | None, *, unset: bool, scope: Scope) -> int:
    """Shows or changes one setting; returns the status: 1, as in git, where one is asked for that nobody has set."""
    if unset and value is not None:
        raise UsageFault("--unset takes no VALUE", hint=f"`gv config --unset {key}` takes it out.")
    if unset:
        cx.config.unset(key, scope=scope)
    elif value is not None:
        _check(key, value)
        cx.config.set(key, value, scope=scope)
    else:
        cx.config.get(key)
    setting = cx.config.setting(key)
    if value is None and not unset:
        nobody = setting.origin == "default" and setting.value == ""
        if cx.json or not nobody:
            cx.output.result(OneSetting(setting.key, setting.value, setting.origin))
        return 1 if nobody else 0
    cx.output.result(Changed(setting.key, setting.value, setting.origin))
    return 0


def _settings(cx: CommandContext, *, set_only: bool, with_origin: bool) -> Settings:
    found = []
    for setting in cx.config.items():
        if set_only and setting.origin == "default":
            continue
        places = cx.config.origins(setting.key)
        path = places[-1][1] if places else None
        found.append(
            SettingListed(
                setting.key, setting.value, setting.origin,
                None if path is None else str(path), "" if path is None else cx.shown(path),
            )
        )  # fmt: skip
    return Settings(tuple(found), with_origin)


def _check(key: str, value: str) -> None:
    """Passes if an alias or a colour can be meant so.

    Raises:
        UsageFault: a command has that name; the alias leads nowhere; there is no such role or colour.
    """
    section, _, name = key.partition(".")
    if section == "alias":
        from gvstore.cli import table
        from gvstore.cli.alias import expanded

        if name in table.names():
            raise UsageFault(
                f"gv {name} is a command, and an alias never stands in front of one", hint="Choose another name."
            )
        expanded({name: value}, [name], table.names())
    elif section == "color" and name != "ui":
        from gvstore.cli.colours import check_role, parse_style

        check_role(name)
        parse_style(value)


def _edit(cx: CommandContext, scope: Scope) -> None:
    """Lets the user edit the file, which is made if there is none; tells what is wrong with it afterwards."""
    from gvstore.cli.editor import edit
    from gvstore.repo.config import Config

    path = cx.config.path(scope)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    edit(cx, path)
    Config(repo=path).items()
    cx.output.result(Edited(str(path)))
