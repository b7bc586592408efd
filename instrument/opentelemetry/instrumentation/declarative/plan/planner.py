"""Makes the plan of a spec, and finds every problem that can be found without the library."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, NO_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.language.nodes.count import Count
from opentelemetry.instrumentation.declarative.language.nodes.each import Each
from opentelemetry.instrumentation.declarative.language.nodes.end import End
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.nodes.start import Start
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.plan.attribute_planner import attribute_plans
from opentelemetry.instrumentation.declarative.plan.blocks import is_block
from opentelemetry.instrumentation.declarative.plan.call_actions import InstallExtension
from opentelemetry.instrumentation.declarative.plan.context_planner import add_context
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader
from opentelemetry.instrumentation.declarative.plan.field_reader import at_moments, of_span
from opentelemetry.instrumentation.declarative.plan.hook_planner import HookPlanner
from opentelemetry.instrumentation.declarative.plan.injection_planner import add_injections
from opentelemetry.instrumentation.declarative.plan.log_planner import add_logs
from opentelemetry.instrumentation.declarative.plan.metric_planner import metric_plan, metric_records
from opentelemetry.instrumentation.declarative.plan.model import ExtensionPlan, MetricPlan, Plan
from opentelemetry.instrumentation.declarative.plan.open_span_actions import IncrementCount
from opentelemetry.instrumentation.declarative.plan.open_span_planner import ADD_KEY, OpenSpanPlanner
from opentelemetry.instrumentation.declarative.plan.owner_planner import owner_plans
from opentelemetry.instrumentation.declarative.plan.scope_planner import scope_plan
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, RecordSpan, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.span_changes import span_changes
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan
from opentelemetry.instrumentation.declarative.plan.span_planner import span_plan, status_plans

_AROUND = (
    "whether a span around a call starts is decided when the call starts: read it in an attribute or in the status"
)


def make_plan(spec: Spec, *, content: ContentPolicy = NO_CONTENT) -> Plan:
    """Plan a spec. ``content`` decides how attributes marked ``content: true`` are recorded.

    Do not install a plan with problems: a rule in it may lack its condition.
    """
    return _plan(spec, content, for_check=False)


def make_plan_to_check(spec: Spec) -> Plan:
    """Plan a spec with everything that it can record, whatever the environment of this process allows."""
    return _plan(spec, FULL_CONTENT, for_check=True)


def _plan(spec: Spec, content: ContentPolicy, *, for_check: bool) -> Plan:
    functions, varying = spec.expression_functions, spec.varying_functions
    return _Planner(spec, ExpressionReader(functions, content, spec.names, varying, for_check=for_check)).plan()


class _Planner:
    def __init__(self, spec: Spec, reader: ExpressionReader) -> None:
        self.spec = spec
        self.reader = reader
        self.hooks = HookPlanner(spec, reader)
        self.spans = {name: span_plan(span, spec, reader) for name, span in spec.spans.items()}

    def plan(self) -> Plan:
        spec = self.spec
        open_spans = OpenSpanPlanner(spec, self.reader, self.hooks, self.spans)
        for span in spec.spans.values():
            plan = self.spans[span.name]
            self._add_lifetime(span, plan)
            self._add_counts(span, plan)
            for event in span.events:
                open_spans.add_event(event, span)
            for change in span_changes(span):
                open_spans.add_change(change, span)
        for of, enrichment in spec.enrich:
            for current_event in enrichment.events:
                open_spans.add_event(current_event, None, of)
            for link in enrichment.links:
                open_spans.add_link(link, of)
            for change in span_changes(enrichment, of):
                open_spans.add_change(change, None)
        for function in spec.functions.values():
            open_spans.add_function(function)
        add_logs(spec, self.spans, self.hooks, self.reader)
        metrics = self._metrics()
        scope = scope_plan(spec, self.reader)
        add_context(spec, self.hooks, self.reader)
        add_injections(spec, self.hooks, self.reader)
        extensions = self._extensions()
        owners = owner_plans(spec, self.hooks, self.reader)
        calls, patterns, values = self.hooks.used()
        problems, presumed, local = (
            sorted(each, key=lambda p: (p.mark.file, p.mark.line, p.mark.column))
            for each in (self.reader.problems, self.reader.presumed, self.reader.local)
        )
        context_values = tuple(entry.name for entry in spec.context if entry.value)
        withheld = self.reader.content != FULL_CONTENT and spec.has_content
        return Plan(
            spec,
            scope,
            self.spans,
            extensions,
            calls,
            problems,
            owners=owners,
            context_values=context_values,
            metrics=metrics,
            patterns=patterns,
            values=values,
            withholds_content=withheld,
            presumed=presumed,
            local_problems=local,
            unused_names=frozenset(spec.names) - self.reader.shared.used,
        )

    def _metrics(self) -> tuple[MetricPlan, ...]:
        for metric in self.spec.metrics:
            for action in metric_records(metric, self.reader) if metric.at else ():
                self.hooks.add(action, *metric.at)
        return tuple(metric_plan(metric, self.spec, self.reader) for metric in self.spec.metrics)

    def _extensions(self) -> dict[str, ExtensionPlan]:
        for extension in self.spec.extensions.values():
            install = extension.install
            call = self.reader.expression(install.call, (install.at.phase,))
            when = at_moments(self.reader, (install.at.phase,)).expression(install, "when")
            if call is not None:
                action = InstallExtension(mark=extension.mark, when=when, name=extension.name, call=call)
                self.hooks.add(action, install.at)
        return {
            extension.name: ExtensionPlan(extension.name, extension.base, extension.mark)
            for extension in self.spec.extensions.values()
        }

    # ── Spans ──

    def _add_lifetime(self, span: SpanType, plan: SpanPlan) -> None:
        """Add the start and the end of a span."""
        reader = self.reader
        lifetimes = {"around": span.around, "start": span.starts, "at": span.at}
        keys = [key for key, value in lifetimes.items() if value]
        if len(keys) != 1 or bool(span.ends) != (keys == ["start"]):
            reader.problem(
                span.mark,
                "no-lifetime",
                f'the span "{span.name}" needs exactly one of `around`, `start` with `end`, '
                "and `at`: they define when it starts and ends",
                "keep the one you need",
            )
        elif span.around:
            when = reader.optional(span.when, of_span(reader, span).phases(SpanType, "when"), _AROUND)
            if (hook := self.hooks.hook(span.around.value, span.around.mark)) is not None:
                hook.actions["enter"].append(TraceCall(mark=span.mark, when=when, span=plan))
                self.hooks.follow_result(hook, span.follow_result)
        elif span.at:
            when = of_span(reader, span).expression(span, "when")
            self.hooks.add(RecordSpan(mark=span.mark, when=when, span=plan), span.at)
        elif span.starts:
            if span.key is None:
                reader.problem(
                    span.mark,
                    "no-key",
                    f'the span "{span.name}" needs a `key`, by which its end finds it',
                    "add key: with a value that its start and its end can both read, such as an id",
                )
            for start in span.starts:
                self._add_start(start, plan, is_block(span, self.spec.hooks))
            self._add_ends(span, plan)

    def _add_start(self, start: Start, plan: SpanPlan, is_block: bool) -> None:
        phases = (start.at.phase,)
        when = at_moments(self.reader, phases).expression(start, "when")
        self.reader.check_names(Text(name, start.names.key_marks[name]) for name in start.names)
        names = self.reader.names(start.names, phases)
        action = StartSpan(
            mark=start.at.mark, when=when, span=plan, names=names, unless_open=start.unless_open, is_block=is_block
        )
        self.hooks.add(action, start.at)
        if is_block and start.at.phase == "enter" and plan.key is not None and plan.key.names.isdisjoint(names):
            # A block that cannot be entered is not left either.
            end = EndSpan(mark=start.at.mark, span=plan, key=plan.key)
            self.hooks.add(end, Moment(start.at.hook, "raise", start.at.mark))

    def _add_ends(self, span: SpanType, plan: SpanPlan) -> None:
        for end in span.ends:
            phases = (end.at.phase,)
            attributes = attribute_plans(end.attributes, end.attribute_groups, phases, self.reader)
            when = at_moments(self.reader, phases).expression(end, "when")
            several = isinstance(end.key, Each)
            key = at_moments(self.reader, phases).key(end.key, End, "key") or plan.key
            if several and when is not None and not when.names.isdisjoint(plan.counts):
                message = f'several spans "{span.name}" end here: a condition cannot read the counts of all of them'
                self.reader.problem(when.mark, "unknown-name", message, "end the spans one by one, each by its key")
            elif key is not None:
                action = EndSpan(
                    mark=end.at.mark,
                    when=when,
                    attributes=attributes,
                    span=plan,
                    key=key,
                    several=several,
                    statuses=status_plans(end.statuses, span, self.spec, phases, self.reader),
                )
                self.hooks.add(action, end.at)

    def _add_counts(self, span: SpanType, plan: SpanPlan) -> None:
        self.reader.check_names({count.name: Text(count.name, count.mark) for count in span.counts}.values())
        for count in span.counts:
            if span.at is not None:
                why, help = "ends as soon as it starts", "give the span a start and an end"
                self._report_unfindable(count, span, why, help)
            elif span.key is None:
                self._report_unfindable(count, span, "has no `key`", ADD_KEY)
            else:
                phases = tuple(at.phase for at in count.at)
                key = self.reader.key(count.key, phases) or plan.key
                when = at_moments(self.reader, phases).expression(count, "when")
                if key is None:
                    continue
                action = IncrementCount(mark=count.mark, when=when, name=count.name, span=span.name, key=key)
                self.hooks.add(action, *count.at)

    def _report_unfindable(self, count: Count, span: SpanType, why: str, help: str) -> None:
        message = f'the count "{count.name}" cannot find its span: "{span.name}" {why}'
        self.reader.problem(count.mark, "no-key", message, help)
