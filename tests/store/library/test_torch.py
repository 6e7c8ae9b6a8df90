"""Tensors come back with dtype, shape, bits, device and whether they want a gradient."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from gvstore.objects.placeholder import Unresolved
from gvstore.objects.value import get_value, put_value
from gvstore.odb import MemoryDatabase
from tests.store.library import torch_like
from tests.store.library.trip import same_name, there_and_back


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """torch, or what stands for it."""
    if importlib.util.find_spec("torch") is not None:
        yield importlib.import_module("torch")
        return
    stand_in = torch_like.module()
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    yield stand_in
    sys.modules.pop("gvstore.store.library.torch_values", None)


def test_tensors(torch: Any) -> None:
    """Of every dtype and shape."""
    for name in ("uint8", "int16", "int64", "float16", "float32", "float64", "bool", "complex64"):
        for values in ([[1, 0], [0, 1]], [], 1, [[[1]]]):
            made = torch.tensor(values, dtype=getattr(torch, name))
            back = there_and_back(made)

            assert (type(made), str(made.dtype), tuple(made.shape)) == (type(back), str(back.dtype), tuple(back.shape))
            assert made.tolist() == back.tolist()
            assert (made.requires_grad, str(made.device)) == (back.requires_grad, str(back.device))


def test_what_numpy_has_no_word_for(torch: Any) -> None:
    """bfloat16 keeps its bits; views that are not contiguous are as their numbers."""
    half = torch.frombuffer(bytearray(b"\x80\x3f\xc0\x7f"), dtype=torch.uint8).view(torch.bfloat16)
    back = there_and_back(half)

    assert ("torch.bfloat16", (2,)) == (str(back.dtype), tuple(back.shape))
    assert half.view(torch.uint8).tolist() == back.view(torch.uint8).tolist()


def test_gradients_and_parameters(torch: Any) -> None:
    """A parameter is one; wanting a gradient is part of the value."""
    plain = torch.tensor([1.0, 2.0], dtype=torch.float32)
    wanting = torch.tensor([1.0, 2.0], dtype=torch.float32, requires_grad=True)

    assert there_and_back(wanting).requires_grad
    assert not same_name(plain, wanting)
    for gradient in (True, False):
        back = there_and_back(torch.nn.Parameter(plain, requires_grad=gradient))

        assert torch.nn.Parameter is type(back)
        assert gradient == back.requires_grad
    assert torch.float32 is there_and_back(torch.float32)
    assert torch.device("cpu") == there_and_back(torch.device("cpu"))


def test_what_cannot_be_made_here_is_a_placeholder(torch: Any) -> None:
    """Another size, a device that is not there, no dtype."""
    objects = MemoryDatabase()
    for parts in (
        ("torch.float32", [1 << 40], "cpu", False, b"1234"),
        ("torch.float32", [1], "nonesuch:7", False, b"1234"),
        ("torch.nn", [1], "cpu", False, b"1234"),
    ):
        back = get_value(objects, put_value(objects, Unresolved(41, "torch:Tensor", parts)))

        assert Unresolved is type(back)
