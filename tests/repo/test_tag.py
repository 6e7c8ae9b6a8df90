"""Tags stand where they were put, light and annotated, until they are moved or deleted."""

from __future__ import annotations

import pytest

from gvstore.errors import UsageFault
from gvstore.journal.repository import Repository
from gvstore.objects.kind import Kind
from gvstore.objects.tag import Tag
from gvstore.refs.fault import BadRefName
from gvstore.repo.tag import NoSuchTag, TagExists, create_tag, delete_tags, find_tag, names_by_target, tags


def test_light_and_annotated(tmp_path: object) -> None:
    """A light tag is a ref; an annotated one leads through its object to what is tagged."""
    with Repository.init(str(tmp_path), author="Ada") as repo:
        oid, other = repo.put("one").oid, repo.put("two").oid

        create_tag(repo, "light", oid, author="Ada", now=1)
        create_tag(repo, "why", oid, author="Ada", now=2, message="because\n\nof it")

        assert oid == repo.refs.resolve("refs/tags/light") == repo.resolve("why").oid
        entry = find_tag(repo, "why")
        assert entry is not None
        assert Tag(oid, "why", "Ada", 2, "because\n\nof it\n") == entry.tag == Tag.get(repo.objects, entry.oid)
        assert (oid, Kind.VALUE) == (entry.target, entry.kind)
        assert {oid: ("light", "why")} == names_by_target(repo)
        with pytest.raises(TagExists) as caught:
            create_tag(repo, "light", other, author="Ada", now=3)
        assert 13 == caught.value.exit_code
        assert oid == create_tag(repo, "light", other, author="Ada", now=3, force=True)
        assert other == repo.refs.resolve("refs/tags/light")


def test_deleting_is_one_operation(tmp_path: object) -> None:
    """All of several tags go, or, where one is not there, none; the reflog keeps where they were."""
    with Repository.init(str(tmp_path), author="Ada") as repo:
        oid = repo.put("one").oid
        create_tag(repo, "a", oid, author="Ada", now=1)
        create_tag(repo, "b", oid, author="Ada", now=1)
        with pytest.raises(NoSuchTag):
            delete_tags(repo, ("a", "c"), author="Ada", now=2)
        assert ["a", "b"] == [each.name for each in tags(repo)]
        before = len(repo.refs.operations())

        delete_tags(repo, ("a", "b", "a"), author="Ada", now=2)

        assert () == tags(repo)
        assert before + 1 == len(repo.refs.operations())
        assert oid.hex() == repo.refs.reflog("refs/tags/a")[0].old


@pytest.mark.parametrize("name", ["run/7", "7", "HEAD", "a..b", "-a", "a b", "", "\n"])
def test_names_that_mean_something_else(tmp_path: object, name: str) -> None:
    """A tag is not called what would be read as something else."""
    with Repository.init(str(tmp_path), author="Ada") as repo:
        oid = repo.put("one").oid
        with pytest.raises(BadRefName):
            create_tag(repo, name, oid, author="Ada", now=1)
        with pytest.raises(UsageFault):
            create_tag(repo, "good", oid, author="Ada", now=1, message=" \n")
