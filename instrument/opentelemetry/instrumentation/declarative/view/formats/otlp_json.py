"""Traces in OTLP's JSON form: a line of the collector's file exporter, a document, or the body of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.view.formats.fields import (
    KINDS,
    SPAN_ID,
    STATUSES,
    TRACE_ID,
    FormatError,
    integer,
    items,
    mapping,
    one_of,
    optional_id,
    span_id_of,
)
from opentelemetry.instrumentation.declarative.view.spans import Event, Link, Resource, Span

#: By number; 0 is unspecified.
_KINDS = ("internal", *KINDS)
#: The names that writers use; the last one is that of Grafana Tempo.
_RESOURCE_SPANS = ("resourceSpans", "resource_spans", "batches")
#: Other signals, which a file may contain as well.
OTHER_SIGNALS = frozenset({"resourceMetrics", "resourceLogs", "resourceProfiles"})


def is_traces(record: Mapping[str, Any]) -> bool:
    return not record.keys().isdisjoint(_RESOURCE_SPANS)


def read_traces(record: Mapping[str, Any]) -> Iterator[Span]:
    """The spans of a record. Raises FormatError after them if there is one that cannot be read."""
    unreadable = None
    for resource_spans in items(_field(record, *_RESOURCE_SPANS)):
        attributes = _attributes(mapping(resource_spans.get("resource")).get("attributes"))
        resource = Resource(str(attributes.get("service.name") or ""), attributes)
        scopes = _field(resource_spans, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")
        for scope_spans in items(scopes):
            scope = str(mapping(scope_spans.get("scope")).get("name") or "")
            for span in items(scope_spans.get("spans")):
                try:
                    found = _span(span, resource, scope)
                except FormatError as error:
                    unreadable = unreadable or error
                else:
                    yield found
    if unreadable is not None:
        raise FormatError(f"has a span that {unreadable}")


def _span(span: Mapping[str, Any], resource: Resource, scope: str) -> Span:
    start = integer(_field(span, "startTimeUnixNano", "start_time_unix_nano"))
    end = integer(_field(span, "endTimeUnixNano", "end_time_unix_nano"))
    status = mapping(span.get("status"))
    return Span(
        span_id_of(_field(span, "traceId", "trace_id"), TRACE_ID),
        span_id_of(_field(span, "spanId", "span_id"), SPAN_ID),
        optional_id(_field(span, "parentSpanId", "parent_span_id"), SPAN_ID),
        str(span.get("name") or ""),
        start or end,
        end or None,
        _enum(span.get("kind"), _KINDS, "SPAN_KIND_"),
        _enum(status.get("code"), STATUSES, "STATUS_CODE_"),
        str(status.get("message") or ""),
        _attributes(span.get("attributes")),
        [_event(event, start) for event in items(span.get("events"))],
        [_link(link) for link in items(span.get("links"))],
        resource,
        scope,
    )


def _event(event: Mapping[str, Any], default: int) -> Event:
    time = integer(_field(event, "timeUnixNano", "time_unix_nano"))
    return Event(time or default, str(event.get("name") or ""), _attributes(event.get("attributes")))


def _link(link: Mapping[str, Any]) -> Link:
    trace_id = span_id_of(_field(link, "traceId", "trace_id"), TRACE_ID)
    return Link(trace_id, span_id_of(_field(link, "spanId", "span_id"), SPAN_ID), _attributes(link.get("attributes")))


def _field(record: Mapping[str, Any], *names: str) -> Any:
    """A field by its name, or by one of the names that other writers use."""
    return next((record[name] for name in names if name in record), None)


def _enum(value: Any, names: tuple[str, ...], prefix: str) -> str:
    """A name of an enumeration, which is written as a number or as a name."""
    if isinstance(value, str) and not value.isdecimal():
        return one_of(value.removeprefix(prefix), names, names[0])
    number = integer(value)
    return names[number] if 0 <= number < len(names) else names[0]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {str(pair.get("key")): _value(pair.get("value")) for pair in items(pairs)}


def _value(value: Any) -> Any:
    """The value of an attribute. Values that are nested too deeply raise a RecursionError."""
    for name, content in mapping(value).items():
        name = name.replace("_value", "Value")
        if name == "intValue":
            return integer(content)
        if name == "doubleValue":
            return _number(content)
        if name == "arrayValue":
            values = mapping(content).get("values")
            return [_value(item) for item in values] if isinstance(values, list) else []
        if name == "kvlistValue":
            return _attributes(mapping(content).get("values"))
        return content
    return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise FormatError(f"has {str(value)[:40]!r} in place of a number") from None
