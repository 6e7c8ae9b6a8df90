"""WHO answers: from the name of a model to the model.

    local                        the model that runs in this process
    openai:gpt-4o-mini           an endpoint that speaks OpenAI's chat completions
    anthropic:claude-sonnet-5    Anthropic's
    command:./ask.sh --fast      any program
    recorded:answers.jsonl       answers of a file, or of a run: recorded:run/7

`resolve_model` makes such a name of what a user wrote, once, before a call is
recorded; `make_model` makes the model of it, when the call is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gvstore import host
from gvstore.models.fault import BadModelSetting, UnknownModel
from gvstore.models.protocol import ChatModel

LOCAL: Final = "local"
_OURS: Final = {
    "openai": re.compile(r"(?:ft:)?(?:gpt-|chatgpt-|o\d(?:-|$))"),
    "anthropic": re.compile(r"claude-"),
}


class Provider(NamedTuple):
    """What a provider can: whether its models take tools by themselves, the settings it knows, the extra that it needs."""

    takes_tools: bool
    settings: tuple[str, ...] = ()
    extra: str = ""


_AT_ENDPOINT = ("base_url", "api_key", "key_env", "headers", "timeout_s")
PROVIDERS: Final[Mapping[str, Provider]] = {
    LOCAL: Provider(False, extra="local"),
    "openai": Provider(True, _AT_ENDPOINT, "openai"),
    "anthropic": Provider(True, _AT_ENDPOINT, "anthropic"),
    "command": Provider(False, ("form", "shell", "timeout_s", "most_bytes")),
    "recorded": Provider(True),
}


def resolve_model(name: str, provider: str = "", *, default: str = "") -> str:
    """Returns the full name of a model, `provider:name`, or `local`.

    `provider` is where every name goes, whatever it says: a provider, or one
    with what it is to ask, as in `command:./ask.sh`.  `default` is the provider of
    names that do not tell theirs.

    Raises:
        UnknownModel: nobody knows whose it is.
    """
    if provider:
        whose, _, what = provider.partition(":")
        if whose not in PROVIDERS:
            raise UnknownModel(provider, tuple(PROVIDERS))
        own = name.partition(":")[2] if name.partition(":")[0] == whose else name
        return LOCAL if whose == LOCAL else f"{whose}:{what or own}"
    whose, colon, what = name.partition(":")
    if name == LOCAL or (colon and whose == LOCAL):
        return LOCAL
    if colon and what and whose in PROVIDERS:
        return name
    for each, pattern in _OURS.items():
        if pattern.match(name):
            return f"{each}:{name}"
    if default and name:
        return resolve_model(name, default)
    raise UnknownModel(name, (LOCAL, *(f"{each}:NAME" for each in PROVIDERS if each != LOCAL)))


def provider_of(model: str) -> str:
    """Returns whose a resolved name is."""
    return model.partition(":")[0]


def make_model(
    model: str, settings: Mapping[str, object] | None = None, *, environment: Mapping[str, str] | None = None
) -> ChatModel:
    """Returns the model of a resolved name; nothing is loaded, connected or run yet.

    `settings` are the provider's own; `environment` holds keys and addresses,
    None stands for that of the process.

    Raises:
        UnknownModel: there is none.
        BadModelSetting, KeyMissing: it cannot be asked as things are.
    """
    provider, _, name = model.partition(":")
    known = PROVIDERS.get(provider)
    if known is None or (provider != LOCAL and not name):
        raise UnknownModel(model, tuple(PROVIDERS))
    settings = settings or {}
    check_settings(provider, set(settings) - {"default_url"})
    if provider == LOCAL:
        from gvstore.models.local import local

        return local()
    if provider == "recorded":
        return _recorded(name)
    around = host.environment() if environment is None else environment
    if provider == "openai":
        from gvstore.models.openai import OpenAIModel

        return OpenAIModel.make(name, around, settings)
    if provider == "anthropic":
        from gvstore.models.anthropic import AnthropicModel

        return AnthropicModel.make(name, around, settings)
    from gvstore.models.command import CommandModel

    return CommandModel.make(name, around, settings)


def check_settings(provider: str, names: Iterable[str]) -> None:
    """Raises BadModelSetting for a name that is no setting of a provider."""
    known = PROVIDERS[provider].settings
    for name in sorted(set(map(str, names)) - set(known)):
        raise BadModelSetting(f"models.{provider}.{name}", f"is no setting; {'known: ' + ', '.join(known) if known else 'there are none'}")


def _recorded(source: str) -> ChatModel:
    """Returns the model that answers from a file, or from a run of the active repository."""
    from gvstore.journal.api import active_repository
    from gvstore.journal.recorder import depend_on
    from gvstore.models.recorded import RecordedModel, kept

    path = host.cwd() / source
    if path.is_file() or path.suffix in (".jsonl", ".json"):
        depend_on(path)  # each call does, and not only that which opens it
        known = path.stat().st_mtime_ns if path.is_file() else 0
        return kept(("file", str(path), str(known)), lambda: RecordedModel.of_file(Path(source)))
    repository = active_repository()
    if repository is None:
        raise BadModelSetting(f"recorded:{source}", "is no file, and no repository is active that could have such a run")
    run = repository.run_of(repository.resolve(source))
    return kept((str(repository.gv), run.name), lambda: RecordedModel.of_call(f"recorded:{run.name}", run.invocation))
