"""Machines that a factory makes: named by who holds them, else by who built them, and replayed in another process all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journal.process import NOTE, Project

FACTORY = NOTE + """
import gvstore as gv
from gvstore.machine import Application, ApplicationBuilder, State, action, expr

@action(reads=["counter"], writes=["counter"])
def count(state):
    note("counts")
    return state.update(counter=state["counter"] + 1)

def to(limit):
    return (
        ApplicationBuilder().with_actions(step=count).with_transitions(("step", "step", expr(f"counter < {limit}")))
        .with_state(counter=0).with_entrypoint("step").build()
    )

def build():
    return ApplicationBuilder().with_actions(step=count).with_transitions(("step", "step", expr("counter < 5"))).with_state(counter=0).with_entrypoint("step").build()

def three() -> Application:
    return to(3)

class Agent:
    @staticmethod
    def count():
        return ApplicationBuilder().with_actions(step=count).with_transitions(("step", "step", expr("counter < 4"))).with_state(counter=0).with_entrypoint("step").build()

def main():
    app = ApplicationBuilder().with_actions(step=count).with_transitions(("step", "step", expr("counter < 6"))).with_state(counter=0).with_entrypoint("step").build()
    app.run()
    note("goes on")

@gv.register
def ask(limit):
    app = ApplicationBuilder().with_actions(step=count).with_transitions(("step", "step", expr(f"counter < {limit}"))).with_state(counter=0).with_entrypoint("step").build()
    return app.run()[2]["counter"]
"""
FILES = {
    "factory.py": FACTORY,
    "app.py": "from factory import build\napplication = build()\n",
    "other.py": "from app import application\n",
    "held.py": "import factory\n_private = application = factory.to(2)\n",
}
RECORD = """
import gvstore as gv
with gv.init(".") as repo:
    import factory, other
    for made in (factory.build(), factory.Agent.count(), other.application, factory.to(2)):
        made.run()
    factory.main()
    gv.run(factory.ask, 2)
    print(*[repo.runs[number].invocation.component.name for number in range(1, 7)])
    print(repo.runs[6].invocation.get_child(0).component.name)
"""
GV = """
import sys; sys.stderr = sys.stdout
from gvstore.cli.main import run
for command in sys.argv[1:]:
    if status := run(command.split()):
        print(f"[{status}]")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose machines were run once, by a program that is over."""
    made = Project(tmp_path_factory.mktemp("factory"))
    for name, text in FILES.items():
        made.write(name, text)
    names, below = made.run(RECORD).splitlines()

    assert "goes on" in made.ran()
    assert "factory.build factory.Agent.count app.application factory.to factory.main factory.ask" == names
    assert "factory.ask" == below
    return made


def test_another_process_replays_it(project: Project) -> None:
    """Only the step that was taken back runs; a function that goes on to run its machine is stopped there."""
    told = project.run(GV, *[command for number in (1, 2, 3, 5) for command in (f"rewind run/{number}", "replay")])

    assert ["counts"] * 4 == project.ran()
    for name, steps in {"build": 5, "count": 4, "application": 5, "main": 6}.items():
        assert f"{name}() → step   {steps - 1} reused, 1 executed" in told


def test_python_does_so_too(project: Project) -> None:
    """`run.replay()`, where the module is loaded."""
    script = "import gvstore as gv, factory\nwith gv.open('.') as repo:\n    print(repo.runs[1].rewind(2).replay().number > 6)"

    assert "True\n" == project.run(script)
    assert ["counts", "counts"] == project.ran()


def test_one_that_takes_arguments_is_told(project: Project) -> None:
    """With what to do: a variable that holds it, under whose name it is replayed."""
    told = project.run(GV, "rewind run/4", "replay", "replay --alias factory.to=held.application")

    assert "error: the machine factory.to is made of limit, which a replay does not know\n" in told
    assert "hint: Hold it in a variable of its module, `application = to(...)`, and replay with `--alias factory.to=factory.application`.\n[12]" in told
    assert ["counts"] == project.ran()
    assert "application() → step" in told and "1 reused, 1 executed" in told


def test_a_machine_is_no_function_of_its_name(project: Project) -> None:
    """A component that builds a machine and runs it: both have one name, and the machine is there when the function has built it."""
    told = project.run(GV, "replay --plan run/6", "rewind run/6:0.1", "replay")

    assert "run/6  complete and fresh, nothing to do" in told
    assert ["counts"] == project.ran()
    assert "ask(2) = 2   1 reused, 2 executed" in told


def test_what_a_script_holds_at_its_end_is_built_again(tmp_path: Path) -> None:
    """Its last lines run in the script alone: the function that they call is called."""
    project = Project(tmp_path)
    project.write("script.py", f"{FACTORY}\n\nif __name__ == '__main__':\n    app = to(3)\n    app = build()\n    app.run()\n")
    project.run("import gvstore as gv, runpy\nwith gv.init('.'):\n    runpy.run_path('script.py', run_name='__main__')")
    told = project.run(GV, "show run/1", "rewind run/1", "replay")

    assert ["counts"] * 6 == project.ran()
    assert "4 reused, 1 executed" in told


def test_a_function_at_the_command_line_is_replayed(project: Project) -> None:
    """Though one with arguments builds what it returns."""
    told = project.run(GV, "run factory.py:three", "rewind", "replay", "rewind", "replay --plan")

    assert ["counts"] * 4 == project.ran()
    assert "2 reused, 1 executed" in told


def test_a_function_that_fails_is_told(tmp_path: Path) -> None:
    """With the line, and nothing is recorded; so is one that makes no machine any more."""
    project = Project(tmp_path)
    project.write("factory.py", FACTORY)
    project.run("import gvstore as gv\nwith gv.init('.'):\n    import factory\n    factory.build().run()")
    script = GV
    project.write("factory.py", FACTORY.replace("def build():", "def build():\n    1 / 0"))
    failed = project.run(script, "replay run/1")
    project.write("factory.py", FACTORY.replace("def build():", "def build():\n    return 7"))
    gone = project.run(script, "replay run/1", "runs")

    assert "factory.build() raised while it was loaded; nothing was recorded" in failed and "ZeroDivisionError" in failed
    assert "error: the machine factory.build is not made by build() any more" in gone
    assert "run/2" not in gone


def test_the_order_of_fields_is_the_same_in_every_process(project: Project) -> None:
    """That in which an action wrote them, whatever texts hash to."""
    script = """
from gvstore.machine import ApplicationBuilder, action

@action(reads=["z", "y"], writes=["a", "b", "c", "d"])
def write(state):
    return state.update(d=[*state], c=1).append(b=1).update(a=1)

print(list(ApplicationBuilder().with_actions(write).with_state(y=1, x=2, z=3).build().run()[2].get_all().items()))
"""
    said = {project.run(script, key=("PYTHONHASHSEED", str(seed))) for seed in (1, 2, 3)}

    assert {"[('y', 1), ('x', 2), ('z', 3), ('d', ['y', 'z']), ('c', 1), ('b', [1]), ('a', 1)]\n"} == said
