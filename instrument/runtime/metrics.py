"""Metrics: instruments that take up values, and the spans of a type that are counted and measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, NonRecordingSpan, Span

from instrument.plan.metrics import ERROR_TYPE, SECONDS
from instrument.plan.model import MetricPlan
from instrument.runtime.context import enabled, with_span
from instrument.runtime.outcome import CONTROL
from instrument.runtime.spans import Spans
from instrument.runtime.values import clean


class Instrument:
    """One instrument of OpenTelemetry, whatever its kind, behind one method."""

    def __init__(self, meter: Meter, plan: MetricPlan) -> None:
        make: Any = getattr(meter, f"create_{plan.instrument}")
        more = {"explicit_bucket_boundaries_advisory": list(plan.boundaries)} if plan.boundaries else {}
        made = make(plan.name, unit=plan.unit, description=plan.brief, **more)
        self._take: Callable[..., None] = getattr(made, _TAKES[plan.instrument])
        self._rises = plan.instrument == "counter"

    def measure(self, value: Any, attributes: Mapping[str, Any], context: Context | None = None) -> None:
        """Take up a value, unless it is None or instrumentation is suppressed. Raises where it is no fitting number."""
        if value is None or not enabled():
            return
        number = value if type(value) in (int, float) else float(value)
        if not math.isfinite(number):
            raise ValueError(f"{number} cannot be measured")
        if self._rises and number < 0:
            raise ValueError(f"a counter cannot go down by {-number}")
        self._take(number, clean(attributes), context)


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


class MeasuredSpans(Spans):
    """Spans that metrics count and measure, all of them, whether they are recorded or not."""

    def __init__(self, *arguments: Any, metrics: list[OfSpans], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._metrics = metrics
        self._begun: dict[int, _Begun] = {}

    def forget(self) -> None:
        super().forget()
        self._begun.clear()

    def start(
        self,
        name: str,
        attributes: Mapping[str, Any],
        parent: Context | None = None,
        links: Any = (),
        start_time: int | None = None,
        owner: Any = None,
    ) -> Span | None:
        span = super().start(name, attributes, parent, links, start_time, owner)
        if span is INVALID_SPAN:  # without an SDK for traces there is but this one
            span = NonRecordingSpan(INVALID_SPAN_CONTEXT)
        if span is None:
            return None
        begun = _Begun(start_time or time.time_ns(), clean(attributes, self._constants))
        self._begun[id(span)] = begun
        for metric in self._metrics:
            if metric.plan.instrument == "up_down_counter":
                chosen = metric.of(begun.attributes)
                begun.counted.append((metric, chosen))
                self._measure(metric, 1, chosen, span)
        return span

    def end(self, span: Span, error: BaseException | None = None, **outcome: Any) -> None:
        begun = self._begun.get(id(span))
        if begun is not None:
            begun.attributes.update(clean(outcome.get("attributes") or {}))
            shown = error if error is not None else outcome.get("exception")
            if isinstance(shown, BaseException) and not isinstance(shown, CONTROL):
                begun.attributes.setdefault(ERROR_TYPE, _name(type(shown)))
        super().end(span, error, **outcome)

    def _over(self, span: Span, end_time: int | None = None) -> None:
        try:
            super()._over(span, end_time)
        finally:
            begun = self._begun.pop(id(span), None)
            if begun is not None:
                self._measured(span, begun, end_time)

    def _measured(self, span: Span, begun: _Begun, end_time: int | None) -> None:
        recorded: Any = span
        start = getattr(recorded, "start_time", None) or begun.start
        end = getattr(recorded, "end_time", None) or end_time or time.time_ns()
        attributes = {**begun.attributes, **(getattr(recorded, "attributes", None) or {})}
        for metric, chosen in begun.counted:
            self._measure(metric, -1, chosen, span)
        for metric in self._metrics:
            if metric.plan.instrument == "histogram":
                lasted = max(0, end - start) / 1e9 * SECONDS[metric.plan.unit]
                self._measure(metric, lasted, metric.of(attributes), span)
            elif metric.plan.instrument == "counter":
                self._measure(metric, 1, metric.of(attributes), span)

    def _measure(self, metric: OfSpans, value: float, attributes: dict[str, Any], span: Span) -> None:
        """With the span's context, which an exemplar leads to. A reader that fails does not cost the span."""
        try:
            metric.instrument.measure(value, attributes, with_span(span))
        except Exception as mistake:
            self._tell(mistake)


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
