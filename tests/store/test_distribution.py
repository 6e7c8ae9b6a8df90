"""Distributions: which code belongs to which, and what a stored value needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from gvstore.store.distribution import DistributionRegistry, get_distribution_key, get_path_distribution_key, registry
from gvstore.store.registry import Registry
from gvstore.store.resource import Resource
from gvstore.store.store import InMemoryStore
from gvstore.store.types import DistributionKey


def test_a_folder_belongs_to_what_was_registered_nearest() -> None:
    """The innermost folder counts, not the first."""
    known = DistributionRegistry()
    known.register_distribution("outer", "1.0", "/path/to")
    known.register_distribution("inner", "2.0", Path("/path/to/foo"))

    assert DistributionKey("inner", "2.0") == known.get_path_distribution_key("/path/to/foo/my.py")
    assert DistributionKey("outer", "1.0") == known.get_path_distribution_key("/path/to/other.py")
    assert None is known.get_path_distribution_key("/path/too.py")
    assert ["outer", "inner"] == [each.name for each in known.registered()]
    assert known.is_registered("inner") and not known.is_registered("none")


def test_an_installed_distribution_knows_its_files() -> None:
    """Its version is the installed one; a builtin belongs to nobody; what is not installed is an error."""
    known = DistributionRegistry()
    known.register_distribution("pytest")

    assert DistributionKey("pytest", metadata.version("pytest")) == known.get_distribution_key(pytest.raises)
    assert None is known.get_distribution_key(len)
    with pytest.raises(metadata.PackageNotFoundError):
        known.register_distribution("no-such-distribution")


def test_a_type_knows_its_distribution_from_its_registration_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in the type key; a stored value says what it needs; its oid does not depend on it."""

    @dataclass
    class Ours(Resource):
        x: int

    store = InMemoryStore()
    before = store.commit(Ours(1))
    key = DistributionKey("ours", "3.1")
    monkeypatch.setattr(registry(), "_folders", {Path(__file__).parent: key})
    Registry.get().register(Ours)

    assert key == Ours.type_distribution_key() == get_distribution_key(Ours) == get_path_distribution_key(__file__)
    assert key == Ours.type_key().distribution_key
    assert before == store.commit(Ours(1))
    assert {key} == store.get_distribution_requirements(before)
