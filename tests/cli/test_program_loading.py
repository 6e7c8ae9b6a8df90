"""How `gv run` and `gv replay` load a program: under the names, and in the order, in which Python imports it."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import CommandLine

REGISTRY = """
known = []
"""
LATE = """
def late() -> int:
    return 4
"""
CORE = """
import gvstore as gv
from agent.registry import known

known.append(1)


@gv.register
def main() -> int:
    from .late import late

    return late() + len(known)
"""
NESTED = """
import gvstore as gv
import helper


@gv.register
def main() -> int:
    return helper.{}()
"""
WAYS = (("agent.core:main", "src"), ("src/agent/core.py:main", "src"), ("agent.core:main", ""), ("src/agent/core.py:main", ""))


def test_a_package_that_imports_the_program(gv: CommandLine) -> None:
    """A package is imported before its modules, however the program is named; the component is the one that it exports."""
    gv("init")
    gv.write("pk/__init__.py", "from .core import main\n")
    gv.write("pk/core.py", "import gvstore as gv\n\n\n@gv.register\ndef main() -> int:\n    return 3\n")
    gv("run", "pk.core:main")
    assert "run/2  main() = 3" in gv("run", "pk/core.py:main").out
    for run in ("run/1", "run/2"):
        assert "complete and fresh" in gv("replay", run).out
        assert "complete and fresh" in gv("replay", run, "--code", "run/1").out
        assert "passes: nothing changed" in gv("replay", "--check", run).out
        assert "nothing to do" in gv("rebase", run).out
    gv("commit", "-m", "one")
    assert "main() = 3" in gv("run", "main::pk.core.main").out


def test_a_module_named_as_its_package(gv: CommandLine) -> None:
    """The folder of a module in a package does not hide the package, and what lies beside the module is found all the same."""
    gv("init")
    gv.write("pk/__init__.py", "")
    gv.write("pk/beside.py", "three = 3\n")
    gv.write("pk/pk.py", "import gvstore as gv\nimport pk\nfrom beside import three\n\n\n@gv.register\ndef main() -> str:\n    return pk.pk.__name__ * three\n")
    assert "main() = 'pk.pkpk.pkpk.pk'" in gv("run", "pk/pk.py:main").out


def test_a_package_that_raises_is_told(gv: CommandLine) -> None:
    """What a package raises is the program's; a library of the same name is not taken for it."""
    gv("init")
    gv.write("pk/__init__.py", "import no_such_library\n")
    gv.write("pk/core.py", CORE)
    error = gv("run", "pk/core.py:main", status=20).err
    assert "core.py raised while it was loaded" in error
    assert "No module named 'no_such_library'" in error
    gv.write("json/inner/__init__.py", "")
    gv.write("json/inner/core.py", "import gvstore as gv\n\n\n@gv.register\ndef main() -> int:\n    return 3\n")
    assert "main() = 3" in gv("run", "json/inner/core.py:main").out


@pytest.mark.parametrize("package", ["", "src/__init__.py"])
def test_modules_below_src(gv: CommandLine, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """They are imported by their names below it, once, unless it is a package; the component is the same however it was started, and as read."""
    gv("init")
    prefix = "src." if package else ""
    if package:
        gv.write(package, "")
    gv.write("src/agent/__init__.py", "")
    gv.write("src/agent/registry.py", REGISTRY)
    gv.write("src/agent/late.py", LATE)
    gv.write("src/agent/core.py", CORE.replace("agent.registry", f"{prefix}agent.registry"))
    ways = (("src.agent.core:main", ""), ("src/agent/core.py:main", "")) if package else WAYS
    for target, path in ways:
        with monkeypatch.context() as patch:
            patch.setattr("sys.path", [*([str(gv.folder / path)] if path else []), *sys.path])
            assert "main() = 5" in gv("run", target).out
    gv("commit", "-m", "one")
    for number in range(1, len(ways) + 1):
        assert "complete and fresh" in gv("replay", f"run/{number}").out
        assert "complete and fresh" in gv("replay", f"run/{number}", "--code", "main").out
    assert "main() = 5" in gv("run", "main::src.agent.core.main").out
    gv.write("src/agent/late.py", LATE.replace("4", "5"))
    for number in range(1, len(ways) + 1):
        assert "helper src.agent.late.late() changed" in gv("replay", f"run/{number}", "--plan").out


def test_a_program_that_names_src(gv: CommandLine) -> None:
    """Where the program itself writes `src.` the components are the same, and what they reach is what a commit reads."""
    gv("init")
    gv.write("src/agent/__init__.py", "")
    gv.write("src/agent/late.py", LATE)
    gv.write("src/agent/core.py", "import gvstore as gv\nfrom .late import late\n\n\n@gv.register\ndef main() -> int:\n    return late()\n")
    gv.write("start.py", "import gvstore as gv\nfrom src.agent.core import main\n\n\n@gv.register\ndef start() -> int:\n    return main()\n")
    gv("run", "start.py:start")
    gv("commit", "-m", "one")
    gv("run", "src/agent/core.py:main")
    for run in ("run/1", "run/2"):
        assert "complete and fresh" in gv("replay", run).out
        assert "complete and fresh" in gv("replay", run, "--code", "main").out
    assert "no changes" in gv("status").out
    gv.write("src/agent/late.py", LATE.replace("4", "5"))
    for run in ("run/1", "run/2"):
        assert "helper src.agent.late.late() changed" in gv("replay", run, "--plan").out


def test_each_run_of_a_check_has_its_own_modules(gv: CommandLine) -> None:
    """Modules of one name in different folders are loaded anew for each run."""
    gv("init")
    for folder, name in (("", "g"), ("sub/", "h")):
        gv.write(f"{folder}prog.py", NESTED.format(name))
        gv.write(f"{folder}helper.py", f"def {name}() -> int:\n    return 1\n")
        gv("run", f"{folder}prog.py:main")
    for kind in ("--check", "--check=code"):
        assert "2 runs checked: all pass" in gv("replay", kind, "run/1", "run/2").out
    gv.write("sub/helper.py", "def h() -> int:\n    return 2\n")
    assert "2 runs checked: 1 of them failed" in gv("replay", "--check=code", "run/1", "run/2", status=1).out
