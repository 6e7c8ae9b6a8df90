"""Secrets that must not be recorded, told by where they come from or by their looks.

Values of environment variables named like keys, and keys of known providers,
are replaced by `<secret NAME>` in every text on its way into a record, before
it is cut or hashed.  A search of one compiled pattern is all that what holds
none costs; the encoder takes the long way only where that finds something.
The placeholder does not depend on the value: a key that was changed since
still answers to its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, Final

from gvstore.objects.encode import Encoder, OnOpaque
from gvstore.objects.protocol import ObjectWriter

LEAST_CHARACTERS: Final = 8
_LEAST_IN_FILES: Final = 12
_WORD: Final = re.compile(r"(?i)(?:API)?KEYS?|.*(?:TOKEN|SECRET|PASSWORD|PASSPHRASE|PASSWD|CREDENTIAL)S?|.+KEYS?\d*")
_PLACE: Final = re.compile(r"(?i)(?:FILE|PATH|DIR|FOLDER|SOCK|CREDENTIALS?)$")
_HOLE: Final = re.compile(r"<secret ([^<>\n]+)>")

# Looked for behind each "-" and "_", which few texts hold many of: a search for one byte is ten times as fast as
# one for several words.
_BEHIND_DASH: Final = re.compile(
    rb"-(?:(?<=sk-)|(?<=xox[abprs]-)|(?<=xapp-)|(?<=glpat-)|(?<=pypi-)|(?<=GOCSPX-)|----BEGIN)"
).search
_BEHIND_LINE: Final = re.compile(rb"_(?:(?<=hf_)|(?<=gh[pousr]_)|(?<=github_)|(?<=[sr]k_)|(?<=aws_)|(?<=AWS_))").search


def is_key_name(name: str, value: str = "") -> bool:
    """Returns whether an environment variable is named like a key: OPENAI_API_KEY, PGPASSWORD, AUTH_TOKEN.

    A place where keys lie is none: GOOGLE_APPLICATION_CREDENTIALS=/home/ada/key.json.
    """
    if _PLACE.search(name) and value.startswith(("/", "~", ".")):
        return False
    words = re.split(r"[^A-Za-z0-9]+", name)
    return any(_WORD.fullmatch(word) for word in words) or (len(words) > 1 and words[-1].upper() == "PWD" != words[0])


class Redactor:
    """Knows the secrets of one environment, and takes them out of bytes and texts."""

    def __init__(self, secrets: Mapping[bytes, str]) -> None:
        self._secrets = dict(sorted(secrets.items(), key=lambda item: -len(item[0])))
        self._values = tuple(self._secrets)

    def with_secrets(self, secrets: Mapping[bytes, str]) -> Redactor:
        """Returns what knows these secrets too; itself, if it knows them."""
        return self if secrets.keys() <= self._secrets.keys() else Redactor({**secrets, **self._secrets})

    def suspect(self, data: bytes) -> bool:
        """Returns whether `data` may hold a secret: quickly, and never False if it does."""
        find = data.find  # `in` would ask first whether the text is an int, and fail
        if (find(b"-") >= 0 and _BEHIND_DASH(data)) or (find(b"_") >= 0 and _BEHIND_LINE(data)):
            return True
        if find(b"AKIA") >= 0 or find(b"ASIA") >= 0 or find(b"AIza") >= 0 or find(b"hooks.slack.com") >= 0:
            return True
        for value in self._values:  # noqa: SIM110 - any() costs twice as much
            if find(value) >= 0:
                return True
        return False

    def clean(self, data: bytes, found: Callable[[str], object] = lambda name: None) -> bytes:
        """Returns `data` without the secrets in it; `found(name)` is told of each kind once."""
        from gvstore.repo.secrets import key_spans  # not before: it takes the whole of `repo` with it

        for value, name in self._secrets.items():
            if value in data:
                data = data.replace(value, f"<secret {name}>".encode())
                found(name)
        spans = sorted(key_spans(data), key=lambda span: span[1:])
        if not spans:
            return data
        parts, at = [], 0
        for what, start, end in spans:
            if start >= at:
                parts += [data[at:start], f"<secret {what}>".encode()]
            at = max(at, end)
            found(what)
        return b"".join([*parts, data[at:]])

    def key_in(self, data: bytes) -> str | None:
        """Returns which variable's value a source file holds, or None; a value that may be a plain word is none."""
        for value, name in self._secrets.items():
            if len(value) >= _LEAST_IN_FILES and any(b"0"[0] <= byte <= b"9"[0] for byte in value) and value in data:
                return f"the value of {name}"
        return None

    def clean_text(self, text: str) -> str:
        """Returns `text` without the secrets in it."""
        data = text.encode("utf-8", "surrogatepass")
        return self.clean(data).decode("utf-8", "surrogatepass") if self.suspect(data) else text


@lru_cache(maxsize=8)
def _redactor(secrets: tuple[tuple[bytes, str], ...]) -> Redactor:
    return Redactor(dict(secrets))


def redactor_of(environment: Mapping[str, str]) -> Redactor:
    """Returns what takes out the secrets of this environment; compiled once for the same secrets."""
    secrets = {
        value.strip().encode("utf-8", "surrogateescape"): name
        for name, value in sorted(environment.items())
        if len(value.strip()) >= LEAST_CHARACTERS and is_key_name(name, value.strip())
    }
    return _redactor(tuple(secrets.items()))


class RedactingEncoder(Encoder):
    """An encoder that puts a placeholder where a secret stands, and tells `on_secret(name)`."""

    __slots__ = ("_on_secret", "redactor")

    def __init__(
        self, writer: ObjectWriter, redactor: Redactor, *, on_opaque: OnOpaque, on_secret: Callable[[str], object]
    ) -> None:
        super().__init__(writer, on_opaque)
        self.redactor, self._on_secret = redactor, on_secret

    def text(self, value: str | bytes) -> bytes:
        """Returns the encoding of a text or bytes without secrets; whole, before it is cut."""
        if len(value) >= LEAST_CHARACTERS:
            data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            if self.redactor.suspect(data):
                clean = self.redactor.clean(data, self._on_secret)
                value = clean.decode("utf-8", "surrogatepass") if isinstance(value, str) else clean
        return super().text(value)


def has_holes(value: Any) -> bool:
    """Returns whether a secret was taken out of a recorded value, as far as containers and fields go."""
    return any(_HOLE.search(text) for text in _texts(value))


def fill_holes(value: Any, environment: Mapping[str, str]) -> Any:
    """Returns a recorded value with the secrets of this environment back in their places."""
    if type(value) is str:
        return _HOLE.sub(lambda hole: environment.get(hole[1], hole[0]).strip(), value)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(fill_holes(each, environment) for each in value)
    if type(value) is dict:
        return {fill_holes(k, environment): fill_holes(v, environment) for k, v in value.items()}
    if is_dataclass(value) and has_holes(value):
        for name, inside in list(vars(value).items()):
            object.__setattr__(value, name, fill_holes(inside, environment))
    return value


def _texts(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        each = stack.pop()
        if type(each) is str:
            yield each
        elif type(each) in (list, tuple, set, frozenset):
            stack.extend(each)
        elif type(each) is dict:
            stack.extend(each)
            stack.extend(each.values())
        elif is_dataclass(each) and not isinstance(each, type) and hasattr(each, "__dict__"):
            stack.extend(vars(each).values())
