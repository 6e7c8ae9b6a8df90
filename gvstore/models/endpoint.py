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

VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = ("content-type", "content-length", "transfer-encoding", "accept", "host", "connection")
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

    `settings` may hold `base_url`, which outranks the environment's address, as that does `default_url`; `api_key`, `headers`
    (a mapping), `key_env`, the name of the variable that holds the key, and `timeout_s`.  `${env:NAME}` stands for a variable.

    Raises:
        BadModelSetting: an address, a key or a time that cannot be meant.
        KeyMissing: no key, and the address is the provider's own; or a variable that is not set.
    """
    setting, given = _place(access, environment, settings)
    base_url, shown, credentials = _address(setting, given)
    own = _headers(access, settings.get("headers"), environment)
    variable = str(settings.get("key_env") or access.key_variable)
    setting = f"models.{access.provider}.api_key" if settings.get("api_key") else variable
    key = _filled(access, settings.get("api_key"), environment, setting) or environment.get(variable, "").strip()
    headers, secrets = dict(access.headers), [*credentials, *own.values()]
    if key:
        if not _HEADER_VALUE.fullmatch(key):
            raise BadModelSetting(setting, "holds what no header can carry", hint="Is it a key, without line ends in it?")
        headers[access.key_header] = access.key_prefix + key
        secrets.append(key)
    elif credentials:
        basic = base64.b64encode(":".join(map(unquote, [*credentials, "", ""][:2])).encode()).decode()
        headers["authorization"] = f"Basic {basic}"
        secrets.append(basic)
    elif access.key_header not in own and urlsplit(base_url).hostname == urlsplit(access.default_url).hostname:
        raise KeyMissing(access.provider, variable)
    if query := urlsplit(base_url).query:
        secrets += [value for part in query.split("&") if (value := part.partition("=")[2])]
    return Endpoint(shown, base_url, headers | own, _spelled(secrets), timeout_of(access.provider, settings))


def _place(access: Access, environment: Mapping[str, str], settings: Mapping[str, object]) -> tuple[str, str]:
    """Returns (what says where a provider is, where that is)."""
    section = f"models.{access.provider}.base_url"
    from_environment = environment.get(access.url_variable, "").strip()
    if own := _filled(access, settings.get("base_url"), environment, section):
        return section, own
    if from_environment:
        return access.url_variable, from_environment
    return section, _filled(access, settings.get("default_url"), environment, section) or access.default_url


def _headers(access: Access, given: object, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the headers that settings ask for, by lower-case names."""
    section = f"models.{access.provider}.headers"
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise BadModelSetting(section, f"is a table of names and values, not {type(given).__name__}")
    found = {}
    for name, value in given.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
            raise BadModelSetting(section, f"has {name!r:.80}, which is no header that can be set")
        filled = _filled(access, value, environment, f"{section}.{name}")
        if not _HEADER_VALUE.fullmatch(filled):
            raise BadModelSetting(f"{section}.{name}", "holds what no header can carry")
        found[name.lower()] = filled
    return found


def _filled(access: Access, given: object, environment: Mapping[str, str], setting: str) -> str:
    """Returns a text with the variables in it filled in; nothing for None."""
    if given is None:
        return ""
    if not isinstance(given, str):
        raise BadModelSetting(setting, f"is text, not {type(given).__name__}")

    def value(found: re.Match[str]) -> str:
        if not environment.get(found[1]):
            raise KeyMissing(access.provider, found[1])
        return environment[found[1]].strip()

    return VARIABLE.sub(value, given).strip()


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
