"""`gv run app.py:application --until answer --input prompt=hi`: what stands behind a state machine, read."""

from __future__ import annotations

import inspect
import json
import shlex
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gvstore.cli.machine_maker import is_machine, made_machine
from gvstore.errors import UsageFault
from gvstore.journal.fault import BadArguments

if TYPE_CHECKING:
    from gvstore.journal.perform import Performed
    from gvstore.journal.repository import Repository
    from gvstore.journal.target import Target
    from gvstore.machine.application import Application

_SEVERAL: Final = {"--until": "until", "--until-all": "until_all", "--halt-before": "halt_before", "--input": "input", "--state": "state"}
_ONE: Final = {"--max-steps": "max_steps", "--app": "app", "--partition": "partition"}
_USAGE: Final = "--until ACTION, --until-all ACTION, --halt-before ACTION, --input NAME=VALUE, --state NAME=VALUE, --max-steps N, --app ID, --partition KEY, --resume"


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
    _check_fields(app, asked["state"])
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
    if name in ("--input", "--state"):
        key, has_value, value = text.partition("=")
        if not has_value or not key:
            raise BadArguments(f"{name} {text}: NAME=VALUE was expected", hint=f'As in: {name} {"prompt" if name == "--input" else "counter"}=...')
        asked[name[2:]][key] = _value(app, key, value, folder) if name == "--input" else _field(key, value, folder)
    elif name == "--max-steps":
        if not text.isdecimal() or int(text) < 1:
            raise BadArguments(f"--max-steps {text}: a whole number from 1 was expected")
        asked["max_steps"] = int(text)
    elif name in _ONE:
        asked[_ONE[name]] = text
    else:
        asked[_SEVERAL[name]] += [each for each in text.split(",") if each]


def _field(name: str, text: str, folder: Path) -> Any:
    """Returns the value of a field of the state: JSON, else text, but for text that begins as JSON does."""
    from gvstore.journal.arguments import read_word

    value = read_word(text, folder)
    if value == text and text[:1] in ("[", "{", '"'):
        try:
            json.loads(text)
        except ValueError as e:
            example = json.dumps(text, ensure_ascii=False)
            raise BadArguments(f"--state {name}: {text!r} looks like JSON and is none: {e}", hint=f"Mend it; if it is text: --state {shlex.quote(f'{name}={example}')}.") from e
    return value


def _check_fields(app: Application[Any], fields: Iterable[str]) -> None:
    """Looks whether the fields that were typed are any of the machine's.

    Raises:
        BadArguments: one is neither in the state nor read or written by an action; names the near ones.
    """
    from gvstore.machine.finding import meant

    named = [*app.state, *(each for action in app.graph.actions for each in (*action.reads, *action.writes))]
    named += [each for edge in app.graph.transitions for each in edge.condition.reads]
    known = [each for each in dict.fromkeys(named) if not each.startswith("__")]
    for name in fields:
        if name not in known:
            shown = f"{', '.join(known[:8])}{', ...' if len(known) > 8 else ''}"
            raise BadArguments(
                f"--state {name}: no action reads or writes {name}, and the state has none",
                hint=meant(name, known, f"There is {shown}." if known else "No action reads or writes anything."),
            )


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
        BadArguments: no run is in the partition that was typed.
    """
    from gvstore.machine.persister import UnknownApplication, partition_of
    from gvstore.machine.persister_store import StorePersister
    from gvstore.machine.turn import NEXT

    typed = asked["app"] is not None
    if asked["resume"] and not typed and not app.is_named:
        asked["app"], asked["partition"] = _latest(repo, app, asked["partition"]) or (None, asked["partition"])
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


def _latest(repo: Repository, app: Application[Any], partition: str | None) -> tuple[str, str | None] | None:
    """Returns (id, partition) of the newest run of a machine whose applications have ids of chance, in a partition if one was typed; None if there is none.

    Raises:
        BadArguments: there is none in the partition that was typed; names the near ones.
    """
    from gvstore.machine.finding import meant

    name, seen = app.__gv__.name(repo.root), dict[str, None]()
    for row in repo.refs.runs():
        run = repo.runs[row.number]
        if "app" in run.labels and run.record.root is not None and run.invocation.component.name == name:
            found = run.labels.get("partition")
            if partition is None or partition == (found or ""):
                return str(run.labels["app"]), found
            if found:
                seen[str(found)] = None
    if partition is None:
        return None
    otherwise = f"Its runs are in {', '.join(list(seen)[:8])}." if seen else "No run of it is in a partition."
    raise BadArguments(
        f"there is no run of {name} in partition {partition!r} to go on from",
        hint=f"{meant(partition, seen, otherwise)} Without --resume it begins anew.",
    )
