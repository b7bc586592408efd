"""Prints traces as trees in the terminal: ``OTEL_TRACES_EXPORTER=tree opentelemetry-instrument python app.py``.

The OpenTelemetry SDK loads this module by the entry point ``tree``.
"""

import json
import logging
import os
import shutil
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TextIO

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.exporters.span_forest import (
    SpanKey,
    SpanNode,
    link_kind,
    span_key,
    span_trees,
    spans_by_trace,
    start_time,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

__all__ = ["TreeSpanExporter", "add_tree_exporter", "render"]

_logger = logging.getLogger(__name__)

MAX_SPANS = 10_000
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
_PLAIN = str.maketrans({"├": "+", "└": "`", "│": "|", "─": "-", "•": "*", "↪": "->", "→": "->", "…": "...", "·": "-"})


class _Word(NamedTuple):
    """A text that is not wrapped, and its style."""

    text: str
    style: str = ""


class TreeSpanExporter(SpanExporter):
    """Keeps the ended spans and prints them as trees when the process exits.

    Args:
        out: the stream to print to; by default, standard output at that time.
        max_spans: how many spans are kept; further spans are only counted.
    """

    def __init__(self, out: TextIO | None = None, *, max_spans: int = MAX_SPANS) -> None:
        self._out = out
        self._max_spans = max_spans
        self._clear()
        if hasattr(os, "register_at_fork"):
            weak_self = weakref.ref(self)

            def clear_in_child() -> None:
                if (exporter := weak_self()) is not None:
                    exporter._clear()

            os.register_at_fork(after_in_child=clear_in_child)  # the parent prints the spans from before the fork

    def _clear(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[ReadableSpan] = []
        self._dropped = 0
        self._closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep the spans until the shutdown."""
        with self._lock:
            if self._closed:
                return SpanExportResult.FAILURE
            free = max(self._max_spans - len(self._spans), 0)
            self._spans.extend(spans[:free])
            self._dropped += len(spans[free:])
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing: trees are printed when they are complete."""
        return True

    def shutdown(self) -> None:
        """Print all traces, once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            spans, self._spans = self._spans, []
        out = self._out if self._out is not None else sys.stdout
        if out is None or not spans:
            return
        try:
            terminal = out.isatty()
            width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if terminal else DEFAULT_WIDTH
            text = render(spans, terminal and not os.environ.get("NO_COLOR"), width=width)
            if self._dropped:
                text += f"\n{self._dropped:,} more spans are not shown: only the first {self._max_spans:,} are kept.\n"
            out.write("\n" + _fit_encoding(text, out))
            out.flush()
        except (OSError, ValueError) as error:  # a closed pipe or stream must not affect the exit of the program
            _logger.warning("Cannot print the traces (%d spans): %s", len(spans), error)


def add_tree_exporter() -> None:
    """Add the exporter to the global tracer provider. Sets one of the SDK if there is none."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(TreeSpanExporter()))


def render(spans: Sequence[ReadableSpan], color: bool = False, *, width: int = DEFAULT_WIDTH) -> str:
    """Draw the spans as trees, one for each trace, the oldest first."""
    by_key = {span_key(span.context): span for span in spans if span.context is not None}
    drawing = _Drawing(by_key, _short_ids({trace_id for trace_id, _ in by_key}), color, max(width, _NARROWEST))
    traces = spans_by_trace(spans)
    return "\n".join("".join(f"{line}\n" for line in drawing.trace(*each)) for each in traces.items())


class _Drawing:
    """Draws the lines of traces. ``by_key`` has all spans, as targets of links."""

    def __init__(
        self, by_key: Mapping[SpanKey, ReadableSpan], short_ids: Mapping[int, str], color: bool, width: int
    ) -> None:
        self._by_key = by_key
        self._short_ids = short_ids
        self._color = color
        self._width = width

    def trace(self, trace_id: int, spans: Sequence[ReadableSpan]) -> Iterator[str]:
        """The lines of one trace; ``spans`` are in order of start."""
        duration = max(span.end_time or start_time(span) for span in spans) - start_time(spans[0])
        count = "1 span" if len(spans) == 1 else f"{len(spans)} spans"
        heading = f"trace {self._short_ids.get(trace_id, '?')} · {_milliseconds(duration)} · {count}"
        yield from self._lines([_Word(heading, "heading")], "", "  ")

        for roots in span_trees(spans):
            yield from self._tree(roots)

    def _tree(self, roots: Sequence[SpanNode]) -> Iterator[str]:
        """The lines of a tree. Not recursive: calls may be nested deeper than Python's stack."""
        stack = [(node, 1, "", number == 0) for number, node in enumerate(reversed(roots))]
        while stack:
            node, depth, indent, is_last = stack.pop()
            is_deep = len(indent) > self._width // 2
            inner = indent if is_deep else indent + ("   " if is_last else "│  ")
            bar = inner + ("│ " if node.children else "  ")
            head, *details = [_missing_parent(node.context)] if node.span is None else self._span(node.span)
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
        target = self._by_key.get(span_key(link.context))
        target_label = target.name if target is not None else f"span {link.context.span_id:016x}"
        short_id = self._short_ids.get(link.context.trace_id)
        trace_label = f"[{short_id}]" if short_id is not None else f"of trace {link.context.trace_id:032x}"
        target_words = [*_words(target_label), *_words(trace_label, "link")]
        return [_Word("↪", "link"), *label, _Word("→", "link"), *target_words, *rest]

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


def _missing_parent(context: SpanContext | None) -> list[_Word]:
    """The line of a parent that is not among the spans."""
    assert context is not None
    reason = "is in another process" if context.is_remote else "has not ended or is not kept"
    return [_Word(f"parent {context.span_id:016x} {reason}", "dim")]


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


def _fit_encoding(text: str, out: TextIO) -> str:
    """Replace characters that the encoding of the stream does not have."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text
