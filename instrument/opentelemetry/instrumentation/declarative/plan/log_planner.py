"""Plans log records, and checks that they find their spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.log import Log, LogBody, SpanLog
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.actions import EmitLog
from opentelemetry.instrumentation.declarative.plan.attribute_planner import attribute_plans
from opentelemetry.instrumentation.declarative.plan.content import apply_content_policy
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader, Phases
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan


def logs_of(spec: Spec) -> Iterator[tuple[Log | SpanLog, SpanType | None]]:
    """Every log record of a spec, and the span type that it is under."""
    for span in spec.spans.values():
        yield from ((log, span) for log in span.logs)
    yield from ((log, None) for log in spec.logs)


def add_logs(spec: Spec, spans: Mapping[str, SpanPlan], hooks: HookPlanner, reader: ExpressionReader) -> None:
    """Add the emission of every log record to the hooks."""
    for log, span in logs_of(spec):
        if span is not None:
            _check_span(log, span, reader)
        phases = tuple(at.phase for at in log.at)
        key = reader.optional(log.key, phases) or (spans[span.name].key if span else None)
        action = EmitLog(
            mark=log.mark,
            when=reader.optional(log.when, phases),
            attributes=attribute_plans(log.attributes, log.attribute_groups, phases, reader),
            name=log.name,
            span=span.name if span else None,
            key=key,
            of=log.of,
            event_name=log.event_name,
            severity=log.severity,
            body=_body(log.body, phases, reader),
        )
        for at in log.at:
            hooks.at(at, action)


def _body(body: LogBody | None, phases: Phases, reader: ExpressionReader) -> Expression | None:
    expression = None if body is None else reader.expression(body.value, phases)
    if expression is not None and body is not None and body.content:
        return apply_content_policy(reader.content, expression)
    return expression


def _check_span(log: Log | SpanLog, span: SpanType, reader: ExpressionReader) -> None:
    title = f'the log record "{log.name}"'
    if span.at is not None:
        reader.problem(
            log.mark,
            "no-span",
            f'{title} cannot find its span: "{span.name}" ends as soon as it starts',
            "give the span a start and an end, or move the record to `logs` of the spec",
        )
    elif log.key is None and span.key is None:
        reader.problem(
            log.mark,
            "no-key",
            f"{title} needs a `key`, on itself or on its span, to find the span",
            "add key: to the span, or move the record to `logs` of the spec, which emits it in the current span",
        )
