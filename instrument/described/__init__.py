"""What a spec records, as facts: for pages that people read and registries that programs read."""

from instrument.described.describe import describe
from instrument.described.facts import AttributeFacts, Description, EventFacts, LinkFacts, MetricFacts, SpanFacts
from instrument.described.values import ValueType

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
