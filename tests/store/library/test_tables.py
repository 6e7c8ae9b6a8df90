"""Frames, series, indexes, tables and arrays of pandas, polars and pyarrow come back as they were."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects.placeholder import Opaque
from gvstore.store.store import InMemoryStore
from tests.store.library.trip import same_name, there_and_back

pandas: Any = pytest.importorskip("pandas")
polars: Any = pytest.importorskip("polars")
pyarrow: Any = pytest.importorskip("pyarrow")
numpy: Any = pytest.importorskip("numpy")

DAYS = pandas.date_range("2024-01-30", periods=3, freq="D", tz="Europe/Berlin")
COLUMNS: dict[str, Any] = {
    "int": [1, 2, 3],
    "float": [1.5, float("nan"), -0.0],
    "text": ["a", None, "c"],
    "bool": [True, False, True],
    "object": pandas.Series([1, "a", (1, 2)], dtype=object),
    "day": pandas.date_range("2024-01-30", periods=3),
    "zoned": DAYS,
    "seconds": pandas.Series(pandas.to_datetime(["2024", None, "2026"])).astype("datetime64[s]"),
    "delta": pandas.to_timedelta([1, None, 3], unit="s"),
    "period": pandas.period_range("2024-01", periods=3, freq="M"),
    "interval": pandas.interval_range(0, 3, closed="left"),
    "category": pandas.Categorical(["x", None, "x"], categories=["y", "x"], ordered=True),
    "Int64": pandas.array([1, None, 3], dtype="Int64"),
    "boolean": pandas.array([True, None, False], dtype="boolean"),
    "Float32": pandas.array([1.0, None, 2], dtype="Float32"),
    "string": pandas.array(["a", None, "b"], dtype="string"),
    "python": pandas.array(["a", None, "b"], dtype=pandas.StringDtype("python")),
    "sparse": pandas.array([0, 0, 1], dtype="Sparse[int64]"),
    "arrow": pandas.array([[1], None, [2, 3]], dtype=pandas.ArrowDtype(pyarrow.list_(pyarrow.int64()))),
}


def test_frames() -> None:
    """Every kind of column, with index, column labels and attributes."""
    frame = pandas.DataFrame(COLUMNS, index=pandas.Index(["r", "s", "r"], name="row"))
    frame.columns.name = ("a", 1)
    frame.attrs["source"] = ["x"]
    back = there_and_back(frame)

    pandas.testing.assert_frame_equal(frame, back)
    assert frame.dtypes.tolist() == back.dtypes.tolist()
    assert (("a", 1), {"source": ["x"]}) == (back.columns.name, back.attrs)
    for name in COLUMNS:
        pandas.testing.assert_series_equal(frame[name], there_and_back(frame[name]))


@pytest.mark.parametrize(
    "frame",
    [
        pandas.DataFrame(),
        pandas.DataFrame(index=[1, 2]),
        pandas.DataFrame(columns=["a", "a"]),
        pandas.DataFrame([[1, 2.0]], columns=["a", "a"]),
        pandas.DataFrame({("x", 1): [1], ("y", 2): [2]}),
        pandas.DataFrame(numpy.arange(6).reshape(2, 3)),
        pandas.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
    ],
)
def test_odd_frames(frame: Any) -> None:
    """Empty ones, labels that stand twice or in levels."""
    back = there_and_back(frame)

    pandas.testing.assert_frame_equal(frame, back, check_column_type="exact", check_index_type="exact")
    assert frame.flags == back.flags


@pytest.mark.parametrize(
    "index",
    [
        pandas.RangeIndex(2, 20, 3, name="n"),
        pandas.Index([1.5, None]),
        pandas.Index(["a", 1, (2, 3)], dtype=object),
        pandas.Index(["a", "b"]),
        pandas.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["x", None]),
        DAYS,
        pandas.date_range("2024", periods=3, freq="ME"),
        pandas.timedelta_range("1s", periods=3),
        pandas.period_range("2024", periods=3, freq="Q-NOV"),
        pandas.interval_range(0, 3),
        pandas.CategoricalIndex(["a", "b", "a"]),
    ],
)
def test_indexes(index: Any) -> None:
    """Of every kind, with name and frequency."""
    back = there_and_back(index)

    pandas.testing.assert_index_equal(index, back, exact=True)
    assert getattr(index, "freq", None) == getattr(back, "freq", None)


def test_moments() -> None:
    """Timestamps keep unit, zone and fold; what is missing is missing; none of it is a datetime of Python's."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    twice = [pandas.Timestamp(f"2024-10-27 0{hour}:30", tz="UTC").tz_convert(berlin) for hour in (0, 1)]
    moments = [
        *twice, pandas.Timestamp("2024-01-01 00:00:00.123456789"), pandas.Timestamp("2024-01-01", tz="UTC").as_unit("s"),
        pandas.Timestamp("2024-01-01").replace(fold=1), pandas.Timedelta("1s").as_unit("ms"), pandas.Timedelta(-5),
        pandas.Period("2024-01"), pandas.Period("2024", freq="Y-MAR"), pandas.Interval(0, 1.5, "both"), datetime.datetime(2024, 1, 1),
    ]  # fmt: skip
    for moment in moments:
        back = there_and_back(moment)

        assert (type(moment), moment, repr(moment)) == (type(back), back, repr(back))
        assert (getattr(moment, "unit", 0), getattr(moment, "fold", 0)) == (
            getattr(back, "unit", 0),
            getattr(back, "fold", 0),
        )
    assert pandas.NaT is there_and_back(pandas.NaT)
    assert pandas.NA is there_and_back([pandas.NA])[0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.text(),
            st.floats(width=32),
            st.none() | st.booleans(),
        )
    )
)
def test_any_rows(rows: list[Any]) -> None:
    """Of any content, in all three libraries."""
    names = ["i", "s", "f", "b"]
    types = dict(zip(names, ["Int64", "string", "float32", "boolean"], strict=True))
    rows = [(i, None if s is None else s.encode("utf-8", "replace").decode(), f, b) for i, s, f, b in rows]
    columns = {name: pandas.array([row[at] for row in rows], dtype=types[name]) for at, name in enumerate(names)}
    frame = pandas.DataFrame(columns)
    pandas.testing.assert_frame_equal(frame, there_and_back(frame))
    schema = {"i": polars.Int64, "s": polars.String, "f": polars.Float32, "b": polars.Boolean}
    other = polars.DataFrame(rows, schema=schema, orient="row")
    assert other.equals(there_and_back(other))
    table = other.to_arrow()
    assert table.schema == there_and_back(table).schema
    assert other.equals(polars.from_arrow(there_and_back(table)))


def test_polars() -> None:
    """Frames and series with nested and categorical columns; a plan is no value."""
    frame = polars.DataFrame(
        {
            "n": [1, None],
            "l": [[1], [2, 3]],
            "s": [{"a": 1}, {"a": 2}],
            "d": [datetime.date(2024, 1, 1), None],
            "z": [1.0, float("nan")],
        }
    ).with_columns(
        polars.Series("c", ["x", "y"]).cast(polars.Categorical),
        polars.Series("e", ["a", "b"], dtype=polars.Enum(["b", "a"])),
    )
    back = there_and_back(frame)

    assert frame.equals(back)
    assert frame.schema == back.schema
    series = polars.Series("named", [1, None, 3])
    assert series.equals(there_and_back(series), check_names=True)
    halves = polars.concat([frame[:1], frame[1:]], rechunk=False)
    assert same_name(frame.drop("c"), halves.drop("c"))
    assert there_and_back(polars.DataFrame()).is_empty()
    with pytest.warns(UserWarning, match="collect it"):
        assert Opaque is type(InMemoryStore().commit(frame.lazy()).checkout())


def test_pyarrow() -> None:
    """Tables, batches, arrays, scalars, schemas and types; how a table is cut is not part of it."""
    table = pyarrow.table({"a": [1, None, 3], "s": ["x", None, "z"], "l": [[1], None, [2]]}, metadata={"k": "v"})
    twice = pyarrow.concat_tables([table, table])
    words = pyarrow.array(["a", "b", "a"]).dictionary_encode()
    for value in (
        table, twice.slice(1, 4), pyarrow.table({}), table.to_batches()[0], table["a"], table["s"].chunk(0), words,
        pyarrow.array([1, 2, 3]).slice(1), pyarrow.array([], pyarrow.string()), table.schema, pyarrow.struct({"a": pyarrow.int8()}),
        pyarrow.scalar(3), pyarrow.scalar(None, pyarrow.string()), pyarrow.chunked_array([], pyarrow.int8()),
    ):  # fmt: skip
        back = there_and_back(value)

        assert type(value) is type(back)
        assert value.equals(back)
    assert {b"k": b"v"} == there_and_back(table).schema.metadata
    assert same_name(twice, twice.combine_chunks())
