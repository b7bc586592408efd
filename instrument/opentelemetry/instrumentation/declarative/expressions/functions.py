"""The functions that an expression can call: each of them with its parameters, its result, and its documentation.

They take values of the application and return new ones; none changes anything.
"""

from __future__ import annotations

import fnmatch
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from numbers import Number
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.expressions.arrays import measures_time
from opentelemetry.instrumentation.declarative.expressions.conversion import (
    bounded_text,
    number,
    text_or_none,
    to_json,
)
from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.number_operators import present
from opentelemetry.instrumentation.declarative.expressions.type_facts import original

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FRACTION = re.compile(r"[.,]([0-9]+)")

#: Longer texts are not converted to a number, or used as a pattern.
_MAX_DIGITS = 4_000
_MAX_PATTERN_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language."""

    call: Callable[..., Any]
    #: The names of its parameters. If it is ``variadic``, the last one can be repeated.
    parameters: tuple[str, ...]
    #: The type of its result, as semantic conventions name types.
    result: Literal["boolean", "int", "double", "string"]
    #: What it returns, for the reference.
    description: str
    variadic: bool = False
    #: Whether it returns None if its first argument is None, so that a missing value stays missing.
    none_if_none: bool = True

    @property
    def max_arguments(self) -> int | None:
        """None if there is no limit."""
        return None if self.variadic else len(self.parameters)

    def signature(self, name: str) -> str:
        """How it is called: ``starts_with(text, beginning, ...)``."""
        return f"{name}({', '.join([*self.parameters, *(['...'] if self.variadic else [])])})"


def _length(value: Sized | None) -> int | None:
    return None if value is None else len(value)


def _bool(value: Any) -> bool:
    return bool(present(value))


def _str(value: Any) -> str | None:
    value = present(value)
    return None if value is None else bounded_text(value)


def _int(value: Any) -> int | None:
    value = present(value)
    if isinstance(value, (str, bytes, bytearray)) and len(value) > _MAX_DIGITS:
        raise ValueError(f"a text of {len(value)} characters is too long for a number")  # Python 3.10 would take hours
    if value is None:
        return None
    found = _number_or(value, "__int__")
    if isinstance(found, Number) and not isinstance(found, (int, float)) and not math.isfinite(float(found)):  # type: ignore[arg-type]
        raise OverflowError("the number is too large")  # Decimal("1e999999999") has a billion digits
    return int(found)


def _float(value: Any) -> float | None:
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


def _type_name(value: Any) -> str | None:
    return None if value is None else type(original(value)).__name__


def _json(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = dict(islice(value.items(), MAX_ITEMS + 1))
    return None if plain(value) is None else to_json(value)


def _iso(value: Any) -> int | None:
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


def _starts_with(value: Any, *beginnings: str) -> bool:
    return value is not None and str.startswith(_text(value), beginnings)


def _ends_with(value: Any, *endings: str) -> bool:
    return value is not None and str.endswith(_text(value), endings)


def _lower(value: Any) -> str | None:
    return None if value is None else str.lower(_text(value))


def _upper(value: Any) -> str | None:
    return None if value is None else str.upper(_text(value))


def _text(value: Any) -> Any:
    """The text in bytes; any other value unchanged."""
    return bounded_text(value) if isinstance(value, (bytes, bytearray)) else value


def _truncate(value: Any, length: int | None) -> str | None:
    text = text_or_none(value)
    return None if text is None or length is None else text[: max(length, 0)]


def _sha256(value: Any) -> str | None:
    if isinstance(value, (bytes, bytearray)):
        return hashlib.sha256(value).hexdigest()
    text = value if isinstance(value, str) else text_or_none(value)
    return None if text is None else hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _like(value: Any, pattern: str) -> bool:
    if len(pattern) > _MAX_PATTERN_LENGTH:
        raise ValueError("the pattern is too long")
    return value is not None and fnmatch.fnmatchcase(_text(value), pattern)


def _is_a(value: Any, *names: str) -> bool:
    return any(base.__name__ in names for base in type(original(value)).__mro__)


#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "bool": Function(_bool, ("value",), "boolean", "Whether the value is true in Python.", none_if_none=False),
    "ends_with": Function(
        _ends_with,
        ("text", "ending"),
        "boolean",
        "Whether the text ends with one of the endings.",
        variadic=True,
        none_if_none=False,
    ),
    "float": Function(_float, ("value",), "double", "The value as a floating-point number."),
    "int": Function(_int, ("value",), "int", "The value as an integer."),
    "is_a": Function(
        _is_a,
        ("value", "name"),
        "boolean",
        "Whether the class of the value, or one of its bases, has one of these names.",
        variadic=True,
        none_if_none=False,
    ),
    "iso": Function(
        _iso,
        ("time",),
        "int",
        "The nanoseconds since the epoch of a `datetime`, or of an ISO 8601 time such as `2026-11-22T10:00:00Z`. "
        "A time without a zone is UTC.",
    ),
    "json": Function(_json, ("value",), "string", "The value as JSON, cut if it is too large."),
    "len": Function(_length, ("value",), "int", "The length of a text or collection."),
    "like": Function(
        _like,
        ("text", "pattern"),
        "boolean",
        "Whether the whole text matches a shell pattern with `*`, `?` or `[a-f]`.",
        none_if_none=False,
    ),
    "lower": Function(_lower, ("text",), "string", "The text in lower case."),
    "sha256": Function(_sha256, ("value",), "string", "The SHA-256 of the value's text, in hexadecimal."),
    "starts_with": Function(
        _starts_with,
        ("text", "beginning"),
        "boolean",
        "Whether the text starts with one of the beginnings.",
        variadic=True,
        none_if_none=False,
    ),
    "str": Function(_str, ("value",), "string", "The value as text."),
    "truncate": Function(_truncate, ("value", "length"), "string", "The first characters of the value's text."),
    "type_name": Function(_type_name, ("value",), "string", "The name of the value's class."),
    "upper": Function(_upper, ("text",), "string", "The text in upper case."),
}
