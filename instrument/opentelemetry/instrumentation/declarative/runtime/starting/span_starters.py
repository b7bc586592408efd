"""How the spans of one type start with a tracer, and the decision before it whether a span is recorded at all.

What is not recorded need not be read. Without an SDK that is decided here; the sampler of the SDK is asked in
``sdk_span_starter``. Where only the start itself decides, as with other tracers, everything is read before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.runtime.context.current import enabled
from opentelemetry.instrumentation.declarative.runtime.starting.on_demand import OnDemand
from opentelemetry.trace import Link, NonRecordingSpan, NoOpTracer, ProxyTracer, Span, SpanContext, SpanKind, Tracer

#: Whether a span is recorded, and the span if it exists already: one that is not recorded, or one to be started.
Decision = tuple[bool, Span | None]
#: The span may be recorded.
UNDECIDED: Decision = (True, None)
#: No span is started, because instrumentation is suppressed.
NOT_STARTED: Decision = (False, None)


#: The value of the attribute that a sampler looks at, if nothing has read it.
NOT_READ: Any = object()


class SpanStarter:
    """Starts spans with the method of a tracer. Nothing is known about a span before it has started."""

    def __init__(self, tracer: Tracer, kind: SpanKind) -> None:
        self.tracer: Any = tracer
        self.kind = kind

    def decide(self, parent: Context | None = None, sampled_by: Any = NOT_READ) -> Decision:
        """Whether a span is recorded, if instrumentation is not suppressed. The parent None is the current context.

        ``sampled_by``: its value of the attribute that samplers need.
        """
        return UNDECIDED if enabled() else NOT_STARTED

    def start(
        self,
        span: Span | None,
        name: str,
        attributes: dict[str, Any],
        parent: Context | None,
        links: Sequence[Link],
        start_time: int | None,
    ) -> Span:
        """Start a span after ``decide``, which has returned ``span``. The attributes are clean."""
        return self._started(name, attributes, parent, links, start_time) if span is None else span

    def _started(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None,
        links: Sequence[Link],
        start_time: int | None,
    ) -> Span:
        started: Span = self.tracer.start_span(
            name, context=parent, kind=self.kind, attributes=attributes, links=links, start_time=start_time
        )
        return started


class UnrecordedSpan(NonRecordingSpan):
    """A span that the sampler has dropped. Its context is made when it is needed: usually nobody asks for it."""

    _starter: Any
    _parent: SpanContext | None = None
    _trace_id: int | None = None

    _context: Any = OnDemand(lambda span: span._starter.unsampled_context(span._parent, span._trace_id))


class NoOpStarter(SpanStarter):
    """The tracer of the API, which records nothing: the trace context is passed on."""

    def decide(self, parent: Context | None = None, sampled_by: Any = NOT_READ) -> Decision:
        return (False, self.tracer.start_span("", parent)) if enabled() else NOT_STARTED


class WaitingStarter(NoOpStarter):
    """A tracer of the API until a tracer provider is set. ``found`` is called with the starter that then applies."""

    def __init__(self, tracer: ProxyTracer, kind: SpanKind, found: Callable[[Tracer], SpanStarter]) -> None:
        super().__init__(NoOpTracer(), kind)
        self._proxy = tracer
        self._found = found

    def decide(self, parent: Context | None = None, sampled_by: Any = NOT_READ) -> Decision:
        if has_no_provider(self._proxy):
            return super().decide(parent)
        return self._found(self._proxy._tracer).decide(parent, sampled_by)


def is_waiting(tracer: Tracer) -> bool:
    """Whether a tracer records nothing until a tracer provider is set."""
    return type(tracer) is ProxyTracer and hasattr(tracer, "_real_tracer") and hasattr(trace, "_TRACER_PROVIDER")


def has_no_provider(tracer: Any) -> bool:
    """Whether a tracer that ``is_waiting`` still waits."""
    return tracer._real_tracer is None and trace._TRACER_PROVIDER is None


def first_present(*values: Any) -> Any:
    """The first value that is not missing."""
    return next((value for value in values if value is not None), None)
