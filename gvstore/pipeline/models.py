"""Which models a pipeline asks, and how: names that mean one, and secrets that stand in no file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gvstore.pipeline.document import Node, Scalar, Table
from gvstore.pipeline.fault import Faults, or_meant, quoted
from gvstore.pipeline.model_config import PROVIDERS, ModelConfig
from gvstore.pipeline.place import Place
from gvstore.pipeline.template import Env, Text

_SECRET = re.compile("auth|key|token|secret|cookie|password", re.IGNORECASE)
_PASSWORD = re.compile(r"\w+://[^/@]*:[^/@]*@")
_NAMED = "write ${env:NAME}, and set NAME in the environment"


@dataclass(slots=True)
class Models:
    """Looks at what stands below `model_config:`; `provider` is where every model name goes, if anywhere."""

    provider: str
    faults: Faults

    def read(self, table: Table, said: dict[str, Any]) -> ModelConfig:
        """Returns a model_config that was read; a secret that stands in the file is a fault."""
        self._secrets(table, said)
        stop = said.get("stop")
        return ModelConfig(**{**said, "stop": (stop,)} if isinstance(stop, str) else said)

    def check(self, config: ModelConfig, place: Place | None) -> None:
        """Notes a model that nobody knows; no model at all is the default one."""
        if config.model is None or place is None:
            return
        from gvstore.models.fault import UnknownModel  # a room that brings much along
        from gvstore.models.provider import resolve_model

        try:
            resolve_model(config.model, self.provider or config.provider or "")
        except UnknownModel:
            whose, colon, _ = config.model.partition(":")
            otherwise = f"write whose it is, openai:{config.model}, or provider: beside it"
            self.faults.add(place, f"unknown model {quoted(config.model)}: {or_meant(whose, PROVIDERS, otherwise=otherwise) if colon else otherwise}")

    def _secrets(self, table: Table, said: dict[str, Any]) -> None:
        key = table.get("api_key")
        if "api_key" in said and key is not None and not _one_variable(said["api_key"]):
            self.faults.add(key.place, f"api_key is a secret: {_NAMED}")
        headers = table.get("headers")
        for each in headers.entries if isinstance(headers, Table) else ():
            if _SECRET.search(each.key) and _is_plain(each.value):
                self.faults.add(each.value.place, f"{each.key} is a secret: {_NAMED}")
        url, node = said.get("base_url"), table.get("base_url")
        if isinstance(url, str) and node is not None and _PASSWORD.match(url):
            self.faults.add(node.place, f"base_url has a password in it: {_NAMED}")


def _one_variable(value: object) -> bool:
    return isinstance(value, Text) and len(value.parts) == 1 and isinstance(value.parts[0], Env)


def _is_plain(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str)
