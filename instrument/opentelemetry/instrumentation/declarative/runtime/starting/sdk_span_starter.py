"""How spans start with the tracer of the SDK: its sampler is asked before anything is read."""

from __future__ import annotations

import random
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.runtime.context.current import (
    ROOT,
    SPAN_KEY,
    current_context,
    is_suppressed,
)
from opentelemetry.instrumentation.declarative.runtime.sampling.attribute_ratio import BITS, AttributeRatio, hashed
from opentelemetry.instrumentation.declarative.runtime.sampling.sampler_bounds import (
    DROPPED,
    SAMPLED,
    Bounds,
    bounds_of,
)
from opentelemetry.instrumentation.declarative.runtime.starting.light_spans import LightSpan, SpanStart
from opentelemetry.instrumentation.declarative.runtime.starting.sdk_spans import SdkSpanStart
from opentelemetry.instrumentation.declarative.runtime.starting.sdk_structure import is_known
from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import (
    NOT_READ,
    NOT_STARTED,
    UNDECIDED,
    Decision,
    SpanStarter,
    UnrecordedSpan,
)
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import attribute_value
from opentelemetry.sdk.trace import Tracer, _Span
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import DEFAULT_TRACE_STATE, Span, SpanContext, SpanKind, TraceFlags

#: Newer releases say in the flags whether the trace id is random.
_RANDOM: int = getattr(TraceFlags, "RANDOM_TRACE_ID", 0) if hasattr(RandomIdGenerator, "is_trace_id_random") else 0
#: The flags of a span by their value.
_FLAGS = tuple(map(TraceFlags, range(4)))
#: Those of a root span with random ids that is dropped, and of one that is recorded.
_ROOT_FLAGS = _FLAGS[_RANDOM], _FLAGS[1 | _RANDOM]
_new, _new_tuple = object.__new__, tuple.__new__
_random_bits = random.getrandbits


def sdk_starter(tracer: Any, kind: SpanKind, *, light: bool, needs_context: bool = False) -> SpanStarter | None:
    """How spans start with a tracer of the SDK; None if the SDK's own method starts them."""
    if type(tracer) is not Tracer or "start_span" in vars(tracer) or not is_known():
        return None
    # The SDK can count its spans itself.
    metrics = getattr(tracer, "_tracer_metrics", None)
    if metrics is not None and type(metrics).__name__ != "NoOpTracerMetrics":
        return None
    return SdkStarter(tracer, kind, light=light, needs_context=needs_context)


class SdkStarter(SpanStarter):
    """Starts spans as the tracer of the SDK does, but asks the sampler first.

    ``light``: what is recorded is a light span, or a span of the SDK's own class. ``needs_context``: the context of
    each span is needed, even if it is not recorded.
    """

    def __init__(self, tracer: Tracer, kind: SpanKind, *, light: bool, needs_context: bool = False) -> None:
        super().__init__(tracer, kind)
        self._span_class: type[Span] = LightSpan if light else _Span
        self._start_class = SpanStart if light else SdkSpanStart
        self._ids = tracer.id_generator
        self._has_random_ids = type(self._ids) is RandomIdGenerator
        # A generator of the program may count its calls.
        self._makes_context = needs_context or not self._has_random_ids
        self._has_config = hasattr(tracer, "_tracer_config")
        self._state = self._read_tracer()

    def _read_tracer(self) -> tuple[Any, Bounds | None, int | None]:
        """The sampler of the tracer, and what follows from it. One object, because other threads read it meanwhile."""
        sampler = self.tracer.sampler
        attribute_bound = sampler.bound if type(sampler) is AttributeRatio else None
        self._state = sampler, bounds_of(sampler), attribute_bound
        # As a method: Python calls it quicker than an object.
        self.start = self._start_class(self.tracer, self.kind, super().start).__call__  # type: ignore[method-assign]
        return self._state

    def decide(self, parent: Context | None = None, sampled_by: Any = NOT_READ) -> Decision:
        context = current_context()
        if context and is_suppressed(context):
            return NOT_STARTED
        tracer = self.tracer
        sampler, bounds, attribute_bound = self._state
        if tracer.sampler is not sampler:
            _, bounds, attribute_bound = self._read_tracer()
        if bounds is None or (self._has_config and not tracer._tracer_config.is_enabled):
            return UNDECIDED
        if attribute_bound is not None:
            if sampled_by is NOT_READ:
                return UNDECIDED
            if (value := attribute_value(sampled_by)) is not None:
                bounds = SAMPLED if hashed(value) < attribute_bound else DROPPED
        if parent is not None:
            context = parent
        above = context.get(SPAN_KEY)
        if above is not None:
            return self._decide_below(above, context, bounds, sampled_by)
        bound = bounds[0]
        made: Any
        if not bound and not self._makes_context:
            made = _new(UnrecordedSpan)
            made._starter = self  # which draws the ids if they are needed
            return False, made
        trace_id = (_random_bits(128) or 1) if self._has_random_ids else self._ids.generate_trace_id()
        is_recorded = trace_id & BITS < bound
        made = _new(self._span_class if is_recorded else UnrecordedSpan)
        made._parent = None
        if not self._has_random_ids:
            made._context = self._context(None, trace_id, is_recorded)
        elif is_recorded or self._makes_context:
            ids = trace_id, _random_bits(64) or 1, False, _ROOT_FLAGS[is_recorded], DEFAULT_TRACE_STATE, True
            made._context = _new_tuple(SpanContext, ids)
        else:
            made._starter = self
            made._trace_id = trace_id
        return is_recorded, made

    def _decide_below(self, span: Any, context: Context, bounds: Bounds, sampled_by: Any) -> Decision:
        """The same for a span whose parent is the span of a context."""
        if type(span) is not self._span_class:
            span = trace.get_current_span(context)
        above = span.get_span_context()
        if type(above) is not SpanContext:
            return UNDECIDED
        if not above[5]:
            return self.decide(ROOT, sampled_by)
        trace_id = above[0]
        is_recorded = trace_id & BITS < bounds[(1 if above[2] else 3) + (not above[3] & 1)]
        made: Any = _new(self._span_class if is_recorded else UnrecordedSpan)
        made._parent = above
        if is_recorded or self._makes_context:
            made._context = self._context(above, trace_id, is_recorded)
        else:
            made._starter = self
            made._trace_id = trace_id
        return is_recorded, made

    def unsampled_context(self, parent: SpanContext | None, trace_id: int | None) -> SpanContext:
        """The context of a span that is dropped."""
        return self._context(parent, self._new_trace_id() if trace_id is None else trace_id, 0)

    def _context(self, parent: SpanContext | None, trace_id: int, sampled: int) -> SpanContext:
        ids = self._ids
        if parent is not None:
            flags, state = sampled | parent[3] & _RANDOM, parent[4]
        else:
            flags, state = sampled | (_RANDOM if _RANDOM and ids.is_trace_id_random() else 0), DEFAULT_TRACE_STATE
        if self._has_random_ids:
            return _new_tuple(
                SpanContext, (trace_id, _random_bits(64) or ids.generate_span_id(), False, _FLAGS[flags], state, True)
            )
        return SpanContext(trace_id, ids.generate_span_id(), False, _FLAGS[flags], state)

    def _new_trace_id(self) -> int:
        ids = self._ids
        made: int = (_random_bits(128) if self._has_random_ids else 0) or ids.generate_trace_id()
        return made
