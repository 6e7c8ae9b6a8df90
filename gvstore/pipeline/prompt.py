"""What a model is sent: OrchestrAI's prompts, to the byte.

    user:    REQUEST: <text>\\nTASK_PLAN: <text>\\n Supplementary Information: <supplement>
    system:  <general_system.txt>\\n\\n<tool_prompt.txt>\\n\\n\\n --- MODULE ---\\n\\n<system_prompts/module.txt>\\n

The files lose their line ends, which are not replaced by anything; in the tool
prompt the tags `<@ ... @>` go to the end.  The inputs of a step that are lists
(of several answers, of `foreach`) are joined by blank lines; other data is JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from gvstore.pipeline.template import Env, Text, made_text

Prompt = str | Text
_TAG = re.compile(r"<@.*?@>", re.DOTALL)


def system_prompt(module: str, text: Prompt, *, general: Prompt = "", tools: Prompt | None = None) -> Prompt:
    """Returns the system prompt of a module; `text`, `general` and `tools` are `one_line` already."""
    pieces: list[Prompt] = [general]
    if tools is not None:
        pieces += ["\n\n", tools, "\n"]
    return together([*pieces, f"\n\n --- {module.upper()} ---\n\n", text, "\n"])


def module_input(inputs: Iterable[tuple[str, object]], supplement: Prompt | None = None) -> Prompt:
    """Returns the user's prompt: names with what earlier steps gave, then the supplement."""
    text = "\n".join(f"{name.upper()}: {text_of(value)}" for name, value in inputs)
    return together([text, "\n Supplementary Information: ", supplement]) if supplement else text


def messages(system: str, user: str) -> list[dict[str, str]]:
    """Returns the two messages of a call."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def text_of(value: object) -> str:
    """Returns a result as it stands in a prompt."""
    match value:
        case str():
            return value
        case list() | tuple() if value and all(isinstance(each, str) for each in value):
            return "\n\n".join(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def one_line(text: str) -> str:
    """Returns a prompt file's text without its line ends."""
    return text.replace("\n", "")


def compressed_tools(text: str) -> str:
    """Returns the tool prompt in one line, its tags at the end."""
    plain = one_line(text)
    return _TAG.sub("", plain) + "".join(_TAG.findall(plain))


def together(pieces: Sequence[Prompt]) -> Prompt:
    """Returns texts joined, variables of the environment still open."""
    parts: list[str | Env] = []
    for piece in pieces:
        parts += piece.parts if isinstance(piece, Text) else [piece]
    return made_text(parts)


def filled(prompt: Prompt, env: Mapping[str, str]) -> str:
    """Returns a prompt as it is sent, with variables of the environment.

    Raises:
        MissingVariable: `env` lacks one.
    """
    return prompt.filled(env) if isinstance(prompt, Text) else prompt
