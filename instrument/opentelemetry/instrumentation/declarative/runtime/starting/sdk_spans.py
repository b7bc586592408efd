"""Spans of the SDK's own class, made by its constructor from what was decided and cleaned before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanLimits, Tracer, _Span
from opentelemetry.trace import Link, Span, SpanKind


class SdkSpanStart:
    """Starts spans of the SDK's class with a tracer. ``otherwise`` starts what has not been decided."""

    def __init__(self, tracer: Tracer, kind: SpanKind, otherwise: Callable[..., Span]) -> None:
        self._otherwise = otherwise
        self._tracer = tracer
        self._kind = kind
        self._unlimited = unlimited_attributes(tracer._span_limits)

    def __call__(
        self,
        span: Span | None,
        name: str,
        attributes: dict[str, Any],
        parent: Context | None,
        links: Sequence[Link],
        start_time: int | None,
    ) -> Span:
        """Start a span that has a context and a parent, and nothing else. The attributes are clean."""
        if type(span) is not _Span:
            return self._otherwise(span, name, attributes, parent, links, start_time)
        made: Any = span
        tracer: Any = self._tracer
        is_limited = len(attributes) > self._unlimited or "" in attributes
        made.__init__(
            name,
            made._context,
            made._parent,
            tracer.sampler,
            resource=tracer.resource,
            attributes=attributes if is_limited else None,
            links=links,
            kind=self._kind,
            span_processor=tracer.span_processor,
            instrumentation_info=tracer.instrumentation_info,
            limits=tracer._span_limits,
            instrumentation_scope=tracer._instrumentation_scope,
        )
        if not is_limited:
            made._attributes._dict = attributes  # without cleaning them again
        made.start(start_time, parent)
        return span


def unlimited_attributes(limits: SpanLimits) -> int:
    """Return how many attributes are not subject to a limit of a span."""
    if limits.max_span_attribute_length is not None:
        return 0
    return 1_000_000 if limits.max_span_attributes is None else limits.max_span_attributes
