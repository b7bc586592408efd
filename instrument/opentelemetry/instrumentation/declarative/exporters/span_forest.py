"""Arranges spans as trees in order of start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext

SpanKey = tuple[int, int]  # (trace id, span id)


@dataclass(slots=True, eq=False)
class SpanNode:
    """A span and its children. Without a span, a parent that is not among the spans."""

    span: ReadableSpan | None
    context: SpanContext | None
    children: list[SpanNode] = field(default_factory=list)


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
    nodes = [SpanNode(span, span.context) for span in spans]
    by_key: dict[SpanKey, SpanNode] = {}
    for node in nodes:
        if node.context is not None:
            by_key.setdefault(span_key(node.context), node)
    roots: list[SpanNode] = []
    siblings_of: dict[int, list[SpanNode]] = {}
    for node in nodes:
        parent = node.span.parent if node.span is not None else None
        if parent is None:
            siblings = roots
        else:
            parent_node = by_key.get(span_key(parent))
            if parent_node is None:
                parent_node = by_key[span_key(parent)] = SpanNode(None, parent)
                roots.append(parent_node)
            siblings = parent_node.children
        siblings.append(node)
        siblings_of[id(node)] = siblings
    yield roots
    reached = {id(node) for node in walk_nodes(roots)}
    for node in nodes:  # the rest are cycles of parents: each starts with its oldest span
        if id(node) not in reached:
            siblings_of[id(node)].remove(node)
            yield [node]
            reached.update(id(inner) for inner in walk_nodes([node]))


def walk_nodes(nodes: Iterable[SpanNode]) -> Iterator[SpanNode]:
    """The nodes and their descendants, depth first. Not recursive: calls may be nested deeper than Python's stack."""
    stack = [*nodes][::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def link_kind(link: Link) -> tuple[str | None, dict[str, object]]:
    """The kind of a link, if it has one, and its other attributes."""
    attributes: dict[str, object] = dict(link.attributes or {})
    key = next((key for key in attributes if key.endswith("link.kind")), None)
    return (None if key is None else str(attributes.pop(key))), attributes
