"""References to stored values: what a program holds instead of the value.

A subclass may change the form in which values are stored (compressed,
encrypted) by overriding `pack` and `unpack`, and `verify` where it checks
something else; a Store is told to use it with `ref_type=`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from gvstore.objects import number
from gvstore.objects.build import register_builder
from gvstore.objects.expand import Expansion, register_expander
from gvstore.objects.naming import type_name
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import Link
from gvstore.store.active import READING
from gvstore.store.fault import RefError
from gvstore.store.packed import Collector, PackedResource
from gvstore.store.resource import FieldValue, ResourceBase, ResourceDict, TypeWrapperBase

if TYPE_CHECKING:
    from gvstore.store.store import Store

T = TypeVar("T")
_STORED: Final = "stored"  # beside the fields of a reference type: the object that holds its packed form


class Ref(ResourceBase, Generic[T]):
    """Names a stored value; `ref()` and `ref.checkout()` hand it out.

    Equal when they name equal values.  `id` is 64 hex digits; any other text
    is accepted as the id of something that no store of ours holds.  A
    reference remembers the store it came from.
    """

    __slots__ = ("_digest", "_oid", "_store")

    def __init__(self, digest: ObjectId | str, *, store: Store | None = None) -> None:
        assert isinstance(digest, str | ObjectId), "a Ref is made of an oid or a string digest"
        self._oid: ObjectId | None = None
        if isinstance(digest, ObjectId):
            self._digest, self._oid = digest.hex(), digest
        else:
            self._digest = digest
            if type(self) is Ref:
                self._oid = _oid_of(digest)
        self._store = store

    @property
    def store(self) -> Store | None:
        """The store it came from, if that is known."""
        return self._store

    @property
    def oid(self) -> ObjectId:
        """The name of the object that it leads to.

        Raises:
            RefError: it leads to none; it is not stored, or its id is another text.
        """
        if self._oid is None:
            raise RefError(f"{self!r} names no object")
        return self._oid

    @property
    def digest(self) -> str:
        """What tells the referenced value from all others, as text."""
        return self._digest

    @property
    def id(self) -> str:
        """The name by which `from_id` finds it again; an object's name in hex."""
        return self._digest if self._oid is None else self._oid.hex()

    @classmethod
    def from_id(cls, ref_id: str) -> Self:
        """Returns the reference of this id."""
        made = cls.from_fields({"digest": ref_id})
        made._oid = _oid_of(ref_id)
        return made

    @classmethod
    def from_resource(cls, value: Any) -> Self:
        """Returns a reference to a value, which it keeps itself until it is stored.

        Raises:
            FieldTypeError: a part of it has no encoding.
        """
        from gvstore.store.store import keep

        store, oid = keep(value.unwrap() if isinstance(value, TypeWrapperBase) else value)
        made = cls.from_fields({"digest": oid.hex()})
        made._store = store
        return made

    @classmethod
    def from_resource_dict(cls, fields: ResourceDict[Any]) -> Self:
        """Returns the reference of its own dict form, or one to the resource of another."""
        if not issubclass(fields.type, Ref):
            return cls.from_resource(fields.to_resource())
        stored = fields.get(_STORED)
        plain = {name: value for name, value in fields.items() if name != _STORED}
        made = super().from_resource_dict(ResourceDict(fields.type, plain))
        if isinstance(stored, str):
            made._oid = _oid_of(stored)
        made._store = READING.get()
        return made

    def _beside_fields(self) -> dict[str, str]:
        return {} if self._oid is None or type(self) is Ref else {_STORED: self._oid.hex()}

    def checkout(self) -> T:
        """Returns the value, a new copy each time, from the store it came from or else the active one.

        Raises:
            NoActiveStore: it came from none, and none is active.
            NotFound: the store does not hold it.
        """
        value: T = self._home().checkout(self)
        return value

    def __call__(self) -> T:
        """Returns the value, as `checkout` does."""
        return self.checkout()

    async def checkout_async(self) -> T:
        """Returns the value, as `checkout` does."""
        value: T = await self._home().checkout_async(self)
        return value

    def _home(self) -> Store:
        from gvstore.store.active import current_store

        if self._store is None:
            store = current_store()
            if store.has(self):
                self._store = store
            return store
        return self._store

    def is_cached(self) -> bool:
        """Returns whether the value can be had while no store is active."""
        return self._store is not None and self._store.has(self)

    @contextmanager
    def modify(self) -> Iterator[T]:
        """Yields the value; at the end of the block it is stored as it is then, and this very reference leads to it.

        What the block raises leaves the reference as it was.
        """
        value = self.checkout()
        yield value
        self.set(value)

    def set(self, value: T) -> None:
        """Makes this very reference lead to another value, which is stored where it came from, or in the active store."""
        from gvstore.store.active import active_store

        store = self._store or active_store()
        self.set_from(self.from_resource(value) if store is None else store.commit_as(type(self), value))

    @classmethod
    def pack(cls, value: Any) -> tuple[Self, PackedResource]:
        """Returns the reference to a value, and what is stored of it.

        Raises:
            FieldTypeError: a part of it has no encoding.
        """
        from gvstore.store.registry import wrap

        collector = Collector()
        data = wrap(value).to_resource_dict(collector)
        ref = cls.from_resource(value)
        return ref, PackedResource(data, ref.to_resource_dict(), collector.links, collector.type_keys)

    def unpack(self, packed: PackedResource) -> T:
        """Returns the value of what `pack` made, verified.

        Raises:
            RefError: it is not the value that this reference names.
        """
        self.verify(packed)
        value: T = _value_of(packed.data)
        return value

    def verify(self, packed: PackedResource | ResourceDict[Any]) -> None:
        """Returns if what is packed is what this reference names.

        Raises:
            RefError: it is not.
        """
        from gvstore.store.scratch import name_value

        data = packed.data if isinstance(packed, PackedResource) else packed
        if name_value(_value_of(data)).hex() != self.digest:
            raise RefError(f"what is stored as {self!r} is not what it names")

    @classmethod
    def field_names(cls) -> Iterable[str]:
        """Returns the one field, `digest`; a subclass may add its own."""
        return ("digest",)

    def field_values(self) -> Iterable[FieldValue]:
        """Returns the digest."""
        return (self._digest,)

    @classmethod
    def from_fields(cls, fields: Mapping[str, FieldValue]) -> Self:
        """Returns the reference of these field values."""
        return cls(**fields)

    def deepcopy_resource(self) -> Self:
        """Returns an equal reference, which stays when this one is set."""
        copy = self.from_fields(dict(self.field_items()))
        copy._oid, copy._store = self._oid, self._store
        return copy

    def set_from(self, other: Any) -> None:
        """Makes this reference lead where the other does.

        Raises:
            TypeError: it is of another type.
        """
        if type(other) is not type(self):
            raise TypeError(f"a {type(self).__qualname__} cannot be set from a {type(other).__qualname__}")
        self._digest, self._oid, self._store = other._digest, other._oid, other._store

    def stored_as(self, oid: ObjectId, store: Store) -> None:
        """Notes the object that holds its packed form; for stores."""
        self._oid, self._store = oid, store

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ref):
            return NotImplemented
        return self._digest == other._digest or (type(self) is type(other) is not Ref and self.id == other.id)

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._digest}>"


def _oid_of(text: str) -> ObjectId | None:
    try:
        return ObjectId.from_hex(text)
    except ValueError:
        return None


def _value_of(data: ResourceDict[Any]) -> Any:
    made = data.to_resource()
    return made.unwrap() if isinstance(made, TypeWrapperBase) else made


def _expand(ref: Ref[Any]) -> Expansion:
    return (number.REF, (Link(ref.oid),)) if ref._oid is not None else expand_named(ref)


def expand_named(ref: Ref[Any]) -> Expansion:
    """Returns the expansion of a reference that is not just a link: its type, its fields, and where it is stored."""
    parts: list[Any] = [type_name(type(ref))]
    for name, value in ref.field_items():
        parts += (name, value)
    if ref._oid is not None and type(ref) is not Ref:
        parts += (_STORED, Ref(ref._oid, store=ref._store))
    return number.WRAPPED, parts


def build_named(cls: type[Ref[Any]], fields: Mapping[str, Any]) -> Ref[Any]:
    """Returns the reference of `expand_named`."""
    stored = fields.get(_STORED)
    made = cls.from_fields({name: value for name, value in fields.items() if name != _STORED})
    if isinstance(stored, Ref):
        made._oid = stored._oid
    made._store = READING.get()
    return made


def _build(raw: list[Any]) -> Ref[Any]:
    link = raw[1]
    if type(link) is not Link:
        raise ValueError("a link was expected")
    return Ref(link.oid, store=READING.get())


register_expander(Ref, _expand)
register_builder(number.REF, _build)
