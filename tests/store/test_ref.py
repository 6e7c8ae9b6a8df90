"""References: what they lead to, how they are changed, and how a program makes its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings

from gvstore.objects.oid import ObjectId
from gvstore.store.backend import InMemoryBackend
from gvstore.store.digests import digest
from gvstore.store.fault import FieldTypeError, NoActiveStore, NotFound, RefError
from gvstore.store.ref import Ref
from gvstore.store.registry import wrap
from gvstore.store.resource import ResourceDict
from gvstore.store.store import InMemoryStore, Store
from gvstore.store.wrappers import IntWrapper
from tests.store.program import Bare, Counter, Plan, ZippedRef
from tests.strategies import identical, values


def test_equal_values_have_equal_references() -> None:
    """In any store; the id is 64 hex digits and leads back to the value."""
    one, other = InMemoryStore(), InMemoryStore()
    ref = one.commit(Plan(1, [2]))

    assert ref == other.commit(Plan(1, [2]))
    assert 64 == len(ref.id) == len(bytes.fromhex(ref.id)) * 2
    assert f"<Ref: {ref.id}>" == repr(ref)
    assert ref == Ref.from_id(ref.id) == Ref(ref.id) == Ref(ObjectId.from_hex(ref.id))
    assert Plan(1, [2]) == other.checkout(Ref.from_id(ref.id)) == ref() == ref.checkout()
    assert ref.digest == ref.id == digest(Plan(1, [2]))


def test_any_text_is_an_id() -> None:
    """Of something that no store here holds; what is no text is refused."""
    ref = Ref[Any]("any text")

    assert ("any text", "any text") == (ref.id, ref.digest)
    assert ref == Ref.from_id(ref.id)
    assert [ref] == InMemoryStore().commit([ref]).checkout()
    with pytest.raises(AssertionError, match="string digest"):
        Ref(1234)  # type: ignore[arg-type]
    with pytest.raises(RefError):
        _ = ref.oid
    with pytest.raises(NotFound):
        InMemoryStore().checkout(ref)


def test_a_reference_needs_a_store() -> None:
    """Its own, or the active one, which it then remembers."""
    store = InMemoryStore()
    ref: Ref[Any] = Ref.from_id(store.commit([1]).id)

    assert not ref.is_cached()
    with pytest.raises(NoActiveStore):
        ref()
    with InMemoryStore(), pytest.raises(NotFound):
        ref()
    with store:
        assert [1] == ref()
    assert ref.is_cached()
    assert [1] == ref()


def test_every_checkout_is_a_new_copy() -> None:
    """Nobody changes what is stored by changing what was checked out."""
    ref = InMemoryStore().commit(Plan([1]))
    ref().topic.append(2)

    assert Plan([1]) == ref()


def test_modify_repoints_this_very_reference() -> None:
    """At the end of the block, if it ends well; copies stay."""
    store = InMemoryStore()
    ref = store.commit(Plan(1))
    copy, old = ref.deepcopy_resource(), ref.id
    with ref.modify() as plan:
        plan.topic = 2

    assert (Plan(2), Plan(1)) == (ref(), copy())
    assert ref.id != old == copy.id
    with pytest.raises(KeyError), ref.modify() as plan:
        plan.topic = 3
        raise KeyError
    assert Plan(2) == ref()


def test_set_stores_where_the_reference_is_at_home() -> None:
    """In its store, in the active one, or with the reference itself."""
    store = InMemoryStore()
    ref = store.commit([1])
    ref.set([2])

    assert [2] == store.checkout(Ref.from_id(ref.id))
    lost: Ref[Any] = Ref("lost")
    with store:
        lost.set([3])
    assert [3] == store.checkout(Ref.from_id(lost.id))
    lone: Ref[Any] = Ref("lone")
    lone.set([4])
    assert [4] == lone()


def test_a_reference_can_keep_its_value() -> None:
    """from_resource stores nothing anywhere; what has no encoding has no reference."""
    ref: Ref[Any] = Ref.from_resource(Counter(3))

    assert ref.is_cached()
    assert Counter(3) == ref()
    assert not InMemoryStore().has(ref)
    assert ref == Ref.from_resource(wrap(Counter(3))) == Ref.from_resource_dict(wrap(Counter(3)).to_resource_dict())
    with pytest.raises(FieldTypeError):
        Ref.from_resource([Bare()])


def test_a_reference_is_a_resource() -> None:
    """With one field, stored as a link; `set_from` takes another's place."""
    ref, other = InMemoryStore().commit(1), InMemoryStore().commit(2)

    assert {"digest": ref.digest} == ref.to_resource_dict()
    assert ref == ref.to_resource_dict().to_resource() == Ref.from_resource_dict(ref.to_resource_dict())
    ref.set_from(other)
    assert 2 == ref()
    with pytest.raises(TypeError):
        ref.set_from(1)


@settings(max_examples=100, deadline=None)
@given(values(12))
def test_packed_and_unpacked_is_the_value(value: Any) -> None:
    """And its reference is the one that a store gives."""
    packed = Ref.pack(value)[1]

    assert identical(value, packed.unpack())
    assert Ref.pack(value)[0] == packed.ref() == packed.ref == InMemoryStore().commit(value)


def test_packing_tells_what_is_inside() -> None:
    """Data as a dict form, the ids of references, the keys of types; another value under its name is refused."""
    store = InMemoryStore()
    x, y = store.commit(1), store.commit(2.0)
    packed = Ref.pack(Plan(x, [{"k": (y, y)}]))[1]

    assert {x.id, y.id} == packed.links
    assert Plan.type_key() in packed.type_keys
    assert IntWrapper(1) == Ref.pack(1)[1].data.to_resource()
    assert store.commit(packed.unpack()).id == packed.ref.id
    with pytest.raises(RefError):
        x.unpack(packed)
    forged = packed._replace(data=ResourceDict(Plan, topic=1, steps=2))
    with pytest.raises(RefError):
        forged.unpack()


@pytest.mark.parametrize("backend", [None, InMemoryBackend()], ids=["objects", "backend"])
def test_a_reference_type_says_how_values_are_stored(backend: InMemoryBackend | None) -> None:
    """Compressed here: the store hands out such references, and reads by them; also by id, also after a change."""
    store = Store(backend, ref_type=ZippedRef)
    text = "the quick brown fox " * 200
    ref: Any = store.commit(Plan(text, [1]))

    assert ZippedRef is type(ref)
    assert Plan(text, [1]) == ref()
    assert store.has(ref)
    again = ZippedRef.from_id(ref.id)
    assert not again.is_cached()
    with store:
        assert Plan(text, [1]) == again()
        assert again == ref
        with again.modify() as plan:
            plan.steps.append(2)
    assert (Plan(text, [1, 2]), Plan(text, [1])) == (again(), ref())
    inside: Any = store.commit({"r": ref})
    assert ref == inside()["r"]
    assert Plan(text, [1]) == store.checkout(inside()["r"])
    with pytest.raises(NotFound):
        store.checkout(ZippedRef.from_id("0" * 64))


def test_such_references_are_values_of_any_store() -> None:
    """What they lead to is linked, so that nothing collects it."""
    zipped, plain = Store(ref_type=ZippedRef), InMemoryStore()
    ref: Any = zipped.commit([1, 2])
    holder = plain.commit([ref])

    assert [ref] == holder()
    assert {ref.id} == plain.get_dependency_graph(holder, 0)[holder.id]


def test_waiting_twins() -> None:
    """checkout_async, commit_async and the others do what their twins do."""

    async def all_of_them(store: Store) -> None:
        ref = await store.commit_async(Plan(1))
        assert Plan(1) == await ref.checkout_async() == await store.checkout_async(ref)
        assert await store.has_async(ref)
        await store.register_type_async(Plan)
        assert store.get_dependency_graph(ref) == await store.get_dependency_graph_async(ref)
        assert store.get_transitive_type_requirements(ref) == await store.get_transitive_type_requirements_async(ref)
        assert set() == await store.get_distribution_requirements_async(ref, expect_distribution_key=False)

    for store in (InMemoryStore(), Store(InMemoryBackend())):
        asyncio.run(all_of_them(store))
