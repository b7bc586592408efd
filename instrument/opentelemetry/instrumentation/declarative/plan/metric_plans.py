"""The metrics of a spec: what each measures, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest, shown
from opentelemetry.instrumentation.declarative.language.spec_model import Metric, SpanType, Spec
from opentelemetry.instrumentation.declarative.plan.expression_reader import Texts
from opentelemetry.instrumentation.declarative.plan.model import Measure, MetricPlan

#: How many of a unit of time are a second.
SECONDS: Mapping[str, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9, "min": 1 / 60, "h": 1 / 3600}
#: In seconds, what OpenTelemetry's semantic conventions advise for how long requests last.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: The attribute of a metric that says what ended a span: https://opentelemetry.io/docs/specs/semconv/general/recording-errors/
ERROR_TYPE = "error.type"


def metric_plan(metric: Metric, spec: Spec, texts: Texts) -> MetricPlan:
    """The instrument of a metric."""
    if metric.boundaries and metric.instrument != "histogram":
        texts.problem(
            metric.mark,
            "idle-boundaries",
            f'the metric "{metric.name}" is a {metric.instrument}: only a histogram has boundaries',
            "take boundaries out, or make it a histogram",
        )
    if sorted(metric.boundaries) != list(metric.boundaries):
        texts.problem(
            metric.mark,
            "wrong-value",
            f'the boundaries of the metric "{metric.name}" do not rise',
            "write them from the lowest up",
        )
    if metric.span is not None:
        _check_of_spans(metric, spec, texts)
    lasting = metric.span is not None and metric.instrument == "histogram"
    unit = metric.unit.value if metric.unit else "s" if lasting else "1"
    of_time = tuple(boundary * SECONDS[unit] for boundary in _BOUNDARIES) if lasting and unit in SECONDS else ()
    return MetricPlan(
        name=metric.name,
        mark=metric.mark,
        instrument=metric.instrument,
        unit=unit,
        brief=metric.brief or "",
        boundaries=(metric.boundaries or of_time) if metric.instrument == "histogram" else (),
        span=metric.span.value if metric.span else None,
        span_attributes=tuple(key.value for key in metric.span_attributes),
    )


def measures_of(metric: Metric, texts: Texts) -> list[Measure]:
    """What happens at the moments of a metric: for each of its values, one thing."""
    phases = tuple(at.phase for at in metric.at)
    if metric.instrument in ("histogram", "gauge") and any(each.value is None for each in metric.values):
        texts.problem(
            metric.mark,
            "no-value",
            f'the metric "{metric.name}" is a {metric.instrument}, which measures: it needs a `value`',
            "write value: and what is measured, or make it a counter",
        )
    for attribute in (*metric.attributes, *(each for value in metric.values for each in value.attributes)):
        if attribute.content:
            texts.problem(
                attribute.value.mark,
                "content-in-metric",
                f'the attribute "{attribute.key}" is content: each text would be a series of its own',
                "record it on a span",
            )
    when = texts.optional(metric.when, phases)
    return [
        Measure(
            name=metric.name,
            when=when,
            only=texts.optional(each.when, phases),
            value=texts.optional(each.value, phases),
            readings=texts.readings((*metric.attributes, *each.attributes), phases),
            mark=each.mark,
        )
        for each in metric.values
    ]


def _check_of_spans(metric: Metric, spec: Spec, texts: Texts) -> None:
    assert metric.span is not None
    if metric.instrument == "gauge":
        texts.problem(
            metric.mark,
            "no-value",
            f'the metric "{metric.name}" is a gauge, which has nothing to measure of spans',
            "choose histogram for how long they last, counter for how many end, up_down_counter for how many are open",
        )
    if metric.instrument == "histogram" and metric.unit and metric.unit.value not in SECONDS:
        texts.problem(
            metric.unit.mark,
            "wrong-value",
            f'the metric "{metric.name}" is how long spans last, and {shown(metric.unit.value)} is no unit of time',
            f"write one of {', '.join(SECONDS)}",
        )
    span = spec.spans.get(metric.span.value)
    if span is None:
        texts.unknown(metric.span, "span", spec.spans)
        return
    known = _attributes(span, spec)
    for key in metric.span_attributes:
        if key.value not in known:
            near = closest(key.value, known)
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known)}"
            message = f'the span "{span.name}" has no attribute {shown(key.value)}'
            texts.problem(key.mark, "unknown-attribute", message, mend)


def _attributes(span: SpanType, spec: Spec) -> list[str]:
    """The keys of whatever a span may have; its events have attributes of their own."""
    updates = [event for event in span.events if event.template is None]
    read = [span.attributes, *(end.attributes for end in span.ends), *(update.attributes for update in updates)]
    fixed = [*([spec.vocabulary.span_type] if spec.vocabulary.span_type else []), *span.constants]
    return [*fixed, *(attribute.key for attributes in read for attribute in attributes), ERROR_TYPE]
