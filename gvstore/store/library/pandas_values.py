"""pandas: frames, series, indexes, extension arrays and their scalars.

`[42, "pandas:NAME", ...]`.  A frame is its index, its columns and the arrays
of the columns; plain arrays are numpy's, the others stand here by what makes
them, in public terms of pandas.  The names are pandas' public ones, whatever
module a version keeps the class in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.expand import Expander, opaque

pandas: Any = sys.modules["pandas"]
numpy: Any = sys.modules["numpy"]

Parts = tuple[Any, ...]


def _index_of(value: Any) -> Parts:
    return _plain(value.array), value.name


def _range(value: Any) -> Parts:
    return value.start, value.stop, value.step, value.name


def _multi(value: Any) -> Parts:
    return (
        list(value.levels),
        [codes.to_numpy() if hasattr(codes, "to_numpy") else codes for codes in value.codes],
        list(value.names),
    )


def _dated(value: Any) -> Parts:
    """Of a DatetimeIndex, TimedeltaIndex: the array, its name, the step between its items as text."""
    return value.array, value.name, None if value.freq is None else value.freqstr


def _series(value: Any) -> Parts:
    return value.index, _plain(value.array), value.name, value.attrs, value.flags.allows_duplicate_labels


def _frame(value: Any) -> Parts:
    columns = [_plain(value.iloc[:, at].array) for at in range(value.shape[1])]
    return value.index, value.columns, columns, value.attrs, value.flags.allows_duplicate_labels


def _plain(array: Any) -> Any:
    return array.to_numpy() if type(array) is pandas.arrays.NumpyExtensionArray else array


def _zone(zone: Any) -> Any:
    """Returns a time zone, one of pytz by its name."""
    if type(zone).__module__.partition(".")[0] != "pytz":
        return zone
    if getattr(zone, "zone", None) is None:
        raise TypeError("a time zone without a name")
    return ("pytz", zone.zone)


def _zone_of(form: Any) -> Any:
    if isinstance(form, tuple):
        return sys.modules["pytz"].timezone(form[1])
    return form


def _clock(array: Any) -> Parts:
    return array.asi8, array.unit, _zone(getattr(array, "tz", None))


def _masked(array: Any) -> Parts:
    return array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=array.dtype.type(0)), array.isna()


def _text(array: Any) -> Parts:
    missing = array.dtype.na_value
    return array.dtype.storage, missing is not pandas.NA, array.to_numpy(dtype=object, na_value=None).tolist()


def _sparse(array: Any) -> Parts:
    return array.sp_values, array.sp_index.to_int_index().indices, len(array), array.fill_value, array.kind


def _length(value: Any) -> str:
    """Returns how long the periods of a value are, as text."""
    text: str = value.freqstr
    if pandas.PeriodDtype(text).freq != value.freq:
        raise TypeError("a frequency of the program's own")
    return text


def _stamp(value: Any) -> Parts:
    return value.asm8.astype("int64").item(), value.unit, _zone(value.tz), value.fold


_OUT: Final[dict[str, tuple[Any, Callable[[Any], Parts]]]] = {
    "DataFrame": (pandas.DataFrame, _frame),
    "Series": (pandas.Series, _series),
    "Index": (pandas.Index, _index_of),
    "RangeIndex": (pandas.RangeIndex, _range),
    "MultiIndex": (pandas.MultiIndex, _multi),
    "DatetimeIndex": (pandas.DatetimeIndex, _dated),
    "TimedeltaIndex": (pandas.TimedeltaIndex, _dated),
    "PeriodIndex": (pandas.PeriodIndex, _index_of),
    "IntervalIndex": (pandas.IntervalIndex, _index_of),
    "CategoricalIndex": (pandas.CategoricalIndex, _index_of),
    "Categorical": (pandas.Categorical, lambda v: (v.codes, v.categories, v.ordered)),
    "DatetimeArray": (pandas.arrays.DatetimeArray, _clock),
    "TimedeltaArray": (pandas.arrays.TimedeltaArray, _clock),
    "PeriodArray": (pandas.arrays.PeriodArray, lambda v: (v.asi8, _length(v))),
    "IntervalArray": (pandas.arrays.IntervalArray, lambda v: (v.left, v.right, v.closed)),
    "SparseArray": (pandas.arrays.SparseArray, _sparse),
    "IntegerArray": (pandas.arrays.IntegerArray, _masked),
    "FloatingArray": (pandas.arrays.FloatingArray, _masked),
    "BooleanArray": (pandas.arrays.BooleanArray, _masked),
    "StringArray": (pandas.arrays.StringArray, _text),
    "ArrowExtensionArray": (pandas.arrays.ArrowExtensionArray, lambda v: (v.__arrow_array__(),)),
    "Timestamp": (pandas.Timestamp, _stamp),
    "Timedelta": (pandas.Timedelta, lambda v: (v.asm8.astype("int64").item(), v.unit)),
    "Period": (pandas.Period, lambda v: (v.ordinal, _length(v))),
    "Interval": (pandas.Interval, lambda v: (v.left, v.right, v.closed)),
    "NaT": (type(pandas.NaT), lambda v: ()),
    "NA": (type(pandas.NA), lambda v: ()),
}
_KNOWN: Final = {cls: (f"pandas:{name}", parts) for name, (cls, parts) in _OUT.items()}


def classify(type_: type) -> Expander | None:
    """Returns the expander of a type of pandas, or None."""
    known = _KNOWN.get(type_)
    if known is None:
        if issubclass(type_, pandas.arrays.StringArray | _arrow_text()):
            known = ("pandas:StringArray", _text)
        elif issubclass(type_, pandas.Series | pandas.DataFrame | pandas.Index | pandas.api.extensions.ExtensionArray):
            return lambda value: opaque(value, "a subclass of a type of pandas")
        else:
            return None
    name, parts = known
    return lambda value: (number.TABLE, (name, *parts(value)))


def _arrow_text() -> Any:
    """Returns the array class of text kept by pyarrow, which is public only through its dtype."""
    try:
        return pandas.StringDtype("pyarrow").construct_array_type()
    except ImportError:
        return pandas.arrays.StringArray


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the value of a type of pandas."""
    return _IN[name.rpartition(":")[2]](*parts)


def _make_index(array: Any, name: Any) -> Any:
    return pandas.Index(array, dtype=array.dtype, name=name, copy=False, tupleize_cols=False)


def _make_dated(array: Any, name: Any, freq: Any) -> Any:
    made = pandas.Index(array, name=name)
    if freq is not None:
        made.freq = pandas.tseries.frequencies.to_offset(freq)
    return made


def _make_multi(levels: Any, codes: Any, names: Any) -> Any:
    return pandas.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=True)


def _column(array: Any, index: Any) -> Any:
    return pandas.Series(array, index=index, dtype=array.dtype, copy=False)


def _make_series(index: Any, array: Any, name: Any, attrs: Any, duplicates: bool) -> Any:
    made = _column(array, index)
    made.name = name
    return _dressed(made, attrs, duplicates=duplicates)


def _make_frame(index: Any, columns: Any, arrays: Any, attrs: Any, duplicates: bool) -> Any:
    made = pandas.DataFrame({at: _column(array, index) for at, array in enumerate(arrays)}, index=index, copy=False)
    made.columns = columns
    return _dressed(made, attrs, duplicates=duplicates)


def _dressed(made: Any, attrs: Any, *, duplicates: bool) -> Any:
    made.attrs = attrs
    if not duplicates:
        made.flags.allows_duplicate_labels = False
    return made


def _make_dates(ticks: Any, unit: str, zone: Any) -> Any:
    index = pandas.DatetimeIndex(ticks.view(f"M8[{unit}]"))
    return (index if zone is None else index.tz_localize("UTC").tz_convert(_zone_of(zone))).array


def _make_stamp(ticks: int, unit: str, zone: Any, fold: int) -> Any:
    made = pandas.Timestamp(numpy.datetime64(ticks, unit))
    if zone is not None:
        return made.tz_localize("UTC").tz_convert(_zone_of(zone))
    return made.replace(fold=fold) if fold else made


def _make_delta(ticks: int, unit: str) -> Any:
    return pandas.Timedelta(numpy.timedelta64(ticks, unit))


def _make_categorical(codes: Any, categories: Any, ordered: bool) -> Any:
    return pandas.Categorical.from_codes(codes, dtype=pandas.CategoricalDtype(categories, ordered))


def _make_text(storage: str, nan: bool, texts: list[Any]) -> Any:
    dtype = pandas.StringDtype(storage, na_value=float("nan")) if nan else pandas.StringDtype(storage)
    return pandas.array(texts, dtype=dtype)


def _make_sparse(values: Any, indices: Any, length: int, fill: Any, kind: str) -> Any:
    array = pandas.arrays.SparseArray
    if hasattr(array, "from_indices"):
        return array.from_indices(values, indices, length, fill, kind, values.dtype)
    index = type(array([0], kind="integer").sp_index)(length, indices)
    return array(values, sparse_index=index if kind == "integer" else index.to_block_index(), fill_value=fill)


_IN: Final[dict[str, Callable[..., Any]]] = {
    "DataFrame": _make_frame,
    "Series": _make_series,
    "Index": _make_index,
    "RangeIndex": lambda start, stop, step, name: pandas.RangeIndex(start, stop, step, name=name),
    "MultiIndex": _make_multi,
    "DatetimeIndex": _make_dated,
    "TimedeltaIndex": _make_dated,
    "PeriodIndex": lambda array, name: pandas.Index(array, name=name),
    "IntervalIndex": lambda array, name: pandas.Index(array, name=name),
    "CategoricalIndex": lambda array, name: pandas.Index(array, name=name),
    "Categorical": _make_categorical,
    "DatetimeArray": _make_dates,
    "TimedeltaArray": lambda ticks, unit, zone: pandas.TimedeltaIndex(ticks.view(f"m8[{unit}]")).array,
    "PeriodArray": lambda ordinals, freq: pandas.PeriodIndex.from_ordinals(ordinals, freq=freq).array,
    "IntervalArray": lambda left, right, closed: pandas.arrays.IntervalArray.from_arrays(left, right, closed),
    "SparseArray": _make_sparse,
    "IntegerArray": lambda values, mask: pandas.arrays.IntegerArray(values, mask),
    "FloatingArray": lambda values, mask: pandas.arrays.FloatingArray(values, mask),
    "BooleanArray": lambda values, mask: pandas.arrays.BooleanArray(values, mask),
    "StringArray": _make_text,
    "ArrowExtensionArray": lambda array: pandas.arrays.ArrowExtensionArray(array),
    "Timestamp": _make_stamp,
    "Timedelta": _make_delta,
    "Period": lambda ordinal, freq: pandas.Period(ordinal=ordinal, freq=freq),
    "Interval": lambda left, right, closed: pandas.Interval(left, right, closed),
    "NaT": lambda: pandas.NaT,
    "NA": lambda: pandas.NA,
}  # fmt: skip
