"""A repository as the backend of a Store, for programs that name one: `Store(FileBackend("./dir"))`."""

from __future__ import annotations

from pathlib import Path

from gvstore.journal.repository import Repository
from gvstore.objects.protocol import ObjectStore


class FileBackend:
    """The repository in a folder, made if there is none; a Store on it records runs, as `FileStore` does.

    How objects are written is the repository's own: `serializer` and
    `use_base64_names` are taken and change nothing.
    """

    def __init__(self, root_dir: Path | str, serializer: object | None = None, use_base64_names: bool = True) -> None:
        self.repository = Repository.init(root_dir)

    @property
    def objects(self) -> ObjectStore:
        """The repository's object database."""
        return self.repository.objects
