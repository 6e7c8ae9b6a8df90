"""How a step asks its model: what the step says, over what `config.yml` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from gvstore.pipeline.template import Text

PROVIDERS = ("local", "openai", "anthropic", "command", "recorded")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What is set; None is not set.  A `Text` holds variables of the environment, to be filled in when the call is made."""

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: tuple[str, ...] | None = None
    provider: str | None = None
    base_url: str | Text | None = None
    api_key: Text | None = None
    headers: Mapping[str, str | Text] | None = None

    def over(self, defaults: ModelConfig) -> ModelConfig:
        """Returns this with what it leaves open taken from `defaults`."""
        return replace(defaults, **dict(self.items()))

    def items(self) -> list[tuple[str, Any]]:
        """Returns what is set, in the order of the fields."""
        return [(each.name, value) for each in fields(self) if (value := getattr(self, each.name)) is not None]

    def shown(self) -> dict[str, object]:
        """Returns what is set as plain data, fit to be recorded: variables of the environment by their names."""
        return {name: plain(value) for name, value in self.items()}


def plain(value: object) -> object:
    """Returns a value with every `Text` in it as it may be shown."""
    match value:
        case Text():
            return str(value)
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    return value
