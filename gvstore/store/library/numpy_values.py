"""numpy: arrays, scalars, dtypes and random generators.

`[41, type, dtype, shape, order, data]`: `order` is "C" or "F", as the numbers
lie; data is their bytes in the dtype's byte order, of a structured array a
list with the data of each field, of objects and of variable-length text a
list of the elements.  A scalar has neither shape nor order, a dtype only
itself.  A generator is made from its state, an option.

A dtype is its `str` (`"<f8"`), `["fields", bytes, aligned, [[name, dtype,
offset, title], ...]]`, `["array", dtype, shape]` or `["text", coerce, na]`.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion, opaque
from gvstore.objects.naming import type_name

numpy: Any = sys.modules["numpy"]

_ARRAYS: Final = {
    "ndarray": numpy.ndarray,
    "matrix": getattr(numpy, "matrix", numpy.ndarray),
    "recarray": numpy.rec.recarray,
}
_NAMES: Final = {cls: name for name, cls in _ARRAYS.items()}
_GENERATORS: Final = {"Generator": numpy.random.Generator, "RandomState": numpy.random.RandomState}
_PADDED: Final = (numpy.longdouble, numpy.clongdouble)
_ROOM: Final = 1 << 20  # bytes that an array may need beyond 64 times its data: structures may have gaps


def classify(type_: type) -> Expander | None:
    """Returns the expander of a type of numpy, or None."""
    if type_ in _NAMES:
        return _array
    if issubclass(type_, numpy.ndarray):
        return lambda value: opaque(value, "a subclass of ndarray")
    if issubclass(type_, numpy.generic):
        own = type_.__module__ == "numpy" or type_ is numpy.record
        return _scalar if own else lambda value: opaque(value, "a scalar type of the program's own")
    if issubclass(type_, numpy.dtype):
        return lambda value: (number.ARRAY, ("numpy:dtype", describe(value), None, None, None))
    return _generator if type_ in _GENERATORS.values() else None


def _array(value: Any) -> Expansion:
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    name, plain = _NAMES[type(value)], value.view(numpy.ndarray)
    return number.ARRAY, (f"numpy:{name}", describe(plain.dtype), plain.shape, order, data_of(plain, order))


def _scalar(value: Any) -> Expansion:
    name = type_name(type(value)).rpartition(":")[2]
    if isinstance(value, str | bytes):  # an array would drop NULs at the end
        plain = str.__str__(value) if isinstance(value, str) else bytes.__getitem__(value, slice(None))
        return number.ARRAY, (f"numpy:{name}", None, None, None, plain)
    whole = numpy.asarray(value)
    return number.ARRAY, (f"numpy:{name}", describe(whole.dtype), None, None, data_of(whole, "C"))


def _generator(value: Any) -> Expansion:
    legacy = isinstance(value, numpy.random.RandomState)
    state = value.get_state(legacy=False) if legacy else value.bit_generator.state
    return number.OPTIONS, (f"numpy:{type(value).__name__}", "state", state)


def describe(dtype: Any) -> Any:
    """Returns a dtype in plain values.

    Raises:
        TypeError: it is one of the program's own, or of another library.
    """
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return ["array", describe(base), list(shape)]
    if dtype.names is not None:
        fields = [(name, *dtype.fields[name]) for name in dtype.names]
        return [
            "fields",
            dtype.itemsize,
            dtype.isalignedstruct,
            [[name, describe(each), offset, *title] for name, each, offset, *title in fields],
        ]
    if dtype.kind == "T":
        return ["text", dtype.coerce, *([dtype.na_object] if hasattr(dtype, "na_object") else [])]
    if numpy.dtype(dtype.str) != dtype:
        raise TypeError(f"the dtype {dtype} has no name of its own")
    return dtype.str


def dtype_of(form: Any) -> Any:
    """Returns the dtype of `describe`."""
    if isinstance(form, str):
        return numpy.dtype(form)
    kind, *rest = form
    if kind == "array":
        return numpy.dtype((dtype_of(rest[0]), tuple(rest[1])))
    if kind == "text":
        return numpy.dtypes.StringDType(coerce=rest[0], **({"na_object": rest[1]} if len(rest) > 1 else {}))
    size, aligned, fields = rest
    columns = {
        "names": [each[0] for each in fields],
        "formats": [dtype_of(each[1]) for each in fields],
        "offsets": [each[2] for each in fields],
        "itemsize": size,
    }
    if any(len(each) > 3 for each in fields):
        columns["titles"] = [each[3] if len(each) > 3 else None for each in fields]
    return numpy.dtype(columns, align=aligned)


def data_of(array: Any, order: str) -> Any:
    """Returns what an array holds, as bytes or as a list."""
    dtype = array.dtype
    if dtype.names is not None:
        return [data_of(array[name], order) for name in dtype.names]
    if dtype.kind in "OT":
        return array.ravel(order).tolist()
    if dtype.type in _PADDED and numpy.finfo(dtype).nmant == 63 and dtype.itemsize % 16 == 0:
        return _without_padding(array, order)
    return array.tobytes(order)


def _without_padding(array: Any, order: str) -> bytes:
    """Returns the bytes of 80-bit floats, the six bytes behind each zero: what stands there is chance."""
    if not array.dtype.isnative:
        raise TypeError("80-bit floats of another byte order")
    data = numpy.frombuffer(bytearray(array.tobytes(order)), numpy.uint8).reshape(-1, 16)
    data[:, 10:] = 0
    return data.tobytes()  # type: ignore[no-any-return]


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the value of an array, a scalar, a dtype or a generator."""
    kind = name.rpartition(":")[2]
    if of == number.OPTIONS:
        return _make_generator(kind, parts[1])
    form, shape, order, data = parts
    if form is None and kind in ("str_", "bytes_"):
        return getattr(numpy, kind)(data)
    dtype = dtype_of(form)
    if kind == "dtype":
        return dtype
    if shape is not None:
        made = make_array(dtype, tuple(shape), order, data)
        return made if kind == "ndarray" else made.view(_ARRAYS[kind])
    cls = numpy.record if kind == "record" else getattr(numpy, kind)
    if not issubclass(cls, numpy.generic):
        raise TypeError(f"{name} is no scalar type")
    made = make_array(dtype, (), "C", data)
    if cls is numpy.record:
        made = made.view(numpy.dtype((numpy.record, dtype)))
    scalar = made[()]
    return scalar if type(scalar) is cls else cls(scalar)


def make_array(dtype: Any, shape: tuple[int, ...], order: str, data: Any) -> Any:
    """Returns the array that holds `data`.

    Raises:
        ValueError: it does not fit the dtype and shape.
    """
    count = math.prod(shape)
    if isinstance(data, bytes):
        if dtype.hasobject or len(data) != count * dtype.itemsize:
            raise ValueError("other bytes than the shape needs")
        if not dtype.itemsize:
            return numpy.empty(shape, dtype, order)
        return numpy.ndarray(shape, dtype, bytearray(data), order=order).copy(order="K")
    if dtype.names is None:
        if len(data) != count:
            raise ValueError("other elements than the shape needs")
        flat = numpy.empty(count, dtype)
        for at, each in enumerate(data):
            flat[at] = each
        return flat.reshape(shape, order=order)
    if count * dtype.itemsize > _ROOM + 64 * _size_of(data):
        raise ValueError("more room than its data could fill")
    made = numpy.zeros(shape, dtype, order)
    for name, each in zip(dtype.names, data, strict=True):
        field = dtype.fields[name][0]
        base, more = field.subdtype or (field, ())
        made[name] = make_array(base, (*shape, *more), order, each)
    return made


def _size_of(data: Any) -> int:
    return (
        len(data)
        if isinstance(data, bytes)
        else sum(_size_of(each) if isinstance(each, bytes | list) else 8 for each in data)
    )


def _make_generator(kind: str, state: Any) -> Any:
    if kind == "RandomState":
        made = numpy.random.RandomState()
        made.set_state(state)
        return made
    bits = getattr(numpy.random, state["bit_generator"])
    if not issubclass(bits, numpy.random.BitGenerator):
        raise TypeError("no bit generator")
    source = bits()
    source.state = state
    return numpy.random.Generator(source)
