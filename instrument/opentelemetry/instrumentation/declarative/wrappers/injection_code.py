"""Generates the code that reads trace context and baggage from carriers, and writes them."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.headers import copied_carrier, with_headers
from opentelemetry.instrumentation.declarative.language.values import ContextPart
from opentelemetry.instrumentation.declarative.plan.call_actions import ExtractContext, SuppressInstrumentation
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.runtime.context import current, propagation, trace_context
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope


def emit_extraction(
    action: ExtractContext, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage
) -> Lines:
    """The lines that make the context in a carrier current. The token is detached when the call ends."""
    limit, help = "context is only extracted for a call", "extract it around a call that uses the generator"
    if emitter.leaves_out_of_generator(action, limit, help):
        return []
    if not emitter.can_read(scope, action.reference, list(action.fields.values())):
        return []
    names, group = emitter.names, ExpressionGroup(scope, rule)
    if action.carrier is not None:
        read = names.constant("context_of_call", propagation.context_of_call)
        found = f"{read}({group.value('carrier', action.carrier)})"
    else:
        fields = (("traceparent", action.traceparent), ("tracestate", action.tracestate), ("baggage", action.baggage))
        values = [group.value(name, field.of_trace_context()) if field else "None" for name, field in fields]
        read = names.constant("context_of_fields", propagation.context_of_fields)
        found = f"{read}({', '.join(values)})"
    token = emitter.context_tokens[action.rule.title] = names.local(f"{action.name}_token")
    local = emitter.contexts[action.rule.title] = names.local(f"{action.name}_context")
    attach = names.constant("attach_for_call", propagation.attach_for_call)
    return [*group.lines(), f"{local} = {found}", f"{token} = {attach}({local})"]


def emit_suppression(
    action: SuppressInstrumentation, emitter: Emitter, _scope: ExpressionScope, _rule: Rule, _stage: Stage
) -> Lines:
    """The lines after which what the call calls is not recorded. The token is detached when the call ends."""
    limit, help = "instrumentation is only suppressed for a call", "suppress it in a call that uses the generator"
    if emitter.leaves_out_of_generator(action, limit, help):
        return []
    token = emitter.context_tokens[action.rule.title] = emitter.names.local(f"{action.name}_token")
    local = emitter.contexts[action.rule.title] = emitter.names.local(f"{action.name}_context")
    attach = emitter.names.constant("attach", current.attach)
    suppressing = emitter.names.constant("suppressing", current.suppressing)
    return [f"{local} = {suppressing}({action.suppressed!r})", f"{token} = {attach}({local})"]


def written_value(part: ContextPart, span: str, found: str, emitter: Emitter) -> str:
    """The source of a part of a trace context. ``found`` is the source of the context, which has baggage as well."""
    if part == "baggage":
        return f"{emitter.names.constant('injected_baggage', propagation.injected_baggage)}({found})"
    return f"{emitter.names.constant(part, getattr(trace_context, part))}({span})"


def assignment_lines(part: ContextPart, target: Expression, value: str, scope: ExpressionScope) -> Lines:
    """The line that sets a field to a part of a trace context, in the form that its carrier has."""
    if part == "span_context":
        return [f"{target.assignment_target(scope)} = {value}"]
    return [target.injection(scope, value)]


def carrier_lines(
    carrier: Expression,
    form: str | None,
    copies: bool,
    found: str,
    emitter: Emitter,
    scope: ExpressionScope,
    rule: Rule,
    stage: Stage,
) -> Lines:
    """The lines that write a context to a carrier. A missing carrier, or a tuple, is replaced if it can be.

    With ``copies``, any other carrier is replaced by a copy.
    """
    names = emitter.names
    fields, written = names.temporary("fields"), names.temporary("written")
    group = ExpressionGroup(scope, rule)
    given = group.value("carrier", carrier)
    changed = f"{names.constant('copied', copied_carrier)}({given})" if copies else given
    arguments = ", ".join([changed, fields, *([repr(form)] if form else [])])
    lines = [
        *(group.lines() if group else []),
        f"{written} = {names.constant('with_headers', with_headers)}({arguments})",
    ]
    if carrier.assignable:
        lines += [f"if {written} is not {given}:", f"    {carrier.assignment_target(scope)} = {written}"]
    elif _is_parameter(carrier, emitter, stage):
        lines.append(f"{carrier.text} = {written}")
    else:
        unwritten = names.constant("check_written", propagation.check_written)
        lines.append(f"{unwritten}({given}, {written})")
    injected = names.constant("injected_fields", propagation.injected_fields)
    return [
        f"{fields} = {injected}({found})",
        f"if {fields}:",
        *indented([*lines, *emitter.count_written()]),
    ]


def _is_parameter(target: Expression, emitter: Emitter, stage: Stage) -> bool:
    return stage == "enter" and target.is_name and emitter.can_set_parameters and target.text in emitter.parameters
