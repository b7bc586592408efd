"""The pure functions that an expression may call.

Each takes values of the host and gives a new value; none changes anything. Given ``None`` where it needs a value, a
function gives ``None``, so that a missing field stays missing instead of becoming the text "None".
"""

from __future__ import annotations

import hashlib
import json as _json
from collections.abc import Callable, Mapping, Sized
from datetime import datetime, timezone
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: Names that a dict has of its own. A dot on a mapping reads the key before any of these.
MAPPING_NAMES = frozenset(name for name in dir(dict) if not name.startswith("_"))


def dot(value: Any, name: str) -> Any:
    """What ``value.name`` means in an expression: the attribute or, on a mapping, the key; None if neither is there."""
    if isinstance(value, Mapping) and name in MAPPING_NAMES:
        return value.get(name)
    try:
        return getattr(value, name)
    except AttributeError:
        return value.get(name) if isinstance(value, Mapping) else None


def item(value: Any, key: Any) -> Any:
    """What ``value[key]`` means in an expression; None where there is no such item."""
    try:
        return value[key]
    except (LookupError, TypeError):
        return None


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
    if isinstance(value, (int, float)):
        return value
    raise TypeError(f"a number is needed here, not {type(value).__name__}")


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
    return None if value is None else _json.dumps(value, default=str, ensure_ascii=False)


def _iso(value: str | datetime | None) -> int | None:
    """Nanoseconds since the epoch of an ISO 8601 time (``2026-11-22T10:00:00Z``); a time without a zone is UTC."""
    if value is None or value == "":
        return None
    # datetime.fromisoformat reads a trailing Z only from Python 3.11 on.
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    passed = moment - _EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000


def _starts_with(value: str | None, *beginnings: str) -> bool:
    return value is not None and value.startswith(beginnings)


def _ends_with(value: str | None, *endings: str) -> bool:
    return value is not None and value.endswith(endings)


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()


def _upper(value: str | None) -> str | None:
    return None if value is None else value.upper()


def _truncate(value: Any, length: int) -> str | None:
    """The first ``length`` characters of the value's text."""
    return None if value is None else str(value)[:length]


def _sha256(value: Any) -> str | None:
    """The SHA-256 of the value's text, in hexadecimal."""
    return None if value is None else hashlib.sha256(str(value).encode("utf-8", "backslashreplace")).hexdigest()


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
    "lower": (_lower, 1, 1),
    "sha256": (_sha256, 1, 1),
    "starts_with": (_starts_with, 2, None),
    "str": (_str, 1, 1),
    "truncate": (_truncate, 2, 2),
    "type_name": (_type_name, 1, 1),
    "upper": (_upper, 1, 1),
}
