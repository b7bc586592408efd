"""Makes the plans of span types: expressions parsed, parents and links resolved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.content_marks import (
    description_is_content,
    exceptions_are_content,
)
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT
from opentelemetry.instrumentation.declarative.language.nodes.context_source import ContextSource
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.span_key import SpanKey
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.nodes.status import Status
from opentelemetry.instrumentation.declarative.language.values import ContextPart
from opentelemetry.instrumentation.declarative.plan.attribute_planner import attribute_plans, fixed_attributes
from opentelemetry.instrumentation.declarative.plan.content import apply_to_description
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader, Phases, names_at
from opentelemetry.instrumentation.declarative.plan.field_reader import FieldReader, at_moments, of_span
from opentelemetry.instrumentation.declarative.plan.owner_planner import owner_of
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan, LinkPlan, SpanPlan, StatusPlan

_AT_START = "use a value that is available when the span starts"


def span_plan(span: SpanType, spec: Spec, reader: ExpressionReader) -> SpanPlan:
    """Plan a span type. When it starts and ends is not part of it."""
    fields = of_span(reader, span)
    own_attributes = [each for each in span.attributes if not each.at]
    own_groups = [each for each in span.attribute_groups if not each.at]
    attributes = attribute_plans(own_attributes, own_groups, fields.phases(SpanType, "attributes"), reader)
    fixed, read_attributes = fixed_attributes(attributes, reader)
    also = [fields.key(key, SpanKey, "also") for key in span.lookup.also]
    if also and not (span.around and span.lookup.keep_ended):
        reader.problem(
            span.lookup.also[0].mark,
            "idle-lookup-key",
            f'the span "{span.name}" is never found by a further key: only a span around a call is, '
            "once it has ended and while it is kept",
            "add keep_ended: with a number, next to also:, and around: to the span",
        )
    at_links, at_end = fields.phases(SpanType, "links"), fields.phases(SpanType, "statuses")
    links = [link_plan(kind, sources, at_links, spec, reader) for kind, sources in span.links.items()]
    return SpanPlan(
        type=span,
        template=reader.template(span.recorded_name, fields.phases(SpanType, "template")),
        constants=fixed,
        parents=source_plans(span.parent_sources, fields.phases(SpanType, "parents"), spec, reader),
        links=tuple(link for link in links if link.sources[0].where != "none"),
        key=fields.key(span.key, SpanKey, "value"),
        also=tuple(key for key in also if key is not None),
        inject=_injected_fields(span, fields.phases(SpanType, "inject"), reader),
        attributes=read_attributes,
        start_time=fields.expression(span.timestamps, "start"),
        end_time=fields.expression(span.timestamps, "end"),
        exception=fields.expression(span.exception, "value"),
        statuses=status_plans([each for each in span.statuses if not each.at], span, spec, at_end, reader),
        exception_content=reader.content if exceptions_are_content(span, spec) else FULL_CONTENT,
        names_at_start=_names_at_start(span),
        owner=owner_of(span, spec, fields, reader),
        counts=tuple(dict.fromkeys(count.name for count in span.counts)),
        collected=_collected(span, spec),
    )


def status_plans(
    statuses: Iterable[Status], span: SpanType | None, spec: Spec, phases: Phases, reader: ExpressionReader
) -> tuple[StatusPlan, ...]:
    """Plan the statuses of a span, or of one of its ends, or of a moment, evaluated at these phases."""
    return tuple(_status_plan(each, span, spec, phases, reader) for each in statuses)


def _status_plan(
    status: Status, span: SpanType | None, spec: Spec, phases: Phases, reader: ExpressionReader
) -> StatusPlan:
    fields = at_moments(reader, phases)
    error = fields.expression(status, "error")
    if error is not None and description_is_content(status, span, spec):
        error = apply_to_description(reader.content, error)
    return StatusPlan(
        when=fields.expression(status, "when"), error=error, ok=fields.expression(status, "ok"), unset=status.unset
    )


def link_plan(
    kind: str, sources: Sequence[ContextSource], phases: Phases, spec: Spec, reader: ExpressionReader
) -> LinkPlan:
    """Plan a link, or one for each item of a list, that is added at these phases."""
    for source in sources:
        if source.each and source.tracestate:
            message = "`tracestate` belongs to a single `traceparent`, not to each of a list"
            reader.problem(source.tracestate.mark, "conflict", message, "use `carrier` with a list of headers")
    return LinkPlan(kind, _source_plans(sources, phases, spec, reader))


def source_plans(
    sources: Sequence[ContextSource], phases: Phases, spec: Spec, reader: ExpressionReader
) -> tuple[ContextSourcePlan, ...]:
    """Plan the sources of a parent or a written context. They are tried in this order at these phases."""
    for source in sources:
        if source.each:
            message = "`each` stands for several spans, and only links lead to several"
            reader.problem(source.each.mark, "conflict", message, "name one span, or move it to `links`")
    return _source_plans(sources, phases, spec, reader)


def _source_plans(
    sources: Sequence[ContextSource], phases: Phases, spec: Spec, reader: ExpressionReader
) -> tuple[ContextSourcePlan, ...]:
    for source in sources[:-1]:
        if source.where == "none":
            reader.problem(source.mark, "idle-source", "sources after none are never tried", "put none last")
    return tuple(_source_plan(source, phases, spec, reader) for source in sources)


def _source_plan(source: ContextSource, phases: Phases, spec: Spec, reader: ExpressionReader) -> ContextSourcePlan:
    fields = FieldReader(reader, {"rule": phases}, _AT_START)
    plan = ContextSourcePlan(
        where=source.where,
        mark=source.mark,
        span=source.span.value if source.span else None,
        key=fields.key(source.key, ContextSource, "key"),
        required=source.required,
        traceparent=fields.expression(source, "traceparent"),
        tracestate=fields.expression(source, "tracestate"),
        carrier=fields.expression(source, "carrier"),
        each=source.each is not None,
    )
    if source.span is None:
        return plan
    span = spec.spans.get(source.span.value)
    if span is None:
        reader.unknown(source.span, "span", spec.spans)
        return ContextSourcePlan("current", source.mark)
    if span.key is None or span.at is not None:
        why = "has no `key`" if span.key is None else "ends as soon as it starts"
        reader.problem(
            source.span.mark,
            "no-key",
            f'the span "{span.name}" {why}: it cannot be found by a key',
            "add key: to that span, with a value that both can read, such as an id"
            if span.key is None
            else "name a span that is around a call, or that has a start and an end",
            subject=span.name,
        )
    return plan


def _injected_fields(span: SpanType, phases: Phases, reader: ExpressionReader) -> dict[ContextPart, Expression]:
    fields = {
        part: reader.expression(text, phases, _AT_START) if part == "carrier" else reader.field(text, phases, _AT_START)
        for part, text in span.inject.fields.items()
    }
    return {part: field for part, field in fields.items() if field is not None}


def _names_at_start(span: SpanType) -> frozenset[str]:
    """Which of ``result`` and ``error`` exist at every start of the span."""
    moments = [span.at] if span.at else [start.at for start in span.starts]
    return reduce(frozenset.intersection, [names_at(at.phase) for at in moments]) if moments else frozenset()


def _collected(span: SpanType, spec: Spec) -> tuple[str, ...]:
    """The names of what is collected by the hooks at which a span ends."""
    names = [span.around.value] if span.around else [end.at.hook for end in span.ends]
    return tuple(name for each in names if each in spec.hooks for name in spec.hooks[each].collect)
