"""What a spec records, as facts: the source of reference pages and registries."""

from opentelemetry.instrumentation.declarative.inspection.described.describe import describe
from opentelemetry.instrumentation.declarative.inspection.described.facts import (
    AttributeFacts,
    Description,
    EventFacts,
    LinkFacts,
    MetricFacts,
    SpanFacts,
)
from opentelemetry.instrumentation.declarative.inspection.described.value_types import ValueType

__all__ = [
    "AttributeFacts",
    "Description",
    "EventFacts",
    "LinkFacts",
    "MetricFacts",
    "SpanFacts",
    "ValueType",
    "describe",
]
