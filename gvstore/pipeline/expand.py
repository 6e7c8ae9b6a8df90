"""`foreach` and `matrix`: one operation, several steps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from gvstore.pipeline.document import Entry, Items, Node, Scalar, Table, is_none, kind_of
from gvstore.pipeline.fault import Faults, quoted
from gvstore.pipeline.name import why_no_name
from gvstore.pipeline.template import Text

MAX_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Instance:
    """One turn of a loop: what is behind the `@`, and what `${item}` and `${key}` are."""

    label: str
    item: Node
    key: Node | None = None


def instances(operation: Table, faults: Faults) -> list[Instance] | None:
    """Returns the turns of an operation's loop; None if it has none.  What cannot be gone through is a fault, and no turn.

    Labels are the items themselves where those are short, else their numbers;
    of a mapping its keys; of a matrix the values joined by `-`.
    """
    each, matrix = operation.entry("foreach"), operation.entry("matrix")
    if each and matrix:
        faults.add(matrix.place, "a step has foreach or matrix, not both: write the list as one more row of matrix")
        return []
    if matrix:
        return _unique(_combined(matrix, faults), matrix, faults)
    if each:
        return _unique(_each(each, faults), each, faults)
    return None


def _each(entry: Entry, faults: Faults) -> list[Instance]:
    node = entry.value
    if isinstance(node, Table) and node.entries:
        return [Instance(each.key, each.value, Scalar(each.place, each.key, each.key)) for each in node.entries]
    if isinstance(node, Items) and node.items:
        return [Instance(_label(item, number), item) for number, item in enumerate(node.items)]
    faults.add(node.place, f"foreach takes a list or a mapping with something in it, not {_empty(node)}")
    return []


def _combined(entry: Entry, faults: Faults) -> list[Instance]:
    node = entry.value
    if not isinstance(node, Table) or not node.entries:
        faults.add(node.place, f"matrix takes a mapping of lists (language: [es, fr]), not {_empty(node)}")
        return []
    rows: list[list[tuple[str, Entry]]] = []
    total = 1
    for each in node.entries:
        if not isinstance(each.value, Items) or not each.value.items:
            faults.add(each.value.place, f"matrix.{each.key} takes a list with something in it, not {_empty(each.value)}")
            return []
        labelled = enumerate(each.value.items)
        rows.append([(_label(item, number, each.key), Entry(each.key, each.place, item)) for number, item in labelled])
        total *= len(each.value.items)
        if total > MAX_STEPS:
            faults.add(entry.place, f"matrix makes {total:,} steps or more: at most {MAX_STEPS:,}")
            return []
    return [
        Instance("-".join(label for label, _ in combination), Table(node.place, tuple(each for _, each in combination)))
        for combination in itertools.product(*rows)
    ]


def _label(item: Node, number: int, prefix: str = "") -> str:
    if isinstance(item, Scalar) and not isinstance(item.value, Text) and not why_no_name(item.raw) and len(item.raw) <= 40:
        return item.raw
    return f"{prefix}{number}"


def _unique(found: list[Instance], entry: Entry, faults: Faults) -> list[Instance]:
    if len(found) > MAX_STEPS:
        faults.add(entry.place, f"{entry.key} makes {len(found):,} steps: at most {MAX_STEPS:,}")
        return []
    seen: set[str] = set()
    for each in found:
        why = why_no_name(each.label)
        if why:
            faults.add(each.item.place, f"{entry.key} {quoted(each.label)}: {why}")
        elif each.label in seen:
            faults.add(each.item.place, f"{entry.key} has {quoted(each.label)} twice: each result needs a name of its own")
        seen.add(each.label)
    return found


def _empty(node: Node) -> str:
    if isinstance(node, Items | Table):
        return "an empty list" if isinstance(node, Items) else "an empty mapping" if not node.entries else "a mapping"
    return kind_of(node) if is_none(node) else f"{kind_of(node)}: {quoted(node.raw)}"
