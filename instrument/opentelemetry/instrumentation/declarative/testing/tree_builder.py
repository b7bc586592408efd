"""Builds the tree of a trace, which is the same in every run: without ids and times."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from opentelemetry.instrumentation.declarative.exporters.span_forest import (
    SpanKey,
    SpanNode,
    link_kind,
    missing_context,
    span_key,
    span_trees,
    spans_by_trace,
)
from opentelemetry.instrumentation.declarative.testing.tree_text import (
    ANY,
    TreeLine,
    attribute_line,
    name_text,
    text_after_sign,
    walk_lines,
    write_tree,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

#: These depend on the folder and the lines of the program, not on a rule.
_OMITTED = ("exception.stacktrace", "exception.escaped")


def build_tree(
    spans: Sequence[ReadableSpan], foreign: Collection[int] = (), mask: Sequence[str] = (), by_name: bool = False
) -> list[TreeLine]:
    """The trees of spans that are in the order of their starts.

    Args:
        foreign: the ``id()`` of each span of another provider. They are shown only as parents of other spans.
        mask: patterns of attributes whose values are not shown.
        by_name: sort siblings by their texts.
    """
    builder = _TreeBuilder(spans, foreign, mask)
    lines = [
        line for trace in spans_by_trace(spans).values() for roots in span_trees(trace) for line in builder.lines(roots)
    ]
    return _sorted_by_text(lines) if by_name else lines


class _TreeBuilder:
    def __init__(self, spans: Sequence[ReadableSpan], foreign: Collection[int], mask: Sequence[str]) -> None:
        self._foreign = foreign
        self._mask = mask
        self._labels = _link_labels(spans)

    def lines(self, roots: Sequence[SpanNode]) -> list[TreeLine]:
        result: list[TreeLine] = []
        stack = [(node, result) for node in reversed(roots)]
        while stack:
            node, siblings = stack.pop()
            if node.item is not None:
                line = self._span_line(node.item)
            elif all(id(child.item) in self._foreign for child in node.children):
                stack.extend((child, siblings) for child in reversed(node.children))
                continue
            else:
                line = TreeLine("span", _unknown(missing_context(node)))
            siblings.append(line)
            stack.extend((child, line.children) for child in reversed(node.children))
        return result

    def _span_line(self, span: ReadableSpan) -> TreeLine:
        if id(span) in self._foreign:
            return TreeLine("span", f"({text_after_sign(span.name)}, not recorded)")
        status, flags = span.status, []
        if span.kind is not SpanKind.INTERNAL:
            flags.append(span.kind.name.lower())
        if status.status_code is StatusCode.OK:
            flags.append("ok")
        if span.end_time is None:
            flags.append("open")
        line = TreeLine("span", name_text(span.name), tuple(flags), self._attribute_lines(span.attributes or {}))
        if status.status_code is StatusCode.ERROR:
            line.children.append(TreeLine("error", text_after_sign(status.description or "")))
        for event in span.events:
            attributes = self._attribute_lines(event.attributes or {})
            line.children.append(TreeLine("event", text_after_sign(event.name), children=attributes))
        for link in span.links:
            kind, rest = link_kind(link)
            target = self._labels.get(span_key(link.context)) or _unknown(link.context)
            text = f"{text_after_sign(kind)} → {target}" if kind else f"→ {target}"
            line.children.append(TreeLine("link", text, children=self._attribute_lines(rest)))
        return line

    def _attribute_lines(self, attributes: Mapping[str, object]) -> list[TreeLine]:
        return [
            attribute_line(key, ANY if any(fnmatch.fnmatchcase(key, mask) for mask in self._mask) else value)
            for key, value in attributes.items()
            if key not in _OMITTED
        ]


def _unknown(context: SpanContext) -> str:
    """The text for a span that has not been recorded."""
    return "(in another process)" if context.is_remote else "(not recorded)"


def _link_labels(spans: Sequence[ReadableSpan]) -> dict[SpanKey, str]:
    """The label of each span as a target of links: its name and, if several spans have it, its number."""
    count, seen = Counter(span.name for span in spans), Counter[str]()
    labels: dict[SpanKey, str] = {}
    for trace in spans_by_trace(spans).values():
        for span in trace:
            seen[span.name] += 1
            number = f" #{seen[span.name]}" if count[span.name] > 1 else ""
            if span.context is not None:
                labels[span_key(span.context)] = (text_after_sign(span.name) or '""') + number
    return labels


def _sorted_by_text(lines: list[TreeLine]) -> list[TreeLine]:
    """The same lines with sibling spans sorted by their texts, from the deepest level up."""
    for line, _ in reversed([*walk_lines(lines)]):
        spans = line.children_of_role("span")
        line.children = [each for each in line.children if each.role != "span"] + sorted(spans, key=_text)
    return sorted(lines, key=_text)


def _text(line: TreeLine) -> str:
    return write_tree([line])
