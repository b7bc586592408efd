"""An open span as data, for a reader in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

#: How much of a value is passed on, in characters.
_MAX_VALUE = 200


class EventFacts(TypedDict):
    name: str
    #: Nanoseconds since 1970.
    time: int


class SpanFacts(TypedDict):
    """An open span. Ids are hexadecimal, times are nanoseconds since 1970."""

    name: str
    scope: str
    trace_id: str
    span_id: str
    parent_id: str | None
    start: int
    attributes: dict[str, Any]
    latest_event: EventFacts | None


def span_facts(span: Any) -> SpanFacts:
    """The facts of a span that another thread may be changing."""
    context = span.get_span_context()
    events = span.events
    return SpanFacts(
        name=_short(span.name),
        scope=span.instrumentation_scope.name if span.instrumentation_scope is not None else "",
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{span.parent.span_id:016x}" if span.parent is not None else None,
        start=span.start_time,
        attributes=_attributes(span.attributes or {}),
        latest_event=EventFacts(name=_short(events[-1].name), time=events[-1].timestamp) if events else None,
    )


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    for _ in range(3):
        try:
            return {_short(key): _short(value) for key, value in dict(attributes).items()}
        except RuntimeError:  # an attribute was added at this moment
            continue
    return {}


def _short(value: Any) -> Any:
    """A value that JSON can represent, bounded in size."""
    if isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else repr(value) if not isinstance(value, (list, tuple)) else None
    if text is None:
        return [_short(each) for each in value[:10]] + ["…"] * (len(value) > 10)
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "…"
