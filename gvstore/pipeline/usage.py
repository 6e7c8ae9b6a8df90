"""What the models that a recorded step asked have used: one entry a call, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gvstore.journal.invocation import Invocation
from gvstore.pipeline.component import COMPLETE, PIPELINE


@dataclass(frozen=True, slots=True)
class Usage:
    """One question to a model: `call` holds messages and answer, `output` is None where it failed."""

    call: Invocation
    model: str
    prompt_tokens: int
    completion_tokens: int
    output: Any = None

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.prompt_tokens + self.completion_tokens


def usage_of(call: Invocation, *, nested: bool = True) -> Iterator[Usage]:
    """Yields the questions to models at and below a call, in order; without `nested` not those of other pipelines below it."""
    stack = [call]
    while stack:
        each = stack.pop()
        if each.component.name == COMPLETE:
            yield _usage(each)
            continue
        if each is not call and not nested and each.component.flavor == PIPELINE:
            continue
        stack += reversed(list(each.get_children()))


def _usage(call: Invocation) -> Usage:
    output = call.get_output()
    counts = [getattr(output, name, 0) for name in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (count if type(count) is int else 0 for count in counts)
    return Usage(call, str(call.args.get("model", "")), prompt, completion, output)
