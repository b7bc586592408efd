"""Functions of the spec: the body of a response that the program has asked for with its headers."""

from __future__ import annotations

import json
from typing import Any
from weakref import WeakKeyDictionary

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
