"""Reads the fields of records, which may contain anything."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_HEX = re.compile("[0-9a-f]+")
KINDS = ("internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
#: Sizes of ids in bytes.
TRACE_ID, SPAN_ID = 16, 8


class FormatError(ValueError):
    """A record is not a span. The message completes a sentence that starts with the line."""


def span_id_of(value: Any, size: int) -> str:
    """An id in hexadecimal, even if it is in Base64, as some exporters write it. Raises FormatError."""
    text = str(value or "").removeprefix("0x").lower()
    if len(text) == 2 * size and _HEX.fullmatch(text):
        return text
    try:
        decoded = base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != size:
        raise FormatError(f"has no {'trace' if size == TRACE_ID else 'span'} id of {2 * size} hexadecimal digits")
    return decoded.hex()


def optional_id(value: Any, size: int) -> str | None:
    """The same for a parent: None if there is none."""
    if not value or not str(value).strip("0"):
        return None
    return span_id_of(value, size)


def iso_time(value: Any) -> int | None:
    """A time such as ``2026-01-02T03:04:05.678901Z`` in nanoseconds since 1970. Raises FormatError."""
    if value is None or value == "":
        return None
    text = str(value)
    try:
        time = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
        time = time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)
        return (time - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        raise FormatError(f"has the time {text[:40]!r}, which is not in ISO 8601") from None


def integer(value: Any) -> int:
    """An integer, which JSON of OTLP writes as a string. Raises FormatError."""
    try:
        return int(value or 0)
    except (TypeError, ValueError, OverflowError):
        raise FormatError(f"has {str(value)[:40]!r} in place of a number") from None


def one_of(value: Any, names: Collection[str], default: str) -> str:
    """A name of an enumeration, whatever its case."""
    name = str(value or "").lower()
    return name if name in names else default


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
