"""Generates the code that adds events, links, attributes and statuses to spans, and emits log records."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.instrumentation.declarative.language.values import SpanOfCall
from opentelemetry.instrumentation.declarative.plan.open_span_actions import (
    AddEvent,
    AddLink,
    CallFunction,
    EmitLog,
    SetAttributes,
    SetStatus,
)
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.runtime.context import current
from opentelemetry.instrumentation.declarative.runtime.context.local_roots import local_root
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.outcome import (
    add_event,
    add_link,
    set_attributes,
    set_status,
    update_span,
)
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.context_code import link_code, source_expressions
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope
from opentelemetry.instrumentation.declarative.wrappers.status_code import first_status_source


def emit_event(action: AddEvent, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key, action.template]):
        return []
    group = ExpressionGroup(scope, rule)
    name = group.rendered_name("name", action.template.parts)
    attributes = group.attributes("attributes", emitter.readable(scope, action.attributes))
    add = emitter.counting("add_event", add_event)
    return on_span(action, emitter, scope, rule, group, lambda span: [f"{add}({span}, {name}, {attributes})"])


def emit_link(action: AddLink, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, source_expressions(action.link.sources)):
        return []
    group = ExpressionGroup(scope, rule)
    lines, link = link_code(action.link, emitter, scope, rule, group)
    add = emitter.counting("add_link", add_link)
    span = emitter.names.temporary("span")
    adding = [*group.lines(), *lines, f"{add}({span}, {link})"]
    # Most moments have no such span, and finding the target of the link is the larger part of the cost.
    is_recording = "" if emitter.stats is not None else f" and {span}.is_recording()"
    condition = f"{span} is not None{is_recording}"
    return [f"{span} = {_span_of_call(action.of, emitter)}", f"if {condition}:", *indented(adding)]


def emit_attributes(
    action: SetAttributes, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage
) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key, action.template]):
        return []
    group = ExpressionGroup(scope, rule)
    attributes = group.attributes("attributes", emitter.readable(scope, action.attributes))
    if not emitter.applies(action.once):
        return []
    if action.template is not None:
        name = group.rendered_name("name", action.template.parts)
        update = emitter.counting("update_span", update_span)
        return on_span(action, emitter, scope, rule, group, lambda span: [f"{update}({span}, {name}, {attributes})"])
    set_ = emitter.counting("set_attributes", set_attributes)
    return on_span(action, emitter, scope, rule, group, lambda span: [f"{set_}({span}, {attributes})"])


def emit_status(action: SetStatus, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage) -> Lines:
    if not emitter.can_read(scope, action.reference, [action.key]):
        return []
    group = ExpressionGroup(scope, rule)
    status = first_status_source(
        action.statuses,
        group,
        scope,
        lambda _, each: (
            emitter.is_due(scope, each) and emitter.can_read_at(scope, action.reference, each, emitter.action_hooks)
        ),
    )
    if status is None:
        return []
    set_ = emitter.counting("set_status", set_status)
    return on_span(action, emitter, scope, rule, group, lambda span: [f"{set_}({span}, {scope.exception}, {status})"])


def emit_log(action: EmitLog, emitter: Emitter, scope: ExpressionScope, rule: Rule, _stage: Stage) -> Lines:
    make = emitter.runtime.log_emitter
    if make is None or not emitter.can_read(scope, action.reference, [action.key]):
        return []
    log = make(action.event_name, action.severity)
    group = ExpressionGroup(scope, rule)
    body = "None"
    if action.body is not None and emitter.is_due(scope, action.body):
        subject = f"the body of {action.reference}"
        if emitter.can_read_at(scope, subject, action.body, emitter.action_hooks):
            body = group.value("body", action.body)
    attributes = group.attributes("attributes", emitter.readable(scope, action.attributes))
    emit = emitter.names.constant("emit_log", log.emit)
    in_current = action.span is None and action.of == "current"

    def lines(span: str) -> Lines:
        return [f"{emit}({body}, {attributes}{'' if in_current else f', {span}'})", *emitter.count_written()]

    emitting = on_span(action, emitter, scope, rule, group, lines)
    skipped = emitter.count_not_emitted("no log records are wanted")
    return [
        f"if {emitter.names.constant('log_is_enabled', log.is_enabled)}():",
        *indented(emitting),
        *(["else:", *indented(skipped)] if skipped else []),
    ]


def on_span(
    action: AddEvent | SetAttributes | SetStatus | EmitLog | CallFunction,
    emitter: Emitter,
    scope: ExpressionScope,
    rule: Rule,
    group: ExpressionGroup,
    calls: Callable[[str], Lines],
) -> Lines:
    """The lines that find the span that something is added to or set on, and then call something with it."""
    read = group.lines() if group else []
    if action.span is None:
        return [*read, *calls(_span_of_call(action.of, emitter))]
    # A log record is also emitted for a span that is not recorded, and a report counts these.
    is_recording = "" if isinstance(action, EmitLog) or emitter.stats is not None else " and {}.is_recording()"
    if action.key is None:
        around = emitter.call_spans.get(action.span)
        if around is None:
            return []
        condition = f"{around} is not None{is_recording.format(f'{around}.span')}"
        return [f"if {condition}:", *indented([*read, *calls(f"{around}.span")])]
    find = ExpressionGroup(scope, rule)
    key = find.value("key", action.key)
    local = emitter.names.temporary("span")
    once = isinstance(action, AddEvent) and action.once
    call_find = f"find_once({key}, {action.name!r})" if once else f"find({key})"
    return [
        *find.lines(),
        f"{local} = {emitter.counting_spans(action.span)}.{call_find}",
        f"if {local} is not None{is_recording.format(local)}:",
        *indented([*read, *calls(local)]),
    ]


def _span_of_call(of: SpanOfCall, emitter: Emitter) -> str:
    if of == "parent":
        return emitter.span_before_call()
    find = {"current": current.current_span, "root": local_root}[of]
    return f"{emitter.names.constant('current_span' if of == 'current' else 'local_root', find)}()"
