"""Spans to the lines of a tree that is the same at every run: without ids and times."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from opentelemetry.instrumentation.declarative.exporters import span_forest as nodes
from opentelemetry.instrumentation.declarative.testing.lines import (
    ANY,
    Line,
    attribute,
    name_text,
    sentence,
    walk,
    write,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

#: Where a program lies and which lines of it have run is no part of what a rule does.
_NEVER_SHOWN = ("exception.stacktrace", "exception.escaped")


def read(
    spans: Sequence[ReadableSpan], foreign: Collection[int] = (), mask: Sequence[str] = (), by_name: bool = False
) -> list[Line]:
    """The trees of spans that are given in the order in which they were started.

    ``foreign``: by ``id()``, spans that somebody else has started, which only are parents of ours. ``mask``: patterns
    of attributes whose values are not told. ``by_name``: siblings stand in the order of their texts.
    """
    reading = _Reading(spans, foreign, mask)
    found = [
        line for trace in nodes.traces(spans).values() for roots in nodes.trees(trace) for line in reading.lines(roots)
    ]
    return _by_name(found) if by_name else found


class _Reading:
    def __init__(self, spans: Sequence[ReadableSpan], foreign: Collection[int], mask: Sequence[str]) -> None:
        self._foreign = foreign
        self._mask = mask
        self._targets = _targets(spans)

    def lines(self, roots: Sequence[nodes.Node]) -> list[Line]:
        found: list[Line] = []
        stack = [(node, found) for node in reversed(roots)]
        while stack:
            node, place = stack.pop()
            if node.span is not None:
                line = self._span(node.span)
            elif all(id(below.span) in self._foreign for below in node.below):
                stack.extend((below, place) for below in reversed(node.below))
                continue
            else:
                assert node.context is not None
                line = Line("span", "(in another process)" if node.context.is_remote else "(not recorded)")
            place.append(line)
            stack.extend((below, line.below) for below in reversed(node.below))
        return found

    def _span(self, span: ReadableSpan) -> Line:
        if id(span) in self._foreign:
            return Line("span", f"({sentence(span.name)}, not recorded)")
        status, flags = span.status, []
        if span.kind is not SpanKind.INTERNAL:
            flags.append(span.kind.name.lower())
        if status.status_code is StatusCode.OK:
            flags.append("ok")
        if span.end_time is None:
            flags.append("open")
        line = Line("span", name_text(span.name), tuple(flags), self._attributes(span.attributes or {}))
        if status.status_code is StatusCode.ERROR:
            line.below.append(Line("error", sentence(status.description or "")))
        for event in span.events:
            line.below.append(Line("event", sentence(event.name), below=self._attributes(event.attributes or {})))
        for link in span.links:
            kind, rest = nodes.link_kind(link)
            target = self._targets.get(nodes.key_of(link.context))
            if target is None:
                target = "(in another process)" if link.context.is_remote else "(not recorded)"
            text = f"{sentence(kind)} → {target}" if kind else f"→ {target}"
            line.below.append(Line("link", text, below=self._attributes(rest)))
        return line

    def _attributes(self, attributes: Mapping[str, object]) -> list[Line]:
        return [
            attribute(key, ANY if any(fnmatch.fnmatchcase(key, mask) for mask in self._mask) else value)
            for key, value in attributes.items()
            if key not in _NEVER_SHOWN
        ]


def _targets(spans: Sequence[ReadableSpan]) -> dict[nodes.SpanKey, str]:
    """What links call each span: its name and, where others have it too, which of these it is in order of start."""
    count, seen = Counter(span.name for span in spans), Counter[str]()
    found: dict[nodes.SpanKey, str] = {}
    for trace in nodes.traces(spans).values():
        for span in trace:
            seen[span.name] += 1
            number = f" #{seen[span.name]}" if count[span.name] > 1 else ""
            if span.context is not None:
                found[nodes.key_of(span.context)] = (sentence(span.name) or '""') + number
    return found


def _by_name(lines: list[Line]) -> list[Line]:
    """The same lines with sibling spans in the order of their texts, the deepest first."""
    for line, _ in reversed([*walk(lines)]):
        spans = line.those("span")
        line.below = [each for each in line.below if each.role != "span"] + sorted(spans, key=_text)
    return sorted(lines, key=_text)


def _text(line: Line) -> str:
    return write([line])
