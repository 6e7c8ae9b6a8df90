"""WHERE objects lie: segments, packs, their indices, dictionaries, and the twin in memory."""

from gvstore.odb.database import ObjectDatabase
from gvstore.odb.fault import Damage, DictionaryLost, NewerFormat, Poisoned, ReadOnly, WriteFailed
from gvstore.odb.memory import MemoryDatabase

__all__ = [
    "Damage",
    "DictionaryLost",
    "MemoryDatabase",
    "NewerFormat",
    "ObjectDatabase",
    "Poisoned",
    "ReadOnly",
    "WriteFailed",
]
