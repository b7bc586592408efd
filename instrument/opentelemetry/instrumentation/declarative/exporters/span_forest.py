"""Which span stands below which, in order of start. Whatever shows traces as trees reads them by this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext

SpanKey = tuple[int, int]  # (trace id, span id)


@dataclass(slots=True, eq=False)
class Node:
    """A span and what stands below it; or, without a span, a parent that is not among the spans."""

    span: ReadableSpan | None
    context: SpanContext | None
    below: list[Node] = field(default_factory=list)


def key_of(context: SpanContext) -> SpanKey:
    return context.trace_id, context.span_id


def started(span: ReadableSpan) -> int:
    return span.start_time or 0


def traces(spans: Iterable[ReadableSpan]) -> dict[int, list[ReadableSpan]]:
    """The spans of each trace in order of start, the oldest trace first. What starts at once stays as it was."""
    found: dict[int, list[ReadableSpan]] = {}
    for span in sorted(spans, key=started):
        found.setdefault(span.context.trace_id if span.context is not None else 0, []).append(span)
    return found


def trees(spans: Iterable[ReadableSpan]) -> Iterator[list[Node]]:
    """The trees of one trace, whose spans are given in order of start; and each circle of parents on its own."""
    nodes = [Node(span, span.context) for span in spans]
    known: dict[SpanKey, Node] = {}
    for node in nodes:
        if node.context is not None:
            known.setdefault(key_of(node.context), node)
    found: list[Node] = []
    holders: dict[int, list[Node]] = {}
    for node in nodes:
        parent = node.span.parent if node.span is not None else None
        if parent is None:
            holder = found
        else:
            above = known.get(key_of(parent))
            if above is None:
                above = known[key_of(parent)] = Node(None, parent)
                found.append(above)
            holder = above.below
        holder.append(node)
        holders[id(node)] = holder
    yield found
    reached = {id(node) for node in walk(found)}
    for node in nodes:  # parents in a circle: begin with the oldest of what is left
        if id(node) not in reached:
            holders[id(node)].remove(node)
            yield [node]
            reached.update(id(below) for below in walk([node]))


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes and all below them, depth first: calls may be nested deeper than Python's own stack allows."""
    stack = [*nodes][::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.below))


def link_kind(link: Link) -> tuple[str | None, dict[str, object]]:
    """The kind of a link, if it has one, and its other attributes."""
    attributes: dict[str, object] = dict(link.attributes or {})
    key = next((key for key in attributes if key.endswith("link.kind")), None)
    return (None if key is None else str(attributes.pop(key))), attributes
