"""What the metrics of a block have come to, in a form to compare."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.testing.lines import value_text
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader


def metrics_of(reader: InMemoryMetricReader) -> dict[str, dict[str, float]]:
    """Of each metric its value by its attributes, written as the tree writes them; of a histogram how many it has."""
    data = reader.get_metrics_data()
    scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
    found: dict[str, dict[str, float]] = {}
    for metric in (metric for scope in scopes for metric in scope.metrics):
        values = found.setdefault(metric.name, {})
        for point in metric.data.data_points:
            words = [f"{key}={value_text(value)}" for key, value in sorted((point.attributes or {}).items())]
            values[" ".join(words)] = point.count if isinstance(point, HistogramDataPoint) else point.value  # type: ignore[union-attr]
    return found
