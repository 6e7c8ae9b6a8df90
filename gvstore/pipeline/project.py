"""The files around a pipeline: prompts, configuration, Python files.  All reading of a pipeline's files is here.

    <root>/config.yml            how models are asked
    <root>/general_system.txt    before every system prompt
    <root>/system_prompts/       <module>.txt
    <root>/modules.py            functions that are modules
    <root>/tools/tool_prompt.txt
    <root>/pipelines/            pipelines

The root is the pipeline's own folder, or the one above if only that has any of these.
"""

from __future__ import annotations

import errno
import stat
from dataclasses import dataclass, field
from pathlib import Path

from gvstore import fs
from gvstore.pipeline.fault import Faults
from gvstore.pipeline.functions import Signature, parse_functions
from gvstore.pipeline.place import Place

MARKS = ("config.yml", "general_system.txt", "modules.py", "system_prompts")
MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file as it was read: line ends as `\\n`; `path` as it is shown."""

    path: str
    text: str

    @property
    def start(self) -> Place:
        """Its first character."""
        return Place(self.path)


@dataclass(slots=True)
class Project:
    """A project's folder; what is read is kept, so that one look at a pipeline sees one state of every file."""

    root: Path
    _texts: dict[Path, TextFile | None] = field(default_factory=dict)
    _functions: dict[str, dict[str, Signature] | None] = field(default_factory=dict)

    def read(self, relative: str, faults: Faults) -> TextFile | None:
        """Returns a file of the project; None if there is none, or it cannot be read, which is a fault."""
        path = self.root / relative
        if path not in self._texts:
            self._texts[path] = read_text(path, faults)
        return self._texts[path]

    @property
    def files(self) -> list[Path]:
        """The files that were read."""
        return [path for path, file in self._texts.items() if file is not None]

    def has(self, relative: str) -> bool:
        """Returns whether there is such a file."""
        return _is_file(self.root / relative)

    def prompt(self, module: str, faults: Faults) -> TextFile | None:
        """Returns the prompt file of a module, if there is one that can be read."""
        return self.read(f"system_prompts/{module}.txt", faults)

    def prompt_names(self) -> list[str]:
        """Returns the modules that have a prompt file, sorted."""
        folder = self.root / "system_prompts"
        return sorted(path.stem for path in folder.glob("*.txt")) if folder.is_dir() else []

    def functions(self, relative: str, faults: Faults) -> dict[str, Signature] | None:
        """Returns what a Python file of the project defines at its top, found by reading; None if there is no such file.

        A file that is no Python is a fault, and has no functions.
        """
        if relative not in self._functions:
            there = self.has(relative)
            file = self.read(relative, faults) if there else None
            self._functions[relative] = parse_functions(file.text, file.path, faults) if file else ({} if there else None)
        return self._functions[relative]

    def python_files(self) -> list[str]:
        """Returns the Python files directly in the project's folder, sorted."""
        return sorted(path.name for path in self.root.glob("*.py"))

    def pipeline_names(self) -> list[str]:
        """Returns the pipelines in pipelines/, sorted, without their endings."""
        return sorted({path.stem for pattern in ("*.yml", "*.yaml") for path in (self.root / "pipelines").glob(pattern)})


def root_of(pipeline: Path) -> Path:
    """Returns the project's folder of a pipeline's file."""
    own = pipeline.parent
    above = own.parent if own.name and own.name != ".." else own / ".."
    has = [any((folder / mark).exists() for mark in MARKS) for folder in (own, above)]
    return above if has == [False, True] else own


def read_text(path: Path, faults: Faults) -> TextFile | None:
    """Returns a text file; None if there is none.  One that cannot be read, or is no UTF-8, is a fault."""
    try:
        data = fs.read_bytes(path.resolve(), limit=MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except fs.NotAFile:
        faults.add(Place(str(path)), "this is no file")
        return None
    except (OSError, ValueError, RuntimeError) as e:
        code = getattr(e, "errno", None)
        why = f"the file is larger than {MAX_BYTES:,} bytes" if code == errno.EFBIG else getattr(e, "strerror", None) or str(e)
        faults.add(Place(str(path)), f"the file cannot be read: {why}")
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        faults.add(Place(str(path)), "the file is UTF-16: save it as UTF-8")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        start = e.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        before = data[:start].decode("utf-8-sig", "replace").split("\n")
        faults.add(Place(str(path), len(before), len(before[-1]) + 1), f"the byte 0x{data[start]:02x} is no UTF-8: save the file as UTF-8")
        return None
    return TextFile(str(path), text.replace("\r\n", "\n").replace("\r", "\n"))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
