"""Conversions of the program's values to plain and bounded ones: scalars, JSON, and text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS, MAX_VALUES

_MAX_DEPTH = 8
#: The most characters of a text that is built.
MAX_CHARACTERS = 10_000_000
#: Replaces what is cut off.
ELLIPSIS = "…"

_MAX_INT = 2**63 - 1
#: Stands for a description that is content and is not recorded.
WITHHELD = object()
#: Built-in types: to iterate over them runs no code of the program.
_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})


def utf8(value: str) -> str:
    """The text as a ``str`` that can be encoded as UTF-8: a lone surrogate becomes a question mark."""
    value = str.__str__(value)
    if value.isascii():
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("utf-8")
    return value  # not a copy: a list may have the same text a thousand times


def scalar(value: Any) -> str | int | float | bool | None:
    """A string, number or boolean as an instance of the built-in type; None for any other value.

    Methods of subclasses are not called. An integer that needs more than 64 bits becomes text.
    """
    kind = type(value)
    if kind is bool or kind is float:
        return value  # type: ignore[no-any-return]
    if issubclass(kind, str):
        return utf8(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        return number if -_MAX_INT - 1 <= number <= _MAX_INT else str(number)
    return float.__float__(value) if issubclass(kind, float) else None


def number(value: Any) -> int | float | None:
    """The number as which a value is recorded; None if it is not recorded as a number."""
    found = scalar(plain(value))
    return found if isinstance(found, (int, float)) else None


def to_json(value: Any) -> str:
    """Any value as JSON: each value in it as it is recorded. What is too large is cut."""
    is_plain_text = type(value) is str and len(value) <= MAX_CHARACTERS and value.isascii()
    return json.dumps(value if is_plain_text else _JsonConverter().convert(value, 0), ensure_ascii=False)


def to_plain(value: Any) -> Any:
    """Any value as scalars, lists and dictionaries: each value in it as it is recorded. What is too large is cut."""
    return _JsonConverter().convert(value, 0)


class _JsonConverter:
    """Converts a value for JSON. Bounded in depth, length and size, so that cycles end soon."""

    def __init__(self) -> None:
        self._values_left = MAX_VALUES
        self._characters_left = MAX_CHARACTERS

    def convert(self, value: Any, depth: int) -> Any:
        found = self._convert(value, depth)
        return self._text(found) if type(found) is str else found

    def _text(self, value: str) -> str:
        """A text, cut if all texts together are too long: the same large one may occur a thousand times."""
        left = self._characters_left
        self._characters_left = max(0, left - len(value))
        return value if len(value) <= left else value[:left] + ELLIPSIS

    def _convert(self, value: Any, depth: int) -> Any:
        self._values_left -= 1
        try:
            value = plain(value)
        except Exception:
            return unreadable(value)
        found = scalar(value)
        if found is not None or value is None:
            return found if type(found) is not float or math.isfinite(found) else str(found)
        if depth >= _MAX_DEPTH or self._values_left <= 0:
            return ELLIPSIS
        if isinstance(value, dict):
            entries = {
                self._text(readable_text(key)): self.convert(entry, depth + 1)
                for key, entry in self._first(dict.items(value))
            }
            return entries if len(entries) >= dict.__len__(value) else {**entries, ELLIPSIS: ELLIPSIS}
        converted = [self.convert(entry, depth + 1) for entry in self._first(items(value))]
        return converted if len(converted) >= length(value) else [*converted, ELLIPSIS]

    def _first(self, values: Any) -> Iterator[Any]:
        return (value for value in islice(values, MAX_ITEMS) if self._values_left > 0)


def items(value: Any) -> Iterator[Any]:
    """The items of a list or tuple. Methods of subclasses are not called."""
    return list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)


def length(value: Any) -> int:
    """The length of a list or tuple. Methods of subclasses are not called."""
    return list.__len__(value) if isinstance(value, list) else tuple.__len__(value)


def unreadable(value: Any) -> str:
    """What is recorded for a value that raises when it is read."""
    return f"<{type(value).__name__} that cannot be shown>"


def readable_text(value: Any) -> str:
    """The text as which a value is recorded, and as which it is a part of a name. Never raises."""
    return str(None) if (found := text_or_none(value)) is None else found


def text_or_none(value: Any) -> str | None:
    """The same; None if nothing is recorded for the value."""
    try:
        found = plain(value)
        if found is None:
            return None
        if isinstance(found, float) and isinstance(value, Decimal):
            return str(value)  # with all of its digits
        if isinstance(found, (list, tuple, dict)):
            return to_json(found)
        return utf8(found) if isinstance(found, str) else str(found)
    except Exception:
        return unreadable(value)


def bounded_text(value: Any) -> str:
    """``str(value)``; for bytes the text in UTF-8, and for a collection whose text would be too long JSON, cut."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    left = MAX_VALUES
    remaining: list[Any] = [value] if type(value) in _CONTAINERS else []
    while remaining:
        inner = remaining.pop()
        if type(inner) is str:
            left -= len(inner) // MAX_ITEMS
        elif type(inner) in _CONTAINERS:
            left -= len(inner)
            if left >= 0:
                remaining += (*inner, *inner.values()) if type(inner) is dict else inner
        if left < 0:
            return to_json(value)
    return str(value)


def cut_content(value: Any, length: int) -> str | None:
    """The first characters of the text as which content is recorded."""
    text = text_or_none(value)
    return None if text is None else text[:length]


def hashed_content(value: Any) -> str | None:
    """The SHA-256 of the text as which content is recorded, so that equal contents can be found."""
    text = text_or_none(value)
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def content_description(value: Any, recorded: bool, length: int | None, hashed: bool) -> Any:
    """The description of a status that is content: withheld, cut or hashed. None and booleans have no text."""
    if value is None or isinstance(value, bool):
        return value
    if not recorded:
        return WITHHELD
    return hashed_content(value) if hashed else value if length is None else cut_content(value, length)
