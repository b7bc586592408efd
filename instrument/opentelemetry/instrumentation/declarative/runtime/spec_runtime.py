"""What the wrappers of one spec share at run time: its spans, instruments, functions, extensions and sinks."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.expressions import Expression, PlainNames
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.plan.model import Plan, ValueOfCall
from opentelemetry.instrumentation.declarative.plan.name_uses import NameUses
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan
from opentelemetry.instrumentation.declarative.runtime.guard import MOST_FAILURES, Rule
from opentelemetry.instrumentation.declarative.runtime.sampling.span_sampling import Sampling
from opentelemetry.instrumentation.declarative.runtime.sinks import SinkFactory, Sinks
from opentelemetry.instrumentation.declarative.runtime.spans import Spans
from opentelemetry.instrumentation.declarative.runtime.starting.starter_selection import sampler_attributes
from opentelemetry.trace import Tracer

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.runtime.instruments import Instrument, SpanMetric
    from opentelemetry.instrumentation.declarative.runtime.log_records import LogEmitter
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import SpecStats
    from opentelemetry.metrics import Meter


class SpecRuntime:
    """The run-time objects of one spec.

    ``make_extension`` creates the class of an extension by its name. ``on_first_span`` is called when the first span is
    open. ``meter`` is required if the plan has metrics. ``previous`` is the runtime of the spec before a change: its
    open spans continue here. ``stats`` counts what each rule does, for a report. ``load_sink`` returns the class of a
    sink, or None if it cannot be loaded, and then nothing is written. ``light_spans``: spans that cost less
    than the SDK's are used where that is possible. ``log_emitter`` makes what emits log records
    with an event name and a severity; it is required if the plan has log records.
    """

    def __init__(
        self,
        plan: Plan,
        tracer: Tracer,
        make_extension: Callable[[str], type],
        on_first_span: Callable[[], None] | None = None,
        meter: Meter | None = None,
        previous: SpecRuntime | None = None,
        stats: SpecStats | None = None,
        load_sink: Callable[[Target], SinkFactory | None] = lambda _target: None,
        *,
        light_spans: bool = True,
        log_emitter: Callable[[str, str | None], LogEmitter] | None = None,
    ) -> None:
        self._plan = plan
        self.tracer = tracer
        #: The attributes that the sampler looks at: they are read before it is asked, and the others after it.
        self.sampler_attributes = sampler_attributes(tracer)
        self._light_spans = light_spans
        self.log_emitter = log_emitter
        self._stats = stats
        self.name_uses = NameUses(plan)
        self.link_kind = plan.scope.link_kind
        self.instruments: dict[str, Instrument] = {}
        metrics = {} if meter is None else self._make_instruments(plan, meter)
        self.spans = {name: self._make_spans(span, tracer, metrics.get(name, [])) for name, span in plan.spans.items()}
        for spans in self.spans.values():
            spans.on_first_span = on_first_span
        #: Span types that the spec no longer has, but that calls in progress still use.
        self._removed_spans: list[Spans] = []
        if previous is not None:
            self._take_over_spans(previous)
        self.functions: dict[str, Callable[..., Any]] = {name: function.call for name, function in FUNCTIONS.items()}
        #: The conditions that are decided once, by their marks.
        self._decided: dict[Mark, bool] = {}
        self.context_values: dict[str, ContextVar[Any]] = {
            name: (previous.context_values.get(name) if previous else None)
            or ContextVar(f"instrument {plan.spec.name} {name}", default=None)
            for name in plan.context_values
        }
        self._owners = {owner.name: owner for owner in plan.owners}
        self._sinks: Sinks = Sinks(plan.sinks, load_sink, self.rule, previous._sinks if previous is not None else None)
        for spans in self.spans.values():
            spans.sink = None
        for owner in plan.owners:
            for name in owner.spans:
                self.spans[name].sink = self._sinks.receiver(owner.name)
        #: Returns the function that hooks a value of a call. Nothing is hooked before the patches replace it.
        self.value_hook: Callable[[ValueOfCall], Callable[[Any], Any]] = lambda _value: lambda value: value
        self._make_extension = make_extension
        self._extensions: dict[str, type] = {}
        if previous is not None:
            known = plan.extensions
            self._extensions = {
                name: extension
                for name, extension in previous._extensions.items()
                if name in known and str(known[name].base) == str(previous._plan.extensions[name].base)
            }

    def _take_over_spans(self, previous: SpecRuntime) -> None:
        """Keep the spans of each type that still exists, and those of removed types while calls use them."""
        self._removed_spans = [spans for spans in previous._removed_spans if spans.has_running_calls]
        for name, spans in previous.spans.items():
            if name in self.spans:
                spans.change(self.spans[name])
                self.spans[name] = spans
            else:
                self._removed_spans.append(spans)

    def close_unreachable(self, previous: SpecRuntime, why: str) -> None:
        """End the open spans for which the changed spec no longer has a rule that ends them."""
        ended = {
            action.span.name
            for hook in self._plan.hooks
            for actions in hook.actions.values()
            for action in actions
            if isinstance(action, EndSpan)
        }
        for spans in self._removed_spans:
            spans.close_idle(why)
        for name, spans in previous.spans.items():
            if name not in ended or _dump(self._plan.spans[name].key) != _dump(previous._plan.spans[name].key):
                spans.close_idle(why)

    def _make_spans(self, span: SpanPlan, tracer: Tracer, metrics: list[SpanMetric]) -> Spans:
        span_metrics = None
        if metrics:
            from opentelemetry.instrumentation.declarative.runtime.instruments import SpanMetrics

            span_metrics = SpanMetrics(metrics)
        make: Callable[..., Spans] = Spans if self._stats is None else partial(self._stats.spans, span.name)
        return make(
            tracer,
            span.type.kind,
            span.constants,
            max_open=span.type.lookup.max_open,
            max_age=span.type.lookup.max_age,
            keep_ended=span.type.lookup.keep_ended,
            exception_policy=span.exception_policy,
            sampling=None if span.type.sample is None else Sampling(span.type.sample),
            metrics=span_metrics,
            light=self._light_spans,
            current=span.type.current,
            failed=self.rule(span.end_rule, most=None).failed,
        )

    def _make_instruments(self, plan: Plan, meter: Meter) -> dict[str, list[SpanMetric]]:
        """Create the instruments; return the metrics of spans by the span type."""
        from opentelemetry.instrumentation.declarative.runtime.instruments import Instrument, SpanMetric
        from opentelemetry.instrumentation.declarative.runtime.metric_attributes import MetricAttributes
        from opentelemetry.metrics import NoOpMeter

        metrics: dict[str, list[SpanMetric]] = {}
        for metric in plan.metrics:
            try:
                instrument = Instrument(meter, metric)
            except Exception as error:  # a name or unit that the SDK refuses, or a fault of its configuration
                self.rule(RuleId("metric", metric.name, metric.mark), most=None).failed(error, "the metric is left out")
                instrument = Instrument(NoOpMeter(metric.name), metric)
            self.instruments[metric.name] = instrument
            own = None
            if metric.own_attributes:
                rule = self.rule(RuleId("metric", metric.name, metric.mark))
                own = MetricAttributes(metric.own_attributes, lambda: self.functions, self.decide, rule).of
            for span in metric.spans:
                measured = SpanMetric(metric, self.instruments[metric.name], span, own)
                metrics.setdefault(span, []).append(measured)
        return metrics

    @property
    def counts_rules(self) -> bool:
        """Whether it is counted what each rule does."""
        return self._stats is not None

    def decide(self, condition: Expression) -> bool:
        """Return whether a condition that reads no names is true. It is evaluated once, and may raise anything."""
        if condition.mark not in self._decided:
            names = PlainNames()
            # The source is generated from a validated expression.
            value = eval(condition.null_safe_condition(names), names.namespace(self.functions))
            self._decided[condition.mark] = bool(value)
        return self._decided[condition.mark]

    def rule(self, id: RuleId, most: int | None = MOST_FAILURES) -> Rule:
        """Return a rule at run time, with its counters if a report is requested."""
        stats = None if self._stats is None else self._stats.of(id)
        # A sink only receives what is recorded.
        shows_messages = id.kind == "sink" or not self._plan.withholds_content
        return Rule(id, most=most, stats=stats, shows_messages=shows_messages)

    def extension(self, name: str) -> type:
        """Return the class of an extension, created when it is first requested."""
        if name not in self._extensions:
            self._extensions[name] = self._make_extension(name)
        return self._extensions[name]

    def close_owned(self, name: str, owner: Any, why: str) -> None:
        """End every open span of an owner, with an attribute that says why. ``name``: that of the owner in the spec."""
        for span in self._owners[name].spans:
            self.spans[span].close_owned(owner, why)

    async def flush(self, name: str, owner: Any) -> None:
        """Wait, for a limited time, until the sink has written every span of an owner."""
        await self._sinks.flush(name, owner)

    def close(self, why: str = "shutdown", *, running: bool = False) -> None:
        """End every open span, with an attribute that says why; with ``running``, also those of calls in progress."""
        for spans in (*self.spans.values(), *self._removed_spans):
            spans.close(why, running=running)


def _dump(expression: Expression | None) -> str:
    return "" if expression is None else ast.dump(expression.tree)
