"""The plan: per callable, what is to be done at each moment, in order.

Pure: nothing is imported but the spec; neither the library nor OpenTelemetry. Everything that can be known of a spec
without the library is checked here; names of parameters are checked when a wrapper is made, with the signature at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from instrument.expressions import Expression, ExpressionError, Template, parse, parse_template
from instrument.problems import Mark, Problem, closest
from instrument.spec.model import Attribute, ContextSource, Event, Hook, Moment, Spec, SpanType, Target, Text

_T = TypeVar("_T")
Stage = Literal["enter", "return", "raise"]
STAGES: tuple[Stage, ...] = ("enter", "return", "raise")

#: The names that exist only at certain moments.
DYNAMIC = frozenset({"result", "error"})
_THERE: Mapping[Stage, frozenset[str]] = {
    "enter": frozenset(),
    "return": frozenset({"result"}),
    "raise": frozenset({"error"}),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """An attribute and the expression that it is read from."""

    key: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Source:
    """Where a parent or link points, with its expressions."""

    where: Literal["none", "current", "span", "traceparent"]
    mark: Mark
    span: str | None = None
    key: Expression | None = None
    required: bool = False
    traceparent: Expression | None = None
    tracestate: Expression | None = None


@dataclass(frozen=True, slots=True)
class LinkPlan:
    kind: str
    source: Source


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """A type of span with its expressions parsed."""

    name: str
    mark: Mark
    template: Template
    kind: str
    constants: Mapping[str, object]
    parent: Source
    links: tuple[LinkPlan, ...]
    key: Expression | None
    inject: Mapping[str, Expression]
    readings: tuple[Reading, ...]
    start_time: Expression | None
    end_time: Expression | None
    exception: Expression | None
    status_error: Expression | None
    status_ok: Expression | None
    remember: int
    limit: int
    start_has: frozenset[str]

    def early(self, names: frozenset[str]) -> bool:
        """Whether what reads these names is read when the span starts; what is not is read when it ends."""
        return DYNAMIC & names <= self.start_has


@dataclass(frozen=True, slots=True)
class Around:
    """The span runs from the call's beginning to its end and is the current one meanwhile."""

    span: SpanPlan
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Begin:
    """A keyed span starts and stays open."""

    span: SpanPlan
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Finish:
    """The open span with this key ends."""

    span: SpanPlan
    when: Expression | None
    key: Expression
    readings: tuple[Reading, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Shot:
    """A span that starts and ends at one moment."""

    span: SpanPlan
    when: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Pin:
    """An event on the span of a type with a key or, without a type, on the current span."""

    name: str
    span: str | None
    when: Expression | None
    key: Expression | None
    template: Template
    readings: tuple[Reading, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Plug:
    """A tap is plugged into the library."""

    tap: str
    call: Expression
    when: Expression | None
    mark: Mark


Action = Around | Begin | Finish | Shot | Pin | Plug

#: What happens first where several things happen at one moment: a span exists before its events, and these before its end.
_ORDER = {Around: 0, Begin: 1, Shot: 2, Pin: 3, Finish: 4, Plug: 5}


@dataclass(slots=True)
class HookPlan:
    """A hook and what happens at each of its moments."""

    hook: Hook
    when: Expression | None
    args: tuple[str, ...]
    names: Mapping[str, Expression]
    actions: dict[Stage, list[Action]] = field(default_factory=lambda: {stage: [] for stage in STAGES})


@dataclass(slots=True)
class CallPlan:
    """A callable, or a method of a tap, and the hooks on it."""

    target: Target
    tap: str | None = None
    hooks: list[HookPlan] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TapPlan:
    name: str
    base: Target
    mark: Mark


@dataclass(slots=True)
class Plan:
    """All that a spec asks for. ``modules`` are those whose import has to be waited for."""

    spec: Spec
    spans: dict[str, SpanPlan]
    taps: dict[str, TapPlan]
    calls: list[CallPlan]
    problems: list[Problem]

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(call.target.module for call in self.calls))


def readable(names: Iterable[str], stage: Stage) -> bool:
    """Whether what reads these names can be read at a stage: of ``result`` and ``error`` one at least must be there."""
    dynamic = DYNAMIC.intersection(names)
    return not dynamic or bool(dynamic & _THERE[stage])


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
        return Plan(spec, self.spans, taps, calls, sorted(self.problems, key=lambda p: (p.mark.file, p.mark.line, p.mark.column)))

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
                    self._problem(name.mark, "bad-name", f'"{name.value}" cannot be given as a name: it has a meaning already')
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
                self._problem(path.mark, "not-a-field", f'"{path.text}" cannot be written to: only a field can',
                              'name one, as in message.trace_id or message.headers["traceparent"]')  # fmt: skip
            elif path is not None:
                inject[field_name] = path
        return SpanPlan(
            name=span.name,
            mark=span.mark,
            template=self._template(span.template),
            kind=span.kind,
            constants=constants,
            parent=self._source(span.parent),
            links=tuple(LinkPlan(link.kind, self._source(link.source)) for link in span.links if link.source.where != "none"),
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
        return DYNAMIC if at.phase == "exit" else _THERE[at.phase]

    def _lifetime(self, span: SpanType, plan: SpanPlan) -> None:
        """Enter the span's beginning and end at the moments where they happen."""
        ways = [way for way, given in (("around", span.around), ("start", span.start), ("at", span.at)) if given]
        if len(ways) != 1 or bool(span.ends) != (ways == ["start"]):
            self._problem(span.mark, "no-lifetime", f'the span "{span.name}" needs exactly one of `around`, `start` with `end`, '
                          "and `at`: they say when it begins and ends")  # fmt: skip
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
                    self._problem(span.mark, "no-key", f'the span "{span.name}" needs a `key`: its end has to find it again')
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
            self._problem(event.key.mark, "no-span", f'the event "{event.name}" is pinned on the current span: it has no `key`',
                          "put the event under the span that has the key")  # fmt: skip
        key = self._optional(event.key) or (self.spans[span.name].key if span else None)
        if span is not None and key is None:
            if event.key is None and span.key is None:
                self._problem(event.mark, "no-key", f'the event "{event.name}" needs a `key`, or its span does: it has to find its span')
            return
        pin = (event.name, span.name if span else None)
        for at in event.at:
            for stage, hook in self._stages(at):
                hook.actions[stage].append(
                    Pin(*pin, self._when(event.when, stage), key, self._template(event.template), self._readings(event.attributes), event.mark)
                )

    def _source(self, source: ContextSource) -> Source:
        if source.span is not None and source.span.value not in self.spec.spans:
            self._unknown(source.span, "span", self.spec.spans)
            return Source("current", source.mark)
        if source.span is not None and self.spec.spans[source.span.value].key is None:
            self._problem(source.span.mark, "no-key", f'the span "{source.span.value}" has no `key`: it cannot be found by one')
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
            self._problem(expression.name_marks.get(name, expression.mark), "too-early",
                          f'"{name}" is not there at {stage}: the call has not got that far',
                          f"use a moment that has it: {'return' if name == 'result' else 'raise'} or exit")  # fmt: skip
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
