"""Machines as plain data, drawn at random, and built: what they do depends on what they read, and on nothing else.

    {"name": "m1", "state": {...}, "salt": 0, "n": 3 or null, "is_async": false,
     "actions": [{"name", "kind", "reads", "writes", "ops": [[what, field]], "fails": 0 or every so often, "retry": 0 or attempts, "takes_n"}],
     "edges": [[from, to, null or [field, modulus, rest]]], "errors": [[from, to, max or null]]}

Of the fields, n0 and n1 are numbers, l0 and l1 lists, t0 and t1 anything; those beginning with t, and l1, may be deleted.
A step tells WATCH of itself, so that a test can count steps and stop a process inside of one.
"""

from __future__ import annotations

import asyncio
import warnings
import zlib
from collections.abc import AsyncGenerator, Generator
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import gvstore as gv
from gvstore.machine import (
    Action,
    ApplicationBuilder,
    MapStates,
    PostRunStepHook,
    State,
    TooManySteps,
    action,
    default,
    expr,
    on_error,
    streaming_action,
)
from gvstore.machine.attempts import Retry

STEPS = 11
NUMBERS, LISTS, OTHERS = ("n0", "n1"), ("l0", "l1"), ("t0", "t1")
FIELDS = NUMBERS + LISTS + OTHERS
MAY_GO = ("l1", "t0", "t1")
KINDS = ("function", "function", "class", "stream", "nested", "parallel")
OPS = ("set", "set", "append", "extend", "increment", "delete", "mutate", "shorten", "same")
Spec = dict[str, Any]


class Broken(Exception):
    """What an action of these machines raises."""


class Watch:
    """Is told of each step: as its action begins, as its action ends, and after it."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []
        self.states: list[tuple[str, str, dict[str, Any]]] = []

    def of(self, app: str) -> tuple[list[str], list[dict[str, Any]]]:
        """Returns the steps of an application that were executed, and the states after all of its steps."""
        return [step for name, step in self.ran if name == app], [state for name, _, state in self.states if name == app]

    def begins(self, app: str, step: str) -> None:
        """An action is being executed."""
        self.ran.append((app, step))

    def ends(self, app: str, step: str) -> None:
        """It will not do more."""

    def ended(self, app: str, step: str, state: State[Any], *, well: bool) -> None:
        """The step is over, and recorded."""
        self.states.append((app, step, public(state)))


def public(state: Any) -> dict[str, Any]:
    """Returns the fields that are not the machine's own."""
    return {name: value for name, value in state.items() if not name.startswith("__")}


WATCH = Watch()
TRIED: set[tuple[str, str]] = set()
APPS: dict[str, Any] = {}


class Told(PostRunStepHook):
    """Tells WATCH of steps that are over, under a name that is the same in every process."""

    def __init__(self, name: str) -> None:
        self.name = name

    def post_run_step(
        self, *, action: Any, sequence_id: Any, state: Any, exception: Any, **future_kwargs: Any
    ) -> None:  # fmt: skip
        """Tells of one."""
        WATCH.ended(self.name, f"{sequence_id} {action.name}", state, well=exception is None)


def seed_of(spec: Spec, state: Any, n: int) -> int:
    """Returns a number that is another where anything is that the action knows."""
    return zlib.crc32(repr((spec["name"], spec["salt"], n, {name: state.get(name) for name in spec["reads"]})).encode())


def begun(spec: Spec, state: Any, n: int, context: Any) -> int:
    """Begins to execute an action: changes in place all that it can reach; may raise."""
    step = f"{context.sequence_id} {spec['name']}"
    WATCH.begins(context.app_id, step)
    seed = seed_of(spec, state, n)
    for name in spec["reads"]:
        if isinstance(value := state.get(name), list):
            value.append("dirt")
    if spec["retry"] and (context.app_id, step) not in TRIED:
        TRIED.add((context.app_id, step))
        raise ConnectionError("the first attempt")
    if spec["fails"] and seed % spec["fails"] == 0:
        raise Broken(f"{spec['name']} {seed % 1000}")
    return seed


def done(spec: Spec, state: Any, seed: int) -> Any:
    """Returns the state after the action's changes."""
    for at, (what, name) in enumerate(spec["ops"]):
        word = f"{spec['name']} {(seed >> at) % 5} " * (1 + (seed >> (at + 3)) % 40)
        readable = name in spec["reads"] or what == "same"
        if what == "delete":
            state = state.wipe(delete=[name])
        elif name in NUMBERS:
            state = state.increment(**{name: 1 + seed % 5}) if what == "increment" else state.update(**{name: (seed >> at) % 7})
        elif name in OTHERS:
            value = {"set": word, "same": "the same", "append": [word, seed % 3], "extend": None}.get(what, {"word": word, "seed": [seed % 5]})
            state = state.update(**{name: value})
        elif what == "append" or not readable:
            state = state.append(**{name: word})
        elif what == "extend":
            state = state.extend(**{name: [word, {"seed": seed % 9}, seed % 3]})
        elif what == "set":
            state = state.update(**{name: [word] * (seed % 4)})
        elif what == "same":
            state = state.update(**{name: ["first", "second", "third"][: 1 + at]})
        else:
            items = state.get(name, [])
            items = items[: len(items) // 2] if what == "shorten" else [*items, word] if seed % 2 else [word, *items]
            state = state.update(**{name: items})
    return state


class ByClass(Action):
    """An action in two steps."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @property
    def reads(self) -> list[str]:
        """What it reads."""
        return list(self.spec["reads"])

    @property
    def writes(self) -> list[str]:
        """What it writes."""
        return list(self.spec["writes"])

    def run(self, state: State[Any], __context: Any = None, n: int = 0) -> dict[str, Any]:
        """Returns a number."""
        seed = begun(self.spec, state, n, __context)
        WATCH.ends(__context.app_id, f"{__context.sequence_id} {self.spec['name']}")
        return {"seed": seed}

    def update(self, result: dict[str, Any], state: State[Any]) -> Any:
        """Returns the state after it."""
        return done(self.spec, state, result["seed"])


@action(reads=["total"], writes=["total", "parts"])
def add(state: State[Any], __context: Any, by: int, name: str) -> State[Any]:
    """Is a step of a machine that an action runs."""
    WATCH.begins(name, f"{__context.sequence_id} add")
    state = state.increment(total=by).append(parts=f"{by} " * by)
    WATCH.ends(name, f"{__context.sequence_id} add")
    return state


def nested(seed: int, name: str) -> int:
    """Runs a machine, and returns what it comes to; every second has no id that stays."""
    made = (
        ApplicationBuilder().with_actions(add=add.bind(name=name)).with_transitions(("add", "add", expr("total % 3 != 0"))).with_hooks(Told(name))
        .with_state(total=seed % 50, parts=[]).with_identifiers(app_id=name if seed % 2 else None).build()
    )  # fmt: skip
    state = made.run(inputs={"by": 1 + seed % 2}, max_steps=5)[2]
    return int(state["total"]) + len(state["parts"])


def one(state: State[Any], __context: Any, spec: Spec, n: int = 0) -> tuple[dict[str, Any], State[Any]]:
    """Is an action in one step; what it is to do is bound to it."""
    seed = begun(spec, state, n, __context)
    if spec["kind"] == "nested":
        seed += nested(seed, f"{__context.app_id}/{__context.sequence_id}")
    after = done(spec, state, seed)
    WATCH.ends(__context.app_id, f"{__context.sequence_id} {spec['name']}")
    return {"seed": seed}, after


async def later(state: State[Any], __context: Any, spec: Spec, n: int = 0) -> tuple[dict[str, Any], State[Any]]:
    """Is the same, awaited."""
    await asyncio.sleep(0)
    return one(state, __context, spec, n)


def many(state: State[Any], __context: Any, spec: Spec, n: int = 0) -> Generator[tuple[dict[str, Any], Any], None, None]:
    """Is an action that streams."""
    seed = begun(spec, state, n, __context)
    for at in range(seed % 4):
        yield {"item": at}, None
    after = done(spec, state, seed)
    WATCH.ends(__context.app_id, f"{__context.sequence_id} {spec['name']}")
    yield {"seed": seed}, after


async def many_later(state: State[Any], __context: Any, spec: Spec, n: int = 0) -> AsyncGenerator[tuple[dict[str, Any], Any], None]:
    """Is the same, awaited."""
    for item in many(state, __context, spec, n):
        await asyncio.sleep(0)
        yield item


class Branches(MapStates):
    """An action that runs a step for each of some numbers, at the same time."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @property
    def reads(self) -> list[str]:
        """What it reads."""
        return list(self.spec["reads"])

    @property
    def writes(self) -> list[str]:
        """What it writes."""
        return list(self.spec["writes"])

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the step."""
        return branch

    def states(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> Generator[State[Any], None, None]:
        """Yields a state a number."""
        seed = begun(self.spec, state, 0, context)
        for at in range(1 + seed % 3):
            yield State({"number": seed % 100 + at})

    def reduce(self, state: State[Any], states: Any) -> Any:
        """Returns what they come to."""
        return done(self.spec, state, sum(each["square"] for each in states))


@action(reads=["number"], writes=["square"])
def branch(state: State[Any]) -> State[Any]:
    """Is a step of a branch."""
    return state.update(square=state["number"] ** 2)


@action(reads=[], writes=list(FIELDS))
def begin(state: State[Any], __context: Any, puts: dict[str, Any]) -> State[Any]:
    """Is the first step of all: gives the fields values, or none."""
    WATCH.begins(__context.app_id, f"{__context.sequence_id} begin")
    state = state.wipe(delete=[name for name in FIELDS if name not in puts]).update(**puts)
    WATCH.ends(__context.app_id, f"{__context.sequence_id} begin")
    return state


def made_of(spec: Spec, *, is_async: bool) -> Any:
    """Returns an action."""
    if spec["kind"] == "class":
        return ByClass(spec)
    if spec["kind"] == "parallel":
        return Branches(spec)
    declared: dict[str, Any] = {"reads": list(spec["reads"]), "writes": list(spec["writes"])}
    if spec["retry"]:
        declared["retry"] = Retry(spec["retry"], on=(ConnectionError,), backoff=0)
    if spec["kind"] == "stream":
        made: Any = streaming_action(**declared)(many_later if is_async else many)
    else:
        made = action(**declared)(later if is_async and spec["kind"] == "function" else one)
    return made.bind(spec=spec)


def built(spec: Spec) -> Any:
    """Returns the application, its id the name."""
    edges: list[Any] = [("begin", "a0")]
    for source, target, asked in spec["edges"]:
        edges.append((source, target, default if asked is None else expr("{} % {} == {}".format(*asked))))
    for source, target, most in spec["errors"]:
        edges.append((source, target, on_error(Broken, max=most)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = (
            ApplicationBuilder()
            .with_actions(begin=begin.bind(puts=spec["state"]), **{each["name"]: made_of({**each, "salt": spec["salt"] if each["salted"] else 0}, is_async=spec["is_async"]) for each in spec["actions"]})
            .with_transitions(*edges).with_entrypoint("begin").with_identifiers(app_id=spec["name"])
            .with_hooks(Told(spec["name"])).build()
        )  # fmt: skip
    return app


def run(spec: Spec, app: Any) -> dict[str, Any]:
    """Runs an application to its end, or to that of its eleventh step, or to what no transition takes; returns its fields."""
    inputs = {} if spec["n"] is None else {"n": spec["n"]}
    try:
        if spec["is_async"]:
            asyncio.run(app.arun(inputs=inputs, max_steps=STEPS))
        else:
            app.run(inputs=inputs, max_steps=STEPS)
    except (TooManySteps, Broken):
        pass
    return public(app.state)


@gv.register
def go(name: str, spec: Spec) -> dict[str, Any]:
    """Runs one of APPS inside of a call."""
    return run(spec, APPS[name])


def numbered(draw: Any, at: int, count: int) -> tuple[Spec, list[Any], list[Any]]:
    """Returns an action, the edges and the error edges that leave it."""
    reads = draw(st.lists(st.sampled_from(FIELDS), max_size=3, unique=True))
    writes = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True))
    kind = draw(st.sampled_from(KINDS))
    ops = []
    for name in writes:
        what = draw(st.sampled_from([each for each in OPS if each != "delete" or name in MAY_GO]))
        ops.append([what, name])
    name = f"a{at}"
    spec = {
        "name": name, "kind": kind, "reads": reads, "writes": writes, "ops": ops, "fails": draw(st.sampled_from([0, 0, 0, 2, 3])) if at else 0,
        "retry": draw(st.sampled_from([0, 0, 0, 2])) if kind in ("function", "nested") else 0, "salted": draw(st.booleans()),
    }  # fmt: skip
    targets = st.integers(1, count).map(lambda by: f"a{(at + by) % count}")
    asked = draw(st.lists(st.tuples(st.sampled_from(NUMBERS), st.just(3), st.integers(0, 2)), max_size=2, unique=True))
    edges = [[name, draw(targets), list(each)] for each in asked]
    if draw(st.integers(0, 9)) < 9:
        edges.append([name, draw(targets), None])
    errors = [[name, draw(targets), draw(st.sampled_from([1, 2]))]] if spec["fails"] and draw(st.integers(0, 9)) < 8 else []
    return spec, edges, errors


@st.composite
def machines(draw: Any) -> Spec:
    """Draws a machine."""
    count = draw(st.integers(2, 5))
    parts = [numbered(draw, at, count) for at in range(count)]
    state = {"n0": draw(st.integers(0, 5)), "n1": draw(st.integers(0, 5)), "l0": ["first"] * draw(st.integers(0, 30)), "l1": [], "t0": "the same"}
    return {
        "name": "m", "state": {**state, "t1": draw(st.sampled_from([None, "long " * 90]))}, "salt": 0,
        "n": draw(st.sampled_from([None, 3])), "is_async": draw(st.booleans()), "actions": [each[0] for each in parts],
        "edges": [edge for each in parts for edge in each[1]], "errors": [edge for each in parts for edge in each[2]],
    }  # fmt: skip


def fifty() -> list[Spec]:
    """Returns fifty machines, the same every time."""
    found: list[Spec] = []

    @settings(max_examples=50, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(machines())
    def collect(spec: Spec) -> None:
        found.append({**spec, "name": f"m{len(found)}"})

    collect()
    return found
