"""Texts with something to fill in: `${param}`, `${item.language}`, `${env:NAME}`, and `$${` for a plain `${`.

Parameters are filled in while a file is read.  What stands in the environment is
filled in when a model is called and not before: until then a text is a `Text`,
which shows itself with `${env:NAME}`, and that is what a record holds.  A value
from the environment, or an answer of a model, is never looked through for `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gvstore.errors import UsageFault

_HOLE = re.compile(r"(\$\$\{)|\$\{([^{}\n]*)(\}?)")
_PARAM = re.compile(r"[^\W\d]\w*(?:\.[\w-]+)*", re.ASCII)
_ENV = re.compile(r"[^\W\d]\w*", re.ASCII)


class BadTemplate(ValueError):
    """A text cannot be filled in; `offset` is the character where it goes wrong."""

    def __init__(self, offset: int, what: str) -> None:
        self.offset = offset
        super().__init__(what)


class MissingVariable(UsageFault):
    """The environment lacks a variable that a pipeline asks for."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"${{env:{name}}}: the environment has no variable {name}", hint=f"Set it: export {name}=...")


@dataclass(frozen=True, slots=True)
class Param:
    """`${name}` or `${name.part}`: a value of the file."""

    path: tuple[str, ...]
    offset: int

    @property
    def name(self) -> str:
        """As it was typed."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Env:
    """`${env:NAME}`: a variable of the environment, read when the call is made."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text with variables of the environment in it; every parameter is filled in.

    `str` shows it as it may be recorded.  Neither part is ever looked through again.
    """

    parts: tuple[str | Env, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in order, each once."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Env)))

    def filled(self, env: Mapping[str, str]) -> str:
        """Returns the text with the variables filled in: a secret, as a rule, which is not kept.

        Raises:
            MissingVariable: `env` lacks one.
        """
        for name in self.variables:
            if name not in env:
                raise MissingVariable(name)
        return "".join(env[part.name] if isinstance(part, Env) else part for part in self.parts)

    def __str__(self) -> str:
        return "".join(f"${{env:{part.name}}}" if isinstance(part, Env) else part for part in self.parts)


Part = str | Param | Env


def parse_template(text: str) -> tuple[Part, ...]:
    """Returns the parts of a text; of one without anything to fill in, the text itself.

    Raises:
        BadTemplate: `${` is followed by something else than a name.
    """
    parts: list[Part] = []
    end = 0
    for found in _HOLE.finditer(text):
        parts.append(text[end : found.start()])
        parts.append("${" if found[1] else _hole(found))
        end = found.end()
    parts.append(text[end:])
    return joined(parts)


def joined(parts: list[Part] | list[str | Env]) -> tuple[Part, ...]:
    """Returns the parts without empty ones, with neighbouring texts made one."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return tuple(merged)


def made_text(parts: list[str | Env]) -> str | Text:
    """Returns plain text where no variable is left, else a `Text`."""
    merged = [part for part in joined(parts) if not isinstance(part, Param)]
    if any(isinstance(part, Env) for part in merged):
        return Text(tuple(merged))
    return "".join(part for part in merged if isinstance(part, str))


def _hole(found: re.Match[str]) -> Part:
    inside = found[2].strip()
    if not found[3]:
        raise BadTemplate(found.start(), "${ without its }: for a plain ${ type $${")
    kind, colon, name = inside.partition(":")
    if colon and kind == "env" and _ENV.fullmatch(name):
        return Env(name)
    if not colon and _PARAM.fullmatch(inside):
        return Param(tuple(inside.split(".")), found.start())
    what = "an environment variable is named as in ${env:NAME}" if kind == "env" else "a parameter is named as in ${name}"
    raise BadTemplate(found.start(), f"{found[0][:40]}: {what}; for a plain ${{ type $${{")


def variables_in(value: object) -> bool:
    """Returns whether plain data has variables of the environment in it."""
    match value:
        case Text():
            return True
        case dict():
            return any(map(variables_in, value.values()))
        case list() | tuple():
            return any(map(variables_in, value))
    return False
