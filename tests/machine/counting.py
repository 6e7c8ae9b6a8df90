"""Small machines that many tests run."""

from __future__ import annotations

from typing import Any

from gvstore.machine import ApplicationBuilder, State, action, expr, on_error


@action(reads=["count"], writes=["count"])
def count(state: State[Any], by: int = 1) -> tuple[dict[str, Any], State[Any]]:
    """Counts."""
    result = {"count": state["count"] + by}
    return result, state.update(**result)


@action(reads=["count"], writes=["done"], tags=["last"])
def finish(state: State[Any]) -> State[Any]:
    """Says that it is over."""
    return state.update(done=True)


def counter(most: int = 3) -> ApplicationBuilder[Any]:
    """Counts to `most`, and finishes."""
    return (
        ApplicationBuilder()
        .with_actions(count, finish)
        .with_transitions(("count", "count", expr(f"count < {most}")), ("count", "finish"))
        .with_state(count=0)
    )


def endless() -> ApplicationBuilder[Any]:
    """Counts for ever."""
    return ApplicationBuilder().with_actions(count).with_transitions(("count", "count")).with_state(count=0)


class Flaky:
    """Fails so many times, and then goes well."""

    def __init__(self, failures: int) -> None:
        self.left, self.calls = failures, 0

    def __call__(self) -> None:
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise OSError(f"call {self.calls}")


def flaky(failures: int, most: int | None = 3) -> tuple[ApplicationBuilder[Any], Flaky]:
    """Begins, tries until it goes well or went wrong too often, and then mends."""
    attempt = Flaky(failures)

    @action(reads=[], writes=["answer"])
    def try_it(state: State[Any]) -> State[Any]:
        attempt()
        return state.update(answer="well")

    @action(reads=[], writes=["answer"])
    def mend(state: State[Any], __context: Any) -> State[Any]:
        return state.update(answer=f"mended: {__context.error}")

    @action(reads=["answer"], writes=["ended"])
    def end(state: State[Any]) -> State[Any]:
        return state.update(ended=True)

    builder = (
        ApplicationBuilder()
        .with_actions(try_it, mend, end)
        .with_transitions(
            ("try_it", "try_it", on_error(OSError, max=most)),
            ("try_it", "mend", on_error(OSError)),
            (["try_it", "mend"], "end"),
        )
    )
    if most is None:
        builder = (
            ApplicationBuilder()
            .with_actions(try_it, mend, end)
            .with_transitions(("try_it", "mend", on_error(OSError)), (["try_it", "mend"], "end"))
        )
    return builder, attempt
