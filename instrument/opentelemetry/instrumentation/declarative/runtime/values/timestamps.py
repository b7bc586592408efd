"""Times that the program provides, as OpenTelemetry takes them: one that cannot be exported fails a whole batch."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import number
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS

#: OTLP has 64 bits for a time, without a sign.
_LIMIT = 2**63
_iso = FUNCTIONS["iso"].call


def nanoseconds(value: Any) -> int | None:
    """Return a time in nanoseconds since the epoch: of a number, a ``datetime`` or an ISO 8601 time; None for None.

    Raises ValueError, TypeError or OverflowError if the value is none of these, or is out of range.
    """
    if value is None or (type(value) is int and 0 <= value < _LIMIT):
        return value
    found = number(value)
    time = int(_iso(value) if found is None else found)
    if not 0 <= time < _LIMIT:
        raise ValueError(f"{value!s:.40} is not a time in nanoseconds since 1970")
    return time
