"""Generates the code that ends a span: what is known only then is read, and the outcome set."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.actions import EndSpan, RecordSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.open_spans import iterate_keys
from opentelemetry.instrumentation.declarative.runtime.outcome import first_status
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope
from opentelemetry.instrumentation.declarative.wrappers.span_starts import start_code, with_parent


def emit_call_span_end(action: TraceCall, emitter: Emitter, scope: ExpressionScope, stage: Stage) -> Lines:
    """The lines that end a span around the call."""
    span = action.span
    local = emitter.call_spans.get(span.name)
    if local is None:
        return []

    def emit(rule: Rule) -> Lines:
        counts, end_scope = _counts(span, f"{local}.span", emitter, scope)
        group = ExpressionGroup(end_scope, rule)
        arguments = [local, *_error(scope, stage), *_outcome(span, emitter, end_scope, stage, group)]
        call = f"{emitter.counting_spans(span.name)}.leave({', '.join(arguments)})"
        return [*counts, *group.lines(), call] if group else [call]

    return [f"if {local} is not None:", *indented(emitter.guarded(action.end_rule, emit, always=True))]


def emit_end_span(action: EndSpan, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key]):
        return []
    find = ExpressionGroup(scope, rule)
    key = find.value("key", action.key)
    spans, local = emitter.counting_spans(action.span.name), emitter.names.temporary("span")
    counts, end_scope = _counts(action.span, local, emitter, scope)
    group = ExpressionGroup(end_scope, rule)
    outcome = _outcome(action.span, emitter, end_scope, stage, group, action.attributes)
    end = f"{spans}.end({', '.join([local, *_error(scope, stage), *outcome])})"
    body = [*counts, *(group.lines() if group else []), end]
    if not action.several:
        return [*find.lines(), f"{local} = {spans}.take({key})", f"if {local} is not None:", *indented(body)]
    one = emitter.names.temporary("one")
    take = [f"{local} = {spans}.take({one})", f"if {local} is not None:", *indented(body)]
    # Each is guarded: an invalid key does not keep the spans after it open.
    each = emitter.guarded(action.rule, lambda _: take, part=True)
    keys = emitter.names.cell("iterate_keys", iterate_keys)
    return [*find.lines(), f"for {one} in {keys}({key}):", *indented(each)]


def emit_record_span(action: RecordSpan, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    code = start_code(span, emitter, scope, rule)
    if code is None:
        return []
    arguments = list(code.arguments)
    subject = f'the start time of the span "{span.name}"'
    if span.start_time is not None and emitter.can_read(scope, subject, [span.start_time]):
        arguments.append(f"start_time={code.group.value('start_time', span.start_time)}")
    arguments += _outcome(span, emitter, scope, stage, code.group)
    call = f"{emitter.counting_spans(span.name)}.record({', '.join(arguments)})"
    return with_parent(code, [call], emitter)


def _error(scope: ExpressionScope, stage: Stage) -> list[str]:
    return [scope.locals["error"]] if stage == "raise" else []


def _outcome(
    span: SpanPlan,
    emitter: Emitter,
    scope: ExpressionScope,
    stage: Stage,
    group: ExpressionGroup,
    more: Iterable[AttributePlan] = (),
) -> list[str]:
    """Read what is known when a span ends; return it as keyword arguments of ``Spans.end``."""
    arguments: list[str] = []
    late_parts = [
        part for part in span.template.parts if isinstance(part, Expression) and not span.is_read_at_start(part.names)
    ]
    is_name_readable = late_parts and all(span.is_readable_at_end(part.names, stage) for part in late_parts)
    if is_name_readable and emitter.can_read(scope, f'the name of the span "{span.name}"', [span.template]):
        arguments.append(f"name={group.rendered_name('name', span.template.parts)}")
    late = [each for each in span.attributes if not span.is_read_at_start(each.expression.names)]
    wanted = [each for each in (*late, *more) if span.is_readable_at_end(each.expression.names, stage)]
    if attributes := emitter.readable(scope, wanted):
        arguments.append(f"attributes={group.attributes('attributes', attributes)}")
    values: dict[str, Expression | None] = {}
    status = span.statuses[0] if len(span.statuses) == 1 else None
    if status is not None and status.when is None and not status.unset:
        values = {"status": status.error, "ok": status.ok}
    else:
        arguments += _first_status(span, emitter, scope, stage, group)
    values.update({"exception": span.exception, "end_time": span.end_time})
    for keyword, expression in values.items():
        if expression is None or not span.is_readable_at_end(expression.names, stage):
            continue
        if emitter.can_read(scope, f'the {keyword} of the span "{span.name}"', [expression]):
            arguments.append(f"{keyword}={group.value(keyword, expression)}")
    return arguments


def _first_status(
    span: SpanPlan, emitter: Emitter, scope: ExpressionScope, stage: Stage, group: ExpressionGroup
) -> list[str]:
    """The first status that applies, as a keyword argument. One that cannot be read at this stage does not apply."""

    def is_usable(expression: Expression | None) -> bool:
        subject = f'a status of the span "{span.name}"'
        return expression is not None and (
            span.is_readable_at_end(expression.names, stage) and emitter.can_read(scope, subject, [expression])
        )

    def read(wanted: str, expression: Expression | None, otherwise: str = "None") -> str:
        return group.value(wanted, expression) if expression is not None and is_usable(expression) else otherwise

    candidates = [
        f"({read('applies', each.when, 'True')}, {read('status', each.error)}, {read('ok', each.ok)}, {each.unset})"
        for each in span.statuses
        if (each.when is None or is_usable(each.when)) and (each.unset or is_usable(each.error) or is_usable(each.ok))
    ]
    if not candidates:
        return []
    choose = emitter.names.cell("first_status", first_status)
    return [f"status={choose}({', '.join([scope.locals['error'], *candidates])})"]


def _counts(span: SpanPlan, local: str, emitter: Emitter, scope: ExpressionScope) -> tuple[Lines, ExpressionScope]:
    """Lines that read the counts of a span that ends, and the scope with their names."""
    locals_ = {name: emitter.names.temporary(name) for name in span.counts}
    if not locals_:
        return [], scope
    names = emitter.names.cell("counts", span.counts)
    left = ", ".join(locals_.values())
    comma = "," if len(locals_) == 1 else ""
    line = f"{left}{comma} = {emitter.spans(span.name)}.counts_of({local}, {names})"
    return [line], scope.with_locals(**locals_)
