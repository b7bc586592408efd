"""From a spec to its plan, with everything that can be known to be wrong without the library."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.spec_model import (
    Event,
    Hook,
    Moment,
    SpanType,
    Spec,
    Target,
    Text,
)
from opentelemetry.instrumentation.declarative.plan.content import NO_CONTENT, Content
from opentelemetry.instrumentation.declarative.plan.expression_reader import ENTER, Texts
from opentelemetry.instrumentation.declarative.plan.metric_plans import measures_of, metric_plan
from opentelemetry.instrumentation.declarative.plan.mirrors import mirrors_of
from opentelemetry.instrumentation.declarative.plan.model import (
    STAGES,
    Action,
    Around,
    Begin,
    CallPlan,
    Carry,
    Close,
    Finish,
    HookPlan,
    Measure,
    MetricPlan,
    Pin,
    Plan,
    Plug,
    Shot,
    SpanPlan,
    Stage,
    Tally,
    TapPlan,
    Write,
)
from opentelemetry.instrumentation.declarative.plan.span_plans import source_plans, span_plan

#: What happens first of several things at one moment: a span exists before its events, and these before its end.
_ORDER = [Around, Begin, Shot, Pin, Tally, Measure, Write, Finish, Carry, Plug, Close]

_AT_THE_CALL = "a hook is looked at when its call begins: read it in a span or event at return, raise or exit"
_AROUND = "a span around a call is decided on when the call begins: read it in an attribute or in the status"


def make_plan(spec: Spec, *, content: Content = NO_CONTENT) -> Plan:
    """The plan of a spec. A plan that lists problems is not to be installed: a rule in it may lack its condition.

    ``content``: what becomes of attributes marked ``content: true``.
    """
    return _Planner(spec, Texts(spec.functions, content)).plan()


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
            self.spans[name] = span_plan(span, spec, self.texts)
        for span in spec.spans.values():
            self._lifetime(span, self.spans[span.name])
            self._counts(span, self.spans[span.name])
            for event in span.events:
                self._event(event, span)
        for event in spec.events:
            self._event(event, None)
        metrics = self._metrics()
        self._carried()
        self._writes()
        taps = self._taps()
        mirrors = mirrors_of(spec, self.texts)
        for closing in spec.closings:
            owner = self.texts.expression(closing.owner, (closing.at.phase,))
            if owner is not None:
                self._at(closing.at, Close(closing.name, owner, closing.at.mark))
        for hook in self.hooks.values():
            for stage in STAGES:
                hook.actions[stage].sort(key=lambda action: _ORDER.index(type(action)))
        for call_plan in calls:
            call_plan.hooks = [hook for hook in call_plan.hooks if any(hook.actions.values())]
        calls = [call_plan for call_plan in calls if call_plan.hooks]
        patterns = tuple(hook for hook in self.hooks.values() if hook.hook.calls and any(hook.actions.values()))
        problems = sorted(self.texts.problems, key=lambda p: (p.mark.file, p.mark.line, p.mark.column))
        carried = tuple(one.name for one in spec.carried)
        return Plan(spec, self.spans, taps, calls, problems, mirrors, carried, metrics, patterns)

    def _metrics(self) -> tuple[MetricPlan, ...]:
        for metric in self.spec.metrics:
            for action in measures_of(metric, self.texts) if metric.at else ():
                for at in metric.at:
                    self._at(at, action)
        return tuple(metric_plan(metric, self.spec, self.texts) for metric in self.spec.metrics)

    def _taps(self) -> dict[str, TapPlan]:
        for tap in self.spec.taps.values():
            call = self.texts.expression(tap.call, (tap.at.phase,))
            when = self.texts.optional(tap.when, (tap.at.phase,))
            if call is not None:
                self._at(tap.at, Plug(tap.name, call, when, tap.mark))
        return {tap.name: TapPlan(tap.name, tap.base, tap.mark) for tap in self.spec.taps.values()}

    def _carried(self) -> None:
        self.texts.names(Text(one.name, one.mark) for one in self.spec.carried)
        for one in self.spec.carried:
            value = self.texts.expression(one.value, ENTER, _AT_THE_CALL)
            when = self.texts.optional(one.when, ENTER, _AT_THE_CALL)
            hook = self._hook(one.during.value, one.during.mark)
            if value is not None and hook is not None:
                hook.actions["enter"].append(Carry(one.name, value, when, one.mark))

    def _writes(self) -> None:
        for write in self.spec.writes:
            phases = tuple(at.phase for at in write.at)
            words = {word: getattr(write, word) for word in ("traceparent", "tracestate", "span_context")}
            fields = {word: self.texts.target(text, phases) for word, text in words.items() if text is not None}
            if write.of[0].where == "none":
                self.texts.problem(
                    write.of[0].mark,
                    "nothing-to-write",
                    f'the write "{write.name}" writes the context of no span',
                    "name a span with of:, or leave it out for the current one",
                )
            action = Write(
                name=write.name,
                when=self.texts.optional(write.when, phases),
                of=source_plans(write.of, phases, self.spec, self.texts),
                words={word: field for word, field in fields.items() if field is not None},
                field=None if write.field is None else self.texts.target(write.field, phases),
                value=self.texts.optional(write.value, phases),
                mark=write.mark,
            )
            for at in write.at:
                self._at(at, action)

    # ── Hooks ──

    def _calls(self) -> list[CallPlan]:
        """One plan for each callable, however many hooks stand on it."""
        calls: dict[tuple[str, str, str | None], CallPlan] = {}
        for hook in self.spec.hooks.values():
            given = (Text(name, hook.name_marks.get(name, hook.mark)) for name in hook.names)
            self.texts.names((*hook.args, *given))
            when = self.texts.optional(hook.when, ENTER, _AT_THE_CALL)
            read = {name: self.texts.expression(text, ENTER, _AT_THE_CALL) for name, text in hook.names.items()}
            target, tap = self._target(hook)
            if target is None and hook.calls is None:
                continue
            plan = HookPlan(
                hook=hook,
                when=when,
                args=tuple(name.value for name in hook.args),
                names={name: expression for name, expression in read.items() if expression is not None},
            )
            self.hooks[hook.name] = plan
            if target is not None:
                place = (target.module, target.path, tap)
                calls.setdefault(place, CallPlan(target, tap)).hooks.append(plan)
        return list(calls.values())

    def _target(self, hook: Hook) -> tuple[Target | None, str | None]:
        if hook.target is not None or hook.calls is not None:
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
            named = [hook.name for hook in self.spec.hooks.values() if not hook.direct]
            self.texts.unknown(Text(name, mark), "hook", named)
        return self.hooks.get(name)

    def _stages(self, moment: Moment) -> Iterator[tuple[Stage, HookPlan]]:
        """The stages of a moment with its hook."""
        hook = self._hook(moment.hook, moment.mark)
        stages: tuple[Stage, ...] = ("return", "raise") if moment.phase == "exit" else (moment.phase,)
        if hook is not None:
            yield from ((stage, hook) for stage in stages)

    def _at(self, moment: Moment, action: Action) -> None:
        """Enter what happens at a moment."""
        for stage, hook in self._stages(moment):
            hook.actions[stage].append(action)

    # ── Spans ──

    def _lifetime(self, span: SpanType, plan: SpanPlan) -> None:
        """Enter the span's beginning and end at the moments where they happen."""
        texts = self.texts
        ways = [way for way, given in (("around", span.around), ("start", span.starts), ("at", span.at)) if given]
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
            self._at(span.at, Shot(plan, when, span.mark))
        elif span.starts:
            if span.key is None:
                texts.problem(
                    span.mark,
                    "no-key",
                    f'the span "{span.name}" needs a `key`: its end has to find it again',
                    "write key: and what its start and its end both know, as an id",
                )
            for start in span.starts:
                phases = (start.at.phase,)
                when = texts.optional(start.when, phases)
                texts.names(Text(name, start.name_marks[name]) for name in start.names)
                read = {name: texts.expression(text, phases) for name, text in start.names.items()}
                names = {name: expression for name, expression in read.items() if expression is not None}
                self._at(start.at, Begin(plan, when, start.at.mark, names, start.resumes))
            for end in span.ends:
                readings = texts.readings(end.attributes, (end.at.phase,))
                when = texts.optional(end.when, (end.at.phase,))
                key = texts.optional(end.keys or end.key, (end.at.phase,)) or plan.key
                if key is not None:
                    self._at(end.at, Finish(plan, when, key, readings, end.at.mark, several=end.keys is not None))

    def _counts(self, span: SpanType, plan: SpanPlan) -> None:
        texts = self.texts
        texts.names({count.name: Text(count.name, count.mark) for count in span.counts}.values())
        for count in span.counts:
            if plan.key is None or span.at is not None:
                texts.problem(
                    count.mark,
                    "no-key",
                    f'the count "{count.name}" cannot find its span: "{span.name}" '
                    + ("has no `key`" if span.at is None else "is over as soon as it begins"),
                    "write key: under the span, with what both know, as an id"
                    if span.at is None
                    else "give the span a start and an end",
                )
                continue
            phases = tuple(at.phase for at in count.at)
            key = texts.optional(count.key, phases) or plan.key
            when = texts.optional(count.when, phases)
            for at in count.at:
                self._at(at, Tally(count.name, span.name, when, key, count.mark))

    def _event(self, event: Event, span: SpanType | None) -> None:
        texts = self.texts
        what = "event" if event.template else "update"
        if span is None and event.key is not None:
            texts.problem(
                event.key.mark,
                "no-span",
                f'the {what} "{event.name}" is pinned on the current span: it has no `key`',
                "put the event under the span that has the key",
            )
        if span is not None and span.at is not None:
            texts.problem(
                event.mark,
                "no-span",
                f'the {what} "{event.name}" cannot find its span: "{span.name}" is over as soon as it begins',
                "give the span a start and an end, or record what happens as an attribute",
            )
        elif span is not None and event.key is None and span.key is None:
            texts.problem(
                event.mark,
                "no-key",
                f'the {what} "{event.name}" needs a `key`, or its span does: it has to find its span',
                "write key: under the span, with what both know, as an id",
            )
        phases = tuple(at.phase for at in event.at)
        key = texts.optional(event.key, phases) or (self.spans[span.name].key if span else None)
        when = texts.optional(event.when, phases)
        template = None if event.template is None else texts.template(event.template, phases)
        readings = texts.readings(event.attributes, phases)
        pin = Pin(event.name, span.name if span else None, when, key, template, readings, event.mark)
        for at in event.at:
            self._at(at, pin)
