"""The bytes of docs/format/libraries.md stand still."""

# The libraries may be absent where types are checked, so that their classes are Any.
# mypy: disable-error-code="call-arg"

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from gvstore.objects.encode import Encoder
from gvstore.odb import MemoryDatabase
from gvstore.store.ref import Ref
from tests.store.program import Box, Counter

numpy: Any = pytest.importorskip("numpy")
pandas: Any = pytest.importorskip("pandas")
Image: Any = pytest.importorskip("PIL.Image")
pytest.importorskip("pydantic")
pytest.importorskip("attrs")

from tests.store.library.test_models import Answer, Key  # noqa: E402 - needs the libraries

GOLDEN = [
    (
        numpy.array([[1, 2], [3, 4]], ">i2", order="F"),
        "9629ad6e756d70793a6e646172726179a33e693293010202a146c4080001000300020004",
    ),
    (numpy.float32(1.5), "9629ad6e756d70793a666c6f61743332a33c6634c0c0c4040000c03f"),
    (numpy.str_("x\0"), "9629aa6e756d70793a7374725fc0c0c0a27800"),
    (
        numpy.array([(1, b"x")], [("a", "u1"), ("b", "S2")]),
        "9629ad6e756d70793a6e6461727261799500a66669656c647303c293009400a161a37c7531009400a162a37c533201920101a1439300c40101c4027800",
    ),
    (numpy.array([None, "a"], object), "9629ad6e756d70793a6e646172726179a27c4f920102a1439300c0a161"),
    (pandas.RangeIndex(3), "962ab170616e6461733a52616e6765496e646578000301c0"),
    (
        pandas.Series(pandas.array([1, None], "Int8"), name="n"),
        "972aad70616e6461733a536572696573962ab170616e6461733a52616e6765496e646578000201c0942ab370616e6461733a496e746567657241727261799629ad6e756d70793a6e646172726179a37c6931920102a143c40201009629ad6e756d70793a6e646172726179a37c6231920102a143c4020001a16e9102c3",
    ),
    (pandas.Timestamp(5, unit="s", tz="UTC").as_unit("s"), "962ab070616e6461733a54696d657374616d7005a173931900c000"),
    (Image.new("L", (2, 1), 7), "992ba950494c3a496d616765a14c0201c0c09102c4020707"),
    (
        Answer[int](value=1),
        "972cd92674657374732e73746f72652e6c6962726172792e746573745f6d6f64656c733a416e737765729201920dac6275696c74696e733a696e749702a576616c756501a4746167739103a57768657265c09200a576616c75659102c0",
    ),
    (
        Key("a"),
        "962dd92374657374732e73746f72652e6c6962726172792e746573745f6d6f64656c733a4b6579a46e616d65a161a46b696e64a5706c61696e",
    ),
    (logging.getLogger("a.b"), "942eae6c6f6767696e673a4c6f67676572a46e616d65a3612e62"),
    (threading.Lock(), "922eae746872656164696e673a4c6f636b"),
    (Counter(3), "9428d92274657374732e73746f72652e70726f6772616d3a436f756e74657257726170706572a5636f756e7403"),
    (
        Box(Box(1)),
        "9428be74657374732e73746f72652e70726f6772616d3a426f7857726170706572a7636f6e74656e749428be74657374732e73746f72652e70726f6772616d3a426f7857726170706572a7636f6e74656e7401",
    ),
    (Ref("any text"), "9428b5677673746f72652e73746f72652e7265663a526566a6646967657374a8616e792074657874"),
]


@pytest.mark.parametrize(("value", "expected"), GOLDEN, ids=[type(value).__name__ for value, _ in GOLDEN])
def test_the_bytes_stand_still(value: Any, expected: str) -> None:
    """Every later version writes them alike."""
    data = Encoder(MemoryDatabase()).encode(value)

    assert expected == data.hex()
    assert 40 <= data[1] <= 46
