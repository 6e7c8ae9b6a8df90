"""PIPELINES: steps of model calls, written in YAML beside their prompt files.

Each in its file:

    place       a file, a line, a column; fault: all that is wrong, each with its place
    document    YAML as nodes that know where they stand (scalar: what a plain scalar means)
    template    texts with ${param} and ${env:NAME} in them; fill: a tree with its parameters filled in
    keys        the table of keys that files may have (kind, kind_name, kind_table: how each is read; name,
                function_path: how names are written)
    published   the JSON Schemas made of that table
    project     the files around a pipeline (functions: what a Python file defines, read and not imported); config: config.yml
    check       a whole file, every fault at once: operation reads an entry (modules, models, model_config, answer: its
                parts), expand makes steps of loops, wiring looks up what they are given; out come pipeline and step
    order       which step waits for which; choose: `--only --from --until`; setting: `--set`; find: which file is meant
    drawing     the picture; terms: on what a step's result depends, to be recorded and compared
    prompt      what a model is sent; given: what a step is given of the results before it, and whether it runs

    program     a pipeline with its components and functions; component: what these are; source: their code, as text
    execution   step after step, in lanes and threads; attempt: one step, tried, skipped, passed over; failure: how it fails
    work        what a step does; module_call: what a module is given and can do; builtin: where the built-in ones stand
    asking      start_module, human_intervention; ai: what functions of modules.py use
    engineer, debugger, modify_codebase, create_readme; coding: what these have in common; hands: their recorded calls;
                generated: the files that steps wrote so far
    plan        what a run would do; change: why a step runs again, in words; usage: what models have used
    export      runs for other programs; wandb_log: for Weights & Biases
    restore     brings back what a step did beside its answer, where the record answers
    past        what earlier runs answer; perform: a run as a person asks for it; conduct: how many at once, who listens

    extract         files out of a model's answer; file_name: the path in the words around a block
    working_folder  where they are written and nowhere else; working_path: which paths, open_folder: one step of the walk
    sandbox         runs a program within limits, through the script supervisor, which leaves nobody behind
    debug_loop      run, and let a model mend what fails; environment: what a program's requirements are installed into
    codebase        files as text for a model
    refusal         what the built-in modules refuse
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gvstore.pipeline.ai import AI as AI
    from gvstore.pipeline.ai import log_action as log_action

_WHERE = {"AI": "ai", "log_action": "ai"}

__all__ = ["AI", "log_action"]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__
