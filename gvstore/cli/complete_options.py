"""Completion inside a command: its options, their values, its arguments.

What an argument takes is read off its name in the help (REV, RUN, CALL, PATH,
...): a new command is completed without a word about it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import click

from gvstore.cli.complete import Candidate
from gvstore.cli.program import program

_WORD = re.compile(r"[A-Z]+")
_OF_NAME = {
    "rev": "REV", "revs": "REV", "start": "REV", "commit": "REV", "commits": "REV", "a": "REV", "b": "REV", "code": "REV",
    "run": "RUN", "runs": "RUN", "branch": "BRANCH", "path": "PATH", "paths": "PATH", "file": "FILE", "files": "FILE",
    "folder": "DIR", "target": "TARGET", "key": "KEY", "operation": "OPERATION",
}  # fmt: skip
_SPECIAL = {
    ("branch", "names"): "BRANCH", ("reflog", "words"): "BRANCH", ("config", "value"): "SETTING", ("config", "key"): "SETTINGS",
    ("help", "theme"): "THEME", ("help", "name"): "THEME", ("completion", "shell"): "", ("show-ref", "patterns"): "REF",
    ("replay", "live"): "COMPONENT", ("symbolic-ref", "target"): "REF", ("update-ref", "words"): "REFREV", ("tag", "names"): "REV", ("rewind", "rev"): "RUN", ("replay", "revs"): "RUN", ("answer", "rev"): "RUN",
    ("for-each-ref", "patterns"): "REF",
}  # fmt: skip
_KNOWN = {
    "REV", "RUN", "CALL", "PATH", "FILE", "DIR", "BRANCH", "TARGET", "COMPONENT", "OID", "COMMIT", "SETTING", "SETTINGS", "THEME",
    "REF", "REFREV", "PART", "OPERATION",
}  # fmt: skip


def shared_options() -> Iterator[Candidate]:
    """Yields gv's own options."""
    with program.make_context("gv", ["status"]) as ctx:
        yield from _options_of(program.get_params(ctx), ())


def in_command(name: str, before: list[str], word: str) -> Iterator[Candidate]:
    """Yields what `word` could become behind `gv NAME BEFORE...`."""
    found = program.get_command(click.Context(program), name)
    if found is None:
        return
    path = name
    while isinstance(found, click.Group):
        inner = next((each for each in before if not each.startswith("-")), None)
        if inner is None or inner not in found.commands:
            subs = (Candidate(sub, each.get_short_help_str(80)) for sub, each in found.commands.items())
            yield from (each for each in subs if each.word.startswith(word))
            return
        before = before[before.index(inner) + 1 :]
        found, path = found.commands[inner], f"{path} {inner}"
    params = found.get_params(click.Context(found, click.Context(program, info_name="gv"), name))
    yield from _at_cursor(path, params, before, word)


def _at_cursor(name: str, params: list[click.Parameter], before: list[str], word: str) -> Iterator[Candidate]:
    options = {
        opt: each for each in params if isinstance(each, click.Option) for opt in (*each.opts, *each.secondary_opts)
    }
    waiting: click.Option | None = None
    given: list[str] = []
    dashes = False
    for each in before:
        if waiting is not None:
            waiting = None
        elif each == "--" and not dashes:
            dashes = True
        elif each.startswith("-") and len(each) > 1 and not dashes:
            option = options.get(each)
            waiting = (
                option if option is not None and not option.is_flag and option.nargs == 1 and not option.count else None
            )
        else:
            given.append(each)
    if waiting is not None:
        yield from _values(name, waiting, word, given)
        return
    if name == "run" and given:  # what follows is the program's
        from gvstore.cli.complete_revs import parameters

        yield from (each for each in parameters(given[0]) if word.startswith("-") and each.word.startswith(word))
        yield from () if word.startswith("-") else (Candidate("", "files"),)
        return
    if not dashes and word.startswith("--") and "=" in word:
        head, _, value = word.partition("=")
        if head in options:
            yield from (
                Candidate(f"{head}={each.word}" if each.word else "", each.about)
                for each in _values(name, options[head], value, given)
            )
        return
    if not dashes and word.startswith("-"):
        yield from (each for each in _options_of(params, before) if each.word.startswith(word))
        return
    if dashes and _takes_paths(params):
        yield Candidate("", "files")
        return
    argument = _argument(params, len(given))
    if argument is not None:
        yield from _values(name, argument, word, given)


def _options_of(params: Iterable[click.Parameter], before: Iterable[str]) -> Iterator[Candidate]:
    """Yields the options, long names first; those that may stand once and do so are left out."""
    given = set(before)
    for option in params:
        if not isinstance(option, click.Option) or (given.intersection(option.opts) and not option.multiple):
            continue
        about = (option.help or "").partition(";")[0]
        yield from (Candidate(opt, about) for opt in sorted(option.opts, key=len, reverse=True))
    yield from (Candidate(opt, "Show the help") for opt in ("--help", "-h") if opt not in given)


def _takes_paths(params: Iterable[click.Parameter]) -> bool:
    return any(
        isinstance(each, click.Argument) and ("PATH" in _kinds("", each) or "--" in (each.metavar or ""))
        for each in params
    )


def _argument(params: Iterable[click.Parameter], place: int) -> click.Argument | None:
    """Returns the argument that the word at `place` is for; the last takes all that follow, if it may."""
    for argument in (each for each in params if isinstance(each, click.Argument)):
        if argument.nargs == -1 or place < argument.nargs:
            return argument
        place -= argument.nargs
    return None


def _kinds(command: str, param: click.Parameter) -> list[str]:
    """Returns what a parameter takes, by the words of its help."""
    special = _SPECIAL.get((command, param.name or ""))
    if special is not None:
        return [special]
    if isinstance(param.type, click.File):
        return ["FILE"]
    if isinstance(param.type, click.Path):
        return ["FILE" if param.type.file_okay else "DIR"]
    before_dashes = (param.metavar or "").partition("--")[0]
    words = [word for word in _WORD.findall(before_dashes) if word in _KNOWN]
    if words:
        return list(dict.fromkeys(words))
    name = _OF_NAME.get(param.name or "", "") if isinstance(param, click.Argument) or not param.metavar else ""
    return [name] if name else []


def _values(command: str, param: click.Parameter, word: str, given: list[str]) -> Iterator[Candidate]:
    if isinstance(param.type, click.Choice):
        yield from (Candidate(str(each)) for each in param.type.choices if str(each).startswith(word))
        return
    from gvstore.cli.complete_revs import of_kind

    kinds = _kinds(command, param)
    for kind in kinds:
        yield from of_kind(kind, word, given, kinds)
