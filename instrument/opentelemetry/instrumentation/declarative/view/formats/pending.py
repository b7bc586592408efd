"""Pending records: spans that stand for another one, their parent, which was open when they were written."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.exporters.pending_attributes import AGE, NAME, PARENT, START
from opentelemetry.instrumentation.declarative.view.formats.fields import SPAN_ID, optional_id
from opentelemetry.instrumentation.declarative.view.spans import Span

_ABOUT = frozenset({NAME, START, AGE, PARENT})


def open_span_of(record: Span) -> Span:
    """The open span of a pending record; a span that is not one, as it is."""
    age = record.attributes.get(AGE)
    if record.parent_id is None or not isinstance(age, (int, float)) or isinstance(age, bool):
        return record
    attributes = {key: value for key, value in record.attributes.items() if key not in _ABOUT}
    return Span(
        record.trace_id,
        record.parent_id,
        optional_id(record.attributes.get(PARENT), SPAN_ID),
        str(record.attributes.get(NAME) or record.name.removesuffix(" (pending)")),
        record.start - int(max(age, 0) * 1e9),
        None,
        attributes=attributes,
        links=record.links,
        resource=record.resource,
        scope=record.scope,
        last_seen=record.start,
    )
