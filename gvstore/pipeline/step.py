"""One step of a pipeline, with everything known that can be known before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from gvstore.expression.expression import Expression
from gvstore.pipeline.function_path import FunctionPath
from gvstore.pipeline.keys import RETRIED
from gvstore.pipeline.model_config import ModelConfig
from gvstore.pipeline.place import Place
from gvstore.pipeline.prompt import Prompt

if TYPE_CHECKING:
    from gvstore.pipeline.pipeline import Pipeline


class Does(Enum):
    """What a step does."""

    BUILTIN = "builtin"  # a built-in module
    FUNCTION = "function"  # a Python function
    PROMPT = "prompt"  # asks a model, with a prompt file
    PIPELINE = "pipeline"  # runs another pipeline


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried: `attempts` in all, waiting `backoff_s`, then twice as long each time; on which failures."""

    attempts: int = 1
    backoff_s: float = 1.0
    on: tuple[str, ...] = RETRIED

    def delays_s(self) -> Iterator[float]:
        """Yields how long to wait before the second, third, ... attempt; at most five minutes."""
        for number in range(self.attempts - 1):
            yield min(self.backoff_s * 2.0 ** min(number, 60), 300.0)


@dataclass(frozen=True, slots=True)
class Work:
    """What is done, and how: a step's own, or its fallback's."""

    does: Does
    module: str  # as it stands in headings and logs; of a function its name, of a pipeline its path
    model_config: ModelConfig = field(default_factory=ModelConfig)  # over config.yml's
    supplement: Prompt | None = None
    system: Prompt | None = None  # the whole system prompt, of what asks a model
    function: FunctionPath | None = None
    pipeline: Pipeline | None = None  # the other pipeline, checked


@dataclass(frozen=True, slots=True)
class Input:
    """One input: the name as it was typed, and the steps whose results it is; `many`: a list of them, of `foreach`."""

    name: str
    steps: tuple[str, ...]
    many: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step.  Of an operation with `foreach` or `matrix` there is one for each item, `translation@es`.

    `scope` are the parameters that it can see, and `item`, as plain data; those
    with variables of the environment are `Text`.
    """

    name: str
    output_name: str
    place: Place
    work: Work
    inputs: tuple[Input, ...]
    when: Expression | None = None
    when_inputs: tuple[Input, ...] = ()  # the results that `when` reads
    scope: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)  # of a built-in module; keyword arguments of a function
    samples: int | None = None  # `n`: the result is a list of so many
    seed: int | None = None
    schema: Any = None
    tools: tuple[FunctionPath, ...] = ()
    rounds: int = 8
    retry: Retry = field(default_factory=Retry)
    timeout_s: float | None = None
    skip_on_error: bool = False
    fallback: Work | None = None
    cache: bool = True

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The names of the steps that must be done before, each once, in the order of the inputs."""
        return tuple(dict.fromkeys(name for each in (*self.inputs, *self.when_inputs) for name in each.steps))

    @property
    def asks(self) -> bool:
        """Whether it asks a person."""
        return self.work.does is Does.BUILTIN and self.work.module in ("start_module", "human_intervention")
