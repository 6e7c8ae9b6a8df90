"""How models are asked, beside what is asked of them: addresses, prices, limits, retries.

They come from the configuration of the active repository and of the user, the
part `[models]`, or from a block:

    with using(Settings(provider="local")): ...        every model name means the local model

Settings are no arguments of a recorded call, since they do not say what is
asked; but for `provider`, which is resolved into the model's name before the
call begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from gvstore.models.attempts import Backoff, backoff_of
from gvstore.models.endpoint import VARIABLE
from gvstore.models.fault import BadModelSetting
from gvstore.models.limit import Limit, limits_of
from gvstore.models.price import PriceTable, prices_of

_DEFAULT = {"base_url": "default_url"}
_PARTS = ("prices", "limits", "retry")


@dataclass(frozen=True, slots=True)
class Settings:
    """How models are asked; `options` are a provider's own, by provider: `base_url`, `headers`, `timeout_s`, `shell`, ..."""

    provider: str = ""
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    prices: PriceTable = field(default_factory=PriceTable)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    backoff: Backoff = field(default_factory=Backoff)

    def limit(self, provider: str, name: str) -> tuple[str, Limit] | None:
        """Returns (whose it is, the limit) for a model: its own, else its provider's."""
        for key in (f"{provider}:{name}", name, provider):
            if key in self.limits:
                return key, self.limits[key]
        return None


_current: ContextVar[Settings | None] = ContextVar("gvstore.models.settings", default=None)


@contextmanager
def using(settings: Settings) -> Iterator[None]:
    """Has models asked in this way in the block, by its tasks too, and by threads that are begun in a recording."""
    token = _current.set(settings)
    try:
        yield
    finally:
        _current.reset(token)


def current_settings() -> Settings:
    """Returns the settings of the innermost block, else of the active repository's configuration, else the defaults."""
    settings = _current.get()
    return configured() if settings is None else settings


def configured(provider: str = "") -> Settings:
    """Returns the settings that the active repository's configuration spells; without one, the defaults.

    Raises:
        BadModelSetting: the part `[models]` holds what cannot be meant.
    """
    from gvstore.journal.api import active_repository

    repository = active_repository()
    return Settings(provider) if repository is None else settings_of(repository.config.table("models"), provider)


def settings_of(table: Mapping[str, object], provider: str = "") -> Settings:
    """Returns the settings that the part `[models]` of a configuration spells.

    Raises:
        BadModelSetting: it holds what cannot be meant.
    """
    from gvstore.models.provider import PROVIDERS, check_settings

    for name, part in table.items():
        if name not in (*_PARTS, *PROVIDERS):
            raise BadModelSetting(f"models.{name}", f"is no setting; known: {', '.join((*_PARTS, *PROVIDERS))}")
        if not isinstance(part, Mapping):
            raise BadModelSetting(f"models.{name}", "is a table", hint=f"It looks like [models.{name}], with settings below it.")
        if isinstance(key := part.get("api_key", "${env:X}"), str) and not VARIABLE.fullmatch(key):
            hint = 'Write api_key = "${env:NAME}", and set NAME in the environment.'
            raise BadModelSetting(f"models.{name}.api_key", "is a secret, and does not stand in a file", hint=hint)
        if name in PROVIDERS:
            check_settings(name, part)
    parts: dict[str, Mapping[str, object]] = {name: part for name, part in table.items() if isinstance(part, Mapping)}
    return Settings(
        provider=provider,
        # The environment's address goes before that of a file, and what a program says before both.
        options={
            name: {_DEFAULT.get(key, key): value for key, value in part.items()} for name, part in parts.items() if name not in _PARTS
        },
        prices=prices_of(parts.get("prices", {})),
        limits=limits_of(parts.get("limits", {})),
        backoff=backoff_of(parts.get("retry", {})),
    )
