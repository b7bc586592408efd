"""Times and durations in text."""

from __future__ import annotations

from datetime import datetime, timezone

_SECOND = 1_000_000_000


def duration_text(nanoseconds: int) -> str:
    """A duration in the unit that fits: ``0.15 ms``, ``12.3 s``, ``1:02:03``."""
    if nanoseconds < 10 * _SECOND:
        return f"{nanoseconds / 1e6:,.2f} ms" if nanoseconds < _SECOND else f"{nanoseconds / 1e9:.3f} s"
    if nanoseconds < 600 * _SECOND:
        return f"{nanoseconds / 1e9:.1f} s"
    seconds = nanoseconds // _SECOND
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def offset_text(nanoseconds: int) -> str:
    """The time since the start of a recording."""
    if abs(nanoseconds) < 600 * _SECOND:
        return f"{nanoseconds / 1e9:+.4f} s"
    size = abs(nanoseconds)
    return f"{'-' if nanoseconds < 0 else '+'}{duration_text(size)}.{size // 1_000_000 % 1000:03}"


def date_text(nanoseconds: int) -> str:
    """A time in UTC; empty if there is no such date."""
    try:
        return datetime.fromtimestamp(nanoseconds // _SECOND, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return ""


def parse_time(text: str, start: int) -> int:
    """A time in nanoseconds: an ISO 8601 time, or an offset from the start such as ``1.5s`` or ``200ms``.

    Raises ValueError.
    """
    for unit, size in (("ms", 1_000_000), ("s", _SECOND), ("m", 60 * _SECOND), ("h", 3600 * _SECOND)):
        number = text.removeprefix("+").removesuffix(unit)
        if text.endswith(unit) and number.replace(".", "", 1).isdecimal():
            return start + int(float(number) * size)
    try:
        time = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time. Write it in ISO 8601, or as an offset such as 1.5s or 10m") from None
    time = time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)
    return int(time.timestamp() * 1_000_000) * 1000
