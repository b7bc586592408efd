"""Traces as trees in the terminal: ``OTEL_TRACES_EXPORTER=tree opentelemetry-instrument python app.py``.

Only the OpenTelemetry SDK loads this module (entry point ``tree``), so it may import the SDK; nothing else here does.
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

from opentelemetry.instrumentation.declarative.exporters.span_forest import (
    Node,
    SpanKey,
    key_of,
    link_kind,
    started,
    traces,
    trees,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

__all__ = ["TreeSpanExporter", "render"]

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
    """A piece of text that is not broken over two lines, and how it is coloured."""

    text: str
    style: str = ""


class TreeSpanExporter(SpanExporter):
    """Keeps the finished spans and prints them as trees when the process ends.

    Args:
        out: where to print; standard output, as it is at that moment, if not given.
        max_spans: how many spans are kept; of those that come after them only the number is kept.
    """

    def __init__(self, out: TextIO | None = None, *, max_spans: int = MAX_SPANS) -> None:
        self._out = out
        self._max_spans = max_spans
        self._forget()
        if hasattr(os, "register_at_fork"):
            itself = weakref.ref(self)

            def forget_in_child() -> None:
                if (exporter := itself()) is not None:
                    exporter._forget()

            os.register_at_fork(after_in_child=forget_in_child)  # the parent prints what it had before the fork

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[ReadableSpan] = []
        self._left_out = 0
        self._closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep the spans for the end."""
        with self._lock:
            if self._closed:
                return SpanExportResult.FAILURE
            room = max(self._max_spans - len(self._spans), 0)
            self._spans.extend(spans[:room])
            self._left_out += len(spans[room:])
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing: a tree is printed when all of it is there."""
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
            if self._left_out:
                text += f"\n{self._left_out:,} more spans are not shown: only the first {self._max_spans:,} are kept.\n"
            out.write("\n" + _fit_encoding(text, out))
            out.flush()
        except (OSError, ValueError) as error:  # a closed pipe or stream: the program must still end well
            _logger.warning("Cannot print the traces (%d spans): %s", len(spans), error)


def render(spans: Sequence[ReadableSpan], color: bool = False, *, width: int = DEFAULT_WIDTH) -> str:
    """Draw the spans as trees, one for each trace, the oldest first."""
    known = {key_of(span.context): span for span in spans if span.context is not None}
    drawing = _Drawing(known, _short_ids({trace_id for trace_id, _ in known}), color, max(width, _NARROWEST))
    found = traces(spans)
    return "\n".join("".join(f"{line}\n" for line in drawing.trace(*trace)) for trace in found.items())


class _Drawing:
    """What all lines of one drawing share."""

    def __init__(
        self, known: Mapping[SpanKey, ReadableSpan], short_ids: Mapping[int, str], color: bool, width: int
    ) -> None:
        self._known = known
        self._short_ids = short_ids
        self._color = color
        self._width = width

    def trace(self, trace_id: int, spans: Sequence[ReadableSpan]) -> Iterator[str]:
        """The lines of one trace; ``spans`` are in order of start."""
        took = max(span.end_time or started(span) for span in spans) - started(spans[0])
        count = "1 span" if len(spans) == 1 else f"{len(spans)} spans"
        heading = f"trace {self._short_ids.get(trace_id, '?')} · {_milliseconds(took)} · {count}"
        yield from self._lines([_Word(heading, "heading")], "", "  ")

        for roots in trees(spans):
            yield from self._tree(roots)

    def _tree(self, roots: Sequence[Node]) -> Iterator[str]:
        """Depth first and without recursion: calls may be nested deeper than Python's own stack allows."""
        stack = [(node, 1, "", number == 0) for number, node in enumerate(reversed(roots))]
        while stack:
            node, depth, indent, is_last = stack.pop()
            deep = len(indent) > self._width // 2
            inner = indent if deep else indent + ("   " if is_last else "│  ")
            bar = inner + ("│ " if node.below else "  ")
            head, *details = [_absent(node.context)] if node.span is None else self._span(node.span)
            if deep:
                head.insert(0, _Word(f"({depth} deep)", "dim"))
            yield from self._lines(head, indent + ("└─ " if is_last else "├─ "), bar + "  ")
            for detail in details:
                yield from self._lines(detail, bar, bar + "  ")
            stack.extend((below, depth + 1, inner, number == 0) for number, below in enumerate(reversed(node.below)))

    def _span(self, span: ReadableSpan) -> Iterator[list[_Word]]:
        """The lines of a span, not yet wrapped: its head, attributes, events and links."""
        head = _words(span.name, "name")
        if span.kind is not SpanKind.INTERNAL:
            head.append(_Word(f"· {span.kind.name.lower()}"))
        if span.end_time is None:
            head.append(_Word("· still open"))
        else:
            head.append(_Word(f"· {_milliseconds(span.end_time - started(span))}"))
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
        target = self._known.get(key_of(link.context))
        where = target.name if target is not None else f"span {link.context.span_id:016x}"
        short_id = self._short_ids.get(link.context.trace_id)
        trace = f"[{short_id}]" if short_id is not None else f"of trace {link.context.trace_id:032x}"
        return [_Word("↪", "link"), *label, _Word("→", "link"), *_words(where), *_words(trace, "link"), *rest]

    def _lines(self, words: Sequence[_Word], first: str, following: str) -> Iterator[str]:
        """Wrap the words into lines that begin with ``first`` and, from the second on, with ``following``."""
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


def _absent(context: SpanContext | None) -> list[_Word]:
    """What is said of a parent that is not among the spans."""
    assert context is not None
    where = "is in another process" if context.is_remote else "has not ended or is not kept"
    return [_Word(f"parent {context.span_id:016x} {where}", "dim")]


def _milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.2f} ms"


def _short_ids(trace_ids: Iterable[int]) -> dict[int, str]:
    """The shortest beginnings, of at least four digits, that tell the traces apart."""
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
    text = _printable(text[: MAX_VALUE + 1])  # its beginning is enough: what a model said may be very long
    if isinstance(value, str) and (not text or any(character in " =\"'" for character in text)):
        quote = "'" if '"' in text else '"'
        return _shortened(f"{quote}{text}", MAX_VALUE - 1) + quote
    return _shortened(text, MAX_VALUE)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _printable(text: str) -> str:
    """Escape what could move the cursor, colour the terminal or not be encoded."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _fit_encoding(text: str, out: TextIO) -> str:
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text
