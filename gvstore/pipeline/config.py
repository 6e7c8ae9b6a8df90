"""`config.yml`: which pipeline runs, and how models are asked where a step does not say.

Every key may be left out, the file too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gvstore.pipeline.document import Node, Table
from gvstore.pipeline.fault import Faults
from gvstore.pipeline.fill import Filler
from gvstore.pipeline.keys import CONFIG
from gvstore.pipeline.kind import WRONG
from gvstore.pipeline.model_config import ModelConfig
from gvstore.pipeline.place import Place

NAMES = ("model", "temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty", "provider", "base_url")


@dataclass(frozen=True, slots=True)
class Config:
    """What a project says of all its pipelines."""

    pipeline: str | None = None
    pipeline_place: Place | None = None
    defaults: ModelConfig = field(default_factory=ModelConfig)
    model_place: Place | None = None  # of default_model
    wandb: bool = False
    tools: bool = False
    code_folder: str = "code"
    image_folder: str = "images"


def config_of(node: Node | None, faults: Faults) -> Config:
    """Returns what the file says; what cannot be read is noted, and is as if it were left out."""
    if node is None:
        return Config()
    read = CONFIG.read(Filler(faults, nowhere="config.yml has no parameters").fill(node, {}), "config.yml", faults)
    if read is WRONG or not isinstance(node, Table):
        return Config()
    key = node.entry("openai_api_key")
    if key is not None:
        faults.add(key.place, "openai_api_key is not read: set OPENAI_API_KEY in the environment, and leave the key out of files", fatal=False)
    named, model = node.get("pipeline"), node.get("default_model")
    return Config(
        pipeline=read.get("pipeline"),
        pipeline_place=named.place if named else None,
        defaults=ModelConfig(**{name: read[f"default_{name}"] for name in NAMES if f"default_{name}" in read}),
        model_place=model.place if model else None,
        wandb=read.get("wandb_enabled", False),
        tools=read.get("tools_enabled", False),
        code_folder=read.get("working_codebase_dirname", "code"),
        image_folder=read.get("working_image_dirname", "images"),
    )
