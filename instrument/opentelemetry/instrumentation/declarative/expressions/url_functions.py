"""Functions of expressions on URLs. A text that is not a URL has none of its parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.expressions.conversion import bounded_text
from opentelemetry.instrumentation.declarative.expressions.function import Function

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_MAX_LENGTH = 100_000
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_REDACTED = "REDACTED"
#: A URL with neither credentials nor a query.
_HARMLESS = re.compile(r"[\w.~%:/#+,;-]*", re.ASCII)
#: The parameters of a query whose values OpenTelemetry's conventions redact in `url.full`: they grant access.
_SECRET = re.compile(r"(?i)(^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature|X-Amz-Signature)=[^&#]*")


def url_scheme(url: Any) -> str | None:
    parts = _parts(url)
    return parts.scheme or None if parts else None


def url_host(url: Any) -> str | None:
    parts = _parts(url, authority=True)
    return parts.hostname or None if parts else None


def url_port(url: Any) -> int | None:
    parts = _parts(url, authority=True)
    if parts is None:
        return None
    try:
        return parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None


def url_path(url: Any) -> str | None:
    parts = _parts(url)
    return parts.path or None if parts else None


def url_query(url: Any) -> str | None:
    parts = _parts(url)
    return _without_secrets(parts.query) or None if parts else None


def url_without_credentials(url: Any) -> str | None:
    if type(url) is str and len(url) <= _MAX_LENGTH and _HARMLESS.fullmatch(url):
        return url
    parts = _parts(url)
    if parts is None:
        return None
    credentials, at, host = parts.netloc.rpartition("@")
    query = _without_secrets(parts.query)
    if not at and query == parts.query:
        return bounded_text(url)
    redacted = f"{_REDACTED}:{_REDACTED}" if ":" in credentials else _REDACTED
    return parts._replace(netloc=f"{redacted}@{host}" if at else host, query=query).geturl()


def _without_secrets(query: str) -> str:
    return _SECRET.sub(rf"\1\2={_REDACTED}", query) if query else query


def _parts(url: Any, authority: bool = False) -> SplitResult | None:
    """The parts of a URL; None if it is not one. ``authority``: it may be a host with a port, as in a `Host` header."""
    from urllib.parse import urlsplit

    if url is None:
        return None
    text = bounded_text(url)
    if len(text) > _MAX_LENGTH:
        return None
    if authority and "//" not in text and not text.startswith(("/", "?", "#")):
        text = f"//{text}"
    try:
        return urlsplit(text)
    except ValueError:
        return None


#: The URL of the examples.
_URL = "https://user:secret@shop.example:8443/orders/7?sig=abc&page=2"
#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "url_host": Function(
        url_host,
        ("url",),
        "string",
        "The host of the URL, or of a text such as `shop.example:8443`.",
        ("url_host('https://shop.example:8443/orders')", "shop.example"),
    ),
    "url_path": Function(
        url_path,
        ("url",),
        "string",
        "The path of the URL.",
        ("url_path('https://shop.example/orders?page=2')", "/orders"),
    ),
    "url_port": Function(
        url_port,
        ("url",),
        "int",
        "The port of the URL, or the usual one of `http`, `https`, `ws` and `wss`.",
        ("url_port('https://shop.example/orders')", 443),
    ),
    "url_query": Function(
        url_query,
        ("url",),
        "string",
        "The query of the URL. The values of signatures are `REDACTED`.",
        ("url_query('/orders?page=2')", "page=2"),
    ),
    "url_scheme": Function(
        url_scheme, ("url",), "string", "The scheme of the URL.", ("url_scheme('https://shop.example')", "https")
    ),
    "url_without_credentials": Function(
        url_without_credentials,
        ("url",),
        "string",
        "The URL as `url.full` records it: the user, the password and the values of signatures are `REDACTED`.",
        (
            f"url_without_credentials({_URL!r})",
            "https://REDACTED:REDACTED@shop.example:8443/orders/7?sig=REDACTED&page=2",
        ),
    ),
}
