"""Code of a commit or a run, in place of the work tree's: what `--code REV` and `gv run REV::name` stand on.

    with repo.code_of("main~2") as code:
        run.replay()                    # and whatever else names components or loads the program

The files lie in a folder of their own below `.gv`, and in the block that
folder is the project's root: components are named by their path from it,
`open("prompts/x.txt")` and `Path(__file__)` find the commit's files, `import`
finds its modules.  What the work tree had loaded is out of sight until the
block ends.  All this is the process's: one block at a time, and no other
thread that imports or changes the folder meanwhile.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from gvstore import host
from gvstore.errors import BadRev, Conflict
from gvstore.journal.register import apart, registered
from gvstore.journal.target import FreshLoader
from gvstore.objects.commit import Commit
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.run import Run as StoredRun
from gvstore.reads import forget_reads
from gvstore.repo import layout
from gvstore.repo.files import Files, read_files
from gvstore.repo.resolve import Found

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_OWN: Final = str(Path(__file__).resolve().parent.parent)  # the code of gvstore itself


class WithoutCode(BadRev):
    """What was named holds no code that could be run."""

    hint = "Give a commit, a branch or tag, or a run: `--code main~1`, `--code run/3`."


class CodeInUse(Conflict):
    """This process runs the code of another commit already."""

    hint = "End the `with repo.code_of(...)` block first."


@dataclass(frozen=True, slots=True)
class Code:
    """Which code: its tree, the commit that it started from (none before the first), how it is called, and git's commit."""

    tree: ObjectId
    base: ObjectId | None
    name: str
    git: str = ""


@dataclass(slots=True)
class CodeRoot:
    """Code that this process runs out of the store.

    `path` is the folder that its files lie in; `left_out` tells by path why
    a file of the tree is not there.  After the block `written` are the files
    that the program wrote there, which lie in `kept` then.
    """

    code: Code
    path: Path
    left_out: Mapping[str, str]
    written: tuple[str, ...] = ()
    kept: Path | None = None

    @property
    def name(self) -> str:
        """How the code is called: `4be1902c`, `run/3`."""
        return self.code.name

    def told(self, text: str) -> str:
        """Returns a text with the paths in it as `4be1902c:agent.py`."""
        return text.replace(f"{self.path}{os.sep}", f"{self.name}:")

    def files(self, repo: Repository) -> Files:
        """Returns the files of the tree by path."""
        return read_files(repo.objects, self.code.tree)


def find_code(repo: Repository, rev: str | ObjectId) -> Code:
    """Returns which code a rev names, or the oid of a commit, run or tree.

    Raises:
        WithoutCode: it names nothing that has code.
        BadRev: it names nothing.
    """
    if isinstance(rev, ObjectId):
        return _code_at(repo, rev, short(rev), short(rev))
    found = repo.resolve(rev, wanted=frozenset({Found.COMMIT, Found.RUN}))
    if found.found is Found.RUN:
        run = repo.settled(repo.run_of(found))
        assert run.oid is not None
        return _code_at(repo, run.oid, rev, run.name if run.number else short(run.oid))
    if found.oid is None or found.path or found.found not in (Found.COMMIT, Found.FOLDER):
        raise WithoutCode(f"{rev} is a {found.found.value}, and a commit or run was asked for")
    if found.ref.startswith("git:"):
        sha = found.ref.removeprefix("git:")
        return Code(found.oid, None, f"git:{sha[:8]}", f"{sha} clean")
    return _code_at(repo, found.oid, rev, repo.resolver().shortest(found.oid))


def _code_at(repo: Repository, oid: ObjectId, asked: str, name: str) -> Code:
    kind = repo.objects.read(oid)[0]
    if kind == Kind.COMMIT:
        return Code(Commit.get(repo.objects, oid).tree, oid, name)
    if kind == Kind.TREE:
        return Code(oid, None, name)
    if kind != Kind.RUN:
        raise WithoutCode(f"{asked} is no commit and no run: it has no code")
    run = StoredRun.get(repo.objects, oid)
    if run.code is None:
        left = [note for note in run.notes if "left out of the code snapshot" in note]
        raise WithoutCode(
            f"{name} kept no code{': ' + '; '.join(left) if left else ''}",
            hint="A run keeps the files of this repository that it used: its program lies outside, or in a file with a key.",
        )
    base = run.base if run.base is not None and repo.objects.has(run.base) else None
    return Code(run.code, base, name)


@contextmanager
def standing_in(repo: Repository, code: Code) -> Iterator[CodeRoot]:
    """Lays the code out, and makes it the project's in the block.

    Raises:
        CodeInUse: the process runs code out of the store already.
        BadPath, CannotWrite: it cannot be laid out.
    """
    from gvstore.repo.code_folder import lay_out

    if repo.code is not None:
        raise CodeInUse(f"this process runs the code of {repo.code.name} already")
    folder = lay_out(repo.objects, repo.gv, code.tree)
    root = CodeRoot(code, folder.path, folder.left_out)
    try:
        with ExitStack() as stack:
            stack.enter_context(_working_in(repo.path, root.path))
            stack.enter_context(_importing_from(repo.path, root.path))
            stack.enter_context(_rooted(repo, root))
            yield root
    finally:
        forget_reads(str(root.path) + os.sep)
        root.written, root.kept = folder.remove(repo.gv / layout.WRITTEN)


@contextmanager
def modules_apart(repo: Repository) -> Iterator[None]:
    """Lets the project's modules be loaded anew in the block, as in a process of its own; afterwards those before are back."""
    with _importing_from(repo.root, repo.root):
        yield


@contextmanager
def _rooted(repo: Repository, root: CodeRoot) -> Iterator[None]:
    repo.code = root
    repo.store.root = root.path
    try:
        yield
    finally:
        repo.code = None
        repo.store.root = repo.path


@contextmanager
def _working_in(old: Path, new: Path) -> Iterator[None]:
    """Moves to the folder of `new` that is where this one is in `old`, or else to `new` itself."""
    before = host.cwd()
    here = before.resolve()
    inner = here.relative_to(old.resolve()) if here.is_relative_to(old.resolve()) else Path()
    os.chdir(new / inner if (new / inner).is_dir() else new)
    try:
        yield
    finally:
        with suppress(OSError):  # it was deleted meanwhile
            os.chdir(before)


@contextmanager
def _importing_from(old: Path, new: Path) -> Iterator[None]:
    """Lets `import` find the modules of `new` where it found those of `old`, and takes those that are loaded out of sight."""
    path, finders = list(sys.path), list(sys.meta_path)
    project = {name: module for name, module in list(sys.modules.items()) if _is_of(module, old)}
    for name in project:
        del sys.modules[name]
    sys.path[:] = [_moved(entry, old, new) for entry in path]
    if old != new:
        sys.meta_path.insert(0, _InstalledInPlace(old, new))
    importlib.invalidate_caches()
    try:
        with apart({*project, *_registering(old), "__main__"}):
            try:
                yield
            finally:
                for name, module in list(sys.modules.items()):
                    if _is_of(module, new):
                        del sys.modules[name]
    finally:
        sys.modules.update(project)
        sys.meta_path[:] = [each for each in sys.meta_path if each in finders or getattr(each, "root", "") != f"{new}/"]
        added = [entry for entry in sys.path if entry not in path and not _is_project(entry, new)]
        sys.path[:] = [*path, *added]
        importlib.invalidate_caches()


class _InstalledInPlace(MetaPathFinder):
    """Finds what other finders know in the work tree where it lies in the other code: projects installed in place (`pip install -e`)."""

    def __init__(self, old: Path, new: Path) -> None:
        self.old, self.new, self.root = old, new, f"{new}/"

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Returns the spec of a module whose file another finder has in the work tree; None: it is somebody else's.

        Raises:
            ModuleNotFoundError: the other code has no such file.
        """
        found = (each.find_spec(fullname, path, target) for each in list(sys.meta_path) if each is not self)
        spec = next((each for each in found if each is not None), None)
        if spec is None or not spec.origin or not _is_project(spec.origin, self.old):
            return spec
        file = _moved(spec.origin, self.old, self.new)
        if not Path(file).is_file():
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname, path=file)
        below = spec.submodule_search_locations
        return importlib.util.spec_from_file_location(
            fullname, file, loader=FreshLoader(fullname, file),
            submodule_search_locations=None if below is None else [_moved(each, self.old, self.new) for each in below],
        )  # fmt: skip


def _registering(root: Path) -> set[str]:
    """Returns the modules that registered components of a project, also those that are unloaded by now."""
    codes = [(live.module, getattr(inspect.unwrap(live.function), "__code__", None)) for live in registered()]
    return {module for module, code in codes if code is not None and _is_project(code.co_filename, root)}


def _is_of(module: object, root: Path) -> bool:
    """Returns whether a module was loaded from a project's own files; a package without a file, from its folders."""
    places = [getattr(module, "__file__", None)]
    if places == [None]:
        with suppress(Exception):  # whatever a module of somebody's own making does
            places = list(getattr(module, "__path__", ()))
    return getattr(module, "__name__", "") != "__main__" and any(
        isinstance(place, str) and _is_project(place, root) for place in places
    )


def _is_project(place: str, root: Path) -> bool:
    """Returns whether a file or folder is a project's own, not that of an environment in it, and not ours."""
    if _INSTALLED.intersection(Path(place).parts):
        return False
    path = Path(os.path.realpath(place))
    if not path.is_relative_to(root.resolve()) or f"{path}{os.sep}".startswith(f"{_OWN}{os.sep}"):
        return False
    inner = path.relative_to(root.resolve())
    if _INSTALLED.intersection(inner.parts) or layout.GV_FOLDER in inner.parts:
        return False
    above = [root / each for each in inner.parents if each != Path()]
    return not any((folder / "pyvenv.cfg").is_file() for folder in above)


def _moved(entry: str, old: Path, new: Path) -> str:
    """Returns where an entry of `sys.path` lies in the other project; what is not of the project stays."""
    if not entry or not _is_project(entry, old) or (Path(entry) / "gvstore").resolve() == Path(_OWN):
        return entry
    return str(new / Path(os.path.realpath(entry)).relative_to(old.resolve()))
