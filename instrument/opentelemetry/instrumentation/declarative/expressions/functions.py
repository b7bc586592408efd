"""The pure functions that an expression may call.

Each takes values of the host and gives a new value; none changes anything. Given ``None`` where it needs a value, a
function gives ``None``, so that a missing field stays missing instead of becoming the text "None".
"""

from __future__ import annotations

import fnmatch
import hashlib
import json as _json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from datetime import datetime, timezone
from enum import Enum
from itertools import islice
from numbers import Number
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FRACTION = re.compile(r"[.,]([0-9]+)")

_GREATEST = 2**63 - 1
#: JSON is cut where a collection is longer than this, where it is nested deeper, and where all of it is larger.
MOST_ITEMS = 1_000
_DEEPEST = 8
MOST_VALUES = 10_000
#: No text that is put together is longer.
MOST_CHARACTERS = 10_000_000
CUT = "…"
#: No longer text is read as a number, or as a pattern.
_MOST_DIGITS = 4_000
_LONGEST_PATTERN = 1_000

#: Python's own: to walk through them calls nothing of the host.
_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})


def utf8(value: str) -> str:
    """The text as a plain ``str`` that UTF-8 can hold: a lone surrogate becomes a question mark."""
    value = str.__str__(value)
    if value.isascii():
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("utf-8")
    return value  # the very text: a list that holds it a thousand times does not become a thousand texts


def scalar(value: Any) -> str | int | float | bool | None:
    """A text, number or truth value as a plain one of the kind; None if it is anything else.

    What the host's own subclasses make of themselves is not asked. An integer over 64 bits becomes text.
    """
    kind = type(value)
    if kind is bool or kind is float:
        return value  # type: ignore[no-any-return]
    if issubclass(kind, str):
        return utf8(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        return number if -_GREATEST - 1 <= number <= _GREATEST else str(number)
    return float.__float__(value) if issubclass(kind, float) else None


def to_json(value: Any) -> str:
    """A value as JSON, whatever it is: what JSON does not know is told by its text, and what is too much is cut."""
    return _json.dumps(_Plain().of(value, 0), ensure_ascii=False)


class _Plain:
    """A value as JSON has it. Bounded in depth, length and size, so that every cycle ends soon."""

    def __init__(self) -> None:
        self._left = MOST_VALUES
        self._room = MOST_CHARACTERS

    def of(self, value: Any, depth: int) -> Any:
        found = self._of(value, depth)
        return self._text(found) if type(found) is str else found

    def _text(self, value: str) -> str:
        """A text, cut where all texts together are too long: a large one may stand there a thousand times."""
        room = self._room
        self._room = max(0, room - len(value))
        return value if len(value) <= room else value[:room] + CUT

    def _of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, Enum):
            value = value.value
        found = scalar(value)
        if found is not None or value is None:
            return found if type(found) is not float or math.isfinite(found) else str(found)
        if depth >= _DEEPEST or self._left <= 0:
            return CUT
        if isinstance(value, Mapping):
            entries = {
                self._text(readable_text(key)): self.of(entry, depth + 1) for key, entry in self._first(value.items())
            }
            return entries if len(entries) >= len(value) else {**entries, CUT: CUT}
        if isinstance(value, (list, tuple, set, frozenset)):
            items = [self.of(entry, depth + 1) for entry in self._first(value)]
            return items if len(items) >= len(value) else [*items, CUT]
        return readable_text(value)

    def _first(self, values: Any) -> Iterator[Any]:
        return (value for value in islice(values, MOST_ITEMS) if self._left > 0)


def readable_text(value: Any) -> str:
    """The text of anything; bytes are read as UTF-8. Never raises."""
    try:
        if isinstance(value, (bytes, bytearray)):
            return value.decode("utf-8", "replace")
        return utf8(bounded_text(value))
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def bounded_text(value: Any) -> str:
    """``str(value)``; of a collection that Python would write out without end, its JSON, which is cut."""
    left = MOST_VALUES
    waiting: list[Any] = [value] if type(value) in _CONTAINERS else []
    while waiting:
        inner = waiting.pop()
        if type(inner) is str:
            left -= len(inner) // MOST_ITEMS
        elif type(inner) in _CONTAINERS:
            left -= len(inner)
            if left >= 0:
                waiting += (*inner, *inner.values()) if type(inner) is dict else inner
        if left < 0:
            return to_json(value)
    return str(value)


def _length(value: Sized | None) -> int | None:
    return None if value is None else len(value)


def _str(value: Any) -> str | None:
    return None if value is None else bounded_text(value)


def _int(value: Any) -> int | None:
    if isinstance(value, (str, bytes, bytearray)) and len(value) > _MOST_DIGITS:
        raise ValueError(f"a text of {len(value)} characters is no number")  # Python 3.10 would try, for hours
    if isinstance(value, Number) and not isinstance(value, (int, float)) and not math.isfinite(float(value)):  # type: ignore[arg-type]
        raise OverflowError("a number too large to be written out")  # Decimal("1e999999999") is short
    return None if value is None else int(value)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _type_name(value: Any) -> str | None:
    return None if value is None else type(value).__name__


def _to_json(value: Any) -> str | None:
    return None if value is None else to_json(value)


def _iso(value: str | datetime | None) -> int | None:
    """Nanoseconds since the epoch of an ISO 8601 time (``2026-11-22T10:00:00Z``); a time without a zone is UTC."""
    if value is None or value == "":
        return None
    nanoseconds = 0
    if isinstance(value, datetime):
        moment = value
    else:
        # Python 3.10 reads neither a Z nor every number of digits, and none reads nanoseconds.
        written = str.strip(value)
        written = f"{written[:-1]}+00:00" if written[-1:] in ("Z", "z") else written
        if fraction := _FRACTION.search(written):
            nanoseconds = int(fraction[1][:9].ljust(9, "0"))
            written = written[: fraction.start()] + written[fraction.end() :]
        moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    passed = moment - _EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000 + nanoseconds


def _starts_with(value: str | None, *beginnings: str) -> bool:
    return value is not None and str.startswith(value, beginnings)


def _ends_with(value: str | None, *endings: str) -> bool:
    return value is not None and str.endswith(value, endings)


def _lower(value: str | None) -> str | None:
    return None if value is None else str.lower(value)


def _upper(value: str | None) -> str | None:
    return None if value is None else str.upper(value)


def _truncate(value: Any, length: int | None) -> str | None:
    """The first ``length`` characters of the value's text."""
    return None if value is None or length is None else bounded_text(value)[: max(length, 0)]


def _sha256(value: Any) -> str | None:
    """The SHA-256 of the value's text, in hexadecimal."""
    return (
        None if value is None else hashlib.sha256(bounded_text(value).encode("utf-8", "backslashreplace")).hexdigest()
    )


def cut_content(value: Any, length: int) -> str | None:
    """The beginning of the text as which content would be recorded."""
    return None if value is None else _recorded(value)[:length]


def hashed_content(value: Any) -> str | None:
    """The SHA-256 of the text as which content would be recorded: equal contents can still be found."""
    return None if value is None else hashlib.sha256(_recorded(value).encode()).hexdigest()


def _recorded(value: Any) -> str:
    value = value.value if isinstance(value, Enum) else value
    collects = isinstance(value, (Mapping, list, tuple, set, frozenset))
    return to_json(value) if collects else readable_text(scalar(value) if isinstance(value, str) else value)


def _like(value: str | None, pattern: str) -> bool:
    """Whether the whole text fits a shell pattern: ``*``, ``?``, ``[a-f]``."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError("the pattern is too long")
    return value is not None and fnmatch.fnmatchcase(value, pattern)


def _is_a(value: Any, *names: str) -> bool:
    """Whether the value's class or one of its bases has one of these names."""
    return any(base.__name__ in names for base in type(value).__mro__)


#: name in an expression -> (function, least number of arguments, greatest number or None)
FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int | None]] = {
    "bool": (bool, 1, 1),
    "ends_with": (_ends_with, 2, None),
    "float": (_float, 1, 1),
    "int": (_int, 1, 1),
    "is_a": (_is_a, 2, None),
    "iso": (_iso, 1, 1),
    "json": (_to_json, 1, 1),
    "len": (_length, 1, 1),
    "like": (_like, 2, 2),
    "lower": (_lower, 1, 1),
    "sha256": (_sha256, 1, 1),
    "starts_with": (_starts_with, 2, None),
    "str": (_str, 1, 1),
    "truncate": (_truncate, 2, 2),
    "type_name": (_type_name, 1, 1),
    "upper": (_upper, 1, 1),
}
