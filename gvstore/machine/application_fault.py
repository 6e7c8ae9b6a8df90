"""What is wrong with a call of an application; its state is as it was before the step that could not be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gvstore.errors import GvWarning, UsageFault
from gvstore.machine.finding import meant


class MachineWarning(GvWarning):
    """A machine runs, and something about it is most likely not meant."""


class UnknownInput(UsageFault, ValueError):
    """An input that no action of the graph takes."""

    def __init__(self, name: str, takers: Mapping[str, Sequence[str]]) -> None:
        self.name = name
        known = list(takers)
        listed = ", ".join(f"{each} ({', '.join(actions)})" for each, actions in takers.items())
        if name.startswith("__"):
            what, hint = f"input {name} begins with a double underscore: such names are the machine's own", "Give it another name."
        else:
            what, hint = f"no action takes an input {name}", meant(name, known, f"Inputs are: {listed or 'none'}.")
        super().__init__(what, hint=hint)


class TooManySteps(UsageFault, RuntimeError):
    """A run went on for as many steps as it may; the state is that after the last."""

    def __init__(self, limit: int, following: str | None) -> None:
        self.limit, self.following = limit, following
        super().__init__(
            f"stopped after {limit} steps (max_steps={limit}), before {following}: the state is kept",
            hint="Call it again to go on from here, give a greater max_steps=, or say where it ends: halt_after=[...].",
        )


class StepUnderway(UsageFault, RuntimeError):
    """An application is asked for a step while one is not over: in another thread or task, in its own action, or in a stream."""

    def __init__(self, name: str, *, streams: bool) -> None:
        self.action = name
        what = f"the stream of action {name} is not through" if streams else f"action {name} is not through"
        hint = "Read the stream to its end, or close it." if streams else "Wait for it, or go on with application.fork()."
        super().__init__(f"{what}: its application takes one step at a time", hint=hint)


class ForkFault(UsageFault, ValueError):
    """There is nothing to fork from, or it would be forked onto itself."""


class FailedBefore(Exception):
    """What an action raised in another process, as text: where a run is carried on after it."""
