"""Configuration: the user's `~/.config/gv/config.toml`, then `.gv/config.toml`, which wins.

    [user]
    name = "Ada Lovelace"

Keys are dotted (`user.name`).  Known keys have a type and a default; unknown
ones are refused when they are set, with the near names, and passed over when
they are read, for a newer gv may have written them.  `alias.*` and `color.*` take any name.
Reading uses the standard library; writing keeps comments and order (tomlkit).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gvstore import fs
from gvstore.repo.fault import BadConfig, CannotWrite

Value = str | int | bool
Scope = Literal["user", "repo"]


@dataclass(frozen=True, slots=True)
class Known:
    """A key that gv reads: its default tells its type; `choices`, if any, all its values."""

    default: Value
    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A key with its value, and where it was set: "user", "repo", or "default"."""

    key: str
    value: Value
    origin: str


KNOWN: dict[str, Known] = {
    "user.name": Known("", "the author's name"),
    "user.email": Known("", "the author's address"),
    "core.worktree": Known("", "the work tree's folder, where .gv lies elsewhere"),
    "core.network": Known(False, "whether .gv may lie on a network file system"),
    "core.pager": Known("", "the program that shows long output"),
    "core.editor": Known("", "the program that edits messages"),
    "color.ui": Known("auto", "when to use colour", ("auto", "always", "never")),
    "init.branch": Known("main", "the first branch of new repositories"),
    "commit.large": Known(50_000_000, "a file of more bytes than this stops a commit"),
    "commit.secrets": Known(True, "whether key-like content stops a commit"),
    "gc.grace": Known(14, "days after which gc deletes what it has condemned"),
    "gc.reflog": Known(90, "days for which gc keeps what refs pointed to"),
    "hooks.path": Known("", "the folder of hooks, from the work tree's root, in place of .gv/hooks"),
    "replay.libraries": Known("major", "which change of a library makes calls stale", ("major", "exact", "ignore")),
    "run.snapshot": Known(True, "whether a run keeps the code that it used"),
    "model.default": Known("", "the model that programs use that name none"),
    "model.path": Known("", "a GGUF file to use as the local model"),
}
_OPEN_SECTIONS = ("alias", "color")  # names are the user's; the command line knows which colours there are
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MAX_FILE_BYTES = 1_000_000


class Config:
    """The settings of one user and one repository; either file may be missing."""

    def __init__(self, *, user: Path | None = None, repo: Path | None = None) -> None:
        self._paths: dict[Scope, Path | None] = {"user": user, "repo": repo}
        self._values: dict[Scope, dict[str, Value]] | None = None

    def get(self, key: str) -> Value:
        """Returns the value of a known key: the repository's, else the user's, else the default.

        Raises:
            BadConfig: the key is unknown, or its value in the file is of the wrong type.
        """
        check_key(key)
        return self.setting(key).value

    def text(self, key: str) -> str:
        """Returns the value of a key that holds text."""
        return str(self.get(key))

    def number(self, key: str) -> int:
        """Returns the value of a key that holds a number."""
        return int(self.get(key))

    def flag(self, key: str) -> bool:
        """Returns the value of a key that is true or false."""
        return bool(self.get(key))

    def setting(self, key: str) -> Setting:
        """Returns the key's value, and where it comes from."""
        known = KNOWN.get(key)
        scopes: tuple[Scope, ...] = ("repo", "user")
        for scope in scopes:
            value = self._loaded()[scope].get(key)
            if value is not None:
                return Setting(key, _checked(key, value, str(self._paths[scope])), scope)
        return Setting(key, known.default if known else "", "default")

    def items(self) -> tuple[Setting, ...]:
        """Returns every key that is known or set, sorted."""
        loaded = self._loaded()
        keys = {key for key in (*loaded["user"], *loaded["repo"]) if _is_known(key)}
        return tuple(self.setting(key) for key in sorted(keys | set(KNOWN)))

    def table(self, section: str) -> dict[str, Any]:
        """Returns a section with the tables below it, as it stands in the files: the repository's part wins, key by key.

        For sections whose names are the user's own (`[models.prices."gpt-4o"]`); who reads one checks what is in it.
        """
        found: dict[str, Any] = {}
        for path in (self._paths["user"], self._paths["repo"]):
            found = _merged(found, _document(path).get(section, {}))
        return found

    def origins(self, key: str) -> tuple[tuple[Scope, Path, Value], ...]:
        """Returns where the key is set, with file and value, the one that counts last."""
        loaded = self._loaded()
        scopes: tuple[Scope, ...] = ("user", "repo")
        return tuple(
            (scope, path, loaded[scope][key])
            for scope in scopes
            if key in loaded[scope] and (path := self._paths[scope]) is not None
        )

    def path(self, scope: Scope) -> Path:
        """Returns the file of a scope, which may not exist.

        Raises:
            BadConfig: there is none here.
        """
        return self._path(scope)

    def author(self) -> str | None:
        """Returns the configured author, "name <address>", or None."""
        name, email = self.text("user.name"), self.text("user.email")
        return f"{name} <{email}>" if name and email else name or (f"<{email}>" if email else None)

    def set(self, key: str, value: Value | str, *, scope: Scope = "repo") -> Value:
        """Writes the key to a file, and returns the value in its type; text is read as the key's type asks.

        Raises:
            BadConfig: the key is unknown, or the value does not fit it.
            CannotWrite: the system refuses to write the file.
        """
        import tomlkit

        check_key(key)
        path = self._path(scope)
        converted = _checked(key, _from_text(key, value) if isinstance(value, str) else value, "")
        if isinstance(converted, str) and not _is_text(converted):
            raise BadConfig(f"{key} cannot hold bytes that are no text", hint="Give it in UTF-8.")
        document = self._document(path)
        section, _, name = key.partition(".")
        table = document.get(section)
        if not isinstance(table, dict):
            document[section] = table = tomlkit.table()
        table[name] = converted
        self._write(path, tomlkit.dumps(document))
        return converted

    def unset(self, key: str, *, scope: Scope = "repo") -> bool:
        """Takes the key out of a file; returns whether it stood there."""
        import tomlkit

        path = self._path(scope)
        document = self._document(path)
        section, _, name = key.partition(".")
        table = document.get(section)
        if not isinstance(table, dict) or name not in table:
            return False
        del table[name]
        if not table:
            del document[section]
        self._write(path, tomlkit.dumps(document))
        return True

    def _path(self, scope: Scope) -> Path:
        path = self._paths[scope]
        if path is None:
            where = "there is no repository here" if scope == "repo" else "there is no user configuration"
            raise BadConfig(f"no configuration to write: {where}", hint="`gv config --user` writes the user's.")
        return path

    def _document(self, path: Path) -> Any:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            return tomlkit.parse(_read(path))
        except (TOMLKitError, RecursionError) as e:
            raise BadConfig(f"{path}: {e}", hint="Correct the file by hand.") from e

    def _write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fs.write_atomic(path, text.encode())
        except OSError as e:
            raise CannotWrite(str(path), e.strerror or str(e)) from e
        self._values = None

    def _loaded(self) -> dict[Scope, dict[str, Value]]:
        if self._values is None:
            scopes: tuple[Scope, ...] = ("user", "repo")
            self._values = {scope: _load(self._paths[scope]) for scope in scopes}
        return self._values


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_key(key: str) -> str:
    """Returns the key, if gv knows it.

    Raises:
        BadConfig: it does not; the hint tells the near names.
    """
    if _is_known(key):
        return key
    import difflib

    near = difflib.get_close_matches(key, KNOWN, n=3) or difflib.get_close_matches(
        key.split(".")[-1], KNOWN, n=3, cutoff=0.5
    )
    hint = f"Did you mean {' or '.join(near)}?" if near else "`gv config` lists all keys."
    raise BadConfig(f"there is no setting {key[:80]!r}", hint=hint)


def _is_known(key: str) -> bool:
    section, _, name = key.partition(".")
    return key in KNOWN or (section in _OPEN_SECTIONS and _NAME.fullmatch(name) is not None)


def _load(path: Path | None) -> dict[str, Value]:
    return dict(_flattened(_document(path)))


def _document(path: Path | None) -> dict[str, Any]:
    text = "" if path is None else _read(path)
    if not text:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise BadConfig(f"{path}: {e}", hint="Correct the file by hand.") from e


def _merged(one: object, other: object) -> Any:
    """Returns two tables as one; where both have a key that is no table, the second's stands."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return other
    return {**one, **{key: _merged(one[key], value) if key in one else value for key, value in other.items()}}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as e:
        raise BadConfig(f"{path} cannot be read: {e}", hint="Correct the file by hand.") from e


def _flattened(document: Mapping[str, object]) -> list[tuple[str, Value]]:
    found: list[tuple[str, Value]] = []
    for section, table in document.items():
        if isinstance(table, Mapping):
            found += [
                (f"{section}.{key}", value) for key, value in table.items() if isinstance(value, (str, int, bool))
            ]
    return found


def _from_text(key: str, text: str) -> Value:
    known = KNOWN.get(key)
    if known is None or isinstance(known.default, str):
        return text
    if isinstance(known.default, bool):
        words = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        if text.strip().lower() in words:
            return words[text.strip().lower()]
        raise BadConfig(f"{key} is true or false, not {text[:80]!r}")
    try:
        return int(text.strip().replace("_", ""))
    except ValueError as e:
        raise BadConfig(f"{key} is a number, not {text[:80]!r}") from e


def _checked(key: str, value: Value, where: str) -> Value:
    known = KNOWN.get(key)
    prefix = f"{where}: " if where else ""
    if known is None:
        return value
    if type(value) is not type(known.default):
        word = {str: "text", int: "a number", bool: "true or false"}[type(known.default)]
        raise BadConfig(f"{prefix}{key} is {word}, not {value!r}")
    if known.choices and value not in known.choices:
        raise BadConfig(f"{prefix}{key} is one of {', '.join(known.choices)}, not {value!r}")
    return value
