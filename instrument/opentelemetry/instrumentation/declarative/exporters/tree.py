"""Prints traces as trees in the terminal: ``OTEL_TRACES_EXPORTER=tree opentelemetry-instrument python app.py``.

The OpenTelemetry SDK loads this module by the entry point ``tree``. A trace is printed when its local root has ended:
the span whose parent is not in this process.
"""

from __future__ import annotations

import os
import time
import weakref
from _thread import start_new_thread
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TextIO

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.exporters.drawing import (
    Known,
    draw_pending,
    draw_trace,
    missing_parent,
    render,
)
from opentelemetry.instrumentation.declarative.exporters.pending_records import is_pending_record
from opentelemetry.instrumentation.declarative.exporters.terminal import Terminal, stream_of_process
from opentelemetry.instrumentation.declarative.exporters.unprinted_traces import (
    MAX_SPANS,
    SETTLE,
    TracePart,
    UnprintedTraces,
)
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext

__all__ = ["ConfiguredTreeExporter", "TreeSpanExporter", "TreeSpanProcessor", "add_tree_exporter", "render"]

#: How often, in seconds, to look for traces that have settled.
_INTERVAL = 0.05
#: How many ids of traces are remembered, so that none is shortened to the same text as another.
_MAX_IDS = 10_000


class TreeSpanProcessor(SpanProcessor):
    """Prints each trace when its local root has ended, and what is left when the provider is shut down.

    Args:
        out: the stream to print to; by default, what is standard output now.
        max_spans: how many spans of a trace are printed at once; the others are only counted.
        settle: for how many seconds a trace waits for more spans after the end of its local root.
    """

    def __init__(self, out: TextIO | None = None, *, max_spans: int = MAX_SPANS, settle: float = SETTLE) -> None:
        self._printer = _Printer(out, UnprintedTraces(max_spans, sees_starts=True, settle=settle))

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember that the span is open."""
        if not is_pending_record(span):
            self._printer.print(self._printer.traces.started, span)

    def on_end(self, span: ReadableSpan) -> None:
        """Print the trace if the span is its local root."""
        if is_pending_record(span):
            self._printer.print_pending(span)
        elif span.context is not None and span.context.trace_flags.sampled:
            self._printer.print(self._printer.traces.ended, span)

    def shutdown(self) -> None:
        """Print what is left."""
        self._printer.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Print what has ended with its local root."""
        self._printer.print(self._printer.traces.flush)
        return True


class TreeSpanExporter(SpanExporter):
    """The same for span processors of the SDK. It sees no spans that are open: prefer ``TreeSpanProcessor``."""

    def __init__(self, out: TextIO | None = None, *, max_spans: int = MAX_SPANS) -> None:
        self._printer = _Printer(out, UnprintedTraces(max_spans, sees_starts=False))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Print each trace whose local root is among the spans, with what was exported before."""
        if self._printer.is_closed:
            return SpanExportResult.FAILURE
        for span in spans:
            self._printer.print(self._printer.traces.exported, span)
        return SpanExportResult.SUCCESS if self.force_flush() else SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Print what has ended with its local root."""
        self._printer.print(self._printer.traces.flush)
        return True

    def shutdown(self) -> None:
        """Print what is left."""
        self._printer.close()


class ConfiguredTreeExporter(TreeSpanExporter):
    """The exporter that the SDK creates for ``OTEL_TRACES_EXPORTER=tree``, and passes to a batch processor.

    It adds a processor of its own to the provider, which sees all spans as they start and end.
    """

    def __init__(self) -> None:
        out = stream_of_process()
        super().__init__(out)
        provider = trace.get_tracer_provider()
        self._has_processor = isinstance(provider, TracerProvider)
        if isinstance(provider, TracerProvider):
            provider.add_span_processor(TreeSpanProcessor(out))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Do nothing if the processor prints the spans."""
        return SpanExportResult.SUCCESS if self._has_processor else super().export(spans)


def add_tree_exporter() -> None:
    """Print the traces of the global tracer provider. Sets one of the SDK if there is none."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(TreeSpanProcessor(stream_of_process()))


class _Printer:
    """Draws parts of traces and writes them. Never raises."""

    def __init__(self, out: TextIO | None, traces: UnprintedTraces) -> None:
        self._terminal = Terminal(out)
        self.traces = traces
        #: Whether a thread waits to print traces that have not settled.
        self._is_waiting = False
        self.is_closed = False
        #: The shortened ids of traces.
        self._short_ids: OrderedDict[int, str] = OrderedDict()
        self._taken: set[str] = set()
        if hasattr(os, "register_at_fork"):
            before, after = weakref.WeakMethod(self._before_fork), weakref.WeakMethod(self._reset_after_fork)
            os.register_at_fork(before=lambda: _call(before), after_in_child=lambda: _call(after))

    def _before_fork(self) -> None:
        self._terminal.before_fork()

    def _reset_after_fork(self) -> None:
        self._is_waiting = False
        self.traces.reset_after_fork()
        self._terminal.reset_after_fork()

    def print(self, find: Callable[..., list[TracePart]], *args: ReadableSpan) -> None:
        """Print the parts that a method of ``traces`` returns."""
        if self.is_closed:
            return
        try:
            for part in find(*args):
                self._terminal.write(self._draw(part))
            if self.traces.is_any_due and not self._is_waiting:
                self._is_waiting = True
                # Not `threading.Thread`: its start takes locks that an interrupted thread may hold.
                start_new_thread(self._print_when_due, ())
        except Exception:
            logger.exception("a trace could not be printed. The program is not affected.")

    def print_pending(self, record: ReadableSpan) -> None:
        """Print on one line that a span is still open."""
        try:
            if record.context is not None and not self.is_closed:
                color, width = self._terminal.format
                self._terminal.write(draw_pending(record, self._short_id(record.context.trace_id), color, width=width))
        except Exception:
            logger.exception("an open span could not be printed. The program is not affected.")

    def _print_when_due(self) -> None:
        """Print traces as they settle. Ends when none is left, so that an idle program has no thread."""
        while True:
            time.sleep(_INTERVAL)
            self.print(self.traces.due)
            if not self.traces.is_any_due or self.is_closed:
                self._is_waiting = False
                # Another thread may have seen the thread waiting and added a trace in the meantime.
                if not self.traces.is_any_due or self.is_closed or self._is_waiting:
                    return
                self._is_waiting = True

    def close(self) -> None:
        """Print what is left, once."""
        try:
            texts = [] if self.is_closed else [self._draw(part) for part in self.traces.close()]
            self.is_closed = True
            self._terminal.write("".join(texts), last=True)
        except Exception:
            logger.exception("traces could not be printed. The program is not affected.")

    def _draw(self, part: TracePart) -> str:
        context = part.spans[0].context
        if context is not None:
            self._short_id(context.trace_id)
        known = Known(self.traces.name, self._missing, self._known_short_id)
        still_open = sum(span.end_time is None for span in part.spans)
        notes = [f"{still_open} still open"] * bool(still_open) + ["continued"] * part.is_continued
        color, width = self._terminal.format
        text = draw_trace(part.spans, known, color, width=width, note="".join(f" · {note}" for note in notes))
        self.traces.printed(part)
        if part.left_out:
            text += f"{part.left_out:,} spans of this trace are not shown: only its first and its latest are kept.\n"
        return "\n" + text

    def _missing(self, context: SpanContext) -> str:
        return self.traces.where(context) or missing_parent(context)

    def _short_id(self, trace_id: int) -> str:
        """The shortest prefix of at least four digits that no other trace has."""
        if trace_id not in self._short_ids:
            full = f"{trace_id:032x}"
            short = next((full[:n] for n in range(4, 32) if full[:n] not in self._taken), full)
            self._short_ids[trace_id] = short
            self._taken.add(short)
            while len(self._short_ids) > _MAX_IDS:
                self._taken.discard(self._short_ids.popitem(last=False)[1])
        return self._short_ids[trace_id]

    def _known_short_id(self, trace_id: int) -> str | None:
        is_known = trace_id in self._short_ids or self.traces.knows(trace_id)
        return self._short_id(trace_id) if is_known else None


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    function = method()
    if function is not None:
        function()
