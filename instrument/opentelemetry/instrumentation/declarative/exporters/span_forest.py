"""Arranges spans as trees in order of start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentelemetry.instrumentation.declarative.exporters.forest import Node, arrange
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext

SpanKey = tuple[int, int]  # (trace id, span id)
#: Without a span, a parent that is not among the spans.
SpanNode = Node[ReadableSpan]


def span_key(context: SpanContext) -> SpanKey:
    return context.trace_id, context.span_id


def start_time(span: ReadableSpan) -> int:
    """The start in nanoseconds; 0 if it is not known."""
    return span.start_time or 0


def spans_by_trace(spans: Iterable[ReadableSpan]) -> dict[int, list[ReadableSpan]]:
    """The spans of each trace in order of start, the oldest trace first. Spans that start together keep their order."""
    result: dict[int, list[ReadableSpan]] = {}
    for span in sorted(spans, key=start_time):
        result.setdefault(span.context.trace_id if span.context is not None else 0, []).append(span)
    return result


def span_trees(spans: Iterable[ReadableSpan]) -> Iterator[list[SpanNode]]:
    """The trees of one trace, whose spans are in order of start; then the tree of each cycle of parents."""
    return arrange(spans, lambda span: _key(span.context), lambda span: _key(span.parent))


def missing_context(node: SpanNode) -> SpanContext:
    """The context of a parent that is not among the spans."""
    child = node.children[0].item
    assert child is not None and child.parent is not None
    return child.parent


def link_kind(link: Link) -> tuple[str | None, dict[str, object]]:
    """The kind of a link, if it has one, and its other attributes."""
    attributes: dict[str, object] = dict(link.attributes or {})
    key = next((key for key in attributes if key.endswith("link.kind")), None)
    return (None if key is None else str(attributes.pop(key))), attributes


def _key(context: SpanContext | None) -> SpanKey | None:
    return None if context is None else span_key(context)
