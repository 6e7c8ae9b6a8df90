"""What can go wrong between a program and a model: each says what to type next.

    UsageFault           known before a model is asked (exit 2)
    ├── UnknownModel        no model, or provider, of that name
    ├── ModelNotInstalled   the extra that runs it is missing
    ├── ModelFileMissing    GV_MODEL_PATH names no file
    ├── KeyMissing          the environment holds no key for the endpoint
    └── BadModelSetting     a base URL, a price, an option that cannot be meant
    ComponentRaised      a call that failed (exit 20); its run is kept
    └── ModelFailed         see `failure.py` for its kinds
        └── ContextOverflow    the messages do not fit the model's context
    RemoteFault
    └── PullFailed       the weights could not be had; nothing was left behind
        └── WrongHash       what came is not what is pinned
"""

from __future__ import annotations

from pathlib import Path

from gvstore.errors import ComponentRaised, RemoteFault, UsageFault


class UnknownModel(UsageFault):
    """No model has this name."""

    hint = "Say whose it is, as in `openai:NAME`, `anthropic:NAME` or `command:PROGRAM`; `gv model list` shows the local one."

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name, self.known = name, known
        super().__init__(f"no model named {name!r}; known: {', '.join(known)}")


class ModelNotInstalled(UsageFault):
    """The package that runs this model is not installed."""

    def __init__(self, model: str, package: str, extra: str) -> None:
        self.model, self.package, self.extra = model, package, extra
        super().__init__(
            f"the {model} model needs {package}, which is not installed",
            hint=f'Run `pip install ".[{extra}]"` in the clone, or `pip install "gvstore[{extra}]"`.',
        )


class ModelFileMissing(UsageFault):
    """GV_MODEL_PATH names no file."""

    hint = "Set GV_MODEL_PATH to a GGUF file, or unset it to use the default model."

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"GV_MODEL_PATH is {path}, and there is no such file")


class KeyMissing(UsageFault):
    """The environment holds no key for the endpoint."""

    def __init__(self, provider: str, variable: str) -> None:
        self.provider, self.variable = provider, variable
        super().__init__(
            f"{provider} needs a key, and {variable} is not set",
            hint=f"Set {variable} in the environment; gv never stores it. `--provider local` needs none.",
        )


class BadModelSetting(UsageFault):
    """A setting of a provider cannot be meant."""

    def __init__(self, setting: str, why: str, *, hint: str | None = None) -> None:
        self.setting, self.why = setting, why
        super().__init__(f"{setting} {why}", hint=hint)


class ModelFailed(ComponentRaised):
    """The model gave no answer.

    `again` is whether asking once more may help, `after_s` how many seconds
    to wait before that, if it was told; `retried` is how each earlier attempt failed.
    """

    again = False

    def __init__(self, model: str, why: str, *, hint: str | None = None, after_s: float | None = None) -> None:
        self.model, self.why, self.after_s = model, why, after_s
        self.retried: tuple[str, ...] = ()
        super().__init__(f"{model} failed: {why}", hint=hint)

    def after(self, retried: tuple[str, ...]) -> ModelFailed:
        """Returns this failure, as the last of several attempts."""
        if retried:
            self.retried = retried
            self.args = (f"{self} (after {len(retried) + 1} attempts; first: {retried[0]})",)
        return self


class ContextOverflow(ModelFailed):
    """The messages are longer than what the model can hold; the numbers are 0 where the endpoint tells none."""

    hint = "Shorten the messages."

    def __init__(self, model: str, prompt_tokens: int, context_tokens: int, why: str = "") -> None:
        self.prompt_tokens, self.context_tokens = prompt_tokens, context_tokens
        super().__init__(model, why or f"the messages have {prompt_tokens} tokens, but it holds {context_tokens}")


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
