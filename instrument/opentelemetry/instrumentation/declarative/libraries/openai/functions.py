"""Functions of the spec for raw responses, with which `with_raw_response` gives the program the headers."""

from __future__ import annotations

import functools
import json
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.declarative.diagnostics.log import logger

#: The bodies that have been parsed. An expression for each attribute asks for the same one.
_bodies: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def body(result: Any) -> Any:
    """Return what a call has returned, or the parsed body of a raw response, as `with_raw_response` returns it.

    The response has been read, so that nothing is loaded. The client's own ``parse`` would keep its result.
    """
    if type(result).__name__ != "LegacyAPIResponse":
        return result
    if result not in _bodies:
        _bodies[result] = _parsed(result.http_response)
    return _bodies[result]


def _parsed(response: Any) -> Any:
    content = getattr(response, "_content", None)
    is_json = "json" in response.headers.get("content-type", "")
    return json.loads(content) if content and is_json else None


def report_raw_stream(_span: Any) -> None:
    """Report that the program reads a stream from a raw response."""
    _report_once()


@functools.cache
def _report_once() -> None:
    logger.warning(
        "openai: a stream that is read from a raw response is not followed: the span of the call has no tokens, no "
        "text and no finish reason. A stream that create() itself returns is followed."
    )
