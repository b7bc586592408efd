"""Selects how the spans of one type start with a tracer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import (
    NoOpStarter,
    SpanStarter,
    WaitingStarter,
    is_waiting,
)
from opentelemetry.trace import NoOpTracer, SpanKind, Tracer


def starter_of(
    tracer: Tracer, kind: SpanKind, *, light: bool, needs_context: bool, found: Callable[[Tracer], SpanStarter]
) -> SpanStarter:
    """Return how spans start with a tracer.

    ``light``: with spans that cost less than the SDK's, where possible. ``needs_context``: the context of each span is
    needed, even if it is not recorded.
    """
    if is_waiting(tracer):
        return WaitingStarter(tracer, kind, found)  # type: ignore[arg-type]
    if type(tracer) is NoOpTracer:
        return NoOpStarter(tracer, kind)
    if type(tracer).__module__ == "opentelemetry.sdk.trace":
        # Not at the top: a program without the SDK does not have it.
        from opentelemetry.instrumentation.declarative.runtime.starting.sdk_span_starter import sdk_starter

        return sdk_starter(tracer, kind, light=light, needs_context=needs_context) or SpanStarter(tracer, kind)
    return SpanStarter(tracer, kind)


def sampler_attributes(tracer: Any) -> tuple[str, ...]:
    """Return the attributes that the sampler of a tracer looks at; none if it is not one of ours."""
    tracer = getattr(tracer, "_real_tracer", None) or tracer
    if type(tracer).__module__ != "opentelemetry.sdk.trace":
        return ()
    from opentelemetry.instrumentation.declarative.runtime.sampling.attribute_ratio import AttributeRatio

    sampler = getattr(tracer, "sampler", None)
    return sampler.attributes if isinstance(sampler, AttributeRatio) else ()
