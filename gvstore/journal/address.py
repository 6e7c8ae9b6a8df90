"""Calls and their parts by what a user types behind `run/7:` (`repo.rev` takes it apart).

""             the root call
"0.2"          child 2 of child 0, counted from 0
"llm.chat.3"   the fourth call of llm.chat, depth first
".../output"  "/args/topic"  "/raised"  "/state/history"   a part of a call
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gvstore.journal.counting import children_of, is_leaf_call
from gvstore.journal.fault import NoSuchCall
from gvstore.journal.invocation import Invocation
from gvstore.objects.invocation import PartList, component_link, part_body
from gvstore.objects.protocol import ObjectReader
from gvstore.repo.rev import Call, parse_call

CallPath = tuple[int, ...]
PARTS = ("output", "args", "raised", "state")


def format_path(path: CallPath) -> str:
    """Returns a call path as users type it; the root's is empty."""
    return ".".join(map(str, path))


def find_call(root: Invocation, call: Call) -> tuple[CallPath, Invocation]:
    """Returns the call that a rev names, with its child numbers from the root.

    Raises:
        NoSuchCall: there is none; tells what is near.
    """
    return _by_name(root, call.name, call.nth) if call.name else _by_numbers(root, call.path)


def call_path(root: Invocation, call: str | CallPath | Callable[[Invocation], bool]) -> CallPath:
    """Returns the path of a call: named as behind `run/7:`, by its path, or the first, depth first, that a function is true of.

    Raises:
        NoSuchCall: there is none.
    """
    if not callable(call):
        named = parse_call(call) if isinstance(call, str) else Call(path=tuple(call))
        if named.part:
            raise NoSuchCall(f"{call} is a part of a call, and a call was asked for")
        return find_call(root, named)[0]
    for path, each in walk(root):
        if path and call(each):
            return path
    raise NoSuchCall(f"no call of {root.name} is the one that was looked for")


def _by_name(root: Invocation, wanted: str, nth: int | None) -> tuple[CallPath, Invocation]:
    at, seen = nth or 0, 0
    names: set[str] = set()

    def is_wanted(full: str) -> bool:
        names.add(full)
        return full == wanted or full.endswith("." + wanted)

    for path, call in calls_of(root, is_wanted):
        if seen == at:
            return path, call
        seen += 1
    if seen:
        raise NoSuchCall(
            f"{wanted} was called {seen} time{'s'[: seen != 1]}, there is no call {at}",
            hint="Calls are counted from 0.",
        )
    shorts = names | {each.rpartition(".")[2] for each in names}
    near = difflib.get_close_matches(wanted, sorted(shorts), 3, 0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else f"It calls {', '.join(sorted(names)[:5])}."
    raise NoSuchCall(f"no call of {wanted} in this run", hint=hint)


def _by_numbers(root: Invocation, path: CallPath) -> tuple[CallPath, Invocation]:
    call = root
    for depth, index in enumerate(path):
        made = len(call)
        if index >= made:
            above = format_path(path[:depth]) or "the root call"
            raise NoSuchCall(
                f"there is no call {format_path(path[: depth + 1])}: {call.name} ({above}) made {made} call{'s'[: made != 1]}",
                hint="Calls are counted from 0; `gv show` prints their numbers.",
            )
        call = call.get_child(index)
    return path, call


def calls_of(root: Invocation, is_wanted: Callable[[str], bool]) -> Iterator[tuple[CallPath, Invocation]]:
    """Yields (path, call) of the calls whose component's name is wanted, depth first; each name is asked for once."""
    wanted: dict[bytes, bool] = {}
    for path, part, link in _walk_parts(root.part, root.store.objects):
        if link not in wanted:
            wanted[link] = is_wanted(root.below(part).component.name)
        if wanted[link]:
            yield path, root.below(part)


def _walk_parts(root: bytes, reader: ObjectReader) -> Iterator[tuple[CallPath, bytes, bytes]]:
    """Yields (path, part, link to its component) of a call and all below it, depth first; nothing is taken apart."""
    body = bytes(part_body(root, reader))
    yield (), root, component_link(body)
    stack: list[tuple[CallPath, Iterator[tuple[int, bytes]]]] = [
        ((), enumerate(PartList(children_of(body, reader), reader)))
    ]
    while stack:
        path, parts = stack[-1]
        for index, part in parts:
            if is_leaf_call(part):
                yield (*path, index), part, component_link(part)
                continue
            at, body = (*path, index), bytes(part_body(part, reader))
            yield at, part, component_link(body)
            stack.append((at, enumerate(PartList(children_of(body, reader), reader))))
            break
        else:
            stack.pop()


def walk(root: Invocation) -> Iterator[tuple[CallPath, Invocation]]:
    """Yields (path, call) of a call and all below it, depth first."""
    yield (), root
    stack: list[tuple[CallPath, Iterator[tuple[int, Invocation]]]] = [((), enumerate(root.get_children()))]
    while stack:
        path, calls = stack[-1]
        for index, call in calls:
            at = (*path, index)
            yield at, call
            if len(call):
                stack.append((at, enumerate(call.get_children())))
                break
        else:
            stack.pop()


def part_of(call: Invocation, parts: Sequence[str]) -> Any:
    """Returns a part of a call: its output, arguments, exception or state, or what lies inside.

    Raises:
        NoSuchCall: there is no such part; tells which there are.
    """
    first, *rest = parts
    if first == "output":
        value: Any = call.output
    elif first == "args":
        value = call.args
    elif first == "raised":
        value = call.get_raised()
    elif first == "state":
        value = call.state
    else:
        raise no_part(first, PARTS)
    for name in rest:
        value = inside(value, name)
    return value


def no_part(name: str, known: Sequence[str]) -> NoSuchCall:
    """Returns the error that a call has no part of a name; tells which there are."""
    near = difflib.get_close_matches(name, known, 1, 0.4)
    return NoSuchCall(f"a call has no part {name}", hint=f"Did you mean {near[0]}?" if near else f"It has {', '.join(known)}.")


def inside(value: Any, name: str) -> Any:
    """Returns what a value holds under a key, a number or a field's name.

    Raises:
        NoSuchCall: nothing.
    """
    if isinstance(value, Mapping):
        for key in (name, int(name) if name.lstrip("-").isdigit() else name):
            if key in value:
                return value[key]
        raise NoSuchCall(f"there is no {name}", hint=f"There is {', '.join(map(str, list(value)[:8]))}.")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and name.lstrip("-").isdigit():
        try:
            return value[int(name)]
        except IndexError:
            raise NoSuchCall(f"there are {len(value)} items, there is no {name}") from None
    if not name.startswith("_") and hasattr(value, name):
        return getattr(value, name)
    raise NoSuchCall(f"a value of type {type(value).__name__} has no part {name}")
