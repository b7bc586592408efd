"""Counts what each rule of a spec does. Imported only if a report is requested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.runtime.context.current import enabled
from opentelemetry.instrumentation.declarative.runtime.counters import Counter, ReadStats
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan
from opentelemetry.instrumentation.declarative.runtime.spans import Spans
from opentelemetry.instrumentation.declarative.runtime.starting.span_starters import Decision
from opentelemetry.trace import Span

# Why a rule had no effect.
SUPPRESSED = "instrumentation was suppressed"
UNSAMPLED = "its span is not sampled"
NO_PROVIDER = "there is no SDK: no tracer provider is set"
NOT_CURRENT = "there is no current span"
NOT_OPEN = "no span is open under its key"
OPEN_ALREADY = "a span is already open under its key"
ENDED_ALREADY = "its span had already ended"
NOTHING_TO_DO = "there was nothing to do"
OTHER_PROCESS = "its span belongs to another process"


class RuleStats:
    """The counters of one rule, on all its callables.

    ``reached``: its moment occurred. ``matched``: its condition was true, too, or it has none. ``emitted``: it had its
    effect. ``not_emitted`` counts the other outcomes by their reason.
    """

    def __init__(self, rule: RuleId) -> None:
        self.rule = rule
        self.reached, self._true, self.emitted, self.failures = Counter(), Counter(), Counter(), Counter()
        #: Whether the code of the rule counts its effects itself. If not, running to its end is the effect.
        self.counts_effects = False
        self.has_condition = False
        #: Whether code was generated for the rule on any callable, and the problems where it was not.
        self.is_generated = False
        self.problems: list[Problem] = []
        self.first_failure: tuple[Mark, str] | None = None
        #: The location of the rule, or of its expressions, that were disabled.
        self.disabled: list[Mark] = []
        self.not_emitted: dict[str, Counter] = {}
        self.reads: dict[tuple[str, str, Mark], ReadStats] = {}
        self._wrapped: dict[Any, Any] = {}

    @property
    def matched(self) -> Counter:
        return self._true if self.has_condition else self.reached

    def count_condition(self) -> Counter:
        """The counter for a true condition. From now on, the rule counts as having one."""
        self.has_condition = True
        return self._true

    def not_emitted_for(self, reason: str) -> Counter:
        return self.not_emitted.setdefault(reason, Counter())

    def failed(self, mark: Mark, error: str) -> None:
        self.failures.add()
        if self.first_failure is None:
            self.first_failure = mark, error

    def outcome(self, reason: str | None) -> None:
        """Count an effect, or why there was none."""
        (self.emitted if reason is None else self.not_emitted_for(reason)).add()

    # ── Reads ──

    def read(self, kind: str, name: str, mark: Mark) -> ReadStats:
        return self.reads.setdefault((kind, name, mark), ReadStats(kind, name, mark))

    def attributes(self, marks: Mapping[str, Mark]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
        """A function that returns its attributes, and counts which of them have a value."""
        notes = {key: self.read("attribute", key, mark).note for key, mark in marks.items()}

        def noted(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
            for key, value in attributes.items():
                notes[key](value)
            return attributes

        return noted

    # ── Effects ──

    def counting_spans(self, spans: Spans) -> CountingSpans:
        """The spans of a type, counting what this rule does with them."""
        self.counts_effects = True
        if spans not in self._wrapped:
            self._wrapped[spans] = CountingSpans(spans, self)
        counting: CountingSpans = self._wrapped[spans]
        return counting

    def counting(self, function: Callable[..., Any], reason: str | None = None) -> Callable[..., Any]:
        """The function that has the effect of the rule, with its calls counted. It returns False for no effect.

        The reason is then ``reason`` or, without it, the state of the span that is the first argument.
        """
        self.counts_effects = True
        if function not in self._wrapped:

            def counted(*arguments: Any) -> Any:
                result = function(*arguments)
                if result is False:
                    self.outcome(SUPPRESSED if not enabled() else reason or _reason(*arguments[:1]))
                else:
                    self.outcome(None)
                return result

            self._wrapped[function] = counted
        return self._wrapped[function]  # type: ignore[no-any-return]

    def counting_all(self, function: Callable[..., Any]) -> Callable[..., None]:
        """The function that is the whole rule, with its calls counted. It returns False for no effect."""

        def counted(*arguments: Any) -> None:
            self.reached.add()
            self.outcome(NOTHING_TO_DO if function(*arguments) is False else None)

        return counted

    def reset_after_fork(self) -> None:
        """Start again from zero, in a child process."""
        counters = [self.reached, self._true, self.emitted, self.failures, *list(self.not_emitted.values())]
        for read in list(self.reads.values()):
            counters += [read.present, read.missing]
        for counter in counters:
            counter.reset_after_fork()
        self.first_failure = None


class CountingSpans:
    """The spans of one type as one rule uses them, with the outcome of each use counted."""

    def __init__(self, spans: Spans, stats: RuleStats) -> None:
        self._spans = spans
        self._stats = stats

    def decide(self, *parent: Any) -> Decision:
        return self._decided(self._spans.decide(*parent))

    def decide_unless_open(self, *start: Any, **more: Any) -> Decision:
        return self._decided(self._spans.decide_unless_open(*start, **more))

    def _decided(self, decision: Decision) -> Decision:
        if decision == (False, None):
            self._stats.outcome(OPEN_ALREADY if enabled() else SUPPRESSED)
        return decision

    def begin(self, *start: Any, **more: Any) -> Span:
        return self._started(self._spans.begin(*start, **more))

    def keep_open(self, *start: Any, **more: Any) -> Span:
        return self._started(self._spans.keep_open(*start, **more))

    def record_unrecorded(self, draft: Span) -> None:
        self._started(draft)

    def _started(self, span: Span) -> Span:
        self._stats.outcome(_why_not_recorded(span))
        return span

    def enter(self, *start: Any, **more: Any) -> CallSpan:
        call_span = self._spans.enter(*start, **more)
        self._started(call_span.span)
        return call_span

    def enter_unrecorded(self, *start: Any, **more: Any) -> CallSpan:
        call_span = self._spans.enter_unrecorded(*start, **more)
        self._started(call_span.span)
        return call_span

    def leave(self, call_span: CallSpan, *error: BaseException, **outcome: Any) -> None:
        reason = _why_not_recorded(call_span.span)
        reason = reason or (None if self._spans.is_running(call_span.span) else OTHER_PROCESS)
        self._spans.leave(call_span, *error, **outcome)
        self._stats.outcome(reason)

    def end(self, span: Span, *error: BaseException, **outcome: Any) -> None:
        reason = _why_not_recorded(span)
        self._spans.end(span, *error, **outcome)
        self._stats.outcome(reason)

    def record(self, *start: Any, **more: Any) -> Span:
        span = self._spans.record(*start, **more)
        reason = _why_not_recorded(span)
        self._stats.outcome(None if reason == ENDED_ALREADY else reason)
        return span

    def take(self, key: Any) -> Span | None:
        found = self._spans.find(key)
        span = self._spans.take(key)
        if span is None:
            self._stats.outcome(NOT_OPEN if found is None else _why_not_recorded(found))
        return span

    def find(self, key: Any) -> Span | None:
        return self._found(self._spans.find(key))

    def find_once(self, key: Any, name: str) -> Span | None:
        span = self._spans.find_once(key, name)
        if span is None:
            self._stats.outcome(NOT_OPEN if self._spans.find(key) is None else NOTHING_TO_DO)
        return span

    def count(self, key: Any, name: str) -> bool:
        counted = self._spans.count(key, name)
        self._stats.outcome(None if counted else NOT_OPEN if enabled() else SUPPRESSED)
        return counted

    def _found(self, span: Span | None) -> Span | None:
        if span is None:
            self._stats.outcome(NOT_OPEN)
        return span


class EarlyEndCountingSpans(Spans):
    """Spans that count by reason how many of them do not end where their spec says."""

    early_ends: dict[str, Counter]

    def _end_early(self, span: Span, why: str) -> None:
        self.early_ends.setdefault(why, Counter()).add()
        super()._end_early(span, why)


class SpecStats:
    """The counters of all rules of one spec, in this process."""

    def __init__(self) -> None:
        self._rules: dict[RuleId, RuleStats] = {}
        #: The number of spans that ended early, by their type and the value of ``instrument.end``.
        self.early_ends: dict[str, dict[str, Counter]] = {}
        reset_in_children(self)

    def of(self, rule: RuleId) -> RuleStats:
        """The counters of a rule, created when they are first requested."""
        return self._rules.setdefault(rule, RuleStats(rule))

    def spans(self, name: str, *arguments: Any, **more: Any) -> Spans:
        """The spans of one type, with early ends counted."""
        spans = EarlyEndCountingSpans(*arguments, **more)
        spans.early_ends = self.early_ends.setdefault(name, {})
        return spans

    def reset_after_fork(self) -> None:
        for stats in self.all():
            stats.reset_after_fork()
        for counters in list(self.early_ends.values()):
            for counter in list(counters.values()):
                counter.reset_after_fork()

    def all(self) -> Iterable[RuleStats]:
        return list(self._rules.values())


def _why_not_recorded(span: Span) -> str | None:
    """Why a span is not recorded; None if it is."""
    if span.is_recording():
        return None
    if not span.get_span_context().is_valid:
        return NO_PROVIDER
    return UNSAMPLED if getattr(span, "end_time", None) is None else ENDED_ALREADY


def _reason(span: Any = None) -> str:
    """Why nothing was done to a span."""
    if not enabled():
        return SUPPRESSED
    if not isinstance(span, Span) or not span.get_span_context().is_valid:
        return NOT_CURRENT
    return _why_not_recorded(span) or NOTHING_TO_DO
