"""What tokens cost, by a table in the configuration: gv knows no prices of its own, for they change.

    [models.prices."gpt-4o-mini"]
    input = 0.15         dollars a million tokens
    output = 0.60

A name stands for the model of that name, asked for or answering, and for
dated versions of it: `gpt-4o-mini-2024-07-18`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gvstore.models.fault import BadModelSetting

_VERSION = re.compile(r"[-@](?:\d{4}-?\d{2}-?\d{2}|\d{3,6}|latest)")


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars a million tokens, of prompt and answer."""

    input: float = 0.0
    output: float = 0.0


class PriceTable:
    """Prices by model."""

    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        self._prices = dict(prices or {})

    def price(self, *names: str) -> Price | None:
        """Returns the price of the first of these models that has one."""
        for name in names:
            for known in (name, name.partition(":")[2]):
                if known in self._prices:
                    return self._prices[known]
                for start, price in self._prices.items():
                    if known.startswith(start) and _VERSION.fullmatch(known, len(start)):
                        return price
        return None

    def cost_microusd(self, prompt_tokens: int, completion_tokens: int, *names: str) -> int | None:
        """Returns the cost in millionths of a dollar, rounded up; None for a model without a price."""
        price = self.price(*names)
        if price is None:
            return None
        return math.ceil(round(prompt_tokens * price.input + completion_tokens * price.output, 6))


def prices_of(table: Mapping[str, object]) -> PriceTable:
    """Returns the price table that a table of the configuration spells.

    Raises:
        BadModelSetting: a row of it is none.
    """
    found = {}
    for name, row in table.items():
        setting = f'models.prices."{name}"'
        if not isinstance(row, Mapping) or not set(row) <= {"input", "output"}:
            raise BadModelSetting(setting, "is a table of input and output", hint="In dollars a million tokens: input = 0.15, output = 0.60.")
        for key, value in row.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value < 1e9:
                raise BadModelSetting(f"{setting}.{key}", f"is dollars a million tokens, not {value!r:.80}")
        found[str(name)] = Price(**{key: float(value) for key, value in row.items()})
    return PriceTable(found)
