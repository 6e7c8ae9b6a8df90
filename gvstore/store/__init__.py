"""The Python face of the object database: stores, references, the active store."""

from gvstore.store.active import active_store, current_store
from gvstore.store.fault import NoActiveStore
from gvstore.store.ref import Ref
from gvstore.store.store import InMemoryStore, Store

__all__ = ["InMemoryStore", "NoActiveStore", "Ref", "Store", "active_store", "current_store"]
