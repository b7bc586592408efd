"""Functions of expressions that convert or describe a value."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Mapping, Sized
from datetime import datetime, timezone
from itertools import islice
from numbers import Number
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.arrays import measures_time
from opentelemetry.instrumentation.declarative.expressions.conversion import bounded_text, number, text_or_none, to_json
from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.number_operators import present
from opentelemetry.instrumentation.declarative.expressions.sequences import Truncated
from opentelemetry.instrumentation.declarative.expressions.type_facts import original

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FRACTION = re.compile(r"[.,]([0-9]+)")
#: Longer texts are not converted to a number.
_MAX_DIGITS = 4_000
_MAX_ROUND = 300
#: The exceptions that mean that a call was cancelled, by the top-level package that defines them.
_CANCELLATIONS = (
    ("asyncio", ("CancelledError",)),
    ("concurrent", ("CancelledError",)),
    ("trio", ("Cancelled",)),
    ("greenlet", ("GreenletExit",)),
)


def length_of(value: Sized | None) -> int | None:
    if isinstance(value, Truncated):
        raise ValueError("the collection has too many items")
    return None if value is None else len(value)


def to_bool(value: Any) -> bool:
    return bool(present(value))


def to_str(value: Any) -> str | None:
    value = present(value)
    return None if value is None else bounded_text(value)


def to_int(value: Any) -> int | None:
    value = present(value)
    if isinstance(value, (str, bytes, bytearray)) and len(value) > _MAX_DIGITS:
        raise ValueError(f"a text of {len(value)} characters is too long for a number")  # Python 3.10 would take hours
    if value is None:
        return None
    found = _number_or(value, "__int__")
    if isinstance(found, Number) and not isinstance(found, (int, float)) and not math.isfinite(float(found)):  # type: ignore[arg-type]
        raise OverflowError("the number is too large")  # Decimal("1e999999999") has a billion digits
    return int(found)


def to_float(value: Any) -> float | None:
    value = present(value)
    return None if value is None else float(_number_or(value, "__float__"))


def _number_or(value: Any, method: str) -> Any:
    """The number as which a value is recorded, if it has no conversion of its own, or one to a unit of its own."""
    if hasattr(type(value), method) and not measures_time(value):
        return value
    found = number(value)
    if found is None and measures_time(value):
        raise TypeError(f"expected a number, not {type(value).__name__}")
    return value if found is None else found


def type_name(value: Any) -> str | None:
    return None if value is None else type(original(value)).__name__


def as_json(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = dict(islice(value.items(), MAX_ITEMS + 1))
    return None if plain(value) is None else to_json(value)


def iso_nanoseconds(value: Any) -> int | None:
    value = present(value)
    if value is None or value == "":
        return None
    nanoseconds = 0
    if isinstance(value, datetime):
        moment = value
    else:
        # Python 3.10 accepts neither a Z nor fractions of any length, and no version accepts nanoseconds.
        text = str.strip(plain(value))
        text = f"{text[:-1]}+00:00" if text[-1:] in ("Z", "z") else text
        if fraction := _FRACTION.search(text):
            nanoseconds = int(fraction[1][:9].ljust(9, "0"))
            text = text[: fraction.start()] + text[fraction.end() :]
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    passed = moment - _EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000 + nanoseconds


def sha256(value: Any) -> str | None:
    if isinstance(value, (bytes, bytearray)):
        return hashlib.sha256(value).hexdigest()
    text = value if isinstance(value, str) else text_or_none(value)
    return None if text is None else hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def is_a(value: Any, *names: str) -> bool:
    return any(base.__name__ in names for base in type(original(value)).__mro__)


def is_cancelled(error: Any) -> bool:
    return any(
        base.__name__ in names and base.__module__.partition(".")[0] == library
        for base in type(original(error)).__mro__
        for library, names in _CANCELLATIONS
    )


def rounded(value: Any, digits: int = 0) -> int | float | None:
    found = number(value)
    if found is None:
        return None
    return round(found, max(-_MAX_ROUND, min(digits, _MAX_ROUND))) if digits else round(found)


def now() -> int:
    return time.time_ns()


def clock() -> float:
    return time.monotonic()


#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "bool": Function(
        to_bool, ("value",), "boolean", "Whether the value is true in Python.", ("bool('')", False), none_if_none=False
    ),
    "clock": Function(
        clock,
        (),
        "double",
        "The seconds of a clock that is never set, as `time.monotonic()`: for differences.",
        ("clock() - job.queued_at", None),
        none_if_none=False,
        varies=True,
    ),
    "float": Function(to_float, ("value",), "double", "The value as a floating-point number.", ("float('2.5')", 2.5)),
    "int": Function(to_int, ("value",), "int", "The value as an integer.", ("int('42')", 42)),
    "is_a": Function(
        is_a,
        ("value", "name"),
        "boolean",
        "Whether the class of the value, or one of its bases, has one of these names.",
        ("is_a(error, 'LookupError', 'OSError')", True),
        {"error": KeyError("x")},
        variadic=True,
        none_if_none=False,
    ),
    "is_cancelled": Function(
        is_cancelled,
        ("error",),
        "boolean",
        "Whether the exception means that the call was cancelled: in asyncio, trio or gevent, or as a future.",
        ("is_cancelled(error)", False),
        {"error": KeyError("x")},
        none_if_none=False,
    ),
    "iso": Function(
        iso_nanoseconds,
        ("time",),
        "int",
        "The nanoseconds since the epoch of a `datetime`, or of an ISO 8601 time. A time without a zone is UTC.",
        ("iso('1970-01-01T00:00:01Z')", 1_000_000_000),
    ),
    "json": Function(
        as_json, ("value",), "string", "The value as JSON, cut if it is too large.", ("json(['a', 1])", '["a", 1]')
    ),
    "len": Function(length_of, ("value",), "int", "The length of a text or collection.", ("len('abc')", 3)),
    "now": Function(
        now,
        (),
        "int",
        "The current time, in nanoseconds since the epoch.",
        ("now() - iso(order.created_at)", None),
        none_if_none=False,
        varies=True,
    ),
    "round": Function(
        rounded,
        ("number", "digits"),
        "any",
        "The nearest integer, or with `digits` the nearest number with so many decimal places.",
        ("round(2.718, 2)", 2.72),
        optional=1,
    ),
    "sha256": Function(
        sha256,
        ("value",),
        "string",
        "The SHA-256 of the value's text, in hexadecimal.",
        ("truncate(sha256('abc'), 8)", "ba7816bf"),
    ),
    "str": Function(to_str, ("value",), "string", "The value as text; bytes are decoded.", ("str(5)", "5")),
    "type_name": Function(type_name, ("value",), "string", "The name of the value's class.", ("type_name(5)", "int")),
}
