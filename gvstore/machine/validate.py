"""Looks at a whole machine before it runs, and tells all that is wrong with it.

    no-action, unnamed-action, ...     what was typed is none (found by `draft`)
    unknown-action, duplicate-action   names that name nothing, or two things
    two-defaults, dead-transition      what stands after a transition that is always taken
    unwritten-read                     a key that nobody writes and the state does not begin with
    unknown-halt, unreachable-halt     where a run is to stop
    unreachable-action, early-read     not fatal: nothing leads there; the key is never there the first time

A name that is much like a known one counts as that one further on, so that one
typing mistake is told once and not with all that follows from it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gvstore.machine.condition import ErrorCondition
from gvstore.machine.draft import Draft, Edge, by_name
from gvstore.machine.finding import Finding, MachineFault, meant, near
from gvstore.machine.node import Node
from gvstore.machine.transition import ANY

TAG = "@tag:"


def validate(
    draft: Draft,
    *,
    entrypoint: str | None = None,
    state_keys: Collection[str] | None = None,
    halts: Sequence[str] = (),
) -> list[Finding]:
    """Returns every finding.

    `entrypoint` is the first action if None.  `state_keys` are those that a run
    begins with; None: nobody knows yet, and reads are not looked at.
    """
    nodes, edges = by_name(draft.nodes), draft.expanded()
    findings = list(draft.findings)
    if not draft.nodes and not findings:
        findings.append(Finding("no-action", "a machine has at least one action", "with_actions", "Type with_actions(name=function, ...)."))
    findings += _duplicates(draft)
    findings += _unknown(draft, nodes)
    findings += _dead(edges)
    if not nodes:
        return findings
    start = _entry(entrypoint, nodes, findings)
    routes = [(_likely(edge.source, nodes), _likely(edge.target, nodes), edge) for edge in _live(edges)]
    reached = reachable(start, [(source, target) for source, target, _ in routes])
    guessed = entrypoint is None and bool(draft.spoiled)  # what is no action may have been meant as the first
    findings += [
        Finding("unreachable-action", f"nothing leads from {start} to {name}", f"action {name}", _lead(name, nodes), fatal=False)
        for name in nodes
        if name not in reached and not guessed
    ]
    if state_keys is not None and not draft.spoiled:
        findings += _reads(nodes, edges, set(state_keys))
        findings += _early(start, nodes, routes, set(state_keys))
    findings += find_halts(nodes, reached, start, halts)
    return findings


def assert_set(value: object, field: str, method: str) -> None:
    """Looks whether something that a builder is told of was told.

    Raises:
        ValueError: it is None; names the method that tells it.
    """
    if value is None:
        raise ValueError(f"{field} is not set: call {method}")


def checked(findings: Sequence[Finding]) -> list[Finding]:
    """Returns the findings if none of them is fatal.

    Raises:
        MachineFault: one is; it holds them all.
    """
    if any(finding.fatal for finding in findings):
        raise MachineFault(findings)
    return list(findings)


def reachable(start: str, edges: Collection[tuple[str, str]]) -> set[str]:
    """Returns what the edges lead to from `start`, itself included."""
    found, open_ = {start}, [start]
    while open_:
        here = open_.pop()
        for source, target in edges:
            if source == here and target not in found:
                found.add(target)
                open_.append(target)
    return found


def find_halts(nodes: dict[str, Node], reached: Collection[str], start: str, halts: Sequence[str]) -> list[Finding]:
    """Returns what is wrong with the names, and `@tag:name`s, at which a run is to stop."""
    findings, missed, possible = [], [], False
    tags = [tag for node in nodes.values() for tag in node.tags]
    for halt in halts:
        if halt.startswith(TAG):
            tag = halt.removeprefix(TAG)
            names = [name for name, node in nodes.items() if tag in node.tags]
            known, what = tags, f"tag {tag} not found on any action"
        else:
            names, known, what = ([halt] if halt in nodes else []), list(nodes), f"action {halt} not found"
        if not names:
            remedy = meant(halt.removeprefix(TAG), known, f"There are: {', '.join(dict.fromkeys(known)) or 'none'}.")
            findings.append(Finding("unknown-halt", what, f'halt "{halt}"', remedy))
        elif not any(name in reached for name in names):
            missed.append(halt)
        else:
            possible = True
    for halt in missed:
        remedy = f"Add a transition that leads there, or stop at one of: {', '.join(name for name in nodes if name in reached)}."
        findings.append(
            Finding("unreachable-halt", f"nothing leads from {start} to {halt}: it never stops there", f'halt "{halt}"', remedy, fatal=not possible)
        )
    return findings


def _duplicates(draft: Draft) -> list[Finding]:
    names = [name for name, _ in draft.nodes]
    return [
        Finding(
            "duplicate-action",
            f"action {name} is duplicated: {names.count(name)} actions have this name",
            "with_actions",
            f"Give one of them another name: with_actions({name}_2=...).",
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _unknown(draft: Draft, nodes: dict[str, Node]) -> list[Finding]:
    findings = {}
    named = {name for edge in draft.edges for name in (edge.source, edge.target)}
    guessed = {_likely(name, nodes) for name in named}
    left = [name for name in nodes if name not in guessed]
    for edge in draft.edges:
        for side, name in (("source", edge.source), ("target", edge.target)):
            if name in nodes or name in draft.spoiled or (name == ANY and side == "source"):
                continue
            remedy = meant(name, nodes, f"Add it: with_actions({name}=...)" + (f", or did you mean {left[0]}?" if len(left) == 1 else "."))
            findings[side, name, edge.number] = Finding("unknown-action", f"the {side} {name} is not found among the actions", edge.where, remedy)
    return list(findings.values())


def _dead(edges: Sequence[Edge]) -> list[Finding]:
    """What comes after a transition that is always taken; each typed transition is told once."""
    findings = {}
    for number, edge in enumerate(edges):
        before = [each for each in edges[:number] if each.source == edge.source]
        blocking = _blocked(edge, before)
        if blocking is None or edge.number in findings:
            continue
        if edge.condition.is_default and blocking.condition.is_default:
            kind, what = "two-defaults", f"{edge.source} -> {edge.target} is redundant: {edge.source} has a default already"
            remedy = f"Give one of them a condition, or leave out transition {max(edge.number, blocking.number)}."
        else:
            kind, what = "dead-transition", f"{edge.source} -> {edge.target} is unreachable: transition {blocking.number} is taken before it"
            remedy = f"Write it before {blocking.typed}."
        findings[edge.number] = Finding(kind, what, edge.where, remedy)
    return list(findings.values())


def _blocked(edge: Edge, before: Sequence[Edge]) -> Edge | None:
    for earlier in before:
        if isinstance(edge.condition, ErrorCondition):
            if isinstance(earlier.condition, ErrorCondition) and earlier.condition.covers(edge.condition):
                return earlier
        elif earlier.condition.is_default:
            return earlier
    return None


def _live(edges: Sequence[Edge]) -> list[Edge]:
    return [
        edge for number, edge in enumerate(edges) if _blocked(edge, [each for each in edges[:number] if each.source == edge.source]) is None
    ]


def _entry(entrypoint: str | None, nodes: dict[str, Node], findings: list[Finding]) -> str:
    first = next(iter(nodes))
    if entrypoint is None:
        return first
    if entrypoint not in nodes:
        remedy = meant(entrypoint, nodes, f"Actions are: {', '.join(nodes)}.")
        findings.append(Finding("unknown-action", f"the entrypoint {entrypoint} is not found among the actions", "with_entrypoint", remedy))
    found = _likely(entrypoint, nodes)
    return found if found in nodes else first


def _likely(name: str, nodes: dict[str, Node]) -> str:
    return name if name in nodes else next(iter(near(name, nodes)), name)


def _lead(name: str, nodes: dict[str, Node]) -> str:
    other = next((each for each in nodes if each != name), name)
    return f'Add a transition: ("{other}", "{name}", when(...)), or leave the action out.'


def _reads(nodes: dict[str, Node], edges: Sequence[Edge], state_keys: set[str]) -> list[Finding]:
    """Keys that are read, written by nobody, and not there from the beginning."""
    written = {key: None for node in nodes.values() for key in node.writes}
    known = [*written, *sorted(state_keys)]
    readers = [(key, f"action {name}", f"{name} reads {key}") for name, node in nodes.items() for key in node.reads]
    readers += [(key, edge.where, f"the condition {edge.condition.name} reads {key}") for edge in edges for key in edge.condition.reads]
    findings: dict[tuple[str, str], Finding] = {}
    for key, where, what in readers:
        if key not in written and key not in state_keys and not key.startswith("__"):
            remedy = meant(key, known, f"Let an action write it, or begin with it: with_state({key}=...).")
            findings.setdefault((key, what), Finding("unwritten-read", f"{what}, which nobody writes", where, remedy))
    return list(findings.values())


def _early(start: str, nodes: dict[str, Node], routes: Sequence[tuple[str, str, Edge]], state_keys: set[str]) -> list[Finding]:
    """Keys that somebody writes, but on no way to the action that reads them."""
    before: dict[str, set[str]] = {start: set(state_keys)}
    changed = True
    while changed:
        changed = False
        for source, target, edge in routes:
            if source in before and target in nodes:
                failed = isinstance(edge.condition, ErrorCondition)  # then it has written nothing
                after = before[source] | (set() if failed else set(nodes[source].writes))
                if target not in before or not after <= before[target]:
                    before[target] = before.get(target, set()) | after
                    changed = True
    written = {key for node in nodes.values() for key in node.writes}
    readers = [(key, there, f"{name} reads {key}", f"{name} is first come to", f"action {name}") for name, there in before.items() for key in nodes[name].reads]
    readers += [
        (key, before[source] | set(nodes[source].writes), f"the condition {edge.condition.name} reads {key}", "it is first asked", edge.where)
        for source, _, edge in routes
        if source in before
        for key in edge.condition.reads
    ]
    return [
        Finding(
            "early-read",
            f"{what}, which is not there when {when}",
            where,
            f"Begin with it: with_state({key}=...), or write it before.",
            fatal=False,
        )
        for key, there, what, when, where in readers
        if key in written and key not in there and not key.startswith("__")
    ]
