"""Answers what a span type is: when it starts and ends, and what it records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.inspection.explain.output import (
    OutputLine,
    line_data,
    text_lines,
    with_descriptions,
)
from opentelemetry.instrumentation.declarative.inspection.explain.overview_answer import (
    CONTENT_DISABLED,
    unrecorded_content,
)
from opentelemetry.instrumentation.declarative.inspection.explain.span_lines import attribute_lines, status_lines
from opentelemetry.instrumentation.declarative.inspection.wording import (
    MOMENT_VERBS,
    condition_words,
    injected_part,
    sources_phrase,
)
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.nodes.sample import Sample
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan
from opentelemetry.instrumentation.declarative.plan.open_span_actions import (
    AddEvent,
    CallFunction,
    EmitLog,
    IncrementCount,
    OpenSpanAction,
    SetAttributes,
    SetStatus,
)
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES, Stage


class ActionOnSpan(NamedTuple):
    """An action on the spans of a type, and when it happens."""

    action: Action
    hook: HookPlan
    call: CallPlan
    stages: tuple[Stage, ...]


def span_actions(name: str, plan: Plan) -> list[ActionOnSpan]:
    """Return everything that a plan does with the spans of a type, also as the current span of their call."""
    found: dict[tuple[int, int, int | None], ActionOnSpan] = {}
    for call in (*plan.calls, *plan.values):
        current = [each for hook in call.hooks for each in hook.current_spans]
        is_current = current[-1:] == [name]
        for hook in call.hooks:
            for stage in STAGES:
                for action in hook.actions[stage]:
                    if action.span_name == name or (is_current and _is_on_current_span(action)):
                        # Each value of a hook is named.
                        key = (id(action), id(hook), None if call.value is None else id(call))
                        before = found[key].stages if key in found else ()
                        found[key] = ActionOnSpan(action, hook, call, (*before, stage))
    return [*found.values()]


def _is_on_current_span(action: Action) -> bool:
    return isinstance(action, OpenSpanAction) and action.span is None and action.of == "current"


class SpanAnswer:
    """The span types with a name, one for each spec that has it."""

    has_problems = False

    def __init__(self, spans: Sequence[tuple[str, Plan, Registry]]) -> None:
        """``spans``: the name, the plan of the spec, and the descriptions that belong to it."""
        self.lines = [with_descriptions(_span_type_line(name, plan), registry) for name, plan, registry in spans]

    def text(self) -> str:
        return "\n\n".join("\n".join(text_lines([line])) for line in self.lines)

    def data(self) -> dict[str, Any]:
        return {"spans": line_data(self.lines)}


def _span_type_line(name: str, plan: Plan) -> OutputLine:
    span = plan.spans[name]
    actions = span_actions(name, plan)
    around = any(isinstance(each.action, TraceCall) for each in actions)
    lifetime = "around a call" if around else "at one moment" if plan.spec.spans[name].at else "between two moments"
    title = f"{plan.spec.name}:{name}, a span {lifetime}, of kind {span.type.kind}"
    return OutputLine(title, span.mark, tuple(_details(span, plan, actions)), ("spans", name))


_METRICS = {
    "histogram": "records the duration of each span",
    "counter": "counts the spans that end",
    "up_down_counter": "tracks the number of open spans",
}


def _sampling(sample: Sample) -> str:
    ratio = None if sample.ratio == 1 else f"{sample.ratio:.0%} of the traces"
    rate = None if sample.per_second is None else f"{sample.per_second:g} a second"
    return f"sampling: at most {' and '.join(filter(None, (ratio, rate))) or 'all'}"


def _details(span: SpanPlan, plan: Plan, actions: list[ActionOnSpan]) -> Iterator[OutputLine]:
    yield OutputLine(f"name: {span.template.text}{_if_late(span, span.template.names)}", span.template.mark)
    yield from _lifetime_lines(span, actions)
    if span.key is not None:
        yield OutputLine(f"key: {span.key.text}", span.key.mark)
    for key in span.also:
        yield OutputLine(f"also found by {key.text} after it ends", key.mark)
    yield OutputLine(f"parent: {sources_phrase(span.parents)}", span.parents[0].mark)
    if span.links:
        links = (
            OutputLine(
                f"{link.kind}: {sources_phrase(link.sources)}", link.sources[0].mark, subject=("links", link.kind)
            )
            for link in span.links
        )
        yield OutputLine("links", None, tuple(links))
    if span.constants:
        constants = (
            OutputLine(f"{key} = {value!r}", subject=("attributes", key)) for key, value in span.constants.items()
        )
        yield OutputLine("attributes with fixed values", None, tuple(constants))
    yield from _attribute_groups(span, actions)
    unrecorded = unrecorded_content(plan.spec.spans[span.name], plan)
    if unrecorded:
        content = tuple(
            OutputLine(f"{each.name} = {each.source}", each.mark, subject=("attributes", each.name))
            for each in unrecorded
        )
        yield OutputLine(f"not recorded, because {CONTENT_DISABLED}", None, content)
    types: tuple[tuple[str, type[OpenSpanAction]], ...]
    types = (
        ("events", AddEvent),
        ("log records", EmitLog),
        ("attributes set while it is open", SetAttributes),
        ("statuses set while it is open", SetStatus),
        ("functions called with it", CallFunction),
        ("counts", IncrementCount),
    )
    for title, type_ in types:
        lines = tuple(_action_line(each, each.action) for each in actions if isinstance(each.action, type_))
        if lines:
            yield OutputLine(title, None, lines)
    for status in span.statuses:
        yield from status_lines(status)
    for metric in plan.metrics:
        if span.name in metric.spans:
            text = f"the metric {metric.name} {_METRICS[metric.instrument]}"
            yield OutputLine(text, metric.mark, attribute_lines(metric.own_attributes))
    if span.type.sample is not None:
        yield OutputLine(_sampling(span.type.sample), span.mark)
    if span.exception is not None:
        yield OutputLine(f"exception: {span.exception.text}", span.exception.mark)
    if not span.type.exception.event:
        yield OutputLine("exceptions: not recorded as events", span.mark)
    if span.exception_content != FULL_CONTENT:
        recorded = "not recorded" if not span.exception_content.recorded else "hashed or truncated"
        yield OutputLine(f"exceptions: their messages are content, which is {recorded}")
    for part, field in span.inject.items():
        yield OutputLine(f"{injected_part(part, 'its')} is written to {field.text} when it starts", field.mark)
    if span.owner is not None:
        owner = next(each for each in plan.owners if span.name in each.spans)
        also = f", its ended spans are given to the sink {owner.sink.target.path}" if owner.sink else ""
        yield OutputLine(f"owner {owner.name}: {span.owner.text}{also}", span.owner.mark)


def _lifetime_lines(span: SpanPlan, actions: list[ActionOnSpan]) -> Iterator[OutputLine]:
    for each in actions:
        if isinstance(each.action, TraceCall):
            until = _UNTIL[each.hook.follow_result]
            current = "" if span.type.current else ", and is not the current span"
            yield OutputLine(f"around {each.call.target}{until}{_condition(each)}{current}", each.action.mark)
        elif isinstance(each.action, RecordSpan):
            yield OutputLine(f"starts and ends when {_moment(each)}", each.action.mark)
            for word, time in (("start", span.start_time), ("end", span.end_time)):
                if time is not None:
                    yield OutputLine(f"{word} time: {time.text}", time.mark)
        elif isinstance(each.action, StartSpan):
            names = tuple(OutputLine(f"{name} = {value.text}", value.mark) for name, value in each.action.names.items())
            unless_open = ", unless one with its key is open" if each.action.unless_open else ""
            current = ", and is current until it ends" if each.action.is_block else ""
            yield OutputLine(f"starts when {_moment(each)}{unless_open}{current}", each.action.mark, names)
    for each in actions:
        if isinstance(each.action, EndSpan):
            own_key = span.key is not None and each.action.key.text == span.key.text
            key = "" if own_key else f", found by {each.action.key.text}"
            statuses = (line for status in each.action.statuses for line in status_lines(status))
            more = (*attribute_lines(each.action.attributes), *statuses)
            yield OutputLine(f"ends when {_moment(each)}{key}", each.action.mark, more)


_UNTIL = {None: "", True: " until its result has finished", False: " until it returns"}


def _attribute_groups(span: SpanPlan, actions: list[ActionOnSpan]) -> Iterator[OutputLine]:
    """The attributes, grouped by when they are read."""
    groups: dict[str, list[AttributePlan]] = {}
    for reading in span.attributes:
        groups.setdefault(_when_read(span, reading.expression.names), []).append(reading)
    starts = [each.call.target for each in actions if isinstance(each.action, (TraceCall, StartSpan, RecordSpan))]
    ends = [each.call.target for each in actions if isinstance(each.action, (TraceCall, EndSpan, RecordSpan))]
    for when, readings in groups.items():
        targets = dict.fromkeys(str(target) for target in (starts if when == _AT_START else ends))
        yield OutputLine(f"attributes read {when}, from {_enumerated(targets)}", None, attribute_lines(readings))


_AT_START = "when it starts"


def _when_read(span: SpanPlan, names: frozenset[str]) -> str:
    if span.is_read_at_start(names):
        return _AT_START
    outcomes = [text for name, text in (("result", "has returned"), ("error", "has raised")) if name in names]
    return "when it ends" + (f" and the call {' or '.join(outcomes)}" if outcomes else "")


def _if_late(span: SpanPlan, names: frozenset[str]) -> str:
    return "" if span.is_read_at_start(names) else f" (read {_when_read(span, names)})"


def _action_line(on_span: ActionOnSpan, action: OpenSpanAction) -> OutputLine:
    """Return an event, attributes, a status or a count, and when it happens."""
    name = action.template.text if isinstance(action, AddEvent) else action.name
    if isinstance(action, SetAttributes) and action.template is not None:
        name += f", with the name {action.template.text},"
    name = "status" if isinstance(action, SetStatus) else name
    key = "" if action.key is None else f", found by {action.key.text}"
    once = "the first time that " if isinstance(action, AddEvent) and action.once else "when "
    line = OutputLine(f"{name} {once}{_moment(on_span)}{key}", action.mark, _details_of(action))
    return replace(line, subject=("events", action.name)) if isinstance(action, AddEvent | EmitLog) else line


def _details_of(action: OpenSpanAction) -> tuple[OutputLine, ...]:
    if isinstance(action, SetStatus):
        return tuple(line for status in action.statuses for line in status_lines(status))
    return attribute_lines(action.attributes)


def _moment(each: ActionOnSpan) -> str:
    """Return the moment at which an action happens, and on what conditions."""
    verbs = " or ".join(MOMENT_VERBS[stage] for stage in each.stages)
    return f"{each.call.target} {verbs}{_condition(each)}"


def _condition(each: ActionOnSpan) -> str:
    once = each.action.once if isinstance(each.action, SetAttributes) else None
    found = [condition for condition in (each.hook.when, each.action.when, once) if condition is not None]
    conditions = [condition_words(condition) for condition in found]
    if len(conditions) > 1:
        conditions = [f"({condition})" for condition in conditions]
    return f", if {' and '.join(conditions)}" if conditions else ""


def _enumerated(texts: Iterable[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last
