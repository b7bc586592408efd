"""Draws traces as trees, in text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.exporters.pending_records import AGE, NAME, START
from opentelemetry.instrumentation.declarative.exporters.span_forest import (
    SpanKey,
    SpanNode,
    link_kind,
    span_key,
    span_trees,
    spans_by_trace,
    start_time,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

MAX_VALUE = 60
MAX_DESCRIPTION = 300
DEFAULT_WIDTH = 110
_NARROWEST = 40

_STYLES = {
    "name": "\x1b[1m",
    "dim": "\x1b[2m",
    "error": "\x1b[1;31m",
    "event": "\x1b[33m",
    "link": "\x1b[36m",
    "heading": "\x1b[1;4m",
}
_RESET = "\x1b[0m"


class _Word(NamedTuple):
    """A text that is not wrapped, and its style."""

    text: str
    style: str = ""


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
    known = Known(names.get, missing_parent, _short_ids({trace_id for trace_id, _ in names}).get)
    traces = spans_by_trace(spans).values()
    return "\n".join(draw_trace(each, known, color, width=width) for each in traces)


def draw_trace(
    spans: Sequence[ReadableSpan], known: Known, color: bool = False, *, width: int = DEFAULT_WIDTH, note: str = ""
) -> str:
    """Draw the spans of one trace, which are in order of start. ``note`` is added to the heading."""
    lines = _Drawing(known, color, max(width, _NARROWEST)).trace(spans, note)
    return "".join(f"{line}\n" for line in lines)


def draw_pending(record: ReadableSpan, trace_id: str, color: bool = False, *, width: int = DEFAULT_WIDTH) -> str:
    """Draw the record of a span that is still open. ``trace_id`` is the shortened id of its trace."""
    lines = _Drawing(_UNKNOWN, color, max(width, _NARROWEST)).pending(record, trace_id)
    return "".join(f"{line}\n" for line in lines)


def missing_parent(context: SpanContext) -> str:
    """Why a parent is not drawn, if nothing is known of it."""
    return "is in another process" if context.is_remote else "has not ended or is not recorded in this process"


_UNKNOWN = Known(lambda _: None, missing_parent, lambda _: None)


class _Drawing:
    """Draws the lines of a trace."""

    def __init__(self, known: Known, color: bool, width: int) -> None:
        self._known = known
        self._color = color
        self._width = width

    def trace(self, spans: Sequence[ReadableSpan], note: str) -> Iterator[str]:
        """The lines of one trace; ``spans`` are in order of start."""
        context = spans[0].context
        short_id = self._known.short_id(context.trace_id) if context is not None else None
        duration = max(span.end_time or start_time(span) for span in spans) - start_time(spans[0])
        count = "1 span" if len(spans) == 1 else f"{len(spans):,} spans"
        heading = f"trace {short_id or '?'} · {_milliseconds(duration)} · {count}"
        yield from self._lines([_Word(heading + note, "heading")], "", "  ")

        for roots in span_trees(spans):
            yield from self._tree(roots)

    def pending(self, record: ReadableSpan, trace_id: str) -> Iterator[str]:
        """The lines of a pending record."""
        attributes = dict(record.attributes or {})
        name, age = str(attributes.pop(NAME, record.name)), attributes.pop(AGE, 0)
        attributes.pop(START, None)
        words = [_Word(f"still open after {age:.0f} s:"), *_words(name, "name"), _Word(f"[{trace_id}]", "link")]
        yield from self._lines([*words, *_pairs(attributes)], "", "  ")

    def _tree(self, roots: Sequence[SpanNode]) -> Iterator[str]:
        """The lines of a tree. Not recursive: calls may be nested deeper than Python's stack."""
        stack = [(node, 1, "", number == 0) for number, node in enumerate(reversed(roots))]
        while stack:
            node, depth, indent, is_last = stack.pop()
            is_deep = len(indent) > self._width // 2
            inner = indent if is_deep else indent + ("   " if is_last else "│  ")
            bar = inner + ("│ " if node.children else "  ")
            head, *details = [self._missing(node.context)] if node.span is None else self._span(node.span)
            if is_deep:
                head.insert(0, _Word(f"({depth} deep)", "dim"))
            yield from self._lines(head, indent + ("└─ " if is_last else "├─ "), bar + "  ")
            for detail in details:
                yield from self._lines(detail, bar, bar + "  ")
            stack.extend((child, depth + 1, inner, number == 0) for number, child in enumerate(reversed(node.children)))

    def _span(self, span: ReadableSpan) -> Iterator[list[_Word]]:
        """The lines of a span before they are wrapped: its head, attributes, events and links."""
        head = _words(span.name, "name")
        if span.kind is not SpanKind.INTERNAL:
            head.append(_Word(f"· {span.kind.name.lower()}"))
        if span.end_time is None:
            head.append(_Word("· still open"))
        else:
            head.append(_Word(f"· {_milliseconds(span.end_time - start_time(span))}"))
        if span.status.status_code is StatusCode.ERROR:
            head.append(_Word("· ERROR", "error"))
            head.extend(_words(_shortened(span.status.description or "", MAX_DESCRIPTION), "error"))
        yield head
        if span.attributes:
            yield _pairs(span.attributes)
        for event in span.events:
            yield [_Word("•", "event"), *_words(event.name, "event"), *_pairs(event.attributes or {})]
        for link in span.links:
            yield self._link(link)

    def _link(self, link: Link) -> list[_Word]:
        name, attributes = link_kind(link)
        kind = [] if name is None else _words(name, "link")
        pairs = _pairs(attributes)
        label, rest = (kind, pairs) if kind else (pairs, [])
        target_name = self._known.name(span_key(link.context))
        target_label = target_name if target_name is not None else f"span {link.context.span_id:016x}"
        short_id = self._known.short_id(link.context.trace_id)
        trace_label = f"[{short_id}]" if short_id is not None else f"of trace {link.context.trace_id:032x}"
        target_words = [*_words(target_label), *_words(trace_label, "link")]
        return [_Word("↪", "link"), *label, _Word("→", "link"), *target_words, *rest]

    def _missing(self, context: SpanContext | None) -> list[_Word]:
        """The line of a parent that is not among the spans."""
        assert context is not None
        name = self._known.name(span_key(context)) or f"{context.span_id:016x}"
        return [_Word(f"parent {_printable(name)} {self._known.missing(context)}", "dim")]

    def _lines(self, words: Sequence[_Word], first: str, following: str) -> Iterator[str]:
        """Wrap words into lines. The first line starts with ``first``, the others with ``following``."""
        prefix, line, used = first, "", 0
        room = max(self._width - len(following), _NARROWEST // 2)
        for word in words:
            text = _shortened(word.text, room)
            if used and used + 1 + len(text) > room:
                yield self._styled(prefix, "dim") + line
                prefix, line, used = following, "", 0
            line += (" " if used else "") + self._styled(text, word.style)
            used += len(text) + bool(used)
        yield self._styled(prefix, "dim") + line

    def _styled(self, text: str, style: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self._color and style and text.strip() else text


def _milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.2f} ms"


def _short_ids(trace_ids: Iterable[int]) -> dict[int, str]:
    """The shortest prefixes of at least four digits that distinguish the traces."""
    full = {trace_id: f"{trace_id:032x}" for trace_id in trace_ids}
    for length in range(4, 32):
        if len({text[:length] for text in full.values()}) == len(full):
            return {trace_id: text[:length] for trace_id, text in full.items()}
    return full


def _words(text: str, style: str = "") -> list[_Word]:
    return [_Word(_printable(word), style) for word in text.split()]


def _pairs(attributes: Mapping[str, object]) -> list[_Word]:
    return [_Word(f"{_printable(key)}={_value(key, value)}", "dim") for key, value in attributes.items()]


def _value(key: str, value: object) -> str:
    if key == "exception.stacktrace":
        return f"({len(str(value).splitlines())} lines)"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = _printable(text[: MAX_VALUE + 1])  # the rest is cut anyway, and a message of a model may be very long
    if isinstance(value, str) and (not text or any(character in " =\"'" for character in text)):
        quote = "'" if '"' in text else '"'
        return _shortened(f"{quote}{text}", MAX_VALUE - 1) + quote
    return _shortened(text, MAX_VALUE)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _printable(text: str) -> str:
    """Escape characters that could move the cursor, colour the terminal or not be encoded."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
