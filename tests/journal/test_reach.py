"""Code that a component reaches, in replays: what is stale, and why."""

from __future__ import annotations

from pathlib import Path

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.conftest import CommandLine
from tests.journal.process import Project


def test_a_factory_s_products_are_told_apart_by_what_they_close_over(repo: Repository) -> None:
    """`make(3)` is not `make(4)`, whatever is registered last; what is rebound later is state."""

    def make(n: int) -> object:
        @gv.register
        def scaled(x: int) -> int:
            return x * n

        return scaled

    three, four, again = make(3), make(4), make(3)
    components = [each.__gv__.component(None).code for each in (three, four, again)]  # type: ignore[attr-defined]

    assert components[0] == components[2] != components[1]


def test_an_answer_does_not_hold_for_another_value_closed_over(gv: CommandLine) -> None:
    """The factory is the same, what it was given is not: its calls run again, and say why."""
    program = (
        "import gvstore as gv\nimport settings\n\n\ndef make(n):\n    @gv.register\n    def scaled(x: int) -> int:\n"
        "        return x * n\n    return scaled\n\n\nscaled = make(settings.N)\n\n\n@gv.register\ndef main(x: int) -> int:\n"
        "    return scaled(x)\n"
    )
    gv.write("prog.py", program)
    gv.write("settings.py", "N = 3\n")
    gv("init")

    assert "main(5) = 15" in gv("run", "prog.py:main", "5").out
    gv.write("settings.py", "N = 4\n")
    done = gv("replay")
    assert "main(5) = 20" in done.out
    assert "closes over" in done.err


def test_the_code_that_was_loaded_counts(gv: CommandLine, tmp_path: Path) -> None:
    """A run whose helper is edited while it runs has recorded the helper that ran: afterwards its calls are stale."""
    gv.write("tools.py", "def clean(x):\n    return x + 1\n")
    gv.write(
        "prog.py",
        "import pathlib\nimport gvstore as gv\nimport tools\n\n\n@gv.register\ndef step(x: int) -> int:\n    return tools.clean(x)\n\n\n"
        "@gv.register\ndef main(x: int) -> int:\n    found = step(x)\n"
        "    pathlib.Path('tools.py').write_text('def clean(x):\\n    return x + 2\\n')\n    return found + step(x + 1)\n",
    )
    gv("init")

    assert "main(1) = 5" in gv("run", "prog.py:main", "1").out
    done = gv("replay", "--plan")
    assert "helper tools.clean() changed" in done.out


def test_modules_that_are_loaded_anew_count(gv: CommandLine) -> None:
    """One process that loads a program twice, edited in between two levels down, tells the edit as two processes would."""
    gv.write("texts/marks.py", "def ends(text):\n    return text.rstrip()\n")
    gv.write("texts/clean.py", "from texts.marks import ends\n\n\ndef whole(text):\n    return ends(text)\n")
    gv.write(
        "prog.py",
        "import gvstore as gv\nfrom texts.clean import whole\n\n\n@gv.register\ndef step(text: str) -> str:\n    return whole(text)\n\n\n"
        "@gv.register\ndef main() -> str:\n    return step('a ')\n",
    )
    gv("init")
    gv("run", "prog.py:main")
    assert "nothing to do" in gv("replay").out
    gv.write("texts/marks.py", "def ends(text):\n    return text.strip()\n")
    assert "prog.step: helper texts.marks.ends(), 2 levels down, changed" in gv("replay", "--plan").out


def test_a_helper_that_is_reloaded_counts(tmp_path: Path) -> None:
    """In a process that lives on, as a notebook's does: what was loaded when the run began is what it used."""
    project = Project(tmp_path)
    project.write("tools.py", "def clean(x):\n    return x + 1\n")
    project.write("prog.py", "import gvstore as gv\nimport tools\n\n\n@gv.register\ndef step(x: int) -> int:\n    return tools.clean(x)\n")
    script = (
        "import importlib, pathlib, gvstore as gv, prog, tools\nwith gv.init('.') as repo:\n    one = gv.run(prog.step, 1)\n"
        "    pathlib.Path('tools.py').write_text('def clean(x):\\n    return x + 10\\n')\n    same = gv.run(prog.step, 1)\n"
        "    importlib.reload(tools)\n    two = gv.run(prog.step, 1)\n    print(one.output, same.output, two.output)\n"
        "    print(one.invocation.component.reach == same.invocation.component.reach != two.invocation.component.reach)\n"
        "    print(*one.plan().reasons, *two.plan().reasons)\n"
    )

    assert "2 2 11\nTrue\nprog.step: helper tools.clean() changed\n" == project.run(script)
