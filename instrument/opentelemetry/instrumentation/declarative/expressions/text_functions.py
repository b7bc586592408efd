"""Functions of expressions on texts."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import bounded_text, text_or_none
from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.operators import text as joined_text
from opentelemetry.instrumentation.declarative.expressions.sequences import items_of

_MAX_PATTERN_LENGTH = 1_000


def starts_with(value: Any, *beginnings: str | None) -> bool:
    return value is not None and str.startswith(decoded_text(value), _present(beginnings))


def ends_with(value: Any, *endings: str | None) -> bool:
    return value is not None and str.endswith(decoded_text(value), _present(endings))


def _present(texts: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(each for each in texts if each is not None)


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


def join(value: Any, separator: str | None) -> str | None:
    if value is None or separator is None:
        return None
    parts = [each for item in items_of(value) if item is not None for each in (separator, item)]
    return joined_text(*parts[1:])


def decoded_text(value: Any) -> Any:
    """The text in bytes; any other value unchanged."""
    return bounded_text(value) if isinstance(value, (bytes, bytearray)) else value


def truncate(value: Any, length: int | None) -> str | None:
    text = text_or_none(value)
    return None if text is None or length is None else text[: max(length, 0)]


def like(value: Any, pattern: str | None) -> bool:
    if value is None or pattern is None:
        return False
    if len(pattern) > _MAX_PATTERN_LENGTH:
        raise ValueError("the pattern is too long")
    return fnmatch.fnmatchcase(decoded_text(value), pattern)


#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "ends_with": Function(
        ends_with,
        ("text", "ending"),
        "boolean",
        "Whether the text ends with one of the endings.",
        ("ends_with('order.paid', '.sent', '.paid')", True),
        variadic=True,
        none_if_none=False,
    ),
    "join": Function(
        join,
        ("items", "separator"),
        "string",
        "The texts of the items, with the separator between them. Missing items are left out.",
        ("join(['a', 'b'], ', ')", "a, b"),
    ),
    "like": Function(
        like,
        ("text", "pattern"),
        "boolean",
        "Whether the whole text matches a shell pattern with `*`, `?` or `[a-f]`.",
        ("like('orders.eu', 'orders.*')", True),
        none_if_none=False,
    ),
    "lower": Function(lower, ("text",), "string", "The text in lower case.", ("lower('GET')", "get")),
    "split": Function(
        split,
        ("text", "separator"),
        "string[]",
        "The parts of the text between the separators; without one, between white space.",
        ("split('orders/eu/7', '/')", ["orders", "eu", "7"]),
        optional=1,
    ),
    "starts_with": Function(
        starts_with,
        ("text", "beginning"),
        "boolean",
        "Whether the text starts with one of the beginnings.",
        ("starts_with('order.paid', 'cart.', 'order.')", True),
        variadic=True,
        none_if_none=False,
    ),
    "strip": Function(
        strip,
        ("text", "characters"),
        "string",
        "The text without white space, or without these characters, at both ends.",
        ("strip(' a ')", "a"),
        optional=1,
    ),
    "title": Function(
        title,
        ("text",),
        "string",
        "The text with the first letter of each word in upper case, and the others in lower case.",
        ("title('out of stock')", "Out Of Stock"),
    ),
    "truncate": Function(
        truncate,
        ("value", "length"),
        "string",
        "The first characters of the value's text.",
        ("truncate('abcdef', 3)", "abc"),
    ),
    "upper": Function(upper, ("text",), "string", "The text in upper case.", ("upper('get')", "GET")),
}
