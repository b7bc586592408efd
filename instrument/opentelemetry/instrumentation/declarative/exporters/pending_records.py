"""Records of spans that are still open, for backends that show a span only when it has ended.

A pending record is a span of its own: without a duration, a child of the open span, and with the attributes that this
has so far. It has an id of its own, as most backends keep only the first or the last of two spans with one id.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.exporters.pending_attributes import AGE, NAME, PARENT, START
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

#: How many records are written at once, so that they leave room for other spans in the queue of a batch processor.
_MAX_AT_ONCE = 500


def is_pending_record(span: ReadableSpan) -> bool:
    """Whether a span is the record of another one that is open."""
    return span.attributes is not None and AGE in span.attributes


class PendingRecords:
    """Writes a record of each span that has been open for ``after`` seconds, and again whenever its age has doubled.

    A span that is open for a week has 16 records if the first is written after ten seconds.
    """

    def __init__(self, after: float, provider: Any = None) -> None:
        self._after = after
        #: The provider whose exporters get the records; None for the global one.
        self._provider = provider
        #: The age at which the next record of an open span is due, if it has one.
        self._due: dict[tuple[int, int], float] = {}

    def reset_after_fork(self) -> None:
        """Forget the spans of the parent process."""
        self._due = {}

    def write(self, open_spans: Iterable[Any]) -> None:
        """Write the records that are due. ``open_spans``: all spans that are open, in order of start."""
        now, due, written = time.time_ns(), {}, 0
        for span in open_spans:
            context = span.get_span_context()
            key = (context.trace_id, context.span_id)
            age, next_age = (now - span.start_time) / 1e9, self._due.get(key, self._after)
            if age >= next_age and written < _MAX_AT_ONCE and not is_pending_record(span):
                written += 1
                self._write(span, age, now)
                next_age = age * 2
            if next_age > self._after:
                due[key] = next_age
        self._due = due

    def _write(self, span: Any, age: float, now: int) -> None:
        provider = self._provider or trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            return
        scope = span.instrumentation_scope
        tracer = provider.get_tracer(scope.name, scope.version, scope.schema_url)
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(span.start_time / 1e9))
        about = {NAME: span.name, START: start, AGE: round(age, 3)}
        if span.parent is not None:
            about[PARENT] = f"{span.parent.span_id:016x}"
        record = tracer.start_span(
            f"{span.name} (pending)",
            trace.set_span_in_context(span),
            attributes={**dict(span.attributes or {}), **about},
            links=span.links,
            start_time=now,
        )
        record.end(now)
