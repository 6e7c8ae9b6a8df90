"""A sketch as an SVG picture: nothing but text is needed to write it, nothing but a browser to look at it.

Letters are of one width, so that sizes are known without asking a font.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from gvstore.machine.layout import Layout, Point, layout
from gvstore.machine.sketch import Arrow, Box, Sketch, Style

NAME, SMALL = 14.0, 11.0  # sizes of letters
LETTER = 0.602  # the width of a letter, of its size
LINE = 1.35
PAD_X, PAD_Y, MARGIN = 14.0, 9.0, 20.0
LOOP = 34.0  # how far a loop reaches out of its box
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
COLOURS = {Style.ALWAYS: "#2c3e50", Style.CONDITION: "#2874a6", Style.ERROR: "#c0392b"}
DASHES = {Style.ALWAYS: "", Style.CONDITION: ' stroke-dasharray="6 3"', Style.ERROR: ' stroke-dasharray="2 3"'}


def svg(seen: Sketch) -> str:
    """Returns the picture as one `<svg>` element."""
    sizes = _sizes(seen)
    reach = _reach(seen, sizes)
    laid = layout(reach, [(arrow.source, arrow.target) for arrow in seen.arrows], [_label(arrow) for arrow in seen.arrows])
    width, height = laid.width + 2 * MARGIN, laid.height + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'font-family="{FONT}">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        "<defs>",
        *(
            f'<marker id="{style.value}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
            for style, colour in COLOURS.items()
        ),
        "</defs>",
        f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
        *_arrows(seen, laid, sizes),
        *(_box(box, place, size) for box, place, size in zip(seen.boxes, laid.boxes, sizes, strict=True)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrows(seen: Sketch, laid: Layout, sizes: Sequence[tuple[float, float]]) -> list[str]:
    """Lines first, then labels, so that no line goes over a letter."""
    lines, labels = [], []
    for number, arrow in enumerate(seen.arrows):
        if arrow.source == arrow.target:
            (x, y), (width, _) = laid.boxes[arrow.source], sizes[arrow.source]
            before = [each for each in seen.arrows[:number] if each.source == each.target == arrow.source]
            y += sum(_loop_room(each) for each in before) + (_loop_room(arrow) - _loop_height(seen, arrow.source)) / 2
            right = x + width / 2
            path = f"M{right:.1f} {y - 7:.1f} C{right + LOOP:.1f} {y - 16:.1f} {right + LOOP:.1f} {y + 16:.1f} {right + 1:.1f} {y + 7:.1f}"
            labels.append(_lines(arrow.lines, (right + LOOP - 4, y), SMALL, COLOURS[arrow.style], "start"))
        else:
            route = laid.routes[number]
            path = _curve(route.points)
            if arrow.lines:
                labels.append(_plate(_label(arrow), route.label))
            labels.append(_lines(arrow.lines, route.label, SMALL, COLOURS[arrow.style], "middle"))
        lines.append(
            f'<path d="{path}" fill="none" stroke="{COLOURS[arrow.style]}" stroke-width="1.4"{DASHES[arrow.style]} '
            f'marker-end="url(#{arrow.style.value})"/>'
        )
    return [*lines, *filter(None, labels)]


def _box(box: Box, place: Point, size: tuple[float, float]) -> str:
    (x, y), (width, height) = place, size
    top = y - height / 2
    stroke = 2.6 if box.entry else 1.2
    fill = "#d5f0dc" if box.entry else "#f2f3f4" if box.end else "#eaf2f8"
    lines = [
        f'<rect x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="8" fill="{fill}" '
        f'stroke="#2c3e50" stroke-width="{stroke}"/>',
        _lines((box.name,), (x, top + PAD_Y + NAME * LINE / 2), NAME, "#1b2631", "middle"),
    ]
    if box.details:
        middle = top + PAD_Y + NAME * LINE + len(box.details) * SMALL * LINE / 2
        lines.append(_lines(box.details, (x - width / 2 + PAD_X, middle), SMALL, "#566573", "start"))
    return "\n".join(lines)


def _size(box: Box) -> tuple[float, float]:
    width = max(_width(box.name, NAME), *(_width(line, SMALL) for line in box.details), 40.0)
    return width + 2 * PAD_X, NAME * LINE + len(box.details) * SMALL * LINE + 2 * PAD_Y


def _sizes(seen: Sketch) -> list[tuple[float, float]]:
    """The boxes, as high as their loops."""
    return [(width, max(height, _loop_height(seen, number))) for number, (width, height) in enumerate(map(_size, seen.boxes))]


def _reach(seen: Sketch, sizes: Sequence[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """How far each box goes to the left, to the right with its loops and their labels, and its height."""
    loops = [0.0] * len(sizes)
    for arrow in seen.arrows:
        if arrow.source == arrow.target:
            loops[arrow.source] = max(loops[arrow.source], LOOP + _label(arrow)[0])
    return [(width / 2, width / 2 + loop, height) for (width, height), loop in zip(sizes, loops, strict=True)]


def _label(arrow: Arrow) -> tuple[float, float]:
    """The width and height of an arrow's label."""
    if not arrow.lines:
        return 0.0, 0.0
    return max(_width(line, SMALL) for line in arrow.lines) + 8, len(arrow.lines) * SMALL * LINE + 4


def _loop_room(arrow: Arrow) -> float:
    return max(30.0, _label(arrow)[1])


def _loop_height(seen: Sketch, number: int) -> float:
    return sum(_loop_room(arrow) for arrow in seen.arrows if arrow.source == arrow.target == number)


def _width(text: str, size: float) -> float:
    cells = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return cells * size * LETTER


def _curve(points: Sequence[Point]) -> str:
    """A line through all points that is upright at each, so that it bends softly from layer to layer."""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        if (x0, y0) == (x1, y1):  # an arrow's head looks where its last piece goes
            continue
        if x0 == x1:
            path.append(f"L{x1:.1f} {y1:.1f}")
            continue
        middle = (y0 + y1) / 2
        path.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    return " ".join(path)


def _plate(size: tuple[float, float], place: Point) -> str:
    (width, height), (x, y) = size, place
    return f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" fill="#ffffff" fill-opacity="0.9"/>'


def _lines(lines: Sequence[str], place: Point, size: float, colour: str, anchor: str) -> str:
    """Text around a middle, a line below the other."""
    x, y = place
    top = y - (len(lines) - 1) * size * LINE / 2 + size * 0.35
    return "\n".join(
        f'<text x="{x:.1f}" y="{top + number * size * LINE:.1f}" font-size="{size:.0f}" fill="{colour}" text-anchor="{anchor}" '
        f'xml:space="preserve">{_text(line)}</text>'
        for number, line in enumerate(lines)
    )


def _text(line: str) -> str:
    """What XML may hold of a text."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", line))
