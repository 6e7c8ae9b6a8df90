"""Commits: a state of the work tree, its components, named values, and the runs since the last one."""

from __future__ import annotations

from dataclasses import dataclass, field

from gvstore.objects import number
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import FieldReader, FieldWriter, links_part, named_links_part
from gvstore.objects.wire import link_bytes, weak_link_bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit.  `created_at` is in microseconds UTC; `generation` is 1 + the parents' largest.

    Runs are weak links: they may be removed without damage.  `git` is git's
    HEAD and whether its work tree was dirty, or empty.
    """

    tree: ObjectId
    parents: tuple[ObjectId, ...]
    author: str
    created_at: int
    message: str
    components: dict[str, ObjectId] = field(default_factory=dict)
    values: dict[str, ObjectId] = field(default_factory=dict)
    runs: tuple[ObjectId, ...] = ()
    generation: int = 1
    git: str = ""

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this commit, stored."""
        fields = FieldWriter(writer, Kind.COMMIT, number.COMMIT)
        fields.raw(link_bytes(self.tree), links_part(self.parents, link_bytes))
        fields.value(self.author).value(self.created_at).value(self.message)
        fields.raw(*(named_links_part(writer, each) for each in (self.components, self.values)))
        fields.raw(links_part(self.runs, weak_link_bytes))
        return fields.value(self.generation).value(self.git).put()

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Commit:
        """Returns the commit `oid`."""
        fields = FieldReader(reader, oid, Kind.COMMIT, number.COMMIT)
        return cls(
            tree=fields.link(),
            parents=fields.links(),
            author=fields.value(str),
            created_at=fields.value(int),
            message=fields.value(str),
            components=fields.named_links(),
            values=fields.named_links(),
            runs=fields.links(),
            generation=fields.value(int),
            git=fields.value(str),
        )
