"""The JSON Schemas of pipelines and of config.yml, for editors: made of the table of keys.

`docs/pipeline.schema.json` and `docs/config.schema.json` hold them; a test compares.
"""

from __future__ import annotations

from typing import Any

from gvstore.pipeline.keys import CONFIG, PIPELINE

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PUBLISHED = {"pipeline": (PIPELINE, "A gvstore pipeline"), "config": (CONFIG, "What a gvstore project says of all its pipelines")}


def json_schema(name: str) -> dict[str, Any]:
    """Returns the schema of "pipeline" or "config", as plain data.

    Raises:
        KeyError: there is no such schema.
    """
    keys, title = PUBLISHED[name]
    return {"$schema": DRAFT, "title": title, **keys.schema()}
