"""Records of AG2's ``/telemetry/spans.jsonl``: a span is a line of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.view.formats.fields import (
    KINDS,
    SPAN_ID,
    STATUSES,
    TRACE_ID,
    FormatError,
    iso_time,
    items,
    mapping,
    one_of,
    optional_id,
    span_id_of,
)
from opentelemetry.instrumentation.declarative.view.spans import Event, Link, Resource, Span

_HUB = Resource()


def is_record(record: Mapping[str, Any]) -> bool:
    return "trace_id" in record and "span_id" in record


def read_record(record: Mapping[str, Any]) -> Iterator[Span]:
    """The span of a record. Raises FormatError."""
    start, end = iso_time(record.get("start")), iso_time(record.get("end"))
    if start is None:
        raise FormatError("has no time at which the span starts")
    yield Span(
        span_id_of(record["trace_id"], TRACE_ID),
        span_id_of(record["span_id"], SPAN_ID),
        optional_id(record.get("parent_span_id"), SPAN_ID),
        str(record.get("name") or ""),
        start,
        end,
        one_of(record.get("kind"), KINDS, "internal"),
        one_of(record.get("status"), STATUSES, "unset"),
        str(record.get("status_message") or ""),
        mapping(record.get("attributes")),
        [_event(event, start) for event in items(record.get("events"))],
        [_link(link) for link in items(record.get("links"))],
        _HUB,
    )


def _event(event: Mapping[str, Any], default: int) -> Event:
    time = iso_time(event.get("at"))
    return Event(default if time is None else time, str(event.get("name") or ""), mapping(event.get("attributes")))


def _link(link: Mapping[str, Any]) -> Link:
    trace_id, span_id = span_id_of(link.get("trace_id"), TRACE_ID), span_id_of(link.get("span_id"), SPAN_ID)
    return Link(trace_id, span_id, mapping(link.get("attributes")))
