"""The content in a spec: attributes are marked as content, and its exceptions and descriptions of errors follow them.

An exception passes through several calls, so that its text can be content on spans that have no such attribute. If
anything in a spec is content, exceptions are by default content on all of its spans.
"""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.language.nodes.attribute import Attribute
from opentelemetry.instrumentation.declarative.language.nodes.end import End
from opentelemetry.instrumentation.declarative.language.nodes.enrichment import Enrichment
from opentelemetry.instrumentation.declarative.language.nodes.event import AnyEvent
from opentelemetry.instrumentation.declarative.language.nodes.log import Log
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.nodes.status import Status


def has_content(spec: Spec) -> bool:
    """Whether anything in a spec is marked as content."""
    return (
        any(attribute.content for attribute in _attributes(spec))
        or any(log.body.content for log in spec.logs if log.body)
        or any(status.content for status in _statuses(spec))
        or any(span.exception.content for span in spec.spans.values())
    )


def exceptions_are_content(span: SpanType, spec: Spec) -> bool:
    """Whether the texts of exceptions on a span are content."""
    flag = span.exception.content
    return spec.has_content if flag is None else flag


def description_is_content(status: Status, span: SpanType | None, spec: Spec) -> bool:
    """Whether the description of an error is content. By default it is if the texts of exceptions are."""
    if status.content is not None:
        return status.content
    return spec.has_content if span is None else exceptions_are_content(span, spec)


def _statuses(spec: Spec) -> Iterator[Status]:
    for _, enrichment in spec.enrich:
        yield from enrichment.statuses
    for span in spec.spans.values():
        yield from span.statuses
        for end in span.ends:
            yield from end.statuses


def _attributes(spec: Spec) -> Iterator[Attribute]:
    on_spans: list[SpanType | Enrichment] = [*spec.spans.values(), *(enrichment for _, enrichment in spec.enrich)]
    entries: list[SpanType | Enrichment | AnyEvent | Log | End] = [*on_spans, *spec.logs]
    entries += [event for each in on_spans for event in each.events]
    entries += [end for span in spec.spans.values() for end in span.ends]
    for entry in entries:
        yield from entry.attributes
        for group in entry.attribute_groups:
            yield from group.attributes
