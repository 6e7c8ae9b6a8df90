from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli.graph import Graph

# For each commit which of the later ones are its parents: commits stand before them.
SHAPES = st.lists(st.lists(st.integers(1, 6), max_size=4, unique=True), min_size=1, max_size=14)


def parents_of(shape: list[list[int]]) -> list[list[int]]:
    """Returns the numbers of each commit's parents."""
    return [[n + each for each in steps if n + each < len(shape)] for n, steps in enumerate(shape)]


def drawn(parents: list[list[int]]) -> list[str]:
    """Returns the rows of the whole graph; the row of commit n has its number behind `#`."""
    graph, rows = Graph(), list[str]()
    for number, above in enumerate(parents):
        found = graph.rows(number, above)
        rows += [*found.before, f"{found.commit}#{number}", *found.after]
    return rows


def traced(rows: list[str]) -> dict[int, list[int]]:
    """Returns the parents of each commit as a reader follows the lines down with a finger."""
    found: dict[int, list[int]] = {}
    lines: list[tuple[int, int, str]] = []  # where each line is: (place, of which commit, how it came there)
    for row in rows:
        text, _, number = row.partition("#")
        lines = [moved for line in lines for moved in followed(line, text)]
        if number:
            at = text.index("*")
            found[int(number)] = []
            for place, commit, _ in lines:
                if place == at:
                    found[commit].append(int(number))
            lines = [line for line in lines if line[0] != at]
            ends = [at] + [n for n, c in enumerate(text) if c == "." or (c == "-" and (n - at) % 2 == 0)]
            lines += [(place, int(number), "*") for place in ends]
    return found


def followed(line: tuple[int, int, str], row: str) -> list[tuple[int, int, str]]:
    """Returns where a line goes on in the next row: straight on if it can, where it does not come from a commit or crosses."""
    place, commit, came = line

    def at(n: int) -> str:
        return row[n] if 0 <= n < len(row) else " "

    if at(place) == "*":
        return [line]
    ways = []
    if came == "*":  # below a commit all ways are gone
        ways += [(place, commit, "|")] * (at(place) == "|")
        ways += [(place + 2, commit, "|")] * (at(place + 1) == "\\")
        ways += [over(place, commit, row)] * (at(place - 1) == "/")
    elif came == "_" or (at(place - 1) == "/" and (came == "/" or at(place) != "|")):
        ways = [over(place, commit, row)]
    elif at(place) == "|":
        ways = [(place, commit, "|")]
    elif at(place + 1) == "\\":
        ways = [(place + 2, commit, "|")]
    assert ways or came == "*", f"the line of commit {commit} ends at {place} of {row!r}"
    return ways


def over(place: int, commit: int, row: str) -> tuple[int, int, str]:
    """Returns where a line is that goes left: one column, or with `_` as far as these go."""
    place -= 2
    came = "/"
    while place > 0 and row[place - 1] == "_":
        place, came = place - 2, "_"
    return place, commit, came


@given(SHAPES)
def test_every_edge_is_drawn(shape: list[list[int]]) -> None:
    """Whoever follows the lines down from each commit comes to its parents, all of them and no other."""
    parents = parents_of(shape)
    found = traced(drawn(parents))

    assert {n: sorted(above) for n, above in enumerate(parents)} == {n: sorted(above) for n, above in found.items()}
