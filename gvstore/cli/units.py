"""Numbers as people read them: `3 calls`, `1.4 s`, `60.0 MB`, `2026-11-20 10:02:11`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count(number: int, singular: str, plural: str = "") -> str:
    """Returns `1 file`, `2 files`, `1,200 calls`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def duration(us: int) -> str:
    """Returns a duration of microseconds in the unit that suits it."""
    if 0 < us < 1000:
        return f"{us} µs"
    if us < 1_000_000:
        return f"{us / 1000:.0f} ms"
    seconds = us / 1_000_000
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def size(size_bytes: int) -> str:
    """Returns bytes with a decimal prefix."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def moment(us: int) -> datetime:
    """Returns the aware UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


def local(time: datetime) -> str:
    """Returns a time in the user's zone, to the second."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
