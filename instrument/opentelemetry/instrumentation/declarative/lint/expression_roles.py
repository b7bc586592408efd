"""The expressions of an action, and which part of the spec each is: the key of a span, the condition of an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.lint.plan_parts import parts_of
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.model import HookPlan
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, SpanAction, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan, SpanPlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES

_NONE = "is always None"
#: Each part that is read, by the name of its field in a plan, and what follows if it never has a value.
_PARTS: Mapping[str, tuple[str, str]] = {
    "when": ("the condition", "is never true"),
    "only": ("the condition of a value", "is never true"),
    "key": ("the key", _NONE),
    "value": ("the value", _NONE),
    "template": ("the name", "is incomplete"),
    "parents": ("the parent", "is never found"),
    "links": ("a link", "is never recorded"),
    "aliases": ("an alias", _NONE),
    "start_time": ("the start time", _NONE),
    "end_time": ("the end time", _NONE),
    "exception": ("the exception", _NONE),
    "statuses": ("the status", "is never set"),
    "owner": ("the owner", _NONE),
    "sources": ("the span", "is never found"),
}
#: Those that are read only when a span ends.
_AT_END = frozenset({"end_time", "exception", "statuses"})


class Role(NamedTuple):
    """An expression, what it is in the spec, and what follows if it never has a value."""

    title: str
    effect: str
    expression: Expression
    #: The field of the plan.
    part: str
    #: The names that the spec defines for it.
    given: frozenset[str]


def roles_of(hook: HookPlan) -> Iterator[Role]:
    """Everything that is read at a hook."""
    outside = frozenset(hook.unpack)
    inside = hook.defined_names
    subject = f'the hook "{hook.hook.name}"'
    if hook.when is not None:
        yield Role(f"the condition of {subject}", "is never true", hook.when, "when", outside)
    for name, expression in hook.names.items():
        yield Role(f'the name "{name}" of {subject}', _NONE, expression, "names", outside)
    for name, expression in hook.each.items():
        yield Role(f'the list of "{name}" of {subject}', "is always empty", expression, "names", inside)
    for stage in STAGES:
        for action in hook.actions[stage]:
            for role in _of_action(action):
                yield role._replace(given=inside | action.given_names)


def _of_action(action: Action) -> Iterator[Role]:
    yield from _of_parts(action, action.reference)
    if isinstance(action, SpanAction):
        is_start, is_end = not isinstance(action, EndSpan), isinstance(action, TraceCall | RecordSpan | EndSpan)
        for role, is_late in _of_span(action.span):
            if is_end if is_late else is_start:
                yield role


def _of_span(span: SpanPlan) -> Iterator[tuple[Role, bool]]:
    """What is read of a span, and whether that is when it ends."""
    for name, role in _named_parts(span, f'the span "{span.name}"'):
        may_wait = name in ("attributes", "template")
        yield role, name in _AT_END or (may_wait and not span.is_read_at_start(role.expression.names))


def _of_parts(part: Any, subject: str) -> Iterator[Role]:
    return (role for _, role in _named_parts(part, subject))


def _named_parts(part: Any, subject: str) -> Iterator[tuple[str, Role]]:
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name == "attributes":
            for attribute in value:
                assert isinstance(attribute, AttributePlan)
                title = f"the attribute {attribute.key}"
                yield field.name, Role(title, "is never recorded", attribute.expression, field.name, frozenset())
        elif field.name in _PARTS:
            title, effect = _PARTS[field.name]
            for each in parts_of(value):
                if isinstance(each, Expression):
                    yield field.name, Role(f"{title} of {subject}", effect, each, field.name, frozenset())
