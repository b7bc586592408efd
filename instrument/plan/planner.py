"""From a spec to its plan, with everything that can be known to be wrong without the library."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from instrument.expressions import Expression
from instrument.plan.mirrors import mirrors_of
from instrument.plan.model import (
    DYNAMIC,
    STAGES,
    THERE,
    Around,
    Begin,
    CallPlan,
    Close,
    Finish,
    HookPlan,
    LinkPlan,
    Pin,
    Plan,
    Plug,
    Shot,
    Source,
    SpanPlan,
    Stage,
    TapPlan,
)
from instrument.plan.texts import ENTER, Phases, Texts, phases_of
from instrument.problems import Mark
from instrument.spec.model import ContextSource, Event, Hook, Moment, SpanType, Spec, Target, Text

#: What happens first of several things at one moment: a span exists before its events, and these before its end.
_ORDER = {Around: 0, Begin: 1, Shot: 2, Pin: 3, Finish: 4, Plug: 5, Close: 6}

_AT_THE_CALL = "a hook is looked at when its call begins: read it in a span or event at return, raise or exit"
_AT_THE_START = "use what is there when the span starts"
_AROUND = "a span around a call is decided on when the call begins: read it in an attribute or in the status"


def make_plan(spec: Spec, *, capture_content: bool = False) -> Plan:
    """The plan of a spec. A plan that lists problems is not to be installed: a rule in it may lack its condition.

    ``capture_content``: whether attributes marked ``content: true`` are recorded.
    """
    return _Planner(spec, Texts(spec.functions, capture_content)).plan()


class _Planner:
    def __init__(self, spec: Spec, texts: Texts) -> None:
        self.spec = spec
        self.texts = texts
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
            call = self.texts.expression(tap.call, (tap.at.phase,))
            when = self.texts.optional(tap.when, (tap.at.phase,))
            for stage, hook in self._stages(tap.at):
                if call is not None:
                    hook.actions[stage].append(Plug(tap.name, call, when, tap.mark))
        mirrors = mirrors_of(spec, self.texts)
        for closing in spec.closings:
            owner = self.texts.expression(closing.owner, (closing.at.phase,))
            for stage, hook in self._stages(closing.at):
                if owner is not None:
                    hook.actions[stage].append(Close(closing.name, owner, closing.at.mark))
        for hook in self.hooks.values():
            for stage in STAGES:
                hook.actions[stage].sort(key=lambda action: _ORDER[type(action)])
        for call_plan in calls:
            call_plan.hooks = [hook for hook in call_plan.hooks if any(hook.actions.values())]
        calls = [call_plan for call_plan in calls if call_plan.hooks]
        problems = sorted(self.texts.problems, key=lambda p: (p.mark.file, p.mark.line, p.mark.column))
        return Plan(spec, self.spans, taps, calls, problems, mirrors)

    # ── Hooks ──

    def _calls(self) -> list[CallPlan]:
        """One plan for each callable, however many hooks stand on it."""
        calls: dict[tuple[str, str, str | None], CallPlan] = {}
        for hook in self.spec.hooks.values():
            self._check_names(hook)
            when = self.texts.optional(hook.when, ENTER, _AT_THE_CALL)
            read = {name: self.texts.expression(text, ENTER, _AT_THE_CALL) for name, text in hook.names.items()}
            target, tap = self._target(hook)
            if target is None:
                continue
            plan = HookPlan(
                hook=hook,
                when=when,
                args=tuple(name.value for name in hook.args),
                names={name: expression for name, expression in read.items() if expression is not None},
            )
            self.hooks[hook.name] = plan
            place = (target.module, target.path, tap)
            calls.setdefault(place, CallPlan(target, tap)).hooks.append(plan)
        return list(calls.values())

    def _check_names(self, hook: Hook) -> None:
        given: set[str] = set()
        for name in (*hook.args, *(Text(name, hook.name_marks.get(name, hook.mark)) for name in hook.names)):
            why = None
            if name.value in DYNAMIC:
                why = "it is what the call returns" if name.value == "result" else "it is what the call raises"
            elif keyword.iskeyword(name.value) or not name.value.isidentifier() or name.value.startswith("__"):
                why = "Python itself uses it"
            elif name.value in given:
                why = "it is given twice"
            given.add(name.value)
            if why:
                self.texts.problem(
                    name.mark, "bad-name", f'"{name.value}" cannot be given as a name: {why}', "choose another name"
                )

    def _target(self, hook: Hook) -> tuple[Target | None, str | None]:
        if hook.target is not None:
            return hook.target, None
        assert hook.tap is not None and hook.method is not None
        tap = self.spec.taps.get(hook.tap.value)
        if tap is None:
            self.texts.unknown(hook.tap, "tap", self.spec.taps)
            return None, None
        return Target(tap.base.module, f"{tap.base.path}.{hook.method.value}", hook.method.mark), tap.name

    def _hook(self, name: str, mark: Mark) -> HookPlan | None:
        """The plan of a hook; a problem where there is no such hook."""
        if name not in self.spec.hooks:
            self.texts.unknown(Text(name, mark), "hook", self.spec.hooks)
        return self.hooks.get(name)

    def _stages(self, moment: Moment) -> Iterator[tuple[Stage, HookPlan]]:
        """The stages of a moment with its hook."""
        hook = self._hook(moment.hook, moment.mark)
        stages: tuple[Stage, ...] = ("return", "raise") if moment.phase == "exit" else (moment.phase,)
        if hook is not None:
            yield from ((stage, hook) for stage in stages)

    # ── Spans ──

    def _span(self, span: SpanType) -> SpanPlan:
        texts = self.texts
        constants: dict[str, object] = {}
        if self.spec.vocabulary.span_type:
            constants[self.spec.vocabulary.span_type] = span.type
        constants.update(span.constants)
        first, last = phases_of(span)
        return SpanPlan(
            name=span.name,
            mark=span.mark,
            template=texts.template(span.template, (*first, *last)),
            kind=span.kind,
            constants=constants,
            parent=self._source(span.parent, first),
            links=tuple(
                LinkPlan(link.kind, self._source(link.source, first))
                for link in span.links
                if link.source.where != "none"
            ),
            key=texts.optional(span.key, first, _AT_THE_START),
            inject={
                word: field
                for word, text in (("traceparent", span.inject_traceparent), ("tracestate", span.inject_tracestate))
                if text is not None and (field := self._field(text, first)) is not None
            },
            readings=texts.readings(span.attributes, (*first, *last)),
            start_time=texts.optional(span.start_time, first, _AT_THE_START),
            end_time=texts.optional(span.end_time, last),
            exception=texts.optional(span.exception, last),
            status_error=texts.optional(span.status_error, last),
            status_ok=texts.optional(span.status_ok, last),
            remember=span.remember,
            limit=span.limit,
            start_has=_start_has(span),
            owner=texts.optional(span.owner, first, _AT_THE_START),
        )

    def _field(self, text: Text, phases: Phases) -> Expression | None:
        field = self.texts.expression(text, phases, _AT_THE_START)
        if field is None or field.assignable:
            return field
        self.texts.problem(
            field.mark,
            "not-a-field",
            f'"{field.text}" cannot be written to: only a field can',
            'name one, as in message.trace_id or message.headers["traceparent"]',
        )
        return None

    def _lifetime(self, span: SpanType, plan: SpanPlan) -> None:
        """Enter the span's beginning and end at the moments where they happen."""
        texts = self.texts
        ways = [way for way, given in (("around", span.around), ("start", span.start), ("at", span.at)) if given]
        if len(ways) != 1 or bool(span.ends) != (ways == ["start"]):
            texts.problem(
                span.mark,
                "no-lifetime",
                f'the span "{span.name}" needs exactly one of `around`, `start` with `end`, '
                "and `at`: they say when it begins and ends",
                "keep the one that is meant",
            )
        elif span.around:
            when = texts.optional(span.when, ENTER, _AROUND)
            if (hook := self._hook(span.around, span.around_mark or span.mark)) is not None:
                hook.actions["enter"].append(Around(plan, when, span.mark))
        elif span.at:
            when = texts.optional(span.when, (span.at.phase,))
            for stage, hook in self._stages(span.at):
                hook.actions[stage].append(Shot(plan, when, span.mark))
        elif span.start:
            if span.key is None:
                texts.problem(
                    span.mark,
                    "no-key",
                    f'the span "{span.name}" needs a `key`: its end has to find it again',
                    "write key: and what its start and its end both know, as an id",
                )
            when = texts.optional(span.start.when, (span.start.at.phase,))
            for stage, hook in self._stages(span.start.at):
                hook.actions[stage].append(Begin(plan, when, span.start.at.mark))
            for end in span.ends:
                readings = texts.readings(end.attributes, (end.at.phase,))
                when = texts.optional(end.when, (end.at.phase,))
                key = texts.optional(end.key, (end.at.phase,)) or plan.key
                for stage, hook in self._stages(end.at):
                    if key is not None:
                        hook.actions[stage].append(Finish(plan, when, key, readings, end.at.mark))

    def _event(self, event: Event, span: SpanType | None) -> None:
        texts = self.texts
        if span is None and event.key is not None:
            texts.problem(
                event.key.mark,
                "no-span",
                f'the event "{event.name}" is pinned on the current span: it has no `key`',
                "put the event under the span that has the key",
            )
        if span is not None and span.at is not None:
            texts.problem(
                event.mark,
                "no-span",
                f'the event "{event.name}" cannot find its span: "{span.name}" is over as soon as it begins',
                "give the span a start and an end, or record what happens as an attribute",
            )
        elif span is not None and event.key is None and span.key is None:
            texts.problem(
                event.mark,
                "no-key",
                f'the event "{event.name}" needs a `key`, or its span does: it has to find its span',
                "write key: under the span, with what both know, as an id",
            )
        phases = tuple(at.phase for at in event.at)
        key = texts.optional(event.key, phases) or (self.spans[span.name].key if span else None)
        when = texts.optional(event.when, phases)
        template = texts.template(event.template, phases)
        readings = texts.readings(event.attributes, phases)
        pin = Pin(event.name, span.name if span else None, when, key, template, readings, event.mark)
        for at in event.at:
            for stage, hook in self._stages(at):
                hook.actions[stage].append(pin)

    def _source(self, source: ContextSource, phases: Phases) -> Source:
        found = Source(
            where=source.where,
            mark=source.mark,
            span=source.span.value if source.span else None,
            key=self.texts.optional(source.key, phases, _AT_THE_START),
            required=source.required,
            traceparent=self.texts.optional(source.traceparent, phases, _AT_THE_START),
            tracestate=self.texts.optional(source.tracestate, phases, _AT_THE_START),
        )
        if source.span is None:
            return found
        span = self.spec.spans.get(source.span.value)
        if span is None:
            self.texts.unknown(source.span, "span", self.spec.spans)
            return Source("current", source.mark)
        if span.key is None or span.at is not None:
            why = "has no `key`" if span.key is None else "is over as soon as it begins"
            self.texts.problem(
                source.span.mark,
                "no-key",
                f'the span "{span.name}" {why}: it cannot be found by one',
                "write key: under that span, with what both know, as an id"
                if span.key is None
                else "name a span that is around a call or has a start and an end",
            )
        return found


def _start_has(span: SpanType) -> frozenset[str]:
    """Which of ``result`` and ``error`` exist when the span starts."""
    at = span.at or (span.start.at if span.start else None)
    if at is None:
        return frozenset()
    return DYNAMIC if at.phase == "exit" else THERE[at.phase]
