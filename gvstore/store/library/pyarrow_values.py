"""pyarrow: tables, batches, arrays, scalars and schemas, as Arrow's IPC stream.

`[42, "pyarrow:NAME", bytes]`: a stream of one table; of an array, one column
named "" .  How a table is cut into chunks is not part of its value.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.expand import Expander

pyarrow: Any = sys.modules["pyarrow"]

_TABLES: Final = {"Table": pyarrow.Table, "RecordBatch": pyarrow.RecordBatch}
_COLUMN: Final = ""


def classify(type_: type) -> Expander | None:
    """Returns the expander of a type of pyarrow, or None."""
    if type_ in _TABLES.values():
        return lambda value: (number.TABLE, (f"pyarrow:{type_.__name__}", _stream(_table(value))))
    if type_ is pyarrow.ChunkedArray or issubclass(type_, pyarrow.Array):
        name = "ChunkedArray" if type_ is pyarrow.ChunkedArray else "Array"
        return lambda value: (number.TABLE, (f"pyarrow:{name}", _stream(pyarrow.table({_COLUMN: value}))))
    if issubclass(type_, pyarrow.Scalar):
        return lambda value: (number.TABLE, ("pyarrow:Scalar", _stream(_of_scalar(value))))
    if type_ is pyarrow.Schema:
        return lambda value: (number.TABLE, ("pyarrow:Schema", value.serialize().to_pybytes()))
    if issubclass(type_, pyarrow.DataType):
        return lambda value: (number.TABLE, ("pyarrow:DataType", _of_type(value)))
    return None


def _table(value: Any) -> Any:
    return pyarrow.Table.from_batches([value]) if isinstance(value, pyarrow.RecordBatch) else value


def _of_scalar(value: Any) -> Any:
    return pyarrow.table({_COLUMN: pyarrow.array([value], type=value.type)})


def _of_type(value: Any) -> bytes:
    return pyarrow.schema([(_COLUMN, value)]).serialize().to_pybytes()  # type: ignore[no-any-return]


def _stream(table: Any) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the value of a type of pyarrow."""
    kind = name.rpartition(":")[2]
    (data,) = parts
    if kind in ("Schema", "DataType"):
        schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(data))
        return schema if kind == "Schema" else schema.field(0).type
    with pyarrow.ipc.open_stream(data) as reader:
        table = reader.read_all()
    table.validate(full=True)
    if kind == "Table":
        return table
    if kind == "RecordBatch":
        return table.to_batches()[0] if table.to_batches() else pyarrow.RecordBatch.from_pylist([], schema=table.schema)
    column = table.column(0)
    if kind == "ChunkedArray":
        return column
    array = column.chunk(0) if column.num_chunks == 1 else pyarrow.array([], type=column.type)
    return array if kind == "Array" else array[0]
