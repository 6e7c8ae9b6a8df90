"""Code of commits and runs in place of the work tree's, in one process: what is imported, named, recorded, and put back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import BadRev
from gvstore.journal.code_root import CodeInUse, WithoutCode
from gvstore.journal.fault import NoSuchComponent
from gvstore.journal.register import apart, registered
from gvstore.journal.repository import Repository
from gvstore.journal.target import load_file
from gvstore.objects.run import Run as StoredRun

AGENT = """
from pathlib import Path

import gvstore as gv
from parts.text import clean


@gv.register
def ask(prompt: str) -> str:
    return clean(prompt)


@gv.register
def write(topic: str) -> str:
    beside = (Path(__file__).parent / "prompt.txt").read_text()
    return ask(Path("prompt.txt").read_text() + topic) + ask(beside)
"""
TEXT = "def clean(text):\n    return text.{}()\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """Two commits, run/1 with the code of the first and run/2 with that of the second, and a work tree that is broken."""
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    repo = Repository.init(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/__init__.py").write_text("")
    with repo, apart(()):
        for number, (method, prompt) in enumerate((("upper", "Tell of "), ("title", "sing of "))):
            (tmp_path / "agent.py").write_text(AGENT)
            (tmp_path / "parts/text.py").write_text(TEXT.format(method))
            (tmp_path / "prompt.txt").write_text(prompt)
            repo.commit(f"code {number}", allow_empty=True)
            with repo.code_of("main"):
                gv.run(load("agent.py", repo).write, "otters")
        (tmp_path / "agent.py").write_text("raise RuntimeError('broken')\n")
        (tmp_path / "prompt.txt").write_text("broken")
        yield repo
        for name in {"agent", "parts", "parts.text"} & set(sys.modules):
            del sys.modules[name]
    sys.path[:] = path
    sys.meta_path[:] = [each for each in sys.meta_path if getattr(each, "root", "") != f"{tmp_path}/"]


def load(path: str, repo: Repository) -> Any:
    return load_file(repo.root / path, repo.root)


def test_each_code_runs_as_it_was(project: Repository) -> None:
    """Modules, files beside them and files of the folder are those of the commit; its run is fresh, the other's is not."""
    one, two = project.runs[1], project.runs[2]
    assert "TELL OF OTTERSTELL OF " == one.output
    assert "Sing Of OttersSing Of " == two.output
    for rev, run, other in (("main~1", one, two), ("main", two, one), ("run/1", one, two), ("run/2", two, one)):
        with project.code_of(rev):
            load("agent.py", project)

            assert run.plan().complete
            assert not other.plan().complete
            assert {"agent.write: file prompt.txt changed", "agent.ask: helper parts.text.clean() changed"} == {*other.plan().reasons}
            again = run.replay(live="ask")
        assert (run.output, run.record.code, run.record.base) == (again.output, again.record.code, again.record.base)
        assert run.invocation == again.invocation


def test_a_run_loads_its_own_program(project: Repository) -> None:
    """In a block a plan, check, or replay loads what defines the run; nothing has to be imported for it."""
    one = project.runs[1]
    with project.code_of("run/1"):
        assert one.plan().complete
    with project.code_of("run/1"):
        assert one.check().ok
    with project.code_of("run/1"):
        assert one.output == one.replay(live="ask").output
    with project.code_of("run/1"), pytest.raises(NoSuchComponent, match="no component other"):
        one.check(alias={"agent.write": "other.write"})


def test_the_tree_is_the_code_of_the_run(project: Repository) -> None:
    """Code and base of a run are the commit's to the byte."""
    for rev, number in (("main~1", 1), ("main", 2)):
        oid = project.resolve_commit(rev)
        record = project.runs[number].record

        assert (oid, project.files(oid)) == (record.base, project.files(record.base))
        assert project.runs[number].code_name() == oid.hex()[:8]


def test_a_project_installed_in_place(project: Repository, tmp_path: Path) -> None:
    """A finder that knows the work tree's files, as `pip install -e` makes one, leads to those of the code."""

    class InPlace(MetaPathFinder):
        def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
            file = tmp_path / fullname.replace("installed", "parts").replace(".", "/")
            file = file / "__init__.py" if fullname == "installed" else file.with_suffix(".py")
            return spec_from_file_location(fullname, file) if fullname.startswith("installed") else None

    finder = InPlace()
    sys.meta_path.insert(0, finder)
    try:
        for rev, text in (("main~1", "ABC D"), ("main", "Abc D")):
            with project.code_of(rev) as code:
                module = import_module("installed.text")

                assert str(code.path) in str(module.__file__)
                assert text == module.clean("abc d")
        (tmp_path / "parts/new.py").write_text("")
        with project.code_of("main"), pytest.raises(ModuleNotFoundError, match=r"installed\.new"):
            import_module("installed.new")
    finally:
        sys.meta_path.remove(finder)


def test_all_is_put_back(project: Repository, tmp_path: Path) -> None:
    """Folder, path, modules, registered components and files are as before, also when the block raises."""
    (tmp_path / "agent.py").write_text(AGENT)
    mine = load("agent.py", project)
    before = dict(sys.modules), list(sys.path), Path.cwd(), {id(live) for live in registered()}
    finders = len(sys.meta_path)
    with pytest.raises(ZeroDivisionError), project.code_of("main~1") as code:
        other = load("agent.py", project)
        assert mine is not other
        assert code.path == Path.cwd() == project.root == project.store.root
        assert str(code.path) in other.__file__
        raise ZeroDivisionError

    assert before == (dict(sys.modules), list(sys.path), Path.cwd(), {id(live) for live in registered()})
    assert (finders, None, tmp_path, tmp_path) == (len(sys.meta_path), project.code, project.root, project.store.root)
    assert not code.path.exists()
    assert "broken" in (tmp_path / "prompt.txt").read_text()


def test_a_folder_below_is_kept(project: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stands in a folder of the project stands in that folder of the code, if it has it."""
    monkeypatch.chdir(tmp_path / "parts")
    with project.code_of("main") as code:
        assert code.path / "parts" == Path.cwd()
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    with project.code_of("main") as code:
        assert code.path == Path.cwd()
    assert tmp_path / "new" == Path.cwd()


def test_what_has_no_code(project: Repository) -> None:
    """Anything but a commit, run or tree is refused by name; so is one such block within another."""
    for rev in ("main:agent.py", "main::agent.ask", "run/1:0", "main:parts"):
        with pytest.raises(WithoutCode, match="a commit or run was asked for"), project.code_of(rev):
            pass
    with pytest.raises(BadRev), project.code_of("nowhere"):
        pass
    with project.code_of("main"), pytest.raises(CodeInUse), project.code_of("main~1"):
        pass
    oid = StoredRun(
        root=None, status="ok", started_at=0, ended_at=0, target="x", author="", user="", host="", python="", counts={}
    ).put(project.objects)
    with pytest.raises(WithoutCode, match="kept no code"), project.code_of(oid):
        pass


def test_what_was_written_is_told(project: Repository, tmp_path: Path) -> None:
    """A file that the program writes is not in the work tree, and lies in a folder that is named."""
    with project.code_of("main") as code:
        Path("report.txt").write_text("done")
        Path("out").mkdir()
        Path("out/prompt.txt").write_text("done")

    assert ("out/prompt.txt", "report.txt") == code.written
    assert code.kept is not None
    assert "done" == (code.kept / "report.txt").read_text()
    assert not (tmp_path / "report.txt").exists()
