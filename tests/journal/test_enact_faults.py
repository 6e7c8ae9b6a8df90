"""What programs recorded by enact lost, confused or could not do, and do here."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import gvstore as enact
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note
from tests.journal.process import NOTE, Project

PROGRAM = (
    NOTE
    + """
import os
import sys
import gvstore as enact

@enact.register
def step(i):
    note(f"step {i}")
    if i == 2 and os.environ.get("DIE"):
        os._exit(9)
    return i * 10

@enact.register
def total(n):
    return sum(step(i) for i in range(n))

@enact.register
def ask_all(n):
    answers = []
    for i in range(n):
        note(f"asked {i}")
        answers.append(step(i) + enact.request_input(int, for_value=i, context=f"number {i}"))
    return answers
"""
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "work")
    made.write("flow.py", PROGRAM)
    return made


@enact.register
def flaky(n: int) -> int:
    note(n)
    if n == SWITCH.get("fails"):
        raise ValueError(n)
    return n


@enact.register
def several(n: int) -> list[int]:
    return [flaky(i) for i in range(n)]


@enact.register
def deep(n: int) -> int:
    return 0 if not n else 1 + deep(n - 1)


SWITCH: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _reset() -> None:
    SWITCH.clear()


def test_a_process_that_dies_loses_nothing(project: Project) -> None:
    """os._exit in the third call: the first two are in the store, linked and replayed from."""
    script = (
        "import flow, gvstore as enact\nwith enact.FileStore('store'):\n    enact.invoke(flow.total, (4,))"
    )
    project.run(script, status=9, key=("DIE", "1"))
    project.ran()
    out = project.run(
        "import flow, gvstore as enact\n"
        "with enact.FileStore('store') as store:\n"
        "    run = store.repository.runs.last\n"
        "    print(run.status, [c.get_output() for c in run.invocation.get_children()])\n"
        "    print(run.invocation.replay().get_output())"
    )

    assert ["interrupted [0, 10, None]", "60"] == out.splitlines()
    assert ["step 2", "step 3"] == project.ran()


def test_interrupts_and_failures_leave_a_handle() -> None:
    """Of what was raised out of invoke the record is at hand, and goes on from where it came to."""

    @enact.register
    def interrupted(n: int) -> int:
        done = sum(several(n))
        if SWITCH.get("interrupt"):
            raise KeyboardInterrupt
        return done

    with enact.InMemoryStore():
        SWITCH["interrupt"] = True
        with pytest.raises(KeyboardInterrupt):
            enact.invoke(interrupted, (3,))
        SWITCH.clear()
        BODIES.clear()
        kept = enact.last_invocation()
        assert kept is not None and "unfinished" == kept.status
        assert 3 == kept.replay().get_output() and [] == BODIES

        SWITCH["fails"] = 2
        with pytest.raises(ValueError):
            enact.invoke(several, (4,))
        SWITCH.clear()
        BODIES.clear()
        kept = enact.last_invocation()
        assert kept is not None
        assert [0, 1, 2, 3] == kept.replay().get_output() and [2, 3] == BODIES


def test_a_changed_body_is_another_component() -> None:
    """Same name, other code: another digest, and a replay runs the new body instead of mixing the two silently."""

    def define(factor: int) -> Any:
        source = f"@enact.register\ndef scaled(x):\n    return x * {factor}\n"
        names: dict[str, Any] = {"enact": enact, "__name__": "fresh_module"}
        exec(source, names)
        return names["scaled"]

    with enact.InMemoryStore():
        first = enact.invoke(define(2), (5,))
        second = enact.invoke(define(3), (5,))

        assert (10, 15) == (first.get_output(), second.get_output())
        assert first.component.code != second.component.code and first != second
        assert 15 == first.replay().get_output()
        with pytest.raises(enact.ReplayError):
            first.replay(strict="code")


def test_leftovers_are_noticed() -> None:
    """A strict replay that does not make all recorded calls has left the record."""
    with enact.InMemoryStore():
        invocation = enact.invoke(several, (3,))
        longer = enact.invoke(several, (4,))
        with invocation.response.modify() as response:
            response.output = None
            response.children.append(enact.commit(longer.get_child(3)))

        with pytest.raises(enact.ReplayError, match="goes on with"):
            invocation.replay()
        assert [0, 1, 2] == invocation.replay(strict=False).get_output()


def test_calls_that_failed_and_were_caught_answer(repo: Repository) -> None:
    """A retry is answered, exception included; in enact it ran at every replay."""

    @enact.register
    def attempt() -> str:
        note("attempt")
        SWITCH["n"] = SWITCH.get("n", 0) + 1
        if SWITCH["n"] < 2:
            raise TimeoutError("slow")
        return "done"

    @enact.register
    def patient() -> list[str]:
        seen: list[str] = []
        while len(seen) < 3:
            try:
                return [*seen, attempt()]
            except TimeoutError as e:
                seen.append(str(e))
        return seen

    invocation = enact.invoke(patient)
    BODIES.clear()

    assert ["slow", "done"] == invocation.rewind(0).replay().get_output()
    assert [] == BODIES


def test_any_call_can_be_rewound_to(repo: Repository) -> None:
    """At any depth, not only at the end of the top level."""

    @enact.register
    def twice() -> list[list[int]]:
        return [several(3), several(2)]

    run = enact.run(twice)
    BODIES.clear()
    again = run.rewind_before((0, 1)).replay()

    assert [[0, 1, 2], [0, 1]] == again.output
    assert [1, 2, 0, 1] == BODIES


def test_deep_recursion_is_no_event() -> None:
    """As deep as Python goes; at the end of the stack what was recorded is kept."""
    depth = sys.getrecursionlimit() // 3 - len(inspect.stack()) - 60
    with enact.InMemoryStore():
        invocation = enact.invoke(deep, (depth // 2,))
        assert depth // 2 == invocation.get_output()
        with pytest.raises(RecursionError):
            enact.invoke(deep, (10 * sys.getrecursionlimit(),))
        kept = enact.last_invocation()
        assert kept is not None and "deep" == kept.get_child(0).name


def test_stored_executions_are_read_without_their_program(project: Project) -> None:
    """No class, no function of the program is needed to look at what it did."""
    project.run("import flow, gvstore as enact\nwith enact.FileStore('store'):\n    enact.invoke(flow.total, (2,))")
    out = project.run(
        "import sys, gvstore as enact\n"
        "with enact.FileStore('store') as store:\n"
        "    invocation = store.repository.runs.last.invocation\n"
        "    print(enact.invocation_summary(invocation))\n"
        "    print(invocation.request().invokable().name, 'flow' in sys.modules)"
    )

    assert ["->total(2) = 10", "  ->step(0) = 0", "  ->step(1) = 10", "flow.total False"] == out.splitlines()


def test_a_file_store_is_a_repository(project: Project) -> None:
    """`gv -C dir runs` lists what programs recorded into it: when, by whom, how long, with how many calls."""
    project.run("import flow, gvstore as enact\nwith enact.FileStore('store'):\n    enact.invoke(flow.total, (2,))")
    out = project.run("import sys\nfrom gvstore.cli.main import run\nsys.exit(run(['-C', 'store', 'runs', '--json']))")
    listed = json.loads(out)

    assert ("run/1", "ok", 3) == (listed["run"], listed["status"], listed["calls"])
    assert listed["started_at"] <= listed["ended_at"]


def test_questions_are_answered_by_other_processes(project: Project) -> None:
    """One process asks, another answers with an InvocationGenerator made from the record, a third sees the end."""
    asked = project.run(
        "import flow, gvstore as enact\n"
        "with enact.FileStore('store'):\n"
        "    generator = enact.InvocationGenerator.from_callable(flow.ask_all, (2,))\n"
        "    print(next(generator).context, enact.commit(generator.invocation).id)"
    )
    first, ref_id = asked.rsplit(maxsplit=1)
    project.ran()
    answered = project.run(
        "import sys, flow, gvstore as enact\n"
        "with enact.FileStore('store') as store:\n"
        "    invocation = enact.Ref.from_id(sys.argv[1]).checkout()\n"
        "    generator = enact.InvocationGenerator.from_invocation(invocation)\n"
        "    for question in generator:\n"
        "        generator.set_input(question.for_value() + 1)\n"
        "    print(generator.invocation.get_output())\n"
        "    print([run.status for run in store.repository.runs])",
        ref_id,
    )

    assert "number 0" == first
    assert ["[1, 12]", "['ok', 'waiting']"] == answered.splitlines()
    assert ["asked 0", "asked 1", "step 1"] == project.ran()


def test_waiting_runs_outlive_their_process(project: Project) -> None:
    """The inbox of another process has the question; the answer, typed on its command line, ends the run."""
    gv = "import sys\nfrom gvstore.cli.main import run\nsys.exit(run(sys.argv[1:]))"
    project.run(gv, "init")
    project.run(gv, "run", "flow.py:ask_all", "1", status=21)
    project.ran()

    assert "run/1:1" == json.loads(project.run(gv, "inbox", "--json"))["rev"]
    project.run(gv, "answer", "run/1:1", "five", status=2)
    assert [5] == json.loads(project.run(gv, "answer", "run/1:1", "5", "--json"))["output"]
    assert ["asked 0"] == project.ran()
    assert "" == project.run(gv, "inbox", "--json")
