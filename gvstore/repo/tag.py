"""Tags: names that stay, of commits, runs and values.

A light tag is a ref and no more; an annotated one leads to a tag object, which
says who made it, when and why, and leads to what is tagged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import BadRev, Corrupt, UsageFault, WouldLose
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.tag import Tag
from gvstore.refs.names import TAGS, tag_ref
from gvstore.refs.value import value_oid

if TYPE_CHECKING:
    from gvstore.objects.protocol import ObjectReader
    from gvstore.repo.repository import Repository

_MOST = 20  # tags of tags


class TagExists(WouldLose):
    """The name is a tag of something else."""

    def __init__(self, name: str, oid: ObjectId, told: str) -> None:
        self.name, self.oid = name, oid
        super().__init__(f"the tag {name} is there already, at {told}", hint=f"`gv tag -f {name} REV` moves it.")


class NoSuchTag(BadRev):
    """There is no tag of this name."""

    def __init__(self, name: str, known: list[str]) -> None:
        import difflib

        self.name = name
        near = difflib.get_close_matches(name, known, 3)
        super().__init__(
            f"there is no tag {name}", hint=f"Did you mean {' or '.join(near)}?" if near else "`gv tag` lists the tags."
        )


@dataclass(frozen=True, slots=True)
class TagEntry:
    """A tag: `oid` is what its ref holds, `target` what it leads to, an object of `kind`; of a light one there is no `tag`."""

    name: str
    oid: ObjectId
    target: ObjectId
    kind: int
    tag: Tag | None = None


def peel(objects: ObjectReader, oid: ObjectId) -> tuple[ObjectId, int]:
    """Returns what a tag leads to, through tags of tags, and its kind; anything else is itself.

    Raises:
        Corrupt: something on the way cannot be read.
    """
    for _ in range(_MOST):
        kind = objects.read(oid)[0]
        if kind != Kind.TAG:
            break
        oid = Tag.get(objects, oid).target
    return oid, kind


def find_tag(repo: Repository, name: str) -> TagEntry | None:
    """Returns the tag of this name, or None."""
    oid = repo.refs.resolve(TAGS + name)
    return None if oid is None else _entry(repo, name, oid)


def tags(repo: Repository) -> tuple[TagEntry, ...]:
    """Returns all tags, by name."""
    listed = ((ref[len(TAGS) :], value_oid(value)) for ref, value in repo.refs.list(TAGS).items())
    return tuple(_entry(repo, name, oid) for name, oid in listed if oid is not None)


def _entry(repo: Repository, name: str, oid: ObjectId) -> TagEntry:
    try:
        target, kind = peel(repo.objects, oid)
    except Corrupt:  # what is tagged is damaged or gone: the name is there all the same
        return TagEntry(name, oid, oid, 0)
    return TagEntry(name, oid, target, kind, Tag.get(repo.objects, oid) if target != oid else None)


def names_by_target(repo: Repository) -> dict[ObjectId, tuple[str, ...]]:
    """Returns the names of the tags of each tagged object, annotated ones looked through."""
    found: dict[ObjectId, tuple[str, ...]] = {}
    for entry in tags(repo):
        found[entry.target] = (*found.get(entry.target, ()), entry.name)
    return found


def names_of(repo: Repository, oid: ObjectId) -> tuple[str, ...]:
    """Returns the names of the tags of one object."""
    return names_by_target(repo).get(oid, ()) if repo.refs.list(TAGS) else ()


def create_tag(
    repo: Repository, name: str, target: ObjectId, *, author: str, now: int, message: str | None = None, force: bool = False
) -> ObjectId | None:
    """Makes a tag, annotated if there is a message, and returns where it was before if it was moved.

    Raises:
        TagExists: there is one of this name, and not `force`.
        UsageFault: the message is empty.
        RefClash, BadRefName: the name clashes with another, or is none.
    """
    ref = tag_ref(name)
    before = repo.refs.resolve(ref)
    if before is not None and not force:
        standing = _entry(repo, name, before).target
        number = repo.refs.run_number(standing)
        raise TagExists(name, before, f"run/{number}" if number is not None else short(standing))
    oid = target
    if message is not None:
        if not message.strip():
            raise UsageFault("the message of the tag is empty", hint='Say why: `gv tag -m "..." NAME`.')
        oid = Tag(target, name, author, now, message.strip("\n") + "\n").put(repo.objects)
    with repo.transaction(f"tag {name}", author=author, now=now) as transaction:
        transaction.update(ref, oid, expected=before, message=f"tag: {'moved' if before else 'made'}")
    return before


def delete_tags(repo: Repository, names: tuple[str, ...], *, author: str, now: int) -> list[TagEntry]:
    """Deletes tags, all or none, and returns what they were.

    Raises:
        NoSuchTag: one of them is not there.
    """
    found = []
    for name in dict.fromkeys(names):
        entry = find_tag(repo, name)
        if entry is None:
            raise NoSuchTag(name, [ref[len(TAGS) :] for ref in repo.refs.list(TAGS)])
        found.append(entry)
    with repo.transaction(f"tag -d {' '.join(each.name for each in found)}", author=author, now=now) as transaction:
        for each in found:
            transaction.delete(tag_ref(each.name), expected=each.oid, message="tag: deleted")
    return found
