"""A throw-away project whose modules can be imported, edited and read again."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap
from pathlib import Path
from types import ModuleType

_numbers = itertools.count()

ENACT = """
import sys
from gvstore.code.source import snapshot

def register(obj=None, **options):
    if obj is None:
        frame = sys._getframe(1)
        def decorate(obj):
            snapshot(obj, frame)
            return obj
        return decorate
    snapshot(obj, sys._getframe(1))
    return obj

class Invokable:
    pass
"""


class Project:
    """Files in a folder of their own, importable under names that no other test uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = next(_numbers)
        self.write("enact.py", ENACT)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def load(self, text: str, name: str = "") -> ModuleType:
        """Returns the module that `text` makes, imported by Python's own machinery from a file."""
        name = name or f"module_{self.number}_{next(_numbers)}"
        self.write(f"{name}.py", text)
        sys.path.insert(0, str(self.folder))
        try:
            sys.modules.pop("enact", None)
            importlib.invalidate_caches()
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(self.folder))

    def path_of(self, module: ModuleType) -> Path:
        assert module.__file__ is not None
        return Path(module.__file__)

    def reload(self, module: ModuleType) -> None:
        """Runs a module's file again in the same module, as `importlib.reload` does."""
        assert module.__spec__ is not None and module.__spec__.loader is not None
        module.__spec__.loader.exec_module(module)
