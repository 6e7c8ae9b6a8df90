"""Graphs lead from action to action; builders take what programs type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gvstore.machine.condition import expr, on_error, when
from gvstore.machine.finding import MachineFault
from gvstore.machine.graph import Graph, GraphBuilder, UnknownAction
from gvstore.machine.node import Node
from gvstore.machine.transition import Transition
from tests.machine.act import Act, acting

COUNTER = Act(None, ("count",), ("count",), (["by"], ["at", "__context"]), ("loop", "counting"))


def builder() -> GraphBuilder:
    """A counter up to ten, and its end."""
    return GraphBuilder().with_actions(counter=COUNTER, result=Act(None, ("count",))).with_transitions(
        ("counter", "counter", expr("count < 10")), ("counter", "result")
    )  # fmt: skip


def following(graph: Graph, name: str, state: dict[str, Any]) -> str | None:
    """The name of what comes next."""
    found: Node | None = graph.get_next_node(name, state, "counter")
    return found.name if found is not None else None


def test_the_first_that_holds_is_taken() -> None:
    """In the order they were typed; nothing at the end, the entrypoint at the beginning."""
    graph = builder().build()

    assert "counter" == following(graph, "counter", {"count": 9})
    assert "result" == following(graph, "counter", {"count": 10})
    assert following(graph, "result", {"count": 10}) is None
    entry = graph.get_next_node(None, {}, "counter")
    assert entry is not None and "counter" == entry.name


def test_builders_join_graphs_and_sources() -> None:
    """`with_graph` adds all of another graph, a list of sources is a transition each, "*" is all but the target."""
    other = GraphBuilder().with_actions(a=COUNTER, b=COUNTER).with_transitions(("a", "b", when(count=1))).build()
    made = builder().with_graph(other).with_transitions((["b", "result"], "counter"), ("*", "result", on_error(OSError, max=2)))

    assert 6 == len(made.transitions)
    graph = made.build()
    assert ["counter", "result", "a", "b"] == [action.name for action in graph.actions]
    assert [
        "counter -> counter [count < 10]",
        "counter -> result [default]",
        "a -> b [count=1]",
        "b -> counter [default]",
        "result -> counter [default]",
        "counter -> result [on_error(OSError, max=2)]",
        "a -> result [on_error(OSError, max=2)]",
        "b -> result [on_error(OSError, max=2)]",
    ] == [repr(transition) for transition in graph.transitions]


def test_errors_have_edges_of_their_own() -> None:
    """Only an error takes them, and only so often in a row."""
    graph = builder().with_transitions(("counter", "counter", on_error(OSError, max=1)), ("counter", "result", on_error(KeyError))).build()

    taken = graph.get_error_transition("counter", TimeoutError(), {})
    assert taken is not None and (2, "counter") == (taken[0], taken[1].to.name)
    assert graph.get_error_transition("counter", TimeoutError(), {2: 1}) is None
    caught = graph.get_error_transition("counter", KeyError(), {2: 1, 3: 9})
    assert caught is not None and "result" == caught[1].to.name
    assert graph.get_error_transition("result", KeyError(), {}) is None
    assert "result" == following(graph, "counter", {"count": 10})


def test_functions_and_names() -> None:
    """A decorated function is an action of its own name, or of the one that is given."""

    @acting(writes=("x",))
    def speak() -> None: ...

    graph = GraphBuilder().with_actions(speak, Act("named"), again=speak).build()

    assert ["speak", "named", "again"] == [action.name for action in graph.actions]


def test_actions_are_found_by_name_and_tag() -> None:
    """Or an error that names the near ones."""
    graph = builder().build()

    assert graph.actions[0] is graph.get_action("counter")
    assert [graph.actions[0]] == graph.get_actions_by_tag("loop")
    with pytest.raises(UnknownAction, match="action conter not found in graph") as caught:
        graph.get_action("conter")
    assert "Did you mean counter?" == caught.value.hint
    with pytest.raises(ValueError, match="tag lop not found in graph"):
        graph.get_actions_by_tag("lop")
    with pytest.raises(UnknownAction):
        graph.get_next_node("conter", {}, "counter")


def test_a_graph_is_made_by_hand_too() -> None:
    """Actions, and transitions between them."""
    a, b = Act("a"), Act("b")
    graph = Graph(actions=[a, b], transitions=[Transition(from_=a, to=b, condition=when(x=1))])

    assert "b" == following(graph, "a", {"x": 1})
    assert 1 == len(graph.transitions_from("a"))
    assert "<Graph: 2 actions, 1 transitions>" == repr(graph)


def test_a_graph_is_plain_data() -> None:
    """For JSON."""
    described = builder().build().to_dict()

    assert described == json.loads(json.dumps(described))
    assert {
        "name": "counter",
        "reads": ["count"],
        "writes": ["count"],
        "inputs": ["by"],
        "optional_inputs": ["at"],
        "tags": ["counting", "loop"],
    } == described["actions"][0]
    assert {"from": "counter", "to": "result", "condition": "default"} == described["transitions"][1]


def test_what_is_wrong_is_told_when_it_is_built() -> None:
    """Not before: all of it at once."""
    with pytest.raises(MachineFault, match=r"1 finding in this machine:\n  1\. a machine has at least one action"):
        GraphBuilder().build()
    with pytest.raises(TypeError, match=r"with_graph\(\) takes a Graph"):
        GraphBuilder().with_graph(GraphBuilder())  # type: ignore[arg-type]
