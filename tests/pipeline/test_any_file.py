"""Whatever stands in the files, the answer is a pipeline or faults with places: never another exception."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.models.schema import mismatch
from gvstore.pipeline.check import examine
from gvstore.pipeline.document import parse_document, plain_of
from gvstore.pipeline.fault import Faults
from gvstore.pipeline.keys import STEP
from gvstore.pipeline.published import json_schema
from tests.pipeline.test_check import CASES
from tests.pipeline.writing import START, project, seed_pipelines

EXAMPLE = f"""
params: {{lang: Spanish, langs: [es, fr], who: {{name: Ada}}}}
seed: 3
pipeline:
{START}
  - module: translator
    inputs: [request]
    output_name: t
    foreach: ${{langs}}
    model_config: {{model: x, temperature: 0.2, stop: [a], headers: {{A: "${{env:B}}"}}}}
    supplement: "${{item}} ${{who.name}}"
    when: lang == 'Spanish' and len(request) > 2
    retry: {{max: 3, backoff: 1, on: [model]}}
    on_error: {{fallback: {{module: enhancer}}}}
    schema: {{type: object, properties: {{a: {{type: string}}}}}}
  - {{module: enhancer, inputs: [t, t@es], output_name: u, n: 3, timeout: 2, cache: false}}
  - {{pipeline: pipeline.yml, inputs: [request], output_name: v, matrix: {{a: [1, 2], b: [x]}}}}
"""
SCRAPS = st.sampled_from(
    ["${", "${x}", "${lang}", "@", "&a ", "*a", "[", "]", "{", "}", ": ", "- ", "\n", "\t", "'", '"', "null", "yes", "1e3", "-1", "|\n", "<<: ", "#"]
    + [f"{key.name}: " for key in STEP.keys]
)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """The example with a few pieces cut out, doubled, or put in."""
    text = EXAMPLE
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 12)))
        text = text[:at] + draw(SCRAPS | st.just(text[at:until] * 2) | st.text(max_size=3)) + text[until:]
    return text


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(edited(), edited() | st.just("default_model: x\n"))
def test_any_file(text: str, config: str) -> None:
    """Every fault has a place in one of the files, and one fatal fault is enough."""
    with tempfile.TemporaryDirectory() as folder:
        data = text.encode("utf-8", "surrogatepass")
        path = project(Path(folder), data, config_yml=config.encode("utf-8", "surrogatepass"))
        pipeline, faults = examine(path)

        assert (pipeline is None) == any(fault.fatal for fault in faults)
        for fault in faults:
            assert Path(fault.place.path).is_relative_to(folder)
            lines = Path(fault.place.path).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").splitlines(keepends=True)
            assert 1 <= fault.place.line <= len(lines) + 1
            assert "\n" not in str(fault)


def plain(text: str) -> object:
    """Returns a document as plain data."""
    node = parse_document(text, "f.yml", Faults())
    assert node is not None
    return plain_of(node)


def test_the_published_schema_takes_what_is_taken() -> None:
    """Editors see no fault where there is none; an unknown key is one for both."""
    schema = json_schema("pipeline")

    assert {""} == {mismatch(plain(text), schema) for text in [*seed_pipelines().values(), EXAMPLE]}
    unknown = [text for text, faults in CASES if "unknown key" in faults[0]]
    assert len(unknown) > 3
    assert "" not in {mismatch(plain(text), schema) for text in unknown}
