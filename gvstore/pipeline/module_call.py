"""One step at work: what a module is given, and what it can do.

    call.prompt                  the user's message, assembled; `call.system` the system prompt
    call.ask()                   what the model answers to these two
    call.ask(text, config=...)   ... to another message, asked otherwise
    call.question("Go on?")      what a person answers: --input, the terminal, or `gv answer` later
    call.folder                  where generated files go

Every model call, question and registered function that it calls is recorded below the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gvstore import host
from gvstore.journal.question import request_input
from gvstore.journal.recorder import CURRENT
from gvstore.models.completion import FILLED
from gvstore.models.fault import ModelFailed
from gvstore.models.protocol import Completion
from gvstore.models.provider import provider_of, resolve_model
from gvstore.models.settings import current_settings, using
from gvstore.pipeline.conduct import current_conduct
from gvstore.pipeline.model_config import ModelConfig
from gvstore.pipeline.prompt import Prompt, messages
from gvstore.pipeline.step import Step, Work
from gvstore.pipeline.template import Text

if TYPE_CHECKING:
    from gvstore.pipeline.program import Program

AS_JSON = "Give this answer as JSON, in the form that is asked for, and nothing else."
_SAMPLING = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty", "stop")
_PLACES = ("base_url", "api_key", "headers")


@dataclass(slots=True)
class ModuleCall:
    """A step being executed.

    `inputs` are the results that it was given, by the names that were typed;
    `answers` what `--input` answers, in turn; `seed` that of this sample;
    `below` what it answers of the pipeline that the step runs.
    """

    program: Program
    step: Step
    work: Work
    inputs: Mapping[str, Any]
    prompt: Prompt
    answers: Sequence[str] = ()
    seed: int | None = None
    below: Mapping[str, list[str]] = field(default_factory=dict)
    _asked: int = field(default=0)

    @property
    def options(self) -> Mapping[str, Any]:
        """Of `params:`, those that the module knows."""
        return self.step.options

    @property
    def system(self) -> Prompt | None:
        """The system prompt; of a module that asks no model None."""
        return self.work.system

    @property
    def config(self) -> ModelConfig:
        """How the step asks its model."""
        return self.work.model_config

    @property
    def folder(self) -> Path:
        """The folder for generated files, which may not be there yet."""
        return self.program.output

    def ask(self, prompt: Prompt | None = None, *, system: Prompt | None = None, config: ModelConfig | None = None) -> str:
        """Returns what the model answers; without arguments to the step's own prompts, asked as the step says.

        Raises:
            ModelFailed: it gave no answer.
        """
        return self.complete(prompt, system=system, config=config).text

    def complete(
        self, prompt: Prompt | None = None, *, system: Prompt | None = None, config: ModelConfig | None = None, schema: Any = None
    ) -> Completion:
        """Returns the same with what is known of it: tokens, the model that answered."""
        from gvstore.models.call import complete

        with self._asking(prompt, system, config) as (said, options):
            return complete(said, **options, **({"schema": schema} if schema is not None else {}))

    def converse(self, tools: Sequence[Any], rounds: int, *, schema: Any = None) -> Any:
        """Returns what the model answers in the end, with the help of functions; with a `schema` its answer as such a value.

        That is asked for last, in a call of its own: a model that is held to a schema cannot call functions.  Where
        tools/tool_prompt.txt tells of the functions, their calls are asked for in the text, as it says.
        """
        from gvstore.models.call import complete
        from gvstore.models.conversation import converse

        with self._asking(None, None, None) as (said, options):
            told: dict[str, Any] = {"form": "inline", "prompt": ""} if self.program.pipeline.config.tools else {}
            text = converse(said, tools, rounds=rounds, **told, **options).text
            if schema is None:
                return text
            asked = [*said, {"role": "assistant", "content": text}, {"role": "user", "content": AS_JSON}]
            return complete(asked, schema=schema, **options).value

    @contextmanager
    def _asking(
        self, prompt: Prompt | None, system: Prompt | None, config: ModelConfig | None
    ) -> Iterator[tuple[list[dict[str, str]], dict[str, Any]]]:
        """Yields (messages as they are recorded, options); in the block a model is sent the messages with all variables filled in."""
        user = self.prompt if prompt is None else prompt
        told = self.system if system is None else system
        config = self.config if config is None else config
        said = messages("" if told is None else str(told), str(user))
        filled = {str(each): self.sent(each) for each in (user, told) if isinstance(each, Text)}
        hide_variables([value for name, value in config.items() if name in _PLACES])
        model = model_name(config, self.program.provider)
        conduct = current_conduct()
        options: dict[str, Any] = {name: value for name, value in config.items() if name in _SAMPLING} | {"model": model, "seed": self.seed}
        if conduct.streams:
            options["on_text"] = lambda piece: conduct.listener.said(self.step.name, piece)
        if self.step.timeout_s is not None:
            options["timeout_s"] = self.step.timeout_s
        token = FILLED.set(filled)
        try:
            with settings_of(config, provider_of(model)):
                yield [each for each in said if each["role"] == "user" or told is not None], options
        except ModelFailed as e:
            e.args = tuple(clean(each) if isinstance(each, str) else each for each in e.args)  # it may say again what it was sent
            raise
        finally:
            FILLED.reset(token)

    def question(self, text: str, *, about: object = None, kind: Any = str) -> Any:
        """Returns what a person answers: the next `--input` of this step, else whoever sits at the terminal, else later.

        Raises:
            InputRequest: nobody answers now; the run waits.
        """
        if self._asked < len(self.answers):
            self._asked += 1
            return self.answers[self._asked - 1]
        self._asked += 1
        return request_input(kind, about, context=text)

    def sent(self, prompt: Prompt) -> str:
        """Returns a text with variables of the environment filled in; their values are kept out of the record from here on.

        Raises:
            MissingVariable: the environment lacks one.
        """
        if not isinstance(prompt, Text):
            return prompt
        environment = host.environment()
        text = prompt.filled(environment)
        frame = CURRENT.get()
        if frame is not None:
            frame.recording.hide({name: environment[name] for name in prompt.variables})
        return text


def hide_variables(values: object) -> None:
    """Keeps the variables in a tree of plain data out of the record from here on: a model may say again what it was asked with."""
    frame = CURRENT.get()
    if frame is None:
        return
    match values:
        case Text():
            environment = host.environment()
            frame.recording.hide({name: environment[name] for name in values.variables if name in environment})
        case Mapping():
            hide_variables(list(values.values()))
        case list() | tuple():
            for each in values:
                hide_variables(each)


def clean(text: str) -> str:
    """Returns a text without the secrets that are kept out of the record."""
    frame = CURRENT.get()
    return text if frame is None else frame.recording.redactor.clean_text(text)


def model_name(config: ModelConfig, provider: str) -> str:
    """Returns the full name of the model that is asked; `provider` is where every name goes, if anywhere."""
    return resolve_model(config.model or "local", provider or config.provider or "")


@contextmanager
def settings_of(config: ModelConfig, provider: str) -> Iterator[None]:
    """Has models asked in the block at the address, and with the key and headers, that a model_config names."""
    own: dict[str, object] = {}
    for name, value in config.items():
        if name in _PLACES:
            own[name] = {key: str(each) for key, each in value.items()} if isinstance(value, Mapping) else str(value)
    settings = current_settings()
    if not own:
        yield
        return
    options = {**settings.options, provider: {**settings.options.get(provider, {}), **own}}
    with using(replace(settings, options=options)):
        yield
