"""Clients of OpenAI and Anthropic, as the options they were made with; never a key.

`[46, type, option, value, ...]`.  A client that is made from a record takes its
key where the library finds it, in the environment; where there is none it is
made with a text that says so, good for servers that ask for none.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion
from gvstore.objects.naming import type_name

_CLIENTS: Final = {
    "openai": ("OpenAI", "AsyncOpenAI"),
    "anthropic": ("Anthropic", "AsyncAnthropic"),
}
_NO_KEY: Final = "keys-are-not-recorded"
_SECRET: Final = re.compile(r"(?i)auth|key|token|secret|cookie|passw|credential|signature")


def classify(type_: type) -> Expander | None:
    """Returns the expander of a client class, or None."""
    top = type_.__module__.partition(".")[0]
    return _client if type_.__name__ in _CLIENTS.get(top, ()) else None


def _client(value: Any) -> Expansion:
    name = type_name(type(value))
    options: dict[str, Any] = {
        "base_url": _without_user(str(value.base_url)),
        "organization": _text(getattr(value, "organization", None)),
        "project": _text(getattr(value, "project", None)),
        "timeout": _seconds(value.timeout),
        "max_retries": value.max_retries,
        "default_headers": _public(getattr(value, "_custom_headers", None)),
        "default_query": _public(getattr(value, "_custom_query", None)),
    }
    parts = [part for item in options.items() if item[1] not in (None, {}) for part in item]
    return number.OPTIONS, (f"{name.partition('.')[0].partition(':')[0]}:{type(value).__name__}", *parts)


def _text(option: Any) -> str | None:
    return option if isinstance(option, str) else None


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _seconds(timeout: Any) -> Any:
    """Returns a timeout: seconds, or those of connect, read, write and pool; None if it is the library's own."""
    if isinstance(timeout, int | float):
        return timeout
    told = {name: getattr(timeout, name, None) for name in ("connect", "read", "write", "pool")}
    return told if any(each is not None for each in told.values()) else None


def _public(options: Any) -> dict[str, str]:
    """Returns headers or query parameters as text, without those named like keys."""
    return {k: v for k, v in dict(options or {}).items() if isinstance(v, str) and not _SECRET.search(k)}


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns a new client of these options."""
    module, _, kind = name.partition(":")
    if kind not in _CLIENTS[module]:
        raise TypeError(f"{name} is no client")
    options = dict(zip(parts[::2], parts[1::2], strict=True))
    library: Any = sys.modules[module]
    if isinstance(options.get("timeout"), dict):
        options["timeout"] = library.Timeout(**options["timeout"])
    missing_key: type[Exception] = library.OpenAIError if module == "openai" else library.AnthropicError
    try:
        return getattr(library, kind)(**options)
    except missing_key:
        return getattr(library, kind)(api_key=_NO_KEY, **options)
