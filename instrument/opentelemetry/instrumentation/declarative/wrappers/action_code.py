"""Generates the code of each action of a plan, for one hook at one stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import (
    EndOwnedSpans,
    ExtractContext,
    InjectContext,
    InstallExtension,
    RecordMetric,
    SetContextValue,
    SetField,
    SuppressInstrumentation,
)
from opentelemetry.instrumentation.declarative.plan.open_span_actions import (
    AddEvent,
    AddLink,
    CallFunction,
    EmitLog,
    IncrementCount,
    SetAttribute,
    SetAttributeGroup,
    SetAttributes,
    SetStatus,
)
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.runtime.context import current, propagation, trace_context
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.outcome import call_with_span, start_with_span
from opentelemetry.instrumentation.declarative.wrappers.additions_code import (
    emit_attributes,
    emit_event,
    emit_link,
    emit_log,
    emit_status,
    on_span,
)
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.context_code import context_source, source_expressions
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup, conditional
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope
from opentelemetry.instrumentation.declarative.wrappers.injection_code import (
    carrier_lines,
    emit_extraction,
    emit_suppression,
    written_value,
)
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import as_own_writing
from opentelemetry.instrumentation.declarative.wrappers.span_ends import (
    emit_counts_so_far,
    emit_end_span,
    emit_record_span,
)
from opentelemetry.instrumentation.declarative.wrappers.span_starts import emit_start_span, emit_trace_call


def emit_action(action: Action, emitter: Emitter, scope: ExpressionScope, stage: Stage) -> Lines:
    """The lines of an action at its stage. The end of a TraceCall is not among them."""
    if scope.is_never_true(action.when) and not emitter.reports_all:
        return []
    emit = _EMITTERS[type(action)]
    emitter.action_hooks = emitter.runtime.name_uses.hooks_of_action(action)

    def emit_rule(rule: Rule) -> Lines:
        names: Lines = []
        inner = scope
        if isinstance(action, StartSpan):
            names, inner = emitter.named(action.names, scope, rule)
        elif isinstance(action, EndSpan) and action.waits_for_counts:
            names, inner = emit_counts_so_far(action, emitter, scope, rule)
        elif isinstance(action, InstallExtension):
            inner = scope.with_locals(extension=emitter.extension(action.name))
        if not emitter.can_read(inner, action.reference, [action.when]):
            return []
        body = emit(action, emitter, inner, rule, stage)
        if not body:
            return []
        if emitter.stats is not None and not emitter.stats.counts_effects:
            body = [*body, *emitter.count_emitted()]
        if action.when is not None:
            body = conditional(action.when, inner, rule, [*emitter.count_matched(), *body])
        return [*names, *body]

    lines = emitter.guarded(action.rule, emit_rule, always=isinstance(action, EndSpan | EndOwnedSpans))
    if not lines or not _changes_current_span(action) or emitter.runtime.rule(action.rule).stats is not None:
        return lines
    # Without a current span, which a report counts, there is nothing to do.
    return [f"if {emitter.names.constant('current_context', current.current_context)}():", *indented(lines)]


def _changes_current_span(action: Action) -> bool:
    if not isinstance(action, AddEvent | AddLink | SetAttributes | SetStatus):
        return False
    return action.span is None and action.of == "current"


def emit_context_reset(action: Action, emitter: Emitter) -> Lines:
    """The lines after which a context value is reset."""
    token = emitter.context_tokens.get(action.subject if action.kind == "context value" else action.rule.title)
    if token is None:
        return []
    reset = [f"{emitter.names.constant('detach', current.detach)}({token})"]
    return [
        f"if {token} is not None:",
        *indented(emitter.guarded(action.rule, lambda _: reset, always=True, part=True)),
    ]


def _emit_function(action: CallFunction, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key, *action.arguments]):
        return []
    group = ExpressionGroup(scope, rule)
    arguments = [group.value("argument", each) for each in action.arguments]
    function = emitter.names.constant(action.name, emitter.runtime.functions[action.name])
    # The end of a result that is followed cannot await.
    awaits = emitter.can_await and (stage == "enter" or not emitter.follows_results)
    call = emitter.counting(*(("start_with_span", start_with_span) if awaits else ("call_with_span", call_with_span)))

    def lines(span: str) -> Lines:
        source = f"{call}({', '.join([span, function, *arguments])})"
        if not awaits:
            return [source]
        started = emitter.names.temporary("started")
        return [
            f"{started} = {source}",
            f"if {started} is not True and {started} is not False:",
            f"    await {started}",
        ]

    return on_span(action, emitter, scope, rule, group, lines)


def _emit_increment(
    action: IncrementCount, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage
) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key]):
        return []
    group = ExpressionGroup(scope, rule)
    key = group.value("key", action.key)
    return [*group.lines(), f"{emitter.counting_spans(action.span)}.count({key}, {action.name!r})"]


def _emit_metric(action: RecordMetric, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.value, action.only]):
        return []
    group = ExpressionGroup(scope, rule)
    value = "1" if action.value is None else group.value("value", action.value)
    attributes = "{}"
    wanted = [each for each in action.attributes if emitter.is_due(scope, each.expression)]
    if readable := emitter.readable(scope, wanted):
        attributes = group.attributes("attributes", readable)
    instrument = emitter.runtime.instruments[action.name]
    measure = emitter.counting("measure", instrument.measure, "its value was missing")
    lines = [*(group.lines() if group else []), f"{measure}({value}, {attributes})"]
    lines = lines if action.only is None else conditional(action.only, scope, rule, lines)
    if instrument.waiting is None or emitter.stats is not None or not lines:
        return lines
    waiting = emitter.names.constant("instrument", instrument.waiting)
    return [f"if {waiting}._real_instrument is not None:", *indented(lines)]


def _emit_context_value(
    action: SetContextValue, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage
) -> Lines:
    limit, help = "a value is only carried through a call", "carry it during a call that uses it"
    if emitter.leaves_out_of_generator(action, limit, help):
        return []
    if not emitter.can_read(scope, action.reference, [action.value]):
        return []
    group = ExpressionGroup(scope, rule)
    value = group.value("value", action.value)
    token = emitter.context_tokens[action.name] = emitter.names.local(f"{action.name}_token")
    local = emitter.carried[action.name] = emitter.names.local(f"{action.name}_value")
    variable = emitter.names.constant(action.name, emitter.runtime.context_values[action.name])
    return [*group.lines(), f"{local} = {value}", f"{token} = {variable}.set({local})"]


def _emit_injection(action: InjectContext, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, source_expressions(action.sources)):
        return []
    group = ExpressionGroup(scope, rule)
    names = emitter.names
    found = " or ".join(context_source(source, emitter, group) for source in action.sources)
    after: Lines = []
    if not action.fields.keys().isdisjoint(("carrier", "baggage")):
        # Baggage is propagated without a span, too.
        if any(source.where == "current" for source in action.sources):
            found = f"{found} or {names.constant('current_to_inject', propagation.current_to_inject)}()"
        local = names.temporary("found")
        after, found = [f"{local} = {found}"], local
    span = names.temporary("span")
    if not action.fields.keys() <= {"carrier", "baggage"}:
        after.append(f"{span} = {names.constant('span_in', trace_context.span_in)}({found})")
    for part, field in action.fields.items():
        if not emitter.is_due(scope, field):
            continue
        if part == "carrier":
            if emitter.can_read(scope, action.reference, [field]):
                after += carrier_lines(field, action.form, action.copies, found, emitter, scope, rule, stage)
            continue
        local = names.temporary(part)
        after.append(f"{local} = {written_value(part, span, found, emitter)}")
        after += _assign(field, local, action, emitter, scope, is_context=part != "span_context")
    return [*(group.lines() if group else []), *after]


def _emit_field(action: SetField, emitter: Emitter, scope: ExpressionScope, rule: Rule, stage: Stage) -> Lines:
    if not emitter.is_due(scope, action.field) or not emitter.can_read(scope, action.reference, [action.value]):
        return []
    group = ExpressionGroup(scope, rule)
    value = group.value("value", action.value)
    return [*group.lines(), *_assign(action.field, value, action, emitter, scope)]


def _assign(
    target: Expression,
    value: str,
    action: Action,
    emitter: Emitter,
    scope: ExpressionScope,
    *,
    is_context: bool = False,
) -> Lines:
    """Lines that set a field, or a parameter with which the original is called, to a value that is not None."""
    if not emitter.can_read(scope, action.reference, [target]):
        return []
    if target.is_name and not (emitter.can_set_parameters and target.text in emitter.parameters):
        message = (
            f'"{target.text}" is not a parameter of {emitter.callable_title} that can be set: '
            f"{action.reference} is left out"
        )
        emitter.problems.append(Problem(target.mark, "not-a-field", message, "name a field, as in message.trace_id"))
        return []
    if target.is_name:
        statements = [f"{target.text} = {value}"]
    elif is_context:
        statements = [target.injection(scope, value)]
    else:
        statements = [*as_own_writing(emitter.names), f"{target.assignment_target(scope)} = {value}"]
    return [f"if {value} is not None:", *indented([*statements, *emitter.count_written()])]


def _emit_end_owned(
    action: EndOwnedSpans, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage
) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.owner]):
        return []
    group = ExpressionGroup(scope, rule)
    owner = group.value("owner", action.owner)
    runtime = emitter.names.constant("runtime", emitter.runtime)
    lines = [*group.lines(), f"{runtime}.close_owned({action.name!r}, {owner}, {action.reason!r})"]
    return [*lines, f"await {runtime}.flush({action.name!r}, {owner})"] if emitter.can_await else lines


def _emit_extension(
    action: InstallExtension, emitter: Emitter, scope: ExpressionScope, _rule: Rule, _stage: Stage
) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.call]):
        return []
    return [f"{action.call.direct(scope)}({emitter.extension(action.name)})"]


#: The function for each action. ``Any``: each takes the actions of its own class.
_EMITTERS: dict[type[Action], Callable[[Any, Emitter, ExpressionScope, Rule, Stage], Lines]] = {
    TraceCall: emit_trace_call,
    StartSpan: emit_start_span,
    EndSpan: emit_end_span,
    RecordSpan: emit_record_span,
    AddEvent: emit_event,
    AddLink: emit_link,
    CallFunction: _emit_function,
    EmitLog: emit_log,
    SetAttribute: emit_attributes,
    SetAttributeGroup: emit_attributes,
    SetStatus: emit_status,
    IncrementCount: _emit_increment,
    RecordMetric: _emit_metric,
    SetContextValue: _emit_context_value,
    ExtractContext: emit_extraction,
    SuppressInstrumentation: emit_suppression,
    InjectContext: _emit_injection,
    SetField: _emit_field,
    InstallExtension: _emit_extension,
    EndOwnedSpans: _emit_end_owned,
}
