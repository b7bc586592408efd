"""An ended span of the SDK as a JSON line, in the record format of AG2's own ``/telemetry/spans.jsonl``.

The text equals ``json.dumps(record, default=str, sort_keys=True)`` of AG2's record, byte for byte. It is formatted
without a dictionary, which takes about half the time, and a line is written for every message: the text of the keys is
cached, and Python's own encoder formats each value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text
from operator import itemgetter
from typing import Any

_EVENT = '{"at": %s, "attributes": %s, "name": %s}'
_LINK = '{"attributes": %s, "span_id": "%016x", "trace_id": "%032x"}'
_SPAN_ID = '"%016x"'


def line_of(span: Any) -> str:
    """Return the line of an ended span."""
    try:
        fields = span.ended_fields()
    except AttributeError:
        fields = _fields(span)
    trace_id, span_id, parent_id, status, kind, name, start, end, attributes, events, links = fields
    message = status.description
    try:
        template, values_of = _template(tuple(attributes))
        texts = template % tuple(map(_text, values_of(attributes)))
    except (AttributeError, TypeError):  # not all of them are strings
        texts = _attributes(attributes)
    # Keys in alphabetical order, as in AG2. The field of an enumeration is read five times as fast as `name`, and the
    # bytes of a number are formatted twice as fast as the number.
    return (
        f'{{"attributes": {texts}, "end": {_time(end)},'
        f' "events": [{", ".join(map(_event, events)) if events else ""}], "kind": "{kind._name_}",'
        f' "links": [{", ".join(map(_link, links)) if links else ""}],'
        f' "name": {_text(name) if type(name) is str else _value(name)},'
        f' "parent_span_id": {"null" if parent_id is None else _SPAN_ID % parent_id},'
        f' "span_id": "{span_id.to_bytes(8, "big").hex()}",'
        f' "start": {_time(start)}, "status": "{status.status_code._name_}",'
        f' "status_message": {"null" if message is None else _value(message)},'
        f' "trace_id": "{trace_id.to_bytes(16, "big").hex()}"}}\n'
    )


def _fields(span: Any) -> tuple[Any, ...]:
    """The fields of any span of the SDK, as a light span returns them."""
    context, parent = span.get_span_context(), span.parent
    return (
        context.trace_id,
        context.span_id,
        None if parent is None else parent.span_id,
        span.status,
        span.kind,
        span.name,
        span.start_time,
        span.end_time,
        _copied(span.attributes),
        span.events,
        span.links,
    )


def _event(event: Any) -> str:
    return _EVENT % (_time(event.timestamp), _attributes(event.attributes), _value(event.name))


@lru_cache(maxsize=256)
def _link(link: Any) -> str:
    try:
        context, attributes = link._context, link._attributes  # both also have a property, which takes longer
    except AttributeError:
        context, attributes = link.context, link.attributes
    known = _known_attributes.get(id(attributes))
    text = known[1] if known is not None else _link_attributes(attributes)
    trace_id, span_id, *_ = context
    return _LINK % (text, span_id, trace_id)


# ── Attributes ──


def _copied(attributes: Any) -> dict[Any, Any]:
    """The attributes as a dict: the SDK's mappings are fast to copy and slow to iterate over."""
    try:
        found: Any = attributes.copy()
    except AttributeError:  # None, or a mapping of another type
        found = None
    return found if type(found) is dict else dict(attributes or {})


def _attributes(attributes: Any) -> str:
    found = attributes if type(attributes) is dict else _copied(attributes)
    try:
        template, values_of = _template(tuple(found))
    except TypeError:  # keys that are not strings
        return _encode(found)
    values = values_of(found)
    try:
        return template % tuple(map(_text, values))
    except TypeError:  # not all of them are strings
        return template % tuple([_ENCODERS.get(type(value), _encode)(value) for value in values])


@lru_cache(maxsize=512)
def _template(keys: tuple[str, ...]) -> tuple[str, Callable[[Any], tuple[Any, ...]]]:
    """Return the text of an object with these keys and placeholders for its values, and what gets these in order."""
    ordered = sorted(keys)
    members = [_text(key).replace("%", "%%") + ": %s" for key in ordered]
    return f"{{{', '.join(members)}}}", _getter(ordered)


def _getter(keys: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda found: tuple(found[key] for key in keys)


#: The text of attributes of links by their identity, and the attributes, which are kept alive: those of our own links
#: are constants of the spec, and cannot be changed.
_known_attributes: dict[int, tuple[Any, str]] = {}
_MOST_KNOWN = 100


def _link_attributes(attributes: Any) -> str:
    text = _attributes(attributes)
    if getattr(attributes, "_immutable", False) and len(_known_attributes) < _MOST_KNOWN:
        _known_attributes[id(attributes)] = attributes, text
    return text


def _list(values: Sequence[Any]) -> str:
    return f"[{', '.join([_value(value) for value in values])}]"


def _value(value: Any) -> str:
    return _ENCODERS.get(type(value), _encode)(value)


_encode = json.JSONEncoder(default=str, sort_keys=True).encode

#: By the exact type of a value. All others use the general encoder.
_ENCODERS: dict[type, Callable[[Any], str]] = {
    str: _text,
    int: int.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    tuple: _list,
}


# ── Times ──


def _time(nanoseconds: int | None) -> str:
    """Format a time as AG2 does: through a float of seconds, whose rounding is reproduced."""
    if nanoseconds is None:
        return "null"
    timestamp = nanoseconds / 1_000_000_000
    seconds = timestamp // 1.0
    microseconds = round((timestamp - seconds) * 1e6)
    if 0 < microseconds < 1_000_000:
        return f'"{_second(seconds)}.{str(1_000_000 + microseconds)[1:]}Z"'
    whole = datetime.fromtimestamp(timestamp, tz=timezone.utc).isoformat()
    return f'"{whole.replace("+00:00", "Z")}"'


@lru_cache(maxsize=64)
def _second(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat()[:-6]
