"""`start_module` and `human_intervention`: what a person answers, behind what the step is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gvstore.pipeline.module_call import ModuleCall

QUESTIONS = {
    "start_module": "What should be done?",
    "human_intervention": "What do you say to this?",
}


def run(call: ModuleCall) -> str:
    """Returns the step's input, and the answer behind it."""
    about = call.sent(call.prompt)
    answer: str = call.question(call.options.get("question", QUESTIONS[call.work.module]), about=about or None)
    return about + answer
