"""References, stores and backends in one place, as enact's module of this name has them."""

from __future__ import annotations

from gvstore.store.backend import InMemoryBackend, StorageBackend
from gvstore.store.fault import DistributionKeyError, NotFound, RefError, TypeKeyError
from gvstore.store.packed import PackedResource
from gvstore.store.ref import Ref
from gvstore.store.store import InMemoryStore, Store, checkout_async, commit_async

__all__ = [
    "DistributionKeyError",
    "InMemoryBackend",
    "InMemoryStore",
    "NotFound",
    "PackedResource",
    "Ref",
    "RefError",
    "StorageBackend",
    "Store",
    "TypeKeyError",
    "checkout_async",
    "commit_async",
]
