"""An ended span of the SDK as one JSON line, in the record format of AG2's own ``/telemetry/spans.jsonl``.

The text is, byte for byte, what ``json.dumps(record, default=str, sort_keys=True)`` makes of AG2's record. It is put
together by hand, because a line is written for every message and the way through a dictionary takes almost twice as
long: what the keys contribute is remembered, and Python's own encoder writes each value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text
from typing import Any

# Keys in alphabetical order, as AG2 writes them. The old way of formatting is the quickest for numbers by far.
_LINE = (
    '{"attributes": %s, "end": %s, "events": [%s], "kind": "%s", "links": [%s], "name": %s, "parent_span_id": %s,'
    ' "span_id": "%016x", "start": %s, "status": "%s", "status_message": %s, "trace_id": "%032x"}\n'
)
_EVENT = '{"at": %s, "attributes": %s, "name": %s}'
_LINK = '{"attributes": %s, "span_id": "%016x", "trace_id": "%032x"}'
_SPAN_ID = '"%016x"'
_MOMENT = '"%s.%06dZ"'


def line_of(span: Any) -> str:
    """The line of an ended span."""
    context, parent, status = span.get_span_context(), span.parent, span.status
    return _LINE % (
        _attributes(span.attributes),
        _time(span.end_time),
        ", ".join([_event(event) for event in span.events]),
        span.kind.name,
        ", ".join([_link(link) for link in span.links]),
        _value(span.name),
        "null" if parent is None else _SPAN_ID % parent.span_id,
        context.span_id,
        _time(span.start_time),
        status.status_code.name,
        _value(status.description),
        context.trace_id,
    )


def _event(event: Any) -> str:
    return _EVENT % (_time(event.timestamp), _attributes(event.attributes), _value(event.name))


def _link(link: Any) -> str:
    context = link.context
    return _LINK % (_attributes(link.attributes), context.span_id, context.trace_id)


# ── Attributes ──


def _attributes(attributes: Any) -> str:
    try:
        found = attributes.copy()  # The SDK's mappings are quick to copy, and slow to walk through.
        template, keys = _layout(tuple(found))
    except (AttributeError, TypeError):  # none, a mapping of another kind, or keys that are no texts
        return _plain(dict(attributes or {}))
    # Not `_value(…)`: most of a line is these, and seven calls are a good part of its cost.
    return template % tuple([_ENCODERS.get(type(value := found[key]), _plain)(value) for key in keys])


@lru_cache(maxsize=512)
def _layout(keys: tuple[str, ...]) -> tuple[str, list[str]]:
    """The text of an object with these keys, its values left open, and the keys in the order of that text."""
    ordered = sorted(keys)
    members = [_text(key).replace("%", "%%") + ": %s" for key in ordered]
    return f"{{{', '.join(members)}}}", ordered


def _list(values: Sequence[Any]) -> str:
    return f"[{', '.join([_value(value) for value in values])}]"


def _value(value: Any) -> str:
    return _ENCODERS.get(type(value), _plain)(value)


_plain = json.JSONEncoder(default=str, sort_keys=True).encode

#: By the very type of a value; what is not here is for the plain encoder.
_ENCODERS: dict[type, Callable[[Any], str]] = {
    str: _text,
    int: int.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    tuple: _list,
}


# ── Times ──


def _time(nanoseconds: int | None) -> str:
    """As AG2 writes it: through a floating-point number of seconds, whose rounding is repeated here."""
    if nanoseconds is None:
        return "null"
    moment = nanoseconds / 1_000_000_000
    seconds = int(moment)
    microseconds = round((moment - seconds) * 1_000_000)
    if 0 < microseconds < 1_000_000:
        return _MOMENT % (_second(seconds), microseconds)
    whole = datetime.fromtimestamp(moment, tz=timezone.utc).isoformat()
    return f'"{whole.replace("+00:00", "Z")}"'


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat()[:-6]
