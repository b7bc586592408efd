"""The phrase for each action of a plan, and for what belongs to it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import (
    CONTENT_DESCRIPTION,
    CUT_CONTENT,
    HASHED_CONTENT,
    MAPPING_ENTRIES,
    Expression,
    HelperCall,
)
from opentelemetry.instrumentation.declarative.inspection.explain.output import OutputLine
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
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan, StatusPlan
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
    text = f"the span {span.name} starts and is current until the call ends"
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
    body = () if action.body is None else (OutputLine(f"body: {_value(action.body)}", action.body.mark),)
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


def span_start_lines(span: SpanPlan) -> tuple[OutputLine, ...]:
    """Return what a span gets when it starts."""
    lines = []
    if span.is_read_at_start(span.template.names):
        lines.append(OutputLine(f"name: {span.template.text}", span.template.mark))
    if span.key is not None:
        lines.append(OutputLine(f"key: {span.key.text}", span.key.mark))
    lines += [OutputLine(f"also found by {key.text} after it ends", key.mark) for key in span.also]
    lines.append(OutputLine(f"parent: {sources_phrase(span.parents)}", span.parents[0].mark))
    for link in span.links:
        lines.append(OutputLine(f"link {link.kind}: {sources_phrase(link.sources)}", link.sources[0].mark))
    if span.owner is not None:
        lines.append(OutputLine(f"owner: {span.owner.text}", span.owner.mark))
    lines += attribute_lines(each for each in span.attributes if span.is_read_at_start(each.expression.names))
    lines += [
        OutputLine(f"{injected_part(part, 'its')} is written to {field.text}", field.mark)
        for part, field in span.inject.items()
    ]
    return tuple(lines)


def span_end_lines(
    span: SpanPlan, stage: Stage, more: Iterable[AttributePlan] = (), statuses: Iterable[StatusPlan] = ()
) -> tuple[OutputLine, ...]:
    """Return what a span gets when it ends at a stage, with more attributes and statuses of this end."""
    lines = []
    if not span.is_read_at_start(span.template.names) and all(
        span.is_readable_at_end(part, stage) for part in span.template.parts if isinstance(part, Expression)
    ):
        lines.append(OutputLine(f"name: {span.template.text}", span.template.mark))
    late = [each for each in span.attributes if not span.is_read_at_start(each.expression.names)]
    lines += attribute_lines(each for each in (*late, *more) if span.is_readable_at_end(each.expression, stage))
    for status in (*statuses, *span.statuses):
        lines += status_lines(status, lambda expression: span.is_readable_at_end(expression, stage))
    if span.exception is not None and span.is_readable_at_end(span.exception, stage):
        lines.append(OutputLine(f"exception: {span.exception.text}", span.exception.mark))
    return tuple(lines)


def status_lines(status: StatusPlan, exists: Callable[[Expression], bool] = lambda _: True) -> Iterable[OutputLine]:
    """The rules of a status, without those that cannot be read. The first rule that applies and has a value counts."""
    if status.when is not None and not exists(status.when):
        return
    when = "" if status.when is None else f"if {condition_words(status.when)}: "
    if status.unset and status.when is not None:
        yield OutputLine(f"{when}status UNSET", status.when.mark)
    if status.error is not None and exists(status.error):
        text = f"{when}status ERROR, described by {_value(status.error)}, if that has a value"
        yield OutputLine(text, status.error.mark)
    if status.ok is not None and exists(status.ok):
        yield OutputLine(f"{when}status OK, if {status.ok.text}", status.ok.mark)


def attribute_lines(attributes: Iterable[AttributePlan]) -> tuple[OutputLine, ...]:
    """Return attributes with the expressions of their values."""
    return tuple(
        OutputLine(f"{each.key} = {_value(each.value)}{_conditions(each)}", each.value.mark) for each in attributes
    )


def _conditions(attribute: AttributePlan) -> str:
    texts = [condition_words(each) for each in (attribute.when, attribute.once) if each is not None]
    empty = ", unless empty" if attribute.omits_empty else ""
    return empty + (f", if {' and '.join(texts)}" if texts else "")


#: What is done to a value that is content.
_HELPERS = {
    CONTENT_DESCRIPTION: " (content)",
    CUT_CONTENT: " (truncated)",
    HASHED_CONTENT: " (hashed)",
}


def _value(expression: Expression) -> str:
    """Return an expression, and what is done to its value if it is content."""
    tree = expression.tree
    helper = tree.func.id if isinstance(tree, HelperCall) and isinstance(tree.func, ast.Name) else ""
    if isinstance(tree, HelperCall) and helper == MAPPING_ENTRIES:
        return f"{expression.text} (each entry that matches {_selected(tree)})"
    return expression.text + _HELPERS.get(helper, "")


def _selected(entries: HelperCall) -> str:
    """Return the patterns for the names of the entries that are recorded."""
    only = entries.args[2]
    return " or ".join(str(only.value).split("\n")) if isinstance(only, ast.Constant) else ""


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
