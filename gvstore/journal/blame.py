"""Which call first brought a text or value into being, and how it came to where it is.

The way is walked backwards.  What a call gave out came from a call that it
made, or from its arguments; what it was given came from an earlier call of the
same parent, or from the parent's arguments.  Where neither has it, the code of
the call itself wrote it.

    run/3:/output   story
     0  llm.chat    wrote it                     output: nothing that it was given has it
     2  revise      took it as draft             argument, from the output of 0
     2  revise      gave it on                   output, from its argument
        story       gave it back

Of several that have it, one counts whose whole value it was, then one whose
text stands whole in what came of it, then the nearest.  A text may have been
changed on the way: case, blanks and punctuation do not count.  Code puts texts
together: of one that its calls and arguments have in part only, the longest run
of words is followed, as long as it is most of what was looked for.  A call
without calls below it writes: it is the origin of what it was not given whole,
and `made_of` tells what it was given.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from gvstore.compare.passage import Found, Passage, excerpt, lines_of, plain, sentences_of
from gvstore.compare.values import format_path as format_parts
from gvstore.errors import BadRev
from gvstore.journal.address import CallPath, format_path, walk
from gvstore.journal.contents import Content, Needle, Row, inputs_of, leaves, outputs_of, scalar
from gvstore.journal.fault import InvocationError
from gvstore.journal.invocation import Invocation
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.decode import decode
from gvstore.objects.lanes import LanePath, lane_of_each
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL
from gvstore.repo.files import read_files

MOST_PIECES: Final = 1000
_OUTPUT: Final = "output"
_MOST: Final = 0.6  # so much of a text is followed
_LEAST: Final = 4  # a shorter text may stand anywhere by chance
_LARGEST_FILE: Final = 1 << 20


class NotInRun(InvocationError):
    """A text that stands nowhere in a run."""

    exit_code = 1


class Origin(StrEnum):
    """How a text came into being."""

    CALL = "call"
    """A call wrote it: nothing that it was given, and no call that it made, has it."""
    CODE = "code"
    """The code of a call wrote it into what it gave to a call that it made."""
    ARGUMENT = "argument"
    """It came in as an argument of the root call."""


@dataclass(frozen=True, slots=True)
class BlameStep:
    """One station of the way: a part of a call, `output` or the name of an argument, and how many characters of the text it has."""

    path: CallPath
    component: str
    part: str
    characters: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Blamed:
    """A text or value, and where it came from.

    `steps` go from its origin to where it was looked for.  `earlier` is a call
    that had it before, though nothing shows that it came from there; `made_of`
    the argument of the origin that has a part of it; `stands` where the code of
    the origin has it: its own text, or a file.
    """

    at: str
    value: object
    origin: Origin
    path: CallPath
    component: str
    steps: tuple[BlameStep, ...]
    earlier: BlameStep | None
    made_of: BlameStep | None
    stands: str

    @property
    def size(self) -> int:
        """How many characters were looked for."""
        return len(self.value) if isinstance(self.value, str) else 0

    @property
    def characters(self) -> int:
        """How many of them the origin has."""
        return self.steps[0].characters


@dataclass(frozen=True, slots=True)
class Blame:
    """What came of blaming a part of a call: its pieces in order; `more` were not looked for."""

    pieces: tuple[Blamed, ...]
    more: int = 0


class _Site(NamedTuple):
    path: CallPath
    part: str  # "output", or the name of an argument


class _Source(NamedTuple):
    site: _Site
    content: Content
    nearness: int


def blame(
    root: Invocation, path: CallPath, part: tuple[str, ...], value: object, text: str | None, code: ObjectId | None,
    name: str = "",
) -> Blame:  # fmt: skip
    """Returns where a text came from that stands in a part of a call, or without one all that does, piece by piece.

    `part` is as behind `run/7:0.2/`, `value` what it names; `code` the tree of the files that the run used, `name` the
    run's, for what is said of texts that are not there.

    Raises:
        NotInRun: most of the text does not stand there; tells what is nearest, and where it does.
        ValueError: the text is blank.
        BadRev: the part is neither what a call gave out nor what it was given.
    """
    site = _Site(path, _part(part))
    return _by_pieces(root, site, value, code) if text is None else _text(_Tracer(root, code, name), site, value, text)


def _part(part: tuple[str, ...]) -> str:
    """Returns the part as a place of the way: `output`, or the name of an argument."""
    if part[0] in ("output", "raised"):
        return _OUTPUT
    if part[0] == "state":
        return "self"
    if len(part) < 2:
        raise BadRev("a call has several arguments, and one was asked for", hint="Name it, as in run/7:0.2/args/topic.")
    return part[1]


def _text(tracer: _Tracer, site: _Site, value: object, text: str) -> Blame:
    """Returns where a text came from that stands in a part of a call, whose value is `value`.

    Raises:
        NotInRun: most of it does not stand there; tells what is nearest, and where it does.
        ValueError: the text is blank.
    """
    if not text.strip():
        raise ValueError("the text to look for is empty")
    found = Content.of([value]).find(Passage(text))
    if found is None or found.size < _MOST * len(text):
        raise tracer.missing(text, found, site)
    return Blame((tracer.with_given(tracer.trace(site, Passage(text), "", text), Passage(text)),))


def _by_pieces(root: Invocation, site: _Site, value: object, code: ObjectId | None) -> Blame:
    """Returns where each piece of a value came from: its texts by lines and sentences, and its numbers."""
    tracer = _Tracer(root, code)
    wanted: list[tuple[str, object, Needle]] = []
    for where, leaf in leaves(value):
        for piece in lines_of(leaf) if isinstance(leaf, str) else [leaf]:
            needle = scalar(piece)
            if needle is not None:
                wanted.append((format_parts(where), piece, needle))
    pieces: list[Blamed] = []
    for at, piece, needle in wanted[:MOST_PIECES]:
        found = tracer.trace(site, needle, at, piece)
        sentences = sentences_of(piece) if isinstance(piece, str) and tracer.is_put_together(found) else []
        pieces += [tracer.trace(site, Passage(each), at, each) for each in sentences] if len(sentences) > 1 else [found]
    return Blame(tuple(pieces), max(0, len(wanted) - MOST_PIECES))


class _Tracer:
    """Follows texts through one run; what was read of its calls is kept for the next text."""

    def __init__(self, root: Invocation, code: ObjectId | None, name: str = "") -> None:
        self._root, self._code, self._name = root, code, name
        self._calls: dict[CallPath, Invocation] = {(): root}
        self._rows: dict[CallPath, Row] = {}
        self._inputs: dict[CallPath, dict[str, Content]] = {}
        self._outputs: dict[CallPath, Content] = {}
        self._lanes: dict[CallPath, list[LanePath]] = {}
        self._whole: tuple[list[CallPath], Row] | None = None
        self._files: dict[str, str] | None = None

    def trace(self, site: _Site, needle: Needle, at: str, value: object) -> Blamed:
        """Returns the way that a text or value took to a part of a call."""
        size = len(needle.text) if isinstance(needle, Passage) else 0
        wanted, seen = needle, {site}
        first = self._content(site).find(needle)
        if first is not None and isinstance(needle, Passage):
            wanted = needle.part(first)
        steps = [self._step(site, wanted)]
        earlier = made_of = None
        while True:
            source, found = self._before(site, wanted, size, seen)
            part = wanted.part(found) if found is not None and isinstance(wanted, Passage) else wanted
            writes = self._writes(site)
            if source is not None and writes and part is not wanted:
                made_of, source = self._step(source, part), None
            if source is None:
                earlier = self._elsewhere(site, wanted)
                if earlier is None or earlier in seen or writes:
                    break
                source, earlier, part = earlier, None, wanted
            site, wanted = source, part
            seen.add(site)
            steps.append(self._step(site, wanted))
        origin, path = self._origin(site)
        return Blamed(
            at, value, origin, path, self._call(path).component.name, tuple(reversed(steps)),
            None if earlier is None else self._step(earlier, wanted), made_of, self._stands(origin, path, wanted),
        )  # fmt: skip

    def with_given(self, found: Blamed, passage: Passage) -> Blamed:
        """Returns the same with the first argument that had the text before, where its origin took it from no argument and no call."""
        if found.origin is Origin.ARGUMENT or found.earlier is not None or len(passage.text) < _LEAST:
            return found
        given = self._first_given(passage, (*found.path, 0) if found.origin is Origin.CODE else found.path)
        if given is None or given in [_Site(step.path, step.part) for step in found.steps]:
            return found
        return replace(found, earlier=self._step(given, passage))

    def is_put_together(self, found: Blamed) -> bool:
        """Returns whether a text was made of parts, so that each of its sentences has an origin of its own."""
        if found.characters < found.size or found.made_of is not None or found.origin is Origin.CODE:
            return True
        return found.origin is Origin.CALL and not self._writes(_Site(found.path, _OUTPUT))

    def _before(
        self, site: _Site, needle: Needle, size: int, seen: set[_Site]
    ) -> tuple[_Site | None, Found | None]:
        """Returns where what is at a site came from, and how much of the needle is there; None where nothing shows it."""
        here = self._content(site)
        sources: list[_Source] = []
        best: Found | None = None
        for found, group in self._candidates(site, needle):
            group = [each for each in group if each.site not in seen]
            if not group or (isinstance(needle, Passage) and found.size < _MOST * size):
                continue
            if best is None or _worth(found) > _worth(best):
                best, sources = found, group
            elif _worth(found) == _worth(best):
                sources += group
        if not sources:
            return None, None
        chosen = max(sources, key=lambda source: (*_likeness(source.content, here, needle, best), source.nearness))
        return chosen.site, best

    def _candidates(self, site: _Site, needle: Needle) -> Iterator[tuple[Found, list[_Source]]]:
        """Yields what has the needle among the places that the call's own code could take it from, and how much of it."""
        path = site.path
        here = self._content(site).encoded
        if site.part == _OUTPUT:
            yield from self._among_calls(path, len(self._row(path)), needle, here)
            yield from self._among_inputs(path, needle)
        elif path:
            above, number = path[:-1], path[-1]
            yield from self._among_calls(above, number, needle, here)
            yield from self._among_inputs(above, needle)
            yield from self._among_others(above, number, needle)

    def _among_calls(
        self, above: CallPath, ends: int, needle: Needle, here: tuple[bytes, ...]
    ) -> Iterator[tuple[Found, list[_Source]]]:
        row = self._row(above)
        found = row.find(needle, ends)
        if found is None:
            return
        same = [at for at in row.equal(here, ends) if row.contents[at].find(needle) == found[0]]
        yield found[0], [_Source(_Site((*above, n), _OUTPUT), row.contents[n], n) for n in dict.fromkeys([*same, *found[1]])]

    def _among_inputs(self, path: CallPath, needle: Needle) -> Iterator[tuple[Found, list[_Source]]]:
        for name, content in self._given(path).items():
            found = content.find(needle)
            if found is not None:
                yield found, [_Source(_Site(path, name), content, -1)]

    def _among_others(self, above: CallPath, number: int, needle: Needle) -> Iterator[tuple[Found, list[_Source]]]:
        """Yields the calls that stand behind a call but were made by another thread or task: they may have ended before it began."""
        lanes = self._lanes_of(above)
        found = self._row(above).find(needle, len(lanes)) if lanes else None
        if found is not None:
            contents = self._row(above).contents
            others = [n for n in found[1] if n > number and lanes[n] != lanes[number]]
            yield found[0], [_Source(_Site((*above, n), _OUTPUT), contents[n], -2 - n) for n in others]

    def _lanes_of(self, path: CallPath) -> list[LanePath]:
        """Returns which thread or task made each of a call's calls; none where its own body made them all."""
        if path not in self._lanes:
            call = self._call(path)
            lanes = lane_of_each(call.call.lanes, call.store.objects) if call.call.lanes != NIL else iter(())
            self._lanes[path] = [lane for _, lane in zip(range(len(self._row(path))), lanes, strict=False)]
        return self._lanes[path]

    def _elsewhere(self, site: _Site, needle: Needle) -> _Site | None:
        """Returns the first call of the run that gave the needle out before it came to a site by a way nobody recorded."""
        if isinstance(needle, Passage) and len(needle.text) < _LEAST:
            return None
        paths, row = self._all()
        path = site.path
        ends = bisect_left(paths, path) if site.part != _OUTPUT else bisect_left(paths, (*path, 1 << 62))
        found = row.find(needle, ends)
        if found is None or (isinstance(needle, Passage) and found[0].size < len(needle.text)):
            return None
        for at in found[1]:
            if paths[at] != path[: len(paths[at])]:  # a call above it, or it itself, ended later
                return _Site(paths[at], _OUTPUT)
        return None

    def _writes(self, site: _Site) -> bool:
        """Returns whether a site is what a call without calls below it gave out: a model that says the same twice took it from nowhere."""
        return site.part == _OUTPUT and not len(self._row(site.path))

    def _origin(self, site: _Site) -> tuple[Origin, CallPath]:
        if site.part == _OUTPUT:
            return Origin.CALL, site.path
        return (Origin.CODE, site.path[:-1]) if site.path else (Origin.ARGUMENT, ())

    def _stands(self, origin: Origin, path: CallPath, needle: Needle) -> str:
        """Returns where the code that wrote a text has it: `its code`, a file of the run's code, or nothing."""
        if origin is Origin.ARGUMENT or not isinstance(needle, Passage) or len(needle.text) < _LEAST:
            return ""
        call = self._call(path)
        component = call.component
        for name, text in _files_read(call):
            if _holds(text, needle):
                return f"{name}, which it read"
        if _holds(component.source, needle):
            return "its code"
        return next((name for name, text in self._texts().items() if _holds(text, needle)), "")

    def missing(self, text: str, found: Found | None, site: _Site) -> NotInRun:
        """Returns what to say of a text that is not where it was looked for."""
        run = f"{self._name}:"
        where = f"{run}{format_path(site.path)}/{'output' if site.part == _OUTPUT else f'args/{site.part}'}"
        near = f"; the nearest there is {text[found.start : found.end]!r}" if found is not None else ""
        paths, row = self._all()
        other = row.find(Passage(text), len(row))
        if other is not None and other[0].size == len(text):
            path = paths[other[1][-1]]
            name = self._call(path).component.name
            return NotInRun(
                f"{text!r:.80} is not in {where}",
                hint=f"It stands in {run}{format_path(path)}/output, which is what {name} gave out.",
            )
        given = self._first_given(Passage(text))
        if given is not None:
            named = "state" if given.part == "self" else f"args/{given.part}"
            return NotInRun(f"{text!r:.80} is not in {where}", hint=f"It stands in {run}{format_path(given.path)}/{named}.")
        if found is None and other is not None:
            path, part = paths[other[1][-1]], other[0]
            near = f"; the nearest is {text[part.start : part.end]!r} in {run}{format_path(path)}/output"
        return NotInRun(f"{text!r:.80} stands nowhere in this run{near}", hint="`gv show RUN --full` shows its texts.")

    def _first_given(self, passage: Passage, before: CallPath | None = None) -> _Site | None:
        """Returns the first argument in the run that has a passage; `before` a call, of what it and its like were given earlier."""
        for path, call in walk(self._root):
            if before is not None and path >= before:
                break
            for name, content in inputs_of(call).items():
                found = content.find(passage)
                if found is not None and found.size == len(passage.text):
                    return _Site(path, name)
        return None

    def _step(self, site: _Site, needle: Needle) -> BlameStep:
        name = self._call(site.path).component.name
        if not isinstance(needle, Passage):
            return BlameStep(site.path, name, site.part, 0, "")
        texts = self._content(site).text.split("\0")
        text = next((each for each in texts if _holds(each, needle)), "")
        return BlameStep(site.path, name, site.part, len(needle.text), excerpt(text, needle))

    def _content(self, site: _Site) -> Content:
        if site.part != _OUTPUT:
            return self._given(site.path).get(site.part, Content())
        if site.path:
            return self._row(site.path[:-1]).contents[site.path[-1]]
        if () not in self._outputs:
            self._outputs[()] = outputs_of(self._root)
        return self._outputs[()]

    def _call(self, path: CallPath) -> Invocation:
        known = next(depth for depth in range(len(path), -1, -1) if path[:depth] in self._calls)
        for depth in range(known, len(path)):  # as deep as programs go: nothing recurses
            self._calls[path[: depth + 1]] = self._calls[path[:depth]].get_child(path[depth])
        return self._calls[path]

    def _row(self, path: CallPath) -> Row:
        if path not in self._rows:
            self._rows[path] = Row(map(outputs_of, self._call(path).get_children()))
        return self._rows[path]

    def _given(self, path: CallPath) -> dict[str, Content]:
        if path not in self._inputs:
            self._inputs[path] = inputs_of(self._call(path))
        return self._inputs[path]

    def _all(self) -> tuple[list[CallPath], Row]:
        """Returns the paths of all calls, depth first, and what they gave out."""
        if self._whole is None:
            calls = list(walk(self._root))
            self._whole = [path for path, _ in calls], Row(outputs_of(call) for _, call in calls)
        return self._whole

    def _texts(self) -> dict[str, str]:
        """Returns the files of the run's code that are text, those that are no Python first."""
        if self._files is None:
            self._files = {}
            objects = self._root.store.objects
            if self._code is not None and objects.has(self._code):
                files = read_files(objects, self._code)
                for name in sorted(files, key=lambda name: (name.endswith(".py"), name)):
                    oid = files[name].oid
                    if objects.has(oid) and blob_size(objects, oid) <= _LARGEST_FILE:
                        data = get_blob(objects, oid)
                        if b"\0" not in data:
                            self._files[name] = data.decode("utf-8", "replace")
        return self._files


def _files_read(call: Invocation) -> Iterator[tuple[str, str]]:
    """Yields the files that a call read itself, and what was in them, where they are kept and are text."""
    objects = call.store.objects
    read = decode(call.call.reads, objects) if call.call.reads != NIL else {}
    for name, oid in read.items() if isinstance(read, dict) else ():
        at = ObjectId(oid) if isinstance(oid, bytes) else None
        if at is not None and objects.has(at) and blob_size(objects, at) <= _LARGEST_FILE:
            yield name, get_blob(objects, at).decode("utf-8", "replace")


def _holds(text: str, needle: Passage) -> bool:
    return needle.text in text or (needle.has_words and needle.plain in plain(text))


def _worth(found: Found) -> tuple[int, bool]:
    return found.size, found.exact


def _likeness(source: Content, here: Content, needle: Needle, found: Found | None) -> tuple[bool, bool, bool]:
    """Returns whether a source is what came of it, has the text in what it returned, and stands whole in it."""
    same = any(len(each) > 1 and each in here.encoded for each in source.encoded)
    text = source.returned
    part = needle.part(found) if isinstance(needle, Passage) and found is not None else None
    return same, part is not None and _holds(text, part), bool(text) and text in here.text
