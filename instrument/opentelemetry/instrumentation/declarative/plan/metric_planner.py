"""Makes the plans of metrics, and checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest, did_you_mean, quoted
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ANY_NAME
from opentelemetry.instrumentation.declarative.language.nodes.metric import Metric
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.attribute_planner import attribute_plans
from opentelemetry.instrumentation.declarative.plan.call_actions import RecordMetric
from opentelemetry.instrumentation.declarative.plan.expression_reader import EXIT, ExpressionReader
from opentelemetry.instrumentation.declarative.plan.field_reader import at_moments
from opentelemetry.instrumentation.declarative.plan.metric_names import (
    NAME_RULE,
    UNIT_RULE,
    is_metric_name,
    is_unit,
    suggested_name,
    suggested_unit,
)
from opentelemetry.instrumentation.declarative.plan.model import MetricPlan
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan

#: The units of time, by how many of each are a second.
SECONDS: Mapping[str, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9, "min": 1 / 60, "h": 1 / 3600}
#: In seconds: the boundaries that OpenTelemetry's semantic conventions recommend for the duration of requests.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: The attribute for the type of the error that ended a span: https://opentelemetry.io/docs/specs/semconv/general/recording-errors/
ERROR_TYPE = "error.type"
#: What the attributes of a metric of spans can read: the type of the span, and its attributes.
NAMES_OF_SPANS = ("span_type", "attributes")


def metric_plan(metric: Metric, spec: Spec, reader: ExpressionReader) -> MetricPlan:
    """Plan the instrument of a metric."""
    is_accepted = _check_accepted(metric, reader)
    if metric.boundaries and metric.instrument != "histogram":
        reader.problem(
            metric.mark,
            "idle-boundaries",
            f'the metric "{metric.name}" is a {metric.instrument}: only a histogram has boundaries',
            "remove boundaries, or make it a histogram",
        )
    if sorted(metric.boundaries) != list(metric.boundaries):
        reader.problem(
            metric.mark,
            "wrong-value",
            f'the boundaries of the metric "{metric.name}" are not in ascending order',
            "sort them",
        )
    if metric.spans:
        _check_of_spans(metric, spec, reader, is_accepted=is_accepted)
    lasting = bool(metric.spans) and metric.instrument == "histogram"
    unit = metric.unit.value if metric.unit else "s" if lasting else "1"
    of_time = tuple(boundary * SECONDS[unit] for boundary in _BOUNDARIES) if lasting and unit in SECONDS else ()
    return MetricPlan(
        name=metric.name,
        mark=metric.mark,
        instrument=metric.instrument,
        unit=unit,
        description=metric.description or "",
        boundaries=(metric.boundaries or of_time) if metric.instrument == "histogram" else (),
        spans=tuple(span.value for span in metric.spans),
        span_attributes=tuple(key.value for key in metric.span_attributes),
        own_attributes=_own_attributes(metric, reader) if metric.spans else (),
    )


def metric_records(metric: Metric, reader: ExpressionReader) -> list[RecordMetric]:
    """Plan what a metric records at its moments: one action for each of its values."""
    phases = tuple(at.phase for at in metric.at)
    if metric.instrument in ("histogram", "gauge") and any(each.value is None for each in metric.recorded_values):
        reader.problem(
            metric.mark,
            "no-value",
            f'the metric "{metric.name}" is a {metric.instrument} and needs a `value` to record',
            "add value: with the expression to record, or make it a counter",
            subject=metric.name,
        )
    _check_attributes(metric, reader)
    when = at_moments(reader, phases).expression(metric, "when")
    return [
        RecordMetric(
            name=metric.name,
            when=when,
            only=at_moments(reader, phases).expression(each, "when"),
            value=at_moments(reader, phases).expression(each, "value"),
            attributes=(
                *attribute_plans(metric.attributes, metric.attribute_groups, phases, reader),
                *attribute_plans(each.attributes, each.attribute_groups, phases, reader),
            ),
            mark=each.mark,
        )
        for each in metric.recorded_values
    ]


def _check_accepted(metric: Metric, reader: ExpressionReader) -> bool:
    """Check the name and the unit, which OpenTelemetry may refuse. Only the metric is then left out.

    Returns whether the unit is accepted.
    """
    if not is_metric_name(metric.name):
        suggestion = suggested_name(metric.name)
        reader.problem(
            metric.mark,
            "invalid-metric",
            f"OpenTelemetry refuses the metric name {quoted(metric.name)}: {NAME_RULE}",
            f"did you mean {quoted(suggestion)}?" if suggestion else "choose another name, such as shop.payments",
            subject=metric.name,
            suggestion=suggestion,
            is_local=True,
        )
    if metric.unit is not None and not is_unit(metric.unit.value):
        suggestion = suggested_unit(metric.unit.value)
        reader.problem(
            metric.unit.mark,
            "invalid-metric",
            f"OpenTelemetry refuses the unit {quoted(metric.unit.value)}: {UNIT_RULE}",
            f"did you mean {quoted(suggestion)}?" if suggestion else "write the unit in UCUM notation, as s or {order}",
            subject=metric.name,
            suggestion=suggestion,
            is_local=True,
        )
        return False
    return True


def _check_of_spans(metric: Metric, spec: Spec, reader: ExpressionReader, *, is_accepted: bool) -> None:
    if metric.instrument == "gauge":
        reader.problem(
            metric.mark,
            "no-value",
            f'the metric "{metric.name}" is a gauge, which cannot be derived from spans',
            "choose histogram for durations, counter for the number of ended spans, "
            "up_down_counter for the number of open spans",
        )
    if metric.instrument == "histogram" and metric.unit and metric.unit.value not in SECONDS and is_accepted:
        unit = suggested_unit(metric.unit.value)
        reader.problem(
            metric.unit.mark,
            "wrong-value",
            f'the metric "{metric.name}" records the duration of spans, and '
            f"{quoted(metric.unit.value)} is not a unit of time",
            f"did you mean {quoted(unit)}?" if unit and unit in SECONDS else f"use one of {', '.join(SECONDS)}",
        )
    for name in metric.spans:
        if name.value not in spec.spans:
            reader.unknown(name, "span", spec.spans)
    spans = [spec.spans[name.value] for name in metric.spans if name.value in spec.spans]
    if len(spans) < len(metric.spans):
        return
    known = [*dict.fromkeys(key for span in spans for key in _attributes(span, spec))]
    for key in metric.span_attributes:
        if key.value not in known and not any(_stands_for(pattern, key.value) for pattern in known):
            suggestion = closest(key.value, known)
            help = f'did you mean "{suggestion}"?' if suggestion else f"there are: {', '.join(known)}"
            message = f"{_subject(spans)} no attribute {quoted(key.value)}"
            reader.problem(key.mark, "unknown-attribute", message, help, subject=key.value, suggestion=suggestion)


def _stands_for(pattern: str, key: str) -> bool:
    """Whether an attribute stands for the entries of a mapping, of which one can have this key."""
    return pattern.endswith(ANY_NAME) and key.startswith(pattern.removesuffix(ANY_NAME))


def _subject(spans: Sequence[SpanType]) -> str:
    names = [quoted(span.name) for span in spans]
    return f"the span {names[0]} has" if len(names) == 1 else f"the spans {', '.join(names)} have"


def _own_attributes(metric: Metric, reader: ExpressionReader) -> tuple[AttributePlan, ...]:
    """Plan the attributes of a metric of spans. They can read the type and the attributes of the span."""
    _check_attributes(metric, reader)
    plans = attribute_plans(metric.attributes, metric.attribute_groups, EXIT, reader)
    for name, mark in {each for plan in plans for each in plan.expression.name_marks.items()}:
        if name not in NAMES_OF_SPANS:
            suggestion = closest(name, NAMES_OF_SPANS)
            listed = f'there are: {", ".join(NAMES_OF_SPANS)}; add the value to the spans, and read attributes["KEY"]'
            reader.problem(
                mark,
                "unknown-name",
                f'"{name}" cannot be read in an attribute of the metric "{metric.name}", which is of spans',
                did_you_mean(suggestion) or listed,
                subject=name,
                suggestion=suggestion,
            )
    return plans


def _check_attributes(metric: Metric, reader: ExpressionReader) -> None:
    """Check that the number of time series is limited."""
    groups = (*metric.attribute_groups, *(group for value in metric.values for group in value.attribute_groups))
    of_groups = (attribute for group in groups for attribute in group.attributes)
    of_values = (attribute for value in metric.recorded_values for attribute in value.attributes)
    for attribute in (*metric.attributes, *of_groups, *of_values):
        if attribute.is_mapping:
            reader.problem(
                attribute.mark,
                "content-in-metric",
                f'the attribute "{attribute.name}" stands for the entries of a mapping: each combination of their '
                "values would create a time series",
                "name the entries that the metric needs, each with a key of its own",
            )
        if attribute.content and attribute.value:
            reader.problem(
                attribute.value.mark,
                "content-in-metric",
                f'the attribute "{attribute.name}" is content: each text would create a time series',
                "record it on a span",
            )


def _attributes(span: SpanType, spec: Spec) -> list[str]:
    """The keys of all attributes that a span can have; those of its events are not included."""
    others = [end.attributes for end in span.ends]
    groups = (*span.attribute_groups, *(group for end in span.ends for group in end.attribute_groups))
    others += [group.attributes for group in groups]
    names = dict.fromkeys(attribute.name for attributes in (span.attributes, *others) for attribute in attributes)
    return [*names, ERROR_TYPE]
