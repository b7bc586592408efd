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
_MOST_VALUES = 10_000
_CUT = "…"

_MAPPINGS = (dict, Mapping)  # a plain dict is known at once, which the abstract class would ponder

#: Names that a dict has of its own. A dot on a mapping reads the key before any of these.
MAPPING_NAMES = frozenset(name for name in dir(dict) if not name.startswith("_"))


def dot(value: Any, name: str) -> Any:
    """What ``value.name`` means in an expression: the attribute or, on a mapping, the key; None if neither is there."""
    if name in MAPPING_NAMES and isinstance(value, _MAPPINGS):
        return value.get(name)
    try:
        return getattr(value, name)
    except AttributeError:
        return value.get(name) if isinstance(value, _MAPPINGS) else None


def item(value: Any, key: Any) -> Any:
    """What ``value[key]`` means in an expression; None where there is no such item.

    A mapping is only asked: a ``defaultdict`` does not get a new entry by it.
    """
    try:
        return value.get(key) if isinstance(value, _MAPPINGS) else value[key]
    except (LookupError, TypeError):
        return None


def collection(value: Any) -> Any:
    """What stands behind ``in``. An iterator is refused: looking for something in it would use it up."""
    if isinstance(value, Iterator):
        raise TypeError(f"`in` would use up the {type(value).__name__}")
    return value


def text(*parts: Any) -> str:
    """An f-string's parts as one text."""
    return "".join(part if type(part) is str else str(part) for part in parts)


def multiply(left: Any, right: Any) -> Any:
    """``left * right`` of two numbers. A text or list is never repeated: that could fill the memory."""
    return _number(left) * _number(right)


def remainder(left: Any, right: Any) -> Any:
    """``left % right`` of two numbers. A text is never formatted."""
    return _number(left) % _number(right)


def _number(value: Any) -> Any:
    if isinstance(value, (int, float, Number)):
        return value
    raise TypeError(f"a number is needed here, not {type(value).__name__}")


def utf8(value: str) -> str:
    """The text as a plain ``str`` that UTF-8 can hold: a lone surrogate becomes a question mark."""
    value = str.__str__(value)
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


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
        self._left = _MOST_VALUES

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, Enum):
            value = value.value
        found = scalar(value)
        if found is not None or value is None:
            return found if type(found) is not float or math.isfinite(found) else str(found)
        if depth >= _DEEPEST or self._left <= 0:
            return _CUT
        if isinstance(value, Mapping):
            entries = {readable_text(key): self.of(entry, depth + 1) for key, entry in self._first(value.items())}
            return entries if len(entries) >= len(value) else {**entries, _CUT: _CUT}
        if isinstance(value, (list, tuple, set, frozenset)):
            items = [self.of(entry, depth + 1) for entry in self._first(value)]
            return items if len(items) >= len(value) else [*items, _CUT]
        return readable_text(value)

    def _first(self, values: Any) -> Iterator[Any]:
        return (value for value in islice(values, MOST_ITEMS) if self._left > 0)


def readable_text(value: Any) -> str:
    """The text of anything; bytes are read as UTF-8. Never raises."""
    try:
        if isinstance(value, (bytes, bytearray)):
            return value.decode("utf-8", "replace")
        return utf8(str(value))
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def _length(value: Sized | None) -> int | None:
    return None if value is None else len(value)


def _str(value: Any) -> str | None:
    return None if value is None else str(value)


def _int(value: Any) -> int | None:
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
    return None if value is None or length is None else str(value)[: max(length, 0)]


def _sha256(value: Any) -> str | None:
    """The SHA-256 of the value's text, in hexadecimal."""
    return None if value is None else hashlib.sha256(str(value).encode("utf-8", "backslashreplace")).hexdigest()


def _like(value: str | None, pattern: str) -> bool:
    """Whether the whole text fits a shell pattern: ``*``, ``?``, ``[a-f]``."""
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
