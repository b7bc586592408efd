"""Functions of expressions on texts."""

from __future__ import annotations

import fnmatch
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import bounded_text, text_or_none
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.operators import text as joined_text
from opentelemetry.instrumentation.declarative.expressions.sequences import items_of

_MAX_PATTERN_LENGTH = 1_000


def starts_with(value: Any, *beginnings: str) -> bool:
    if type(value) is str:
        return value.startswith(beginnings)
    return value is not None and str.startswith(decoded_text(value), beginnings)


def ends_with(value: Any, *endings: str) -> bool:
    return value is not None and str.endswith(decoded_text(value), endings)


def lower(value: Any) -> str | None:
    return None if value is None else str.lower(decoded_text(value))


def upper(value: Any) -> str | None:
    return None if value is None else str.upper(decoded_text(value))


def strip(value: Any, characters: str | None = None) -> str | None:
    return None if value is None else str.strip(decoded_text(value), characters)


def title(value: Any) -> str | None:
    return None if value is None else str.title(decoded_text(value))


def split(value: Any, separator: str | None = None) -> list[str] | None:
    return None if value is None else str.split(decoded_text(value), separator, MAX_ITEMS)[:MAX_ITEMS]


def join(value: Any, separator: str) -> str | None:
    if value is None:
        return None
    parts = [each for item in items_of(value) if item is not None for each in (separator, item)]
    return joined_text(*parts[1:])


def decoded_text(value: Any) -> Any:
    """The text in bytes; any other value unchanged."""
    return bounded_text(value) if isinstance(value, (bytes, bytearray)) else value


def truncate(value: Any, length: int | None) -> str | None:
    text = text_or_none(value)
    return None if text is None or length is None else text[: max(length, 0)]


def like(value: Any, pattern: str) -> bool:
    if len(pattern) > _MAX_PATTERN_LENGTH:
        raise ValueError("the pattern is too long")
    return value is not None and fnmatch.fnmatchcase(decoded_text(value), pattern)
