"""Counts: the smallest state machine.

    gv run counter.py:application --until tell
"""

from gvstore.machine import ApplicationBuilder, State, action, expr


@action(reads=["counter"], writes=["counter"])
def count(state: State, by: int = 1) -> State:
    """Counts on."""
    return state.increment(counter=by)


@action(reads=["counter"], writes=["text"])
def tell(state: State) -> State:
    """Says how far it came."""
    return state.update(text=f"counted to {state['counter']}")


application = (
    ApplicationBuilder()
    .with_actions(count, tell)
    .with_transitions(
        ("count", "count", expr("counter < 5")),
        ("count", "tell"),
    )
    .with_state(counter=0)
    .with_identifiers(app_id="counter")
    .build()
)
