"""Parents and links: from what is current, and from what a field carries as W3C traceparent and tracestate.

The format is W3C's whatever ``OTEL_PROPAGATORS`` contains: the only reader of the field is this package, or AG2.
Source: https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import context as _context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.expressions.headers import decoded, is_carrier
from opentelemetry.instrumentation.declarative.expressions.operators import header
from opentelemetry.instrumentation.declarative.runtime.context.current import (
    ROOT,
    SPAN_KEY,
    current_context,
    current_span,
    enabled,
)
from opentelemetry.instrumentation.declarative.runtime.values.listed_items import listed_items
from opentelemetry.trace import Link, Span, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_w3c = TraceContextTextMapPropagator()
_new = object.__new__
#: The flags of a traceparent by their value.
_FLAGS = tuple(f"{flags:02x}" for flags in range(256))


def _is_tuple() -> bool:
    """Whether the context of a span is a tuple of trace id, span id, is_remote, flags, state and is_valid."""
    state = trace.TraceState()
    expected = (1, 2, True, trace.TraceFlags(1), state, True)
    return isinstance(made := SpanContext(*expected[:5]), tuple) and tuple(made) == expected


#: The class of contexts that are such tuples.
_TUPLE = SpanContext if _is_tuple() else None


def current() -> Context | None:
    """Return the current context; None if there is no current span, or it has ended (see ``current_link``)."""
    found = _current_span_context()
    return _context.get_current() if found is not None and found.is_valid else None


def current_or_ended() -> Context | None:
    """Return the current context; None if there is no current span."""
    return current_context() if current_span().get_span_context().is_valid else None


def remote(traceparent: Any, tracestate: Any = None) -> Context | None:
    """Return the context of a traceparent; None if it is missing or malformed."""
    found = _remote_span_context(traceparent, tracestate)
    return None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))


def span_in(found: Context | None) -> Span:
    """Return the span of a context that is to be written to a field; an invalid one if there is none.

    Also invalid while instrumentation is suppressed: no context is propagated then.
    """
    return trace.get_current_span(found) if found is not None and enabled() else trace.INVALID_SPAN


def span_context(span: Span) -> SpanContext | None:
    """Return the span's context as OpenTelemetry's object; None for an invalid span."""
    found = span.get_span_context()
    return found if found.is_valid else None


def current_link(attributes: dict[str, Any]) -> Link | None:
    """Return a link to the current span; None if there is none.

    A span that has ended does not count: it is only left over in the context of a task that outlived it.
    """
    span: Any = current_context().get(SPAN_KEY)
    if span is None or not isinstance(span, Span) or getattr(span, "end_time", None) is not None:
        return None
    return link_to(span.get_span_context(), attributes)


def current_or_ended_link(attributes: dict[str, Any]) -> Link | None:
    """Return a link to the current span, even if it has ended; None if there is none."""
    return link_to(current_span().get_span_context(), attributes)


def traceparent_link(traceparent: Any, attributes: Mapping[str, Any]) -> Link | None:
    """Return a link to the span of a traceparent, or of a carrier with one."""
    return remote_link(traceparent, None, attributes)


def remote_link(traceparent: Any, tracestate: Any, attributes: Mapping[str, Any]) -> Link | None:
    """Return a link to the span of a traceparent; None if it is missing or malformed."""
    found = _remote_span_context(traceparent, tracestate)
    return None if found is None else link_to(found, attributes)


def links_to_each(
    failed: Callable[[Exception], None],
    read: Callable[[Any, Mapping[str, Any]], Link | None],
    value: Any,
    attributes: Mapping[str, Any],
) -> list[Link] | None:
    """Return the links that are read from the items of a list; None if there are none. See ``listed_items``."""
    items = listed_items(failed, value)
    return [link for each in items if each is not None and (link := read(each, attributes)) is not None] or None


def all_links(found: Link | Sequence[Link] | None) -> Sequence[Link]:
    """Return the links, if there is none, one or several."""
    if found is None:
        return ()
    return (found,) if isinstance(found, Link) else found


def traceparent(span: Span) -> str | None:
    """Return the span's W3C traceparent; None for an invalid span, as without an SDK."""
    try:
        found: Any = span._context  # type: ignore[attr-defined]
    except AttributeError:
        found = None
    if type(found) is not _TUPLE:
        found = span.get_span_context()
        trace_id, span_id, flags, is_valid = found.trace_id, found.span_id, found.trace_flags, found.is_valid
    else:  # the properties and the method of the span take longer than everything else here
        trace_id, span_id, _, flags, _, is_valid = found
    if not is_valid:
        return None
    # Quicker than formatting the numbers.
    return f"00-{trace_id.to_bytes(16, 'big').hex()}-{span_id.to_bytes(8, 'big').hex()}-{_FLAGS[flags]}"


def tracestate(span: Span) -> str | None:
    """Return the span's W3C tracestate; None if it is empty."""
    return span.get_span_context().trace_state.to_header() or None


def _current_span_context() -> SpanContext | None:
    """Return the context of the current span; None if there is none, or it has ended."""
    span: Any = current_context().get(SPAN_KEY)
    if span is None or not isinstance(span, Span) or getattr(span, "end_time", None) is not None:
        return None
    return span.get_span_context()


def _remote_span_context(traceparent: Any, tracestate: Any) -> SpanContext | None:
    text = decoded(traceparent)
    if text is None and is_carrier(traceparent):
        tracestate = header(traceparent, "tracestate") if tracestate is None else tracestate
        text = decoded(header(traceparent, "traceparent"))
    if text is None:
        return None
    carrier = {"traceparent": text}
    if (state := decoded(tracestate)) is not None:
        carrier["tracestate"] = state
    found = trace.get_current_span(_w3c.extract(carrier, ROOT)).get_span_context()
    return found if found.is_valid else None


#: Whether the constructor of a link sets only these fields.
_IS_LINK_KNOWN = [*vars(Link(trace.INVALID_SPAN_CONTEXT))] == ["_context", "_attributes"]


def link_to(target: SpanContext, attributes: Mapping[str, Any]) -> Link | None:
    """Return a link to a span; None if its context is not valid."""
    if not (target[5] if type(target) is _TUPLE else target.is_valid):
        return None
    if not _IS_LINK_KNOWN:
        return Link(target, attributes)
    link = _new(Link)
    link._context = target
    link._attributes = attributes
    return link
