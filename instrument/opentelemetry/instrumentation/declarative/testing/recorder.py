"""A span processor that keeps every span of a block."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor


class Recorder(SpanProcessor):
    """Keeps the spans in the order of their starts, including those that never end."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        #: The ``id()`` of each span of another provider that is a parent of a recorded span.
        self.foreign: set[int] = set()
        self._known: set[int] = set()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        parent = trace.get_current_span(parent_context)
        if isinstance(parent, ReadableSpan) and id(parent) not in self._known:
            self.foreign.add(id(parent))
            self._keep(parent)
        self._keep(span)

    def _keep(self, span: ReadableSpan) -> None:
        self.spans.append(span)
        self._known.add(id(span))
