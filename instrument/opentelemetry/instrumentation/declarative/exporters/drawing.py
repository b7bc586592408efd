"""Draws traces as trees, in text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import counted, printable
from opentelemetry.instrumentation.declarative.exporters.pending_attributes import AGE, NAME, PARENT, START
from opentelemetry.instrumentation.declarative.exporters.span_forest import (
    SpanKey,
    SpanNode,
    link_kind,
    missing_context,
    span_key,
    span_trees,
    spans_by_trace,
    start_time,
)
from opentelemetry.instrumentation.declarative.exporters.tree_text import (
    TreeText,
    Word,
    distinct_prefixes,
    milliseconds,
    pairs,
    shortened,
    words,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

MAX_DESCRIPTION = 300
DEFAULT_WIDTH = 110


class Known(NamedTuple):
    """What is known of spans that are drawn elsewhere."""

    #: The name of a span; None if it is not known.
    name: Callable[[SpanKey], str | None]
    #: Why a parent is not drawn with its children.
    missing: Callable[[SpanContext], str]
    #: The short id of a trace; None if no span of it is known.
    short_id: Callable[[int], str | None]


def render(spans: Sequence[ReadableSpan], color: bool = False, *, width: int = DEFAULT_WIDTH) -> str:
    """Draw the spans as trees, one for each trace, the oldest first."""
    names = {span_key(span.context): span.name for span in spans if span.context is not None}
    short_ids = distinct_prefixes(_full_id(trace_id) for trace_id, _ in names)
    known = Known(names.get, missing_parent, lambda trace_id: short_ids.get(_full_id(trace_id)))
    traces = spans_by_trace(spans).values()
    return "\n".join(draw_trace(each, known, color, width=width) for each in traces)


def draw_trace(
    spans: Sequence[ReadableSpan], known: Known, color: bool = False, *, width: int = DEFAULT_WIDTH, note: str = ""
) -> str:
    """Draw the spans of one trace, which are in order of start. ``note`` is added to the heading."""
    lines = _Drawing(known, TreeText(color, width)).trace(spans, note)
    return "".join(f"{line}\n" for line in lines)


def draw_pending(record: ReadableSpan, trace_id: str, color: bool = False, *, width: int = DEFAULT_WIDTH) -> str:
    """Draw the record of a span that is still open. ``trace_id`` is the shortened id of its trace."""
    attributes = dict(record.attributes or {})
    name, age = str(attributes.pop(NAME, record.name)), attributes.pop(AGE, 0)
    for key in (START, PARENT):
        attributes.pop(key, None)
    head = [Word(f"still open after {age:.0f} s:"), *words(name, "name"), Word(f"[{trace_id}]", "link")]
    return "".join(f"{line}\n" for line in TreeText(color, width).lines([*head, *pairs(attributes)]))


def missing_parent(context: SpanContext) -> str:
    """Why a parent is not drawn, if nothing is known of it."""
    return "is in another process" if context.is_remote else "has not ended or is not recorded in this process"


class _Drawing:
    """Draws the lines of a trace."""

    def __init__(self, known: Known, text: TreeText) -> None:
        self._known = known
        self._text = text

    def trace(self, spans: Sequence[ReadableSpan], note: str) -> Iterator[str]:
        """The lines of one trace; ``spans`` are in order of start."""
        context = spans[0].context
        short_id = self._known.short_id(context.trace_id) if context is not None else None
        duration = max(span.end_time or start_time(span) for span in spans) - start_time(spans[0])
        heading = f"trace {short_id or '?'} · {milliseconds(duration)} · {counted(len(spans), 'span')}"
        yield from self._text.lines([Word(heading + note, "heading")])
        for roots in span_trees(spans):
            yield from self._text.tree(roots, self._node)

    def _node(self, node: SpanNode) -> Iterator[list[Word]]:
        """The lines of a node before they are wrapped."""
        if node.item is None:
            yield [self._missing(missing_context(node))]
        else:
            yield from self._span(node.item)

    def _span(self, span: ReadableSpan) -> Iterator[list[Word]]:
        """The lines of a span: its head, attributes, events and links."""
        head = words(span.name, "name")
        if span.kind is not SpanKind.INTERNAL:
            head.append(Word(f"· {span.kind.name.lower()}"))
        if span.end_time is None:
            head.append(Word("· still open"))
        else:
            head.append(Word(f"· {milliseconds(span.end_time - start_time(span))}"))
        if span.status.status_code is StatusCode.ERROR:
            head.append(Word("· ERROR", "error"))
            head.extend(words(shortened(span.status.description or "", MAX_DESCRIPTION), "error"))
        yield head
        if span.attributes:
            yield pairs(span.attributes)
        for event in span.events:
            yield [Word("•", "event"), *words(event.name, "event"), *pairs(event.attributes or {})]
        for link in span.links:
            yield self._link(link)

    def _link(self, link: Link) -> list[Word]:
        name, attributes = link_kind(link)
        kind = [] if name is None else words(name, "link")
        rest = pairs(attributes)
        label, after = (kind, rest) if kind else (rest, [])
        target_name = self._known.name(span_key(link.context))
        target_label = target_name if target_name is not None else f"span {link.context.span_id:016x}"
        short_id = self._known.short_id(link.context.trace_id)
        trace_label = f"[{short_id}]" if short_id is not None else f"of trace {link.context.trace_id:032x}"
        target_words = [*words(target_label), *words(trace_label, "link")]
        return [Word("↪", "link"), *label, Word("→", "link"), *target_words, *after]

    def _missing(self, context: SpanContext) -> Word:
        """The line of a parent that is not among the spans."""
        name = self._known.name(span_key(context)) or f"{context.span_id:016x}"
        return Word(f"parent {printable(name)} {self._known.missing(context)}", "dim")


def _full_id(trace_id: int) -> str:
    return f"{trace_id:032x}"
