"""A chatbot as a state machine: is the prompt safe, what does it want, and then the model's answer.

    gv run chatbot.py:application --until @tag:end --prompt "Why is the sea salty?"
    gv run chatbot.py:application --until @tag:end --prompt "And the lakes?" --resume

With CHATBOT_MODEL in the environment another model answers than the local one.
"""

import os
import re

from gvstore.machine import ApplicationBuilder, ApplicationContext, ChatAction, State, action, default, on_error, when
from gvstore.models.fault import ModelFailed

MODEL = os.environ.get("CHATBOT_MODEL", "local")
FORBIDDEN = ("password", "poison", "explosive")
CODE = {"code", "function", "program", "python", "script"}
QUESTION = {"how", "what", "when", "where", "which", "who", "why"}


@action(reads=[], writes=["prompt"])
def ask(state: State, prompt: str) -> State:
    """Takes what the user says."""
    return state.update(prompt=prompt.strip())


@action(reads=["prompt"], writes=["safe"])
def check_safety(state: State) -> State:
    """Looks for words that nobody should be helped with."""
    words = state["prompt"].lower()
    return state.update(safe=not any(word in words for word in FORBIDDEN))


@action(reads=["prompt"], writes=["mode"])
def decide_mode(state: State) -> State:
    """Finds out what is wanted: a question answered, code, or something else."""
    words = set(re.findall(r"[a-z]+", state["prompt"].lower()))
    mode = "code" if words & CODE else "question" if words & QUESTION or "?" in state["prompt"] else "other"
    return state.update(mode=mode)


answer_question = ChatAction(
    model=MODEL,
    system="You answer questions in one short sentence.",
    prompt="prompt",
    history="history",
    last=5,
    writes="answer",
    max_tokens=60,
)

write_code = ChatAction(
    model=MODEL,
    system="You write Python. You answer with one short function.",
    prompt="prompt",
    history="history",
    last=5,
    writes="answer",
    max_tokens=80,
)


@action(reads=["prompt"], writes=["answer", "history"])
def ask_back(state: State) -> State:
    """Says what it is there for."""
    return said(state, "I answer questions and write Python. Which shall it be?")


@action(reads=["prompt"], writes=["answer", "history"])
def refuse(state: State) -> State:
    """Declines."""
    return said(state, "I can't help with that.")


@action(reads=["prompt"], writes=["answer", "history"])
def explain_error(state: State, __context: ApplicationContext) -> State:
    """Says why there is no answer."""
    return said(state, f"The model gave no answer: {__context.error}")


@action(reads=["answer"], writes=[], tags=["end"])
def respond(state: State) -> tuple[dict, State]:
    """Hands the answer out; the user is next."""
    return {"answer": state["answer"]}, state


def said(state: State, text: str) -> State:
    """Returns the state with an answer that no model gave."""
    turn = {"role": "user", "content": state["prompt"]}
    return state.update(answer=text).extend(history=[turn, {"role": "assistant", "content": text}])


application = (
    ApplicationBuilder()
    .with_actions(
        ask,
        check_safety,
        decide_mode,
        refuse,
        ask_back,
        explain_error,
        respond,
        answer_question=answer_question,
        write_code=write_code,
    )
    .with_transitions(
        ("ask", "check_safety"),
        ("check_safety", "decide_mode", when(safe=True)),
        ("check_safety", "refuse", default),
        (["answer_question", "write_code"], "explain_error", on_error(ModelFailed)),
        ("decide_mode", "answer_question", when(mode="question")),
        ("decide_mode", "write_code", when(mode="code")),
        ("decide_mode", "ask_back", default),
        (["refuse", "answer_question", "write_code", "ask_back", "explain_error"], "respond"),
        ("respond", "ask"),
    )
    .with_entrypoint("ask")
    .with_state(history=[])
    .with_identifiers(app_id="chatbot")
    .build()
)
