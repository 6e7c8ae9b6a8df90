"""A stand-in for torch where it is not installed: the few functions that the adapter calls, over numpy.

The real library is 200 MB and more; with it installed the same tests run
against it.  Names and behaviour are torch's.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy  # type: ignore[import-not-found,unused-ignore]

DTYPES = {
    "uint8": "u1", "int8": "i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float16": "<f2", "float32": "<f4",
    "float64": "<f8", "bool": "?", "complex64": "<c8", "bfloat16": "<u2",
}  # fmt: skip


class dtype:
    def __init__(self, name: str) -> None:
        self.name, self.numpy = name, numpy.dtype(DTYPES[name])

    def __str__(self) -> str:
        return f"torch.{self.name}"


class device:
    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and other.name == self.name

    __hash__ = None  # type: ignore[assignment]


class Tensor:
    layout = "strided"
    is_quantized = False

    def __init__(self, array: Any, kind: dtype, gradient: bool = False) -> None:
        self.array, self.dtype, self.requires_grad, self.device = array, kind, gradient, device("cpu")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    def _like(self, array: Any) -> Tensor:
        return Tensor(array, self.dtype)

    def detach(self) -> Tensor:
        return self._like(self.array)

    cpu = resolve_conj = resolve_neg = detach

    def contiguous(self) -> Tensor:
        return self._like(numpy.ascontiguousarray(self.array).reshape(self.shape))

    def reshape(self, shape: Any) -> Tensor:
        return self._like(self.array.reshape(shape))

    def to(self, where: str) -> Tensor:
        if where != "cpu":
            raise RuntimeError(f"no {where} here")
        return self

    def view(self, kind: dtype) -> Tensor:
        return Tensor(self.array.view(kind.numpy), kind)

    def numel(self) -> int:
        return int(self.array.size)

    def element_size(self) -> int:
        return int(self.array.itemsize)

    def numpy(self) -> Any:
        return self.array

    def tolist(self) -> Any:
        return self.array.tolist()

    def requires_grad_(self, gradient: bool) -> Tensor:
        self.requires_grad = gradient
        return self


class Parameter(Tensor):
    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        super().__init__(data.array, data.dtype, requires_grad)


def empty(count: int, dtype: dtype) -> Tensor:
    return Tensor(numpy.empty(count, dtype.numpy), dtype)


def frombuffer(data: bytearray, dtype: dtype) -> Tensor:
    return Tensor(numpy.frombuffer(data, dtype.numpy), dtype)


def tensor(values: Any, dtype: dtype, requires_grad: bool = False) -> Tensor:
    return Tensor(numpy.array(values, dtype.numpy), dtype, requires_grad)


def module() -> Any:
    """Returns the module that stands for torch."""
    made: Any = types.ModuleType("torch")
    here = sys.modules[__name__]
    for name in ("dtype", "device", "Tensor", "empty", "frombuffer", "tensor"):
        setattr(made, name, getattr(here, name))
    for each in (dtype, device, Tensor, Parameter):
        each.__module__ = "torch"
    made.nn = types.SimpleNamespace(Parameter=Parameter)
    made.strided = "strided"
    for name in DTYPES:
        setattr(made, name, dtype(name))
    return made
