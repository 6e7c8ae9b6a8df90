"""Times as users type them in `main@{...}`: RFC 3339, `yesterday`, `2 hours ago`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2629800, "year": 31557600}
_WORDS_S = {"now": 0, "today": 0, "yesterday": 86400}
_AGO = re.compile(r"(\d{1,9})\s*([a-z]+?)s?(?:\s+ago)?", re.ASCII)


def parse_moment(text: str, now: int) -> int | None:
    """Returns the microseconds since 1970 UTC that `text` stands for, seen from `now`; None where it is no time."""
    plain = " ".join(text.lower().replace(".", " ").split()) if "T" not in text and ":" not in text else text.strip()
    if plain in _WORDS_S:
        return now - _WORDS_S[plain] * 1_000_000
    found = _AGO.fullmatch(plain)
    if found and found.group(2) in _UNITS_S:
        return now - int(found.group(1)) * _UNITS_S[found.group(2)] * 1_000_000
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
