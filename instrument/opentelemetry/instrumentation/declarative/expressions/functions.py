"""The functions that an expression can call, in one table: the reference of functions is generated from it.

They take values of the application and return new ones; none changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.expressions import (
    patterns,
    sequences,
    text_functions,
    url_functions,
    value_functions,
)
from opentelemetry.instrumentation.declarative.expressions.function import Function

_URL = "https://user:secret@shop.example:8443/orders/7?sig=abc&page=2"

#: By the name in an expression, in alphabetical order.
FUNCTIONS: Mapping[str, Function] = {
    "all": Function(
        sequences.all_of,
        ("items",),
        "boolean",
        "Whether all items of the collection are true.",
        ("all([True, 0])", False),
        none_if_none=False,
    ),
    "any": Function(
        sequences.any_of,
        ("items",),
        "boolean",
        "Whether at least one item of the collection is true.",
        ("any([True, 0])", True),
        none_if_none=False,
    ),
    "bool": Function(
        value_functions.to_bool,
        ("value",),
        "boolean",
        "Whether the value is true in Python.",
        ("bool('')", False),
        none_if_none=False,
    ),
    "clock": Function(
        value_functions.clock,
        (),
        "double",
        "The seconds of a clock that is never set, as `time.monotonic()`: for differences.",
        ("clock() - job.queued_at", None),
        none_if_none=False,
        varies=True,
    ),
    "ends_with": Function(
        text_functions.ends_with,
        ("text", "ending"),
        "boolean",
        "Whether the text ends with one of the endings.",
        ("ends_with('order.paid', '.sent', '.paid')", True),
        variadic=True,
        none_if_none=False,
    ),
    "float": Function(
        value_functions.to_float,
        ("value",),
        "double",
        "The value as a floating-point number.",
        ("float('2.5')", 2.5),
    ),
    "int": Function(value_functions.to_int, ("value",), "int", "The value as an integer.", ("int('42')", 42)),
    "is_a": Function(
        value_functions.is_a,
        ("value", "name"),
        "boolean",
        "Whether the class of the value, or one of its bases, has one of these names.",
        ("is_a(error, 'LookupError', 'OSError')", True),
        {"error": KeyError("x")},
        variadic=True,
        none_if_none=False,
    ),
    "is_cancelled": Function(
        value_functions.is_cancelled,
        ("error",),
        "boolean",
        "Whether the exception means that the call was cancelled: in asyncio, trio or gevent, or as a future.",
        ("is_cancelled(error)", False),
        {"error": KeyError("x")},
        none_if_none=False,
    ),
    "iso": Function(
        value_functions.iso_nanoseconds,
        ("time",),
        "int",
        "The nanoseconds since the epoch of a `datetime`, or of an ISO 8601 time. A time without a zone is UTC.",
        ("iso('1970-01-01T00:00:01Z')", 1_000_000_000),
    ),
    "join": Function(
        text_functions.join,
        ("items", "separator"),
        "string",
        "The texts of the items, with the separator between them. Missing items are left out.",
        ("join(['a', 'b'], ', ')", "a, b"),
    ),
    "json": Function(
        value_functions.as_json,
        ("value",),
        "string",
        "The value as JSON, cut if it is too large.",
        ("json(['a', 1])", '["a", 1]'),
    ),
    "keys": Function(
        sequences.keys_of,
        ("mapping",),
        "any",
        "The keys of the mapping, as a list.",
        ("keys(headers)", ["accept", "host"]),
        {"headers": {"accept": "*/*", "host": "shop.example"}},
    ),
    "len": Function(
        value_functions.length_of, ("value",), "int", "The length of a text or collection.", ("len('abc')", 3)
    ),
    "like": Function(
        text_functions.like,
        ("text", "pattern"),
        "boolean",
        "Whether the whole text matches a shell pattern with `*`, `?` or `[a-f]`.",
        ("like('orders.eu', 'orders.*')", True),
        none_if_none=False,
    ),
    "lower": Function(text_functions.lower, ("text",), "string", "The text in lower case.", ("lower('GET')", "get")),
    "match": Function(
        patterns.match,
        ("text", "pattern"),
        "string",
        "What the regular expression first matches, anywhere in the text: its first group, if it has one.",
        ("match('/users/42/cart', r'/users/(\\d+)')", "42"),
        pattern="pattern",
    ),
    "max": Function(
        sequences.max_of,
        ("value",),
        "any",
        "The greatest of the values, or of the items of a single collection. Missing ones are left out.",
        ("max(3, 5)", 5),
        variadic=True,
    ),
    "min": Function(
        sequences.min_of,
        ("value",),
        "any",
        "The least of the values, or of the items of a single collection. Missing ones are left out.",
        ("min([3, None, 5])", 3),
        variadic=True,
    ),
    "now": Function(
        value_functions.now,
        (),
        "int",
        "The current time, in nanoseconds since the epoch.",
        ("now() - iso(order.created_at)", None),
        none_if_none=False,
        varies=True,
    ),
    "replace": Function(
        patterns.replace,
        ("text", "pattern", "replacement"),
        "string",
        "The text with each match of the regular expression replaced. `\\1` stands for the first group.",
        ("replace('/users/42/cart', r'\\d+', '{id}')", "/users/{id}/cart"),
        pattern="pattern",
        replacement="replacement",
    ),
    "round": Function(
        value_functions.rounded,
        ("number", "digits"),
        "any",
        "The nearest integer, or with `digits` the nearest number with so many decimal places.",
        ("round(2.718, 2)", 2.72),
        optional=1,
    ),
    "sha256": Function(
        value_functions.sha256,
        ("value",),
        "string",
        "The SHA-256 of the value's text, in hexadecimal.",
        ("truncate(sha256('abc'), 8)", "ba7816bf"),
    ),
    "split": Function(
        text_functions.split,
        ("text", "separator"),
        "string[]",
        "The parts of the text between the separators; without one, between white space.",
        ("split('orders/eu/7', '/')", ["orders", "eu", "7"]),
        optional=1,
    ),
    "starts_with": Function(
        text_functions.starts_with,
        ("text", "beginning"),
        "boolean",
        "Whether the text starts with one of the beginnings.",
        ("starts_with('order.paid', 'cart.', 'order.')", True),
        variadic=True,
        none_if_none=False,
    ),
    "str": Function(
        value_functions.to_str, ("value",), "string", "The value as text; bytes are decoded.", ("str(5)", "5")
    ),
    "strip": Function(
        text_functions.strip,
        ("text", "characters"),
        "string",
        "The text without white space, or without these characters, at both ends.",
        ("strip(' a ')", "a"),
        optional=1,
    ),
    "sum": Function(
        sequences.sum_of,
        ("items",),
        "any",
        "The sum of the numbers in the collection. Missing ones are left out.",
        ("sum([1, 2.5])", 3.5),
    ),
    "title": Function(
        text_functions.title,
        ("text",),
        "string",
        "The text with the first letter of each word in upper case, and the others in lower case.",
        ("title('out of stock')", "Out Of Stock"),
    ),
    "truncate": Function(
        text_functions.truncate,
        ("value", "length"),
        "string",
        "The first characters of the value's text.",
        ("truncate('abcdef', 3)", "abc"),
    ),
    "type_name": Function(
        value_functions.type_name, ("value",), "string", "The name of the value's class.", ("type_name(5)", "int")
    ),
    "upper": Function(text_functions.upper, ("text",), "string", "The text in upper case.", ("upper('get')", "GET")),
    "url_host": Function(
        url_functions.url_host,
        ("url",),
        "string",
        "The host of the URL, or of a text such as `shop.example:8443`.",
        ("url_host('https://shop.example:8443/orders')", "shop.example"),
    ),
    "url_path": Function(
        url_functions.url_path,
        ("url",),
        "string",
        "The path of the URL.",
        ("url_path('https://shop.example/orders?page=2')", "/orders"),
    ),
    "url_port": Function(
        url_functions.url_port,
        ("url",),
        "int",
        "The port of the URL, or the usual one of `http`, `https`, `ws` and `wss`.",
        ("url_port('https://shop.example/orders')", 443),
    ),
    "url_query": Function(
        url_functions.url_query,
        ("url",),
        "string",
        "The query of the URL. The values of signatures are `REDACTED`.",
        ("url_query('/orders?page=2')", "page=2"),
    ),
    "url_scheme": Function(
        url_functions.url_scheme,
        ("url",),
        "string",
        "The scheme of the URL.",
        ("url_scheme('https://shop.example')", "https"),
    ),
    "url_without_credentials": Function(
        url_functions.url_without_credentials,
        ("url",),
        "string",
        "The URL as `url.full` records it: the user, the password and the values of signatures are `REDACTED`.",
        (
            f"url_without_credentials({_URL!r})",
            "https://REDACTED:REDACTED@shop.example:8443/orders/7?sig=REDACTED&page=2",
        ),
    ),
}
