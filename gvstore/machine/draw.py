"""Machines as pictures: text for a terminal, Mermaid and DOT for other tools, SVG with nothing installed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gvstore.machine.draw_svg import svg
from gvstore.machine.finding import meant
from gvstore.machine.graph import Graph
from gvstore.machine.sketch import Arrow, Sketch, Style, sketch


def draw(
    graph: Graph,
    form: str = "text",
    *,
    entrypoint: str | None = None,
    include_conditions: bool = True,
    include_state: bool = False,
) -> str:
    """Returns a graph drawn in one of `FORMS`, as text that ends in a newline.

    `include_conditions` writes conditions at the arrows, `include_state` what
    actions read and write into their boxes.

    Raises:
        ValueError: there is no such form.
        UnknownAction: the graph has no such entrypoint.
    """
    if form not in FORMS:
        raise ValueError(f"no form {form!r} to draw in. {meant(form, FORMS, 'There are: text, mermaid, dot, svg.')}")
    seen = sketch(graph, entrypoint=entrypoint, include_conditions=include_conditions, include_state=include_state)
    return FORMS[form](seen)


def text(seen: Sketch) -> str:
    """Returns a paragraph an action, with what may follow, in the order in which it is tried."""
    lines = []
    for number, box in enumerate(seen.boxes):
        mark = "▶" if box.entry else "■" if box.end else " "
        lines.append(f"{mark} {_plain(box.name)}" + "".join(f"   {_plain(line)}" for line in box.details))
        leaving = [arrow for arrow in seen.arrows if arrow.source == number]
        rows = sorted(
            (order, _plain(label), arrow.target)
            for arrow in leaving
            for order, label in zip(arrow.orders, arrow.labels or (_otherwise(arrow, leaving),), strict=True)
        )
        width = max((len(label) for _, label, _ in rows if len(label) <= 50), default=0)
        for _, label, target in rows:
            sign = "↺" if target == number else "→"
            lines.append(f"    {label:<{width}}{' ' if width else ''}{sign} {_plain(seen.boxes[target].name)}")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _otherwise(arrow: Arrow, leaving: Sequence[Arrow]) -> str:
    """What stands for a condition where there is none, after others that are shown."""
    before = [each for each in leaving if each.style is Style.CONDITION and each.labels and each.orders < arrow.orders]
    return "otherwise" if arrow.style is Style.ALWAYS and before else ""


def mermaid(seen: Sketch) -> str:
    """Returns a Mermaid flowchart."""
    lines = ["flowchart TD"]
    for number, box in enumerate(seen.boxes):
        label = "<br/>".join(_mermaid(line) for line in (box.name, *box.details))
        lines.append(f'    n{number}(["{label}"])' if box.entry else f'    n{number}["{label}"]')
    errors = []
    for count, arrow in enumerate(seen.arrows):
        line = "-->" if arrow.style is Style.ALWAYS else "-.->"
        label = "<br/>".join(_mermaid(each) for each in arrow.labels)
        shown = f'|"{label}"|' if label else ""
        lines.append(f"    n{arrow.source} {line}{shown} n{arrow.target}")
        if arrow.style is Style.ERROR:
            errors.append(str(count))
    if errors:
        lines.append(f"    linkStyle {','.join(errors)} stroke:#c0392b")
    return "\n".join(lines) + "\n"


def dot(seen: Sketch) -> str:
    """Returns a graph for Graphviz."""
    lines = [
        "digraph machine {",
        '    node [shape=box, style="rounded,filled", fillcolor="#eaf2f8", fontname="Helvetica", margin=0.15];',
        '    edge [fontname="Helvetica", fontsize=10];',
    ]
    for number, box in enumerate(seen.boxes):
        details = "".join(f"{_dot(line)}\\l" for line in box.details)
        label = _dot(box.name) + ("\\n" + details if details else "")
        lines.append(f'    n{number} [label="{label}"{", penwidth=2" if box.entry else ""}];')
    styles = {Style.ALWAYS: "solid", Style.CONDITION: "dashed", Style.ERROR: "dotted"}
    for arrow in seen.arrows:
        label = "\\n".join(_dot(line) for line in arrow.lines)
        colour = ', color="#c0392b"' if arrow.style is Style.ERROR else ""
        shown = f', label="{label}"' if label else ""
        lines.append(f"    n{arrow.source} -> n{arrow.target} [style={styles[arrow.style]}{shown}{colour}];")
    return "\n".join([*lines, "}"]) + "\n"


FORMS: dict[str, Callable[[Sketch], str]] = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}


def _plain(value: str) -> str:
    """A line of text: what would move a terminal's cursor is a space."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", value)


def _mermaid(value: str) -> str:
    return re.sub(r"[^\w ,.=+()\[\]/'-]", lambda found: f"#{ord(found[0])};", _plain(value))


def _dot(value: str) -> str:
    return _plain(value).replace("\\", "\\\\").replace('"', '\\"')
