"""gv runs: lists the runs, and finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.errors import Corrupt, UsageFault

if TYPE_CHECKING:
    from gvstore.cli.output import Advance
    from gvstore.cli.runs import RunListed
    from gvstore.journal.repository import Repository
    from gvstore.journal.run_query import RunQuery
    from gvstore.journal.run_row import Beside, QueryRow
    from gvstore.repo import RunRow

_MANY = 2_000
_ASKED = ("component", "target", "output", "tag", "group", "app", "partition")
_FORMATS = ("table", "json", "csv", "parquet")


@click.command("runs", cls=Command)
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="List the newest N only, of those that are found")
@click.option("--where", "where", metavar="QUERY", multiple=True, help="List runs of which this is true (can be repeated)")
@click.option("--status", metavar="STATUS", help="List runs of this status, or of several: ok,raised")
@click.option("--component", metavar="PATTERN", help="List runs of this component: llm.chat, chat, llm.*")
@click.option("--target", metavar="PATTERN", help="List runs whose target has this in it, or is like it: '*.py:f'")
@click.option("--output", metavar="PATTERN", help="List runs whose output has this in it, or is like it")
@click.option("--tag", metavar="NAME", help="List runs with this tag, or with one that is like it: 'best*'")
@click.option("--group", metavar="NAME", help="List the runs of this group")
@click.option("--since", metavar="TIME", help="List runs from then on: yesterday, '2 hours ago', 2026-11-20")
@click.option("--until", metavar="TIME", help="List runs until then")
@click.option("--app", metavar="ID", help="List the runs of this state machine's application only")
@click.option("--partition", metavar="KEY", help="List the runs of applications of this partition only")
@click.option("--sort", metavar="COLUMN", help="Sort by a column, as queries name it; with - before it the greatest first")
@click.option("--reverse", is_flag=True, help="List them the other way round")
@click.option("--graph", is_flag=True, help="Show as a tree which run came from which, and how")
@click.option("--columns", metavar="A,B,C", help="Show these columns, or parts of them: number,args.topic,score")
@click.option("--format", "form", type=click.Choice(_FORMATS), metavar="FORM", help="Print a table, json (one a line), csv or parquet")
@click.option("-o", "target_file", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE, which must not be there")
@pass_context
def command(
    cx: CommandContext, /, limit: int | None, where: tuple[str, ...], status: str | None, since: str | None, until: str | None,
    sort: str | None, reverse: bool, graph: bool, columns: str | None, form: str | None, target_file: Path | None, **asked: str | None,
) -> None:  # fmt: skip
    """List the runs, the newest first

    A run is interrupted when the process that recorded it is gone; its finished calls are kept, and `gv replay`
    goes on from there.

    QUERY is an expression of Python over columns: number, status, target, component, args.NAME, output (output.NAME of
    a record), calls, tokens, prompt_tokens, completion_tokens, cost (in dollars), seconds, started, ended, age (in
    seconds), group, message, author, branch, parent, by, tags, note, score, scores.NAME, app, partition.  Functions: contains,
    startswith, endswith, lower, upper, matches (a regular expression), text, len, hours, days and Python's own.  What a run
    does not have is None, and is neither equal nor greater nor less.

    \b
    Example:
      gv runs -n 10
      gv runs --where 'args.topic == "otters" and tokens > 500' --sort -score
      gv runs --status raised,interrupted --since yesterday
      gv runs --columns number,args.topic,output --format csv -o runs.csv
      gv runs --app chat --partition north
    """
    repo = cx.journal
    query = repo.runs.query().limit(limit)
    for each in where:
        query = query.where(each)
    query = query.where(status=_words(status), **{name: asked[name] for name in _ASKED})
    query = query.since(since) if since is not None else query
    query = query.until(until) if until is not None else query
    query = query.sort(sort) if sort is not None else query
    query = query.reverse() if reverse else query
    wanted = _words(columns) or []
    if graph and (wanted or form not in (None, "table", "json")):
        raise UsageFault("--graph draws a tree, and takes no columns and no other form", hint="Leave one of them out.")
    with ExitStack() as bars:
        query.advance = _late_bar(cx, bars)
        if form in ("csv", "parquet") or target_file is not None:
            _write(cx, query, wanted, form or "table", target_file)
            return
        rows = query.rows(lazily=not wanted)
        first = next(rows, None)
        query.advance = None
    if first is None:
        _nothing(cx, repo, asked, narrowed=bool(where or status or since or until or any(asked.values())))
        return
    answer = _answers(cx, repo, _again(first, rows), wanted, graph=graph, as_json=cx.json or form == "json")
    if form == "json" and not cx.json:
        cx.output.raw(_json_lines(answer))
    else:
        cx.output.stream(answer)


def _late_bar(cx: CommandContext, bars: ExitStack) -> Callable[[int, int], None]:
    """Returns what moves a progress bar that appears where there are many runs to be read: most lists are there before it could be seen."""
    shown: list[Advance] = []

    def advance(done: int, total: int) -> None:
        if not shown and _MANY <= done < total:
            shown.append(bars.enter_context(cx.output.progress("reading runs")))
        for bar in shown:
            bar(done, total)

    return advance


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _again(first: QueryRow, rest: Iterator[QueryRow]) -> Iterator[QueryRow]:
    yield first
    yield from rest


def _answers(
    cx: CommandContext, repo: Repository, rows: Iterator[QueryRow], columns: list[str], *, graph: bool, as_json: bool
) -> Iterable[Any]:
    """Returns what is printed: a result a line."""
    from gvstore import host
    from gvstore.cli import units
    from gvstore.cli.runs import ago, table

    if columns:
        from gvstore.cli.run_cells import cells_of, cells_table

        made = cells_of(rows, columns)
        return made if as_json else cells_table(made, cx.output.paint.width)
    if graph:
        from gvstore.cli.run_graph import derived

        return derived([(_listed(repo, row.row, row.beside), row["by"]) for row in rows])
    shown = (_listed(repo, row.row, row.beside) for row in rows)
    when = ago(units.moment(host.now_us())) if cx.on_terminal else units.local
    return shown if as_json else table(shown, cx.output.paint.width, when)


def _listed(repo: Repository, row: RunRow, beside: Beside) -> RunListed:
    """Returns one run, ready to print; of one that is damaged, what is known without it."""
    from gvstore.cli.runs import damaged, listed

    try:
        return listed(repo.runs[row.number], beside)
    except Corrupt as e:
        return damaged(row, e, beside)


def _json_lines(answers: Iterable[Any]) -> Iterator[bytes]:
    from gvstore.cli.json_form import dump

    for each in answers:
        yield dump(each).encode("utf-8", "backslashreplace") + b"\n"


def _write(cx: CommandContext, query: RunQuery, columns: list[str], form: str, target: Path | None) -> None:
    """Writes the runs as a file of another form, to `target` or stdout."""
    from gvstore.cli.run_cells import written

    if form == "parquet" and target is None and cx.on_terminal:
        raise UsageFault("parquet is not for a terminal", hint="Write it to a file: `gv runs --format parquet -o runs.parquet`.")
    if target is not None and target.exists():
        from gvstore.errors import WouldLose

        raise WouldLose(f"{target} exists", hint="Give another FILE, or delete it first.")
    if form in ("table", "json"):
        answers = list(_answers(cx, cx.journal, query.rows(lazily=not columns), columns, graph=False, as_json=form == "json"))
        if form == "json":
            data = b"".join(_json_lines(answers))
        else:
            from gvstore.cli.style import PLAIN

            data = "".join(f"{line}\n" for each in answers for line in each.lines(PLAIN)).encode("utf-8", "backslashreplace")
        count = len(answers)
    else:
        data, count = written(query.rows(), columns, form)
    if target is None:
        cx.output.raw([data])
        return
    from gvstore import fs
    from gvstore.cli.run_cells import RunsWritten

    try:
        fs.write_atomic(target, data)
    except OSError as e:
        raise UsageFault(f"{target} cannot be written: {e.strerror}") from e
    cx.output.result(RunsWritten(target, form, count, len(data)))


def _nothing(cx: CommandContext, repo: Repository, asked: dict[str, str | None], *, narrowed: bool) -> None:
    """Says that nothing was found, and what there is that is like what was asked for."""
    if not narrowed or not repo.refs.runs(limit=1):
        cx.output.status("no runs yet: `gv run FILE.py:FUNCTION` makes one")
        return
    told = [f"{name} {value}" for name, value in asked.items() if value is not None]
    near = _near(repo, asked)
    cx.output.status(f"no runs{' of ' + ' and '.join(told) if told else ' like that'}{near}")


def _near(repo: Repository, asked: dict[str, str | None]) -> str:
    """Returns what to say of names that are like those that were looked for."""
    import difflib

    found: list[str] = []
    exact = {name: value for name, value in asked.items() if value is not None and name in ("app", "partition", "group", "tag", "component")}
    known: dict[str, set[str]] = {name: set() for name in exact}
    for row in repo.runs.query().limit(10_000).rows() if exact else ():
        for name, values in known.items():
            value = row["tags" if name == "tag" else name]
            values.update(value if isinstance(value, list) else [str(value)] if value else [])
    for name, wanted in exact.items():
        found += [each for each in difflib.get_close_matches(wanted, sorted(known[name]), 2, 0.5) if each != wanted]
    return f"; did you mean {' or '.join(found)}?" if found else ""
