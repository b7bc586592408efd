"""Puts on hooks what happens to open spans: events, and attributes and statuses that are set at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.current_link import CurrentLink
from opentelemetry.instrumentation.declarative.language.nodes.event import CurrentEvent, Event
from opentelemetry.instrumentation.declarative.language.nodes.function import Function
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.span_selection import OpenSpan
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Moment, SpanOfCall
from opentelemetry.instrumentation.declarative.plan.attribute_planner import ALWAYS, attribute_plans
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader, Phases
from opentelemetry.instrumentation.declarative.plan.field_reader import at_moments
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner
from opentelemetry.instrumentation.declarative.plan.open_span_actions import (
    AddEvent,
    AddLink,
    CallFunction,
    SetAttribute,
    SetAttributeGroup,
    SetAttributes,
    SetStatus,
)
from opentelemetry.instrumentation.declarative.plan.span_changes import SpanChange
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan
from opentelemetry.instrumentation.declarative.plan.span_planner import link_plan, status_plans

#: A rule that adds something to an open span, or sets something on it.
_OnSpan = Event | CurrentEvent | SpanChange | Function

ADD_KEY = "add key: to the span, with a value that both can read, such as an id"


class OpenSpanPlanner:
    """Plans what happens to the open spans of a spec, and to the spans of a call."""

    def __init__(self, spec: Spec, reader: ExpressionReader, hooks: HookPlanner, spans: Mapping[str, SpanPlan]) -> None:
        self._spec = spec
        self._reader = reader
        self._hooks = hooks
        self._spans = spans

    def add_event(self, event: Event | CurrentEvent, span: SpanType | None, of: SpanOfCall = "current") -> None:
        """Add an event of a span, or of a span ``of`` the call."""
        self._check_place(f'the event "{event.name}"', event, span)
        for key, moments in self._found_by(event, span):
            phases = tuple(at.phase for at in moments)
            action = AddEvent(
                mark=event.mark,
                when=at_moments(self._reader, phases).expression(event, "when"),
                attributes=attribute_plans(event.attributes, event.attribute_groups, phases, self._reader),
                name=event.name,
                span=span.name if span else None,
                key=key,
                of=of,
                template=self._reader.template(event.recorded_name, phases),
                once=event.once,
            )
            self._hooks.add(action, *moments)

    def add_link(self, link: CurrentLink, of: SpanOfCall) -> None:
        """Add a link of a span of the call."""
        phases = tuple(at.phase for at in link.at)
        action = AddLink(
            mark=link.mark,
            when=self._reader.optional(link.when, phases),
            name=link.name,
            span=None,
            key=None,
            of=of,
            link=link_plan(link.name, link.targets, phases, self._spec, self._reader),
        )
        self._hooks.add(action, *link.at)

    def add_change(self, change: SpanChange, span: SpanType | None) -> None:
        """Add what is set at moments on a span, or on a span of the call."""
        self._check_place(change.title, change, span)
        for key, moments in self._found_by(change, span):
            action = self._change(change, span, key, tuple(at.phase for at in moments))
            if action is not None:
                self._hooks.add(action, *moments)

    def add_function(self, function: Function) -> None:
        """Add the calls of a function with an open span, or a span of the call."""
        if not function.is_called_with_span:
            return
        name = function.open_span.span if function.open_span is not None else None
        span = self._spec.spans.get(name.value) if name is not None else None
        if name is not None and span is None:
            self._reader.unknown(name, "span", self._spec.spans)
            return
        self._check_place(f'the function "{function.name}"', function, span)
        for key, moments in self._found_by(function, span):
            phases = tuple(at.phase for at in moments)
            arguments = [self._reader.expression(argument, phases) for argument in function.arguments]
            action = CallFunction(
                mark=function.mark,
                when=at_moments(self._reader, phases).expression(function, "when"),
                name=function.name,
                span=span.name if span else None,
                key=key,
                of="current" if isinstance(function.of, OpenSpan) else function.of,
                arguments=tuple(argument for argument in arguments if argument is not None),
            )
            self._hooks.add(action, *moments)

    def _change(
        self, change: SpanChange, span: SpanType | None, key: Expression | None, phases: Phases
    ) -> SetAttributes | SetStatus | None:
        name, mark, of = change.name, change.mark, change.of
        span_name = span.name if span else None
        if change.statuses:
            statuses = status_plans(change.statuses, span, self._spec, phases, self._reader)
            return SetStatus(name=span_name or of, mark=mark, span=span_name, key=key, of=of, statuses=statuses)
        condition = ALWAYS.with_(change.when, phases, self._reader)
        attributes = attribute_plans(change.attributes, (), phases, self._reader)
        template = self._reader.template(change.template, phases) if change.template else None
        if condition.never or not (attributes or template):
            return None
        set_: type[SetAttributes] = SetAttributeGroup if change.is_group else SetAttribute
        return set_(
            template=template,
            name=name,
            mark=mark,
            when=condition.when,
            once=condition.once,
            attributes=attributes,
            span=span_name,
            key=key,
            of=of,
        )

    def _found_by(self, rule: _OnSpan, span: SpanType | None) -> Iterator[tuple[Expression | None, tuple[Moment, ...]]]:
        """How the span of a rule is found at its moments: by a key, or without one in the call that it is around."""
        own = [at for at in rule.at if _is_of_own_call(at, rule, span)]
        others = [at for at in rule.at if at not in own]
        if own:
            yield None, tuple(own)
        if others:
            key = self._reader.key(rule.key, tuple(at.phase for at in others))
            yield key or (self._spans[span.name].key if span else None), tuple(others)

    def _check_place(self, title: str, rule: _OnSpan, span: SpanType | None) -> None:
        if span is None:
            return

        def needs_key(at: Moment) -> bool:
            is_name_of_span = at.hook == span.name and at.hook not in self._spec.hooks  # which is reported
            return not is_name_of_span and not _is_of_own_call(at, rule, span)

        if span.at is not None:
            self._reader.problem(
                rule.mark,
                "no-span",
                f'{title} cannot find its span: "{span.name}" ends as soon as it starts',
                "give the span a start and an end, or record an attribute instead",
            )
        elif rule.key is None and span.key is None and any(map(needs_key, rule.at)):
            message = f"{title} needs a `key`, on itself or on its span, to find the span"
            is_around_call = span.around is not None and not isinstance(rule, Function)
            help = f"{ADD_KEY}, or write it under enrich: current, for the span that is current then"
            self._reader.problem(rule.mark, "no-key", message, help if is_around_call else ADD_KEY)


def _is_of_own_call(at: Moment, rule: _OnSpan, span: SpanType | None) -> bool:
    """Whether the span of a rule is the one around the call to which a moment belongs."""
    if span is None or span.around is None or rule.key is not None or (isinstance(rule, Event) and rule.once):
        return False
    return at.hook == span.around.value
