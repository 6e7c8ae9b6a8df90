"""The type numbers: the first element of every array in an object.

A number is never used again for something else; a retired one keeps its line
and its story.  `docs/format.md` cites this table.
"""

from __future__ import annotations

from typing import Final

# plain containers
LIST: Final = 0
TUPLE: Final = 1
DICT: Final = 2  # key, value, key, value ... in order
SET: Final = 3  # sorted by encoding
FROZENSET: Final = 4
SPLIT: Final = 5  # [5, number of the whole, count, link to the top node]
# what MessagePack cannot hold bare
BIG_INT: Final = 6  # two's complement, big endian, shortest
SURROGATES: Final = 7  # UTF-8 of text with lone surrogates ("surrogatepass")
# named things
RECORD: Final = 8  # a dataclass: type, field name, value, ...
REF: Final = 9  # a reference to a stored value: link
ENUM: Final = 10  # type, member name or nil, value
NAMED_TUPLE: Final = 11  # type, field name, value, ...
EXCEPTION: Final = 12  # type, args, text, state, cause, context, suppress
TYPE: Final = 13
FUNCTION: Final = 14
OPAQUE: Final = 15  # type, detail
# builtins and the standard library
BYTEARRAY: Final = 16
COMPLEX: Final = 17
RANGE: Final = 18
SLICE: Final = 19
SINGLETON: Final = 20  # "Ellipsis" or "NotImplemented"
DATETIME: Final = 21
DATE: Final = 22
TIME: Final = 23
TIMEDELTA: Final = 24
TIMEZONE: Final = 25
ZONE: Final = 26
DECIMAL: Final = 27
FRACTION: Final = 28
UUID: Final = 29
PATH: Final = 30
SUBCLASS: Final = 31  # a subclass of a builtin: type, base value, instance dict or nil
ORDERED_DICT: Final = 32
DEFAULT_DICT: Final = 33
COUNTER: Final = 34
DEQUE: Final = 35
PATTERN: Final = 36
MODULE: Final = 37
MEMORY_VIEW: Final = 38
IGNORED: Final = 39  # an argument left out by `ignore=`
WRAPPED: Final = 40  # a registered TypeWrapper's record: wrapper type, field name, value, ...
# values of libraries: the type's name, then what its adapter in gvstore/store/library/ writes
ARRAY: Final = 41  # type, dtype, shape, order, data: numbers in a row (numpy, torch)
TABLE: Final = 42  # type, ...: columns, indexes, their scalars (pandas, polars, pyarrow)
IMAGE: Final = 43  # type, mode, width, height, format, palette, info, bytes (PIL)
MODEL: Final = 44  # type, arguments of a generic, fields, names of those that were set, extra, private (pydantic)
ATTRS: Final = 45  # type, field name, value, ... (attrs)
OPTIONS: Final = 46  # what is made anew from its options: type, option, value, ... (clients, loggers, locks)
# 47 is kept for libraries
INVOCATION: Final = 48
COMPONENT: Final = 49
RUN: Final = 50
COMMIT: Final = 51
TREE: Final = 52
TAG: Final = 53
OPERATION: Final = 54
LEAF: Final = 55  # items of a split container
INNER: Final = 56  # count, link, count, link, ...
TEXT: Final = 57  # only within SPLIT: str, its chunks are blobs of UTF-8
BYTES: Final = 58  # only within SPLIT: bytes
# outcomes of a call
RETURNED: Final = 59  # value
RAISED: Final = 60  # exception, was it raised in this very call
WAITING: Final = 61  # requested type, for value, context
CANCELLED: Final = 62
STREAMED: Final = 63  # chunks, value, closed early
MISSING: Final = 64  # a file's entry in a snapshot that was left out on purpose: reason
