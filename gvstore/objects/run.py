"""Runs: the event of an execution, around the pure record of what was called.

`times` mirrors the tree of calls: (start, duration) or (start, duration,
[children's times]) in microseconds since the run began.  A number n among the
children's times stands for n calls that were answered from another run's
record; the tuple then has a fifth element, true.  It is a value under the
container rule, so one call's times can be read without the others'.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gvstore.objects import number
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import NIL, FieldReader, FieldWriter, maybe_link, maybe_weak


@dataclass(frozen=True, slots=True)
class Run:
    """A run.  `root` is its root call, None if it was killed before that began; `started_at` and `ended_at` are in microseconds UTC.

    `status` is ok, raised, interrupted, rewound or waiting.  `code` is the
    tree of the project files it used.  `base` (the commit it started from) and
    `parent` (the run it was derived from) are weak.  `counts` holds `calls`,
    `executed`, `reused` and, where models told them, `prompt_tokens` and
    `completion_tokens`.  `notes` are warnings that the user was shown;
    `traceback` is that of the exception that ended it.  `environment` is a value,
    the same for many runs: what was installed.
    """

    root: ObjectId | None
    status: str
    started_at: int
    ended_at: int
    target: str = ""
    argv: tuple[str, ...] = ()
    author: str = ""
    user: str = ""
    host: str = ""
    python: str = ""
    message: str = ""
    group: str = ""
    branch: str = ""
    git: str = ""
    code: ObjectId | None = None
    base: ObjectId | None = None
    parent: ObjectId | None = None
    counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    traceback: str = ""
    times: bytes = NIL  # encoded
    terms: bytes = NIL  # encoded: on what terms a replay went; trailing nils are not written
    environment: ObjectId | None = None
    imports: bytes = NIL  # encoded: what each module of the project read while it was imported; nil where nobody looked
    labels: bytes = NIL  # encoded: a dict by which a machine's runs are found: `app`, `partition`, `sequence`
    states: bytes = NIL  # encoded: [number of steps, link to the state after them] of some steps of a machine

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this run, stored."""
        f = FieldWriter(writer, Kind.RUN, number.RUN).raw(maybe_link(self.root))
        f.value(self.status).value(self.started_at).value(self.ended_at).value(self.target).value(self.argv)
        f.value(self.author).value(self.user).value(self.host).value(self.python)
        f.value(self.message).value(self.group).value(self.branch).value(self.git)
        f.raw(maybe_link(self.code), maybe_weak(self.base), maybe_weak(self.parent))
        return f.value(self.counts).value(self.notes).value(self.traceback).raw(self.times, *self._last()).put()

    def _last(self) -> tuple[bytes, ...]:
        last = [self.terms, maybe_link(self.environment), self.imports, self.labels, self.states]
        while last and last[-1] == NIL:
            last.pop()
        return tuple(last)

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Run:
        """Returns the run `oid`."""
        f = FieldReader(reader, oid, Kind.RUN, number.RUN)
        return cls(
            f.maybe_link(), f.value(str), f.value(int), f.value(int), f.value(str), f.value(tuple),
            f.value(str), f.value(str), f.value(str), f.value(str),
            f.value(str), f.value(str), f.value(str), f.value(str),
            f.maybe_link(), f.maybe_link(), f.maybe_link(),
            f.value(dict), f.value(tuple), f.value(str), f.raw(), f.raw_or_nil(),
            f.link_or_none(), f.raw_or_nil(), f.raw_or_nil(), f.raw_or_nil(),
        )  # fmt: skip
