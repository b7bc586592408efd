"""Plans log records, and checks that they find their spans."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.log import Log, LogBody
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.span_selection import OpenSpan
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.attribute_planner import attribute_plans
from opentelemetry.instrumentation.declarative.plan.content import apply_content_policy
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader, Phases
from opentelemetry.instrumentation.declarative.plan.field_reader import at_moments
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner
from opentelemetry.instrumentation.declarative.plan.open_span_actions import EmitLog
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan


def add_logs(spec: Spec, spans: Mapping[str, SpanPlan], hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the emission of every log record to the hooks."""
    for log in spec.logs:
        phases = tuple(at.phase for at in log.at)
        key, span = None, None
        if isinstance(log.of, OpenSpan):
            span = _span(log, log.of, spec, reader)
            key = reader.key(log.of.key, phases) or (spans[span.name].key if span else None)
        action = EmitLog(
            mark=log.mark,
            when=at_moments(reader, phases).expression(log, "when"),
            attributes=attribute_plans(log.attributes, log.attribute_groups, phases, reader),
            name=log.name,
            span=span.name if span else None,
            key=key,
            of="current" if isinstance(log.of, OpenSpan) else log.of,
            event_name=log.event_name,
            severity=log.severity,
            body=_body(log.body, phases, reader),
        )
        hooks.add(action, *log.at)


def _body(body: LogBody | None, phases: Phases, reader: ExpressionReader) -> Expression | None:
    if body is None:
        return None
    if body.const is not None:
        return Expression.of_constant(body.const, body.mark)
    expression = at_moments(reader, phases).expression(body, "value")
    if expression is not None and body.content:
        return apply_content_policy(reader.content, expression)
    return expression


def _span(log: Log, of: OpenSpan, spec: Spec, reader: ExpressionReader) -> SpanType | None:
    """The type of the span in whose context a record is emitted."""
    title = f'the log record "{log.name}"'
    assert of.span is not None
    span = spec.spans.get(of.span.value)
    if span is None:
        reader.unknown(of.span, "span", spec.spans)
    elif span.at is not None:
        reader.problem(
            of.span.mark,
            "no-span",
            f'{title} cannot find its span: "{span.name}" ends as soon as it starts',
            "give the span a start and an end, or remove `of`, so that the record is in the current span",
        )
    elif of.key is None and span.key is None:
        reader.problem(
            of.span.mark,
            "no-key",
            f"{title} needs a `key`, in `of` or on its span, to find the span",
            "add key: to the span, or remove `of`, so that the record is in the current span",
        )
    return span
