"""Metrics: the instruments that values are recorded with, and the metrics of a span type."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.expressions.conversion import number
from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.type_facts import type_title
from opentelemetry.instrumentation.declarative.plan.metric_planner import ERROR_TYPE, SECONDS
from opentelemetry.instrumentation.declarative.plan.model import MetricPlan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.context.current import enabled, with_span
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import clean_attributes
from opentelemetry.metrics import Meter
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, NonRecordingSpan, Span

#: Integers of this size are recorded as floating-point numbers. OTLP has 64 bits for an integer, also for the sum of a
#: counter, and one that needs more makes the export of all metrics of the process fail.
_LARGE_INTEGER = 2**32


class Instrument:
    """An OpenTelemetry instrument of any kind behind one method."""

    def __init__(self, meter: Meter, plan: MetricPlan) -> None:
        create: Any = getattr(meter, f"create_{plan.instrument}")
        options = {"explicit_bucket_boundaries_advisory": list(plan.boundaries)} if plan.boundaries else {}
        instrument = create(plan.name, unit=plan.unit, description=plan.description, **options)
        #: The instrument, if it waits for a meter provider, without which it records nothing.
        self.waiting: Any = instrument if hasattr(instrument, "_real_instrument") else None
        self._record: Callable[..., None] = getattr(instrument, _RECORDING_METHODS[plan.instrument])
        self._is_monotonic = plan.instrument == "counter"

    def measure(self, value: Any, attributes: Mapping[str, Any], context: Context | None = None) -> bool:
        """Record a value; return False if it is None or instrumentation is suppressed.

        Raises ValueError, TypeError or OverflowError if the value is not a finite number, or is negative for a counter.
        """
        if value is None or not enabled():
            return False
        measured = value if type(value) in (int, float) else _number(value)
        if measured is None:
            return False
        if isinstance(measured, bool):  # OTLP's encoder refuses one, and with it all metrics of the process
            measured = int(measured)
        if type(measured) is int and abs(measured) >= _LARGE_INTEGER:
            measured = float(measured)
        if not math.isfinite(measured):
            raise ValueError(f"{measured} is not a finite number")
        if self._is_monotonic and measured < 0:
            raise ValueError(f"{measured} is negative, and a counter can only increase")
        self._record(measured, clean_attributes(attributes), context)
        return True


_RECORDING_METHODS = {"counter": "add", "up_down_counter": "add", "histogram": "record", "gauge": "set"}


@record(frozen=True)
class SpanMetric:
    """One metric of a span type."""

    plan: MetricPlan
    instrument: Instrument
    span_type: str
    #: Returns the attributes that the metric has of its own, for a span type and the attributes of the span.
    own_attributes: Callable[[str, Mapping[str, Any]], dict[str, Any]] | None = None

    def select(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the attributes of the metric: those of the span that it selects, and its own."""
        selected = {key: attributes[key] for key in self.plan.span_attributes if key in attributes}
        if self.own_attributes is not None:
            selected.update(self.own_attributes(self.span_type, attributes))
        return selected


@record
class _OpenSpan:
    """An open span, which need not be recorded."""

    start: int
    attributes: dict[str, Any]
    #: The up-down counters that have counted the span, and with which attributes.
    counted_by: list[tuple[SpanMetric, dict[str, Any]]] = field(default_factory=list)


_ReportFailure = Callable[[Exception], None]


class SpanMetrics:
    """All metrics of one span type. Each span is counted and measured, whether it is recorded or not."""

    def __init__(self, metrics: list[SpanMetric]) -> None:
        self._metrics = metrics
        #: By the id of the span, from its start to its end; the span is alive in between.
        self._open: dict[int, _OpenSpan] = {}

    def reset_after_fork(self) -> None:
        """Drop the open spans in a child process: the parent ends them."""
        self._open.clear()

    def take_over(self, previous: SpanMetrics) -> None:
        """Continue with the open spans of the metrics of a spec that has changed."""
        self._open = previous._open

    def span_started(
        self, span: Span, attributes: Mapping[str, Any], start_time: int | None, report_failure: _ReportFailure
    ) -> Span:
        """Count a span that has started; return it, or a new one for the invalid span that is shared without an SDK.

        An exception of a metric reader goes to ``report_failure``.
        """
        if span is INVALID_SPAN:
            span = NonRecordingSpan(INVALID_SPAN_CONTEXT)
        opened = self._open[id(span)] = _OpenSpan(start_time or time.time_ns(), {**attributes})
        for metric in self._metrics:
            if metric.plan.instrument == "up_down_counter":
                selected = metric.select(attributes)
                opened.counted_by.append((metric, selected))
                _measure(metric, 1, selected, with_span(span), report_failure)
        return span

    def outcome_known(self, span: Span, error: BaseException | None, attributes: dict[str, Any]) -> None:
        """Add the attributes and the error of a span that is about to end."""
        opened = self._open.get(id(span))
        if opened is not None:
            opened.attributes.update(attributes)
            if error is not None:
                opened.attributes.setdefault(ERROR_TYPE, type_title(type(error)))

    def span_ended(self, span: Span, end_time: int | None, report_failure: _ReportFailure) -> None:
        """Count and measure a span that has ended. ``report_failure`` as for ``span_started``."""
        opened = self._open.pop(id(span), None)
        if opened is None:
            return
        recorded: Any = span
        start = getattr(recorded, "start_time", None) or opened.start
        end = getattr(recorded, "end_time", None) or end_time or time.time_ns()
        attributes = {**opened.attributes, **(getattr(recorded, "attributes", None) or {})}
        context = with_span(span)  # for exemplars
        for metric, selected in opened.counted_by:
            _measure(metric, -1, selected, context, report_failure)
        for metric in self._metrics:
            if metric.plan.instrument == "histogram":
                duration = max(0, end - start) / 1e9 * SECONDS[metric.plan.unit]
                _measure(metric, duration, metric.select(attributes), context, report_failure)
            elif metric.plan.instrument == "counter":
                _measure(metric, 1, metric.select(attributes), context, report_failure)


def _measure(
    metric: SpanMetric, value: float, attributes: dict[str, Any], context: Context, report_failure: _ReportFailure
) -> None:
    try:
        metric.instrument.measure(value, attributes, context)
    except Exception as failure:
        report_failure(failure)


def _number(value: Any) -> Any:
    """The number as which a value is recorded. Raises if there is none."""
    found = number(value)
    return float(value) if found is None and plain(value) is not None else found
