"""Generates the source for the parents and links of spans, from wherever their trace context comes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan, LinkPlan
from opentelemetry.instrumentation.declarative.runtime import context, propagation
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup


def source_expressions(sources: Iterable[ContextSourcePlan]) -> list[Expression | None]:
    """All expressions of context sources."""
    return [part for source in sources for part in (source.key, source.traceparent, source.tracestate, source.carrier)]


def context_source(source: ContextSourcePlan, emitter: Emitter, group: ExpressionGroup) -> str:
    """The source for the context of a parent; its value is None if that does not exist."""
    if source.where == "none":
        return emitter.names.constant("root", context.ROOT)
    if source.where == "current":
        return f"{emitter.names.constant('current', context.current)}()"
    if source.where == "current_or_ended":
        return f"{emitter.names.constant('current_or_ended', context.current_or_ended)}()"
    if source.where == "span":
        assert source.span is not None and source.key is not None
        return f"{emitter.spans(source.span)}.context({group.value('parent_key', source.key)})"
    if source.carrier is not None:
        read = emitter.names.constant("context_of_carrier", propagation.context_of_carrier)
        return f"{read}({group.value('carrier', source.carrier)})"
    return f"{emitter.names.constant('remote', context.remote)}({_remote_arguments(source, group)})"


def noted_source(source: ContextSourcePlan, emitter: Emitter, group: ExpressionGroup) -> str:
    """The same, with counting how often it is missing."""
    parent = context_source(source, emitter, group)
    if source.where in ("none", "current", "current_or_ended"):
        return parent
    return emitter.noted("parent", source.span or source.where, source.mark, parent)


def link_source(link: LinkPlan, emitter: Emitter, group: ExpressionGroup) -> str:
    """The source for a link to the first of its sources that exists."""
    key = emitter.runtime.link_kind
    attributes = emitter.names.constant(link.kind, {key: link.kind} if key else {})
    tried = takewhile(lambda source: source.where != "none", link.sources)
    return " or ".join(_link_to(source, attributes, emitter, group) for source in tried)


def _link_to(source: ContextSourcePlan, attributes: str, emitter: Emitter, group: ExpressionGroup) -> str:
    if source.where == "current":
        return f"{emitter.names.constant('current_link', context.current_link)}({attributes})"
    if source.where == "current_or_ended":
        return f"{emitter.names.constant('current_or_ended_link', context.current_or_ended_link)}({attributes})"
    if source.where == "span":
        assert source.span is not None and source.key is not None
        return f"{emitter.spans(source.span)}.link({group.value('link_key', source.key)}, {attributes})"
    if source.carrier is not None:
        read = emitter.names.constant("link_of_carrier", propagation.link_of_carrier)
        return f"{read}({group.value('carrier', source.carrier)}, {attributes})"
    remote_link = emitter.names.constant("remote_link", context.remote_link)
    return f"{remote_link}({_remote_arguments(source, group)}, {attributes})"


def _remote_arguments(source: ContextSourcePlan, group: ExpressionGroup) -> str:
    assert source.traceparent is not None
    traceparent = group.value("traceparent", source.traceparent.of_trace_context())
    tracestate = group.value("tracestate", source.tracestate.of_trace_context()) if source.tracestate else "None"
    return f"{traceparent}, {tracestate}"
