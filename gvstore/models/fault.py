"""What can go wrong between a program and a model: each says what to type next.

    UsageFault
    ├── UnknownModel        no model of that name
    ├── ModelNotInstalled   the extra that runs it is missing
    ├── ModelFileMissing    GV_MODEL_PATH names no file
    └── ContextOverflow     the messages do not fit the model's context
    RemoteFault
    ├── ModelFailed         the engine refused the file or the request
    └── PullFailed          the weights could not be had; nothing was left behind
        └── WrongHash       what came is not what is pinned

In a component they end the run as any exception does (exit 20).
"""

from __future__ import annotations

from pathlib import Path

from gvstore.errors import RemoteFault, UsageFault


class UnknownModel(UsageFault):
    """No model has this name."""

    hint = "Run `gv model list` to see the models."

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name, self.known = name, known
        super().__init__(f"no model named {name!r}; known: {', '.join(known)}")


class ModelNotInstalled(UsageFault):
    """The package that runs this model is not installed."""

    def __init__(self, model: str, package: str, extra: str) -> None:
        self.model, self.package, self.extra = model, package, extra
        super().__init__(
            f"the {model} model needs {package}, which is not installed",
            hint=f'Run `pip install "gvstore[{extra}]"`.',
        )


class ModelFileMissing(UsageFault):
    """GV_MODEL_PATH names no file."""

    hint = "Set GV_MODEL_PATH to a GGUF file, or unset it to use the default model."

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"GV_MODEL_PATH is {path}, and there is no such file")


class ContextOverflow(UsageFault):
    """The messages are longer than what the model can hold."""

    hint = "Shorten the messages."

    def __init__(self, model: str, prompt_tokens: int, context_tokens: int) -> None:
        self.model, self.prompt_tokens, self.context_tokens = model, prompt_tokens, context_tokens
        super().__init__(f"the messages have {prompt_tokens} tokens, but {model} holds {context_tokens}")


class ModelFailed(RemoteFault):
    """The engine could not load the model, or refused the request."""

    def __init__(self, model: str, why: str) -> None:
        self.model, self.why = model, why
        super().__init__(f"{model} failed: {why}")


class PullFailed(RemoteFault):
    """The weights could not be had; what had come was removed again."""

    def __init__(self, name: str, why: str, *, hint: str | None = None) -> None:
        self.name, self.why = name, why
        super().__init__(f"cannot pull {name}: {why}", hint=hint)


class WrongHash(PullFailed):
    """What came is not what is pinned: it was removed, and is never used."""

    hint = "Look at the package index that pip is set up to use: it serves another file under this name."

    def __init__(self, name: str, file: str, expected: str, actual: str) -> None:
        self.file, self.expected, self.actual = file, expected, actual
        super().__init__(name, f"{file} has SHA-256 {actual}, expected {expected}")
