"""The phrase for each action of a plan, and for what belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.inspection.explain.output import OutputLine
from opentelemetry.instrumentation.declarative.inspection.explain.span_lines import (
    attribute_lines,
    span_end_lines,
    span_start_lines,
    status_lines,
    value_text,
)
from opentelemetry.instrumentation.declarative.inspection.wording import (
    MOMENT_VERBS,
    condition_words,
    injected_part,
    sources_phrase,
)
from opentelemetry.instrumentation.declarative.language.values import Suppressed
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import (
    EndOwnedSpans,
    ExtractContext,
    HookValue,
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
    OpenSpanAction,
    SetAttribute,
    SetAttributeGroup,
    SetAttributes,
    SetStatus,
)
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.stages import STAGES, Stage, is_evaluated

#: The heading of each stage of a callable.
STAGE_TITLES: dict[Stage, str] = {stage: f"when it {MOMENT_VERBS[stage]}" for stage in STAGES}


def describe_action(action: Action, stage: Stage) -> OutputLine:
    """Return what an action does at a stage."""
    line = PHRASES[type(action)](action, stage)
    when = action.when
    return line if when is None else OutputLine(f"if {condition_words(when)}: {line.text}", line.mark, line.below)


def span_end_line(action: TraceCall, stage: Stage) -> OutputLine:
    """Return what happens to the span around a call when the call ends."""
    span = action.span
    return OutputLine(f"the span {span.name} ends{_exception(stage)}", action.mark, span_end_lines(span, stage))


def context_reset_line(action: SetContextValue) -> OutputLine:
    return OutputLine(f"the context value {action.name} is reset", action.mark)


def _trace_call(action: TraceCall, _stage: Stage) -> OutputLine:
    span = action.span
    current = "and is current until" if span.type.current else "and stays open until"
    text = f"the span {span.name} starts {current} the call ends"
    return OutputLine(text, action.mark, span_start_lines(span))


def _start_span(action: StartSpan, _stage: Stage) -> OutputLine:
    names = tuple(OutputLine(f"{name} = {value.text}", value.mark) for name, value in action.names.items())
    unless_open = ", unless one with its key is open" if action.unless_open else ""
    text = f"the span {action.span.name} starts and stays open{unless_open}"
    return OutputLine(text, action.mark, (*names, *span_start_lines(action.span)))


def _end_span(action: EndSpan, stage: Stage) -> OutputLine:
    span = action.span
    if action.several:
        text = f"each open span {span.name} whose key is in {action.key.text} ends"
    else:
        text = f"{_open_span(span.name, action.key)} ends"
    more = span_end_lines(span, stage, action.attributes, action.statuses)
    return OutputLine(text + _exception(stage), action.mark, more)


def _record_span(action: RecordSpan, stage: Stage) -> OutputLine:
    span = action.span
    start = "" if span.start_time is None else f", starting at {span.start_time.text}"
    end = "" if span.end_time is None else f", ending at {span.end_time.text}"
    text = f"the span {span.name} is recorded{start}{end}"
    return OutputLine(text, action.mark, (*span_start_lines(span), *span_end_lines(span, stage)))


def _add_event(action: AddEvent, _stage: Stage) -> OutputLine:
    once = ", the first time" if action.once else ""
    text = f"the event {action.template.text} is added to {_target_span(action)}{once}"
    return OutputLine(text, action.mark, attribute_lines(action.attributes))


def _add_link(action: AddLink, _stage: Stage) -> OutputLine:
    text = f"the link {action.name} is added to {_target_span(action)}, to {sources_phrase(action.link.sources)}"
    return OutputLine(text, action.mark)


def _emit_log(action: EmitLog, _stage: Stage) -> OutputLine:
    severity = f" with the severity {action.severity.upper()}" if action.severity else ""
    body = () if action.body is None else (OutputLine(f"body: {value_text(action.body)}", action.body.mark),)
    text = f"the log record {action.event_name}{severity} is emitted in {_target_span(action)}"
    return OutputLine(text, action.mark, (*body, *attribute_lines(action.attributes)))


def _set_attributes(action: SetAttributes, _stage: Stage) -> OutputLine:
    once = f", if {action.once.text}" if action.once else ""
    if action.template is None:
        text = f"attributes are set on {_target_span(action)}{once}"
    else:
        text = f"the name {action.template.text} is set on {_target_span(action)}{once}"
    return OutputLine(text, action.mark, attribute_lines(action.attributes))


def _set_status(action: SetStatus, _stage: Stage) -> OutputLine:
    statuses = tuple(line for each in action.statuses for line in status_lines(each))
    return OutputLine(f"the status is set on {_target_span(action)}", action.mark, statuses)


def _call_function(action: CallFunction, _stage: Stage) -> OutputLine:
    arguments = "".join(f", {each.text}" for each in action.arguments)
    return OutputLine(f"{action.name}(span{arguments}) is called with {_target_span(action)}", action.mark)


def _increment_count(action: IncrementCount, _stage: Stage) -> OutputLine:
    return OutputLine(f"the count {action.name} of {_target_span(action)} increases by 1", action.mark)


def _record_metric(action: RecordMetric, _stage: Stage) -> OutputLine:
    value = "1" if action.value is None else action.value.text
    only = "" if action.only is None else f", if {action.only.text}"
    text = f"the metric {action.name} records {value}{only}"
    return OutputLine(text, action.mark, attribute_lines(action.attributes))


def _set_context_value(action: SetContextValue, _stage: Stage) -> OutputLine:
    return OutputLine(f"the context value {action.name} is {action.value.text} until the call ends", action.mark)


_SUPPRESSED: dict[Suppressed, str] = {
    "instrumentation": "instrumentation",
    "http": "instrumentation of HTTP clients",
    "model_calls": "the recording of calls to models",
}


def _suppress(action: SuppressInstrumentation, _stage: Stage) -> OutputLine:
    what = _SUPPRESSED[action.suppressed]
    return OutputLine(f"{what} is suppressed until the call ends", action.mark)


def _extract_context(action: ExtractContext, _stage: Stage) -> OutputLine:
    fields = " and ".join(f"the {part} in {field.text}" for part, field in action.fields.items())
    return OutputLine(f"the context of {fields} is current until the call ends", action.mark)


def _inject_context(action: InjectContext, stage: Stage) -> OutputLine:
    fields = [(part, field) for part, field in action.fields.items() if is_evaluated(field, stage)]
    writes = ", ".join(f"{injected_part(part)} is written to {field.text}" for part, field in fields)
    return OutputLine(f"of {sources_phrase(action.sources)}, {writes}", action.mark)


def _set_field(action: SetField, _stage: Stage) -> OutputLine:
    return OutputLine(f"{action.field.text} is set to {action.value.text}", action.mark)


def _hook_value(action: HookValue, _stage: Stage) -> OutputLine:
    return OutputLine(f"the value {action.value} is hooked: {action.name} is on it", action.mark)


def _install_extension(action: InstallExtension, _stage: Stage) -> OutputLine:
    return OutputLine(f"the extension {action.name} is installed with {action.call.text}({action.name})", action.mark)


def _end_owned_spans(action: EndOwnedSpans, _stage: Stage) -> OutputLine:
    text = f"every open span whose owner {action.name} is {action.owner.text} ends with instrument.end={action.reason}"
    return OutputLine(text, action.mark)


#: The phrase of each type of action. ``Any``: each function takes actions of its own type.
PHRASES: dict[type, Callable[[Any, Stage], OutputLine]] = {
    TraceCall: _trace_call,
    StartSpan: _start_span,
    EndSpan: _end_span,
    RecordSpan: _record_span,
    AddEvent: _add_event,
    AddLink: _add_link,
    EmitLog: _emit_log,
    SetAttribute: _set_attributes,
    SetAttributeGroup: _set_attributes,
    SetStatus: _set_status,
    CallFunction: _call_function,
    IncrementCount: _increment_count,
    RecordMetric: _record_metric,
    SetContextValue: _set_context_value,
    ExtractContext: _extract_context,
    SuppressInstrumentation: _suppress,
    InjectContext: _inject_context,
    SetField: _set_field,
    HookValue: _hook_value,
    InstallExtension: _install_extension,
    EndOwnedSpans: _end_owned_spans,
}


def _target_span(action: OpenSpanAction) -> str:
    """Return the span that an action is on."""
    if action.span is None:
        return _SPANS_OF_CALL[action.of]
    if action.key is None:
        return f"the span {action.span} around the call"
    return _open_span(action.span, action.key)


_SPANS_OF_CALL = {
    "current": "the current span",
    "parent": "the span that was current before the call",
    "root": "the first span of the trace in this process",
}


def _open_span(span: str, key: Expression) -> str:
    return f"the open span {span} with the key {key.text}"


def _exception(stage: Stage) -> str:
    return " with the exception recorded" if stage == "raise" else ""
