"""Trace context: what is current, and what crosses a field as W3C traceparent and tracestate.

The format is W3C's whatever ``OTEL_PROPAGATORS`` says: the field has one reader, which is us or AG2.
Source: https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import Token
from typing import Any

from opentelemetry import context as _context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Link, Span, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

#: A context with nothing in it: a span started here is the root of its own trace.
ROOT = Context()

attach = _context.attach
current_span = trace.get_current_span
enabled = is_instrumentation_enabled

_w3c = TraceContextTextMapPropagator()


def detach(token: Any) -> None:
    """What was current before ``attach`` is current again.

    A coroutine or generator that nobody finishes is closed by the garbage collector, in whatever context that runs.
    The context of the token is gone by then and there is nothing to be restored, nor anything to be logged.
    """
    if not isinstance(token, Token):
        _context.detach(token)
        return
    with suppress(ValueError):
        token.var.reset(token)


def with_span(span: Span) -> Context:
    """The current context with this span as the current one."""
    return trace.set_span_in_context(span)


def current() -> Context | None:
    """The current context; None where no span is current. One that has ended is none, see ``current_link``."""
    found = _current_span_context()
    return _context.get_current() if found is not None and found.is_valid else None


def remote(traceparent: Any, tracestate: Any = None) -> Context | None:
    """The context that a traceparent names; None where there is none or it is malformed."""
    found = _remote_span_context(traceparent, tracestate)
    return None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))


def span_in(found: Context | None) -> Span:
    """The span of a context, to be written down; an invalid one where nothing is to be.

    So it is where instrumentation is suppressed: no context is handed on.
    """
    return trace.get_current_span(found) if found is not None and enabled() else trace.INVALID_SPAN


def span_context(span: Span) -> SpanContext | None:
    """The span's context as OpenTelemetry's own object; None for a span that is not valid."""
    found = span.get_span_context()
    return found if found.is_valid else None


def current_link(attributes: dict[str, Any]) -> Link | None:
    """A link to the current span; None where there is none.

    One that has ended is none: it is only left over in the context of a task that it has outlived.
    """
    return _link(_current_span_context(), attributes)


def remote_link(traceparent: Any, tracestate: Any, attributes: dict[str, Any]) -> Link | None:
    """A link to the span that a traceparent names; None where there is none or it is malformed."""
    if traceparent is None:
        return None
    return _link(_remote_span_context(traceparent, tracestate), attributes)


def traceparent(span: Span) -> str | None:
    """The span's W3C traceparent; None for a span that is not valid (there is no SDK)."""
    found = span.get_span_context()
    if not found.is_valid:
        return None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def tracestate(span: Span) -> str | None:
    """The span's W3C tracestate; None where it has none."""
    return span.get_span_context().trace_state.to_header() or None


def _current_span_context() -> SpanContext | None:
    """The context of the current span; None where there is none, or where it has ended."""
    span = trace.get_current_span()
    if span is trace.INVALID_SPAN or getattr(span, "end_time", None) is not None:
        return None
    return span.get_span_context()


def _remote_span_context(traceparent: Any, tracestate: Any) -> SpanContext | None:
    if not isinstance(traceparent, str):
        return None
    carrier = {"traceparent": traceparent}
    if isinstance(tracestate, str):
        carrier["tracestate"] = tracestate
    found = trace.get_current_span(_w3c.extract(carrier, ROOT)).get_span_context()
    return found if found.is_valid else None


def _link(target: SpanContext | None, attributes: dict[str, Any]) -> Link | None:
    return Link(target, attributes) if target is not None and target.is_valid else None
