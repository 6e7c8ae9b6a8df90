"""`schema:` of a step: what a structured answer looks like."""

from __future__ import annotations

import json
import re
from typing import Any

from gvstore.pipeline.document import Items, Node, Table, plain_of
from gvstore.pipeline.fault import Faults, quoted
from gvstore.pipeline.place import Place
from gvstore.pipeline.project import Project


def read_schema(said: str | Node, place: Place, project: Project, faults: Faults) -> Any:
    """Returns the schema as plain data: what stands in the pipeline, or in the JSON file that it names."""
    from gvstore.models.schema import schema_faults  # brings the models along: not for pipelines without a schema

    if not isinstance(said, str):
        schema = plain_of(said)
        for where, why in schema_faults(schema):
            faults.add(place_of(said, where), f"schema{'.' if where else ''}{where}: {why}")
        return schema
    file = project.read(said, faults)
    if file is None:
        if not project.has(said):
            faults.add(place, f"schema: there is no file {quoted(said)} in {project.root}")
        return None
    try:
        schema = json.loads(file.text)
    except json.JSONDecodeError as e:
        faults.add(Place(file.path, e.lineno, e.colno), f"this is no JSON: {e.msg}")
        return None
    except (ValueError, RecursionError) as e:
        faults.add(file.start, f"this is no JSON: {e}")
        return None
    for where, why in schema_faults(schema):
        faults.add(file.start, f"{where + ': ' if where else ''}{why}")
    return schema


def place_of(node: Node, where: str) -> Place:
    """Returns the place of a part of a schema, `properties.name.anyOf[0]`; of the part around it, if it can't be found."""
    rest = where
    place = node.place
    while rest:
        index = re.match(r"\[(\d+)\]\.?", rest)
        if index and isinstance(node, Items) and int(index[1]) < len(node.items):
            node, rest = node.items[int(index[1])], rest[index.end() :]
            place = node.place
            continue
        entries = [each for each in node.entries if re.match(re.escape(each.key) + r"(\.|\[|$)", rest)] if isinstance(node, Table) else []
        if not entries:
            return place
        entry = max(entries, key=lambda each: len(each.key))
        node, place, rest = entry.value, entry.place, rest[len(entry.key) :].removeprefix(".")
    return place
