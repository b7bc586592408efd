"""Metrics: instruments that take up values, and the spans of a type that are counted and measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.plan.metric_plans import ERROR_TYPE, SECONDS
from opentelemetry.instrumentation.declarative.plan.model import MetricPlan
from opentelemetry.instrumentation.declarative.runtime.attribute_values import clean
from opentelemetry.instrumentation.declarative.runtime.context import enabled, with_span
from opentelemetry.instrumentation.declarative.runtime.outcome import CONTROL
from opentelemetry.metrics import Meter
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, NonRecordingSpan, Span


class Instrument:
    """One instrument of OpenTelemetry, whatever its kind, behind one method."""

    def __init__(self, meter: Meter, plan: MetricPlan) -> None:
        make: Any = getattr(meter, f"create_{plan.instrument}")
        more = {"explicit_bucket_boundaries_advisory": list(plan.boundaries)} if plan.boundaries else {}
        made = make(plan.name, unit=plan.unit, description=plan.brief, **more)
        self._take: Callable[..., None] = getattr(made, _TAKES[plan.instrument])
        self._rises = plan.instrument == "counter"

    def measure(self, value: Any, attributes: Mapping[str, Any], context: Context | None = None) -> bool:
        """Take up a value; False where it is None or instrumentation is suppressed. Raises where it is no number."""
        if value is None or not enabled():
            return False
        number = value if type(value) in (int, float) else float(value)
        if not math.isfinite(number):
            raise ValueError(f"{number} cannot be measured")
        if self._rises and number < 0:
            raise ValueError(f"a counter cannot go down by {-number}")
        self._take(number, clean(attributes), context)
        return True


_TAKES = {"counter": "add", "up_down_counter": "add", "histogram": "record", "gauge": "set"}


@dataclass(frozen=True, slots=True)
class OfSpans:
    """A metric of a type of span."""

    plan: MetricPlan
    instrument: Instrument

    def of(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a span's attributes that the metric has as well."""
        return {key: attributes[key] for key in self.plan.span_attributes if key in attributes}


@dataclass(slots=True)
class _Begun:
    """What is known of a span that is open, also where it is not recorded."""

    start: int
    attributes: dict[str, Any]
    #: The up-and-down counters that have counted it, and under which attributes.
    counted: list[tuple[OfSpans, dict[str, Any]]] = field(default_factory=list)


_Failed = Callable[[Exception], None]


class Measures:
    """The metrics of one type of span: each span is counted and measured, whether it is recorded or not."""

    def __init__(self, metrics: list[OfSpans]) -> None:
        self._metrics = metrics
        #: By the id of the span, from its start to its end: a span is alive in between.
        self._begun: dict[int, _Begun] = {}

    def reset_after_fork(self) -> None:
        """In a child process: what is open is ended by the parent."""
        self._begun.clear()

    def take_over(self, before: Measures) -> None:
        """Go on with what is open, for the metrics of a spec that has been changed."""
        self._begun = before._begun

    def begun(self, span: Span, attributes: Mapping[str, Any], start_time: int | None, failed: _Failed) -> Span:
        """A span has started; gives the span, or one of its own for that which all share where there is no SDK.

        A reader that fails does not cost the span: that is told to ``failed``.
        """
        if span is INVALID_SPAN:
            span = NonRecordingSpan(INVALID_SPAN_CONTEXT)
        begun = self._begun[id(span)] = _Begun(start_time or time.time_ns(), {**attributes})
        for metric in self._metrics:
            if metric.plan.instrument == "up_down_counter":
                chosen = metric.of(attributes)
                begun.counted.append((metric, chosen))
                _measure(metric, 1, chosen, with_span(span), failed)
        return span

    def told(self, span: Span, error: Any, attributes: dict[str, Any]) -> None:
        """A span is told its outcome."""
        begun = self._begun.get(id(span))
        if begun is not None:
            begun.attributes.update(attributes)
            if isinstance(error, BaseException) and not isinstance(error, CONTROL):
                begun.attributes.setdefault(ERROR_TYPE, _name(type(error)))

    def over(self, span: Span, end_time: int | None, failed: _Failed) -> None:
        """A span has ended. Failures are told as by ``begun``."""
        begun = self._begun.pop(id(span), None)
        if begun is None:
            return
        recorded: Any = span
        start = getattr(recorded, "start_time", None) or begun.start
        end = getattr(recorded, "end_time", None) or end_time or time.time_ns()
        attributes = {**begun.attributes, **(getattr(recorded, "attributes", None) or {})}
        context = with_span(span)  # which an exemplar leads to
        for metric, chosen in begun.counted:
            _measure(metric, -1, chosen, context, failed)
        for metric in self._metrics:
            if metric.plan.instrument == "histogram":
                lasted = max(0, end - start) / 1e9 * SECONDS[metric.plan.unit]
                _measure(metric, lasted, metric.of(attributes), context, failed)
            elif metric.plan.instrument == "counter":
                _measure(metric, 1, metric.of(attributes), context, failed)


def _measure(metric: OfSpans, value: float, attributes: dict[str, Any], context: Context, failed: _Failed) -> None:
    try:
        metric.instrument.measure(value, attributes, context)
    except Exception as mistake:
        failed(mistake)


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
