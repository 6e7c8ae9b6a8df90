"""torch: tensors and parameters, as their numbers.

`[41, "torch:Tensor", dtype, shape, device, requires a gradient, bytes]`, the bytes in C order, little
endian.  What led to a tensor (its graph) is no part of its value; sparse and
quantized tensors are opaque.  A tensor comes back on its device, or not at all.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion, opaque

torch: Any = sys.modules["torch"]

_KINDS: Final = {"Tensor": torch.Tensor, "Parameter": torch.nn.Parameter}
_NAMES: Final = {cls: name for name, cls in _KINDS.items()}


def classify(type_: type) -> Expander | None:
    """Returns the expander of a type of torch, or None."""
    if type_ in _NAMES:
        return _tensor
    if issubclass(type_, torch.dtype):
        return lambda value: (number.ARRAY, ("torch:dtype", str(value)))
    if issubclass(type_, torch.device):
        return lambda value: (number.ARRAY, ("torch:device", str(value)))
    return None


def _tensor(value: Any) -> Expansion:
    if value.layout is not torch.strided or value.is_quantized:
        return opaque(value, "a sparse or quantized tensor")
    flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return number.ARRAY, (
        f"torch:{_NAMES[type(value)]}", str(value.dtype), list(value.shape), str(value.device), value.requires_grad, data,
    )  # fmt: skip


def _dtype(name: str) -> Any:
    found = getattr(torch, name.removeprefix("torch."))
    if not isinstance(found, torch.dtype):
        raise TypeError(f"{name} is no dtype")
    return found


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the tensor, dtype or device."""
    kind = name.rpartition(":")[2]
    if kind == "dtype":
        return _dtype(parts[0])
    if kind == "device":
        return torch.device(parts[0])
    dtype, shape, device, gradient, data = parts
    made = torch.empty(0, dtype=_dtype(dtype))
    if len(data) != math.prod(shape) * made.element_size():
        raise ValueError("other bytes than the shape needs")
    if data:
        made = torch.frombuffer(bytearray(data), dtype=torch.uint8).view(_dtype(dtype))
    made = made.reshape(shape).to(device)
    if kind == "Parameter":
        return torch.nn.Parameter(made, requires_grad=gradient)
    return made.requires_grad_(gradient)
