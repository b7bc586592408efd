"""The expressions of an action, and which part of the spec each is: the key of a span, the condition of an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.node_type import Key
from opentelemetry.instrumentation.declarative.language.nodes.context_source import ContextSource
from opentelemetry.instrumentation.declarative.language.nodes.current_link import CurrentLink
from opentelemetry.instrumentation.declarative.language.nodes.exception import ExceptionRule
from opentelemetry.instrumentation.declarative.language.nodes.function import Function
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.injection import Injection
from opentelemetry.instrumentation.declarative.language.nodes.log import Log
from opentelemetry.instrumentation.declarative.language.nodes.metric import MetricValue
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.span_key import SpanKey
from opentelemetry.instrumentation.declarative.language.nodes.timestamps import Timestamps
from opentelemetry.instrumentation.declarative.lint.plan_parts import parts_of
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import InjectContext, RecordMetric, SetField
from opentelemetry.instrumentation.declarative.plan.model import HookPlan
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, SpanAction, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES

#: The key of the language that each part of a plan is read from, by the name of its field in the plan.
_PARTS: Mapping[str, Key] = {
    "when": SpanType.key_of("when"),
    "only": MetricValue.key_of("when"),
    "key": SpanKey.key_of("value"),
    "also": SpanKey.key_of("also"),
    "value": MetricValue.key_of("value"),
    "template": SpanType.key_of("template"),
    "parents": SpanType.key_of("parents"),
    "links": SpanType.key_of("links"),
    "attributes": SpanType.key_of("attributes"),
    "start_time": Timestamps.key_of("start"),
    "end_time": Timestamps.key_of("end"),
    "exception": ExceptionRule.key_of("value"),
    "statuses": SpanType.key_of("statuses"),
    "owner": SpanType.key_of("owner"),
    "sources": Injection.key_of("sources"),
    "carrier": ContextSource.key_of("carrier"),
    "traceparent": ContextSource.key_of("traceparent"),
    "body": Log.key_of("body"),
    "link": CurrentLink.key_of("targets"),
    "arguments": Function.key_of("arguments"),
}


#: The part that a field is which is written: it need not exist before.
WRITTEN = "written"


class Role(NamedTuple):
    """An expression, what it is in the spec, and what follows if it never has a value."""

    title: str
    effect: str
    expression: Expression
    #: The field of the plan.
    part: str
    #: The names that the spec defines for it.
    given: frozenset[str]
    #: Whether its value must be a number.
    is_number: bool = False


def roles_of(hook: HookPlan) -> Iterator[Role]:
    """Everything that is read at a hook."""
    outside = frozenset(hook.unpack)
    inside = hook.defined_names
    subject = f'the hook "{hook.hook.name}"'
    condition, names = Hook.key_of("when"), Hook.key_of("names")
    if hook.when is not None:
        yield Role(f"{condition.phrase} of {subject}", condition.missing, hook.when, "when", outside)
    for name, expression in hook.names.items():
        yield Role(f'the name "{name}" of {subject}', names.missing, expression, "names", outside)
    for name, expression in hook.each.items():
        yield Role(f'the list of "{name}" of {subject}', "is always empty", expression, "each", inside)
    for stage in STAGES:
        for action in hook.actions[stage]:
            for role in _of_action(action):
                is_number = isinstance(action, RecordMetric) and role.part == "value"
                yield role._replace(given=inside | action.given_names, is_number=is_number)


def _of_action(action: Action) -> Iterator[Role]:
    yield from _of_parts(action, action.reference)
    yield from _of_fields(_written_fields(action), action.reference)
    if isinstance(action, SpanAction):
        is_start, is_end = not isinstance(action, EndSpan), isinstance(action, TraceCall | RecordSpan | EndSpan)
        for role, is_late in _of_span(action.span):
            if is_end if is_late else is_start:
                yield role


def _of_fields(fields: Mapping[Any, Expression], subject: str) -> Iterator[Role]:
    """The fields of the program that are written. A carrier has to exist; others may be new."""
    for name, field in fields.items():
        if name == "carrier":
            carrier = _PARTS["carrier"]
            yield Role(f"{carrier.phrase} of {subject}", carrier.missing, field, name, frozenset())
        else:
            yield Role(f"the {name} of {subject}", "is never written", field, WRITTEN, frozenset())


def _written_fields(action: Action) -> Mapping[Any, Expression]:
    """The fields of the program that an action sets, by what it writes."""
    if isinstance(action, SetField):
        return {"field": action.field}
    return action.fields if isinstance(action, InjectContext) else {}


def _of_span(span: SpanPlan) -> Iterator[tuple[Role, bool]]:
    """The expressions of a span, and whether each is read when the span ends."""
    for role in _of_fields(span.inject, f'the span "{span.name}"'):
        yield role, False
    for name, role in _named_parts(span, f'the span "{span.name}"'):
        read = _PARTS[name].read
        may_wait = read == "start or end"
        yield role, read == "end" or (may_wait and not span.is_read_at_start(role.expression.names))


def _of_parts(part: Any, subject: str) -> Iterator[Role]:
    return (role for _, role in _named_parts(part, subject))


def _named_parts(part: Any, subject: str) -> Iterator[tuple[str, Role]]:
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name == "attributes":
            for attribute in value:
                assert isinstance(attribute, AttributePlan)
                title = f"the attribute {attribute.key}"
                missing = _PARTS[field.name].missing
                yield field.name, Role(title, missing, attribute.expression, field.name, frozenset())
        elif field.name in _PARTS:
            key = _PARTS[field.name]
            for each in parts_of(value):
                if isinstance(each, Expression):
                    yield field.name, Role(f"{key.phrase} of {subject}", key.missing, each, field.name, frozenset())
