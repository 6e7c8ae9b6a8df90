"""`--set a.b=c`: values of a pipeline's files, changed for one run.

    --set language=Spanish                     the parameter `language`
    --set task_plan.model_config.temperature=0 a key of the step whose output_name is task_plan
    --set default_model=gpt-4                  a key of config.yml
    --set seed=7                               a key of the pipeline
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gvstore.pipeline.document import Entry, Items, Node, Scalar, Table, parse_document
from gvstore.pipeline.fault import BadSetting, Faults, PipelineFault, or_meant, quoted
from gvstore.pipeline.keys import CONFIG, STEP
from gvstore.pipeline.place import Place
from gvstore.pipeline.scalar import BadScalar, value_of

OPTION = "--set"
OF_CONFIG = tuple(key.name for key in CONFIG.keys if key.name != "pipeline")


@dataclass(frozen=True, slots=True)
class Setting:
    """One change: the names of the way there, and the value."""

    path: tuple[str, ...]
    node: Node


def parse_setting(text: str) -> Setting:
    """Returns what `a.b=c` says; the value is YAML where it begins like a list, a mapping or quotes, else one scalar.

    Raises:
        BadSetting: it is not of that form.
    """
    way, equals, value = text.partition("=")
    path = tuple(part.strip() for part in way.split("."))
    if not equals or not all(path):
        raise BadSetting(text, "a name, = and a value are needed")
    place = Place(f"{OPTION} {way.strip()}")
    if value[:1] in ("[", "{", '"', "'"):
        faults = Faults()
        try:
            node = parse_document(value, place.path, faults)
            faults.raise_fatal()
        except PipelineFault as e:
            raise BadSetting(text, e.faults[0].what) from None
        return Setting(path, node if node is not None else Scalar(place, "", None))
    try:
        return Setting(path, Scalar(place, value, value_of(value, plain=True)))
    except BadScalar:
        return Setting(path, Scalar(place, value, value))


def changed(pipeline: Table, config: Table | None, settings: Sequence[Setting], faults: Faults) -> tuple[Table, Table | None]:
    """Returns the trees of both files with the settings in them; one that names nothing is a fault."""
    for setting in settings:
        first, *rest = setting.path
        params, steps = pipeline.get("params"), _steps(pipeline)
        known = [entry.key for entry in params.entries] if isinstance(params, Table) else []
        if first == "params" and rest:
            pipeline = _with(pipeline, setting.path, setting.node)
        elif first in known:
            pipeline = _with(pipeline, ("params", *setting.path), setting.node)
        elif first in steps and rest:
            pipeline = _in_step(pipeline, first, tuple(rest), setting.node)
        elif first in OF_CONFIG and not rest:
            config = _with(config or Table(setting.node.place, ()), (first,), setting.node)
        elif first == "seed" and not rest:
            pipeline = _with(pipeline, ("seed",), setting.node)
        else:
            names = [*known, *steps, *OF_CONFIG, "seed"]
            why = f"a step's key is needed, {first}.<key>: {', '.join(key.name for key in STEP.keys[3:6])}, ..." if first in steps else ""
            faults.add(setting.node.place, why or f"nothing has the name {quoted(first)}: {or_meant(first, names)}")
    return pipeline, config


def _steps(pipeline: Table) -> list[str]:
    steps = pipeline.get("pipeline")
    found = [each.get("output_name") for each in steps.items if isinstance(each, Table)] if isinstance(steps, Items) else []
    return [each.raw for each in found if isinstance(each, Scalar)]


def _in_step(pipeline: Table, name: str, path: tuple[str, ...], node: Node) -> Table:
    steps = pipeline.get("pipeline")
    assert isinstance(steps, Items)
    items = []
    for each in steps.items:
        named = each.get("output_name") if isinstance(each, Table) else None
        here = isinstance(named, Scalar) and named.raw == name
        items.append(_with(each, path, node) if here and isinstance(each, Table) else each)
    return _with(pipeline, ("pipeline",), replace(steps, items=tuple(items)))


def _with(table: Table, path: tuple[str, ...], node: Node) -> Table:
    """Returns a table with a value at a path; what is in the way is made a table."""
    first, *rest = path
    old = table.entry(first)
    if rest:
        inner = old.value if old is not None and isinstance(old.value, Table) else Table(node.place, ())
        node = _with(inner, tuple(rest), node)
    if old is None:
        return replace(table, entries=(*table.entries, Entry(first, node.place, node)))
    return replace(table, entries=tuple(replace(each, value=node) if each.key == first else each for each in table.entries))
