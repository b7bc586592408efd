"""Collects the spans of this process, trace by trace, until their local root has ended."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import field

from opentelemetry.instrumentation.declarative.exporters.span_forest import SpanKey, span_key, start_time
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

#: How many spans of a trace are kept: its first and its latest.
MAX_SPANS = 2_000
#: How many spans of all traces are kept. If there are more, the oldest trace is printed although it is not complete.
MAX_WAITING = 50_000
#: How many traces may have open spans only.
_MAX_TRACES = 10_000
#: Seconds for which a trace waits after the last of its spans has ended: the span of a message that is sent may end
#: before the span of its receiver starts.
SETTLE = 0.2
#: Seconds after the end of its local root after which a trace is printed although spans of it are open.
_LONGEST = 2.0
#: How many names of printed spans are remembered, for links and late children.
_MAX_NAMES = 10_000

#: The attribute and value that mark a span as ended because the process exits.
_ENDED_BY, _SHUTDOWN = "instrument.end", "shutdown"


@record
class TracePart:
    """Spans of one trace in order of start, which are printed together; those without an end time are still open."""

    spans: list[ReadableSpan]
    #: How many more there were.
    left_out: int = 0
    #: Whether a part of the trace has been printed before.
    is_continued: bool = False


@record(eq=False)
class _Trace:
    """The spans of a trace that are not printed."""

    #: Weak: a span that the program drops without ending it does not stay in memory.
    open: dict[int, weakref.ref[ReadableSpan]] = field(default_factory=dict)
    first: dict[int, ReadableSpan] = field(default_factory=dict)
    latest: OrderedDict[int, ReadableSpan] = field(default_factory=OrderedDict)
    left_out: int = 0

    def ended(self) -> list[ReadableSpan]:
        return [*self.first.values(), *self.latest.values()]

    def still_open(self) -> list[ReadableSpan]:
        return [span for span in (reference() for reference in list(self.open.values())) if span is not None]

    def has(self, span_id: int) -> bool:
        reference = self.open.get(span_id)
        return span_id in self.first or span_id in self.latest or (reference is not None and reference() is not None)

    def keep(self, span_id: int, span: ReadableSpan, limit: int) -> int:
        """Keep an ended span; returns by how many the number of spans has grown."""
        if len(self.first) < (limit + 1) // 2:
            self.first[span_id] = span
            return 1
        self.latest[span_id] = span
        if len(self.latest) <= limit // 2:
            return 1
        self.latest.popitem(last=False)
        self.left_out += 1
        return 0

    def take(self, spans: Iterable[ReadableSpan]) -> TracePart:
        """Remove spans, those that are still open excepted."""
        part = TracePart(sorted(spans, key=start_time), self.left_out)
        for span in part.spans:
            if span.end_time is not None and span.context is not None:
                self.first.pop(span.context.span_id, None)
                self.latest.pop(span.context.span_id, None)
        self.left_out = 0
        return part


class UnprintedTraces:
    """The spans that are not printed. Safe to use from several threads, and from a signal handler or finalizer.

    ``sees_starts``: whether ``started`` is called for each span. Otherwise only a span without a parent in this process
    is known to be a local root. ``settle``: seconds for which a trace whose local root has ended waits for more spans.
    """

    def __init__(
        self, max_spans: int = MAX_SPANS, max_waiting: int = MAX_WAITING, *, sees_starts: bool, settle: float = 0.0
    ) -> None:
        self._max_spans = max_spans
        self._max_waiting = max_waiting
        self._sees_starts = sees_starts
        self._lock = threading.RLock()
        self._traces: dict[int, _Trace] = {}
        self._waiting = 0
        self._settle = settle
        #: For each trace whose local root has ended, when to print it: if none of its spans is open, and in any case.
        self._due: dict[int, tuple[float, float]] = {}
        #: The names of spans by their keys, with the processes that have printed them.
        self._names: OrderedDict[SpanKey, tuple[str, int]] = OrderedDict()
        #: The traces of which a part has been printed.
        self._printed: OrderedDict[int, None] = OrderedDict()

    def reset_after_fork(self) -> None:
        """Drop the spans of the parent process, which prints them. Their names are remembered."""
        self._lock = threading.RLock()
        parent = os.getppid()
        for trace in list(self._traces.values()):
            self._remember(trace.still_open(), parent)
        self._traces, self._waiting, self._due = {}, 0, {}
        self._settle = 0.0  # a child may exit at any time without notice

    def started(self, span: ReadableSpan) -> list[TracePart]:
        """Add a span that has started; returns what is to be printed to keep the number of spans limited."""
        context = span.context
        if context is None or not context.trace_flags.sampled:
            return []
        with self._lock:
            self._trace(context).open[context.span_id] = weakref.ref(span)
            self._postpone(context.trace_id)
            return self._evict()

    def exported(self, span: ReadableSpan) -> list[TracePart]:
        """Add one of several spans that have ended, before ``flush``; returns what is to be printed to make room."""
        if span.context is None:
            return [TracePart([span])]
        with self._lock:
            self._waiting += self._trace(span.context).keep(span.context.span_id, span, self._max_spans)
            return self._evict()

    def ended(self, span: ReadableSpan) -> list[TracePart]:
        """Add a span that has ended; returns what is to be printed."""
        context = span.context
        if context is None:
            return [TracePart([span])]
        with self._lock:
            trace = self._trace(context)
            trace.open.pop(context.span_id, None)
            self._waiting += trace.keep(context.span_id, span, self._max_spans)
            # At the exit of the process, children may end after their parents: print them together, with `flush`.
            is_exit = (span.attributes or {}).get(_ENDED_BY) == _SHUTDOWN
            if is_exit or not self._is_local_root(span, trace):
                self._postpone(context.trace_id)
                return self._evict()
            if self._settle:
                now = time.monotonic()
                self._due.setdefault(context.trace_id, (0.0, now + _LONGEST))
                self._postpone(context.trace_id)
                return self._evict()
            return [self._take(trace, span), *self._evict()]

    def due(self) -> list[TracePart]:
        """Return the traces that have settled, in order of start."""
        now = time.monotonic()
        with self._lock:
            settled = [self._traces[trace_id] for trace_id, (due, _) in self._due.items() if due <= now]
            latest = [self._traces[trace_id] for trace_id, (_, due) in self._due.items() if due <= now]
            return self._take_complete([*latest, *(trace for trace in settled if not trace.still_open())])

    @property
    def is_any_due(self) -> bool:
        """Whether a trace whose local root has ended waits to be printed."""
        return bool(self._due)

    def flush(self) -> list[TracePart]:
        """Return what has ended with its local root, in order of start."""
        with self._lock:
            return self._take_complete(list(self._traces.values()))

    def close(self) -> list[TracePart]:
        """Return everything that is not printed, also what is still open."""
        with self._lock:
            parts = [
                self._printing(trace_id, trace.take([*trace.ended(), *trace.still_open()]))
                for trace_id, trace in self._traces.items()
                if trace.first or (trace_id not in self._printed and trace.still_open())
            ]
            self._traces, self._waiting, self._due = {}, 0, {}
        return sorted(parts, key=lambda part: start_time(part.spans[0]))

    def printed(self, part: TracePart) -> None:
        """Remember the names of the spans of a part."""
        with self._lock:
            self._remember(part.spans, os.getpid())

    def name(self, key: SpanKey) -> str | None:
        """The name of a span that is open or was printed, if it is known."""
        with self._lock:
            trace = self._traces.get(key[0])
            if trace is not None:
                reference = trace.open.get(key[1])
                span = reference() if reference is not None else trace.first.get(key[1]) or trace.latest.get(key[1])
                if span is not None:
                    return span.name
            return self._names.get(key, (None, 0))[0]

    def knows(self, trace_id: int) -> bool:
        """Whether a span of the trace is open, or waits to be printed."""
        return trace_id in self._traces

    def where(self, context: SpanContext) -> str | None:
        """Where a parent is that is not printed with its children; None if nothing is known of it."""
        with self._lock:
            _, pid = self._names.get(span_key(context), ("", 0))
        return None if not pid else "is shown above" if pid == os.getpid() else "is in another process"

    # ── With the lock held ──

    def _trace(self, context: SpanContext) -> _Trace:
        return self._traces.setdefault(context.trace_id, _Trace())

    def _postpone(self, trace_id: int) -> None:
        """More spans of a trace that waits to be printed may follow."""
        if trace_id in self._due:
            latest = self._due[trace_id][1]
            self._due[trace_id] = (min(time.monotonic() + self._settle, latest), latest)

    def _take_complete(self, traces: Iterable[_Trace]) -> list[TracePart]:
        parts = []
        for trace in traces:
            for span in sorted(trace.ended(), key=start_time):
                context = span.context
                if context is not None and trace.has(context.span_id) and self._is_local_root(span, trace):
                    parts.append(self._take(trace, span))
        return sorted(parts, key=lambda part: start_time(part.spans[0]))

    def _printing(self, trace_id: int, part: TracePart) -> TracePart:
        """Remember that a part of a trace is printed."""
        self._due.pop(trace_id, None)
        part.is_continued = trace_id in self._printed
        self._printed[trace_id] = None
        self._printed.move_to_end(trace_id)
        if len(self._printed) > _MAX_TRACES:
            self._printed.popitem(last=False)
        return part

    def _is_local_root(self, span: ReadableSpan, trace: _Trace) -> bool:
        context, parent = span.context, span.parent
        if parent is None or context is None or parent.is_remote or parent.trace_id != context.trace_id:
            return True
        if trace.has(parent.span_id) and parent.span_id != context.span_id:
            return False
        return self._sees_starts or context.trace_id in self._printed

    def _take(self, trace: _Trace, root: ReadableSpan) -> TracePart:
        """Take the tree of a root, or everything if no span of the trace is open."""
        ended, still_open = trace.ended(), trace.still_open()
        part = trace.take(_tree(root, [*ended, *still_open]) if still_open else ended)
        self._waiting -= len(ended) - len(trace.first) - len(trace.latest)
        trace_id = root.context.trace_id if root.context is not None else 0
        if not still_open:
            self._traces.pop(trace_id, None)
        return self._printing(trace_id, part)

    def _evict(self) -> list[TracePart]:
        parts = []
        while self._traces and (self._waiting > self._max_waiting or len(self._traces) > _MAX_TRACES):
            trace_id = next(iter(self._traces))
            trace = self._traces.pop(trace_id)
            self._due.pop(trace_id, None)
            self._waiting -= len(trace.first) + len(trace.latest)
            if trace.first:
                parts.append(self._printing(trace_id, trace.take([*trace.ended(), *trace.still_open()])))
        return parts

    def _remember(self, spans: Iterable[ReadableSpan], pid: int) -> None:
        for span in spans:
            if span.context is not None:
                self._names[span_key(span.context)] = (span.name, pid)
                self._names.move_to_end(span_key(span.context))
        while len(self._names) > _MAX_NAMES:
            self._names.popitem(last=False)


def _tree(root: ReadableSpan, spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """The root and its descendants among the spans."""
    children: dict[int, list[ReadableSpan]] = {}
    for span in spans:
        if span.parent is not None and span is not root:
            children.setdefault(span.parent.span_id, []).append(span)
    found, stack = [root], [root]
    while stack:
        context = stack.pop().context
        below = children.pop(context.span_id, []) if context is not None else []
        found.extend(below)
        stack.extend(below)
    return found
