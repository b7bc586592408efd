"""Generates the branch for a program without a tracer provider: as long as none is set, a call is just a call."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.model import HookPlan
from opentelemetry.instrumentation.declarative.plan.span_actions import RecordSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan
from opentelemetry.instrumentation.declarative.runtime.spec_runtime import SpecRuntime
from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import is_waiting
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import passing_lines
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature


def without_provider_lines(
    hooks: Sequence[HookPlan], signature: Signature, names: NameAllocator, runtime: SpecRuntime, original: str
) -> Lines:
    """The lines that only call the original without a tracer provider; none if a rule has an effect then, too."""
    if not is_waiting(runtime.tracer) or runtime.counts_rules or not all(_is_idle(hook, runtime) for hook in hooks):
        return []
    # These are what `has_no_provider` reads: calling it would cost more than everything else here.
    tracer, api = names.constant("tracer", runtime.tracer), names.constant("trace", trace)
    return [
        f"if {tracer}._real_tracer is None and {api}._TRACER_PROVIDER is None:",
        *passing_lines(signature, names, original),
    ]


def _is_idle(hook: HookPlan, runtime: SpecRuntime) -> bool:
    """Whether nothing that the rules of a hook do has an effect without a tracer provider."""
    return all(_has_no_effect(action, runtime) for actions in hook.actions.values() for action in actions)


def _has_no_effect(action: Action, runtime: SpecRuntime) -> bool:
    """A span that is not recorded has one if the trace context passes through it, or something else refers to it."""
    if isinstance(action, RecordSpan):
        return not runtime.spans[action.span.name].always_read
    return isinstance(action, TraceCall) and not _is_used(action.span, runtime)


def _is_used(span: SpanPlan, runtime: SpecRuntime) -> bool:
    is_below_current = span.parents[0].where == "current"
    refers = span.key is not None or span.also or span.owner is not None or span.inject
    return not is_below_current or bool(refers) or span.type.sample is not None or runtime.spans[span.name].always_read
