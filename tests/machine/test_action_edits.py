"""Edits of what a machine's actions have only in their annotations, told by a new process that looks at the machine's run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.journal.edits import Edit
from tests.journal.planner import Planner

FILES = {
    "talk.py": '''
from pydantic import BaseModel, field_validator


class Part(BaseModel):
    size: int = 0


class Talk(BaseModel):
    n: int = 0
    out: str = ""
    part: Part = Part()

    def render(self):
        return f"<{self.n}>"

    @field_validator("n")
    @classmethod
    def checked(cls, n):
        return n * 1


class Held(BaseModel):
    n: int = 0
    out: str = "held"


class Quoted(BaseModel):
    n: int = 0
    out: str = "quoted"


class Taken(BaseModel):
    n: int = 3


class Given(BaseModel):
    n: int = 4
    out: str = ""


class Piece(BaseModel):
    text: str = "piece"


class Named(BaseModel):
    n: int = 0
    out: str = "named"


class Unread(BaseModel):
    out: str = "unread"
''',
    "quotes.py": '''
from gvstore.machine import State, action
from talk import Quoted


@action(reads=["n"], writes=["out"])
def quoted(state: State["Quoted"]) -> "tuple[dict, State]":
    return {}, state.update(out="quoted")
''',
    "steps.py": '''
from __future__ import annotations

import gvstore as gv
from gvstore.machine import *
from quotes import quoted
from talk import Given, Held, Named, Piece, Taken, Talk, Unread


@gv.register
def unsaid(x: Unread) -> Unread:
    return x


@action.pydantic(reads=["n"], writes=["out"])
def draw(state: Talk) -> Talk:
    state.out = state.render()
    return state


@action(reads=["n"], writes=["out"])
def held(state: State) -> tuple[dict, State[Held]]:
    return {}, state.update(out=unsaid("held"))


@action.pydantic(reads=["n"], writes=["out"], state_input_type=Taken, state_output_type=Given)
def given(state):
    return Given(out="given")


@streaming_action.pydantic(reads=["n"], writes=["out"], state_input_type=Talk, state_output_type=Talk, stream_type=Piece)
def pieces(state):
    yield Piece(), None
    state.out = "all"
    yield Piece(), state


class Naming(SingleStepAction):
    @property
    def reads(self):
        return ["n"]

    @property
    def writes(self):
        return ["out"]


class Name(Naming):
    def run_and_update(self, state: State[Named], **inputs):
        def inside(x: Unread) -> Unread:
            return x
        return {}, state.update(out=inside("named"))


steps = {"draw": draw, "held": held, "quoted": quoted, "given": given, "pieces": pieces, "name": Name()}
order = list(steps)
app = (
    ApplicationBuilder().with_actions(**steps).with_transitions(*zip(order, order[1:]))
    .with_state(n=1, out="").with_entrypoint("draw").build()
)
''',
}


def _told(step: str, what: str) -> dict[str, str]:
    return {step: f"{step if '.' in step else 'steps.' + step}: {what} changed"}


EDITS = [
    Edit("nothing", "steps.py", "", "", {}),
    Edit("a method of the model", "talk.py", "<{self.n}>", "[{self.n}]", _told("draw", "talk.Talk") | _told("pieces", "talk.Talk")),
    Edit("a validator", "talk.py", "n * 1", "n * 2", _told("draw", "talk.Talk") | _told("pieces", "talk.Talk")),
    Edit("a field's type", "talk.py", "n: int = 0", "n: float = 0", _told("draw", "talk.Talk") | _told("pieces", "talk.Talk")),
    Edit("the model of a field", "talk.py", "size: int", "size: float", _told("draw", "talk.Part, 2 levels down,") | _told("pieces", "talk.Part, 2 levels down,")),
    Edit("the model of a result's state", "talk.py", 'out: str = "held"', 'out: str = "kept"', _told("held", "talk.Held")),
    Edit("a model named in quotes", "talk.py", 'out: str = "quoted"', 'out: str = "said"', _told("quotes.quoted", "talk.Quoted")),
    Edit("the model that a decorator is given for what comes in", "talk.py", "n: int = 3", "n: int = 5", _told("given", "talk.Taken")),
    Edit("the model that a decorator is given for what goes out", "talk.py", "n: int = 4", "n: int = 5", _told("given", "talk.Given")),
    Edit("the model of a stream's pieces", "talk.py", '= "piece"', '= "bit"',
         _told("pieces", "talk.Piece") | {"app": "steps.app: class talk.Piece, in its answers, changed"}),
    Edit("the model of a class's method", "talk.py", 'out: str = "named"', 'out: str = "called"', _told("Name", "talk.Named")),
    Edit("a model in annotations of others", "talk.py", 'out: str = "unread"', 'out: str = "seen"', {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    found = Planner(tmp_path_factory.mktemp("edits"), FILES, ("steps.py:app", "--until", "name"))
    yield found
    found.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("edit", EDITS, ids=[each.name for each in EDITS])
def test_an_edit_of_what_an_annotation_names_is_told(planner: Planner, edit: Edit) -> None:
    """The action whose annotations, or decorator, name it is stale for that reason; all other components hold."""
    pytest.importorskip("pydantic")

    assert edit.stale == planner.stale(edit)
