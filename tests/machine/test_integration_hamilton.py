"""Graphs of Hamilton as actions: wired to the state, recorded, told what is wrong where it is typed."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import UsageFault
from gvstore.machine import ApplicationBuilder, on_error
from gvstore.machine.action_fault import ActionFault, MissingInputs
from gvstore.machine.integrations.hamilton import (
    Hamilton,
    append_state,
    from_input,
    from_state,
    from_value,
    update_state,
)
from tests.machine import pictures
from tests.machine.replaying import replayed
from tests.transcript import ROOT

driver = pytest.importorskip("hamilton.driver")
WIRED: dict[str, Any] = {"prompt_input": from_state("prompt"), "size": from_value(2)}


def made(inputs: dict[str, Any] = WIRED, outputs: Any = None, **more: Any) -> Hamilton:
    return Hamilton(inputs, outputs or {"generated_image": update_state("response")}, **{"driver": pictures, **more})


def run(*actions: Any, inputs: dict[str, Any] | None = None, **state: Any) -> Any:
    """Returns the machine of one action, after it ran, and its state."""
    app = ApplicationBuilder().with_actions(draw=actions[0]).with_state(**state).build()
    app.run(inputs=inputs)
    return app


def test_the_seeds_action_runs() -> None:
    """An input from the state, an output into it; a driver, or modules to make one of."""
    for given in (pictures, [pictures], driver.Builder().with_modules(pictures).build()):
        assert "<plain otter><plain otter>" == run(made(driver=given), prompt="otter").state["response"]


def test_inputs_and_outputs_of_all_kinds() -> None:
    """Values, inputs with and without a default, fields that may be missing; outputs that are appended."""
    action = made(
        {**WIRED, "size": from_input("times"), "style": from_input("style", "bold")},
        {"generated_image": append_state("all"), "note": update_state("note")},
    )

    assert (["times"], ["style"]) == action.inputs
    app = run(action, inputs={"times": 1}, prompt="otter", all=["<a>"])
    assert (["<a>", "<bold otter>"], "drew otter") == (app.state["all"], app.state["note"])
    assert ["<wild otter>"] == run(action, inputs={"times": 1, "style": "wild"}, prompt="otter", all=[]).state["all"]
    with pytest.raises(MissingInputs, match="times"):
        run(action, prompt="otter", all=[])
    assert "<plain otter>" == run(made({**WIRED, "size": from_value(1), "style": from_state("style", missing="drop")}), prompt="otter", style="plain").state["response"]


def test_a_node_that_is_given_is_not_computed() -> None:
    """Inputs are overrides too, as with Burr."""
    pictures.RAN.clear()

    assert "<sea>" == run(made({"outline": from_state("prompt"), "size": from_value(1)}), prompt="sea").state["response"]
    assert ["generated_image"] == pictures.RAN


def test_one_driver_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set once."""
    monkeypatch.setattr(Hamilton, "_default", None)
    with pytest.raises(ActionFault, match="Driver must be set"):
        Hamilton(WIRED, {"note": update_state("note")})
    Hamilton.set_driver(pictures)

    assert "drew otter" == run(Hamilton(WIRED, {"note": update_state("note")}), prompt="otter").state["note"]


def test_an_async_driver_is_awaited() -> None:
    """The action is async then."""
    async_driver = pytest.importorskip("hamilton.async_driver")

    async def drawn() -> Any:
        built = await async_driver.Builder().with_modules(pictures).build()
        app = ApplicationBuilder().with_actions(draw=made(driver=built)).with_state(prompt="otter").build()
        action: Any = app.graph.get_action("draw")
        return action.is_async(), (await app.arun())[2]["response"]

    assert (True, "<plain otter>" * 2) == asyncio.run(drawn())


def test_what_a_function_raises_leads_on(caplog: pytest.LogCaptureFixture) -> None:
    """As in any action."""
    caplog.set_level(logging.CRITICAL)
    app = (
        ApplicationBuilder()
        .with_actions(draw=made(outputs={"broken": update_state("response")}), instead=made(outputs={"note": update_state("response")}))
        .with_transitions(("draw", "instead", on_error(ConnectionError)))
        .with_state(prompt="otter")
        .build()
    )

    assert "drew otter" == app.run()[2]["response"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "told"),
    [
        ({**WIRED, "prompt_imput": from_value(1)}, None, "no variable of the graph 'prompt_imput'"),
        (WIRED, {"generated_img": update_state("a")}, "no variable of the graph 'generated_img'"),
        ({"prompt_input": from_state("prompt")}, None, "generated_image needs size, which inputs do not give"),
        ({"prompt_input": "prompt"}, None, r"inputs\['prompt_input'\] of Hamilton is str"),
        (WIRED, {"note": "note"}, r"outputs\['note'\] of Hamilton is str"),
        (WIRED, {"note": update_state("a"), "outline": append_state("a")}, "both go to the field 'a'"),
        ([1], None, "inputs of Hamilton are list"),
    ],
)
def test_what_does_not_fit_is_told_where_it_is_typed(inputs: Any, outputs: Any, told: str) -> None:
    """Before anything runs, with what is near or what to type."""
    with pytest.raises(ActionFault, match=told) as raised:
        made(inputs, outputs)

    assert raised.value.hint


def test_what_is_no_driver_is_told() -> None:
    """With how one is made."""
    with pytest.raises(ActionFault, match="no driver of Hamilton and no module"):
        made(driver=3)
    from_state_: Any = from_state
    for wrong, given in ((from_state_, [""]), (from_state_, ["a", "drp"]), (update_state, ["__a"]), (from_input, ["a", 1, 2])):
        with pytest.raises(ActionFault):
            wrong(*given)


def test_a_table_instead_of_a_dict_is_told() -> None:
    """The driver of old times makes one."""
    with pytest.raises(ActionFault, match="returned DataFrame"):
        run(made(driver=driver.Driver({}, pictures)), prompt="otter")


PROGRAM = '''
import graph
from gvstore.machine import ApplicationBuilder
from gvstore.machine.integrations.hamilton import Hamilton, from_state, update_state

application = (
    ApplicationBuilder()
    .with_actions(
        draw=Hamilton({"number": from_state("number")}, {"tripled": update_state("drawn")}, graph),
        other=Hamilton({"number": from_state("number")}, {"apart": update_state("other")}, graph),
    )
    .with_transitions(("draw", "other"))
    .with_state(number=1)
    .build()
)
'''
GRAPH = '''
import gvstore as gv

@gv.register
def doubled(number: int) -> int:
    return 2 * number

def _helped(number):
    return number + 0

def tripled(number: int, doubled: int) -> int:
    return _helped(number) + doubled

def apart(number: int) -> int:
    return number
'''


def test_an_edit_in_the_graph_makes_just_what_needs_it_stale(gv: Any) -> None:
    """In a function, in what it calls; functions that are registered are calls of their own."""
    gv.write("app.py", PROGRAM)
    graph = gv.write("graph.py", GRAPH)
    gv("init")
    gv("run", "app.py:application")

    graph.write_text(GRAPH.replace("return number + 0", "return number + 10"))
    assert "stale: app.driver changed" in replayed(gv.folder).stderr
    shown = gv("show").out
    assert "drawn=13" in shown
    assert "doubled(number=1) = 2" in shown
    graph.write_text(graph.read_text().replace("-> int:\n    return number\n", "-> int:\n    return -number\n"))
    assert "3 reused, 2 executed" in replayed(gv.folder).stdout
    shown = gv("show").out
    assert "other=-1" in shown
    assert "drawn=13" in shown


def test_it_is_loaded_by_who_uses_it_alone() -> None:
    """The package knows of it, and loads nothing; the module without Hamilton says what to install."""
    code = "import sys, gvstore.machine as m; [getattr(m, n) for n in m.__all__]; print('hamilton' in sys.modules, 'langchain_core' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "False False" == done.stdout.strip()


def test_without_hamilton_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a driver would have to be made."""
    monkeypatch.setitem(sys.modules, "hamilton.driver", None)
    with pytest.raises(UsageFault, match="not installed") as raised:
        made()

    assert "pip install sf-hamilton" in str(raised.value.hint)


def test_the_graphs_call_is_named_after_what_holds_it(tmp_path: Path) -> None:
    """The variable with the driver."""
    with gv.init(tmp_path / "work"):
        app = run(made(driver=DRIVER), prompt="otter")
        [step] = app.last_run.invocation.get_children()
        [call] = step.get_children()

    assert ("DRIVER", {"prompt_input": "otter", "size": 2}) == (call.name, call.args["given"])
    assert ["generated_image"] == [each.name for each in call.get_children()]


DRIVER = driver.Builder().with_modules(pictures).build()
