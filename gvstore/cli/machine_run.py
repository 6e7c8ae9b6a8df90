"""`gv run app.py:application --until answer --input prompt=hi`: what stands behind a state machine, read."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import UsageFault
from gvstore.journal.fault import BadArguments, BadTarget
from gvstore.journal.register import live_of

if TYPE_CHECKING:
    from gvstore.journal.perform import Performed
    from gvstore.journal.repository import Repository
    from gvstore.journal.target import Target
    from gvstore.machine.application import Application

MACHINE: Final = "machine"  # the flavor of a machine's component
_SEVERAL: Final = {"--until": "until", "--until-all": "until_all", "--halt-before": "halt_before", "--input": "input", "--state": "state"}
_ONE: Final = {"--max-steps": "max_steps", "--app": "app", "--partition": "partition"}
_USAGE: Final = "--until ACTION, --until-all ACTION, --halt-before ACTION, --input NAME=VALUE, --state NAME=VALUE, --max-steps N, --app ID, --partition KEY, --resume"


def is_machine(subject: object) -> bool:
    """Returns whether a loaded target is a state machine."""
    live = live_of(subject)
    return live is not None and live.flavor == MACHINE


def makes_machine(subject: object) -> bool:
    """Returns whether a loaded target is a function that says that it returns an application."""
    if not inspect.isfunction(subject):
        return False
    told = subject.__annotations__.get("return")
    return "Application" in (told if isinstance(told, str) else getattr(told, "__name__", "")) and "Builder" not in str(told)


def made_machine(subject: Callable[..., Any], target: str) -> Any:
    """Returns the application that a function makes.

    Raises:
        BadTarget: it needs arguments, or makes something else.
    """
    needed = [p.name for p in inspect.signature(subject).parameters.values() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if needed:
        raise BadTarget(
            f"{target} makes an application of {', '.join(needed)}, which cannot be given here",
            hint="Let them have defaults, or name a variable that holds an application: FILE.py:application.",
        )
    made = subject()
    if not is_machine(made):
        raise BadTarget(f"{target} returned {type(made).__name__}, and an application was expected", hint="Return builder.build().")
    return made


def machine_call(
    repo: Repository, loaded: Target, words: tuple[str, ...], folder: Path
) -> tuple[Application[Any], tuple[Any, ...], dict[str, str | int]]:
    """Returns the application that a target is or makes, what its component is called with, and the labels of the run.

    Raises:
        BadArguments: a word cannot be read.
        UsageFault: what is asked for is not there: a halt, an input, an application to go on with.
    """
    from gvstore.machine import call
    from gvstore.machine.action_fault import MissingInputs
    from gvstore.machine.execution import labels_of
    from gvstore.machine.turn import begin

    target = loaded.text
    app = loaded.subject if is_machine(loaded.subject) else made_machine(loaded.subject, target)
    asked = _read(words, app, target, folder)
    app = _identified(repo, app, asked, target)
    state = app.state.update(**asked["state"]) if asked["state"] else app.state
    given = call.given(
        app.fork(state, app.position, app.sequence_id), "run", asked["halt_before"] or None, None, asked["input"] or None, asked["until"] or None, asked["until_all"] or None, asked["max_steps"]
    )
    try:
        begin(app.fork(state, app.position, app.sequence_id), given.inputs, "arun")  # tells what is missing, and executes nothing
    except MissingInputs as e:
        e.hint = f"As in: gv run {target} ... {' '.join(f'--input {name}=...' for name in e.missing)}"
        raise
    values = (
        state, app.position, app.sequence_id, "run", given.before, given.after, dict(given.inputs), given.limit, (app.uid, app.partition_key),
    )  # fmt: skip
    return app, values, labels_of(app)


def told(performed: Performed) -> Performed:
    """Returns what came of a machine's run, what it is told to type in words of the command line."""
    from gvstore.machine.application_fault import TooManySteps

    if isinstance(performed.error, TooManySteps):
        performed.error.hint = "Type --resume to go on from here, a greater --max-steps, or where it ends: --until ACTION."
    return performed


def _read(words: tuple[str, ...], app: Application[Any], target: str, folder: Path) -> dict[str, Any]:
    asked: dict[str, Any] = {"until": [], "until_all": [], "halt_before": [], "input": {}, "state": {}, "max_steps": None, "app": None, "partition": None, "resume": False}
    rest = iter(words)
    for word in rest:
        name, has_value, text = word.partition("=")
        if name == "--resume":
            asked["resume"] = True
        elif name in _SEVERAL or name in _ONE:
            text = text if has_value else _next(rest, name, target)
            _take(asked, name, text, app, target, folder)
        else:
            plain = name.removeprefix("--").replace("-", "_")
            if plain not in app.graph.takers:
                raise _unknown(word, plain, app, target)
            text = text if has_value else _next(rest, name, target)
            asked["input"][plain] = _value(app, plain, text, folder)
    return asked


def _next(rest: Iterator[str], name: str, target: str) -> str:
    text = next(rest, None)
    if text is None:
        raise BadArguments(f"{name} needs a value", hint=f"gv run {target} takes {_USAGE}.")
    return text


def _take(asked: dict[str, Any], name: str, text: str, app: Application[Any], target: str, folder: Path) -> None:
    from gvstore.journal.arguments import read_word

    if name in ("--input", "--state"):
        key, has_value, value = text.partition("=")
        if not has_value or not key:
            raise BadArguments(f"{name} {text}: NAME=VALUE was expected", hint=f'As in: {name} {"prompt" if name == "--input" else "counter"}=...')
        asked[name[2:]][key] = _value(app, key, value, folder) if name == "--input" else read_word(value, folder)
    elif name == "--max-steps":
        if not text.isdecimal() or int(text) < 1:
            raise BadArguments(f"--max-steps {text}: a whole number from 1 was expected")
        asked["max_steps"] = int(text)
    elif name in _ONE:
        asked[_ONE[name]] = text
    else:
        asked[_SEVERAL[name]] += [each for each in text.split(",") if each]


def _value(app: Application[Any], name: str, text: str, folder: Path) -> Any:
    """Returns an input, read as the annotation of an action that takes it says."""
    from gvstore.journal.arguments import convert, read_word

    if text.startswith("@") and len(text) > 1:
        return read_word(text, folder)
    hint: Any = Any
    for action in app.graph.takers.get(name, []):
        subject: Any = getattr(app.graph.get_action(action), "subject", None)
        function = getattr(subject, "run", subject)
        try:
            hint = typing.get_type_hints(inspect.unwrap(function)).get(name, Any)
        except Exception:  # an annotation that names nothing
            hint = Any
        if hint is not Any:
            break
    try:
        return convert(text, hint)
    except ValueError as e:
        raise BadArguments(f"{name}: {e}", hint=f"It is an input of {', '.join(app.graph.takers.get(name, []))}.") from e


def _unknown(word: str, plain: str, app: Application[Any], target: str) -> UsageFault:
    from gvstore.machine.finding import near

    known = [*(each[2:] for each in (*_SEVERAL, *_ONE, "--resume")), *app.graph.takers]
    found = near(plain, known)
    meant = f"Did you mean {' or '.join('--' + each for each in found)}? " if found else ""
    inputs = f" Its inputs are {', '.join(app.graph.takers)}." if app.graph.takers else " It takes no inputs."
    return BadArguments(f"{word} is no option and no input of {target}", hint=f"{meant}It takes {_USAGE}.{inputs}")


def _identified(repo: Repository, app: Application[Any], asked: dict[str, Any], target: str) -> Application[Any]:
    """Returns the application under the id that was asked for, gone on with where that was asked.

    Raises:
        UnknownApplication: no run has the id that was typed; names the near ones.
    """
    from gvstore.machine.persister import UnknownApplication, partition_of
    from gvstore.machine.persister_store import StorePersister
    from gvstore.machine.turn import NEXT

    typed = asked["app"] is not None
    if asked["resume"] and not typed and not app.is_named:
        asked["app"], asked["partition"] = _latest(repo, app) or (None, asked["partition"])
    app_id, partition = asked["app"] or app.uid, asked["partition"] if asked["partition"] is not None else app.partition_key
    persister = StorePersister(repo)
    found = persister.load(partition, app_id) if asked["resume"] else None
    if found is None:
        if asked["resume"] and typed:
            raise UnknownApplication.named(app_id, partition_of(partition), persister.list_app_ids(partition))
        same = app_id == app.uid and partition == app.partition_key
        return app if same else app.fork(app.state, app.position, app.sequence_id, app_id, partition)
    if found["status"] == "completed":
        return app.fork(found["state"], found["position"], found["sequence_id"], app_id, partition)
    return app.fork(found["state"].update(**{NEXT: [found["position"], None]}), None, found["sequence_id"], app_id, partition)


def _latest(repo: Repository, app: Application[Any]) -> tuple[str, str | None] | None:
    """Returns (id, partition) of the newest run of a machine whose applications have ids of chance; None if there is none."""
    name = app.__gv__.name(repo.root)
    for row in repo.refs.runs():
        run = repo.runs[row.number]
        if "app" in run.labels and run.record.root is not None and run.invocation.component.name == name:
            return str(run.labels["app"]), run.labels.get("partition")
    return None
