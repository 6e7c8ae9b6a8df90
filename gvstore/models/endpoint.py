"""WHERE a provider is asked: an address, headers, and what of them is secret.

Keys and addresses come from the environment at the moment of the call
(`OPENAI_API_KEY`, `OPENAI_BASE_URL` and their like).  They are no arguments of
a recorded call, and `Endpoint.clean` takes them out of whatever an endpoint
says before that can become a message.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from gvstore.models.fault import BadModelSetting, KeyMissing

LEAST_SECRET = 4  # characters: what is shorter would tear holes into ordinary words
TIMEOUT_S = 600.0
CONNECT_S = 10.0

_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address with what opens it; `shown` is the address without credentials and query, `timeout_s` the time of one attempt."""

    shown: str
    base_url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timeout_s: float = TIMEOUT_S

    def url(self, path: str) -> str:
        """Returns the address of `path` below the base, with the base's query."""
        parts = urlsplit(self.base_url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, parts.query, ""))

    def clean(self, text: str) -> str:
        """Returns `text` without the secrets of this endpoint, also where they stand encoded for an address."""
        for secret in self.secrets:
            text = text.replace(secret, "<secret>")
        return text


@dataclass(frozen=True, slots=True)
class Access:
    """How a provider is reached: names of variables, where it is by default, and which header takes the key."""

    provider: str
    default_url: str
    url_variable: str
    key_variable: str
    key_header: str
    key_prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def endpoint_of(access: Access, environment: Mapping[str, str], settings: Mapping[str, object]) -> Endpoint:
    """Returns where a provider is asked.

    `settings` may hold `base_url`, which the environment's address outranks, `key_env`, the name of the variable that
    holds the key, and `timeout_s`.

    Raises:
        BadModelSetting: an address, a key or a time that cannot be meant.
        KeyMissing: no key, and the address is the provider's own.
    """
    from_environment = environment.get(access.url_variable, "").strip()
    setting = access.url_variable if from_environment else f"models.{access.provider}.base_url"
    given = from_environment or str(settings.get("base_url", "") or "").strip() or access.default_url
    base_url, shown, credentials = _address(setting, given)
    variable = str(settings.get("key_env") or access.key_variable)
    key = environment.get(variable, "").strip()
    headers = dict(access.headers)
    secrets = [*credentials]
    if key:
        if not _HEADER_VALUE.fullmatch(key):
            raise BadModelSetting(variable, "holds what no header can carry", hint="Is it a key, without line ends in it?")
        headers[access.key_header] = access.key_prefix + key
        secrets.append(key)
    elif credentials:
        basic = base64.b64encode(":".join(map(unquote, [*credentials, "", ""][:2])).encode()).decode()
        headers["authorization"] = f"Basic {basic}"
        secrets.append(basic)
    elif urlsplit(base_url).hostname == urlsplit(access.default_url).hostname:
        raise KeyMissing(access.provider, variable)
    if query := urlsplit(base_url).query:
        secrets += [value for part in query.split("&") if (value := part.partition("=")[2])]
    return Endpoint(shown, base_url, headers, _spelled(secrets), timeout_of(access.provider, settings))


def timeout_of(provider: str, settings: Mapping[str, object], default: float = TIMEOUT_S) -> float:
    """Returns the seconds that one attempt may take.

    Raises:
        BadModelSetting: it is no number of seconds.
    """
    value = settings.get("timeout_s", default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 86_400:
        raise BadModelSetting(f"models.{provider}.timeout_s", f"is a number of seconds, not {value!r:.80}")
    return float(value)


def _address(setting: str, given: str) -> tuple[str, str, list[str]]:
    """Returns (the address without credentials, that without its query, the credentials)."""
    hint = "It looks like `http://localhost:8000/v1`."
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadModelSetting(setting, "is no address", hint=hint) from None  # the error quotes the address, credentials and all
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", given):
        raise BadModelSetting(setting, "is no address of http or https", hint=hint)
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    plain = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    with_query = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), parts.query, ""))
    return with_query, plain, [each for each in (parts.username, parts.password) if each]


def _spelled(secrets: list[str]) -> tuple[str, ...]:
    """Returns the secrets in all their spellings, the longest first."""
    found = {spelled for each in secrets for spelled in (each, unquote(each), quote(each, safe=""))}
    return tuple(sorted((each for each in found if len(each) >= LEAST_SECRET), key=len, reverse=True))
