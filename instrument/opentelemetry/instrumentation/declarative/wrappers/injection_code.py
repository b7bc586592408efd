"""Generates the code that writes trace context and baggage into fields and carriers."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.headers import with_headers
from opentelemetry.instrumentation.declarative.language.values import ContextPart
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.runtime import context, propagation
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope


def written_value(part: ContextPart, span: str, found: str, emitter: Emitter) -> str:
    """The source of a part of a trace context. ``found`` is the source of the context, which has baggage as well."""
    if part == "baggage":
        return f"{emitter.names.constant('injected_baggage', propagation.injected_baggage)}({found})"
    return f"{emitter.names.constant(part, getattr(context, part))}({span})"


def assignment_lines(part: ContextPart, target: Expression, value: str, scope: ExpressionScope) -> Lines:
    """The line that sets a field to a part of a trace context, in the form that its carrier has."""
    if part == "span_context":
        return [f"{target.assignment_target(scope)} = {value}"]
    return [target.injection(scope, value)]


def carrier_lines(
    carrier: Expression, found: str, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage
) -> Lines:
    """The lines that write a context to a carrier. A missing carrier, or a tuple, is replaced if it can be."""
    names = emitter.names
    fields, given, written = (names.temporary(name) for name in ("fields", "carrier", "carrier"))
    group = ExpressionGroup(scope, rule)
    read = group.value("carrier", carrier)
    lines = [
        *(group.lines() if group else []),
        f"{given} = {read}",
        f"{written} = {names.constant('with_headers', with_headers)}({given}, {fields})",
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
