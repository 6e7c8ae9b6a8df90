"""What a component reached when it was recorded, read from the code that its run used."""

from __future__ import annotations

from gvstore.code.facts import FactStore
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.tree import TreeModules
from gvstore.errors import Corrupt
from gvstore.objects.blob import get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.repo.files import read_files


def project_in_tree(reader: ObjectReader, tree: ObjectId, store: FactStore | None = None) -> Project:
    """Returns the project as a tree of files tells it; files that are damaged or forgotten are none."""
    try:
        files = read_files(reader, tree)
    except Corrupt:
        files = {}

    def read(path: str) -> bytes | None:
        try:
            return get_blob(reader, files[path].oid) if path in files else None
        except Corrupt:
            return None

    return Project(TreeModules(read), store)


def reached_in(project: Project, name: str) -> Reached | None:
    """Returns what the component of this name reaches; None where it is not found there."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = project.module(".".join(parts[:cut]))
        number = None if module is None else module.number(".".join(parts[cut:]))
        if module is not None and number is not None:
            found = trace(project, module, number)
            project.keep()
            return found
    return None
