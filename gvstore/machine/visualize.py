"""Drawings of a graph that are handed out, and written where a path is given."""

from __future__ import annotations

import shutil
import subprocess
import webbrowser
from os import PathLike
from pathlib import Path
from typing import Any

from gvstore import fs
from gvstore.errors import UsageFault
from gvstore.machine.application_graph import ApplicationGraph
from gvstore.machine.draw import draw
from gvstore.machine.graph import Graph
from gvstore.machine.node import name_of

SUFFIXES = {
    ".txt": "text",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
}
IMAGES = (".png", ".pdf", ".jpg", ".jpeg")


class DrawingFault(UsageFault, ValueError):
    """A graph cannot be drawn as it was asked for."""


class Drawing:
    """A graph as it was drawn: prints as text, shows as a picture in notebooks; `path` is where it was written."""

    def __init__(self, graph: Graph, path: Path | None = None, **options: Any) -> None:
        self._graph, self._options, self.path = graph, options, path

    def source(self, form: str = "text") -> str:
        """Returns it as text, mermaid, dot or svg.

        Raises:
            ValueError: there is no such form.
        """
        return draw(self._graph, form, **self._options)

    def __str__(self) -> str:
        return self.source().rstrip()

    __repr__ = __str__

    def _repr_svg_(self) -> str:
        return self.source("svg")

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"image/svg+xml": self.source("svg"), "text/plain": self.source()}


def visualize(
    graph: Graph,
    output_file_path: str | PathLike[str] | None = None,
    include_conditions: bool = False,
    include_state: bool = False,
    view: bool = False,
    engine: str = "graphviz",
    write_dot: bool = False,
    **engine_kwargs: Any,
) -> Drawing:
    """Returns a drawing of a graph, and writes it where a path is given.

    The form is what the suffix says: .txt, .mmd, .dot, .svg, drawn here; .png,
    .pdf and .jpg by Graphviz's `dot`, or the layout program that `engine` names,
    if it is installed.  Without a suffix it is .svg, or what `format=` says.
    `write_dot` writes the same as .dot beside it, `view` shows it in the browser.

    Raises:
        DrawingFault: no such form; an image without Graphviz; nothing to view.
        TypeError: a keyword that nothing takes.
    """
    wanted = engine_kwargs.pop("format", None)
    for known in ("graph_attr", "node_attr", "edge_attr"):
        engine_kwargs.pop(known, None)
    if engine_kwargs:
        raise TypeError(f"visualize() takes no {', '.join(engine_kwargs)}")
    entrypoint = name_of(graph.entrypoint) if isinstance(graph, ApplicationGraph) else None
    options = {"entrypoint": entrypoint, "include_conditions": include_conditions, "include_state": include_state}
    if output_file_path is None:
        if view or write_dot:
            raise DrawingFault("there is no file to view or to write beside", hint='Type visualize("graph.svg", view=True).')
        return Drawing(graph, None, **options)
    path = Path(output_file_path)
    suffix = f".{str(wanted).lstrip('.')}" if wanted else path.suffix.lower() or ".svg"
    if path.suffix.lower() != suffix:
        has_form = path.suffix.lower() in (*SUFFIXES, *IMAGES)
        path = path.with_suffix(suffix) if has_form else path.with_name(path.name + suffix)
    drawing = Drawing(graph, path, **options)
    if suffix in SUFFIXES:
        text = drawing.source(SUFFIXES[suffix])
        _write(path, f"```mermaid\n{text}```\n" if suffix == ".md" else text)
    elif suffix in IMAGES:
        _by_graphviz(drawing, path, "dot" if engine == "graphviz" else engine)
    else:
        raise DrawingFault(f"nothing is known that ends in {suffix}", hint=f"Draw one of {', '.join([*SUFFIXES, *IMAGES])}.")
    if write_dot:
        _write(path.with_suffix(".dot"), drawing.source("dot"))
    if view:
        webbrowser.open(path.resolve().as_uri())
    return drawing


def _write(path: Path, text: str) -> None:
    try:
        fs.write_atomic(path, text.encode(), durable=False)
    except OSError as e:
        raise DrawingFault(f"{path} cannot be written: {e.strerror or e}", hint="Name a file in a folder that is there.") from e


def _by_graphviz(drawing: Drawing, path: Path, program: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise DrawingFault(
            f"{path.suffix} needs Graphviz, whose program `{program}` is not installed",
            hint=f"Draw {path.with_suffix('.svg').name}, which needs nothing, or install Graphviz.",
        )
    source = drawing.source("dot").encode()
    done = subprocess.run([found, f"-T{path.suffix[1:].lower()}"], input=source, capture_output=True, check=False)
    if done.returncode != 0 or not done.stdout:
        raise DrawingFault(f"Graphviz could not draw {path.name}: {done.stderr.decode(errors='replace').strip()[:300]}")
    try:
        fs.write_atomic(path, done.stdout, durable=False)
    except OSError as e:
        raise DrawingFault(f"{path} cannot be written: {e.strerror or e}", hint="Name a file in a folder that is there.") from e
