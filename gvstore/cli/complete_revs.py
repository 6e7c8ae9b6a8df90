"""Completion of names in the repository: branches, tags, runs, calls, components, files of commits, settings.

Only what the word begins with is looked for, and of runs and calls no more
than a screen shows: Tab must not take longer than typing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from gvstore.cli.complete import Candidate

if TYPE_CHECKING:
    import ast

    from gvstore.cli.context import CommandContext
    from gvstore.journal.invocation import Invocation
    from gvstore.repo import Repository
    from gvstore.repo.resolve import Resolved

_RUNS = 200
_CALLS = 300
_WIDTH = 60
_RANGE = re.compile(r"(.*\.\.\.?)([^.].*|)", re.DOTALL)


def of_kind(kind: str, word: str, given: list[str], kinds: list[str]) -> Iterator[Candidate]:
    """Yields what `word` could become where something of this kind is taken; `given` are the arguments before it."""
    from gvstore.cli.context import CommandContext

    cx = CommandContext()
    try:
        if kind in ("PATH", "FILE", "DIR"):
            yield Candidate("", "folders" if kind == "DIR" else "files")
        elif kind in ("REV", "COMMIT", "OID"):
            yield from _revs(cx, word, runs="RUN" not in kinds)
        elif kind == "RUN":
            yield from _runs(cx, word, calls=True)
        elif kind == "CALL" and "RUN" not in kinds:
            yield from _calls_of_given(cx, word, given)
        elif kind == "BRANCH":
            yield from _named(cx, word, ("refs/heads/",))
        elif kind == "COMPONENT":
            yield from _named_in(cx.repository, "HEAD", "", word)
        elif kind == "TARGET":
            yield from _targets(cx, word)
        elif kind in ("REF", "REFREV"):
            yield from (
                each for each in map(Candidate, ["HEAD", *cx.repository.refs.list()]) if each.word.startswith(word)
            )
            if kind == "REFREV" and given:
                yield from _revs(cx, word, runs=True)
        elif kind in ("SETTINGS", "SETTING"):
            yield from _settings(cx, word, given, values=kind == "SETTING")
        elif kind == "OPERATION":
            yield from _operations(cx, word)
        elif kind == "THEME":
            yield from _themes(word)
    finally:
        cx.close()


def _revs(cx: CommandContext, word: str, *, runs: bool) -> Iterator[Candidate]:
    """Yields revs: names, and behind a colon what a commit or a run holds."""
    before = ""
    if (found := _RANGE.fullmatch(word)) and "{" not in word and ":" not in word:
        before, word = found[1], found[2]
    if ":" in word:
        yield from _inside(cx, word)
        return
    for each in (*_names(cx, word), *(_runs(cx, word, calls=False) if runs and not before else ())):
        yield Candidate(before + each.word, each.about)


def _names(cx: CommandContext, word: str) -> Iterator[Candidate]:
    yield from _named(cx, word, ("refs/heads/", "refs/tags/", "refs/values/"))
    fixed = {"HEAD": "the commit that is checked out", "RUN": "the run that commands mean"}
    yield from (Candidate(name, about) for name, about in fixed.items() if name.startswith(word))
    base = word.rstrip("~0123456789")
    if base and word.startswith(base + "~"):
        yield from (
            Candidate(f"{base}~{n}", entry.commit.message.partition("\n")[0])
            for n, entry in enumerate(cx.repository.log(base, limit=10, first_parent=True))
            if n and f"{base}~{n}".startswith(word)
        )


def _named(cx: CommandContext, word: str, prefixes: tuple[str, ...]) -> Iterator[Candidate]:
    words = {"refs/heads/": "branch", "refs/tags/": "tag", "refs/values/": "value"}
    for prefix in prefixes:
        for ref in cx.repository.refs.list(prefix + word):
            yield Candidate(ref.removeprefix(prefix), words[prefix])


def _runs(cx: CommandContext, word: str, *, calls: bool) -> Iterator[Candidate]:
    """Yields runs, the newest first, by name or bare number."""
    if ":" in word and calls:
        yield from _inside(cx, word)
        return
    bare = word.isdecimal()
    if not (bare or "run/".startswith(word) or word.startswith("run/") or "RUN".startswith(word)):
        return
    for row in cx.repository.refs.runs(limit=_RUNS):
        name = str(row.number) if bare else f"run/{row.number}"
        if name.startswith(word):
            yield Candidate(name, f"{row.target}  {row.status}")


def _inside(cx: CommandContext, word: str) -> Iterator[Candidate]:
    """Yields what stands behind the colon of a commit or a run."""
    from gvstore.repo.resolve import Found

    head, _, rest = word.partition(":")
    if rest.startswith(":"):
        yield from _named_in(cx.repository, head or "HEAD", f"{head}::", rest[1:])
        return
    found = cx.repository.resolve(head or "RUN")
    if found.found is Found.RUN:
        yield from _calls(cx, found, f"{head}:", rest)
    else:
        yield from _files_in(cx.repository, head, rest)


def _named_in(repo: Repository, rev: str, before: str, word: str) -> Iterator[Candidate]:
    """Yields the components and named values of a commit."""
    from gvstore.objects.commit import Commit

    commit = Commit.get(repo.objects, repo.resolve_commit(rev))
    for names, about in ((commit.components, "component"), (commit.values, "value")):
        yield from (Candidate(before + name, about) for name in sorted(names) if name.startswith(word))


def _files_in(repo: Repository, rev: str, path: str) -> Iterator[Candidate]:
    """Yields the files and folders of a commit, one level of it."""
    from gvstore.cli.plumbing import tree_of
    from gvstore.objects.tree import Mode
    from gvstore.repo.files import find, read_level

    folder, _, name = path.rpartition("/")
    entry = find(repo.objects, tree_of(repo, rev), folder)
    if entry is None or entry.mode != Mode.FOLDER:
        return
    above = f"{rev}:{folder}/" if folder else f"{rev}:"
    for each, below in sorted(read_level(repo.objects, entry.oid).items()):
        if each.startswith(name):
            yield Candidate(f"{above}{each}{'/' if below.mode == Mode.FOLDER else ''}")


def _calls_of_given(cx: CommandContext, word: str, given: list[str]) -> Iterator[Candidate]:
    """Yields calls of the run that was named before, or of RUN, as `--from` and `--set` take them."""
    named = next((each for each in given if not each.startswith("-")), "RUN")
    found = cx.repository.resolve(named)
    if found.run is not None:
        yield from _calls(cx, found, "", word)


def _calls(cx: CommandContext, run: Resolved, before: str, rest: str) -> Iterator[Candidate]:
    """Yields the children of the call whose path was typed, the calls of a component by name, the parts of a call."""
    from gvstore.journal.address import PARTS, find_call
    from gvstore.repo.rev import parse_call

    root = _root(cx, run)
    head, *parts = rest.split("/")
    if parts:
        call = find_call(root, parse_call(head))[1]
        names: tuple[str, ...] = PARTS if len(parts) == 1 else tuple(call.args) if parts[:-1] == ["args"] else ()
        above = "/".join([head, *parts[:-1]])
        yield from (Candidate(f"{before}{above}/{name}") for name in names if name.startswith(parts[-1]))
        return
    if rest and not rest[0].isdecimal():
        yield from _by_name(root, before, rest)
        return
    path, dot, typed = rest.rpartition(".")
    parent = find_call(root, parse_call(path))[1] if path else root
    if before and not rest:
        yield Candidate(f"{before}/output", "what it returned")
    for number, child in enumerate(islice(parent.get_children(), _CALLS)):
        if str(number).startswith(typed):
            yield Candidate(f"{before}{path}{dot}{number}", _shown(child))


def _root(cx: CommandContext, run: Resolved) -> Invocation:
    """Returns a run's root call; of a finished one without loading what records runs: that takes as long as all the rest."""
    from gvstore.journal.invocation import Invocation
    from gvstore.objects.run import Run
    from gvstore.store.store import Store

    repo = cx.repository
    root = Run.get(repo.objects, run.run_oid).root if run.run_oid is not None else None
    return cx.journal.run_of(run).invocation if root is None else Invocation.of_oid(Store(repo), root)


def _by_name(root: Invocation, before: str, rest: str) -> Iterator[Candidate]:
    """Yields `llm.chat.3`: the calls of components whose names begin so."""
    from gvstore.journal.address import calls_of

    seen: dict[str, int] = {}
    for _, call in islice(
        calls_of(root, lambda name: f"{name}.".startswith(rest) or rest.startswith(f"{name}.")), _CALLS
    ):
        name = call.component.name
        word = f"{name}.{seen.setdefault(name, 0)}"
        seen[name] += 1
        if word.startswith(rest):
            yield Candidate(before + word, _shown(call))


def _shown(call: Invocation) -> str:
    from gvstore.cli.call_line import call_line
    from gvstore.cli.style import PLAIN

    return call_line(call, PLAIN, names=False, width=_WIDTH)


def _targets(cx: CommandContext, word: str) -> Iterator[Candidate]:
    """Yields files to run, and the functions of one; components of commits behind "::"."""
    if "::" in word:
        yield from _inside(cx, word)
        return
    file, colon, name = word.partition(":")
    if not colon:
        yield Candidate("", "files")
        return
    import ast

    for node in _definitions(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name.startswith(name):
            yield Candidate(f"{file}:{node.name}", (ast.get_docstring(node) or "").partition("\n")[0])


def parameters(target: str) -> Iterator[Candidate]:
    """Yields the parameters of the function that `gv run TARGET` runs, as options."""
    import ast

    file, _, name = target.partition(":")
    for node in _definitions(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                about = ast.unparse(each.annotation) if each.annotation is not None else ""
                yield Candidate("--" + each.arg.replace("_", "-"), about)


def _definitions(file: str) -> list[ast.stmt]:
    """Returns the statements of a Python file, none where it is none; nothing is run."""
    import ast
    from pathlib import Path

    try:
        return ast.parse(Path(file).read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError, RecursionError):
        return []


def _settings(cx: CommandContext, word: str, given: list[str], *, values: bool) -> Iterator[Candidate]:
    """Yields the keys of settings, or the values that the key before the word may have."""
    from gvstore.repo.config import KNOWN

    if values:
        known = KNOWN.get(given[0]) if given else None
        choices = (
            () if known is None else known.choices or (("true", "false") if isinstance(known.default, bool) else ())
        )
        yield from (Candidate(each) for each in choices if each.startswith(word))
        return
    from gvstore.cli.style import ROLES

    found = {key: known.meaning for key, known in KNOWN.items()}
    found |= {f"alias.{name}": text for name, text in cx.settings.aliases().items()}
    found |= {f"color.{role}": "how it looks" for role in ROLES} if word.startswith("color.") else {}
    yield from (Candidate(key, about) for key, about in sorted(found.items()) if key.startswith(word))


def _operations(cx: CommandContext, word: str) -> Iterator[Candidate]:
    """Yields the numbers of operations, the newest first."""
    for entry in cx.repository.refs.operations(limit=_RUNS):
        if str(entry.number).startswith(word):
            yield Candidate(str(entry.number), entry.command)


def _themes(word: str) -> Iterator[Candidate]:
    from gvstore.cli import table, themes

    found = {**themes.TITLES, **{name: line for section in table.SECTIONS.values() for name, line in section.items()}}
    yield from (Candidate(name, line) for name, line in found.items() if name.startswith(word))
