"""Drawings show what is in the graph, in forms that other tools read, and nothing lies over anything."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.machine.condition import Condition, default, expr, on_error, when
from gvstore.machine.draw import FORMS, draw
from gvstore.machine.draw_svg import _label, _reach, _sizes
from gvstore.machine.graph import Graph, GraphBuilder, UnknownAction
from gvstore.machine.layout import Layout, layout
from gvstore.machine.sketch import sketch
from gvstore.machine.transition import Transition
from tests.machine.act import Act

SVG = "{http://www.w3.org/2000/svg}"
COUNTER = (
    GraphBuilder()
    .with_actions(counter=Act(None, ("count",), ("count", "seen"), (["by"], ["at", "__context"])), result=Act(None, ("count",)), failed=Act())
    .with_transitions(
        ("counter", "counter", expr("count < 10")),
        ("counter", "result", when(seen="a")),
        ("counter", "counter", when(seen='"<b>"')),
        ("counter", "result"),
        ("*", "failed", on_error(OSError, max=3)),
    )
    .build()
)


def test_as_text() -> None:
    """A paragraph an action; what may follow, in the order in which it is tried."""
    expected = """\
▶ counter   given by, at?   reads count   writes count, seen
    count < 10               ↺ counter
    seen=a                   → result
    seen="<b>"               ↺ counter
    otherwise                → result
    on_error(OSError, max=3) → failed
  result   reads count
    on_error(OSError, max=3) → failed
■ failed
"""

    assert expected == draw(COUNTER, include_state=True)


def test_as_text_without_conditions() -> None:
    """Arrows only."""
    expected = """\
  counter   given by, at?
    ↺ counter
    → result
    → result
    → failed
▶ result
    → failed
■ failed
"""

    assert expected == draw(COUNTER, entrypoint="result", include_conditions=False)


def test_as_mermaid() -> None:
    """A flowchart; what could be syntax is written as a number."""
    expected = """\
flowchart TD
    n0(["counter<br/>given by, at#63;"])
    n1["result"]
    n2["failed"]
    n0 -.->|"count #60; 10<br/>seen=#34;#60;b#62;#34;"| n0
    n0 -.->|"seen=a"| n1
    n0 --> n1
    n0 -.->|"on_error(OSError, max=3)"| n2
    n1 -.->|"on_error(OSError, max=3)"| n2
    linkStyle 3,4 stroke:#c0392b
"""

    assert expected == draw(COUNTER, "mermaid")


def test_as_dot() -> None:
    """For Graphviz: quotes and backslashes escaped."""
    drawn = draw(COUNTER, "dot", include_state=True)

    assert drawn.startswith("digraph machine {\n") and drawn.endswith("}\n")
    assert r'n0 [label="counter\ngiven by, at?\lreads count\lwrites count, seen\l", penwidth=2];' in drawn
    assert r'n0 -> n0 [style=dashed, label="count < 10\nseen=\"<b>\""];' in drawn
    assert "n0 -> n1 [style=solid];" in drawn
    assert 'n1 -> n2 [style=dotted, label="on_error(OSError, max=3)", color="#c0392b"];' in drawn


def test_as_svg() -> None:
    """A picture that stands alone: every action, every condition, an arrow for each way."""
    root = ET.fromstring(draw(COUNTER, "svg", include_state=True))
    texts = [text.text for text in root.iter(f"{SVG}text")]

    assert {"counter", "result", "failed", "given by, at?", "count < 10", 'seen="<b>"', "seen=a"} <= set(texts)
    assert 5 == sum(1 for path in root.iter(f"{SVG}path") if path.get("marker-end"))
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|<script|href", draw(COUNTER, "svg"))


def test_the_same_graph_gives_the_same_picture() -> None:
    """To the letter."""

    assert all(draw(COUNTER, form) == draw(COUNTER, form) for form in FORMS)


def test_mistakes_are_told() -> None:
    """The form and the entrypoint, with the near names."""
    with pytest.raises(ValueError, match=r"no form 'svgg' to draw in. Did you mean svg"):
        draw(COUNTER, "svgg")
    with pytest.raises(UnknownAction, match="action countr not found"):
        draw(COUNTER, entrypoint="countr")


def test_nothing_is_drawn_of_nothing() -> None:
    """An empty graph is an empty picture."""

    assert ["", "flowchart TD\n"] == [draw(Graph([], []), "text"), draw(Graph([], []), "mermaid")]
    ET.fromstring(draw(Graph([], []), "svg"))


NAMES = st.text(min_size=1, max_size=30)
CONDITIONS = st.one_of(
    st.just(default), st.builds(lambda value: when(key=value), st.text(max_size=60)), st.just(on_error(OSError)), st.just(expr("a and b"))
)  # fmt: skip


@st.composite
def graphs(draw_: st.DrawFn) -> Graph:
    """Any graph: names of any letters, loops, several arrows between two actions, parts that hang together with nothing."""
    names = draw_(st.lists(NAMES, min_size=1, max_size=7, unique=True))
    actions = [Act(name, tuple(draw_(st.lists(NAMES, max_size=2)))) for name in names]
    ends = st.sampled_from(actions)
    edges: list[tuple[Act, Act, Condition]] = draw_(st.lists(st.tuples(ends, ends, CONDITIONS), max_size=14))
    return Graph(actions, [Transition(*edge) for edge in edges])


def laid_out(graph: Graph) -> tuple[Layout, list[tuple[float, float, float, float]], list[tuple[float, float, float, float]]]:
    """The layout of a picture, the rectangles of its boxes with their loops, and those of its labels."""
    seen = sketch(graph)
    reach = _reach(seen, _sizes(seen))
    labels = [_label(arrow) for arrow in seen.arrows]
    laid = layout(reach, [(a.source, a.target) for a in seen.arrows], labels)
    boxes = [(x - left, y - h / 2, x + right, y + h / 2) for (x, y), (left, right, h) in zip(laid.boxes, reach, strict=True)]
    plates = [
        (route.label[0] - labels[n][0] / 2, route.label[1] - labels[n][1] / 2, route.label[0] + labels[n][0] / 2, route.label[1] + labels[n][1] / 2)
        for n, route in laid.routes.items()
    ]
    return laid, boxes, plates


def curve(points: tuple[tuple[float, float], ...]) -> Iterator[tuple[float, float]]:
    """Points on the way of an arrow, as it is drawn."""
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        for step in range(21):
            t = step / 20
            middle = (y0 + y1) / 2
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield (
                sum(w * x for w, x in zip(weights, (x0, x0, x1, x1), strict=True)),
                sum(w * y for w, y in zip(weights, (y0, middle, middle, y1), strict=True)),
            )


@given(graphs())
def test_nothing_lies_over_anything(graph: Graph) -> None:
    """Boxes and labels are apart, arrows go through no box, and all lies within the picture."""
    laid, boxes, plates = laid_out(graph)

    for a, b in itertools.combinations([*boxes, *plates], 2):
        assert a[2] <= b[0] + 0.01 or b[2] <= a[0] + 0.01 or a[3] <= b[1] + 0.01 or b[3] <= a[1] + 0.01
    for box in [*boxes, *plates]:
        assert -0.01 <= box[0] and box[2] <= laid.width + 0.01 and -0.01 <= box[1] and box[3] <= laid.height + 0.01
    for route in laid.routes.values():
        for x, y in curve(route.points):
            assert not any(box[0] + 0.01 < x < box[2] - 0.01 and box[1] + 0.01 < y < box[3] - 0.01 for box in boxes)


@given(graphs())
def test_any_graph_is_drawn_in_any_form(graph: Graph) -> None:
    """Whatever the names: the SVG is XML, no line of text or of source is broken."""
    root = ET.fromstring(draw(graph, "svg", include_state=True))
    seen = sketch(graph)

    assert len(seen.arrows) == sum(1 for path in root.iter(f"{SVG}path") if path.get("marker-end"))
    assert len(seen.boxes) + sum(len(arrow.orders) for arrow in seen.arrows) == draw(graph, "text").count("\n")
    assert draw(graph, "mermaid").count("\n") >= 1 + len(seen.boxes) + len(seen.arrows)
    assert 4 + len(seen.boxes) + len(seen.arrows) == draw(graph, "dot").count("\n")
    for line in draw(graph, "mermaid").splitlines():
        assert line.count('"') in (0, 2)
    for line in draw(graph, "dot").splitlines():
        assert 0 == len(re.sub(r"\\.", "", line).replace('""', "").split('"')) % 2 - 1
