"""numpy's arrays and scalars come back with dtype, order, byte order and bits."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects.placeholder import Opaque, Unresolved
from gvstore.objects.value import get_value, put_value
from gvstore.odb import MemoryDatabase
from gvstore.store.store import InMemoryStore
from tests.store.library.trip import in_new_process, same_name, there_and_back

numpy: Any = pytest.importorskip("numpy")

SIMPLE = [
    "?",
    "i1",
    "<u2",
    ">i4",
    "<i8",
    ">u8",
    "<f2",
    ">f4",
    "<f8",
    "<c8",
    ">c16",
    "S3",
    "<U2",
    ">U2",
    "V4",
    "<M8[ns]",
    ">m8[D]",
]
NESTED = numpy.dtype([("a", "<i4"), ("b", ">f8", (2,)), ("c", [("d", "S2"), ("e", "?")])])
PADDED = numpy.dtype([("a", "i1"), ("b", "<f8"), ("c", "<U2")], align=True)
OVERLAID = numpy.dtype({"names": ["x", "y"], "formats": ["<i4", "<i2"], "offsets": [0, 2], "itemsize": 16})
TITLED = numpy.dtype([(("the title", "name"), "<i8")])
DTYPES = [*map(numpy.dtype, SIMPLE), NESTED, PADDED, OVERLAID, TITLED]


def bits(array: Any) -> Any:
    """Returns the bytes of all fields, gaps left out."""
    if array.dtype.names:
        return [bits(array[name]) for name in array.dtype.names]
    return array.tobytes()


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    """Any numbers of any dtype in any shape, also views that are neither C nor F contiguous."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 4), max_size=3).map(tuple))
    size = math.prod(shape) * dtype.itemsize
    whole = numpy.frombuffer(bytearray(draw(st.binary(min_size=size, max_size=size))), dtype).reshape(shape)
    if dtype.kind == "U":  # any four bytes are no code point
        whole = numpy.full(shape, draw(st.text(max_size=2)), dtype)
    view = draw(st.sampled_from(["as it is", "F", "reversed", "every second", "transposed"]))
    if view == "F":
        return numpy.asfortranarray(whole)
    if view == "transposed":
        return whole.T
    steps = {"reversed": -1, "every second": 2}.get(view)
    return whole[::steps] if steps and shape else whole


@settings(max_examples=200, deadline=None)
@given(arrays())
def test_arrays(array: Any) -> None:
    """dtype, shape, bits and order of numbers are those of the array."""
    back = there_and_back(array)

    assert (array.dtype, array.shape, array.dtype.isalignedstruct) == (
        back.dtype,
        back.shape,
        back.dtype.isalignedstruct,
    )
    assert bits(array) == bits(back)
    assert back.flags.writeable and back.flags.owndata
    if array.flags.f_contiguous and array.size > 1:
        assert back.flags.f_contiguous


@settings(max_examples=100, deadline=None)
@given(arrays())
def test_scalars(array: Any) -> None:
    """A scalar keeps its type, and is no array and no number of Python's."""
    if not array.size:
        return
    scalar = array.reshape(-1)[0]
    back = there_and_back(scalar)

    assert type(scalar) is type(back)
    assert bits(numpy.asarray(scalar)) == bits(numpy.asarray(back))


def test_neighbours_are_told_apart() -> None:
    """Number, scalar, 0-d array, orders, byte orders, lists: each is itself."""
    square = numpy.arange(4).reshape(2, 2)
    near = [
        1, True, numpy.int64(1), numpy.int32(1), numpy.bool_(True), numpy.array(1), numpy.array([1]), [1], 1.0, numpy.float64(1),
        numpy.float32(1), numpy.float64(-0.0), numpy.float64(0.0), square, numpy.asfortranarray(square), square.astype(">i8"),
        square.tolist(), numpy.str_("x"), "x", numpy.str_("x\0"), numpy.bytes_(b"x"), b"x", numpy.zeros(0), numpy.zeros((0, 2)),
    ]  # fmt: skip
    store = InMemoryStore()

    assert len(near) == len({store.commit(each).id for each in near})


def test_objects_and_text() -> None:
    """Arrays of objects hold any values; of text of any length, with what stands for nothing."""
    mixed = numpy.empty((2, 2), dtype=object)
    mixed[:] = [["a", None], [(1, 2), {"k": numpy.float32(2)}]]
    back = there_and_back(mixed)

    assert mixed.tolist() == back.tolist()
    assert numpy.float32 is type(back[1, 1]["k"])
    words = numpy.array(["a", "", "longer than sixteen characters"], dtype=numpy.dtypes.StringDType())
    assert words.tolist() == there_and_back(words).tolist()
    gaps = numpy.array(["a", None], dtype=numpy.dtypes.StringDType(na_object=None))
    assert ["a", None] == there_and_back(gaps).tolist()


def test_chance_in_gaps_has_no_name() -> None:
    """What lies between fields, and behind 80-bit floats, is not part of the value."""
    one, other = (numpy.frombuffer(bytearray([fill]) * 3 * OVERLAID.itemsize, OVERLAID) for fill in (0, 255))
    one["x"], other["x"] = 5, 5
    assert same_name(one, other)
    long = numpy.array([1 / numpy.longdouble(3)])
    noise = long.copy()
    if long.itemsize == 16 and numpy.finfo(numpy.longdouble).nmant == 63:
        noise.view(numpy.uint8)[10:] = 77
    assert same_name(long, noise)
    assert long == there_and_back(long)


def test_generators_go_on_where_they_were() -> None:
    """A generator is stored by its state."""
    for made in (
        numpy.random.default_rng(7),
        numpy.random.Generator(numpy.random.MT19937(7)),
        numpy.random.RandomState(7),
    ):
        made.normal(size=3)
        back = there_and_back(made)

        assert type(made) is type(back)
        assert made.normal(size=5).tolist() == back.normal(size=5).tolist()


def test_kinds_of_arrays() -> None:
    """Record arrays and dtypes are themselves; what is of another class is opaque, never silently an array."""
    records = numpy.rec.array([(1, 2.0)], dtype=[("a", "<i8"), ("b", "<f8")])
    back = there_and_back(records)

    assert (type(records), records.a[0], records.dtype) == (type(back), back.a[0], back.dtype)
    assert numpy.record is type(there_and_back(records[0]))
    for dtype in DTYPES:
        assert dtype == there_and_back(dtype)
    with pytest.warns(UserWarning, match="subclass of ndarray"):
        assert Opaque is type(InMemoryStore().commit(numpy.ma.array([1, 2], mask=[0, 1])).checkout())


def test_a_changed_number_costs_little() -> None:
    """A large array is cut where its content says: two that differ in one number share the rest."""
    objects = MemoryDatabase()
    array = numpy.arange(100_000)
    put_value(objects, array)
    before = sum(len(objects.read(oid)) for oid in objects)
    array[50_000] = -1
    put_value(objects, array)
    after = sum(len(objects.read(oid)) for oid in objects)

    assert after - before < 40_000 < before


def test_sizes_are_checked_before_room_is_made() -> None:
    """An array that promises more than it holds is a placeholder."""
    objects = MemoryDatabase()
    forged: list[list[Any]] = [
        (["numpy:ndarray", "<f8", (1 << 40,), "C", b"12345678"]),
        (["numpy:ndarray", ["fields", 1 << 50, False, [["a", "<i4", 0]]], (2,), "C", [b"12345678"]]),
        (["numpy:ndarray", "|O", (1,), "C", b"12345678"]),
        (["numpy:ndarray", "nonsense", (1,), "C", b""]),
        (["numpy:float64", "<f8", None, None, b"1"]),
        (["numpy:array_repr", "<f8", None, None, b"12345678"]),
    ]
    for name, *parts in forged:
        back = get_value(objects, put_value(objects, Unresolved(41, str(name), tuple(parts))))

        assert Unresolved is type(back), back


def test_reading_needs_no_numpy() -> None:
    """A process that has not imported it reads a placeholder, and imports nothing."""
    code = (
        "import sys; from gvstore.objects.decode import decode; import gvstore.store\n"
        "print(decode(bytes.fromhex(input()), None).type_name, 'numpy' in sys.modules)"
    )
    objects = MemoryDatabase()
    oid = put_value(objects, numpy.arange(3))

    assert "numpy:ndarray False" == in_new_process(code, objects.read(oid)[1:].hex())
