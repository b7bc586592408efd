"""The values of the metrics of a block, in a form that tests can compare."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.testing.tree_text import value_text
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader


def metric_values(reader: InMemoryMetricReader) -> dict[str, dict[str, float]]:
    """The value of each metric by its attributes, written as in a tree. For a histogram, the number of values."""
    data = reader.get_metrics_data()
    scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
    result: dict[str, dict[str, float]] = {}
    for metric in (metric for scope in scopes for metric in scope.metrics):
        values = result.setdefault(metric.name, {})
        for point in metric.data.data_points:
            words = [f"{key}={value_text(value)}" for key, value in sorted((point.attributes or {}).items())]
            values[" ".join(words)] = point.count if isinstance(point, HistogramDataPoint) else point.value  # type: ignore[union-attr]
    return result
