"""What a run of a checked pipeline would lack as things are: extras that are not installed, variables that are not set."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping

from gvstore import host
from gvstore.models.fault import UnknownModel
from gvstore.models.provider import PROVIDERS, provider_of
from gvstore.pipeline.fault import Fault, arranged
from gvstore.pipeline.module_call import model_name
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.step import Work
from gvstore.pipeline.template import Text

_PACKAGES = {"openai": "httpx2", "anthropic": "httpx2", "local": "xllamacpp"}  # by extra


def foreseen(pipeline: Pipeline, provider: str = "") -> tuple[Fault, ...]:
    """Returns warnings, at the steps that they are of; those of pipelines that steps run too."""
    return arranged(_foreseen(pipeline, provider))


def _foreseen(pipeline: Pipeline, provider: str) -> Iterator[Fault]:
    environment = host.environment()
    for step in pipeline.steps:
        for work in (step.work, step.fallback):
            if work is None:
                continue
            if work.pipeline is not None:
                yield from _foreseen(work.pipeline, provider)
            if work.system is not None:
                for what in (*_missing_extra(work, provider), *_unset(work, environment)):
                    yield Fault(step.place, f"{step.output_name}: {what}", fatal=False)


def _missing_extra(work: Work, provider: str) -> Iterator[str]:
    try:
        model = model_name(work.model_config, provider)
    except UnknownModel:
        return
    extra = PROVIDERS[provider_of(model)].extra
    if extra in _PACKAGES and importlib.util.find_spec(_PACKAGES[extra]) is None:
        yield f'{model} needs {_PACKAGES[extra]}, which is not installed: run `pip install ".[{extra}]"` in the clone'


def _unset(work: Work, environment: Mapping[str, str]) -> Iterator[str]:
    texts = [work.supplement, work.system, *(value for _, value in work.model_config.items())]
    texts += list((work.model_config.headers or {}).values())
    for name in dict.fromkeys(name for each in texts if isinstance(each, Text) for name in each.variables):
        if name not in environment:
            yield f"the environment has no variable {name}"
