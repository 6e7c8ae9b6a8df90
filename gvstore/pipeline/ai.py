"""What functions of `modules.py` use: `AI` asks a model as a module does, `log_action` notes something for the log.

    def shortener(prompt, model_config=None):
        answer = AI("shortener", model_config).generate_response(prompt)
        log_action({"module": "shortener", "input": prompt, "output": answer["response_text"]})
        return answer["response_text"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gvstore import host
from gvstore.errors import UsageFault
from gvstore.journal.recorder import depend_on
from gvstore.journal.register import register
from gvstore.pipeline.fault import Faults
from gvstore.pipeline.model_config import ModelConfig
from gvstore.pipeline.module_call import ModuleCall
from gvstore.pipeline.modules import TOOL_PROMPT
from gvstore.pipeline.project import Project
from gvstore.pipeline.prompt import Prompt, compressed_tools, one_line, system_prompt
from gvstore.pipeline.source import GENERAL
from gvstore.pipeline.template import BadTemplate, Param, made_text, parse_template
from gvstore.pipeline.work import CALL


class OutsidePipeline(UsageFault):
    """Something of a pipeline was used where none runs."""

    hint = "Call it from a function that is a module of a pipeline."


class NoPrompt(UsageFault):
    """A module has no prompt file."""


class AI:
    """A module's model: asked with system_prompts/<module_name>.txt, as the step says, or as `model_config` says over that."""

    def __init__(self, module_name: str, model_config: Mapping[str, Any] | None = None) -> None:
        call = CALL.get()
        if call is None:
            raise OutsidePipeline(f"AI({module_name!r}) asks as a step of a pipeline does, and none is running")
        self.module_name, self._call = module_name, call
        self._config = _config_of(model_config).over(call.config)

    def generate_response(self, prompt: str) -> dict[str, Any]:
        """Returns what the model answers as `response_text`, and what is known of that, as OrchestrAI's log has it.

        Raises:
            NoPrompt: the module has no prompt file, or an empty one.
            ModelFailed: the model gave no answer.
        """
        system, parts = system_of(self._call, self.module_name)
        begun = host.now_us() // 1000
        completion = self._call.complete(prompt, system=system, config=self._config)
        said = {name: getattr(self._config, name) for name in _LOGGED}
        return {
            "module_name": self.module_name,
            "response_text": completion.text,
            "messages": [{"role": "system", "content": str(system)}, {"role": "user", "content": prompt}],
            "llm_start_time_ms": begun,
            "llm_end_time_ms": host.now_us() // 1000,
            "token_count": len(completion.text.split()),
            "status_code": "success",
            "status_message": None,
            "system_prompt": str(system),
            "component_prompts": parts,
            "prompt": prompt,
            **said,
        }


_LOGGED = ("max_tokens", "top_p", "temperature", "frequency_penalty", "presence_penalty")


def _config_of(given: Mapping[str, Any] | None) -> ModelConfig:
    known = [each.name for each in fields(ModelConfig)]
    for name in given or {}:
        if name not in known:
            raise UsageFault(f"a model_config has no {name!r}", hint=f"It may have {', '.join(known)}.")
    return ModelConfig(**{name: value for name, value in (given or {}).items() if value is not None})


def system_of(call: ModuleCall, module: str) -> tuple[Prompt, list[str]]:
    """Returns (the system prompt of a module, the texts of its files); the running call depends on these."""
    pipeline, project = call.program.pipeline, Project(call.program.pipeline.root)
    names = [GENERAL, f"system_prompts/{module}.txt", *([TOOL_PROMPT] if pipeline.config.tools else [])]
    faults = Faults()
    files = [project.read(name, faults) for name in names]
    for name, file in zip(names, files, strict=True):
        if file is not None or name != GENERAL:
            depend_on(project.root / name)
    faults.raise_fatal()
    general, own, tools = (*files, None)[:3]
    if own is None or not own.text.strip():
        raise NoPrompt(f"AI({module!r}) has no prompt: write what it is told into {project.root / names[1]}")
    told = system_prompt(
        module,
        _filled(own.text, call.step.scope),
        general=_filled(general.text, call.step.scope) if general is not None else "",
        tools=compressed_tools(tools.text) if tools is not None else None,
    )
    return told, [file.text for file in files if file is not None]


def _filled(text: str, scope: Mapping[str, Any]) -> Prompt:
    """Returns a prompt file's text in one line, with the step's parameters, where it has any, filled in."""
    try:
        parts = parse_template(text) if scope else ()
    except BadTemplate as e:
        raise UsageFault(f"a prompt file cannot be filled in: {e}") from e
    if not parts:
        return one_line(text)
    return made_text([_value(part, scope) if isinstance(part, Param) else one_line(part) if isinstance(part, str) else part for part in parts])


def _value(param: Param, scope: Mapping[str, Any]) -> str:
    value: Any = scope
    for name in param.path:
        if not isinstance(value, Mapping) or name not in value:
            raise UsageFault(f"unknown parameter {param.name!r} in a prompt file")
        value = value[name]
    return str(value)


@register
def log_action(action: dict[str, Any]) -> None:
    """Notes something for `gv pipeline export --format memory-log`: a dict of module, input and output."""
