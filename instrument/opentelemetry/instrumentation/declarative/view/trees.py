"""Traces as trees in text, with links in both directions, offsets and durations; similar siblings are folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.diagnostics.problems import counted
from opentelemetry.instrumentation.declarative.exporters.forest import Node, arrange, walk
from opentelemetry.instrumentation.declarative.exporters.tree_text import (
    TreeText,
    Word,
    distinct_prefixes,
    pairs,
    shortened,
    words,
)
from opentelemetry.instrumentation.declarative.view.conventions import link_kind
from opentelemetry.instrumentation.declarative.view.relations import Relations
from opentelemetry.instrumentation.declarative.view.spans import Link, Span
from opentelemetry.instrumentation.declarative.view.times import duration_text

#: Similar siblings in a row from which on they are folded.
_FOLDED = 3
#: Backward links of the same kind from which on they are only counted.
_COUNTED = 4
_MAX_ERROR = 300


@dataclass(slots=True, eq=False)
class _Shown:
    """A span, and similar ones after it that are folded into its line."""

    span: Span
    others: list[Span]


class TraceTrees:
    """Draws traces."""

    def __init__(self, relations: Relations, text: TreeText, *, attributes: bool = False, fold: bool = True) -> None:
        self._relations = relations
        self._text = text
        self._attributes = attributes
        self._fold = fold
        self._short_ids = distinct_prefixes(relations.traces)

    def short_id(self, trace_id: str) -> str:
        return self._short_ids.get(trace_id, trace_id)

    def trace(self, spans: Sequence[Span]) -> Iterator[str]:
        """The lines of a trace; ``spans`` are in order of start."""
        start = spans[0].start
        duration = max(span.latest for span in spans) - start
        facts = [f"trace {self.short_id(spans[0].trace_id)}", duration_text(duration), counted(len(spans), "span")]
        failed, open_spans = sum(span.is_error for span in spans), sum(span.end is None for span in spans)
        facts += [f"{failed} failed"] * bool(failed) + [f"{open_spans} open"] * bool(open_spans)
        yield from self._text.lines([Word(" · ".join(facts), "heading")])
        for roots in arrange(spans, lambda span: span.key, lambda span: span.parent_key):
            shown = self._folded(roots)
            yield from self._text.tree(shown, lambda node: self._node(node, start))

    # ── Folding ──

    def _folded(self, roots: list[Node[Span]]) -> list[Node[_Shown]]:
        """The same trees, with similar siblings in a row as one node. Not recursive."""
        shapes = _shapes(roots) if self._fold else {}
        result: list[Node[_Shown]] = []
        stack = [(roots, result)]
        while stack:
            siblings, target = stack.pop()
            position = 0
            while position < len(siblings):
                node = siblings[position]
                row = _row(siblings, position, shapes)
                position += len(row)
                others = [each.item for each in row[1:] if each.item is not None]
                copy = Node(None if node.item is None else _Shown(node.item, others))
                target.append(copy)
                stack.append((node.children, copy.children))
        return result

    # ── The lines of a span ──

    def _node(self, node: Node[_Shown], start: int) -> Iterator[list[Word]]:
        if node.item is None:
            child = node.children[0].item
            parent_id = child.span.parent_id if child is not None else ""
            yield [Word(f"parent {parent_id} is not among these spans", "dim")]
            return
        span = node.item.span
        yield self._head(span, start)
        if node.item.others:
            yield self._others(node.item)
        if self._attributes and span.attributes:
            yield pairs(span.attributes)
        for event in span.events:
            if self._attributes or event.name == "exception":
                yield [Word("•", "event"), *words(event.name, "event"), *pairs(event.attributes)]
        for link in span.links:
            yield self._link(link)
        yield from self._linked_from(span)

    def _head(self, span: Span, start: int) -> list[Word]:
        head = words(span.name, "name")
        if span.kind != "internal":
            head.append(Word(f"· {span.kind}"))
        head.append(Word(f"· +{duration_text(max(span.start - start, 0))}", "dim"))
        head.append(Word("· OPEN", "event") if span.duration is None else Word(f"· {duration_text(span.duration)}"))
        if span.is_error:
            head.append(Word("· ERROR", "error"))
            head.extend(words(shortened(span.error_text, _MAX_ERROR), "error"))
        return head

    def _others(self, shown: _Shown) -> list[Word]:
        durations = [span.duration or 0 for span in (shown.span, *shown.others)]
        total, shortest, longest = (duration_text(each(durations)) for each in (sum, min, max))
        return words(f"× {len(durations):,} similar · {total} in all · {shortest} to {longest}", "event")

    def _link(self, link: Link) -> list[Word]:
        target = self._relations.span(link.key)
        kind = words(link_kind(link.attributes), "link")
        name = words(target.name) if target is not None else [Word(f"span {link.span_id}, which is not among these")]
        return [Word("↪", "link"), *kind, Word("→", "link"), *name, self._trace_label(link.trace_id)]

    def _linked_from(self, span: Span) -> Iterator[list[Word]]:
        found = self._relations.linked_from(span)
        counts = Counter((link_kind(link.attributes), source.name) for source, link in found)
        for source, link in found:
            kind = link_kind(link.attributes)
            count = counts.get((kind, source.name), 0)
            arrow = [Word("↩", "link"), *words(kind, "link"), Word("←", "link")]
            if count >= _COUNTED:
                counts[kind, source.name] = 0
                yield [*arrow, Word(f"{count:,} ×"), *words(source.name)]
            elif count:
                yield [*arrow, *words(source.name), self._trace_label(source.trace_id)]

    def _trace_label(self, trace_id: str) -> Word:
        return Word(f"[{self.short_id(trace_id)}]", "link")


def _shapes(roots: list[Node[Span]]) -> dict[int, object]:
    """What siblings must have in common to be folded, by the ``id()`` of their nodes; 0 if one is not folded."""
    shapes: dict[int, object] = {}
    for node in reversed(list(walk(roots))):
        below = tuple(shapes[id(child)] for child in node.children)
        span = node.item
        if span is None or span.is_error or span.end is None or 0 in below:
            shapes[id(node)] = 0
        else:
            shapes[id(node)] = hash((span.name, span.kind, below)) or 1
    return shapes


def _row(siblings: list[Node[Span]], position: int, shapes: dict[int, object]) -> list[Node[Span]]:
    """The node at a position, and the similar ones after it if there are enough."""
    shape = shapes.get(id(siblings[position]), 0)
    end = position + 1
    while shape and end < len(siblings) and shapes[id(siblings[end])] == shape:
        end += 1
    return siblings[position : end if end - position >= _FOLDED else position + 1]
