"""Which file a person means who types a file, a folder, or nothing."""

from __future__ import annotations

from pathlib import Path

from gvstore.pipeline.config import config_of
from gvstore.pipeline.document import parse_document
from gvstore.pipeline.fault import Faults, NoPipeline, PipelineFault, listed, or_meant, quoted
from gvstore.pipeline.project import Project, read_text

ENDINGS = (".yml", ".yaml")


def find_pipeline(typed: Path) -> Path:
    """Returns the pipeline's file: `typed` itself, or of a folder the one that its config.yml names, or its pipeline.yml.

    Raises:
        NoPipeline: there is none, or several and none is named.
        PipelineFault: config.yml cannot be read, or names a pipeline that is not there.
    """
    if not typed.is_dir():
        return typed
    project, faults = Project(typed), Faults()
    file = read_text(typed / "config.yml", faults)
    config = config_of(parse_document(file.text, file.path, faults) if file else None, faults)
    faults.raise_fatal()
    names = project.pipeline_names()
    if config.pipeline is not None:
        found = named_in(typed, config.pipeline)
        if found is not None:
            return found
        assert config.pipeline_place is not None
        near = or_meant(config.pipeline, names, otherwise=f"there is no pipelines/{config.pipeline}.yml")
        faults.add(config.pipeline_place, f"unknown pipeline {quoted(config.pipeline)}: {near}")
        raise PipelineFault(faults.found)
    for ending in ENDINGS:
        if (typed / f"pipeline{ending}").is_file():
            return typed / f"pipeline{ending}"
    single = named_in(typed, names[0]) if len(names) == 1 else None
    if single is not None:
        return single
    hint = f"Name one of {listed(f'pipelines/{name}.yml' for name in names)}, or write pipeline: into config.yml."
    raise NoPipeline(str(typed), hint=hint if names else "Name a .yml file, or a folder with a config.yml that names one.")


def named_in(folder: Path, name: str) -> Path | None:
    """Returns the pipeline's file that a name means, with or without its ending, in a folder or in pipelines/ there."""
    endings = ("",) if name.endswith(ENDINGS) else ENDINGS
    places = [inside / f"{name}{ending}" for inside in (folder, folder / "pipelines") for ending in endings]
    return next((each for each in places if each.is_file()), None)
