"""From a spec to its plan, with everything that can be known to be wrong without the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from instrument.expressions import Expression, ExpressionError, Template, parse, parse_template
from instrument.plan.model import (
    DYNAMIC,
    STAGES,
    THERE,
    Around,
    Begin,
    CallPlan,
    Finish,
    HookPlan,
    LinkPlan,
    Pin,
    Plan,
    Plug,
    Reading,
    Shot,
    Source,
    SpanPlan,
    Stage,
    TapPlan,
    readable,
)
from instrument.problems import Mark, Problem, closest
from instrument.spec.model import Attribute, ContextSource, Event, Hook, Moment, SpanType, Spec, Target, Text

_T = TypeVar("_T")

#: What happens first of several things at one moment: a span exists before its events, and these before its end.
_ORDER = {Around: 0, Begin: 1, Shot: 2, Pin: 3, Finish: 4, Plug: 5}


def make_plan(spec: Spec, *, capture_content: bool = False) -> Plan:
    """The plan of a spec. A plan that lists problems is not to be installed: a rule in it may lack its condition.

    ``capture_content``: whether attributes marked ``content: true`` are recorded.
    """
    return _Planner(spec, capture_content).plan()


class _Planner:
    def __init__(self, spec: Spec, capture_content: bool) -> None:
        self.spec = spec
        self.capture_content = capture_content
        self.problems: list[Problem] = []
        self.hooks: dict[str, HookPlan] = {}
        self.spans: dict[str, SpanPlan] = {}

    def plan(self) -> Plan:
        spec = self.spec
        calls = self._calls()
        for name, span in spec.spans.items():
            self.spans[name] = self._span(span)
        for span in spec.spans.values():
            self._lifetime(span, self.spans[span.name])
            for event in span.events:
                self._event(event, span)
        for event in spec.events:
            self._event(event, None)
        taps = {tap.name: TapPlan(tap.name, tap.base, tap.mark) for tap in spec.taps.values()}
        for tap in spec.taps.values():
            for stage, hook in self._stages(tap.at):
                call = self._expression(tap.call)
                if call is not None:
                    hook.actions[stage].append(Plug(tap.name, call, self._when(tap.when, stage), tap.mark))
        for hook in self.hooks.values():
            for stage in STAGES:
                hook.actions[stage].sort(key=lambda action: _ORDER[type(action)])
        for call_plan in calls:
            call_plan.hooks = [hook for hook in call_plan.hooks if any(hook.actions.values())]
        calls = [call_plan for call_plan in calls if call_plan.hooks]
        return Plan(
            spec,
            self.spans,
            taps,
            calls,
            sorted(self.problems, key=lambda p: (p.mark.file, p.mark.line, p.mark.column)),
        )

    # ── Hooks ──

    def _calls(self) -> list[CallPlan]:
        """One plan for each callable, however many hooks stand on it."""
        calls: dict[tuple[str, str, str | None], CallPlan] = {}
        for hook in self.spec.hooks.values():
            target, tap = self._target(hook)
            if target is None:
                continue
            for name in (*hook.args, *(Text(name, hook.mark) for name in hook.names)):
                if name.value in DYNAMIC or not name.value.isidentifier():
                    self._problem(
                        name.mark, "bad-name", f'"{name.value}" cannot be given as a name: it has a meaning already'
                    )
            plan = HookPlan(
                hook=hook,
                when=self._when(hook.when, "enter"),
                args=tuple(name.value for name in hook.args),
                names={name: parsed for name, text in hook.names.items() if (parsed := self._expression(text))},
            )
            self.hooks[hook.name] = plan
            place = (target.module, target.path, tap)
            calls.setdefault(place, CallPlan(target, tap)).hooks.append(plan)
        return list(calls.values())

    def _target(self, hook: Hook) -> tuple[Target | None, str | None]:
        if hook.target is not None:
            return hook.target, None
        assert hook.tap is not None and hook.method is not None
        tap = self.spec.taps.get(hook.tap.value)
        if tap is None:
            self._unknown(hook.tap, "tap", self.spec.taps)
            return None, None
        return Target(tap.base.module, f"{tap.base.path}.{hook.method.value}", hook.method.mark), tap.name

    def _stages(self, moment: Moment) -> list[tuple[Stage, HookPlan]]:
        """The stages of a moment with its hook; a problem where there is no such hook."""
        hook = self.hooks.get(moment.hook)
        if hook is None:
            if moment.hook not in self.spec.hooks:
                self._unknown(Text(moment.hook, moment.mark), "hook", self.spec.hooks)
            return []
        stages: tuple[Stage, ...] = ("return", "raise") if moment.phase == "exit" else (moment.phase,)
        return [(stage, hook) for stage in stages]

    # ── Spans ──

    def _span(self, span: SpanType) -> SpanPlan:
        constants: dict[str, object] = {}
        if self.spec.vocabulary.span_type:
            constants[self.spec.vocabulary.span_type] = span.type
        constants.update(span.constants)
        inject = {}
        for field_name, text in (("traceparent", span.inject_traceparent), ("tracestate", span.inject_tracestate)):
            path = self._expression(text) if text else None
            if path is not None and not path.assignable:
                self._problem(
                    path.mark,
                    "not-a-field",
                    f'"{path.text}" cannot be written to: only a field can',
                    'name one, as in message.trace_id or message.headers["traceparent"]',
                )
            elif path is not None:
                inject[field_name] = path
        return SpanPlan(
            name=span.name,
            mark=span.mark,
            template=self._template(span.template),
            kind=span.kind,
            constants=constants,
            parent=self._source(span.parent),
            links=tuple(
                LinkPlan(link.kind, self._source(link.source)) for link in span.links if link.source.where != "none"
            ),
            key=self._optional(span.key),
            inject=inject,
            readings=self._readings(span.attributes),
            start_time=self._optional(span.start_time),
            end_time=self._optional(span.end_time),
            exception=self._optional(span.exception),
            status_error=self._optional(span.status_error),
            status_ok=self._optional(span.status_ok),
            remember=span.remember,
            limit=span.limit,
            start_has=self._start_has(span),
        )

    @staticmethod
    def _start_has(span: SpanType) -> frozenset[str]:
        """Which of ``result`` and ``error`` exist when the span starts."""
        at = span.at or (span.start.at if span.start else None)
        if at is None:
            return frozenset()
        return DYNAMIC if at.phase == "exit" else THERE[at.phase]

    def _lifetime(self, span: SpanType, plan: SpanPlan) -> None:
        """Enter the span's beginning and end at the moments where they happen."""
        ways = [way for way, given in (("around", span.around), ("start", span.start), ("at", span.at)) if given]
        if len(ways) != 1 or bool(span.ends) != (ways == ["start"]):
            self._problem(
                span.mark,
                "no-lifetime",
                f'the span "{span.name}" needs exactly one of `around`, `start` with `end`, '
                "and `at`: they say when it begins and ends",
            )
        elif span.around:
            hook = self.hooks.get(span.around)
            if hook is not None:
                hook.actions["enter"].append(Around(plan, self._when(span.when, "enter"), span.mark))
            elif span.around not in self.spec.hooks:
                self._unknown(Text(span.around, span.mark), "hook", self.spec.hooks)
        elif span.at:
            for stage, hook in self._stages(span.at):
                hook.actions[stage].append(Shot(plan, self._when(span.when, stage), span.mark))
        elif span.start:
            if plan.key is None:
                if span.key is None:
                    self._problem(
                        span.mark, "no-key", f'the span "{span.name}" needs a `key`: its end has to find it again'
                    )
                return
            for stage, hook in self._stages(span.start.at):
                hook.actions[stage].append(Begin(plan, self._when(span.start.when, stage), span.start.at.mark))
            for end in span.ends:
                readings = self._readings(end.attributes)
                for stage, hook in self._stages(end.at):
                    key = self._optional(end.key) or plan.key
                    hook.actions[stage].append(Finish(plan, self._when(end.when, stage), key, readings, end.at.mark))

    def _event(self, event: Event, span: SpanType | None) -> None:
        if span is None and event.key is not None:
            self._problem(
                event.key.mark,
                "no-span",
                f'the event "{event.name}" is pinned on the current span: it has no `key`',
                "put the event under the span that has the key",
            )
        key = self._optional(event.key) or (self.spans[span.name].key if span else None)
        if span is not None and key is None:
            if event.key is None and span.key is None:
                self._problem(
                    event.mark,
                    "no-key",
                    f'the event "{event.name}" needs a `key`, or its span does: it has to find its span',
                )
            return
        pin = (event.name, span.name if span else None)
        for at in event.at:
            for stage, hook in self._stages(at):
                hook.actions[stage].append(
                    Pin(
                        *pin,
                        self._when(event.when, stage),
                        key,
                        self._template(event.template),
                        self._readings(event.attributes),
                        event.mark,
                    )
                )

    def _source(self, source: ContextSource) -> Source:
        if source.span is not None and source.span.value not in self.spec.spans:
            self._unknown(source.span, "span", self.spec.spans)
            return Source("current", source.mark)
        if source.span is not None and self.spec.spans[source.span.value].key is None:
            self._problem(
                source.span.mark, "no-key", f'the span "{source.span.value}" has no `key`: it cannot be found by one'
            )
        return Source(
            where=source.where,
            mark=source.mark,
            span=source.span.value if source.span else None,
            key=self._optional(source.key),
            required=source.required,
            traceparent=self._optional(source.traceparent),
            tracestate=self._optional(source.tracestate),
        )

    def _readings(self, attributes: Iterable[Attribute]) -> tuple[Reading, ...]:
        found = []
        for attribute in attributes:
            expression = self._expression(attribute.value)
            if expression is not None and (self.capture_content or not attribute.content):
                found.append(Reading(attribute.key, expression))
        return tuple(found)

    # ── Texts ──

    def _when(self, text: Text | None, stage: Stage) -> Expression | None:
        expression = self._optional(text)
        if expression is not None and not readable(expression.names, stage):
            name = min(DYNAMIC & expression.names)
            self._problem(
                expression.name_marks.get(name, expression.mark),
                "too-early",
                f'"{name}" is not there at {stage}: the call has not got that far',
                f"use a moment that has it: {'return' if name == 'result' else 'raise'} or exit",
            )
        return expression

    def _optional(self, text: Text | None) -> Expression | None:
        return None if text is None else self._expression(text)

    def _expression(self, text: Text) -> Expression | None:
        return self._parsed(parse, text)

    def _template(self, text: Text) -> Template:
        return self._parsed(parse_template, text) or Template(text.value, text.mark, (text.value,))

    def _parsed(self, read: Callable[..., _T], text: Text) -> _T | None:
        try:
            return read(text.value, text.mark, self.spec.functions)
        except ExpressionError as error:
            self.problems.extend(problem for problem in error.problems if problem not in self.problems)
            return None

    def _unknown(self, text: Text, what: str, known: Iterable[str]) -> None:
        near = closest(text.value, known)
        mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known) or 'none'}"
        self._problem(text.mark, f"unknown-{what}", f'there is no {what} "{text.value}"', mend)

    def _problem(self, mark: Mark, code: str, message: str, mend: str | None = None) -> None:
        problem = Problem(mark, code, message, mend)
        if problem not in self.problems:
            self.problems.append(problem)
